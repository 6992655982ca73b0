/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Who is told, and by which ways, checked. Called by veilled at a reload and by veillectl config check. */

#include "alert_config.h"

#define LIST_MAX 32

static const char *const type_names[SINK_TYPE_MAX] = {
        [SINK_MAIL] = "mail", [SINK_WEBHOOK] = "webhook", [SINK_ALERTMANAGER] = "alertmanager", [SINK_JOURNAL] = "journal", [SINK_EXEC] = "exec",
};

const char *sink_type_name(enum sink_type type)
{
        assert(type < SINK_TYPE_MAX);
        return type_names[type];
}

enum form { FORM_TEXT, FORM_ADDRESS, FORM_RELAY, FORM_URL, FORM_LIST, FORM_FILE };

#define OF(type) (1u << (type))

/* The keys of [sink NAME] that some types have and others have not. */
static const struct sink_key {
        const char *key;
        unsigned types, needed; /* bits of enum sink_type */
        enum form form;
        bool list;
} sink_keys[] = {
        { "to", OF(SINK_MAIL), OF(SINK_MAIL), FORM_ADDRESS, true },
        { "address", OF(SINK_EXEC), 0, FORM_TEXT, false },
        { "from", OF(SINK_MAIL), 0, FORM_ADDRESS, false },
        { "relay", OF(SINK_MAIL), OF(SINK_MAIL), FORM_RELAY, true },
        { "tls", OF(SINK_MAIL), 0, FORM_TEXT, false },
        { "user", OF(SINK_MAIL), 0, FORM_TEXT, false },
        { "password_file", OF(SINK_MAIL), 0, FORM_FILE, false },
        { "ca_file", OF(SINK_MAIL) | OF(SINK_WEBHOOK) | OF(SINK_ALERTMANAGER), 0, FORM_FILE, false },
        { "url", OF(SINK_WEBHOOK) | OF(SINK_ALERTMANAGER), OF(SINK_WEBHOOK) | OF(SINK_ALERTMANAGER), FORM_URL, true },
        { "template_file", OF(SINK_WEBHOOK), 0, FORM_FILE, false },
        { "secret_file", OF(SINK_WEBHOOK), 0, FORM_FILE, false },
        { "token_file", OF(SINK_WEBHOOK) | OF(SINK_ALERTMANAGER), 0, FORM_FILE, false },
        { "command", OF(SINK_EXEC), OF(SINK_EXEC), FORM_LIST, true },
};

bool sink_config_is_off(const struct config *c, const char *name)
{
        return !config_string(c, "sink", name, "type");
}

bool contact_config_is_off(const struct config *c, const char *name)
{
        const char *sinks = config_string(c, "contact", name, "sinks");

        return !sinks || !*sinks;
}

/* Small letters, digits and dashes: it becomes a name of files and fields. */
static bool name_ok(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n > 64 || *s == '-')
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-'))
                        return false;
        return true;
}

/* Of an address for SMTP: something at something, and nothing that would end a command or a header. */
static bool address_ok(const char *s)
{
        const char *at = strrchr(s, '@');

        if (!at || at == s || !at[1] || strlen(s) > 254)
                return false;
        for (; *s; s++)
                if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || strchr("<>()[]\\,;:\"", *s))
                        return false;
        return true;
}

static bool url_ok(const char *s, const char *scheme1, const char *scheme2)
{
        size_t n = str_starts(s, scheme1) ? strlen(scheme1) : str_starts(s, scheme2) ? strlen(scheme2) : 0;

        if (n == 0 || !s[n] || s[n] == '/' || s[n] == ':' || strlen(s) > 1000)
                return false;
        for (; *s; s++)
                if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
                        return false;
        return true;
}

void sink_url_shown(const char *url, char *buf, size_t size)
{
        const char *host = strstr(url, "://"), *at;
        size_t n;

        host = host ? host + 3 : url;
        n = strcspn(host, "/?#");
        at = memrchr(host, '@', n);
        snprintf(buf, size, "%.*s%s%.*s%s", (int)(host - url), url, at ? "...@" : "", (int)(at ? n - (size_t)(at + 1 - host) : n), at ? at + 1 : host,
                 host[n] && !streq(host + n, "/") ? "/..." : "");
}

