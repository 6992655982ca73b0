/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The host as a whole: one instance. What a kernel does not tell (pressure before 4.20, packet filter not loaded) is left
 * out; load and memory must be there. */

#include "hw_host.h"

#include <math.h>

#define TEXT_MAX (256 * 1024)

/* The number behind a word at the start of a line; -ENOENT if there is no such line. */
static int find_number(const char *text, const char *word, int64_t *ret)
{
        size_t n = strlen(word);

        for (const char *p = text; p; p = strchr(p, '\n')) {
                char *end;

                p += *p == '\n';
                if (strncmp(p, word, n) != 0 || (p[n] != ' ' && p[n] != ':' && p[n] != '\t'))
                        continue;
                p += n + (p[n] == ':');
                errno = 0;
                long long v = strtoll(p, &end, 10);

                if (end == p || errno)
                        return -EBADMSG;
                *ret = v;
                return 0;
        }
        return -ENOENT;
}

static int discover(struct env *env, struct instance_list *list)
{
        struct instance *inst = env_exists(env, "proc/loadavg") ? instance_add(list, "host") : NULL;

        if (inst)
                strcpy(inst->kind, "host");
        return 0;
}

static enum result run_load(struct env *env)
{
        char text[128];
        double load[3];
        unsigned cpus = host_cpu_count(env);
        int r = env_read(env, text, sizeof(text), "proc/loadavg");

        if (r < 0)
                return env_end_errno(env, r, "proc/loadavg");
        if (sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) != 3)
                return env_end(env, RESULT_FAILED, "/proc/loadavg: '%s' is not a load", text);
        env_sample(env, "host_cpus", cpus, NULL);
        env_sample(env, "host_load1", load[0], NULL);
        env_sample(env, "host_load5", load[1], NULL);
        env_sample(env, "host_load15", load[2], NULL);
        env_sample(env, "host_load_per_cpu", load[1] / cpus, NULL);
        return RESULT_OK;
}

static void run_uptime(struct env *env)
{
        _cleanup_free_ char *stat = NULL;
        char text[128], *end;
        int64_t boot;

        if (env_read(env, text, sizeof(text), "proc/uptime") > 0) {
                double uptime = strtod(text, &end);

                if (end != text)
                        env_sample(env, "host_uptime_seconds", uptime, NULL);
        }
        /* Long on large hosts: a counter for each interrupt. */
        if (env_read_text(env, &stat, 16 * TEXT_MAX, "proc/stat") > 0 && find_number(stat, "btime", &boot) == 0)
                env_sample(env, "host_boot_time_seconds", (double)boot, NULL);
}

static enum result run_memory(struct env *env)
{
        _cleanup_free_ char *text = NULL;
        int64_t total, available, swap_total = 0, swap_free = 0, corrupted;
        int r = env_read_text(env, &text, TEXT_MAX, "proc/meminfo");

        if (r < 0)
                return env_end_errno(env, r, "proc/meminfo");
        if (find_number(text, "MemTotal", &total) < 0 || find_number(text, "MemAvailable", &available) < 0 || total <= 0)
                return env_end(env, RESULT_FAILED, "/proc/meminfo does not say MemTotal and MemAvailable");
        find_number(text, "SwapTotal", &swap_total);
        find_number(text, "SwapFree", &swap_free);
        env_sample(env, "host_memory_total_bytes", (double)total * 1024, NULL);
        env_sample(env, "host_memory_available_bytes", (double)available * 1024, NULL);
        env_sample(env, "host_swap_total_bytes", (double)swap_total * 1024, NULL);
        env_sample(env, "host_swap_free_bytes", (double)swap_free * 1024, NULL);
        env_sample(env, "host_memory_left_ratio", (double)(available + swap_free) / (double)(total + swap_total), NULL);
        if (find_number(text, "HardwareCorrupted", &corrupted) == 0)
                env_sample(env, "host_memory_corrupted_bytes", (double)corrupted * 1024, NULL);
        return RESULT_OK;
}

