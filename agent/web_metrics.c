/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The body of /metrics. Put together ahead of a scrape, or by it, when a file in RUN has changed or a sample has become too
 * old since; in between a scrape sends the same bytes and only the ages are written anew. A sample that is older than its
 * instance's limit, or that a failed run should have renewed, is not a value of now and is left out. */

#include "web.h"

#include <malloc.h>
#include <math.h>

#include "catalog.h"
#include "json_each.h"

#define FAMILIES_MAX 4096
#define LABELS_MAX 30

/* An instance of a check as the status document tells it, and what was shown of it. */
struct instance {
        char *check, *name, *component, *labels; /* labels: rendered */
        double max_age_s, end_boot;
        int deadline_s;
        bool bad;      /* last run failed: what it did not renew is no longer current */
        double oldest; /* t of the oldest sample shown; NAN: none */
};

struct family_age {
        char *name; /* of ours, with prefix */
        double oldest;
};

/* One rendered format. */
struct rendered {
        struct web_blob *body;
        double valid_until; /* then the first sample is too old, or the brain silent */
        struct web_expect expect;
};

enum left_out { LEFT_STALE, LEFT_FAILED, LEFT_INVALID, LEFT_DUPLICATE, LEFT_MAX };
static const char *const left_out_names[LEFT_MAX] = { "stale", "failed", "invalid", "duplicate" };

struct web_metrics {
        struct web_stamp stamps[WEB_PLOTS]; /* status, samples, catalog */
        struct rendered formats[EXPO_FORMAT_MAX];
        struct instance *instances;
        size_t n_instances, hint;
        struct family_age *families;
        size_t n_families;
        size_t left_out[LEFT_MAX];
        double brain_boot; /* time_boot of the status; NAN */
        bool silent;
};

static void *xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size);

        if (!p)
                abort();
        return p;
}

static char *xstrdup(const char *s)
{
        char *copy = strdup(s);

        if (!copy)
                abort();
        return copy;
}

static void forget_ages(struct web_metrics *m)
{
        for (size_t i = 0; i < m->n_instances; i++) {
                free(m->instances[i].check);
                free(m->instances[i].name);
                free(m->instances[i].component);
                free(m->instances[i].labels);
        }
        for (size_t i = 0; i < m->n_families; i++)
                free(m->families[i].name);
        free(m->instances);
        free(m->families);
        m->instances = NULL;
        m->families = NULL;
        m->n_instances = m->n_families = m->hint = 0;
        memset(m->left_out, 0, sizeof(m->left_out));
}

void web_metrics_free(struct web *w)
{
        if (!w->metrics)
                return;
        forget_ages(w->metrics);
        for (size_t i = 0; i < EXPO_FORMAT_MAX; i++)
                web_blob_unref(w->metrics->formats[i].body);
        free(w->metrics);
        w->metrics = NULL;
}

/* --- the three files --------------------------------------------------------------------------- */

struct check_limits {
        char name[100];
        int deadline_s, max_age_s;
};

/* What is known while one body is put together. */
struct build {
        struct web_metrics *m;
        struct expo *e;
        struct web_compat *compat;
        struct check_limits checks[CATALOG_CHECKS_MAX];
        size_t n_checks;
        double now;
        double valid_until;
};

static int seconds_of(const json_t *o, const char *key, int fallback)
{
        double v = status_number(o, key);

        return v >= 0 && v < 1e9 ? (int)v : fallback;
}

static int catalog_check(void *data, const json_t *check)
{
        static const struct {
                const char *kind;
                enum expo_type type;
        } kinds[] = { { "gauge", EXPO_GAUGE }, { "counter", EXPO_COUNTER }, { "info", EXPO_INFO } };
        struct build *b = data;
        struct check_limits *limits;
        const json_t *metric;
        size_t i;

        if (b->n_checks == CATALOG_CHECKS_MAX)
                return 0;
        limits = &b->checks[b->n_checks++];
        snprintf(limits->name, sizeof(limits->name), "%s", status_text(check, "name"));
        limits->deadline_s = seconds_of(check, "deadline_s", 10);
        limits->max_age_s = seconds_of(check, "max_age_s", 0);
        if (!limits->max_age_s)
                limits->max_age_s = 2 * seconds_of(check, "interval_s", 60) + limits->deadline_s;
        json_array_foreach(json_object_get(check, "metrics"), i, metric) {
                enum expo_type type = EXPO_UNKNOWN;
                char name[256];

                for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
                        if (streq(status_text(metric, "kind"), kinds[k].kind))
                                type = kinds[k].type;
                snprintf(name, sizeof(name), "veille_%s", status_text(metric, "name"));
                expo_family(b->e, name, type, status_text(metric, "unit"), status_text(metric, "help"));
        }
        return 0;
}