static int value_ok(const struct config *c, const char *name, const struct sink_key *k, const char *value, struct errinfo *err)
{
        const char *origin = config_origin(c, "sink", name, k->key);
        char shown[300];

        if (k->form == FORM_ADDRESS && !address_ok(value))
                return err_set(err, -EINVAL, "[sink %s]: %s (%s): '%s' is no address like ann@example.org", name, k->key, origin, value);
        sink_url_shown(value, shown, sizeof(shown));
        if (k->form == FORM_RELAY && !streq(value, "mx") && !url_ok(value, "smtp://", "smtps://"))
                return err_set(err, -EINVAL, "[sink %s]: %s (%s): '%s' is no relay like smtp://mail.example.org:587, smtps://mail.example.org or mx",
                               name, k->key, origin, shown);
        if (k->form == FORM_URL && !url_ok(value, "https://", "http://"))
                return err_set(err, -EINVAL, "[sink %s]: %s (%s): '%s' is no URL like https://host/path", name, k->key, origin, shown);
        return 0;
}

/* Adds the key to doc. */
static int take_key(const struct config *c, const char *name, const struct sink_key *k, json_t *doc, struct errinfo *err)
{
        const char *text = config_string(c, "sink", name, k->key);
        char *words[LIST_MAX + 1];
        size_t n;
        json_t *list;
        int r = 0;

        if (!text || !*text)
                return 0;
        if (!k->list) {
                r = value_ok(c, name, k, text, err);
                return r < 0 ? r : json_object_set_new(doc, k->key, json_string(text)) < 0 ? -EINVAL : 0;
        }
        list = json_array();
        n = config_list(c, "sink", name, k->key, words, LIST_MAX + 1);
        if (n > LIST_MAX)
                r = err_set(err, -EINVAL, "[sink %s]: %s (%s) has more than %d words", name, k->key, config_origin(c, "sink", name, k->key), LIST_MAX);
        for (size_t i = 0; i < n; i++) {
                if (r == 0)
                        r = value_ok(c, name, k, words[i], err);
                json_array_append_new(list, json_string(words[i]));
                free(words[i]);
        }
        json_object_set_new(doc, k->key, list);
        return r;
}

static int take_keys(const struct config *c, const char *name, enum sink_type type, json_t *doc, struct errinfo *err)
{
        for (size_t i = 0; i < ARRAY_LEN(sink_keys); i++) {
                const struct sink_key *k = &sink_keys[i];
                const char *text = config_string(c, "sink", name, k->key);
                int r;

                /* Keys that would silently mean nothing. */
                if (!(k->types & OF(type)) && config_is_set(c, "sink", name, k->key) && text && *text)
                        return err_set(err, -EINVAL, "[sink %s]: %s (%s) means nothing for type = %s", name, k->key,
                                       config_origin(c, "sink", name, k->key), type_names[type]);
                if ((k->needed & OF(type)) && (!text || !*text))
                        return err_set(err, -EINVAL, "[sink %s]: type = %s needs %s =", name, type_names[type], k->key);
                r = k->types & OF(type) ? take_key(c, name, k, doc, err) : 0;
                if (r < 0)
                        return r;
        }
        if (type == SINK_MAIL && config_string(c, "sink", name, "user") && !config_string(c, "sink", name, "password_file"))
                return err_set(err, -EINVAL, "[sink %s]: user = without password_file =", name);
        if (type == SINK_MAIL && config_string(c, "sink", name, "user") && !streq(config_string(c, "sink", name, "tls"), "required"))
                return err_set(err, -EINVAL, "[sink %s]: a password is only sent with tls = required (%s)", name,
                               config_origin(c, "sink", name, "tls"));
        return 0;
}

json_t *sink_config_json(const struct config *c, const char *name, enum sink_type *ret_type, struct errinfo *err)
{
        const char *type_name = config_string(c, "sink", name, "type");
        enum sink_type type = SINK_TYPE_MAX;
        json_t *doc;

        for (int i = 0; i < SINK_TYPE_MAX; i++)
                if (type_name && streq(type_names[i], type_name))
                        type = (enum sink_type)i;
        if (!name_ok(name)) {
                err_set(err, -EINVAL, "[sink %s]: the name may have small letters, digits and dashes, 64 at most", name);
                return NULL;
        }
        if (type == SINK_TYPE_MAX) {
                err_set(err, -EINVAL, "[sink %s]: it has no type =", name);
                return NULL;
        }
        doc = json_pack("{ss ss sI}", "name", name, "type", type_name, "timeout", (json_int_t)config_int(c, "sink", name, "timeout"));
        if (take_keys(c, name, type, doc, err) < 0) {
                json_decref(doc);
                return NULL;
        }
        if (ret_type)
                *ret_type = type;
        return doc;
}

