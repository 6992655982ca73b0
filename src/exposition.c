/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Collects samples and prints them family by family. Rules: facts of the format are at
 * prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics 1.0 specification. */

#include "exposition.h"

#define LABELS_MAX 32
#define NAME_MAX_LEN 200

struct family {
        char *name, *unit, *help;
        enum expo_type type;
        size_t n_samples;
        size_t rank; /* place in the sorted order */
};

struct sample {
        size_t family, index;
        size_t labels, labels_len; /* in the arena */
        double value;
};

struct expo {
        struct family *families;
        size_t n_families, size_families;
        struct sample *samples;
        size_t n_samples, size_samples;
        struct textbuf arena; /* label texts */
        size_t *slots;        /* hash of family names: index + 1; 0 is free */
        size_t n_slots;
        size_t last; /* family of the last sample: neighbours are often of one family */
};

static void *xalloc(void *p, size_t n, size_t size)
{
        p = reallocarray(p, n, size);
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

struct expo *expo_new(void)
{
        struct expo *e = calloc(1, sizeof(*e));

        if (!e)
                abort();
        return e;
}

struct expo *expo_free(struct expo *e)
{
        if (!e)
                return NULL;
        for (size_t i = 0; i < e->n_families; i++) {
                free(e->families[i].name);
                free(e->families[i].unit);
                free(e->families[i].help);
        }
        free(e->families);
        free(e->samples);
        free(e->slots);
        textbuf_done(&e->arena);
        free(e);
        return NULL;
}

static bool name_ok(const char *s, bool metric)
{
        if (!*s || strlen(s) > NAME_MAX_LEN || (*s >= '0' && *s <= '9'))
                return false;
        if (!metric && str_starts(s, "__"))
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_' ||
                      (metric && *s == ':')))
                        return false;
        return true;
}

/* FNV-1a: names are ours and few; a flood of chosen ones is bounded by the size of the input. */
static size_t hash(const char *s)
{
        uint64_t h = 14695981039346656037ULL;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 1099511628211ULL;
        return (size_t)h;
}

static size_t *slot_of(const struct expo *e, const char *name)
{
        size_t i = hash(name) & (e->n_slots - 1);

        while (e->slots[i] && !streq(e->families[e->slots[i] - 1].name, name))
                i = (i + 1) & (e->n_slots - 1);
        return &e->slots[i];
}

static void grow_slots(struct expo *e)
{
        e->n_slots = e->n_slots ? 2 * e->n_slots : 256;
        free(e->slots);
        e->slots = calloc(e->n_slots, sizeof(*e->slots));
        if (!e->slots)
                abort();
        for (size_t i = 0; i < e->n_families; i++)
                *slot_of(e, e->families[i].name) = i + 1;
}

static size_t family_get(struct expo *e, const char *name)
{
        size_t *slot;

        if (2 * (e->n_families + 1) > e->n_slots)
                grow_slots(e);
        slot = slot_of(e, name);
        if (*slot)
                return *slot - 1;
        if (e->n_families == e->size_families) {
                e->size_families = e->size_families ? 2 * e->size_families : 64;
                e->families = xalloc(e->families, e->size_families, sizeof(*e->families));
        }
        e->families[e->n_families] = (struct family){ .name = xstrdup(name) };
        *slot = ++e->n_families;
        return e->n_families - 1;
}

int expo_family(struct expo *e, const char *name, enum expo_type type, const char *unit, const char *help)
{
        struct family *f;
        size_t i;

        if (!name_ok(name, true))
                return -EINVAL;
        i = family_get(e, name); /* may move the array */
        f = &e->families[i];
        if (f->help)
                return 0;
        f->type = type;
        f->unit = xstrdup(unit);
        f->help = xstrdup(help);
        return 0;
}

/* Label values: backslash, quote, newline. HELP: backslash, newline, and in OpenMetrics the quote. */
static void add_escaped(struct textbuf *out, const char *s, bool quotes)
{
        for (;;) {
                size_t plain = strcspn(s, quotes ? "\\\"\n" : "\\\n");

                textbuf_add(out, s, plain);
                s += plain;
                if (!*s)
                        return;
                textbuf_char(out, '\\');
                textbuf_char(out, *s == '\n' ? 'n' : *s);
                s++;
        }
}