static const struct check_limits *limits_of(const struct build *b, const char *check)
{
        static const struct check_limits unknown = { "", 10, 130 };

        for (size_t i = 0; i < b->n_checks; i++)
                if (streq(b->checks[i].name, check))
                        return &b->checks[i];
        return &unknown;
}

static void add_instance(struct build *b, const char *check, const char *name, const char *component)
{
        struct web_metrics *m = b->m;
        struct textbuf labels = { 0 };
        struct instance *i;

        /* Doubling at powers of two. */
        if ((m->n_instances & (m->n_instances - 1)) == 0) {
                m->instances = reallocarray(m->instances, MAX(2 * m->n_instances, 1), sizeof(*m->instances));
                if (!m->instances)
                        abort();
        }
        i = &m->instances[m->n_instances++];
        *i = (struct instance){ .check = xstrdup(check), .name = xstrdup(name), .component = xstrdup(component),
                                .max_age_s = limits_of(b, check)->max_age_s, .deadline_s = limits_of(b, check)->deadline_s,
                                .end_boot = NAN, .oldest = NAN };
        expo_render_labels(&labels, (const char *[]){ "check", check, "check_instance", name, "component", component, NULL });
        textbuf_char(&labels, '\0');
        i->labels = labels.data;
}

/* Instances come in the same order in both files, so the next one is nearly always the right one. */
static struct instance *find_instance(struct web_metrics *m, const char *check, const char *name)
{
        for (size_t k = 0; k < m->n_instances; k++) {
                struct instance *i = &m->instances[(m->hint + k) % m->n_instances];

                if (streq(i->check, check) && streq(i->name, name)) {
                        m->hint = (size_t)(i - m->instances);
                        return i;
                }
        }
        return NULL;
}

static void read_instances(struct build *b, const struct status_doc *status)
{
        const json_t *c;
        size_t n;

        json_array_foreach(json_object_get(status->doc, "checks"), n, c) {
                const char *result = status_text(c, "result");
                double age = status_number(c, "age_s"), max_age = status_number(c, "max_age_s");
                struct instance *i;

                if (find_instance(b->m, status_text(c, "check"), status_text(c, "instance")))
                        continue;
                add_instance(b, status_text(c, "check"), status_text(c, "instance"), status_text(c, "component"));
                i = &b->m->instances[b->m->n_instances - 1];
                if (max_age > 0)
                        i->max_age_s = max_age;
                i->bad = streq(result, "failed") || streq(result, "timeout") || streq(result, "denied");
                if (isfinite(age))
                        i->end_boot = b->now - age;
        }
        b->m->hint = 0;
}

/* --- one sample ---------------------------------------------------------------------------------- */

static void note_family(struct web_metrics *m, const char *name, double t)
{
        static size_t last; /* only a place to look first */

        if (last < m->n_families && streq(m->families[last].name, name)) {
                m->families[last].oldest = fmin(m->families[last].oldest, t);
                return;
        }
        for (last = 0; last < m->n_families; last++)
                if (streq(m->families[last].name, name)) {
                        m->families[last].oldest = fmin(m->families[last].oldest, t);
                        return;
                }
        if (m->n_families == FAMILIES_MAX)
                return;
        if ((m->n_families & (m->n_families - 1)) == 0) {
                m->families = reallocarray(m->families, MAX(2 * m->n_families, 1), sizeof(*m->families));
                if (!m->families)
                        abort();
        }
        m->families[m->n_families++] = (struct family_age){ xstrdup(name), t };
}

/* Our labels: whose it is, by what check, and the sample's own. */
static int expose(struct build *b, const struct web_sample *s, const char *family)
{
        const char *labels[2 * LABELS_MAX + 8], *key;
        size_t n = 0;
        json_t *v;

        if (web_families_reserved(family))
                return -EINVAL;
        labels[n++] = "check";
        labels[n++] = s->check;
        if (!json_object_get(s->labels, "component")) {
                labels[n++] = "component";
                labels[n++] = s->component;
        }
        if (!streq(s->instance, s->component)) {
                labels[n++] = "check_instance";
                labels[n++] = s->instance;
        }
        json_object_foreach((json_t *)s->labels, key, v) {
                if (n >= 2 * LABELS_MAX)
                        return -E2BIG;
                if (!json_is_string(v))
                        return -EINVAL;
                /* An empty label means: no such label. */
                if (!*json_string_value(v))
                        continue;
                labels[n++] = key;
                labels[n++] = json_string_value(v);
        }
        labels[n] = NULL;
        return expo_sample(b->e, family, s->value, labels);
}

