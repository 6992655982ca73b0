/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The sink exec: a program with the environment that smartd gives to its own (smartd.conf(5), -M exec), so that scripts
 * written for it run unchanged, and with the message on standard input as smartd does it. Bounded: time, output; what it leaves behind
 * is killed. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common_clock.h"
#include "notify.h"

#define WORDS_MAX 64
#define ENV_MAX 64
#define VALUE_MAX (64 * 1024) /* the kernel allows 128 KiB for one string */
#define OUTPUT_KEPT 400

struct env {
        char *v[ENV_MAX + 1];
        size_t n;
};

static void set(struct env *e, const char *name, const char *value)
{
        assert(e->n < ENV_MAX);
        if (asprintf(&e->v[e->n++], "%s=%.*s", name, VALUE_MAX, value) < 0)
                abort();
}

static void set_number(struct env *e, const char *name, long long value)
{
        char text[24];

        snprintf(text, sizeof(text), "%lld", value);
        set(e, name, text);
}

/* smartd's word for what failed; scripts choose by it. */
static const char *fail_type(const json_t *item)
{
        static const struct {
                const char *rule, *type;
        } types[] = {
                { "smart-failed", "Health" },        { "pending-sectors", "CurrentPendingSector" }, { "offline-uncorrectable", "OfflineUncorrectableSector" },
                { "disk-hot", "Temperature" },       { "disk-overheated", "Temperature" },          { "nvme-temperature", "Temperature" },
                { "self-test-failed", "SelfTest" },  { "ata-error-log-grew", "ErrorCount" },        { "attribute-prefail", "Usage" },
                { "attribute-old-age", "Usage" },    { "no-answer", "FailedReadSmartData" },        { "gone", "FailedOpenDevice" },
                { "test-alert", "EmailTest" },
        };
        const char *rule = notify_text(item, "rule");

        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if (str_starts(rule, types[i].rule))
                        return types[i].type;
        return "Health";
}

static void smartd_environment(struct env *e, const struct notify *n)
{
        const json_t *item = json_array_get(json_object_get(n->message, "items"), 0);
        const char *component = notify_text(item, "component"), *address = notify_text(n->sink, "address");
        time_t opened = (time_t)json_number_value(json_object_get(item, "opened"));
        bool disk = streq(notify_text(item, "kind"), "disk");
        char text[256];

        snprintf(text, sizeof(text), "%s%s", disk ? "/dev/" : "", component);
        set(e, "SMARTD_MAILER", "mail");
        set(e, "SMARTD_DEVICE", text);
        set(e, "SMARTD_DEVICESTRING", text);
        set(e, "SMARTD_DEVICETYPE", "auto");
        snprintf(text, sizeof(text), "%.100s, %.60s", component, notify_text(item, "kind"));
        set(e, "SMARTD_DEVICEINFO", text);
        set(e, "SMARTD_FAILTYPE", fail_type(item));
        set(e, "SMARTD_ADDRESS", *address ? address : "root");
        set(e, "SMARTD_SUBJECT", notify_text(n->message, "subject"));
        set(e, "SMARTD_MESSAGE", *notify_text(item, "text") ? notify_text(item, "text") : notify_text(n->message, "subject"));
        set(e, "SMARTD_FULLMESSAGE", notify_text(n->message, "body"));
        if (!ctime_r(&opened, text))
                *text = '\0';
        text[strcspn(text, "\n")] = '\0';
        set(e, "SMARTD_TFIRST", text);
        set_number(e, "SMARTD_TFIRSTEPOCH", (long long)opened);
        set_number(e, "SMARTD_PREVCNT", streq(notify_text(n->message, "what"), "new") ? 0 : 1);
        set(e, "SMARTD_NEXTDAYS", "1");
}

static void our_environment(struct env *e, const struct notify *n)
{
        const json_t *item = json_array_get(json_object_get(n->message, "items"), 0);
        char *json = json_dumps(n->message, JSON_COMPACT | JSON_REAL_PRECISION(15));

        set(e, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        set(e, "LANG", "C.UTF-8");
        set(e, "VEILLE_ID", notify_text(n->message, "id"));
        set(e, "VEILLE_HOST", notify_text(n->message, "host"));
        set(e, "VEILLE_COMPONENT", notify_text(n->message, "component"));
        set(e, "VEILLE_LEVEL", notify_text(n->message, "level"));
        set(e, "VEILLE_WHAT", notify_text(n->message, "what"));
        set(e, "VEILLE_RULE", notify_text(item, "rule"));
        set(e, "VEILLE_CONTACT", notify_text(n->message, "contact"));
        set_number(e, "VEILLE_ATTEMPT", n->attempt);
        if (json && strlen(json) < VALUE_MAX) /* half of it would be no JSON */
                set(e, "VEILLE_JSON", json);
        free(json);
}

struct run {
        pid_t pid;
        int in, out; /* pipes; -1: closed */
        const char *text;
        size_t len, sent;
        char output[OUTPUT_KEPT + 1];
        size_t kept;
};

static int start(struct run *run, char *const argv[], char *const env[])
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        int in[2] = { -1, -1 }, out[2] = { -1, -1 }, r;

        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                return neg_errno();
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_adddup2(&actions, out[1], 2);
        posix_spawnattr_init(&attr);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
        r = posix_spawn(&run->pid, argv[0], &actions, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        close(in[0]);
        close(out[1]);
        run->in = in[1];
        run->out = out[0];
        fcntl(run->in, F_SETFL, O_NONBLOCK);
        fcntl(run->out, F_SETFL, O_NONBLOCK);
        return -r;
}

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(take_fd(fd));
}

