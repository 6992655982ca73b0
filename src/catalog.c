/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The catalogue as JSON, out and in. The reader treats its input as a stranger's: an external
 * check may print anything. Duplicate names are refused later, by whoever merges catalogues. */

#include "catalog.h"

#define METRICS_MAX 256
#define RULES_MAX 256
#define TEXT_MAX 1024

static const char *const privilege_names[PRIVILEGE_MAX] = {
        [PRIVILEGE_NONE] = "none",
        [PRIVILEGE_DISK] = "disk",
        [PRIVILEGE_RAID] = "raid",
        [PRIVILEGE_WRITE] = "write",
        [PRIVILEGE_NET] = "net",
        [PRIVILEGE_PLUGIN] = "plugin",
};

static const char *const metric_kinds[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_INFO] = "info",
};

const char *privilege_name(enum privilege privilege)
{
        assert(privilege < PRIVILEGE_MAX);
        return privilege_names[privilege];
}

int privilege_from_name(const char *name)
{
        for (int i = 0; i < PRIVILEGE_MAX; i++)
                if (streq(privilege_names[i], name))
                        return i;
        return -EINVAL;
}

const char *metric_kind_name(enum metric_kind kind)
{
        assert(kind < ARRAY_LEN(metric_kinds));
        return metric_kinds[kind];
}

static json_t *number_or_null(double v)
{
        return isnan(v) ? json_null() : json_real(v);
}

static json_t *string_or_null(const char *s)
{
        return s ? json_string(s) : json_null();
}

static json_t *rule_to_json(const struct rule *r)
{
        return json_pack("{ss ss so so ss ss so so so so so ss so si si si ss sb sb ss ss ss}",
                         "name", r->name, "metric", r->metric,
                         "match_label", string_or_null(r->match_label), "match_value", string_or_null(r->match_value),
                         "kind", rule_kind_name(r->kind), "direction", r->direction == RULE_ABOVE ? "above" : "below",
                         "notice", number_or_null(r->notice), "warning", number_or_null(r->warning),
                         "critical", number_or_null(r->critical), "clear", number_or_null(r->clear),
                         "limit_metric", string_or_null(r->limit_metric),
                         "limit_level", level_name(r->limit_level ? r->limit_level : LEVEL_CRITICAL),
                         "limit", number_or_null(r->kind == RULE_FORECAST ? r->limit : NAN),
                         "hold_s", r->hold_s, "calm_s", r->calm_s, "window_s", r->window_s,
                         "evidence", evidence_name(r->evidence), "after_good", r->after_good, "hard", r->hard,
                         "text", r->text, "clears", r->clears ? r->clears : "", "source", r->source ? r->source : "");
}

json_t *catalog_to_json(const struct check_desc *const *checks, size_t n)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++) {
                const struct check_desc *c = checks[i];
                json_t *metrics = json_array(), *rules = json_array();

                for (size_t j = 0; j < c->n_metrics; j++)
                        json_array_append_new(metrics, json_pack("{ss ss ss ss}", "name", c->metrics[j].name,
                                                                 "kind", metric_kind_name(c->metrics[j].kind),
                                                                 "unit", c->metrics[j].unit, "help", c->metrics[j].help));
                for (size_t j = 0; j < c->n_rules; j++)
                        json_array_append_new(rules, rule_to_json(&c->rules[j]));
                json_array_append_new(list, json_pack("{ss ss si si si ss ss so so}", "name", c->name, "summary", c->summary,
                                                      "interval_s", c->interval_s, "deadline_s", c->deadline_s,
                                                      "max_age_s", c->max_age_s, "privilege", privilege_name(c->privilege),
                                                      "evidence", evidence_name(c->evidence),
                                                      "metrics", metrics, "rules", rules));
        }
        return json_pack("{si so}", "protocol", 1, "checks", list);
}

/* A chain of blocks that own the strings and arrays of a catalogue. */
struct block {
        struct block *next;
        max_align_t data[];
};

static void *pool_alloc(struct catalog *c, size_t size)
{
        struct block *b = calloc(1, sizeof(*b) + size);

        if (!b)
                abort();
        b->next = c->pool;
        c->pool = b;
        return b->data;
}

