/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Who measures what in which child: instances that are quick, slow, hang, crash or print without end, each with one end line
 * of its own, and none at the cost of another. */

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "fake_env.h"
#include "probe.h"
#include "test.h"

static const char *const *names;
static int discoveries;

static int discover(struct env *env UNUSED, struct instance_list *list)
{
        discoveries++;
        for (size_t i = 0; names[i]; i++)
                assert_non_null(instance_add(list, names[i]));
        return 0;
}

/* Everybody stands still for longer than the deadline while the clocks run on; the one who asks wakes first. */
static void stand_still(void)
{
        pid_t child = getpid(), parent = getppid();

        if (fork() != 0)
                return;
        setpgid(0, 0);
        kill(parent, SIGSTOP);
        kill(child, SIGSTOP);
        usleep(7500 * 1000);
        kill(parent, SIGCONT);
        usleep(300 * 1000);
        kill(child, SIGCONT);
        _exit(0);
}

/* What it does is in its name; then it says in which process that was. */
static enum result run(struct env *env, const struct instance *instance)
{
        const char *n = instance->name;
        static char much[12000];

        if (str_starts(n, "hang"))
                pause();
        if (str_starts(n, "crash"))
                kill(getpid(), SIGKILL);
        if (str_starts(n, "exit"))
                _exit(7);
        if (str_starts(n, "paused"))
                stand_still();
        if (str_starts(n, "slow") || str_starts(n, "paused"))
                usleep(300 * 1000);
        memset(much, 'x', sizeof(much) - 1);
        for (int i = 0; str_starts(n, "flood") && i < 1000; i++)
                env_sample(env, "value", i, "kind", much, NULL);
        env_sample(env, "value", getpid(), "kind", "pid", NULL);
        env_sample(env, "value", discoveries, "kind", "discoveries", NULL);
        env_sample(env, "value", env->wake + 10 * env->selftest, "kind", "wish", NULL);
        return str_starts(n, "bad") ? env_end(env, RESULT_FAILED, "%s is bad", n) : RESULT_OK;
}

static const struct metric_desc metrics[] = { { "value", METRIC_GAUGE, "", "A value" } };
static struct check check = {
        .desc = { .name = "test", .interval_s = 60, .deadline_s = 2, .metrics = metrics, .n_metrics = 1 },
        .discover = discover,
        .run = run,
};

struct answer {
        char result[16], why[128];
        int ends, order; /* order: among all end lines */
        int pid, discoveries, wish;
};

static double run_all(const char *const *instances, size_t n, const struct probe_wish *wishes, struct answer *ret)
{
        struct fake_env *f = fake_env_new();
        char path[] = "/tmp/veille-test-XXXXXX", line[20000];
        int fd = mkstemp(path), order = 0;
        struct timespec begin, end;
        FILE *file;

        assert_true(fd >= 0);
        unlink(path);
        names = instances;
        discoveries = 0;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        assert_int_equal(probe_run_children(&f->env, &check, instances, n, wishes, fd, true), 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
        lseek(fd, 0, SEEK_SET);
        file = fdopen(fd, "r");
        memset(ret, 0, n * sizeof(*ret));
        while (fgets(line, sizeof(line), file)) {
                json_t *o = json_loads(line, 0, NULL);
                const char *name = json_string_value(json_object_get(o, "instance")), *type = json_string_value(json_object_get(o, "type"));
                const char *kind = json_string_value(json_object_get(json_object_get(o, "labels"), "kind"));
                int value = (int)json_integer_value(json_object_get(o, "value"));
                struct answer *a = NULL;

                assert_non_null(o);
                for (size_t i = 0; i < n; i++)
                        if (streq(instances[i], name))
                                a = &ret[i];
                assert_non_null(a);
                if (streq(type, "end")) {
                        snprintf(a->result, sizeof(a->result), "%s", json_string_value(json_object_get(o, "result")));
                        snprintf(a->why, sizeof(a->why), "%s", json_string_value(json_object_get(o, "why")));
                        a->ends++;
                        a->order = order++;
                } else if (streq(kind, "pid")) {
                        a->pid = value;
                } else if (streq(kind, "discoveries")) {
                        a->discoveries = value;
                } else if (streq(kind, "wish")) {
                        a->wish = value;
                }
                json_decref(o);
        }
        fclose(file);
        fake_env_free(f);
        return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static size_t processes(const struct answer *a, size_t n)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++) {
                bool seen = a[i].pid == 0;

                for (size_t k = 0; k < i; k++)
                        seen |= a[k].pid == a[i].pid;
                found += !seen;
        }
        return found;
}