static void feed(struct run *run)
{
        ssize_t w = write(run->in, run->text + run->sent, run->len - run->sent);

        if (w > 0)
                run->sent += (size_t)w;
        if ((w < 0 && errno != EAGAIN && errno != EINTR) || run->sent == run->len)
                close_fd(&run->in);
}

static void drain(struct run *run)
{
        char buf[16384];
        ssize_t r = read(run->out, buf, sizeof(buf));

        if (r > 0) {
                size_t keep = MIN((size_t)r, OUTPUT_KEPT - run->kept);

                memcpy(run->output + run->kept, buf, keep);
                run->kept += keep;
        } else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
                close_fd(&run->out);
        }
}

/* Gives it the message and takes what it says until it has ended: its exit status as of waitpid(), or -ETIME. A child of
 * it that holds the pipe open is not waited for. */
static int look_after(struct run *run, int64_t until_us)
{
        for (;;) {
                struct pollfd p[2] = { { .fd = run->in, .events = POLLOUT }, { .fd = run->out, .events = POLLIN } };
                int status;

                if (waitpid(run->pid, &status, WNOHANG) == run->pid) {
                        run->pid = 0;
                        if (run->out >= 0)
                                drain(run);
                        return status;
                }
                if (clock_boot_us() >= until_us)
                        return -ETIME;
                poll(p, 2, 20);
                if (p[0].revents)
                        feed(run);
                if (p[1].revents)
                        drain(run);
        }
}

/* All that is left of it, also what left its process group: it became ours when its parent died. */
static void clean_up(struct run *run, pid_t group)
{
        char path[64];

        kill(-group, SIGKILL);
        if (run->pid > 0)
                waitpid(run->pid, NULL, 0);
        close_fd(&run->in);
        close_fd(&run->out);
        snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        for (int round = 0; round < 100; round++) {
                _cleanup_fclose_ FILE *f = fopen(path, "re");
                int pid, any = 0;

                while (f && fscanf(f, "%d", &pid) == 1 && pid > 1) {
                        kill(pid, SIGKILL);
                        any++;
                }
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (!any)
                        return;
                usleep(10000);
        }
}

/* The words of the command; a command of one word gets those that smartd gives: -s SUBJECT ADDRESS ..., where the sink has an address (smartd.conf(5),
 * -M exec). addresses is cut into words and must outlive argv. */
static void make_argv(const struct notify *n, char *addresses, char *argv[WORDS_MAX + 1])
{
        const json_t *command = json_object_get(n->sink, "command"), *v;
        size_t i, words = 0;
        char *rest;

        json_array_foreach((json_t *)command, i, v)
                if (words < WORDS_MAX)
                        argv[words++] = (char *)(json_string_value(v) ? json_string_value(v) : "");
        if (words != 1 || !*addresses)
                return;
        argv[words++] = (char *)"-s";
        argv[words++] = (char *)notify_text(n->message, "subject");
        for (char *word = strtok_r(addresses, " ", &rest); word && words < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
                argv[words++] = word;
}

int notify_exec(struct notify *n, struct errinfo *err)
{
        struct run run = { .in = -1, .out = -1, .text = notify_text(n->message, "body") };
        _cleanup_free_ char *addresses = strdup(notify_text(n->sink, "address"));
        char *argv[WORDS_MAX + 1] = { NULL };
        struct env env = { 0 };
        pid_t group;
        int r;

        if (!addresses)
                abort();
        make_argv(n, addresses, argv);
        if (!argv[0] || argv[0][0] != '/')
                return err_set(err, -EINVAL, "the sink has no command");
        run.len = strlen(run.text);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        smartd_environment(&env, n);
        our_environment(&env, n);
        r = start(&run, argv, env.v);
        group = run.pid;
        if (r == 0) {
                r = look_after(&run, n->until_us);
                clean_up(&run, group);
        } else {
                close_fd(&run.in);
                close_fd(&run.out);
                r = err_set(err, r, "%s: %s", argv[0], strerror(-r));
        }
        for (size_t i = 0; i < env.n; i++)
                free(env.v[i]);
        for (char *c = run.output; *c; c++)
                if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
                        *c = ' ';
        if (r == -ETIME && !*err->text)
                return err_set(err, r, "%s did not end in time; it said: %s", argv[0], run.output);
        if (r < 0)
                return r;
        if (r != 0)
                return err_set(err, -EIO, "%s: %s %d; it said: %s", argv[0], WIFSIGNALED(r) ? "signal" : "exit status",
                               WIFSIGNALED(r) ? WTERMSIG(r) : WEXITSTATUS(r), run.output);
        snprintf(n->text, sizeof(n->text), "%s: done%s%s", argv[0], run.kept ? ": " : "", run.output);
        return 0;
}
