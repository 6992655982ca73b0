/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs hooks, or says what it would run, when the health of the host changes or a rule finds something. What was answered is in
 * RUN/hooks.json before veille-act is asked, and again when it has answered, so that a brain that dies neither repeats a run nor
 * forgets one; and in the store, for a reboot. A run that nobody saw the end of is "unknown", and not repeated. */

#include <sys/random.h>

#include "alert.h"
#include "brain_alert.h"
#include "brain_hook.h"

#define EVERY_US USEC_PER_SEC
#define SOON_US (50 * USEC_PER_MSEC)

static int64_t now_s(void)
{
        return brain_wall_us() / USEC_PER_SEC;
}

/* To the millisecond, for people. */
static double wall_s(void)
{
        int64_t ms = brain_wall_us() / USEC_PER_MSEC;

        return (double)ms / 1000;
}

struct hook *hook_find(struct brain *b, const char *name)
{
        for (size_t i = 0; b->hook && i < b->hook->n; i++)
                if (streq(b->hook->hooks[i].config.name, name))
                        return &b->hook->hooks[i];
        return NULL;
}

static void event(struct brain *b, const struct hook *h, enum level level, const char *component, const char *text)
{
        brain_store_event(b, NULL, brain_wall_us(), component && *component ? component : "host", "hook", level, h->config.name, text);
        brain_log(b, level > LEVEL_NOTICE ? BRAIN_WARNING : BRAIN_NOTICE, "%s", text);
}

/* --- a run ----------------------------------------------------------------------------------------------------------- */

json_t *hook_about(struct brain *b, const struct hook *h, const char *on)
{
        unsigned char random[8];
        char id[17];

        if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
                memcpy(random, &(int64_t){ brain_now_us() }, sizeof(random));
        for (size_t i = 0; i < sizeof(random); i++)
                snprintf(id + 2 * i, 3, "%02x", random[i]);
        return json_pack("{si ss ss ss ss ss sf ss ss}", "version", 1, "id", id, "hook", h->config.name, "class", hook_class_name(h->config.class),
                         "host", b->host, "on", on, "time", wall_s(), "mode", hook_mode_name(b->hook->mode),
                         "health", health_name(judge_health(b->judge).health));
}