bool sink_url_host(const char *url, char *host, size_t size, int *ret_port)
{
        static const struct {
                const char *scheme;
                int port;
        } schemes[] = { { "smtp://", 25 }, { "smtps://", 465 }, { "http://", 80 }, { "https://", 443 } };
        bool numeric = true;
        size_t n = 0;
        long port = 0;

        for (size_t i = 0; i < ARRAY_LEN(schemes) && !port; i++)
                if (str_starts(url, schemes[i].scheme)) {
                        url += strlen(schemes[i].scheme);
                        port = schemes[i].port;
                }
        if (!port || *url == '[')
                return false;
        n = strcspn(url, ":/?#@");
        if (n == 0 || n >= size || url[n] == '@')
                return false;
        memcpy(host, url, n);
        host[n] = '\0';
        for (const char *c = host; *c; c++)
                numeric &= (*c >= '0' && *c <= '9') || *c == '.';
        if (url[n] == ':')
                port = strtol(url + n + 1, NULL, 10);
        if (numeric || strcasecmp(host, "localhost") == 0 || port < 1 || port > 65535)
                return false;
        *ret_port = (int)port;
        return true;
}

/* --- contacts ---------------------------------------------------------------------------------------------- */

static int take_sinks(const struct config *c, const char *name, struct contact_config *ret, struct errinfo *err)
{
        char *words[ALERT_CONTACT_SINKS_MAX + 1];
        size_t n = config_list(c, "contact", name, "sinks", words, ALERT_CONTACT_SINKS_MAX + 1);
        int r = 0;

        if (n > ALERT_CONTACT_SINKS_MAX)
                r = err_set(err, -EINVAL, "[contact %s]: more than %d sinks (%s)", name, ALERT_CONTACT_SINKS_MAX, config_origin(c, "contact", name, "sinks"));
        for (size_t i = 0; i < n; i++) {
                const char *type = config_string(c, "sink", words[i], "type");

                if (r == 0 && !type)
                        r = err_set(err, -EINVAL, "[contact %s]: there is no [sink %s] with a type = (%s)", name, words[i],
                                    config_origin(c, "contact", name, "sinks"));
                else if (r == 0 && streq(type, type_names[SINK_ALERTMANAGER]))
                        r = err_set(err, -EINVAL, "[contact %s]: [sink %s] is an Alertmanager, which gets every alert by itself: leave it out (%s)", name,
                                    words[i], config_origin(c, "contact", name, "sinks"));
                if (r == 0)
                        snprintf(ret->sinks[ret->n_sinks++], sizeof(ret->sinks[0]), "%s", words[i]);
                free(words[i]);
        }
        return r;
}

static int take_components(const struct config *c, const char *name, struct alert_contact *ret, struct errinfo *err)
{
        char *words[LIST_MAX];
        size_t n = config_list(c, "contact", name, "components", words, LIST_MAX), len = 0;

        for (size_t i = 0; i < n; i++) {
                if (len < sizeof(ret->components))
                        len += (size_t)snprintf(ret->components + len, sizeof(ret->components) - len, "%s%s", i ? " " : "", words[i]);
                free(words[i]);
        }
        if (len >= sizeof(ret->components) || n == LIST_MAX)
                return err_set(err, -EINVAL, "[contact %s]: components is too long (%s)", name, config_origin(c, "contact", name, "components"));
        return 0;
}

static int take_contact(const struct config *c, const char *name, struct contact_config *ret, struct errinfo *err)
{
        int r;

        *ret = (struct contact_config){ .language = (enum alert_language)alert_language_from_name(config_string(c, "contact", name, "language")),
                                        .contact = { .level = (enum level)level_from_name(config_string(c, "contact", name, "level")),
                                                     .step = (int)config_int(c, "contact", name, "step") } };
        if (!name_ok(name))
                return err_set(err, -EINVAL, "[contact %s]: the name may have small letters, digits and dashes, 64 at most", name);
        snprintf(ret->contact.name, sizeof(ret->contact.name), "%s", name);
        r = take_sinks(c, name, ret, err);
        return r < 0 ? r : take_components(c, name, &ret->contact, err);
}