/* A bounded copy of a string member; NULL if it is absent, null, too long or has NUL or control characters. */
static const char *get_string(struct catalog *c, const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);
        size_t n = json_string_length(v);
        char *s;

        if (!json_is_string(v) || n > TEXT_MAX)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)json_string_value(v)[i] < ' ')
                        return NULL;
        s = pool_alloc(c, n + 1);
        memcpy(s, json_string_value(v), n);
        return s;
}

/* Names become metric names, file names and config sections. */
bool catalog_name_ok(const char *s, bool metric)
{
        if (!s || !*s || strlen(s) > 96 || !(*s >= 'a' && *s <= 'z'))
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == (metric ? '_' : '-')))
                        return false;
        return true;
}

static double get_number(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_number(v) ? json_number_value(v) : NAN;
}

static int get_seconds(const json_t *o, const char *key, int fallback)
{
        double v = get_number(o, key);

        return v >= 0 && v <= 400 * 86400.0 ? (int)v : fallback;
}

static int get_enum(const json_t *o, const char *key, int (*from_name)(const char *), int fallback)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? from_name(s) : fallback;
}

static int metric_from_json(struct catalog *c, const json_t *o, struct metric_desc *ret, struct errinfo *err)
{
        const char *kind = json_string_value(json_object_get(o, "kind"));

        ret->name = get_string(c, o, "name");
        ret->unit = get_string(c, o, "unit");
        ret->help = get_string(c, o, "help");
        if (!catalog_name_ok(ret->name, true))
                return err_set(err, -EINVAL, "a metric's name is not of the form [a-z][a-z0-9_]*");
        if (!ret->unit)
                ret->unit = "";
        if (!ret->help)
                ret->help = "";
        for (size_t i = 0; i < ARRAY_LEN(metric_kinds); i++)
                if (kind && streq(kind, metric_kinds[i])) {
                        ret->kind = (enum metric_kind)i;
                        return 0;
                }
        return err_set(err, -EINVAL, "metric %s: kind is not gauge, counter or info", ret->name);
}

static int rule_from_json(struct catalog *c, const json_t *o, struct rule *ret, struct errinfo *err)
{
        const char *direction = json_string_value(json_object_get(o, "direction"));
        int kind = get_enum(o, "kind", rule_kind_from_name, RULE_LIMIT);
        int evidence = get_enum(o, "evidence", evidence_from_name, EVIDENCE_SERVICE);
        int limit_level = get_enum(o, "limit_level", level_from_name, LEVEL_CRITICAL);

        *ret = (struct rule){
                .name = get_string(c, o, "name"),
                .metric = get_string(c, o, "metric"),
                .match_label = get_string(c, o, "match_label"),
                .match_value = get_string(c, o, "match_value"),
                .direction = direction && streq(direction, "below") ? RULE_BELOW : RULE_ABOVE,
                .notice = get_number(o, "notice"),
                .warning = get_number(o, "warning"),
                .critical = get_number(o, "critical"),
                .clear = get_number(o, "clear"),
                .limit_metric = get_string(c, o, "limit_metric"),
                .limit = get_number(o, "limit"),
                .hold_s = get_seconds(o, "hold_s", 0),
                .calm_s = get_seconds(o, "calm_s", 0),
                .window_s = get_seconds(o, "window_s", 0),
                .after_good = json_is_true(json_object_get(o, "after_good")),
                .hard = json_is_true(json_object_get(o, "hard")),
                .text = get_string(c, o, "text"),
                .clears = get_string(c, o, "clears"),
                .source = get_string(c, o, "source"),
        };
        if (!catalog_name_ok(ret->name, false))
                return err_set(err, -EINVAL, "a rule's name is not of the form [a-z][a-z0-9-]*");
        if (!catalog_name_ok(ret->metric, true))
                return err_set(err, -EINVAL, "rule %s: no metric", ret->name);
        if (kind < 0 || evidence < 0 || limit_level < 0)
                return err_set(err, -EINVAL, "rule %s: unknown kind, evidence or limit_level", ret->name);
        if (!ret->text || !*ret->text)
                return err_set(err, -EINVAL, "rule %s: no text; a level without a reason helps nobody", ret->name);
        if ((ret->match_label == NULL) != (ret->match_value == NULL))
                return err_set(err, -EINVAL, "rule %s: match_label and match_value go together", ret->name);
        if ((kind == RULE_RATE || kind == RULE_FORECAST) && ret->window_s <= 0)
                return err_set(err, -EINVAL, "rule %s: a %s rule needs window_s", ret->name, rule_kind_name(kind));
        if (kind == RULE_FORECAST && isnan(ret->limit))
                return err_set(err, -EINVAL, "rule %s: a forecast rule needs a limit", ret->name);
        ret->kind = (enum rule_kind)kind;
        ret->evidence = (enum evidence)evidence;
        ret->limit_level = (enum level)limit_level;
        return 0;
}