static const char *text_of(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

void hook_begin(struct brain *b, struct hook *h, json_t *about)
{
        char text[700];
        int r;

        json_decref(h->running);
        h->running = json_incref(about);
        json_object_set_new(h->running, "started", json_real(wall_s()));
        h->memory.busy = true;
        h->waits[0] = '\0';
        hook_ran(&h->config, &h->memory, text_of(about, "component"), now_s());
        snprintf(text, sizeof(text), "hook %s begins, on %s%s%.300s", h->config.name, text_of(about, "on"), *text_of(about, "text") ? ": " : "",
                 text_of(about, "text"));
        event(b, h, LEVEL_NOTICE, text_of(about, "component"), text);
        hook_write(b); /* on record, then it is done */
        r = hook_run_start(b, h);
        if (r < 0)
                hook_end(b, h, NULL, "failed", strerror(-r));
}

void hook_end(struct brain *b, struct hook *h, const json_t *result, const char *outcome, const char *why)
{
        int64_t status = result ? json_integer_value(json_object_get(result, "status")) : -1;
        bool good = result && streq(outcome, "exited") && status == 0;
        char text[900];

        if (result && streq(outcome, "exited"))
                snprintf(text, sizeof(text), "hook %s ended with exit status %lld", h->config.name, (long long)status);
        else if (result && streq(outcome, "deadline"))
                snprintf(text, sizeof(text), "hook %s did not end within %lld s and was ended", h->config.name, (long long)h->config.deadline_s);
        else if (result && streq(outcome, "killed"))
                snprintf(text, sizeof(text), "hook %s was ended by signal %lld", h->config.name,
                         (long long)json_integer_value(json_object_get(result, "signal")));
        else
                snprintf(text, sizeof(text), "hook %s: %s", h->config.name, *why ? why : result ? text_of(result, "output") : outcome);
        json_decref(h->last);
        h->last = h->running ? json_deep_copy(h->running) : json_pack("{ss}", "id", "");
        if (result) {
                json_t *copy = json_deep_copy(result);

                json_object_update_missing(h->last, copy);
                json_decref(copy);
                json_object_del(h->last, "ok");
        }
        json_object_set_new(h->last, "outcome", json_string(outcome));
        json_object_set_new(h->last, "summary", json_string(text));
        json_object_set_new(h->last, "ended", json_real(wall_s()));
        event(b, h, good ? LEVEL_NOTICE : LEVEL_WARNING, text_of(h->last, "component"), text);
        json_decref(take_ptr(h->running));
        h->memory.busy = h->asked != NULL;
        b->hook->changed = true;
        brain_hook_soon(b);
}

/* --- causes ------------------------------------------------------------------------------------------------------------ */

/* Answers one cause that stands. about: of hook_about(), taken. */
static void answer(struct brain *b, struct hook *h, const char *key, const char *on, json_t *about)
{
        const char *component = text_of(about, "component");
        char text[700], why[256] = "";

        switch (hook_plan(&h->config, b->hook->mode, &h->memory, key, component, now_s(), why, sizeof(why))) {
        case HOOK_NOTHING:
                break;
        case HOOK_WAIT:
                if (!streq(h->told, key)) { /* once a cause; the sentence itself changes every second */
                        snprintf(text, sizeof(text), "hook %s is not run now on %s: %s", h->config.name, on, why);
                        event(b, h, LEVEL_NOTICE, component, text);
                        snprintf(h->told, sizeof(h->told), "%s", key);
                        b->hook->changed = true;
                }
                snprintf(h->waits, sizeof(h->waits), "%s", why);
                break;
        case HOOK_SAY:
                hook_answered(&h->memory, key, now_s());
                snprintf(text, sizeof(text), "hook %s would be run, on %s%s%.300s ([hooks] mode = advise)", h->config.name, on,
                         *text_of(about, "text") ? ": " : "", text_of(about, "text"));
                json_decref(h->last);
                h->last = json_incref(about);
                json_object_set_new(h->last, "outcome", json_string("advised"));
                json_object_set_new(h->last, "summary", json_string(text));
                json_object_set_new(h->last, "ended", json_real(wall_s()));
                event(b, h, LEVEL_NOTICE, component, text);
                b->hook->changed = true;
                break;
        case HOOK_ASK:
                hook_answered(&h->memory, key, now_s());
                h->asked = json_incref(about);
                h->memory.busy = true;
                snprintf(h->asked_key, sizeof(h->asked_key), "%s", key);
                snprintf(text, sizeof(text), "hook %s is to be confirmed, on %s: veillectl hooks confirm %s", h->config.name, on, h->config.name);
                event(b, h, LEVEL_WARNING, component, text);
                b->hook->changed = true;
                break;
        case HOOK_RUN:
                hook_answered(&h->memory, key, now_s());
                hook_begin(b, h, about);
                break;
        }
        json_decref(about);
}

static void on_rule(struct brain *b, const struct alert *a)
{
        char on[HOOK_NAME_LEN + 16], key[256];

        snprintf(on, sizeof(on), "rule:%s", a->rule);
        snprintf(key, sizeof(key), "%s %.100s", on, a->component);
        for (size_t i = 0; i < b->hook->n; i++) {
                struct hook *h = &b->hook->hooks[i];
                json_t *about;

                if (!hook_wants(&h->config, on) || json_object_get(h->memory.seen, key))
                        continue;
                about = hook_about(b, h, on);
                json_object_set_new(about, "component", json_string(a->component));
                json_object_set_new(about, "instance", json_string(a->instance ? a->instance : ""));
                json_object_set_new(about, "rule", json_string(a->rule));
                json_object_set_new(about, "level", json_string(level_name(a->level)));
                json_object_set_new(about, "text", json_string(a->text ? a->text : ""));
                answer(b, h, key, on, about);
        }
}

static void on_fixed(struct brain *b, const char *on, const char *before, const char *text)
{
        for (size_t i = 0; i < b->hook->n; i++) {
                struct hook *h = &b->hook->hooks[i];
                json_t *about;

                if (!hook_wants(&h->config, on) || json_object_get(h->memory.seen, on))
                        continue;
                about = hook_about(b, h, on);
                json_object_set_new(about, "health_before", json_string(before));
                json_object_set_new(about, "text", json_string(text));
                answer(b, h, on, on, about);
        }
}

/* Worse is believed at once; better only when everything has been looked at. */
static void look_at_health(struct brain *b)
{
        struct health_result now = judge_health(b->judge);
        struct brain_hook *all = b->hook;
        const char *before = all->health_known ? health_name(all->health) : "";
        char on[32];

        if ((!all->health_known || now.health < all->health) && !brain_alert_all_known(b) && now.health < HEALTH_RED)
                return;
        snprintf(on, sizeof(on), "health:%s", health_name(now.health));
        /* green is a change only where something was wrong before */
        if (all->health_known || now.health != HEALTH_GREEN)
                on_fixed(b, on, before, now.why);
        if (all->health_known && all->health == now.health)
                return;
        all->health = now.health;
        all->health_known = true;
        all->changed = true;
}

static bool stands(void *data, const char *key)
{
        struct brain *b = data;
        const struct alerts *a = b->alert->alerts;
        char text[256];

        if (str_starts(key, "health:"))
                return b->hook->health_known && streq(key + strlen("health:"), health_name(b->hook->health));
        if (!str_starts(key, "rule:"))
                return true;
        for (size_t i = 0; i < alerts_n(a); i++) {
                const struct alert *x = alerts_at(a, i);

                snprintf(text, sizeof(text), "rule:%.79s %.100s", x->rule, x->component);
                if (x->level >= LEVEL_WARNING && streq(text, key))
                        return true;
        }
        return false;
}

static void forget_past(struct brain *b)
{
        for (size_t i = 0; i < b->hook->n; i++) {
                struct hook *h = &b->hook->hooks[i];

                b->hook->changed |= hook_forget(&h->memory, stands, b);
                if (*h->told && !stands(b, h->told)) {
                        h->told[0] = '\0';
                        h->waits[0] = '\0';
                }
                if (h->asked && !stands(b, h->asked_key)) { /* over before anybody confirmed */
                        event(b, h, LEVEL_NOTICE, text_of(h->asked, "component"), "what the hook was to be confirmed for is over");
                        json_decref(take_ptr(h->asked));
                        h->memory.busy = h->running != NULL;
                        b->hook->changed = true;
                }
        }
}

static void look(struct brain *b)
{
        const struct alerts *a = b->alert->alerts;

        if (alerts_maintenance(a)->end_us > brain_now_us()) { /* somebody works here; what still stands at its end is answered then */
                forget_past(b);
                return;
        }
        look_at_health(b);
        if (!b->state_loaded)
                on_fixed(b, "event:started", "", "first start of veilled after a boot");
        for (size_t i = 0; i < alerts_n(a); i++)
                if (alerts_at(a, i)->level >= LEVEL_WARNING)
                        on_rule(b, alerts_at(a, i));
        forget_past(b);
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain *b = data;

        /* What the store remembers comes first: else everything would be new again. */
        if (b->hook->n && b->alert && brain_store_loaded(b))
                look(b);
        if (b->hook->changed)
                hook_write(b);
        sd_event_source_set_time_relative(source, EVERY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void brain_hook_soon(struct brain *b)
{
        if (!b->hook || !b->hook->timer)
                return;
        sd_event_source_set_time_relative(b->hook->timer, SOON_US);
        sd_event_source_set_enabled(b->hook->timer, SD_EVENT_ONESHOT);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

static void hook_done(struct hook *h)
{
        hook_run_free(h->run);
        hook_memory_done(&h->memory);
        json_decref(h->asked);
        json_decref(h->running);
        json_decref(h->last);
}

/* Rows move, so a run under way is not moved: its row stays where it is (hooks are allocated once, HOOKS_MAX of them). */
static void take_config(struct brain *b)
{
        struct brain_hook *all = b->hook;
        struct hooks_config *config = calloc(1, sizeof(*config));
        struct errinfo err = { 0 };

        if (!config)
                abort();
        /* Was checked before it came into force (brain_catalog.c). */
        if (hooks_config_read(b->config, hooks_role_configured(b->config), config, &err) < 0) {
                free(config);
                return;
        }
        all->mode = config->mode;
        for (size_t i = 0; i < all->n; i++) {
                struct hook *h = &all->hooks[i];

                h->gone = true;
                h->config.n_on = 0;
                if (all->mode == HOOK_ADVISE) { /* nobody is asked any more */
                        json_decref(take_ptr(h->asked));
                        h->memory.busy = h->running != NULL;
                }
        }
        for (size_t i = 0; i < config->n; i++) {
                struct hook *h = hook_find(b, config->hooks[i].name);

                if (!h && all->n == HOOKS_MAX) {
                        brain_self(b, "hooks", VERDICT_FAILED, "more than %d hooks since veilled started: [hook %s] is not used until it is restarted",
                                   HOOKS_MAX, config->hooks[i].name);
                        continue;
                }
                if (!h)
                        h = &all->hooks[all->n++];
                h->config = config->hooks[i];
                h->gone = false;
        }
        free(config);
        all->changed = true;
}

void brain_hook_reload(struct brain *b)
{
        if (!b->hook)
                return;
        take_config(b);
        brain_hook_soon(b);
}

int brain_hook_start(struct brain *b)
{
        b->hook = calloc(1, sizeof(*b->hook));
        if (!b->hook)
                abort();
        b->hook->hooks = calloc(HOOKS_MAX, sizeof(*b->hook->hooks));
        if (!b->hook->hooks)
                abort();
        take_config(b);
        hook_read(b);
        return sd_event_add_time_relative(b->event, &b->hook->timer, CLOCK_BOOTTIME, EVERY_US, 10 * USEC_PER_MSEC, on_timer, b);
}

void brain_hook_stop(struct brain *b)
{
        if (!b->hook)
                return;
        hook_write(b);
        for (size_t i = 0; i < b->hook->n; i++)
                hook_done(&b->hook->hooks[i]);
        sd_event_source_disable_unref(b->hook->timer);
        free(b->hook->hooks);
        free(b->hook);
        b->hook = NULL;
}
