/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What people say to the hooks by RUN/control.sock: run one, confirm one. */

#include "brain_hook.h"

static struct hook *named(struct brain *b, const json_t *request, json_t **ret_failure)
{
        const char *name = json_string_value(json_object_get(request, "hook"));
        struct hook *h = name ? hook_find(b, name) : NULL;

        *ret_failure = NULL;
        if (!name)
                *ret_failure = control_failure("say which hook; veillectl hooks list shows them");
        else if (!h || h->gone)
                *ret_failure = control_failure("there is no [hook %.64s] in the configuration; veillectl hooks list shows those there are", name);
        else if (h->running)
                *ret_failure = control_failure("hook %s runs already", name);
        return h;
}

static const char *by(const json_t *request)
{
        const char *s = json_string_value(json_object_get(request, "by"));

        return s && *s && strlen(s) <= 64 ? s : "an administrator";
}

static json_t *begun(struct brain *b, struct hook *h, json_t *about, const json_t *request)
{
        json_t *answer = json_pack("{sb sO sI}", "ok", 1, "id", json_object_get(about, "id"), "deadline", (json_int_t)h->config.deadline_s);

        json_object_set_new(about, "by", json_string(by(request)));
        hook_begin(b, h, about);
        json_decref(about);
        return answer;
}

json_t *brain_hook_run(struct brain *b, const json_t *request)
{
        const char *component = json_string_value(json_object_get(request, "component"));
        json_t *failure, *about;
        struct hook *h = named(b, request, &failure);

        if (failure || !h)
                return failure;
        about = hook_about(b, h, "operator");
        json_object_set_new(about, "component", json_string(component && strlen(component) < 128 ? component : ""));
        return begun(b, h, about, request);
}

json_t *brain_hook_confirm(struct brain *b, const json_t *request)
{
        json_t *failure;
        struct hook *h = named(b, request, &failure);

        if (failure || !h)
                return failure;
        if (!h->asked)
                return control_failure("hook %s waits for no confirmation", h->config.name);
        return begun(b, h, take_ptr(h->asked), request);
}
