/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From bytes to a kmsg_record: /dev/kmsg's own form and the forms in which its lines are saved. Nothing is trusted:
 * root and hypervisors may write to /dev/kmsg, and logs come from anywhere. */

#include <ctype.h>
#include <strings.h>

#include "kmsg.h"

#define FACILITY_UNKNOWN 0 /* a saved line without one: the kernel's, or the caller would not ask */
#define PRIORITY_UNKNOWN 8

/* A text that is read from left to right. */
struct cursor {
        const char *p, *end;
};

static bool take_u64(struct cursor *c, uint64_t *ret)
{
        uint64_t v = 0;
        const char *start = c->p;

        while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
                if (v > (UINT64_MAX - 9) / 10)
                        return false;
                v = v * 10 + (uint64_t)(*c->p++ - '0');
        }
        *ret = v;
        return c->p > start;
}

static bool take_char(struct cursor *c, char wanted)
{
        if (c->p >= c->end || *c->p != wanted)
                return false;
        c->p++;
        return true;
}

static bool take_text(struct cursor *c, const char *wanted)
{
        size_t n = strlen(wanted);

        if ((size_t)(c->end - c->p) < n || memcmp(c->p, wanted, n) != 0)
                return false;
        c->p += n;
        return true;
}

static void skip_spaces(struct cursor *c)
{
        while (c->p < c->end && *c->p == ' ')
                c->p++;
}

/* The word up to the next space. */
static struct cursor take_word(struct cursor *c)
{
        struct cursor w = { c->p, c->p };

        while (c->p < c->end && *c->p != ' ')
                c->p++;
        w.end = c->p;
        return w;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Copies with \xNN undone; what is no printable character becomes a space. Trailing spaces are cut. */
static void copy_text(char *buf, size_t size, const char *p, const char *end)
{
        size_t n = 0;

        while (p < end && n + 1 < size) {
                unsigned char ch = (unsigned char)*p++;

                if (ch == '\\' && end - p >= 3 && p[0] == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
                        ch = (unsigned char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
                        p += 3;
                }
                buf[n++] = ch < ' ' || ch == 127 ? ' ' : (char)ch;
        }
        while (n > 0 && buf[n - 1] == ' ')
                n--;
        buf[n] = '\0';
}

static const char *line_end(const struct cursor *c)
{
        const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));

        return nl ? nl : c->end;
}

static void init_record(struct kmsg_record *r)
{
        r->priority = PRIORITY_UNKNOWN;
        r->facility = FACILITY_UNKNOWN;
        r->seq = 0;
        r->time_us = -1;
        r->continued = false;
        r->subsystem[0] = r->device[0] = r->text[0] = '\0';
}

static void take_dictionary(struct cursor *c, struct kmsg_record *r)
{
        while (c->p < c->end) {
                const char *end = line_end(c);

                if (take_text(c, " SUBSYSTEM="))
                        copy_text(r->subsystem, sizeof(r->subsystem), c->p, end);
                else if (take_text(c, " DEVICE="))
                        copy_text(r->device, sizeof(r->device), c->p, end);
                c->p = end < c->end ? end + 1 : end;
        }
}

int kmsg_parse_record(const char *buf, size_t len, struct kmsg_record *ret)
{
        struct cursor c = { buf, buf + MIN(len, (size_t)KMSG_RECORD_MAX) };
        struct kmsg_record r;
        uint64_t priority, usec;

        init_record(&r);
        if (!take_u64(&c, &priority) || priority > 8 * 255 || !take_char(&c, ',') || !take_u64(&c, &r.seq) ||
            !take_char(&c, ',') || !take_u64(&c, &usec) || usec > INT64_MAX)
                return -EBADMSG;
        r.priority = (unsigned)priority & 7;
        r.facility = (unsigned)priority >> 3;
        r.time_us = (int64_t)usec;
        if (take_char(&c, ',')) {
                r.continued = c.p < c.end && *c.p == 'c';
                /* Flags, and whatever later kernels add before the ";" (caller=T1). */
                while (c.p < c.end && *c.p != ';' && *c.p != '\n')
                        c.p++;
        }
        if (!take_char(&c, ';'))
                return -EBADMSG;

        const char *end = line_end(&c);

        copy_text(r.text, sizeof(r.text), c.p, end);
        c.p = end < c.end ? end + 1 : end;
        take_dictionary(&c, &r);
        *ret = r;
        return 0;
}

/* --- saved logs -------------------------------------------------------------------------------- */

static const char *const priority_names[] = { "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug" };

/* "kern  :err   : " of dmesg -x. */
static bool take_dmesg_x(struct cursor *c, struct kmsg_record *r)
{
        struct cursor at = *c, facility, priority;

        facility.p = at.p;
        while (at.p < at.end && *at.p >= 'a' && *at.p <= 'z')
                at.p++;
        facility.end = at.p;
        skip_spaces(&at);
        if (facility.p == facility.end || !take_char(&at, ':'))
                return false;
        priority.p = at.p;
        while (at.p < at.end && *at.p >= 'a' && *at.p <= 'z')
                at.p++;
        priority.end = at.p;
        skip_spaces(&at);
        if (!take_char(&at, ':'))
                return false;
        for (unsigned i = 0; i < ARRAY_LEN(priority_names); i++)
                if ((size_t)(priority.end - priority.p) == strlen(priority_names[i]) &&
                    memcmp(priority.p, priority_names[i], strlen(priority_names[i])) == 0) {
                        bool kern = facility.end - facility.p == 4 && memcmp(facility.p, "kern", 4) == 0;

                        r->priority = i;
                        r->facility = kern ? 0 : 1;
                        skip_spaces(&at);
                        *c = at;
                        return true;
                }
        return false;
}

