/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Kernel messages: the whole input as one record of /dev/kmsg, and its lines as those of a saved log. */

#include "kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct kmsg_record *r)
{
        struct kmsg_event e;

        for (const char *p = r->text; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 127)
                        abort();
        if (!kmsg_classify(r, &e))
                return;
        if (e.kind <= KMSG_NONE || e.kind >= KMSG_MAX || r->facility != 0 || strlen(e.device) >= sizeof(e.device) ||
            strlen(e.member) >= sizeof(e.member) || e.sector < -1)
                abort();
        kmsg_is_on_path(&e, "sda", "../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:1/2:0:1:0/block/sda");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct kmsg_record r;
        const char *p = (const char *)data, *end = p + size;

        if (kmsg_parse_record(p, size, &r) == 0)
                look(&r);
        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t)(end - p));
                size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

                if (kmsg_parse_log_line(p, len, &r) == 0)
                        look(&r);
                p += len + (nl ? 1 : 0);
        }
        return 0;
}
