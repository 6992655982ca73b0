/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The table of alerts: what is open, and what people said about it. When who is told is in alert_step.c. */

#include <fnmatch.h>
#include <math.h>

#include "alert_private.h"

static void *checked(void *p)
{
        if (!p)
                abort();
        return p;
}

void alert_set(char **p, const char *s, size_t max)
{
        char *copy = checked(strndup(s ? s : "", max));
        json_t *utf8 = json_string(copy);

        for (unsigned char *c = (unsigned char *)copy; *c; c++)
                if (*c < ' ' || *c == 0x7f)
                        *c = ' ';
                else if (*c >= 0x80 && !utf8)
                        *c = '?';
        json_decref(utf8);
        free(*p);
        *p = copy;
}

static void alert_free(struct alert *x)
{
        free(x->host);
        free(x->component);
        free(x->rule);
        free(x->kind);
        free(x->text);
        free(x->clears);
        free(x->check);
        free(x->instance);
        free(x->acked_by);
        free(x->acked_why);
        free(x->cause);
        free(x->told);
        free(x);
}

static void silence_done(struct alert_silence *s)
{
        free(s->host);
        free(s->component);
        free(s->rule);
        free(s->by);
        free(s->why);
}

struct alerts *alerts_new(void)
{
        return checked(calloc(1, sizeof(struct alerts)));
}

struct alerts *alerts_free(struct alerts *a)
{
        if (!a)
                return NULL;
        for (size_t i = 0; i < a->n; i++)
                alert_free(a->list[i]);
        for (size_t i = 0; i < a->n_silences; i++)
                silence_done(&a->silences[i]);
        free(a->maintenance.by);
        free(a->maintenance.why);
        free(a->list);
        free(a);
        return NULL;
}

void alerts_clock(struct alerts *a, int64_t now_us, int64_t wall_us)
{
        a->wall_less_boot_us = wall_us - now_us;
}

int64_t alerts_wall_us(const struct alerts *a, int64_t us)
{
        return us + a->wall_less_boot_us;
}

/* --- contacts --------------------------------------------------------------------------------------- */

bool alert_contact_wants(const struct alert_contact *c, const char *component)
{
        char copy[sizeof(c->components)], *save = NULL;

        if (!*c->components)
                return true;
        memcpy(copy, c->components, sizeof(copy));
        for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
                if (fnmatch(p, component, 0) == 0)
                        return true;
        return false;
}

/* What each of the new contacts was called before; -1: it is new. */
static void contacts_before(const struct alert_policy *old, const struct alert_policy *new, int ret[ALERT_CONTACTS_MAX])
{
        for (size_t i = 0; i < new->n_contacts; i++) {
                ret[i] = -1;
                for (size_t k = 0; k < old->n_contacts; k++)
                        if (streq(old->contacts[k].name, new->contacts[i].name))
                                ret[i] = (int)k;
        }
}

void alerts_policy(struct alerts *a, const struct alert_policy *policy)
{
        struct alert_sent sent[ALERT_CONTACTS_MAX] = { 0 };
        int before[ALERT_CONTACTS_MAX];

        assert(policy->n_contacts <= ALERT_CONTACTS_MAX);
        contacts_before(&a->policy, policy, before);
        for (size_t k = 0; k < policy->n_contacts; k++)
                if (before[k] >= 0)
                        sent[k] = a->sent[before[k]];
        for (size_t i = 0; i < a->n; i++) {
                struct alert_told *told = checked(calloc(ALERT_CONTACTS_MAX, sizeof(*told)));

                for (size_t k = 0; k < policy->n_contacts; k++)
                        if (before[k] >= 0)
                                told[k] = a->list[i]->told[before[k]];
                free(a->list[i]->told);
                a->list[i]->told = told;
        }
        memcpy(a->sent, sent, sizeof(sent));
        a->policy = *policy;
        a->causes_dirty = true;
}

const struct alert_policy *alerts_policy_get(const struct alerts *a)
{
        return &a->policy;
}

/* --- the table ---------------------------------------------------------------------------------------- */

static int compare(const struct alert *x, const char *host, const char *component, const char *rule)
{
        int c = strcmp(x->component, component);

        c = c ? c : strcmp(x->rule, rule);
        return c ? c : strcmp(x->host, host);
}