/* "<3>" of dmesg -r and of serial consoles. */
static void take_raw_priority(struct cursor *c, struct kmsg_record *r)
{
        struct cursor at = *c;
        uint64_t v;

        if (take_char(&at, '<') && take_u64(&at, &v) && take_char(&at, '>') && v <= 8 * 255) {
                r->priority = (unsigned)v & 7;
                r->facility = (unsigned)v >> 3;
                *c = at;
        }
}

/* "[   58.308035] ", "[58.308035][ T123] ", or "[Mon Jan 27 19:27:15 2020] ". */
static bool take_stamp(struct cursor *c, struct kmsg_record *r)
{
        struct cursor at = *c;
        uint64_t s, us;

        if (!take_char(&at, '['))
                return false;
        skip_spaces(&at);
        if (take_u64(&at, &s) && take_char(&at, '.') && take_u64(&at, &us) && s < INT64_MAX / USEC_PER_SEC - 1 && us < 1000000) {
                r->time_us = (int64_t)(s * 1000000 + us);
        } else {
                const char *close;

                if (at.p >= at.end || !isalpha((unsigned char)*at.p))
                        return false;
                close = memchr(at.p, ']', (size_t)MIN(at.end - at.p, 40));
                /* A date, not "[sda] Attached SCSI disk". */
                if (!close || close - at.p < 20 || !memchr(at.p, ':', (size_t)(close - at.p)))
                        return false;
                at.p = close;
        }
        if (!take_char(&at, ']'))
                return false;
        skip_spaces(&at);
        /* The caller, where the kernel was built to print it. */
        if (at.end - at.p > 3 && at.p[0] == '[' && (at.p[1] == ' ' || at.p[1] == 'T' || at.p[1] == 'C')) {
                struct cursor caller = { at.p + 1, at.end };
                uint64_t id;

                skip_spaces(&caller);
                if ((take_char(&caller, 'T') || take_char(&caller, 'C')) && take_u64(&caller, &id) && take_char(&caller, ']')) {
                        at = caller;
                        skip_spaces(&at);
                }
        }
        *c = at;
        return true;
}

/* "19:27:15", with or without a fraction. */
static bool is_clock(struct cursor w)
{
        return w.end - w.p >= 8 && isdigit((unsigned char)w.p[0]) && isdigit((unsigned char)w.p[1]) && w.p[2] == ':' &&
               isdigit((unsigned char)w.p[3]) && isdigit((unsigned char)w.p[4]) && w.p[5] == ':' &&
               isdigit((unsigned char)w.p[6]) && isdigit((unsigned char)w.p[7]);
}

static bool is_month(struct cursor w)
{
        static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
        char name[4];

        if (w.end - w.p != 3)
                return false;
        memcpy(name, w.p, 3);
        name[3] = '\0';
        return name[0] != ' ' && strstr(months, name);
}

/* "2024-01-29T16:41:37.123456+01:00" */
static bool is_iso(struct cursor w)
{
        return w.end - w.p >= 19 && isdigit((unsigned char)w.p[0]) && w.p[4] == '-' && w.p[7] == '-' && w.p[10] == 'T' &&
               is_clock((struct cursor){ w.p + 11, w.end });
}

/* "Jan 29 16:41:37 host kernel: " and what comes before it in collected logs ("- 1131566461 2005.11.09 dn228 "): the words
 * up to the time are passed over. 0: the kernel's, after the header; -ENOMSG: another program's; -EBADMSG. */
static int take_syslog(struct cursor *c)
{
        struct cursor at = *c, tag;
        bool found = false;
        int words = 0;

        while (!found && words++ < 8 && at.p < at.end) {
                struct cursor w = take_word(&at);

                skip_spaces(&at);
                if (is_iso(w)) {
                        found = true;
                } else if (is_month(w)) {
                        struct cursor day = take_word(&at);

                        skip_spaces(&at);
                        found = day.end - day.p <= 2 && day.p < day.end && isdigit((unsigned char)*day.p) && is_clock(take_word(&at));
                        skip_spaces(&at);
                }
        }
        if (!found)
                return -EBADMSG;
        take_word(&at); /* host */
        skip_spaces(&at);
        tag = take_word(&at);
        if (tag.end - tag.p != 7 || memcmp(tag.p, "kernel:", 7) != 0)
                return -ENOMSG;
        if (at.p < at.end)
                at.p++; /* one space; more are the kernel's own */
        *c = at;
        return 0;
}

int kmsg_parse_log_line(const char *line, size_t len, struct kmsg_record *ret)
{
        struct cursor c = { line, line + MIN(len, (size_t)KMSG_RECORD_MAX) };
        struct kmsg_record r;
        int q;

        init_record(&r);
        c.end = line_end(&c);
        take_raw_priority(&c, &r);
        if (c.p < c.end && *c.p != '[')
                take_dmesg_x(&c, &r);
        if (!take_stamp(&c, &r)) {
                q = take_syslog(&c);
                if (q < 0)
                        return q;
                take_raw_priority(&c, &r);
                take_stamp(&c, &r);
        }
        copy_text(r.text, sizeof(r.text), c.p, c.end);
        *ret = r;
        return r.facility == 0 ? 0 : -ENOMSG;
}
