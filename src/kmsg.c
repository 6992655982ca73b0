/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Finds the event in a kernel message by the patterns of kmsg_table.c. Most lines are of no interest and are
 * put away by their first character; no pattern takes more than a walk over the line. */

#include <ctype.h>

#include "kmsg_private.h"

struct match {
        const char *start, *p;   /* the text and the place in it */
        struct kmsg_event *event;
        uint64_t status;
        bool has_status;
};

static bool is_name_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '!';
}

static bool keep(char *buf, size_t size, const char *from, const char *to)
{
        size_t n = (size_t)(to - from);

        if (n == 0 || n >= size)
                return false;
        memcpy(buf, from, n);
        buf[n] = '\0';
        return true;
}

static bool match_number(const char **p, int base, uint64_t *ret)
{
        const char *start = *p;
        uint64_t v = 0;

        if (base == 16 && start[0] == '0' && start[1] == 'x')
                start = *p += 2;
        for (;; (*p)++) {
                unsigned char c = (unsigned char)**p;
                unsigned digit = 99;

                if (isdigit(c))
                        digit = c - '0';
                else if (base == 16 && isxdigit(c))
                        digit = (unsigned)tolower(c) - 'a' + 10;
                if (digit == 99)
                        break;
                v = v > (UINT64_MAX - digit) / (unsigned)base ? UINT64_MAX : v * (unsigned)base + digit;
        }
        *ret = v;
        return *p > start;
}

/* "ata3" or "ata3.00": the port is the device, the rest the unit on it. */
static bool match_ata(struct match *m)
{
        const char *p = m->p, *port_end;
        uint64_t n;

        if (strncmp(p, "ata", 3) != 0)
                return false;
        p += 3;
        if (!match_number(&p, 10, &n))
                return false;
        port_end = p;
        if (*p == '.') {
                p++;
                if (!match_number(&p, 10, &n) || n > 99)
                        return false;
                m->event->unit = (int)n;
        }
        if (!keep(m->event->device, sizeof(m->event->device), m->p, port_end))
                return false;
        m->p = p;
        return true;
}

/* "0000:01:00.0" */
static bool match_pci(struct match *m)
{
        static const char separators[] = "::.";
        const char *p = m->p;
        uint64_t n;

        for (int i = 0; i < 4; i++) {
                const char *start = p;

                while (isxdigit((unsigned char)*p))
                        p++;
                if (p == start || p - start > 8 || (i < 3 && *p != separators[i]))
                        return false;
                if (i < 3)
                        p++;
        }
        n = (uint64_t)(p - m->p);
        if (n >= sizeof(m->event->device) || !keep(m->event->device, sizeof(m->event->device), m->p, p))
                return false;
        m->p = p;
        return true;
}

static bool match_name(struct match *m, char *buf, size_t size, const char *also)
{
        const char *p = m->p;

        while (is_name_char(*p) || (*p && strchr(also, *p)))
                p++;
        /* Punctuation of the sentence is no part of the name. */
        while (p > m->p && !isalnum((unsigned char)p[-1]))
                p--;
        if (!isalnum((unsigned char)*m->p) || !keep(buf, size, m->p, p))
                return false;
        m->p = p;
        return true;
}

static bool match_nvme(struct match *m)
{
        const char *start = m->p;
        uint64_t n;

        if (strncmp(m->p, "nvme", 4) != 0)
                return false;
        m->p += 4;
        return match_number(&m->p, 10, &n) && keep(m->event->device, sizeof(m->event->device), start, m->p);
}

static bool match_token(struct match *m, char token)
{
        struct kmsg_event *e = m->event;
        uint64_t n;

        switch (token) {
        case 'a':
                return match_ata(m);
        case 'v':
                return match_nvme(m);
        case 'p':
                return match_pci(m);
        case 'd':
                return isalpha((unsigned char)*m->p) && match_name(m, e->device, sizeof(e->device), "");
        case 'i':
                return match_name(m, e->device, sizeof(e->device), ".@");
        case 'e':
                return match_name(m, e->member, sizeof(e->member), ":");
        case 'm':
                if (!match_number(&m->p, 10, &n) || n > 9999)
                        return false;
                snprintf(e->device, sizeof(e->device), "mc%u", (unsigned)n);
                return true;
        case 'n':
                return match_number(&m->p, 10, &n);
        case 'h':
                return match_number(&m->p, 16, &n);
        case 'N':
                if (!match_number(&m->p, 10, &n))
                        return false;
                e->count = (unsigned)MIN(n, 1000000U);
                return true;
        case 'S':
                if (!match_number(&m->p, 10, &n))
                        return false;
                e->sector = n > INT64_MAX ? -1 : (int64_t)n;
                return true;
        case 'u':
                m->has_status = true;
                return match_number(&m->p, 16, &m->status);
        }
        assert(!"a token that does not exist");
        return false;
}

