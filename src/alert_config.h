/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ALERT_CONFIG_H
#define VEILLE_ALERT_CONFIG_H

/* [alert], [contact NAME] and [sink NAME] of the configuration: who is told, and by which ways. Pure: no file is opened. */

#include "alert.h"
#include "alert_advice.h"
#include "config.h"

#define ALERT_SINKS_MAX 32
#define ALERT_CONTACT_SINKS_MAX 8

enum sink_type {
        SINK_MAIL,
        SINK_WEBHOOK,
        SINK_ALERTMANAGER, /* is fed with all alerts as they are; no contact names it */
        SINK_JOURNAL,
        SINK_EXEC,
        SINK_TYPE_MAX,
};
const char *sink_type_name(enum sink_type type);

/* Neither a type: a drop-in took it back, or a contact without sinks. */
bool sink_config_is_off(const struct config *c, const char *name);
bool contact_config_is_off(const struct config *c, const char *name);

/* What veille-notify is told of a sink (docs/protocols.md): an object owned by the caller. Secrets are not in it, only the
 * paths of their files. NULL and a sentence when the section makes no sense. */
json_t *sink_config_json(const struct config *c, const char *name, enum sink_type *ret_type, struct errinfo *err);

/* The host and port that a URL of a sink leads to; false: it is a numeric address or this host, there is nothing to look up. */
bool sink_url_host(const char *url, char *host, size_t size, int *ret_port);

/* A URL for eyes: scheme, host and port; "/..." for the rest and "...@" for a log-in, which may be secret. */
void sink_url_shown(const char *url, char *buf, size_t size);

struct contact_config {
        struct alert_contact contact;
        enum alert_language language;
        char sinks[ALERT_CONTACT_SINKS_MAX][ALERT_NAME_MAX + 1];
        size_t n_sinks;
};

struct alert_config {
        struct contact_config contacts[ALERT_CONTACTS_MAX];
        size_t n_contacts;
        int64_t escalate_us;
};

/* -EINVAL and a sentence for the first mistake of any of the sections. ret may be NULL. */
int alert_config_read(const struct config *c, struct alert_config *ret, struct errinfo *err);

/* A sentence about what works but will not help in the worst hour; "": nothing to say. host: the names of this host, NULL-terminated. */
void alert_config_advice(const struct config *c, const char *const *hosts, char *buf, size_t size);

#endif
