/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What veilled asks of veille-act: an enum and a name. Everything else only reaches the hook, as text. */

#include "act.h"
#include "clean_text.h"

#define VALUE_MAX 1024

/* Members of "about" and what the hook finds them as. */
static const struct {
        const char *key, *name;
} variables[] = {
        { "id", "VEILLE_HOOK_ID" },         { "class", "VEILLE_HOOK_CLASS" },          { "host", "VEILLE_HOST" },
        { "on", "VEILLE_ON" },              { "health", "VEILLE_HEALTH" },             { "health_before", "VEILLE_HEALTH_BEFORE" },
        { "component", "VEILLE_COMPONENT" }, { "instance", "VEILLE_INSTANCE" },        { "rule", "VEILLE_RULE" },
        { "level", "VEILLE_LEVEL" },        { "text", "VEILLE_TEXT" },                 { "by", "VEILLE_BY" },
};

int act_request_read(const char *text, size_t len, struct act_request *ret, struct errinfo *err)
{
        json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const char *verb = json_string_value(json_object_get(doc, "verb")), *hook = json_string_value(json_object_get(doc, "hook"));
        json_t *about = json_object_get(doc, "about");
        int64_t deadline = json_integer_value(json_object_get(doc, "deadline"));
        int r = 0;

        *ret = (struct act_request){ 0 };
        if (verb && streq(verb, "look"))
                ret->verb = ACT_LOOK;
        else if (verb && streq(verb, "run"))
                ret->verb = ACT_RUN;
        else
                r = err_set(err, -EINVAL, "the request is none that veille-act knows: run or look");
        if (r == 0 && (!hook || !hook_name_ok(hook)))
                r = err_set(err, -EINVAL, "the request has no name of a hook");
        if (r == 0 && ret->verb == ACT_RUN && (deadline < 1 || deadline > ACT_DEADLINE_MAX || !json_is_object(about)))
                r = err_set(err, -EINVAL, "the request has no deadline of 1 s to %d s, or does not say what it is about", ACT_DEADLINE_MAX);
        if (r == 0) {
                snprintf(ret->hook, sizeof(ret->hook), "%s", hook);
                ret->deadline_s = (int)deadline;
                ret->about = json_incref(about);
                clean_json(ret->about);
        }
        json_decref(doc);
        return r;
}

void act_request_done(struct act_request *q)
{
        json_decref(q->about);
        q->about = NULL;
}

static size_t set(char *ret[], size_t n, const char *name, const char *value)
{
        assert(n < ACT_ENV_MAX);
        if (asprintf(&ret[n], "%s=%.*s", name, VALUE_MAX, value) < 0)
                abort();
        return n + 1;
}

size_t act_environment(const struct act_request *q, char *ret[ACT_ENV_MAX + 1])
{
        char deadline[16];
        size_t n = 0;

        snprintf(deadline, sizeof(deadline), "%d", q->deadline_s);
        n = set(ret, n, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        n = set(ret, n, "LANG", "C.UTF-8");
        n = set(ret, n, "VEILLE_HOOK", q->hook);
        n = set(ret, n, "VEILLE_DEADLINE", deadline);
        for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
                const char *value = json_string_value(json_object_get(q->about, variables[i].key));

                n = set(ret, n, variables[i].name, value ? value : "");
        }
        ret[n] = NULL;
        return n;
}