/* "%w" goes up to the space, or to the literal that follows it directly ("mpt%w: log_info", "Correct%w error"). */
static bool match_word(struct match *m, const char *literal)
{
        const char *start = m->p;
        bool open = !*literal || *literal == ' ' || *literal == '*' || *literal == '%';
        bool two = !open && literal[1] && literal[1] != '*' && literal[1] != '%';

        while (*m->p && *m->p != ' ') {
                if (!open && m->p > start && *m->p == literal[0] && (!two || m->p[1] == literal[1]))
                        return true;
                m->p++;
        }
        return open && m->p > start;
}

static bool is_lazy(const char *pattern)
{
        return *pattern == '*' || (pattern[0] == '%' && (pattern[1] == 'c' || pattern[1] == 'l'));
}

/* Matches the pattern up to the next lazy run or its end; returns the rest of the pattern, NULL: no match. */
static const char *match_segment(struct match *m, const char *pattern)
{
        while (*pattern && !is_lazy(pattern)) {
                if (*pattern == '%') {
                        bool ok = pattern[1] == 'w' ? match_word(m, pattern + 2) : match_token(m, pattern[1]);

                        if (!ok)
                                return NULL;
                        pattern += 2;
                } else if (*pattern == '$') {
                        return *m->p ? NULL : pattern + 1;
                } else if (*pattern == ' ') {
                        /* A space at the end of a pattern may also be the end of the line. */
                        if (*m->p != ' ' && !(!pattern[1] && !*m->p))
                                return NULL;
                        while (*m->p == ' ')
                                m->p++;
                        pattern++;
                } else if (*m->p++ != *pattern++) {
                        return NULL;
                }
        }
        return pattern;
}

static void keep_lazy(struct kmsg_event *e, char token, const char *from, const char *to)
{
        char *buf = token == 'c' ? e->device : e->member;
        size_t size = token == 'c' ? sizeof(e->device) : sizeof(e->member);
        size_t n = MIN((size_t)(to - from), size - 1);

        memcpy(buf, from, n);
        buf[n] = '\0';
}

static bool match_row(struct match *m, const char *text, const char *pattern)
{
        m->start = m->p = text;
        m->has_status = false;
        pattern = match_segment(m, pattern);
        while (pattern && *pattern) {
                char token = *pattern == '*' ? '*' : pattern[1];
                const char *from = m->p, *to = from, *rest;

                pattern += token == '*' ? 1 : 2;
                while (!(m->p = to, rest = match_segment(m, pattern)) && *to)
                        to++;
                if (!rest)
                        return false;
                if (token != '*')
                        keep_lazy(m->event, token, from, to);
                pattern = rest;
        }
        return pattern != NULL;
}

static void reset_event(struct kmsg_event *e)
{
        e->device[0] = e->member[0] = '\0';
        e->unit = -1;
        e->count = 1;
        e->sector = -1;
}

static const struct kmsg_row *find_row(struct match *m, const struct kmsg_row *rows, size_t n, const char *text)
{
        for (size_t i = 0; i < n; i++) {
                const char *pattern = rows[i].pattern;

                if (*pattern != '%' && *pattern != *text)
                        continue;
                if (match_row(m, text, pattern))
                        return &rows[i];
                reset_event(m->event);
        }
        return NULL;
}

/* "sd 2:0:0:0: [sda] tag#5 ": kept as device "sda", or "2:0:0:0" where no name is said. Returns what follows, or NULL. */
static const char *after_scsi_prefix(const char *text, char *device, size_t size)
{
        static const char *const drivers[] = { "sd ", "scsi ", "sr ", "st ", "ses ", "ch ", "sg " };
        const char *p = NULL, *address;
        uint64_t n;

        for (size_t i = 0; i < ARRAY_LEN(drivers) && !p; i++)
                if (str_starts(text, drivers[i]))
                        p = text + strlen(drivers[i]);
        if (!p)
                return NULL;
        address = p;
        for (int i = 0; i < 4; i++)
                if (!match_number(&p, 10, &n) || *p++ != ':')
                        return NULL;
        if (!keep(device, size, address, p - 1) || *p++ != ' ')
                return NULL;
        if (*p == '[') {
                const char *close = strchr(p, ']');

                if (!close || close[1] != ' ' || !keep(device, size, p + 1, close))
                        return NULL;
                p = close + 2;
        }
        if (str_starts(p, "tag#")) {
                p += 4;
                if (!match_number(&p, 10, &n) || *p++ != ' ')
                        return NULL;
        }
        return p;
}

