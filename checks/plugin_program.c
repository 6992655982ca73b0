/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A program that speaks protocol 1 (veille-probe(8)) as a check. Its catalogue is asked for every time: nothing of it is kept that
 * could be old. What it prints is read as strictly as anything from a stranger, and one line that is not of the form makes the run
 * a failed one. A program whose catalogue cannot be had stands there as a check that fails, with the reason. */

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "foreign.h"
#include "plugin.h"

#define CATALOG_MAX (512 * 1024)
#define CATALOG_S 2
#define ANSWER_MAX (CATALOG_MAX + 2) /* its sign before, and room to see the end */
#define OUTPUT_MAX (1024 * 1024)
#define LINE_MAX_LEN 16384
#define LABELS_MAX 24
#define GRACE_S 2
#define BROKEN_INTERVAL_S 60

static const struct plugin *plugin_of(const struct env *env)
{
        return ((const struct plugin_check *)env->check)->plugin;
}

/* 0, or negative errno with env->why. */
static int ask(struct env *env, const struct plugin_config *c, const char *word, const char *check, const char *instance, int deadline_s,
               size_t max_out, struct cmd_result *ret)
{
        const char *argv[PLUGIN_WORDS_MAX + 4];
        size_t n = 0;
        int r;

        while (c->argv[n])
                argv[n] = c->argv[n], n++;
        argv[n++] = word;
        argv[n++] = check;
        argv[check ? n++ : n] = instance;
        argv[n] = NULL;
        r = foreign_run(env, argv, deadline_s, max_out, ret);
        if (r == -ETIME)
                return err_set(&env->why, r, "%s %s has not ended within %d s", c->argv[0], word, deadline_s);
        if (r < 0)
                return r;
        if (ret->truncated)
                r = err_set(&env->why, -EMSGSIZE, "%s %s printed more than %zu KiB and was ended", c->argv[0], word, max_out / 1024);
        else if (ret->signal)
                r = err_set(&env->why, -EIO, "%s %s was ended by signal %d", c->argv[0], word, ret->signal);
        else if (ret->exit_status != 0)
                r = err_set(&env->why, -EIO, "%s %s ended with exit status %d%s%.200s", c->argv[0], word, ret->exit_status,
                            ret->err_text[0] ? ": " : "", ret->err_text);
        if (r < 0)
                cmd_result_done(ret);
        return r;
}

/* --- catalogue ---------------------------------------------------------------------------------------- */

/* The same name must mean the same on every page. */
static int check_metric(const char *program, const struct metric_desc *m, struct errinfo *err)
{
        for (size_t i = 0; i < checks_all_len; i++)
                for (size_t k = 0; k < checks_all[i]->desc.n_metrics; k++) {
                        const struct metric_desc *ours = &checks_all[i]->desc.metrics[k];

                        if (streq(ours->name, m->name) && (ours->kind != m->kind || !streq(ours->unit, m->unit)))
                                return err_set(err, -EINVAL, "%s: the metric %s is a %s in %s here", program, m->name,
                                               metric_kind_name(ours->kind), *ours->unit ? ours->unit : "no unit");
                }
        return 0;
}

static int check_catalog(const struct plugin *p, struct errinfo *err)
{
        const char *program = p->config.argv[0], *name = p->config.name;

        if (p->catalog.n_checks == 0)
                return err_set(err, -EINVAL, "%s: its catalogue is empty", program);
        for (size_t i = 0; i < p->catalog.n_checks; i++) {
                const struct check_desc *d = &p->catalog.checks[i];

                if (!plugin_owns(name, d->name))
                        return err_set(err, -EINVAL, "%s offers a check %s: its section must be [plugin %s]", program, d->name, d->name);
                for (size_t k = 0; k < i; k++)
                        if (streq(p->catalog.checks[k].name, d->name))
                                return err_set(err, -EINVAL, "%s offers the check %s twice", program, d->name);
                for (size_t k = 0; k < d->n_rules; k++)
                        if (!plugin_owns(name, d->rules[k].name))
                                return err_set(err, -EINVAL, "%s: the rule %s must be named %s-... so that it is nobody else's", program,
                                               d->rules[k].name, name);
                for (size_t k = 0; k < d->n_metrics; k++)
                        if (check_metric(program, &d->metrics[k], err) < 0)
                                return -EINVAL;
        }
        return 0;
}