void expo_render_labels(struct textbuf *out, const char *const *labels)
{
        if (!labels[0])
                return;
        for (size_t i = 0; labels[i]; i += 2) {
                textbuf_char(out, i ? ',' : '{');
                textbuf_str(out, labels[i]);
                textbuf_str(out, "=\"");
                add_escaped(out, labels[i + 1], true);
                textbuf_char(out, '"');
        }
        textbuf_char(out, '}');
}

/* Sorted by name, so that equal label sets are equal texts. -EINVAL: two of one name, or a bad one. */
static int sort_labels(const char *const *labels, const char *sorted[static 2 * LABELS_MAX + 1])
{
        size_t n = 0;

        for (size_t i = 0; labels[i]; i += 2, n += 2) {
                size_t k = n;

                if (n == 2 * LABELS_MAX)
                        return -E2BIG;
                if (!name_ok(labels[i], false))
                        return -EINVAL;
                for (; k > 0 && strcmp(sorted[k - 2], labels[i]) >= 0; k -= 2) {
                        if (streq(sorted[k - 2], labels[i]))
                                return -EINVAL;
                        sorted[k] = sorted[k - 2];
                        sorted[k + 1] = sorted[k - 1];
                }
                sorted[k] = labels[i];
                sorted[k + 1] = labels[i + 1];
        }
        sorted[n] = NULL;
        return 0;
}

int expo_sample(struct expo *e, const char *family, double value, const char *const *labels)
{
        const char *sorted[2 * LABELS_MAX + 1];
        struct sample s = { .index = e->n_samples, .labels = e->arena.len, .value = value };
        int r;

        if (!name_ok(family, true))
                return -EINVAL;
        r = sort_labels(labels, sorted);
        if (r < 0)
                return r;
        if (e->last >= e->n_families || !streq(e->families[e->last].name, family))
                e->last = family_get(e, family);
        s.family = e->last;
        expo_render_labels(&e->arena, sorted);
        s.labels_len = e->arena.len - s.labels;
        if (e->n_samples == e->size_samples) {
                e->size_samples = e->size_samples ? 2 * e->size_samples : 256;
                e->samples = xalloc(e->samples, e->size_samples, sizeof(*e->samples));
        }
        e->samples[e->n_samples++] = s;
        e->families[s.family].n_samples++;
        return 0;
}

static int compare_families(const void *a, const void *b, void *data)
{
        const struct expo *e = data;

        return strcmp(e->families[*(const size_t *)a].name, e->families[*(const size_t *)b].name);
}

static int compare_labels(const struct expo *e, const struct sample *a, const struct sample *b)
{
        size_t n = MIN(a->labels_len, b->labels_len);
        int r = n ? memcmp(e->arena.data + a->labels, e->arena.data + b->labels, n) : 0;

        return r ? r : (a->labels_len > b->labels_len) - (a->labels_len < b->labels_len);
}

static int compare_samples(const void *pa, const void *pb, void *data)
{
        const struct expo *e = data;
        const struct sample *a = pa, *b = pb;
        size_t ra = e->families[a->family].rank, rb = e->families[b->family].rank;
        int r;

        if (ra != rb)
                return ra < rb ? -1 : 1;
        r = compare_labels(e, a, b);
        return r ? r : (a->index > b->index) - (a->index < b->index);
}

static void rank_families(struct expo *e)
{
        size_t *order = xalloc(NULL, e->n_families ? e->n_families : 1, sizeof(*order));

        for (size_t i = 0; i < e->n_families; i++)
                order[i] = i;
        qsort_r(order, e->n_families, sizeof(*order), compare_families, e);
        for (size_t i = 0; i < e->n_families; i++)
                e->families[order[i]].rank = i;
        free(order);
}

static bool ends(const char *s, size_t len, const char *suffix)
{
        size_t n = strlen(suffix);

        return len > n && memcmp(s + len - n, suffix, n) == 0;
}

