/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Who is told what, and when: for each contact the difference between what is and what was said last, gathered by cause,
 * within so many messages an hour. */

#include "alert_private.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define BELOW_MAX 64 /* components that one stands on */

static const char *const what_names[ALERT_WHAT_MAX] = {
        [ALERT_NEW] = "new",           [ALERT_WORSE] = "worse",         [ALERT_BETTER] = "better",     [ALERT_REPEAT] = "repeat",
        [ALERT_ESCALATED] = "escalated", [ALERT_PASSED] = "passed", [ALERT_RESOLVED] = "resolved",
};

const char *alert_what_name(enum alert_what what)
{
        assert(what < ALERT_WHAT_MAX);
        return what_names[what];
}

/* --- causes --------------------------------------------------------------------------------------------- */

/* The worst open level of a component of this host. */
static enum level open_level(const struct alerts *a, const char *host, const char *component)
{
        enum level level = LEVEL_OK;

        for (size_t i = alert_first_of(a, component); i < a->n && streq(a->list[i]->component, component); i++)
                if (streq(a->list[i]->host, host))
                        level = level_worse(level, a->list[i]->level);
        return level;
}

/* The component below this one whose trouble is the worst, of equals the deepest: what broke first. NULL: none. */
static const char *cause_of(const struct alerts *a, const char *host, const char *component)
{
        const char *below[BELOW_MAX], *found = NULL;
        enum level worst = LEVEL_WARNING;
        size_t n = a->policy.stands_on ? a->policy.stands_on(a->policy.data, component, below, BELOW_MAX) : 0;

        for (size_t i = 0; i < MIN(n, BELOW_MAX); i++) {
                enum level l = open_level(a, host, below[i]);

                if (l >= worst && !streq(below[i], component)) {
                        worst = l;
                        found = below[i];
                }
        }
        return found;
}

/* Alerts that are over keep the cause they had, so that they end in one message with it. */
static void find_causes(struct alerts *a)
{
        const struct alert *last = NULL; /* of the same component: the answer is the same */

        if (!a->causes_dirty)
                return;
        a->causes_dirty = false;
        for (size_t i = 0; i < a->n; i++) {
                struct alert *x = a->list[i];
                const char *root = x->component, *next;

                if (x->level == LEVEL_OK)
                        continue;
                if (last && streq(last->component, x->component) && streq(last->host, x->host)) {
                        next = last->cause;
                } else {
                        for (int depth = 0; depth < 8 && (next = cause_of(a, x->host, root)); depth++)
                                root = next;
                        next = streq(root, x->component) ? NULL : root;
                }
                free(take_ptr(x->cause));
                if (next)
                        alert_set(&x->cause, next, ALERT_NAME_MAX);
                last = x;
        }
}

static const char *group_of(const struct alert *x)
{
        return x->cause ? x->cause : x->component;
}

static int by_group(const void *p, const void *q)
{
        const struct alert *x = *(struct alert *const *)p, *y = *(struct alert *const *)q;
        int c = strcmp(x->host, y->host);

        c = c ? c : strcmp(group_of(x), group_of(y));
        if (c)
                return c;
        /* The cause itself first, then the worst. */
        if (!x->cause != !y->cause)
                return x->cause ? 1 : -1;
        if (x->level != y->level)
                return x->level > y->level ? -1 : 1;
        c = strcmp(x->component, y->component);
        return c ? c : strcmp(x->rule, y->rule);
}

/* --- one alert and one contact --------------------------------------------------------------------------- */

struct view {
        const struct alerts *a;
        size_t k; /* the contact */
        const struct alert_contact *contact;
        int64_t now_us;
        /* Of the group: when it was last told, as how bad, and how bad its cause itself was told. */
        int64_t group_us;
        enum level group_level, cause_level;
};

struct pending {
        struct alert *alert;
        int what; /* enum alert_what; -1: nothing */
        int64_t due_us;
        bool taken;
};

static int64_t backoff_us(unsigned repeats)
{
        static const int hours[] = { 1, 2, 4, 8, 16, 24 };

        return hours[MIN(repeats, ARRAY_LEN(hours) - 1)] * HOUR_US;
}

/* Somebody is told at once, so that acknowledging in time is possible. */
static bool somebody_hears(const struct alerts *a, const struct alert *x)
{
        for (size_t k = 0; k < a->policy.n_contacts; k++) {
                const struct alert_contact *c = &a->policy.contacts[k];

                if (c->step == 0 && x->level >= c->level && alert_contact_wants(c, x->component))
                        return true;
        }
        return false;
}

static bool explained(const struct view *v, const struct alert *x, enum level here)
{
        return x->cause && here <= v->cause_level;
}

