/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The sink journal: one entry a message, with fields to select by. */

#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "alert.h"
#include "notify.h"

#define MESSAGE_ID "cd5d9e4c4b7b4c0ea4e4f40b2f1f9f7e"
#define FIELDS_MAX 32

struct fields {
        struct iovec v[FIELDS_MAX];
        int n;
};

static void add(struct fields *f, const char *name, const char *value)
{
        char *text;

        if (!*value || f->n == FIELDS_MAX)
                return;
        if (asprintf(&text, "%s=%s", name, value) < 0)
                abort();
        f->v[f->n++] = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

/* syslog's scale. */
static const char *priority(const char *level)
{
        return streq(level, "critical") ? "2" : streq(level, "unknown") || streq(level, "warning") ? "4" : "5";
}

int notify_journal(struct notify *n, struct errinfo *err)
{
        const json_t *item = json_array_get(json_object_get(n->message, "items"), 0);
        struct fields f = { 0 };
        char attempt[16];
        int r;

        snprintf(attempt, sizeof(attempt), "%d", n->attempt);
        add(&f, "MESSAGE", notify_text(n->message, "subject"));
        add(&f, "MESSAGE_ID", MESSAGE_ID);
        add(&f, "PRIORITY", priority(notify_text(n->message, "level")));
        add(&f, "SYSLOG_IDENTIFIER", "veille");
        add(&f, "VEILLE_ALERT_ID", notify_text(n->message, "id"));
        add(&f, "VEILLE_ATTEMPT", attempt);
        add(&f, "VEILLE_CONTACT", notify_text(n->message, "contact"));
        add(&f, "VEILLE_HOST", notify_text(n->message, "host"));
        add(&f, "VEILLE_COMPONENT", notify_text(n->message, "component"));
        add(&f, "VEILLE_LEVEL", notify_text(n->message, "level"));
        add(&f, "VEILLE_WHAT", notify_text(n->message, "what"));
        add(&f, "VEILLE_RULE", notify_text(item, "rule"));
        add(&f, "VEILLE_BODY", notify_text(n->message, "body"));
        r = sd_journal_sendv(f.v, f.n);
        for (int i = 0; i < f.n; i++)
                free(f.v[i].iov_base);
        if (r < 0)
                return err_set(err, r, "the journal: %s", strerror(-r));
        /* libsystemd says 0 when nobody listens. */
        if (access("/run/systemd/journal/socket", F_OK) < 0)
                return err_set(err, neg_errno(), "/run/systemd/journal/socket: %s", strerror(errno));
        snprintf(n->text, sizeof(n->text), "journal");
        return 0;
}
