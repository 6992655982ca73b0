/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Names of series: see the header. */

#include "series_key.h"

static bool name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

/* The metric is what stands between a slash and the first brace that has only a name before it. */
static const char *find_metric(const char *from, size_t *ret_len)
{
        for (const char *brace = from; (brace = strchr(brace, '{')); brace++) {
                const char *start = brace;

                while (start > from && name_char(start[-1]))
                        start--;
                if (start < brace && start > from && start[-1] == '/') {
                        *ret_len = (size_t)(brace - start);
                        return start;
                }
        }
        return NULL;
}

int series_key_parse(const char *key, struct series_key *ret)
{
        size_t len = strlen(key);
        struct series_key k = { .check = key };
        const char *slash = strchr(key, '/');

        for (size_t i = 0; i < len; i++)
                if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
                        return -EINVAL;
        if (len > SERIES_KEY_MAX || !slash || slash == key || key[len - 1] != '}')
                return -EINVAL;
        k.check_len = (size_t)(slash - key);
        k.instance = slash + 1;
        k.metric = find_metric(k.instance, &k.metric_len);
        if (!k.metric)
                return -EINVAL;
        k.instance_len = (size_t)(k.metric - 1 - k.instance);
        k.labels = k.metric + k.metric_len + 1;
        k.labels_len = (size_t)(key + len - 1 - k.labels);
        *ret = k;
        return 0;
}

bool series_key_metric_is(const struct series_key *k, const char *metric)
{
        return strlen(metric) == k->metric_len && memcmp(metric, k->metric, k->metric_len) == 0;
}

/* Length of the "name" of a "name=" at p, else 0. */
static size_t label_name(const char *p, const char *end)
{
        const char *q = p;

        while (q < end && name_char(*q))
                q++;
        return q < end && *q == '=' ? (size_t)(q - p) : 0;
}

bool series_key_label(const char **p, const char *end, const char **ret_name, size_t *ret_name_len, const char **ret_value,
                      size_t *ret_value_len)
{
        size_t n = label_name(*p, end);
        const char *q;

        if (n == 0)
                return false;
        *ret_name = *p;
        *ret_name_len = n;
        *ret_value = q = *p + n + 1;
        while (q < end && !(*q == ',' && label_name(q + 1, end) > 0))
                q++;
        *ret_value_len = (size_t)(q - *ret_value);
        *p = q < end ? q + 1 : end;
        return true;
}

const char *metric_unit(const char *metric)
{
        static const char *const units[] = { "celsius", "bytes", "seconds", "ratio", "volts", "amperes", "watts", "joules",
                                             "rpm", "hertz", "percent" };
        size_t len = strlen(metric);

        if (len > 6 && streq(metric + len - 6, "_total"))
                len -= 6;
        for (size_t i = 0; i < ARRAY_LEN(units); i++) {
                size_t n = strlen(units[i]);

                /* "x_per_second" and "x_bits_per_seconds" are no times. */
                if (len > n + 1 && metric[len - n - 1] == '_' && memcmp(metric + len - n, units[i], n) == 0 &&
                    !(len > n + 5 && memcmp(metric + len - n - 5, "_per_", 5) == 0))
                        return units[i];
        }
        return "";
}

json_t *series_key_labels_json(const struct series_key *k)
{
        const char *p = k->labels, *end = k->labels + k->labels_len, *name, *value;
        json_t *labels = json_object();
        size_t n, m;

        while (series_key_label(&p, end, &name, &n, &value, &m)) {
                char copy[SERIES_KEY_MAX + 1];

                snprintf(copy, sizeof(copy), "%.*s", (int)n, name);
                json_object_set_new(labels, copy, json_stringn(value, m));
        }
        return labels;
}