struct alert *alert_find(const struct alerts *a, const char *host, const char *component, const char *rule, size_t *ret_at)
{
        size_t low = 0, high = a->n;

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = compare(a->list[mid], host, component, rule);

                if (c == 0) {
                        *ret_at = mid;
                        return a->list[mid];
                }
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        *ret_at = low;
        return NULL;
}

size_t alert_first_of(const struct alerts *a, const char *component)
{
        size_t at;

        alert_find(a, "", component, "", &at);
        return at;
}

static void remove_at(struct alerts *a, size_t i)
{
        alert_free(a->list[i]);
        memmove(&a->list[i], &a->list[i + 1], (a->n - i - 1) * sizeof(*a->list));
        a->n--;
        a->causes_dirty = true;
}

/* The worst that somebody has still to hear of it, or that it is. */
static enum level matters(const struct alerts *a, const struct alert *x)
{
        enum level level = x->level;

        for (size_t k = 0; k < a->policy.n_contacts; k++)
                level = level_worse(level, level_worse(x->told[k].peak, x->told[k].ever ? x->told[k].level : LEVEL_OK));
        return level;
}

/* Room for an alert of this level at the cost of one that matters less. */
static bool make_room(struct alerts *a, enum level level)
{
        size_t least = a->n;
        enum level least_level = level;

        if (a->n < ALERTS_MAX)
                return true;
        for (size_t i = 0; i < a->n && least_level > LEVEL_OK; i++) {
                enum level l = matters(a, a->list[i]);

                if (l < least_level) {
                        least = i;
                        least_level = l;
                }
        }
        if (least_level > LEVEL_OK || least == a->n)
                a->counters.refused++;
        if (least == a->n)
                return false;
        remove_at(a, least);
        return true;
}

struct alert *alert_insert(struct alerts *a, const char *host, const char *component, const char *rule, enum level level)
{
        struct alert *x;
        size_t at;

        if (!make_room(a, level))
                return NULL;
        if (a->n == a->size) {
                a->size = a->size ? a->size * 2 : 16;
                a->list = checked(reallocarray(a->list, a->size, sizeof(*a->list)));
        }
        x = checked(calloc(1, sizeof(*x)));
        x->told = checked(calloc(ALERT_CONTACTS_MAX, sizeof(*x->told)));
        x->value = NAN;
        alert_set(&x->host, host, ALERT_NAME_MAX);
        alert_set(&x->component, component, ALERT_NAME_MAX);
        alert_set(&x->rule, rule, ALERT_NAME_MAX);
        alert_set(&x->kind, NULL, 0);
        alert_set(&x->text, NULL, 0);
        alert_set(&x->clears, NULL, 0);
        alert_set(&x->check, NULL, 0);
        alert_set(&x->instance, NULL, 0);
        alert_find(a, x->host, x->component, x->rule, &at);
        memmove(&a->list[at + 1], &a->list[at], (a->n - at) * sizeof(*a->list));
        a->list[at] = x;
        a->n++;
        a->causes_dirty = true;
        return x;
}

/* Opens anew: what was said of an earlier time is over, unless its end, or that it was critical, was not yet told: then it
 * is still the same story. */
static void reopen(struct alerts *a, struct alert *x, int64_t now_us)
{
        bool untold = false;

        for (size_t k = 0; k < a->policy.n_contacts; k++)
                untold |= (x->told[k].ever && x->told[k].level > LEVEL_OK) || x->told[k].peak == LEVEL_CRITICAL;
        if (untold)
                return;
        memset(x->told, 0, ALERT_CONTACTS_MAX * sizeof(*x->told));
        x->opened_us = now_us;
        x->opened_wall_us = alerts_wall_us(a, now_us);
        x->first_told_us = 0;
        x->changes = 0;
        x->worst = LEVEL_OK;
}

static void unack(struct alert *x)
{
        x->acked = false;
        free(take_ptr(x->acked_by));
        free(take_ptr(x->acked_why));
}