/* In a child: "=" and what the program prints, or "!" and why it could not be had. */
static void tell_catalog(struct env *env, struct plugin *p, FILE *out)
{
        struct cmd_result cmd;
        int r = ask(env, &p->config, "catalog", NULL, NULL, CATALOG_S, CATALOG_MAX, &cmd);

        fputc(r < 0 ? '!' : '=', out);
        if (r < 0)
                fputs(env->why.text, out);
        else
                fwrite(cmd.out, 1, cmd.out_len, out);
}

void plugin_program_ask(struct env *env, struct plugin *p)
{
        int pipe_fds[2];

        p->fd = -1;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
                p->asked_errno = neg_errno();
                return;
        }
        p->pid = fork();
        if (p->pid == 0) {
                FILE *out = fdopen(pipe_fds[1], "w");

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (!out)
                        _exit(3);
                tell_catalog(env, p, out);
                _exit(fclose(out) == 0 ? 0 : 3);
        }
        if (p->pid < 0)
                p->asked_errno = neg_errno();
        close(pipe_fds[1]);
        if (p->pid > 0)
                p->fd = pipe_fds[0];
        else
                close(pipe_fds[0]);
}

/* The child keeps the program's deadline itself; ours is for a child that hangs in the kernel. The text, owned by the caller, or NULL. */
static char *hear_catalog(struct plugin *p, size_t *ret_len)
{
        _cleanup_free_ char *text = malloc(ANSWER_MAX);
        size_t len = 0;
        ssize_t n = -1;

        while (text && p->fd >= 0 && len < ANSWER_MAX) {
                struct pollfd fd = { .fd = p->fd, .events = POLLIN };

                n = poll(&fd, 1, (CATALOG_S + GRACE_S) * 1000) == 1 ? read(p->fd, text + len, ANSWER_MAX - len) : -1;
                if (n <= 0)
                        break;
                len += (size_t)n;
        }
        if (p->fd >= 0)
                close(p->fd);
        if (p->pid > 0 && n != 0)
                kill(p->pid, SIGKILL);
        if (p->pid > 0)
                waitpid(p->pid, NULL, n == 0 ? 0 : WNOHANG);
        p->fd = -1;
        p->pid = 0;
        *ret_len = len;
        return n == 0 ? take_ptr(text) : NULL;
}

static int read_catalog(struct env *env, struct plugin *p)
{
        _cleanup_free_ char *text = NULL;
        const char *program = p->config.argv[0];
        json_error_t error;
        size_t len = 0;
        json_t *doc;
        int r;

        if (p->asked_errno < 0)
                return err_set(&env->why, p->asked_errno, "%s catalog: no process could be started: %s", program, strerror(-p->asked_errno));
        text = hear_catalog(p, &len);
        if (!text || len == 0)
                return err_set(&env->why, -ETIME, "%s catalog has not ended within %d s", program, CATALOG_S);
        if (*text == '!')
                return err_set(&env->why, -EIO, "%.*s", (int)(len - 1), text + 1);
        doc = json_loadb(text + 1, len - 1, JSON_REJECT_DUPLICATES, &error);
        if (!doc)
                return err_set(&env->why, -EINVAL, "%s catalog printed no JSON: %s", program, error.text);
        r = catalog_from_json(doc, &p->catalog, &env->why);
        json_decref(doc);
        if (r < 0) {
                char why[sizeof(env->why.text)];

                snprintf(why, sizeof(why), "%s", env->why.text);
                return err_set(&env->why, r, "%s catalog: %.400s", program, why);
        }
        return check_catalog(p, &env->why);
}

/* --- lines ---------------------------------------------------------------------------------------------- */

