/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Judgement that survives a restart or a reboot: baselines, levels with their since, windows. One object
 * per instance, under a key that moves with the part (its id where it has one). Times are stored as wall
 * clock and come back as the boot clock they would have had: negative before this boot. What is loaded is
 * checked like anything from outside. */

#include "judge_private.h"
#include "utf8.h"

#define PENDING_MAX 4096
#define DAY_US (86400 * USEC_PER_SEC)
#define WALL_MAX_US (1LL << 60) /* no clock shows that: 36,000 years */

void judge_save_key(const struct judge_instance *i, char *buf, size_t size)
{
        snprintf(buf, size, "state/%s/%s", i->check->name, *i->id ? i->id : i->name);
}

/* "metric{a=b,c=d}|rule": readable in the database, compared as text. */
static void rule_key(const struct judge_series *s, const struct rule *rule, char *buf, size_t size)
{
        const char *labels = s->labels, *n, *v;
        size_t len = (size_t)snprintf(buf, size, "%s{", s->metric->name);

        while (len < size && (labels = judge_label_next(labels, &n, &v)))
                len += (size_t)snprintf(buf + len, size - len, "%s=%s,", n, v);
        if (len < size)
                snprintf(buf + len, size - len, "}|%s", rule->name);
}

/* The two clocks are not read in the same microsecond: in whole seconds the same state gives the same bytes, and is no write. */
static int64_t steady(int64_t now_us, int64_t wall_us)
{
        return now_us + (wall_us - now_us + USEC_PER_SEC / 2) / USEC_PER_SEC * USEC_PER_SEC;
}

int64_t judge_to_wall(int64_t us, int64_t now_us, int64_t wall_us)
{
        return us ? us - now_us + steady(now_us, wall_us) : 0;
}

int64_t judge_from_wall(int64_t us, int64_t now_us, int64_t wall_us)
{
        int64_t t = us > 0 && us < WALL_MAX_US ? us - wall_us + now_us : 0;

        /* A clock that was wrong when it was saved must not put things into the future. */
        return MIN(t, now_us);
}

static bool worth_keeping(const struct rule *rule, const struct rule_state *st)
{
        return st->seen && (st->level > LEVEL_OK || st->accepted_us || rule->kind == RULE_CHANGE || (rule->kind == RULE_RATE && st->window) ||
                            (rule->after_good && st->baseline == 1));
}

/* The day of the last reading is enough to know what may have passed since; the hour would make a write of every poll. */
static json_t *save_powered(const struct judge_instance *i, int64_t now_us, int64_t wall_us)
{
        json_t *o = powered_clock_save(&i->powered);

        if (o)
                json_object_set_new(o, "at", json_integer(judge_to_wall(i->powered.at_us, now_us, wall_us) / DAY_US * DAY_US));
        return o;
}

static void load_powered(struct judge_instance *i, const json_t *o, int64_t now_us, int64_t wall_us)
{
        if (i->powered.begun)
                return;
        powered_clock_load(&i->powered, o);
        i->powered.at_us = judge_from_wall(json_integer_value(json_object_get(o, "at")), now_us, wall_us);
}

static void save_acceptance(json_t *o, const struct rule_state *st, int64_t now_us, int64_t wall_us)
{
        if (!st->accepted_us)
                return;
        json_object_set_new(o, "accepted", json_integer(judge_to_wall(st->accepted_us, now_us, wall_us)));
        if (!st->until_us)
                return;
        json_object_set_new(o, "until", json_integer(judge_to_wall(st->until_us, now_us, wall_us)));
        json_object_set_new(o, "before", json_real(st->before));
}