void alert_level(struct alerts *a, struct alert *x, enum level level, int64_t now_us)
{
        if (x->level == level)
                return;
        if (x->level == LEVEL_OK)
                reopen(a, x, now_us);
        if (level > x->level || level == LEVEL_OK)
                unack(x); /* what was acknowledged was something milder, or another time */
        if (x->level == LEVEL_OK || level == LEVEL_OK)
                a->causes_dirty = true;
        x->level = level;
        x->level_us = now_us;
        x->worst = level_worse(x->worst, level);
        x->changes++;
        for (size_t k = 0; k < a->policy.n_contacts && !alerts_is_silenced(a, x, now_us); k++) {
                const struct alert_contact *c = &a->policy.contacts[k];

                if (level >= c->level && (c->step == 0 || x->told[k].ever) && alert_contact_wants(c, x->component))
                        x->told[k].peak = level_worse(x->told[k].peak, level);
        }
}

static void take_input(struct alerts *a, const struct alert_about *about, const struct alert_input *in, int64_t now_us)
{
        char *rule = NULL, *component = NULL, *host = NULL;
        struct alert *x;
        size_t at;

        /* Looked up by what is stored: names are cut and cleaned. */
        alert_set(&rule, in->rule, ALERT_NAME_MAX);
        alert_set(&component, about->component, ALERT_NAME_MAX);
        alert_set(&host, about->host, ALERT_NAME_MAX);
        x = alert_find(a, host, component, rule, &at);
        if (!x)
                x = alert_insert(a, host, component, rule, in->level);
        free(rule);
        free(component);
        free(host);
        if (!x)
                return;
        x->seen = true;
        alert_set(&x->kind, about->kind, ALERT_NAME_MAX);
        alert_set(&x->text, in->text, ALERT_TEXT_MAX);
        alert_set(&x->clears, in->clears, ALERT_TEXT_MAX);
        alert_set(&x->check, in->check, ALERT_NAME_MAX);
        alert_set(&x->instance, in->instance, ALERT_NAME_MAX);
        x->value = in->value;
        x->read_us = in->read_us;
        x->roles = about->roles;
        x->protected_ = about->protected_;
        alert_level(a, x, in->level, now_us);
}

void alerts_component(struct alerts *a, const struct alert_about *about, const struct alert_input *reasons, size_t n, int64_t now_us)
{
        char *component = NULL, *host = NULL;

        alert_set(&component, about->component, ALERT_NAME_MAX);
        alert_set(&host, about->host, ALERT_NAME_MAX);
        for (size_t i = alert_first_of(a, component); i < a->n && streq(a->list[i]->component, component); i++)
                a->list[i]->seen = !streq(a->list[i]->host, host);
        for (size_t i = 0; i < n; i++)
                if (reasons[i].level > LEVEL_OK)
                        take_input(a, about, &reasons[i], now_us);
        for (size_t i = alert_first_of(a, component); i < a->n && streq(a->list[i]->component, component); i++) {
                if (!a->list[i]->seen)
                        alert_level(a, a->list[i], LEVEL_OK, now_us);
                a->list[i]->seen = true;
        }
        free(component);
        free(host);
}

void alerts_sweep_begin(struct alerts *a, const char *host)
{
        for (size_t i = 0; i < a->n; i++)
                if (streq(a->list[i]->host, host))
                        a->list[i]->seen = false;
}

void alerts_sweep_keep(struct alerts *a, const char *host, const char *component)
{
        for (size_t i = alert_first_of(a, component); i < a->n && streq(a->list[i]->component, component); i++)
                if (streq(a->list[i]->host, host))
                        a->list[i]->seen = true;
}

void alerts_sweep_end(struct alerts *a, const char *host, int64_t now_us)
{
        for (size_t i = 0; i < a->n; i++)
                if (!a->list[i]->seen && streq(a->list[i]->host, host))
                        alert_level(a, a->list[i], LEVEL_OK, now_us);
        /* Here, once a round, what is over for long and known to all goes. */
        for (size_t i = a->n; i-- > 0;)
                if (a->list[i]->level == LEVEL_OK && now_us - a->list[i]->level_us > ALERT_KEEP_US && matters(a, a->list[i]) == LEVEL_OK)
                        remove_at(a, i);
}

/* --- what people say ------------------------------------------------------------------------------------ */