/* Calls fn for every line, which is a JSON object; false from fn, or anything else, ends it: -EINVAL with env->why. */
static int each_line(struct env *env, const struct cmd_result *cmd, bool (*fn)(struct env *env, json_t *line, void *data), void *data)
{
        const char *p = cmd->out, *end = cmd->out + cmd->out_len;

        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t)(end - p));
                size_t len = (size_t)((nl ? nl : end) - p);
                json_t *line = len > LINE_MAX_LEN ? NULL : json_loadb(p, len, JSON_REJECT_DUPLICATES, NULL);
                bool good = json_is_object(line);

                if (good)
                        good = fn(env, line, data);
                else
                        err_set(&env->why, -EINVAL, "%s printed a line that is no JSON object", plugin_of(env)->config.argv[0]);
                json_decref(line);
                if (!good)
                        return -EINVAL;
                p += len + 1;
        }
        return 0;
}

static bool bad_line(struct env *env, const char *what)
{
        err_set(&env->why, -EINVAL, "%s: %s", plugin_of(env)->config.argv[0], what);
        return false;
}

/* A string that fits and has no control characters; absent is empty. */
static bool take_string(const json_t *o, const char *key, char *buf, size_t size)
{
        const json_t *v = json_object_get(o, key);
        const char *s = json_string_value(v);

        buf[0] = '\0';
        if (!v || json_is_null(v))
                return true;
        if (!s || json_string_length(v) != strlen(s) || strlen(s) >= size)
                return false;
        for (const char *p = s; *p; p++)
                if ((unsigned char)*p < ' ')
                        return false;
        strcpy(buf, s);
        return true;
}

static bool list_line(struct env *env, json_t *line, void *data)
{
        struct instance_list *list = data;
        char name[INSTANCE_NAME_MAX], component[INSTANCE_NAME_MAX];
        struct instance *i;

        if (!take_string(line, "instance", name, sizeof(name)) || !take_string(line, "component", component, sizeof(component)))
                return bad_line(env, "a name in its list is too long or no text");
        for (size_t k = 0; k < list->n; k++)
                if (streq(list->items[k].name, name))
                        return bad_line(env, "its list has an instance twice");
        i = instance_add(list, name);
        if (!i)
                return bad_line(env, "its list has a name that is none, or more than 1024");
        if (component[0])
                strcpy(i->component, component);
        if (!take_string(line, "id", i->id, sizeof(i->id)) || !take_string(line, "kind", i->kind, sizeof(i->kind)))
                return bad_line(env, "an id or kind in its list is too long or no text");
        return true;
}

static int discover(struct env *env, struct instance_list *list)
{
        const struct plugin *p = plugin_of(env);
        struct cmd_result cmd;
        int r = ask(env, &p->config, "list", env->check->desc.name, NULL, env->check->desc.deadline_s - CATALOG_S - GRACE_S, OUTPUT_MAX, &cmd);

        if (r < 0)
                return r;
        r = each_line(env, &cmd, list_line, list);
        cmd_result_done(&cmd);
        return r;
}

struct run_state {
        size_t samples;
        bool ended;
        enum result result;
};

static bool is_metric(const struct check_desc *d, const char *name)
{
        for (size_t i = 0; i < d->n_metrics; i++)
                if (streq(d->metrics[i].name, name))
                        return true;
        return false;
}

static bool sample_line(struct env *env, json_t *line, struct run_state *s)
{
        const char *metric = json_string_value(json_object_get(line, "metric")), *key, *pairs[2 * LABELS_MAX + 1];
        json_t *value = json_object_get(line, "value"), *labels = json_object_get(line, "labels"), *v;
        size_t n = 0;

        if (!metric || !is_metric(&env->check->desc, metric))
                return bad_line(env, "a sample of a metric that is not in its catalogue");
        if (!json_is_number(value) || !isfinite(json_number_value(value)))
                return bad_line(env, "a sample whose value is no number");
        json_object_foreach(labels, key, v) {
                if (n == 2 * LABELS_MAX || !json_is_string(v) || json_string_length(v) != strlen(json_string_value(v)) || !*key)
                        return bad_line(env, "a sample whose labels are too many or no text");
                pairs[n++] = key;
                pairs[n++] = json_string_value(v);
        }
        pairs[n] = NULL;
        env->emit(env, metric, json_number_value(value), pairs);
        s->samples++;
        return true;
}

static int result_from_name(const char *name)
{
        for (int i = 0; name && i < RESULT_MAX; i++)
                if (streq(result_name((enum result)i), name))
                        return i;
        return -EINVAL;
}