/* When news of this level may go out. What the cause explains only goes along with other news, unless it is critical. */
static int64_t news_due(const struct view *v, const struct alert *x, enum level here)
{
        int64_t due = x->level_us + (here == LEVEL_CRITICAL ? 0 : ALERT_WAIT_US);

        if (here < LEVEL_CRITICAL && explained(v, x, here))
                return INT64_MAX;
        if (here <= v->group_level)
                due = MAX(due, v->group_us + (here == LEVEL_CRITICAL ? ALERT_MORE_CRITICAL_US : ALERT_MORE_US));
        return due;
}

static struct pending escalation(const struct view *v, struct alert *x, enum level here)
{
        int64_t base = x->first_told_us ? x->first_told_us : MAX(x->opened_us, v->a->maintenance.end_us);
        struct pending p = { .alert = x, .what = -1, .due_us = INT64_MAX };

        if (here == LEVEL_OK || x->acked || v->a->policy.escalate_us <= 0 || (!x->first_told_us && somebody_hears(v->a, x)))
                return p;
        p.what = ALERT_ESCALATED;
        p.due_us = explained(v, x, here) ? INT64_MAX : base + v->contact->step * v->a->policy.escalate_us;
        return p;
}

static struct pending first_news(const struct view *v, struct alert *x, enum level here)
{
        if (v->contact->step > 0)
                return escalation(v, x, here);
        if (here > LEVEL_OK)
                return (struct pending){ .alert = x, .what = ALERT_NEW, .due_us = news_due(v, x, here) };
        if (x->told[v->k].peak == LEVEL_CRITICAL)
                return (struct pending){ .alert = x, .what = ALERT_PASSED, .due_us = x->level_us };
        return (struct pending){ .alert = x, .what = -1, .due_us = INT64_MAX };
}

static struct pending look(const struct view *v, struct alert *x)
{
        const struct alert_told *t = &x->told[v->k];
        enum level here = x->level >= v->contact->level ? x->level : LEVEL_OK;
        struct pending p = { .alert = x, .what = -1, .due_us = INT64_MAX };
        bool told = t->ever && t->level > LEVEL_OK;

        if (told && here == LEVEL_OK) { /* also when it is silenced by now, or the contact wants no more of it: always resolved */
                p.what = ALERT_RESOLVED;
                p.due_us = x->level_us + ALERT_RESOLVED_US;
                return p;
        }
        if (!alert_contact_wants(v->contact, x->component) || alerts_is_silenced(v->a, x, v->now_us))
                return p;
        if (!told)
                return first_news(v, x, here);
        if (here > t->level) {
                p.what = ALERT_WORSE;
                p.due_us = news_due(v, x, here);
        } else if (t->peak == LEVEL_CRITICAL && t->level < LEVEL_CRITICAL) {
                p.what = ALERT_PASSED;
                p.due_us = x->level_us;
        } else if (here < t->level) {
                p.what = ALERT_BETTER;
                p.due_us = x->level_us + ALERT_BETTER_US;
        } else if (here >= LEVEL_WARNING && !x->acked && !explained(v, x, here)) {
                p.what = ALERT_REPEAT;
                p.due_us = t->at_us + backoff_us(t->repeats);
        }
        return p;
}

/* --- groups -------------------------------------------------------------------------------------------------- */

struct group {
        struct pending *items;
        size_t n;
        int64_t due_us;
        enum level level; /* the worst that is; what was critical and is over comes after what still is */
};

static void group_told(struct view *v, struct alert *const *list, size_t n)
{
        v->group_us = 0;
        v->group_level = v->cause_level = LEVEL_OK;
        for (size_t i = 0; i < n; i++) {
                const struct alert_told *t = &list[i]->told[v->k];

                if (!t->ever || t->level == LEVEL_OK || list[i]->level == LEVEL_OK)
                        continue;
                v->group_us = MAX(v->group_us, t->at_us);
                v->group_level = level_worse(v->group_level, t->level);
                if (!list[i]->cause)
                        v->cause_level = level_worse(v->cause_level, MIN(t->level, list[i]->level));
        }
}

static bool is_news(const struct pending *p)
{
        return p->what == ALERT_NEW || p->what == ALERT_WORSE || p->what == ALERT_ESCALATED || p->what == ALERT_PASSED;
}

static struct group look_at_group(struct view *v, struct alert *const *list, size_t n, struct pending *items)
{
        struct group g = { .items = items, .due_us = INT64_MAX };