int alerts_ack(struct alerts *a, const char *component, const char *rule, const char *by, const char *why, int64_t now_us)
{
        int n = 0;

        for (size_t i = alert_first_of(a, component); i < a->n && streq(a->list[i]->component, component); i++) {
                struct alert *x = a->list[i];

                if (x->level == LEVEL_OK || (rule && !streq(rule, x->rule)))
                        continue;
                x->acked = true;
                x->acked_us = now_us;
                alert_set(&x->acked_by, by, ALERT_NAME_MAX);
                alert_set(&x->acked_why, why, ALERT_TEXT_MAX);
                n++;
        }
        return n ? n : -ENOENT;
}

void alert_silences_expire(struct alerts *a, int64_t now_us)
{
        size_t kept = 0;

        for (size_t i = 0; i < a->n_silences; i++)
                if (a->silences[i].end_us > now_us)
                        a->silences[kept++] = a->silences[i];
                else
                        silence_done(&a->silences[i]);
        a->n_silences = kept;
}

static bool silence_matches(const struct alert_silence *s, const struct alert *x)
{
        return fnmatch(s->host, x->host, 0) == 0 && fnmatch(s->component, x->component, 0) == 0 && fnmatch(s->rule, x->rule, 0) == 0;
}

bool alerts_is_silenced(const struct alerts *a, const struct alert *x, int64_t now_us)
{
        for (size_t i = 0; i < a->n_silences; i++)
                if (a->silences[i].end_us > now_us && silence_matches(&a->silences[i], x))
                        return true;
        return false;
}

int alerts_silence(struct alerts *a, const char *host, const char *component, const char *rule, int64_t end_us, const char *by,
                   const char *why, int64_t now_us)
{
        struct alert_silence s = { .from_us = now_us, .end_us = end_us };

        alert_silences_expire(a, now_us);
        if (end_us <= now_us)
                return -EINVAL;
        if (a->n_silences == ALERT_SILENCES_MAX)
                return -E2BIG;
        s.id = a->last_silence = a->last_silence >= 999999 ? 1 : a->last_silence + 1;
        alert_set(&s.host, host ? host : "*", ALERT_NAME_MAX);
        alert_set(&s.component, component ? component : "*", ALERT_NAME_MAX);
        alert_set(&s.rule, rule ? rule : "*", ALERT_NAME_MAX);
        alert_set(&s.by, by, ALERT_NAME_MAX);
        alert_set(&s.why, why, ALERT_TEXT_MAX);
        a->silences[a->n_silences++] = s;
        /* What came and went, and nobody was told of, belongs to what is silenced. */
        for (size_t i = 0; i < a->n; i++)
                for (size_t k = 0; k < a->policy.n_contacts && silence_matches(&s, a->list[i]); k++)
                        a->list[i]->told[k].peak = LEVEL_OK;
        return (int)s.id;
}

int alerts_silence_end(struct alerts *a, unsigned id, int64_t now_us)
{
        for (size_t i = 0; i < a->n_silences; i++)
                if (a->silences[i].id == id && a->silences[i].end_us > now_us) {
                        a->silences[i].end_us = now_us;
                        alert_silences_expire(a, now_us);
                        return 0;
                }
        return -ENOENT;
}

void alerts_maintain(struct alerts *a, int64_t end_us, const char *by, const char *why, int64_t now_us)
{
        a->maintenance.from_us = now_us;
        a->maintenance.end_us = MAX(end_us, now_us);
        alert_set(&a->maintenance.by, by, ALERT_NAME_MAX);
        alert_set(&a->maintenance.why, why, ALERT_TEXT_MAX);
}

/* --- to look at ------------------------------------------------------------------------------------------ */

size_t alerts_n(const struct alerts *a)
{
        return a->n;
}

const struct alert *alerts_at(const struct alerts *a, size_t i)
{
        assert(i < a->n);
        return a->list[i];
}

size_t alerts_silences_n(const struct alerts *a)
{
        return a->n_silences;
}

const struct alert_silence *alerts_silence_at(const struct alerts *a, size_t i)
{
        assert(i < a->n_silences);
        return &a->silences[i];
}

const struct alert_maintenance *alerts_maintenance(const struct alerts *a)
{
        return &a->maintenance;
}

const struct alert_counters *alerts_counters(const struct alerts *a)
{
        return &a->counters;
}
