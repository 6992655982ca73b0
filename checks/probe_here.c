/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Measuring in this very process: the last step of every way to run a check. The caller decides
 * whether that process may hang. */

#include <fcntl.h>
#include <jansson.h>
#include <math.h>

#include "probe.h"

struct printer {
        const struct check *check;
        const char *instance; /* NULL: not added to the lines */
        FILE *out;
};

int probe_env_init(struct env *env, const char *root, const struct config *config)
{
        int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return neg_errno();
        env->root = root;
        env->root_fd = fd;
        env->config = config;
        env->run_cmd = probe_run_cmd;
        env->read_clock = streq(root, "/") ? probe_read_clock : NULL;
        return 0;
}

static void print_line(FILE *out, json_t *line)
{
        if (!line)
                abort(); /* out of memory, or a string that is not UTF-8: the parent reports the death */
        json_dumpf(line, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
        fputc('\n', out);
        json_decref(line);
}

static const struct metric_desc *find_metric(const struct check *check, const char *name)
{
        for (size_t i = 0; i < check->desc.n_metrics; i++)
                if (streq(check->desc.metrics[i].name, name))
                        return &check->desc.metrics[i];
        return NULL;
}

/* Devices put anything into their strings; JSON wants UTF-8. */
static json_t *safe_string(const char *s)
{
        json_t *v = json_string(s);
        char buf[256];
        size_t n = 0;

        if (v)
                return v;
        for (; *s && n + 1 < sizeof(buf); s++)
                buf[n++] = *s >= ' ' && *s < 127 ? *s : '?';
        buf[n] = '\0';
        return json_string(buf);
}

static void print_sample(struct env *env, const char *metric, double value, const char *const *labels)
{
        struct printer *p = env->data;
        const struct metric_desc *m = find_metric(p->check, metric);
        json_t *l = json_object(), *line;

        assert(m); /* a metric without a row in the check's table is our bug */
        if (!isfinite(value)) {
                json_decref(l);
                return;
        }
        for (size_t i = 0; labels[i]; i += 2)
                json_object_set_new(l, labels[i], safe_string(labels[i + 1]));
        line = json_pack("{ss ss so ss so}", "type", "sample", "metric", metric,
                         "value", fabs(value) < 9e15 && value == (double)(int64_t)value ? json_integer((int64_t)value)
                                                                                        : json_real(value),
                         "unit", m->unit, "labels", l);
        if (p->instance)
                json_object_set_new(line, "instance", json_string(p->instance));
        print_line(p->out, line);
}

/* What is beyond a limit is not watched: the brain tells it. */
static void print_limits(struct env *env, const char *instance, FILE *out)
{
        for (int i = 0; i < LIMIT_MAX; i++)
                if (env->limits & LIMIT_BIT(i)) {
                        json_t *line = json_pack("{ss ss}", "type", "limit", "limit", limit_name((enum limit)i));

                        if (instance)
                                json_object_set_new(line, "instance", json_string(instance));
                        print_line(out, line);
                }
        env->limits = 0;
}

void probe_print_end(FILE *out, const char *instance, enum result result, const char *why)
{
        json_t *line = json_pack("{ss ss so}", "type", "end", "result", result_name(result), "why",
                                 safe_string(why));

        if (instance)
                json_object_set_new(line, "instance", json_string(instance));
        print_line(out, line);
        fflush(out);
}

static const struct instance *find_instance(const struct instance_list *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (streq(list->items[i].name, name))
                        return &list->items[i];
        return NULL;
}

enum result probe_run_here(struct env *env, const struct check *check, const char *instance, struct instance_list *known, FILE *out,
                           bool with_instance)
{
        struct printer printer = { .check = check, .instance = with_instance ? instance : NULL, .out = out };
        const struct instance *found = find_instance(known, instance);
        enum result result;
        int r = 0;

        env->why.text[0] = env->said[0] = '\0';
        env->check = check;
        if (!found && check->knows_instances)
                instance_add(known, instance);
        else if (!found && known->n == 0)
                r = check->discover(env, known);
        if (!found)
                found = find_instance(known, instance);
        env->limits = 0; /* those of the discovery are told by it */
        env->emit = print_sample;
        env->data = &printer;
        if (found) {
                env->why.text[0] = '\0';
                result = check->run(env, found);
                if (result != RESULT_OK && !env->why.text[0])
                        snprintf(env->why.text, sizeof(env->why.text), "%s %s: no reason given", check->desc.name, instance);
        } else if (r < 0) {
                result = r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
                if (!env->why.text[0])
                        snprintf(env->why.text, sizeof(env->why.text), "looking for %s: %s", instance, strerror(-r));
        } else {
                result = RESULT_FAILED;
                snprintf(env->why.text, sizeof(env->why.text), "%s is not there (any more)", instance);
        }
        print_limits(env, printer.instance, out);
        probe_print_end(out, printer.instance, result, result == RESULT_OK ? env->said : env->why.text);
        if (r < 0) /* what was found before the failure is not all there is */
                instance_list_done(known);
        return result;
}

int probe_list_here(struct env *env, const struct check *check, FILE *out)
{
        struct instance_list list = { 0 };
        int r;

        env->check = check;
        env->limits = 0;
        r = check->discover(env, &list);
        for (size_t i = 0; i < list.n; i++)
                print_line(out, json_pack("{ss so so ss}", "instance", list.items[i].name,
                                          "component", safe_string(list.items[i].component),
                                          "id", safe_string(list.items[i].id), "kind", list.items[i].kind));
        if (list.cut)
                env->limits |= LIMIT_BIT(LIMIT_INSTANCES);
        print_limits(env, NULL, out);
        instance_list_done(&list);
        fflush(out);
        return r < 0 ? r : 0;
}