        group_told(v, list, n);
        for (size_t i = 0; i < n; i++) {
                struct alert_told *t = &list[i]->told[v->k];
                struct pending p = look(v, list[i]);

                if (p.what < 0) {
                        /* Mild and over before it was told: not worth a word. */
                        if (list[i]->level < v->contact->level && !alerts_is_silenced(v->a, list[i], v->now_us))
                                t->peak = LEVEL_OK;
                        continue;
                }
                g.items[g.n++] = p;
                g.due_us = MIN(g.due_us, p.due_us);
                if (p.what != ALERT_RESOLVED)
                        g.level = level_worse(g.level, level_worse(list[i]->level, p.what == ALERT_PASSED ? LEVEL_WARNING : LEVEL_OK));
        }
        return g;
}

/* What of the group is part of a message now. */
static void take(struct group *g, int64_t now_us)
{
        bool repeats = false;

        for (size_t i = 0; i < g->n; i++)
                repeats |= g->items[i].what == ALERT_REPEAT && g->items[i].due_us <= now_us;
        for (size_t i = 0; i < g->n; i++)
                g->items[i].taken = g->items[i].due_us <= now_us || is_news(&g->items[i]) || (repeats && g->items[i].what == ALERT_REPEAT);
}

static bool has_news(const struct group *g)
{
        for (size_t i = 0; i < g->n; i++)
                if (is_news(&g->items[i]))
                        return true;
        return false;
}

static int worst_group_first(const void *p, const void *q)
{
        const struct group *x = p, *y = q;

        if (x->level != y->level)
                return x->level > y->level ? -1 : 1;
        return x->items < y->items ? -1 : x->items > y->items;
}

/* --- messages -------------------------------------------------------------------------------------------------- */

struct out {
        void (*emit)(void *data, const struct alert_message *message);
        void *data;
        struct alert_item *items;
};

static uint64_t hash_text(uint64_t h, const char *s)
{
        do
                h = (h ^ (unsigned char)*s) * 0x100000001b3u;
        while (*s++);
        return h;
}

/* Two hashes (FNV-1a) of what the message says about what: 128 bits are enough to tell a copy from another message. */
static void make_id(const struct alerts *a, size_t k, struct alert_message *m)
{
        static const uint64_t start[2] = { 0xcbf29ce484222325u, 0x6c62272e07bb0142u };

        for (int half = 0; half < 2; half++) {
                uint64_t h = hash_text(start[half], a->policy.contacts[k].name);

                for (size_t i = 0; i < m->n; i++) {
                        const struct alert *x = m->items[i].alert;
                        char numbers[96];

                        snprintf(numbers, sizeof(numbers), "%lld %d %d %u %u", (long long)x->opened_wall_us, (int)m->items[i].what,
                                 (int)x->level, x->told[k].repeats, x->changes);
                        h = hash_text(hash_text(hash_text(hash_text(h, x->host), x->component), x->rule), numbers);
                }
                snprintf(m->id + 16 * half, 17, "%016llx", (unsigned long long)h);
        }
}

static void remember(struct alerts *a, size_t k, struct alert *x, enum alert_what what, int64_t now_us)
{
        struct alert_told *t = &x->told[k];
        enum level here = x->level >= a->policy.contacts[k].level ? x->level : LEVEL_OK;

        t->repeats = what == ALERT_REPEAT ? t->repeats + 1 : what == ALERT_BETTER || what == ALERT_PASSED ? t->repeats : 0;
        t->ever = true;
        t->level = here;
        t->peak = LEVEL_OK;
        t->at_us = now_us;
        if (here > LEVEL_OK && a->policy.contacts[k].step == 0 && !x->first_told_us)
                x->first_told_us = now_us;
}

static bool is_urgent(const struct alert *x, int what)
{
        return x->level == LEVEL_CRITICAL && (what == ALERT_NEW || what == ALERT_WORSE || what == ALERT_ESCALATED);
}

static void say(struct alerts *a, size_t k, struct group *groups, size_t n, int64_t now_us, const struct out *out)
{
        struct alert_message m = { .contact = a->policy.contacts[k].name, .digest = n > 1, .now_us = now_us,
                                   .wall_us = alerts_wall_us(a, now_us), .items = out->items, .refused = a->counters.refused };
        bool urgent = false;

        for (size_t g = 0; g < n; g++)
                for (size_t i = 0; i < groups[g].n; i++) {
                        const struct pending *p = &groups[g].items[i];
                        const struct alert_told *t = &p->alert->told[k];

                        if (!p->taken)
                                continue;
                        out->items[m.n++] = (struct alert_item){ p->alert, (enum alert_what)p->what, t->ever ? t->level : LEVEL_OK, t->peak };
                        urgent |= is_urgent(p->alert, p->what);
                        if (p->what != ALERT_RESOLVED)
                                m.level = level_worse(m.level, p->what == ALERT_PASSED ? LEVEL_CRITICAL : p->alert->level);
                }
        if (m.n == 0)
                return;
        m.cause = group_of(m.items[0].alert);
        make_id(a, k, &m);
        out->emit(out->data, &m);
        a->counters.messages++;
        a->counters.digests += m.digest;
        for (size_t i = 0; i < m.n; i++)
                remember(a, k, (struct alert *)m.items[i].alert, m.items[i].what, now_us);
        alert_sent_add(&a->sent[k], urgent, now_us);
}

