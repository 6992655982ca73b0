/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The Accept header of a scrape (RFC 9110, 12.5.1). Prometheus sends, for example:
 * application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3;q=0.1. A range we cannot read is passed
 * over; a header that asks for neither format gets 0.0.4, which every tool reads. */

#include <strings.h>

#include "exposition.h"

#define HEADER_MAX 4096

static void strip(char **s)
{
        char *end;

        *s += strspn(*s, " \t");
        end = *s + strlen(*s);
        while (end > *s && (end[-1] == ' ' || end[-1] == '\t'))
                *--end = '\0';
}

/* 0 to 1 in thousandths; -1: no q value. */
static int read_q(const char *s)
{
        int q, digits = 100;

        if ((*s != '0' && *s != '1') || (s[1] && s[1] != '.'))
                return -1;
        q = (*s - '0') * 1000;
        if (s[1])
                for (s += 2; *s; s++, digits /= 10) {
                        if (*s < '0' || *s > '9' || digits == 0)
                                return -1;
                        q += (*s - '0') * digits;
                }
        return q <= 1000 ? q : -1;
}

struct range {
        int q;
        bool openmetrics, text;
};

/* One media range with its parameters; false: not one of ours. */
static bool read_range(char *s, struct range *ret)
{
        char *save = NULL, *part = strtok_r(s, ";", &save);
        const char *version = NULL;
        struct range r = { .q = 1000 };

        if (!part)
                return false;
        strip(&part);
        r.openmetrics = strcasecmp(part, "application/openmetrics-text") == 0;
        r.text = strcasecmp(part, "text/plain") == 0 || streq(part, "text/*") || streq(part, "*/*");
        while ((part = strtok_r(NULL, ";", &save))) {
                strip(&part);
                if (strncasecmp(part, "q=", 2) == 0 && read_q(part + 2) >= 0)
                        r.q = read_q(part + 2);
                else if (strncasecmp(part, "version=", 8) == 0)
                        version = part + 8;
        }
        /* 0.0.1 was a draft with the same syntax for what we send; anything later is not written yet. */
        if (r.openmetrics && version && !streq(version, "1.0.0") && !streq(version, "0.0.1") && !streq(version, "\"1.0.0\""))
                return false;
        if (r.text && version && !streq(version, "0.0.4") && !streq(version, "\"0.0.4\""))
                return false;
        *ret = r;
        return r.openmetrics || r.text;
}

enum expo_format expo_negotiate(const char *accept)
{
        char header[HEADER_MAX], *save = NULL;
        int openmetrics = 0, text = 0;

        if (!accept || strlen(accept) >= sizeof(header))
                return EXPO_TEXT;
        strcpy(header, accept);
        for (char *s = strtok_r(header, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
                struct range r;

                if (!read_range(s, &r))
                        continue;
                if (r.openmetrics)
                        openmetrics = MAX(openmetrics, r.q);
                else
                        text = MAX(text, r.q);
        }
        return openmetrics > 0 && openmetrics >= text ? EXPO_OPENMETRICS : EXPO_TEXT;
}
