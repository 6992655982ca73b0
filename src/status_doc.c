/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Checks and ages a status document. The file is our own, but it may be cut, old, of another version, or
 * written by somebody else; whoever shows it must never show it better than it is. So a document with one
 * damaged part is damaged: no level out of it is shown. */

#include "status_doc.h"

#include <math.h>

#include "clean_text.h"

#define COMPONENTS_MAX 8192
#define REASONS_MAX 4096
#define CHECKS_MAX 16384
#define NAME_MAX_LEN 255
#define TEXT_MAX_LEN 4096
#define PEERS_SHOWN_MAX 64
#define SECONDS_MAX 1e12 /* 30,000 years: more is rubbish */

enum field_type {
        FIELD_NAME,  /* string, not empty, NAME_MAX_LEN */
        FIELD_TEXT,  /* string */
        FIELD_LEVEL,
        FIELD_TIME,  /* number */
        FIELD_NUMBER,
        FIELD_AGE,   /* number of 0 or more, or null: never */
        FIELD_BOOL,
};

struct field {
        const char *key;
        enum field_type type;
        bool optional;
};

static const struct field doc_fields[] = {
        { "host", FIELD_NAME, false },
        { "health_why", FIELD_TEXT, true },
        { "time", FIELD_TIME, false },
        { "time_boot", FIELD_TIME, false },
        { "started", FIELD_TIME, true },
        { "silent_after_s", FIELD_AGE, true },
};

static const struct field component_fields[] = {
        { "component", FIELD_NAME, false }, { "kind", FIELD_TEXT, false }, { "level", FIELD_LEVEL, false },
        { "why", FIELD_TEXT, false },       { "since", FIELD_TIME, true }, { "age_s", FIELD_AGE, true },
        { "rule", FIELD_TEXT, true },       { "id", FIELD_TEXT, true },    { "protected", FIELD_BOOL, true },
};

static const struct field reason_fields[] = {
        { "rule", FIELD_TEXT, false },     { "level", FIELD_LEVEL, false },  { "text", FIELD_TEXT, false },
        { "check", FIELD_TEXT, true },     { "instance", FIELD_TEXT, true }, { "since", FIELD_TIME, true },
        { "age_s", FIELD_AGE, true },      { "clears", FIELD_TEXT, true },   { "source", FIELD_TEXT, true },
        { "evidence", FIELD_TEXT, true },
};

static const struct field accepted_fields[] = {
        { "rule", FIELD_NAME, false },      { "check", FIELD_NAME, false },  { "instance", FIELD_NAME, false },
        { "value", FIELD_NUMBER, false },   { "since", FIELD_TIME, false }, { "until", FIELD_TIME, true },
};

static const struct field check_fields[] = {
        { "check", FIELD_NAME, false },   { "instance", FIELD_NAME, false },  { "result", FIELD_NAME, false },
        { "component", FIELD_TEXT, true }, { "why", FIELD_TEXT, true },       { "age_s", FIELD_AGE, true },
        { "interval_s", FIELD_TIME, true }, { "max_age_s", FIELD_AGE, true }, { "next_s", FIELD_TIME, true },
        { "standby", FIELD_BOOL, true },
};

static const struct field selftest_fields[] = {
        { "component", FIELD_NAME, false }, { "test", FIELD_NAME, false }, { "state", FIELD_NAME, false }, { "why", FIELD_TEXT, true },
        { "started", FIELD_TIME, true },    { "passed", FIELD_TIME, true }, { "failed", FIELD_TIME, true }, { "early", FIELD_TIME, true },
        { "due", FIELD_TIME, true },        { "next", FIELD_TIME, true },
};

static const struct field peer_fields[] = {
        { "name", FIELD_NAME, false },   { "state", FIELD_NAME, false },   { "health", FIELD_NAME, false }, { "why", FIELD_TEXT, false },
        { "address", FIELD_TEXT, true }, { "age_s", FIELD_AGE, true },     { "since", FIELD_TIME, true },   { "host", FIELD_TEXT, true },
        { "health_why", FIELD_TEXT, true }, { "health_before", FIELD_TEXT, true },
};

