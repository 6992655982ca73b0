/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* [hooks] and [hook NAME], checked. Called by veilled at a reload and by veillectl. */

#include "hook_plan.h"

static const char *const mode_names[HOOK_MODE_MAX] = { [HOOK_ADVISE] = "advise", [HOOK_CONFIRM] = "confirm", [HOOK_AUTO] = "auto" };
static const char *const class_names[HOOK_CLASS_MAX] = { [HOOK_NOTIFY] = "notify", [HOOK_REPAIR] = "repair", [HOOK_MOVE] = "move" };

const char *hook_mode_name(enum hook_mode mode)
{
        assert(mode < HOOK_MODE_MAX);
        return mode_names[mode];
}

const char *hook_class_name(enum hook_class class)
{
        assert(class < HOOK_CLASS_MAX);
        return class_names[class];
}

bool hook_name_ok(const char *name)
{
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n > 0 && n <= HOOK_NAME_LEN && !name[n] && name[0] != '-';
}

bool hook_wants(const struct hook_config *h, const char *cause)
{
        for (size_t i = 0; i < h->n_on; i++)
                if (streq(h->on[i], cause))
                        return true;
        return false;
}

bool hooks_role_configured(const struct config *c)
{
        for (size_t i = 0; i < config_keys_len; i++) {
                const struct config_key *k = &config_keys[i];

                if (!streq(k->section, "role"))
                        continue;
                if (k->named ? config_section_names(c, "role")[0] != NULL : config_is_set(c, "role", NULL, k->key))
                        return true;
        }
        return false;
}

static bool cause_ok(const char *word)
{
        static const char *const fixed[] = { "health:red", "health:yellow", "health:green", "event:started" };

        for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
                if (streq(word, fixed[i]))
                        return true;
        return str_starts(word, "rule:") && hook_name_ok(word + strlen("rule:"));
}

static int read_causes(const struct config *c, bool role, struct hook_config *h, struct errinfo *err)
{
        char *words[HOOK_ON_MAX + 1];
        size_t n = config_list(c, "hook", h->name, "on", words, HOOK_ON_MAX + 1);
        int r = 0;

        if (n > HOOK_ON_MAX)
                r = err_set(err, -EINVAL, "[hook %s]: on: more than %d causes", h->name, HOOK_ON_MAX);
        for (size_t i = 0; i < n; i++) {
                if (r == 0 && !cause_ok(words[i]))
                        r = err_set(err, -EINVAL, "[hook %s]: on: '%s' is no cause; say health:red, health:yellow, health:green, rule:RULE "
                                    "(veillectl rules shows them) or event:started", h->name, words[i]);
                if (r == 0 && role && h->class == HOOK_MOVE && streq(words[i], "health:red"))
                        r = err_set(err, -EINVAL, "[hook %s]: a hook of class move may not run on health:red where a [role] is configured: "
                                    "veille moves the role itself, and two who move it lose mail", h->name);
                if (r == 0)
                        snprintf(h->on[h->n_on++], sizeof(h->on[0]), "%s", words[i]);
                free(words[i]);
        }
        return r;
}

/* Neither a class nor a cause: a drop-in took them back. */
static bool is_off(const struct config *c, const char *name)
{
        const char *on = config_string(c, "hook", name, "on");

        return !config_string(c, "hook", name, "class") && (!on || !*on);
}

static int read_hook(const struct config *c, const char *name, bool role, struct hook_config *h, struct errinfo *err)
{
        const char *class = config_string(c, "hook", name, "class");

        *h = (struct hook_config){ .class = HOOK_CLASS_MAX };
        if (!hook_name_ok(name))
                return err_set(err, -EINVAL, "[hook %s]: a hook is named with small letters, digits and '-', at most %d: it is the name of a file "
                               "in /etc/veille/hooks.d or of a hook that ships", name, HOOK_NAME_LEN);
        snprintf(h->name, sizeof(h->name), "%s", name);
        for (int i = 0; i < HOOK_CLASS_MAX && class; i++)
                if (streq(class, class_names[i]))
                        h->class = (enum hook_class)i;
        if (h->class == HOOK_CLASS_MAX)
                return err_set(err, -EINVAL, "[hook %s]: class is missing: notify, repair or move", name);
        h->cool_down_s = config_int(c, "hook", name, "cool_down");
        h->deadline_s = config_int(c, "hook", name, "deadline");
        h->per_day = (int)config_int(c, "hook", name, "per_day");
        return read_causes(c, role, h, err);
}

int hooks_config_read(const struct config *c, bool role, struct hooks_config *ret, struct errinfo *err)
{
        const char *const *names = config_section_names(c, "hook");
        const char *mode = config_string(c, "hooks", NULL, "mode");
        _cleanup_free_ struct hooks_config *all = calloc(1, sizeof(*all));

        if (!all)
                abort();
        for (int i = 0; i < HOOK_MODE_MAX; i++)
                if (streq(mode, mode_names[i]))
                        all->mode = (enum hook_mode)i;
        for (size_t i = 0; names[i]; i++) {
                if (is_off(c, names[i]))
                        continue;
                if (all->n == HOOKS_MAX)
                        return err_set(err, -EINVAL, "[hook %s]: more than %d hooks", names[i], HOOKS_MAX);
                if (read_hook(c, names[i], role, &all->hooks[all->n++], err) < 0)
                        return -EINVAL;
        }
        if (ret)
                *ret = *all;
        return 0;
}