static bool is_urgent_now(const struct group *g, int64_t now_us)
{
        for (size_t i = 0; i < g->n; i++)
                if (g->items[i].due_us <= now_us && is_urgent(g->items[i].alert, g->items[i].what))
                        return true;
        return false;
}

/* groups: those of this contact with something to say, now or later. */
static int64_t say_due(struct alerts *a, size_t k, struct group *groups, size_t n, int64_t now_us, const struct out *out)
{
        size_t lately = alert_sent_lately(&a->sent[k], now_us), due = 0, chosen = 0;
        int64_t next = INT64_MAX, allowed;
        bool urgent = false;

        for (size_t i = 0; i < n; i++)
                if (groups[i].due_us <= now_us) {
                        due++;
                        urgent |= is_urgent_now(&groups[i], now_us);
                } else {
                        next = MIN(next, groups[i].due_us);
                }
        if (due == 0)
                return next;
        allowed = alert_sent_allowed_us(&a->sent[k], urgent, now_us);
        if (urgent && allowed > now_us) /* what else is due may have a place before that */
                allowed = MIN(allowed, alert_sent_allowed_us(&a->sent[k], false, now_us));
        if (lately + due > ALERT_SINGLES_AN_HOUR && allowed > now_us)
                return MIN(next, allowed);
        /* A digest takes along what else is new. */
        for (size_t i = 0; i < n; i++)
                if (groups[i].due_us <= now_us || (due > 1 && lately + due > ALERT_SINGLES_AN_HOUR && has_news(&groups[i]))) {
                        groups[chosen] = groups[i];
                        take(&groups[chosen++], now_us);
                }
        qsort(groups, chosen, sizeof(*groups), worst_group_first);
        if (lately + due > ALERT_SINGLES_AN_HOUR)
                say(a, k, groups, chosen, now_us, out);
        else
                for (size_t i = 0; i < chosen; i++)
                        say(a, k, &groups[i], 1, now_us, out);
        return MIN(next, now_us + USEC_PER_SEC); /* what was said has its next time: seen when asked again */
}

static int64_t step_contact(struct alerts *a, size_t k, struct alert *const *sorted, struct pending *items, struct group *groups,
                            int64_t now_us, const struct out *out)
{
        struct view v = { .a = a, .k = k, .contact = &a->policy.contacts[k], .now_us = now_us };
        size_t n_groups = 0;

        for (size_t i = 0, j; i < a->n; i = j) {
                for (j = i + 1; j < a->n && streq(group_of(sorted[j]), group_of(sorted[i])) && streq(sorted[j]->host, sorted[i]->host);)
                        j++;
                groups[n_groups] = look_at_group(&v, sorted + i, j - i, items + i);
                if (groups[n_groups].n > 0)
                        n_groups++;
        }
        return say_due(a, k, groups, n_groups, now_us, out);
}

static int64_t silences_next(const struct alerts *a)
{
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < a->n_silences; i++)
                next = MIN(next, a->silences[i].end_us);
        return next;
}

int64_t alerts_step(struct alerts *a, int64_t now_us, void (*emit)(void *data, const struct alert_message *message), void *data)
{
        _cleanup_free_ struct alert **sorted = NULL;
        _cleanup_free_ struct pending *items = NULL;
        _cleanup_free_ struct group *groups = NULL;
        _cleanup_free_ struct alert_item *said = NULL;
        struct out out = { .emit = emit, .data = data };
        int64_t next;

        alert_silences_expire(a, now_us);
        if (a->maintenance.end_us > now_us)
                return a->maintenance.end_us;
        if (a->n == 0 || a->policy.n_contacts == 0)
                return INT64_MAX;
        find_causes(a);
        sorted = calloc(a->n, sizeof(*sorted));
        items = calloc(a->n, sizeof(*items));
        groups = calloc(a->n, sizeof(*groups));
        said = calloc(a->n, sizeof(*said));
        if (!sorted || !items || !groups || !said)
                abort();
        out.items = said;
        memcpy(sorted, a->list, a->n * sizeof(*sorted));
        qsort(sorted, a->n, sizeof(*sorted), by_group);
        next = silences_next(a);
        for (size_t k = 0; k < a->policy.n_contacts; k++)
                next = MIN(next, step_contact(a, k, sorted, items, groups, now_us, &out));
        return next;
}
