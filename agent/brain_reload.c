/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Configuration and catalogue, read at start and anew when told. The file is read at once; the catalogue comes from a probe
 * that may take seconds over a plugin that hangs, while the loop goes on with what it has. When either is wrong, all stays. */

#include "brain.h"

#include <systemd/sd-daemon.h>

struct brain_reload {
        struct config *config; /* the new one */
        struct catalog_request *request;
        struct errinfo *first_err; /* at start: where to say why; else NULL */
        int first_result;
};

static int load_config(struct brain *b, struct config **ret, struct errinfo *err)
{
        struct config_errors errors = { 0 };
        int r = config_load(b->options.config, ret, &errors);

        if (r < 0)
                err_set(err, r, "the configuration has %zu error%s, the first: %.*s", errors.n, errors.n == 1 ? "" : "s",
                        (int)strcspn(errors.n ? errors.text[0] : strerror(-r), "\n"), errors.n ? errors.text[0] : strerror(-r));
        for (size_t i = 0; r < 0 && i < errors.n && i < 20; i++)
                brain_log(b, BRAIN_ERROR, "%s", errors.text[i]);
        config_errors_done(&errors);
        return r < 0 ? -EINVAL : 0;
}

static void carry_over(void *data, const char *key, json_t *value)
{
        judge_load(data, key, value, brain_now_us(), brain_wall_us());
}

static void take_over(struct brain *b, struct config *config, struct catalog *catalog)
{
        struct catalog old_catalog = b->catalog;
        struct config *old_config = b->config;
        struct judge *old = b->judge, *judge;

        /* Runs under way belong to the old catalogue; what they would have said is asked again at once. */
        if (b->sched)
                probe_requests_abort();
        b->config = config;
        b->catalog = *catalog;
        judge = brain_new_judge(b);
        if (old) {
                brain_state_each(b, carry_over, judge);
                judge_inherit(judge, old);
        }
        b->judge = judge;
        brain_kmsg_reload(b);
        judge_free(old);
        brain_selftest_reset(b);
        brain_alert_reload(b);
        brain_hook_reload(b);
        config_free(old_config);
        catalog_done(&old_catalog);
        if (b->sched) {
                brain_sched_reset(b);
                brain_publish_catalog(b);
                brain_publish_soon(b);
                brain_log(b, BRAIN_NOTICE, "configuration read anew from %s", b->options.config);
        }
}

/* Everybody who wants to know: systemd, the journal, the readers of the levels, whoever asked. */
static void tell(struct brain *b, int r, const struct errinfo *err)
{
        if (r < 0)
                brain_self(b, "reload", VERDICT_FAILED, "%s; the old configuration stays in force", err->text);
        else
                brain_self(b, "reload", VERDICT_OK, "%s", "");
        sd_notify(0, "READY=1");
        brain_control_reloaded(b, r, err);
}

static void on_catalog(struct brain *b, int r, struct catalog *catalog, struct errinfo *err)
{
        struct brain_reload *reload = take_ptr(b->reload);

        if (r >= 0)
                take_over(b, take_ptr(reload->config), catalog);
        config_free(reload->config);
        if (reload->first_err) {
                reload->first_result = r < 0 ? r : 1;
                *reload->first_err = *err;
                b->reload = reload; /* brain_reload_first() frees it */
                return;
        }
        free(reload);
        tell(b, r, err);
}

static int begin(struct brain *b, struct errinfo *first_err, struct errinfo *err)
{
        struct brain_reload *reload = calloc(1, sizeof(*reload));
        int r;

        if (!reload)
                abort();
        reload->first_err = first_err;
        r = load_config(b, &reload->config, err);
        if (r >= 0)
                r = brain_catalog_ask(b, reload->config, on_catalog, &reload->request, err);
        if (r < 0) {
                config_free(reload->config);
                free(reload);
                return r;
        }
        b->reload = reload;
        return 0;
}

int brain_reload_first(struct brain *b, struct errinfo *err)
{
        int r = begin(b, err, err);

        if (r < 0)
                return r;
        while (r >= 0 && b->reload->first_result == 0)
                r = sd_event_run(b->event, UINT64_MAX);
        if (b->reload->first_result == 0) { /* told to end before it began */
                brain_reload_stop(b);
                return -ECANCELED;
        }
        r = b->reload->first_result;
        free(take_ptr(b->reload));
        return r < 0 ? r : 0;
}

int brain_reload(struct brain *b, struct errinfo *err)
{
        int r;

        if (!b->judge) /* still reading for the first time */
                return 0;
        brain_reload_stop(b); /* one under way reads what has changed since */
        sd_notify(0, "RELOADING=1");
        r = begin(b, NULL, err);
        if (r < 0)
                tell(b, r, err);
        return r;
}

void brain_reload_stop(struct brain *b)
{
        struct brain_reload *reload = take_ptr(b->reload);

        if (!reload)
                return;
        brain_catalog_forget(reload->request);
        config_free(reload->config);
        free(reload);
}