json_t *judge_save(const struct judge_instance *i, int64_t now_us, int64_t wall_us)
{
        json_t *rules = json_object(), *doc;

        for (size_t k = 0; k < i->n_series; k++)
                for (unsigned r = 0; r < i->series[k].n_rules; r++) {
                        const struct rule_state *st = &i->series[k].rules[r].state;
                        const struct rule *rule = i->series[k].rules[r].rule;
                        char key[2048];
                        json_t *o;

                        if (!worth_keeping(rule, st))
                                continue;
                        if (rule->after_good && st->level == LEVEL_OK) {
                                /* All there is to keep is that it was good once. The value would make a write of every poll. */
                                rule_key(&i->series[k], rule, key, sizeof(key));
                                o = json_pack("{si si ss}", "value", 1, "baseline", st->baseline == 1, "level", "ok");
                                save_acceptance(o, st, now_us, wall_us);
                                json_object_set_new(rules, key, o);
                                continue;
                        }
                        rule_key(&i->series[k], rule, key, sizeof(key));
                        o = json_pack("{sf sf ss sI sI}", "value", st->value, "baseline", st->baseline, "level", level_name(st->level),
                                      "changed", (json_int_t)judge_to_wall(st->changed_us, now_us, wall_us),
                                      "grown", (json_int_t)judge_to_wall(st->grown_us, now_us, wall_us));
                        if (isfinite(st->measure))
                                json_object_set_new(o, "measure", json_real(st->measure));
                        if (isfinite(st->limit))
                                json_object_set_new(o, "limit", json_real(st->limit));
                        save_acceptance(o, st, now_us, wall_us);
                        if (st->window && rule->kind == RULE_RATE)
                                json_object_set_new(o, "window", rule_window_save(st, steady(now_us, wall_us) - now_us));
                        json_object_set_new(rules, key, o);
                }
        doc = json_pack("{so sI}", "rules", rules, "wall", (json_int_t)wall_us);
        if (i->scorecard.now_us)
                json_object_set_new(doc, "scorecard", scorecard_save(&i->scorecard));
        if (i->powered.begun)
                json_object_set_new(doc, "powered", save_powered(i, now_us, wall_us));
        return doc;
}

static double number(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_number(v) ? json_number_value(v) : NAN;
}

/* An end that lies further ahead than anybody can ask for was written by a clock that was wrong: the acceptance ends with it. */
static void load_acceptance(struct rule_state *st, const json_t *o, int64_t now_us, int64_t wall_us)
{
        int64_t until = json_integer_value(json_object_get(o, "until"));

        st->accepted_us = judge_from_wall(json_integer_value(json_object_get(o, "accepted")), now_us, wall_us);
        if (!st->accepted_us || !json_object_get(o, "until"))
                return;
        st->until_us = until > 0 && until - wall_us <= ACCEPT_MAX_S * USEC_PER_SEC ? until - wall_us + now_us : now_us;
        st->until_us = st->until_us ? st->until_us : 1; /* 0 is for good */
        st->before = isnan(number(o, "before")) ? st->baseline : number(o, "before");
}

static void load_rule(struct judge_rule *r, const json_t *o, int64_t now_us, int64_t wall_us)
{
        struct rule_state *st = &r->state;
        const char *level = json_string_value(json_object_get(o, "level"));
        int l = level ? level_from_name(level) : -EINVAL;

        if (l < 0 || isnan(number(o, "value")))
                return;
        if (st->seen) {
                /* The store answered after the first reading: what grew in between is news all the same, but not what
                 * somebody has accepted since. */
                if (st->accepted_us)
                        return;
                if (r->rule->kind == RULE_CHANGE && number(o, "value") <= st->value)
                        load_acceptance(st, o, now_us, wall_us);
                if (r->rule->kind == RULE_CHANGE && number(o, "value") <= st->value && number(o, "baseline") < st->baseline) {
                        st->baseline = number(o, "baseline");
                        st->grown_us = now_us;
                }
                if (r->rule->after_good && number(o, "baseline") == 1)
                        st->baseline = 1;
                return;
        }
        st->seen = true;
        st->value = number(o, "value");
        st->baseline = isnan(number(o, "baseline")) ? st->value : number(o, "baseline");
        st->level = st->pending = (enum level)l;
        st->measure = number(o, "measure");
        st->limit = number(o, "limit");
        load_acceptance(st, o, now_us, wall_us);
        st->changed_us = judge_from_wall(json_integer_value(json_object_get(o, "changed")), now_us, wall_us);
        st->grown_us = judge_from_wall(json_integer_value(json_object_get(o, "grown")), now_us, wall_us);
        if (r->rule->kind == RULE_RATE)
                rule_window_load(r->rule, st, json_object_get(o, "window"), wall_us - now_us, now_us);
}