/* "some avg10=0.00 avg60=0.09 avg300=0.06 total=11956912" */
static void run_pressure(struct env *env)
{
        static const char *const resources[] = { "cpu", "memory", "io" };

        for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
                char text[512], *save = NULL;

                /* EOPNOTSUPP where it was switched off at boot. */
                if (env_read(env, text, sizeof(text), "proc/pressure/%s", resources[i]) < 0)
                        continue;
                for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                        unsigned long long total_us;
                        char share[8], of[32];
                        double percent;

                        if (sscanf(line, "%7s avg10=%*f avg60=%lf avg300=%*f total=%llu", share, &percent, &total_us) != 3)
                                continue;
                        snprintf(of, sizeof(of), "%s %s", resources[i], share);
                        env_sample(env, "host_pressure_ratio", percent / 100, "resource", resources[i], "share", share, "of", of, NULL);
                        env_sample(env, "host_pressure_seconds_total", (double)total_us / 1e6, "resource", resources[i], "share", share,
                                   NULL);
                }
        }
}

static void run_oom(struct env *env)
{
        _cleanup_free_ char *text = NULL;
        int64_t n;

        if (env_read_text(env, &text, TEXT_MAX, "proc/vmstat") > 0 && find_number(text, "oom_kill", &n) == 0)
                env_sample(env, "host_oom_kills_total", (double)n, NULL);
}

static void run_clock(struct env *env)
{
        struct env_clock clock;

        if (!env->read_clock || env->read_clock(env, &clock) < 0)
                return;
        env_sample(env, "host_clock_synchronized", clock.synchronized, NULL);
        if (!clock.synchronized)
                return; /* the other numbers mean nothing then */
        env_sample(env, "host_clock_offset_seconds", fabs(clock.offset_s), NULL);
        env_sample(env, "host_clock_max_error_seconds", clock.max_error_s, NULL);
        env_sample(env, "host_clock_estimated_error_seconds", clock.estimated_error_s, NULL);
}

/* Only what tells of trouble: modules from elsewhere and overrides are somebody's wish. */
static void run_taint(struct env *env)
{
        static const struct {
                unsigned bit;
                const char *reason;
        } flags[] = { { 4, "machine-check" }, { 5, "bad-page" }, { 7, "died" }, { 14, "lockup" } };
        int64_t tainted;

        if (env_read_i64(env, &tainted, "proc/sys/kernel/tainted") < 0)
                return;
        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
                env_sample(env, "host_taint", (double)(tainted >> flags[i].bit & 1), "reason", flags[i].reason, NULL);
}

static void run_tables(struct env *env)
{
        unsigned long long open, unused, most;
        int64_t entries, max;
        char text[128];

        if (env_read_i64(env, &entries, "proc/sys/net/netfilter/nf_conntrack_count") == 0 &&
            env_read_i64(env, &max, "proc/sys/net/netfilter/nf_conntrack_max") == 0 && max > 0) {
                env_sample(env, "host_conntrack_entries", (double)entries, NULL);
                env_sample(env, "host_conntrack_ratio", (double)entries / (double)max, NULL);
        }
        if (env_read(env, text, sizeof(text), "proc/sys/fs/file-nr") > 0 &&
            sscanf(text, "%llu %llu %llu", &open, &unused, &most) == 3 && most > 0) {
                env_sample(env, "host_file_handles", (double)open, NULL);
                env_sample(env, "host_file_handles_ratio", (double)open / (double)most, NULL);
        }
}

static enum result run(struct env *env, const struct instance *instance UNUSED)
{
        enum result result = run_load(env);

        run_uptime(env);
        if (result == RESULT_OK)
                result = run_memory(env);
        run_pressure(env);
        run_oom(env);
        run_clock(env);
        host_cpu_throttles(env);
        run_taint(env);
        run_tables(env);
        return result;
}

const struct check check_host = {
        .desc = {
                .name = "host",
                .summary = "load, memory, pressure, clock, and what befell the kernel",
                .interval_s = 60,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_HOST,
                .metrics = host_metrics, .n_metrics = HOST_METRICS,
                .rules = host_rules, .n_rules = HOST_RULES,
        },
        .discover = discover,
        .run = run,
};