static int check_from_json(struct catalog *c, const json_t *o, struct check_desc *ret, struct errinfo *err)
{
        const json_t *metrics = json_object_get(o, "metrics"), *rules = json_object_get(o, "rules");
        size_t nm = json_array_size(metrics), nr = json_array_size(rules);
        int privilege = get_enum(o, "privilege", privilege_from_name, PRIVILEGE_NONE);
        int evidence = get_enum(o, "evidence", evidence_from_name, EVIDENCE_SERVICE);
        struct metric_desc *m;
        struct rule *rr;
        int r;

        *ret = (struct check_desc){
                .name = get_string(c, o, "name"),
                .summary = get_string(c, o, "summary"),
                .interval_s = get_seconds(o, "interval_s", 60),
                .deadline_s = get_seconds(o, "deadline_s", 10),
                .max_age_s = get_seconds(o, "max_age_s", 0),
        };
        if (!catalog_name_ok(ret->name, false))
                return err_set(err, -EINVAL, "a check's name is not of the form [a-z][a-z0-9-]*");
        if (!ret->summary)
                ret->summary = "";
        if (privilege < 0 || evidence < 0)
                return err_set(err, -EINVAL, "check %s: unknown privilege or evidence", ret->name);
        if (ret->interval_s < 1 || ret->deadline_s < 1)
                return err_set(err, -EINVAL, "check %s: interval_s and deadline_s must be 1 or more", ret->name);
        if (nm > METRICS_MAX || nr > RULES_MAX)
                return err_set(err, -EINVAL, "check %s: more than %d metrics or %d rules", ret->name, METRICS_MAX, RULES_MAX);
        ret->privilege = (enum privilege)privilege;
        ret->evidence = (enum evidence)evidence;
        ret->metrics = m = pool_alloc(c, nm * sizeof(*m));
        ret->rules = rr = pool_alloc(c, nr * sizeof(*rr));
        for (; ret->n_metrics < nm; ret->n_metrics++) {
                r = metric_from_json(c, json_array_get(metrics, ret->n_metrics), &m[ret->n_metrics], err);
                if (r < 0)
                        return r;
        }
        for (; ret->n_rules < nr; ret->n_rules++) {
                r = rule_from_json(c, json_array_get(rules, ret->n_rules), &rr[ret->n_rules], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int catalog_from_json(const json_t *doc, struct catalog *ret, struct errinfo *err)
{
        const json_t *list = json_object_get(doc, "checks");
        struct catalog c = { 0 };
        size_t n = json_array_size(list);

        if (json_integer_value(json_object_get(doc, "protocol")) != 1)
                return err_set(err, -EINVAL, "the catalogue is not of protocol 1");
        if (n > CATALOG_CHECKS_MAX)
                return err_set(err, -EINVAL, "the catalogue has more than %d checks", CATALOG_CHECKS_MAX);
        c.checks = pool_alloc(&c, n * sizeof(*c.checks));
        for (; c.n_checks < n; c.n_checks++) {
                int r = check_from_json(&c, json_array_get(list, c.n_checks), &c.checks[c.n_checks], err);

                if (r < 0) {
                        catalog_done(&c);
                        return r;
                }
        }
        c.several = (size_t)MIN(MAX(json_integer_value(json_object_get(doc, "several")), 1), CATALOG_SEVERAL_MAX);
        *ret = c;
        return 0;
}

void catalog_done(struct catalog *catalog)
{
        struct block *b = catalog->pool;

        while (b) {
                struct block *next = b->next;

                free(b);
                b = next;
        }
        *catalog = (struct catalog){ 0 };
}
