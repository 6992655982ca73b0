/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_NOTIFY_MX_H
#define VEILLE_NOTIFY_MX_H

/* Mail servers of a domain, straight from its MX records: with "relay = mx" no other host is needed to tell people. */

#include "errinfo.h"

#define MX_HOSTS_MAX 4 /* so many servers of a domain are tried */

struct mx_host {
        unsigned preference; /* less is better */
        char name[256];
};

/* The servers of domain, best first; how many (at least 1: a domain without MX is its own, RFC 5321 5.1). -ENOENT: there is no such domain;
 * -EADDRNOTAVAIL: it takes no mail (RFC 7505); -EAGAIN: no name server answered within some seconds; each with a sentence. */
int mx_look_up(const char *domain, struct mx_host *ret, size_t max, struct errinfo *err);

/* Pure: the MX records of a DNS answer (RFC 1035), best first; how many; 0: none; -EADDRNOTAVAIL: "."; -EBADMSG. */
int mx_parse(const unsigned char *answer, size_t len, struct mx_host *ret, size_t max);
/* Letters, digits, dashes, dots, underscores: fit for a URL and a command of SMTP. */
bool mx_name_ok(const char *s);

#endif