static bool is_current(struct build *b, const struct instance *i, double t)
{
        if (t > b->now + 1 || b->now - t > i->max_age_s) {
                b->m->left_out[LEFT_STALE]++;
                return false;
        }
        if (i->bad && isfinite(i->end_boot) && t < i->end_boot - i->deadline_s - 2) {
                b->m->left_out[LEFT_FAILED]++;
                return false;
        }
        return true;
}

static int one_sample(void *data, const json_t *o)
{
        struct build *b = data;
        struct web_sample s = { status_text(o, "m"), status_text(o, "c"), status_text(o, "i"), "", status_number(o, "v"), json_object_get(o, "l") };
        double t = status_number(o, "t");
        struct instance *i;
        char family[256];

        if (!*s.metric || !*s.check || !*s.instance || isnan(s.value) || isnan(t) || !json_is_object(s.labels) ||
            strlen(s.metric) > 200 || strlen(s.check) > 96 || strlen(s.instance) > 255) {
                b->m->left_out[LEFT_INVALID]++;
                return 0;
        }
        i = find_instance(b->m, s.check, s.instance);
        if (!i) {
                /* Not among the checks of the status: counters that events push; component and instance are one. */
                add_instance(b, s.check, s.instance, s.instance);
                i = &b->m->instances[b->m->n_instances - 1];
        }
        if (!is_current(b, i, t))
                return 0;
        s.component = *i->component ? i->component : s.instance;
        snprintf(family, sizeof(family), "veille_%s", s.metric);
        if (expose(b, &s, family) < 0) {
                b->m->left_out[LEFT_INVALID]++;
                return 0;
        }
        i->oldest = isnan(i->oldest) ? t : fmin(i->oldest, t);
        b->valid_until = fmin(b->valid_until, t + i->max_age_s);
        note_family(b->m, family, t);
        web_compat_sample(b->compat, &s);
        return 0;
}

/* --- the body --------------------------------------------------------------------------------------- */

static void build_samples(struct web *w, struct build *b)
{
        _cleanup_free_ char *text = NULL;
        struct errinfo err = { 0 };
        size_t len;

        b->compat = web_compat_new(w->settings.compat, b->e);
        /* A damaged file: what came before the damage was well-formed and is current. */
        if (web_file_read(w, WEB_SAMPLES, &text, &len, &err) >= 0 && json_each(text, len, "samples", one_sample, b, NULL, &err) < 0)
                b->m->left_out[LEFT_INVALID]++;
        web_compat_end(b->compat);
}

static void build_body(struct web *w, struct web_metrics *m, enum expo_format format, double now)
{
        _cleanup_free_ char *catalog = NULL;
        struct build b = { .m = m, .e = expo_new(), .now = now, .valid_until = INFINITY };
        struct web_blob *body = web_blob_new();
        struct status_doc status;
        size_t len;

        forget_ages(m);
        w->counters.renders++;
        if (web_file_read(w, WEB_CATALOG, &catalog, &len, NULL) >= 0)
                json_each(catalog, len, "checks", catalog_check, &b, NULL, NULL);
        web_status_load(w, now, &status);
        m->brain_boot = status.time_boot;
        m->silent = status.silent;
        if (!status.silent)
                b.valid_until = status.time_boot + w->settings.silent_after_s;
        read_instances(&b, &status);
        web_families_status(b.e, &status);
        status_doc_done(&status);
        build_samples(w, &b);
        m->left_out[LEFT_DUPLICATE] = expo_render(b.e, format, &body->text);
        expo_free(b.e);
        web_blob_unref(m->formats[format].body);
        m->formats[format].body = body;
        m->formats[format].valid_until = b.valid_until;
        /* Parsing left holes all over the heap; a resident program gives them back. */
        malloc_trim(0);
}

/* --- the ages of this moment ------------------------------------------------------------------------- */

static void put(struct textbuf *out, const char *name, const char *labels, double v)
{
        textbuf_str(out, name);
        textbuf_str(out, labels);
        textbuf_char(out, ' ');
        textbuf_number(out, v);
        textbuf_char(out, '\n');
}

/* A tenth of a second says enough about an age, and costs fewer bytes. */
static double age(double now, double t)
{
        return fmax(0, round((now - t) * 10) / 10);
}

