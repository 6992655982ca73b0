/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What a plugin prints: any bytes. */

#include "nagios.h"

#include <jansson.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct nagios_output o;
        struct errinfo err = { 0 };
        json_t *text;

        if (nagios_parse((const char *)data, size, &o, &err) < 0) {
                assert(err.text[0]);
                return 0;
        }
        assert(o.text[0] && o.n_values <= NAGIOS_VALUES_MAX);
        text = json_string(o.text); /* UTF-8 */
        assert(text);
        json_decref(text);
        for (size_t i = 0; i < o.n_values; i++) {
                text = json_string(o.values[i].label);
                assert(text && isfinite(o.values[i].value) && o.values[i].metric);
                json_decref(text);
                text = json_string(o.values[i].unit);
                assert(text);
                json_decref(text);
        }
        nagios_contradicts(NAGIOS_OK, o.text);
        return 0;
}