static const struct field peer_worst_fields[] = {
        { "component", FIELD_TEXT, false }, { "level", FIELD_LEVEL, false }, { "why", FIELD_TEXT, false },
};

enum level status_level(const json_t *o)
{
        int l = level_from_name(status_text(o, "level"));

        return l < 0 ? LEVEL_UNKNOWN : (enum level)l;
}

const char *status_text(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

double status_number(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *status_selftest_last(const json_t *o, double *ret_when)
{
        static const char *const keys[] = { "passed", "failed", "early" };
        const char *last = "";

        *ret_when = NAN;
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (status_number(o, keys[i]) > 0 && !(status_number(o, keys[i]) <= *ret_when)) {
                        *ret_when = status_number(o, keys[i]);
                        last = keys[i];
                }
        return last;
}

void status_duration(double s, char *buf, size_t size)
{
        if (!(s >= 0))
                snprintf(buf, size, "-");
        else if (s < 120)
                snprintf(buf, size, "%.0f s", s);
        else if (s < 7200)
                snprintf(buf, size, "%.0f min", floor(s / 60));
        else if (s < 172800)
                snprintf(buf, size, "%.0f h", floor(s / 3600));
        else
                snprintf(buf, size, "%.0f days", floor(s / 86400));
}

static bool field_ok(const json_t *v, enum field_type type)
{
        switch (type) {
        case FIELD_NAME:
                return json_is_string(v) && json_string_length(v) >= 1 && json_string_length(v) <= NAME_MAX_LEN;
        case FIELD_TEXT:
                return json_is_string(v) && json_string_length(v) <= TEXT_MAX_LEN;
        case FIELD_LEVEL:
                return json_is_string(v) && level_from_name(json_string_value(v)) >= 0;
        case FIELD_TIME:
                return json_is_number(v) && fabs(json_number_value(v)) < SECONDS_MAX;
        case FIELD_NUMBER:
                return json_is_number(v);
        case FIELD_AGE:
                return json_is_null(v) || (json_is_number(v) && json_number_value(v) >= -1 && json_number_value(v) < SECONDS_MAX);
        case FIELD_BOOL:
                return json_is_boolean(v);
        }
        return false;
}

static int fields_check(const json_t *o, const struct field *fields, size_t n, const char *what, struct errinfo *err)
{
        if (!json_is_object(o))
                return err_set(err, -EINVAL, "%s is no object", what);
        for (size_t i = 0; i < n; i++) {
                const json_t *v = json_object_get(o, fields[i].key);

                if (!v && fields[i].optional)
                        continue;
                if (!v || !field_ok(v, fields[i].type))
                        return err_set(err, -EINVAL, "%s: \"%s\" is %s", what, fields[i].key, v ? "not what it should be" : "missing");
        }
        return 0;
}

/* list may be absent when optional; each element is an object with these fields. */
static int list_check(const json_t *list, const struct field *fields, size_t n, size_t max, const char *what, struct errinfo *err)
{
        const json_t *o;
        size_t i;
        int r;

        if (!json_is_array(list) || json_array_size(list) > max)
                return err_set(err, -EINVAL, "the list of %ss is %s", what, json_is_array(list) ? "too long" : "missing");
        json_array_foreach(list, i, o) {
                r = fields_check(o, fields, n, what, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool health_ok(const char *name)
{
        for (int h = 0; h < HEALTH_MAX; h++)
                if (streq(health_name((enum health)h), name))
                        return true;
        return false;
}

static int peers_check(const json_t *peers, struct errinfo *err)
{
        int r = list_check(peers, peer_fields, ARRAY_LEN(peer_fields), PEERS_SHOWN_MAX, "peer", err);
        const json_t *p;
        size_t i;

        if (r >= 0)
                json_array_foreach(peers, i, p) {
                        const json_t *worst = json_object_get(p, "worst");

                        if (worst && r >= 0)
                                r = list_check(worst, peer_worst_fields, ARRAY_LEN(peer_worst_fields), REASONS_MAX, "component of a peer", err);
                }
        return r;
}

static int doc_check(const json_t *doc, struct errinfo *err)
{
        const json_t *components = json_object_get(doc, "components"), *checks = json_object_get(doc, "checks");
        const json_t *selftests = json_object_get(doc, "selftests"), *peers = json_object_get(doc, "peers"), *c;
        size_t i;
        int r;

        r = fields_check(doc, doc_fields, ARRAY_LEN(doc_fields), "the document", err);
        if (r < 0)
                return r;
        if (status_number(doc, "version") != 1)
                return err_set(err, -EINVAL, "it is not of version 1");
        if (!health_ok(status_text(doc, "health")))
                return err_set(err, -EINVAL, "\"health\" is not green, yellow or red");
        r = list_check(components, component_fields, ARRAY_LEN(component_fields), COMPONENTS_MAX, "component", err);
        if (r < 0)
                return r;
        json_array_foreach(components, i, c) {
                const json_t *reasons = json_object_get(c, "reasons"), *accepted = json_object_get(c, "accepted");

                r = reasons ? list_check(reasons, reason_fields, ARRAY_LEN(reason_fields), REASONS_MAX, "reason", err) : 0;
                if (r >= 0 && accepted)
                        r = list_check(accepted, accepted_fields, ARRAY_LEN(accepted_fields), REASONS_MAX, "acceptance", err);
                if (r < 0)
                        return r;
        }
        r = checks ? list_check(checks, check_fields, ARRAY_LEN(check_fields), CHECKS_MAX, "check", err) : 0;
        if (r >= 0 && peers)
                r = peers_check(peers, err);
        if (r < 0 || !selftests)
                return r;
        return list_check(selftests, selftest_fields, ARRAY_LEN(selftest_fields), CHECKS_MAX, "self-test", err);
}

static void age_member(json_t *o, const char *key, double passed_s)
{
        double v = status_number(o, key);

        if (isfinite(v))
                json_object_set_new(o, key, json_integer((json_int_t)MAX(v + passed_s, 0)));
}

/* Ages go up by what has passed; times until something go down. */
static void add_ages(json_t *doc, double passed_s)
{
        json_t *o, *r;
        size_t i, j;

        json_array_foreach(json_object_get(doc, "components"), i, o) {
                age_member(o, "age_s", passed_s);
                json_array_foreach(json_object_get(o, "reasons"), j, r)
                        age_member(r, "age_s", passed_s);
        }
        json_array_foreach(json_object_get(doc, "checks"), i, o) {
                age_member(o, "age_s", passed_s);
                age_member(o, "next_s", -passed_s);
        }
        json_array_foreach(json_object_get(doc, "peers"), i, o)
                age_member(o, "age_s", passed_s);
}

/* What the brain said last is no longer known to be true, whatever it was. since becomes the time of its last word. */
static void make_unknown(json_t *doc, const char *silence, double last_word)
{
        json_t *c;
        size_t i;

        json_array_foreach(json_object_get(doc, "components"), i, c) {
                const char *before = status_text(c, "why");
                json_t *reason = json_pack("{ss ss ss ss ss ss sf}", "rule", "brain-silent", "level", "unknown", "text", silence,
                                           "clears", "veilled runs again; see: systemctl status veilled", "source", "",
                                           "evidence", "silence", "since", last_word);
                json_t *reasons = json_object_get(c, "reasons");
                json_t *why = json_sprintf("%s; before that: %s%s%s", silence, status_text(c, "level"), *before ? ": " : "", before);

                if (json_is_array(reasons))
                        json_array_insert_new(reasons, 0, reason);
                else
                        json_object_set_new(c, "reasons", json_pack("[o]", reason));
                json_object_set_new(c, "level_before", json_string(status_text(c, "level")));
                json_object_set_new(c, "level", json_string("unknown"));
                json_object_set_new(c, "why", why);
                json_object_set_new(c, "rule", json_string("brain-silent"));
                json_object_set_new(c, "since", json_real(last_word));
        }
        json_array_foreach(json_object_get(doc, "peers"), i, c) {
                json_object_set_new(c, "state", json_string("unknown"));
                json_object_set_new(c, "health", json_string("unknown"));
                json_object_set_new(c, "why", json_string(silence));
        }
        /* Not green, for nobody knows; not red, for nothing says that the hardware failed. */
        json_object_set_new(doc, "health", json_string("yellow"));
        json_object_set_new(doc, "health_why", json_string(silence));
}

int status_doc_parse(const char *text, size_t len, double now_boot, double silent_after_s, struct status_doc *ret,
                     struct errinfo *err)
{
        struct status_doc s = { .silent_s = NAN };
        json_error_t error;
        char age[32];
        double passed_s;
        int r;

        if (len > STATUS_DOC_MAX_BYTES)
                return err_set(err, -EINVAL, "it is larger than %d MB", STATUS_DOC_MAX_BYTES >> 20);
        if (len == 0)
                return err_set(err, -EINVAL, "it is empty");
        s.doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        if (!s.doc)
                return err_set(err, -EINVAL, "line %d: %s", error.line, error.text);
        r = doc_check(s.doc, err);
        if (r < 0) {
                json_decref(s.doc);
                return r;
        }
        if (!(silent_after_s > 0))
                silent_after_s = status_number(s.doc, "silent_after_s");
        if (!(silent_after_s > 0))
                silent_after_s = STATUS_SILENT_AFTER_S;
        clean_json(s.doc);
        s.time_boot = status_number(s.doc, "time_boot");
        passed_s = now_boot - s.time_boot;
        s.silent_s = MAX(passed_s, 0);
        if (passed_s < -1) {
                s.silent = true;
                snprintf(s.why, sizeof(s.why), "the last status was written before this boot: veilled has not run since");
        } else if (passed_s > silent_after_s) {
                s.silent = true;
                status_duration(passed_s, age, sizeof(age));
                snprintf(s.why, sizeof(s.why), "the brain (veilled) has been silent for %s", age);
        }
        add_ages(s.doc, s.silent_s);
        if (s.silent)
                make_unknown(s.doc, s.why, status_number(s.doc, "time"));
        json_object_set_new(s.doc, "silent", json_boolean(s.silent));
        *ret = s;
        return 0;
}

void status_doc_absent(const char *host, const char *why, double now_wall, struct status_doc *ret)
{
        struct status_doc s = { .silent = true, .silent_s = NAN, .time_boot = NAN };
        json_t *reason = json_pack("{ss ss ss ss ss ss sf}", "rule", "brain-silent", "level", "unknown", "text", why, "clears",
                                   "veilled runs again; see: systemctl status veilled", "source", "", "evidence", "silence",
                                   "since", now_wall);

        snprintf(s.why, sizeof(s.why), "%s", why);
        s.doc = json_pack("{si ss ss ss sf sb s[{ss ss ss ss sf sn ss s[o]}] s[]}", "version", 1, "host", host, "health", "yellow",
                          "health_why", why, "time", now_wall, "silent", 1, "components", "component", "veille", "kind", "agent",
                          "level", "unknown", "why", why, "since", now_wall, "age_s", "rule", "brain-silent", "reasons", reason,
                          "checks");
        if (!s.doc)
                abort(); /* out of memory, or a host name that is not UTF-8: callers hand in clean text */
        *ret = s;
}

char *status_doc_text(const struct status_doc *s)
{
        _cleanup_free_ char *text = json_dumps(s->doc, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
        char *line = NULL;

        if (!text || asprintf(&line, "%s\n", text) < 0)
                abort();
        return line;
}

void status_doc_done(struct status_doc *s)
{
        json_decref(s->doc);
        s->doc = NULL;
}
