/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Answers of name servers to the question for mail servers. What comes out goes into URLs and commands of SMTP. */

#include "notify_mx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct mx_host hosts[MX_HOSTS_MAX];
        unsigned char *exact = malloc(size + !size); /* so that a read beyond is seen */
        int n;

        if (!exact)
                abort();
        if (size)
                memcpy(exact, data, size);
        n = mx_parse(exact, size, hosts, MX_HOSTS_MAX);
        assert(n <= MX_HOSTS_MAX);
        for (int i = 0; i < n; i++) {
                assert(mx_name_ok(hosts[i].name));
                assert(i == 0 || hosts[i - 1].preference <= hosts[i].preference);
        }
        free(exact);
        return 0;
}