static bool end_line(struct env *env, json_t *line, struct run_state *s)
{
        int result = result_from_name(json_string_value(json_object_get(line, "result")));

        if (result < 0)
                return bad_line(env, "its end line has no result that is known");
        s->ended = true;
        s->result = (enum result)result;
        if (!take_string(line, "why", env->said, sizeof(env->said)))
                return bad_line(env, "the reason in its end line is too long or no text");
        return true;
}

static bool run_line(struct env *env, json_t *line, void *data)
{
        const char *type = json_string_value(json_object_get(line, "type"));
        struct run_state *s = data;

        if (s->ended)
                return bad_line(env, "it printed more after its end line");
        if (type && streq(type, "sample"))
                return sample_line(env, line, s);
        if (type && streq(type, "end"))
                return end_line(env, line, s);
        return bad_line(env, "it printed a line that is neither sample nor end");
}

static enum result finish(struct env *env, const struct run_state *s)
{
        const char *program = plugin_of(env)->config.argv[0];

        if (!s->ended)
                return env_end(env, RESULT_FAILED, "%s ended without an end line", program);
        if (s->result == RESULT_OK)
                return s->samples ? RESULT_OK : env_end(env, RESULT_FAILED, "%s says that all is well, but measured nothing", program);
        return env_end(env, s->result, "%s", env->said[0] ? env->said : "no reason given");
}

static enum result run(struct env *env, const struct instance *instance)
{
        const struct check_desc *d = &env->check->desc;
        struct run_state s = { 0 };
        struct cmd_result cmd;
        int r = ask(env, &plugin_of(env)->config, "run", d->name, instance->name, d->deadline_s - CATALOG_S - GRACE_S, OUTPUT_MAX, &cmd);

        if (r < 0)
                return r == -ETIME ? RESULT_TIMEOUT : r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
        r = each_line(env, &cmd, run_line, &s);
        cmd_result_done(&cmd);
        return r < 0 ? RESULT_FAILED : finish(env, &s);
}

/* --- a program that is no check ------------------------------------------------------------------------- */

static int broken_discover(struct env *env, struct instance_list *list)
{
        struct instance *i = instance_add(list, plugin_of(env)->config.name);

        if (!i)
                return -ENOMEM;
        strcpy(i->kind, "service");
        return 0;
}

static enum result broken_run(struct env *env, const struct instance *instance UNUSED)
{
        return env_end(env, RESULT_FAILED, "%s", plugin_of(env)->problem);
}

static void open_broken(struct plugin *p)
{
        p->broken = (struct check_desc){
                .name = p->config.name, .summary = "a program that does not work as a check", .interval_s = BROKEN_INTERVAL_S,
                .deadline_s = CATALOG_S + GRACE_S, .privilege = PRIVILEGE_PLUGIN, .evidence = EVIDENCE_SILENCE,
        };
        p->checks = calloc(1, sizeof(*p->checks));
        if (!p->checks)
                abort();
        p->n_checks = 1;
        p->checks[0] = (struct plugin_check){ .plugin = p,
                                              .check = { .desc = p->broken, .discover = broken_discover, .run = broken_run } };
}

/* -------------------------------------------------------------------------------------------------------- */

void plugin_program_open(struct env *env, struct plugin *p)
{
        if (read_catalog(env, p) < 0) {
                snprintf(p->problem, sizeof(p->problem), "%s", env->why.text);
                catalog_done(&p->catalog);
                open_broken(p);
                return;
        }
        p->checks = calloc(p->catalog.n_checks, sizeof(*p->checks));
        if (!p->checks)
                abort();
        for (size_t i = 0; i < p->catalog.n_checks; i++) {
                struct check_desc d = p->catalog.checks[i];

                if (p->config.interval_s)
                        d.interval_s = p->config.interval_s;
                if (p->config.timeout_s)
                        d.deadline_s = p->config.timeout_s;
                /* A run asks the catalogue first. */
                d.deadline_s += CATALOG_S + GRACE_S;
                d.privilege = PRIVILEGE_PLUGIN;
                p->checks[i] = (struct plugin_check){ .plugin = p,
                                                      .check = { .desc = d, .discover = discover, .run = run, .knows_instances = true } };
        }
        p->n_checks = p->catalog.n_checks;
}