static const struct pending_state *find_pending(const struct judge *j, const struct judge_instance *i)
{
        char key[256];

        judge_save_key(i, key, sizeof(key));
        for (const struct pending_state *p = j->pending; p; p = p->next)
                if (streq(p->key, key))
                        return p;
        return NULL;
}

void judge_restore_series(struct judge *j, struct judge_instance *i, struct judge_series *s)
{
        const struct pending_state *p = s->n_rules ? find_pending(j, i) : NULL;
        const json_t *rules = p ? json_object_get(p->value, "rules") : NULL;

        for (unsigned r = 0; rules && r < s->n_rules; r++) {
                char key[2048];
                const json_t *o;

                rule_key(s, s->rules[r].rule, key, sizeof(key));
                o = json_object_get(rules, key);
                if (json_is_object(o))
                        load_rule(&s->rules[r], o, p->now_us, p->wall_us);
        }
}

/* "metric{a=b,c=d,}|rule" taken apart in place: the metric, and name, value, ..., NULL in pairs. */
static bool split_rule_key(char *key, const char *pairs[], size_t size)
{
        char *labels = strchr(key, '{'), *end = labels ? strstr(labels, "}|") : NULL, *comma;
        size_t n = 0;

        if (!end)
                return false;
        *end = *labels++ = '\0';
        for (; *labels; labels = comma + 1) {
                char *equals = strchr(labels, '=');

                comma = strchr(labels, ',');
                if (!comma || !equals || equals > comma || n + 2 >= size)
                        return false;
                *equals = *comma = '\0';
                pairs[n++] = labels;
                pairs[n++] = equals + 1;
        }
        pairs[n] = NULL;
        return true;
}

/* No reading will name the series of what is only told: what was counted before a restart stands until something is told again. */
static void restore_counted(struct judge *j, struct judge_instance *i, const json_t *rules, int64_t now_us)
{
        const char *key;
        json_t *o;

        json_object_foreach((json_t *)rules, key, o) {
                const char *pairs[33];
                struct judge_series *s;
                char copy[2048];

                snprintf(copy, sizeof(copy), "%s", key);
                if (!split_rule_key(copy, pairs, ARRAY_LEN(pairs)) || isnan(number(o, "value")))
                        continue;
                s = judge_series_get(j, i, copy, pairs);
                if (!s)
                        continue;
                if (!s->time_us) {
                        s->value = number(o, "value");
                        s->time_us = now_us;
                }
                s->component->dirty = true;
        }
}

void judge_restore(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        const struct pending_state *p = find_pending(j, i);

        if (!p)
                return;
        if (!i->scorecard.now_us)
                scorecard_load(&i->scorecard, json_object_get(p->value, "scorecard"));
        load_powered(i, json_object_get(p->value, "powered"), p->now_us, p->wall_us);
        for (size_t k = 0; k < i->n_series; k++)
                judge_restore_series(j, i, &i->series[k]);
        if (i->pushed)
                restore_counted(j, i, json_object_get(p->value, "rules"), now_us);
}

json_t *judge_save_component(const struct judge_component *c, int64_t now_us, int64_t wall_us)
{
        if (c->level == LEVEL_OK || !c->settled)
                return NULL;
        return json_pack("{ss ss ss ss so sI}", "level", level_name(c->level), "kind", c->kind, "check", c->check_name, "rule", c->rule_name, "why",
                         utf8_json(c->why), "since", (json_int_t)judge_to_wall(c->since_us, now_us, wall_us));
}