static void put_ages(struct textbuf *out, const struct web_metrics *m, enum expo_format format, double now)
{
        web_families_head(out, format, "veille_sample_age_seconds");
        for (size_t i = 0; i < m->n_instances; i++)
                if (!isnan(m->instances[i].oldest))
                        put(out, "veille_sample_age_seconds", m->instances[i].labels, age(now, m->instances[i].oldest));
        web_families_head(out, format, "veille_family_age_seconds");
        for (size_t i = 0; i < m->n_families; i++) {
                textbuf_str(out, "veille_family_age_seconds{family=\"");
                textbuf_str(out, m->families[i].name);
                textbuf_str(out, "\"} ");
                textbuf_number(out, age(now, m->families[i].oldest));
                textbuf_char(out, '\n');
        }
}

static void put_own(struct textbuf *out, const struct web *w, const struct web_metrics *m, enum expo_format format)
{
        static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
        const struct {
                const char *name;
                double value;
        } plain[] = {
                { "veille_web_connections_refused_total", (double)w->counters.refused },
                { "veille_web_connections_cut_total", (double)w->counters.cut },
                { "veille_web_renders_total", (double)w->counters.renders },
                { "veille_web_textfile_errors_total", (double)w->counters.textfile_errors },
        };
        char labels[64];

        web_families_head(out, format, "veille_samples_left_out");
        for (size_t i = 0; i < LEFT_MAX; i++) {
                snprintf(labels, sizeof(labels), "{reason=\"%s\"}", left_out_names[i]);
                put(out, "veille_samples_left_out", labels, (double)m->left_out[i]);
        }
        web_families_head(out, format, "veille_web_requests_total");
        for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
                snprintf(labels, sizeof(labels), "{class=\"%s\"}", classes[i]);
                put(out, "veille_web_requests_total", labels, (double)w->counters.requests[i + 1]);
        }
        for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
                web_families_head(out, format, plain[i].name);
                put(out, plain[i].name, "", plain[i].value);
        }
}

static void put_tail(struct textbuf *out, const struct web *w, const struct web_metrics *m, enum expo_format format, double now)
{
        web_families_head(out, format, "veille_brain_up");
        put(out, "veille_brain_up", "", !m->silent);
        if (isfinite(m->brain_boot) && now >= m->brain_boot) {
                web_families_head(out, format, "veille_brain_age_seconds");
                put(out, "veille_brain_age_seconds", "", age(now, m->brain_boot));
        }
        web_families_head(out, format, "veille_exposition_timestamp_seconds");
        put(out, "veille_exposition_timestamp_seconds", "", round(web_wall() * 10) / 10);
        put_ages(out, m, format, now);
        put_own(out, w, m, format);
        if (format == EXPO_OPENMETRICS)
                textbuf_str(out, "# EOF\n");
}

static bool files_changed(struct web *w, struct web_metrics *m)
{
        bool changed = false;

        for (enum web_file f = 0; f < ARRAY_LEN(m->stamps); f++) {
                struct web_stamp now;

                web_file_stamp(w, f, &now);
                if (!web_stamp_equal(&now, &m->stamps[f]))
                        changed = true;
                m->stamps[f] = now;
        }
        return changed;
}

static void update(struct web *w, enum expo_format format, double now)
{
        struct web_metrics *m = w->metrics;

        if (!m)
                m = w->metrics = xcalloc(1, sizeof(*m));
        if (files_changed(w, m))
                for (size_t i = 0; i < EXPO_FORMAT_MAX; i++)
                        m->formats[i].body = web_blob_unref(m->formats[i].body);
        if (!m->formats[format].body || now > m->formats[format].valid_until)
                build_body(w, m, format, now);
}

struct web_blob *web_metrics_get(struct web *w, enum expo_format format, double now_boot, struct textbuf *tail)
{
        update(w, format, now_boot);
        web_expect_note(&w->metrics->formats[format].expect, now_boot);
        put_tail(tail, w, w->metrics, format, now_boot);
        return web_blob_ref(w->metrics->formats[format].body);
}

void web_metrics_refresh(struct web *w, double now_boot)
{
        for (enum expo_format f = 0; f < EXPO_FORMAT_MAX; f++)
                if (w->metrics && web_expect_now(&w->metrics->formats[f].expect, now_boot))
                        update(w, f, now_boot);
}

double web_metrics_next(const struct web *w, double now_boot)
{
        double next = INFINITY;

        for (enum expo_format f = 0; w->metrics && f < EXPO_FORMAT_MAX; f++) {
                double from = web_expect_from(&w->metrics->formats[f].expect);

                if (from > now_boot)
                        next = fmin(next, from);
        }
        return next;
}