int alert_config_read(const struct config *c, struct alert_config *ret, struct errinfo *err)
{
        const char *const *names = config_section_names(c, "sink");
        _cleanup_free_ struct alert_config *a = calloc(1, sizeof(*a));
        size_t sinks = 0;

        if (!a)
                abort();
        for (size_t i = 0; names[i]; i++) {
                json_t *doc = sink_config_is_off(c, names[i]) ? NULL : sink_config_json(c, names[i], NULL, err);

                if (!doc && !sink_config_is_off(c, names[i]))
                        return -EINVAL;
                sinks += doc != NULL;
                json_decref(doc);
        }
        if (sinks > ALERT_SINKS_MAX)
                return err_set(err, -EINVAL, "there are more than %d [sink NAME]", ALERT_SINKS_MAX);
        names = config_section_names(c, "contact");
        for (size_t i = 0; names[i]; i++) {
                if (contact_config_is_off(c, names[i]))
                        continue;
                if (a->n_contacts == ALERT_CONTACTS_MAX)
                        return err_set(err, -EINVAL, "there are more than %d [contact NAME]", ALERT_CONTACTS_MAX);
                if (take_contact(c, names[i], &a->contacts[a->n_contacts++], err) < 0)
                        return -EINVAL;
        }
        a->escalate_us = config_int(c, "alert", NULL, "escalate_after") * USEC_PER_SEC;
        if (ret)
                *ret = *a;
        return 0;
}

/* --- what will not help ------------------------------------------------------------------------------------- */

static bool is_here(const char *url, const char *const *hosts)
{
        const char *host = strstr(url, "://");
        char name[256];
        size_t n;

        host = host ? host + 3 : url;
        n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
        snprintf(name, sizeof(name), "%.*s", (int)MIN(n, sizeof(name) - 1), host);
        if (str_starts(name, "127.") || streq(name, "[::1]") || strcasecmp(name, "localhost") == 0)
                return true;
        for (; *hosts; hosts++)
                if (strcasecmp(name, *hosts) == 0)
                        return true;
        return false;
}

/* relay = mx leads to the servers of the recipients; of a domain with the name of this host that is this host. */
static bool recipients_elsewhere(const struct config *c, const char *sink, const char *const *hosts)
{
        char *words[LIST_MAX];
        size_t n = config_list(c, "sink", sink, "to", words, LIST_MAX);
        bool elsewhere = false;

        for (size_t i = 0; i < n; i++) {
                const char *at = strrchr(words[i], '@');

                elsewhere |= at && !is_here(at + 1, hosts);
                free(words[i]);
        }
        return elsewhere;
}

/* Whether a message leaves the host by it although this host's own mail is dead. */
static bool leaves_the_host(const struct config *c, const char *sink, const char *const *hosts)
{
        const char *type = config_string(c, "sink", sink, "type"), *key = streq(type, type_names[SINK_MAIL]) ? "relay" : "url";
        char *words[LIST_MAX];
        bool leaves = false;
        size_t n;

        if (streq(type, type_names[SINK_JOURNAL]))
                return false;
        if (streq(type, type_names[SINK_EXEC]))
                return true; /* what a program does we cannot know */
        n = config_list(c, "sink", sink, key, words, LIST_MAX);
        for (size_t i = 0; i < n; i++) {
                leaves |= streq(words[i], "mx") ? recipients_elsewhere(c, sink, hosts) : !is_here(words[i], hosts);
                free(words[i]);
        }
        return leaves;
}

void alert_config_advice(const struct config *c, const char *const *hosts, char *buf, size_t size)
{
        const char *const *names = config_section_names(c, "sink");
        bool leaves = false, mail = false, managed = false;
        struct alert_config a = { 0 };

        *buf = '\0';
        if (alert_config_read(c, &a, NULL) < 0)
                return;
        for (size_t i = 0; names[i]; i++) {
                if (sink_config_is_off(c, names[i]))
                        continue;
                managed |= streq(config_string(c, "sink", names[i], "type"), type_names[SINK_ALERTMANAGER]);
                mail |= streq(config_string(c, "sink", names[i], "type"), type_names[SINK_MAIL]);
                leaves |= leaves_the_host(c, names[i], hosts);
        }
        if (a.n_contacts == 0 && !managed)
                snprintf(buf, size, "nobody is told: there is no [contact NAME] with sinks =, and no [sink NAME] of type alertmanager");
        else if (!leaves && mail)
                snprintf(buf, size, "the only way out is this host's own mail: when it is down, nobody is told; add a relay or another sink elsewhere");
        else if (!leaves)
                snprintf(buf, size, "no message leaves this host: add a sink elsewhere");
        for (size_t i = 0; i < a.n_contacts && !*buf; i++)
                for (size_t k = 0; k < a.contacts[i].n_sinks; k++) {
                        if (leaves_the_host(c, a.contacts[i].sinks[k], hosts))
                                break;
                        if (k + 1 == a.contacts[i].n_sinks)
                                snprintf(buf, size, "[contact %s]: its only way out is this host itself", a.contacts[i].contact.name);
                }
}