static void load_component(struct judge *j, const char *name, const json_t *o, int64_t now_us, int64_t wall_us)
{
        const char *level = json_string_value(json_object_get(o, "level")), *kind = json_string_value(json_object_get(o, "kind"));
        const char *why = json_string_value(json_object_get(o, "why")), *rule = json_string_value(json_object_get(o, "rule"));
        const char *check = json_string_value(json_object_get(o, "check"));
        int l = level ? level_from_name(level) : -EINVAL;
        struct judge_component *c;

        if (l < 0 || !kind || !why || !rule || !*name || strlen(name) > 200)
                return;
        c = judge_component_get(j, name, kind, "");
        if (c->settled)
                return;
        c->level = c->told = (enum level)l;
        c->since_us = judge_from_wall(json_integer_value(json_object_get(o, "since")), now_us, wall_us);
        c->settled = c->held = true;
        snprintf(c->why, sizeof(c->why), "%s", why);
        snprintf(c->rule_name, sizeof(c->rule_name), "%s", rule);
        snprintf(c->check_name, sizeof(c->check_name), "%s", check ? check : "");
        c->held_us = now_us;
}

/* The place for this key; NULL: there are too many. */
static struct pending_state *pending_get(struct judge *j, const char *key)
{
        struct pending_state **p;
        size_t n = 0;

        for (p = &j->pending; *p; p = &(*p)->next, n++)
                if (streq((*p)->key, key))
                        return *p;
        if (n >= PENDING_MAX) {
                j->limits |= LIMIT_BIT(LIMIT_MEMORY);
                return NULL;
        }
        *p = judge_alloc(1, sizeof(**p));
        (*p)->key = judge_strdup(key);
        return *p;
}

static void pending_set(struct pending_state *s, json_t *value, int64_t now_us, int64_t wall_us)
{
        json_decref(s->value);
        s->value = value;
        s->now_us = now_us;
        s->wall_us = wall_us;
}

void judge_remember(struct judge *j, const struct judge_instance *i, int64_t now_us)
{
        struct pending_state *s;
        char key[256];

        judge_save_key(i, key, sizeof(key));
        s = pending_get(j, key);
        if (!s)
                return;
        pending_set(s, judge_save(i, now_us, now_us), now_us, now_us);
        s->own = true;
}

/* Of two memories the one that was written later; RUN and the store both have one. */
static bool is_newer(const struct pending_state *s, const json_t *value)
{
        return !s->own && (!s->value || json_integer_value(json_object_get(value, "wall")) >= json_integer_value(json_object_get(s->value, "wall")));
}

void judge_load(struct judge *j, const char *key, const json_t *value, int64_t now_us, int64_t wall_us)
{
        struct pending_state *s;

        if (str_starts(key, "component/"))
                load_component(j, key + strlen("component/"), value, now_us, wall_us);
        judge_load_present(j, key, value, now_us, wall_us);
        if (!str_starts(key, "state/") || !json_is_object(value))
                return;
        s = pending_get(j, key);
        if (!s || !is_newer(s, value))
                return;
        pending_set(s, json_deep_copy(value), now_us, wall_us);
        /* Instances that were found before the store answered. */
        for (struct judge_instance *i = j->instances; i; i = i->next)
                if (find_pending(j, i) == s)
                        judge_restore(j, i, now_us);
}

limit_set judge_take_limits(struct judge *j)
{
        limit_set limits = j->limits;

        if (j->topology && topology_take_cut(j->topology))
                limits |= LIMIT_BIT(LIMIT_TOPOLOGY);
        j->limits = 0;
        return limits;
}

void judge_inherit(struct judge *to, const struct judge *from)
{
        for (const struct pending_state *p = from->pending; p; p = p->next) {
                struct pending_state *s = pending_get(to, p->key);

                if (!s || s->value)
                        continue;
                pending_set(s, json_incref(p->value), p->now_us, p->wall_us);
                s->own = p->own;
        }
}
