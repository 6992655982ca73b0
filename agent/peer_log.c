/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* To the journal by standard error. What other hosts said may be quoted. */

#include <stdarg.h>
#include <systemd/sd-daemon.h>

#include "clean_text.h"
#include "peer.h"

void peer_log(int priority, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        clean_text(text);
        fprintf(stderr, "%sveille-peer: %s\n", priority == PEER_ERROR ? SD_ERR : priority == PEER_WARNING ? SD_WARNING : priority == PEER_NOTICE ? SD_NOTICE : SD_INFO,
                text);
}
