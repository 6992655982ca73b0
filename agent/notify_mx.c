/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Which servers take mail for a domain (RFC 5321, 5.1; RFC 7505). Called by the sender's own process: what hangs here hangs there, and the
 * alarm of veille-notify ends it. An answer comes from outside: it is parsed by glibc, bounded, and a name that is none is dropped. */

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#undef MIN /* of sys/param.h */
#undef MAX

#include "notify_mx.h"

#define ANSWER_MAX 4096
#define SECONDS 3 /* for one answer of a name server */
#define TRIES 2

bool mx_name_ok(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n > 253 || *s == '.' || *s == '-')
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '.' || *s == '-' || *s == '_'))
                        return false;
        return true;
}

/* By preference; what is equally good stays in the order of the answer, which name servers shuffle. */
static size_t insert(struct mx_host *list, size_t n, size_t max, const struct mx_host *host)
{
        size_t at = n;

        while (at > 0 && list[at - 1].preference > host->preference)
                at--;
        if (at >= max)
                return n;
        n = MIN(n + 1, max);
        memmove(&list[at + 1], &list[at], (n - at - 1) * sizeof(*list));
        list[at] = *host;
        return n;
}

int mx_parse(const unsigned char *answer, size_t len, struct mx_host *ret, size_t max)
{
        size_t n = 0;
        ns_msg msg;

        if (len > INT32_MAX || ns_initparse(answer, (int)len, &msg) < 0)
                return -EBADMSG;
        for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
                struct mx_host host;
                ns_rr rr;

                if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
                        return -EBADMSG;
                if (ns_rr_type(rr) != ns_t_mx || ns_rr_class(rr) != ns_c_in || ns_rr_rdlen(rr) < 3)
                        continue;
                host.preference = (unsigned)ns_rr_rdata(rr)[0] << 8 | ns_rr_rdata(rr)[1];
                if (ns_name_uncompress(ns_msg_base(msg), ns_msg_end(msg), ns_rr_rdata(rr) + 2, host.name, sizeof(host.name)) < 0)
                        return -EBADMSG;
                if (streq(host.name, ".") || !*host.name)
                        return -EADDRNOTAVAIL; /* RFC 7505: this domain takes no mail */
                if (mx_name_ok(host.name))
                        n = insert(ret, n, max, &host);
        }
        return (int)n;
}

/* Without an MX the domain itself takes its mail (RFC 5321, 5.1). */
static int itself(const char *domain, struct mx_host *ret)
{
        ret->preference = 0;
        snprintf(ret->name, sizeof(ret->name), "%s", domain);
        return 1;
}

int mx_look_up(const char *domain, struct mx_host *ret, size_t max, struct errinfo *err)
{
        unsigned char answer[ANSWER_MAX];
        struct __res_state state = { 0 };
        int len, r, why;

        if (!mx_name_ok(domain))
                return err_set(err, -EINVAL, "%s is no name of a domain", domain);
        if (res_ninit(&state) < 0)
                return err_set(err, -EIO, "%s: /etc/resolv.conf cannot be used", domain);
        state.retrans = SECONDS;
        state.retry = TRIES;
        len = res_nquery(&state, domain, ns_c_in, ns_t_mx, answer, sizeof(answer));
        why = state.res_h_errno;
        res_nclose(&state);
        if (len < 0 && why == NO_DATA)
                return itself(domain, ret);
        if (len < 0)
                return err_set(err, why == HOST_NOT_FOUND ? -ENOENT : -EAGAIN, "MX of %s: %s", domain, hstrerror(why));
        r = mx_parse(answer, MIN((size_t)len, sizeof(answer)), ret, max);
        if (r == -EADDRNOTAVAIL)
                return err_set(err, r, "%s takes no mail (its MX is \".\")", domain);
        if (r < 0)
                return err_set(err, r, "MX of %s: an answer that makes no sense", domain);
        return r > 0 ? r : itself(domain, ret);
}