/* The name of a family in metadata, as a length of name: OpenMetrics leaves out what marks the type. */
static size_t head_len(const char *name, enum expo_type *type)
{
        size_t len = strlen(name);

        if (*type == EXPO_COUNTER) {
                if (ends(name, len, "_total"))
                        return len - strlen("_total");
                *type = EXPO_UNKNOWN;
        } else if (*type == EXPO_INFO) {
                if (ends(name, len, "_info"))
                        return len - strlen("_info");
                *type = EXPO_GAUGE;
        }
        return len;
}

static void render_head(struct textbuf *out, enum expo_format format, const char *name, size_t len, enum expo_type type,
                        const char *unit, const char *help)
{
        static const char *const names[EXPO_FORMAT_MAX][4] = {
                [EXPO_TEXT] = { "untyped", "gauge", "counter", "gauge" },
                [EXPO_OPENMETRICS] = { "unknown", "gauge", "counter", "info" },
        };

        if (*help) {
                textbuf_str(out, "# HELP ");
                textbuf_add(out, name, len);
                textbuf_char(out, ' ');
                add_escaped(out, help, format == EXPO_OPENMETRICS);
                textbuf_char(out, '\n');
        }
        textbuf_str(out, "# TYPE ");
        textbuf_add(out, name, len);
        textbuf_char(out, ' ');
        textbuf_str(out, names[format][type]);
        textbuf_char(out, '\n');
        /* 1.0 wants the unit as suffix of the name, and none on info. */
        if (format == EXPO_OPENMETRICS && *unit && type != EXPO_INFO && ends(name, len, unit) &&
            name[len - strlen(unit) - 1] == '_') {
                textbuf_str(out, "# UNIT ");
                textbuf_add(out, name, len);
                textbuf_char(out, ' ');
                textbuf_str(out, unit);
                textbuf_char(out, '\n');
        }
}

void expo_render_head(struct textbuf *out, enum expo_format format, const char *name, enum expo_type type, const char *unit,
                      const char *help)
{
        size_t len = format == EXPO_OPENMETRICS ? head_len(name, &type) : strlen(name);

        render_head(out, format, name, len, type, unit, help);
}

/* Two families must not end up under one name, as the gauge x beside the counter x_total would. */
static bool head_taken(const struct expo *e, const char *name, size_t len)
{
        char text[NAME_MAX_LEN + 1];
        size_t slot;

        snprintf(text, sizeof(text), "%.*s", (int)len, name);
        slot = *slot_of(e, text);
        return slot && e->families[slot - 1].n_samples > 0;
}

static void render_family(const struct expo *e, const struct family *f, enum expo_format format, struct textbuf *out)
{
        enum expo_type type = f->type;
        size_t len = strlen(f->name);

        if (format == EXPO_OPENMETRICS) {
                size_t short_len = head_len(f->name, &type);

                if (short_len < len && head_taken(e, f->name, short_len))
                        type = EXPO_UNKNOWN;
                else
                        len = short_len;
        }
        render_head(out, format, f->name, len, type, f->unit ? f->unit : "", f->help ? f->help : "");
}

size_t expo_render(struct expo *e, enum expo_format format, struct textbuf *out)
{
        size_t left_out = 0;

        rank_families(e);
        qsort_r(e->samples, e->n_samples, sizeof(*e->samples), compare_samples, e);
        for (size_t i = 0; i < e->n_samples; i++) {
                const struct sample *s = &e->samples[i], *before = i ? &e->samples[i - 1] : NULL;
                const struct family *f = &e->families[s->family];

                if (!before || before->family != s->family) {
                        render_family(e, f, format, out);
                } else if (compare_labels(e, before, s) == 0) {
                        left_out++;
                        continue;
                }
                textbuf_str(out, f->name);
                if (s->labels_len)
                        textbuf_add(out, e->arena.data + s->labels, s->labels_len);
                textbuf_char(out, ' ');
                textbuf_number(out, s->value);
                textbuf_char(out, '\n');
        }
        return left_out;
}

const char *expo_content_type(enum expo_format format)
{
        return format == EXPO_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}