static const char *after_noise(const char *text)
{
        static const char *const prefixes[] = { "blk_update_request: ", "print_req_error: ", "end_request: " };

        while (*text == ' ')
                text++;
        for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
                if (str_starts(text, prefixes[i]))
                        return text + strlen(prefixes[i]);
        return text;
}

/* Floppies, optical drives and tapes: an empty one reports errors to whoever looks. */
static bool is_removable(const char *device)
{
        static const char *const names[] = { "fd", "sr", "st", "nst", "scd" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (str_starts(device, names[i]) && isdigit((unsigned char)device[strlen(names[i])]))
                        return true;
        return false;
}

/* What the pattern alone cannot say. */
static void refine(struct kmsg_event *e, const struct match *m, const struct kmsg_record *r)
{
        /* Bit 61 of a machine check's status: not corrected. */
        if (m->has_status && m->status >> 61 & 1) {
                e->kind = KMSG_MCE_UNCORRECTED;
                e->detail = false;
        }
        /* An exception of the port and not of a device on it: the link. */
        if (e->kind == KMSG_ATA_ERROR && !e->detail && e->unit < 0)
                e->kind = KMSG_ATA_LINK;
        /* A journal is named after its device: "sda1-8". */
        if (kmsg_kind_info(e->kind)->part == KMSG_PART_FILESYSTEM || e->kind == KMSG_LOST_WRITE) {
                char *dash = strrchr(e->device, '-');

                if (dash && isdigit((unsigned char)dash[1]) && !str_starts(e->device, "dm-"))
                        *dash = '\0';
                else if (dash && strchr(e->device, '-') != dash)
                        *dash = '\0'; /* "dm-0-8" */
        }
        if (!e->device[0] && r->device[0] == '+') {
                const char *colon = strchr(r->device, ':');

                if (colon)
                        snprintf(e->device, sizeof(e->device), "%s", colon + 1);
        }
}

bool kmsg_classify(const struct kmsg_record *r, struct kmsg_event *ret)
{
        struct kmsg_event e = { 0 };
        struct match m = { .event = &e };
        const struct kmsg_row *row;
        const char *text = after_noise(r->text), *scsi;
        char scsi_device[sizeof(e.device)] = "";

        if (r->facility != 0)
                return false;
        reset_event(&e);
        scsi = after_scsi_prefix(text, scsi_device, sizeof(scsi_device));
        row = scsi ? find_row(&m, kmsg_scsi_rows, kmsg_scsi_rows_len, scsi) : find_row(&m, kmsg_rows, kmsg_rows_len, text);
        if (!row)
                return false;
        if (scsi)
                strcpy(e.device, scsi_device);
        e.kind = row->kind;
        e.detail = row->detail;
        refine(&e, &m, r);
        if (is_removable(e.device) && kmsg_kind_info(e.kind)->part == KMSG_PART_DISK)
                return false;
        e.seq = r->seq;
        e.time_us = r->time_us;
        snprintf(e.text, sizeof(e.text), "%s", r->text);
        *ret = e;
        return true;
}

/* Whether the path has this very component: "ata1" is not in ".../ata12/...". */
static bool has_component(const char *path, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = path; (p = strstr(p, name)); p += n)
                if ((p == path || p[-1] == '/') && (p[n] == '/' || p[n] == '\0'))
                        return true;
        return false;
}

bool kmsg_is_on_path(const struct kmsg_event *event, const char *name, const char *path)
{
        const char *device = event->device;
        size_t n = strlen(device);

        if (!n)
                return false;
        if (streq(device, name))
                return true;
        /* A partition names its disk: "sda1", "nvme0n1p2". */
        size_t disk = strlen(name);

        if (n > disk && strncmp(device, name, disk) == 0) {
                const char *rest = device + disk;

                if (isdigit((unsigned char)name[disk - 1]) ? *rest == 'p' && isdigit((unsigned char)rest[1]) : isdigit((unsigned char)*rest))
                        return true;
        }
        /* With multipath an NVMe namespace lies beside its controllers: the number has to do. */
        if (str_starts(device, "nvme") && strncmp(name, device, n) == 0 && name[n] == 'n')
                return true;
        if (!has_component(path, device))
                return false;
        /* ataN.01 is the second disk on a port: the target behind a port multiplier or the slave of a PATA pair. */
        if (event->unit > 0 && str_starts(device, "ata")) {
                const char *target = strstr(path, "/target");
                unsigned host, channel, id;

                return target && sscanf(target, "/target%u:%u:%u", &host, &channel, &id) == 3 &&
                       (channel == (unsigned)event->unit || id == (unsigned)event->unit);
        }
        return true;
}