static void quick_ones_share_a_process(void **state UNUSED)
{
        static char text[60][8];
        const char *instances[ARRAY_LEN(text) + 1] = { 0 };
        struct probe_wish wishes[ARRAY_LEN(text)] = { 0 };
        struct answer a[ARRAY_LEN(text)];

        for (size_t i = 0; i < ARRAY_LEN(text); i++) {
                snprintf(text[i], sizeof(text[i]), "i%zu", i);
                instances[i] = text[i];
                wishes[i] = (struct probe_wish){ .wake = i % 2, .selftest = i % 3 };
        }
        run_all(instances, ARRAY_LEN(text), wishes, a);
        for (size_t i = 0; i < ARRAY_LEN(text); i++) {
                assert_string_equal(a[i].result, "ok");
                assert_int_equal(a[i].ends, 1);
                assert_int_equal(a[i].discoveries, 1);
                assert_int_equal(a[i].wish, (int)(i % 2 + 10 * (i % 3)));
        }
        assert_true(processes(a, ARRAY_LEN(text)) <= 8); /* one, unless this host was busy */
}

static void nobody_waits_for_the_sick(void **state UNUSED)
{
        static const char *const instances[] = { "hang1", "crash1", "a", "hang2", "exit1", "b", "flood1", "c", "bad1", "d", NULL };
        static const char *const results[] = { "timeout", "failed", "ok", "timeout", "failed", "ok", "failed", "ok", "failed", "ok" };
        static const char *const whys[] = { "hang1 has not answered for 2 s", "ended by signal 9", "", "hang2 has not answered for 2 s",
                                            "exit status 7", "", "more than it may", "", "bad1 is bad", "" };
        struct answer a[ARRAY_LEN(results)];
        double took = run_all(instances, ARRAY_LEN(results), NULL, a);

        for (size_t i = 0; i < ARRAY_LEN(results); i++) {
                assert_int_equal(a[i].ends, 1);
                if (!streq(a[i].result, results[i]) || !strstr(a[i].why, whys[i]))
                        fail_msg("%s: %s '%s'", instances[i], a[i].result, a[i].why);
                if (streq(results[i], "ok"))
                        assert_true(a[i].order < a[0].order && a[i].order < a[3].order);
        }
        assert_true(took < 10); /* the two that hang do so together */
}

/* Ten that take 0.3 s each: eight children, two rounds. */
static void slow_ones_run_beside_each_other(void **state UNUSED)
{
        static const char *const instances[] = { "slow0", "slow1", "slow2", "slow3", "slow4", "slow5", "slow6", "slow7", "slow8", "slow9", NULL };
        struct answer a[10];
        double took = run_all(instances, 10, NULL, a);

        for (size_t i = 0; i < 10; i++)
                assert_string_equal(a[i].result, "ok");
        assert_true(processes(a, 10) >= 4 && processes(a, 10) <= 8);
        assert_true(took < 2.9); /* one after the other: 3 s */
}

/* What runs with privileges, or is somebody else's program, shares nothing. */
static void privileged_ones_have_their_own(void **state UNUSED)
{
        static const char *const instances[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "hang", "k", NULL };
        struct answer a[12];

        for (int p = PRIVILEGE_NONE + 1; p < PRIVILEGE_MAX; p++) {
                check.desc.privilege = (enum privilege)p;
                run_all(instances, 12, NULL, a);
                for (size_t i = 0; i < 12; i++) {
                        assert_int_equal(a[i].ends, 1);
                        assert_string_equal(a[i].result, i == 10 ? "timeout" : "ok");
                }
                assert_int_equal(processes(a, 12), 11);
        }
        check.desc.privilege = PRIVILEGE_NONE;
}

/* More than there are places, all hanging: each is told, none twice. */
static void all_hang(void **state UNUSED)
{
        static const char *const instances[] = { "hang0", "hang1", "hang2", "hang3", "hang4", "hang5", "hang6", "hang7", "hang8", "quick", NULL };
        struct answer a[10];

        run_all(instances, 10, NULL, a);
        for (size_t i = 0; i < 10; i++) {
                assert_int_equal(a[i].ends, 1);
                assert_string_equal(a[i].result, i < 9 ? "timeout" : "ok");
        }
}

/* A host that was paused: what was being measured meanwhile has not hung. What does hang is still told, later. */
static void a_pause_is_no_silence(void **state UNUSED)
{
        static const char *const instances[] = { "paused", "hang", NULL };
        struct answer a[2];

        check.desc.deadline_s = 5; /* more than a loaded machine takes for what comes after the pause */
        run_all(instances, 2, NULL, a);
        check.desc.deadline_s = 2;
        assert_string_equal(a[0].result, "ok");
        assert_string_equal(a[1].result, "timeout");
        assert_int_equal(a[0].ends + a[1].ends, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(quick_ones_share_a_process),
                cmocka_unit_test(nobody_waits_for_the_sick),
                cmocka_unit_test(slow_ones_run_beside_each_other),
                cmocka_unit_test(privileged_ones_have_their_own),
                cmocka_unit_test(all_hang),
                cmocka_unit_test(a_pause_is_no_silence),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests_name("probe_children", tests, NULL, NULL);
}
