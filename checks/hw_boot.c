/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* How the host's last run ended: with a shutdown, or as a crash, a power cut or a hang that a watchdog ended. One instance.
 * What tells: /var/log/wtmp, where systemd (systemd-update-utmp(8)) and sysvinit note each start and each shutdown (utmp(5)),
 * and the watchdog timers, which say themselves that it was they who reset the host (bootstatus, WDIOF_CARDRESET of
 * linux/watchdog.h). A start that follows a start is one that no shutdown came before. A host that has neither gives no data.
 *
 * wtmp lies on the root disk: where that hangs this hangs, in its own process. What is no record of one of the two kinds is
 * passed over, so a damaged file costs what it says and nothing else. */

#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utmp.h>

#define RECORDS_BYTES_MAX (4 << 20) /* of each file, from its end: some ten thousand logins */
#define CARD_RESET 0x20 /* WDIOF_CARDRESET of linux/watchdog.h */
#define DAY 86400

static const struct metric_desc metrics[] = {
        { "boot_clean", METRIC_GAUGE, "", "1 if a shutdown came before this start, 0 if the host had just gone down" },
        { "boot_crashes", METRIC_GAUGE, "", "Starts on record that no shutdown came before" },
        { "boot_crash_age_seconds", METRIC_GAUGE, "seconds", "Time since the last start that no shutdown came before" },
        { "boot_by_watchdog", METRIC_GAUGE, "", "1 if this watchdog timer started the host anew" },
        { "boot_by_watchdog_age_seconds", METRIC_GAUGE, "seconds", "Time since a watchdog timer started the host anew" },
};

static const struct rule rules[] = {
        {
                .name = "boot-crashed", .metric = "boot_crash_age_seconds", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = DAY, .critical = RULE_NONE, .clear = RULE_NONE, .evidence = EVIDENCE_HOST,
                .text = "the host went down without a shutdown and was started again {duration} ago",
                .clears = "a day without it; the end of the journal before it (journalctl -b -1 -e) and the power supply may say why",
                .source = "wtmp: a start that follows a start; a crash, a power cut, a reset or a hang, and mail that was not on disk is lost",
        },
        {
                .name = "boot-by-watchdog", .metric = "boot_by_watchdog_age_seconds", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = DAY, .critical = RULE_NONE, .clear = RULE_NONE, .evidence = EVIDENCE_HOST,
                .text = "the host hung: its watchdog ({label:watchdog}) started it anew {duration} ago",
                .clears = "a day without it; the end of the journal before it (journalctl -b -1 -e) may say what hung",
                .source = "the timer's own flag WDIOF_CARDRESET: nobody had fed it for as long as it waits",
        },
};

/* --- wtmp ----------------------------------------------------------------------------------------- */

struct record {
        bool start;     /* else a shutdown */
        int64_t wall_s;
};

struct history {
        bool known, running; /* known: there was a record; running: the last one is a start */
        bool clean, clean_known; /* of the newest start */
        unsigned crashes;
        int64_t crash_wall_s, start_wall_s;
};

static void history_add(struct history *h, const struct record *r)
{
        if (r->start) {
                h->clean_known = h->known;
                h->clean = h->known && !h->running;
                if (h->known && h->running) {
                        h->crashes++;
                        h->crash_wall_s = r->wall_s;
                }
                h->start_wall_s = r->wall_s;
        }
        h->known = true;
        h->running = r->start;
}

/* False: it is of something else. */
static bool to_record(const struct utmp *u, struct record *ret)
{
        *ret = (struct record){ .start = u->ut_type == BOOT_TIME, .wall_s = u->ut_tv.tv_sec };
        /* ut_user need not end in a NUL. */
        return ret->start || (u->ut_type == RUN_LVL && strncmp(u->ut_user, "shutdown", sizeof(u->ut_user)) == 0);
}

/* 0, or negative errno: there is no such file, or it cannot be read. */
static int read_records(struct env *env, const char *path, struct history *h)
{
        _cleanup_close_ int fd = openat(env->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct utmp records[64];
        struct record record;
        struct stat st;
        ssize_t n = 0;
        off_t at;

        if (fd < 0 || fstat(fd, &st) < 0)
                return neg_errno();
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        at = st.st_size > RECORDS_BYTES_MAX ? st.st_size - RECORDS_BYTES_MAX : 0;
        at -= at % (off_t)sizeof(records[0]);
        /* No further than what was there: somebody may log in meanwhile for ever. */
        while (at + (off_t)sizeof(records[0]) <= st.st_size && (n = pread(fd, records, sizeof(records), at)) >= (ssize_t)sizeof(records[0])) {
                size_t whole = (size_t)n / sizeof(records[0]);

                for (size_t i = 0; i < whole; i++)
                        if (to_record(&records[i], &record))
                                history_add(h, &record);
                at += (off_t)(whole * sizeof(records[0]));
        }
        return n < 0 ? neg_errno() : 0;
}

/* Whether the newest start on record is the one of this run: /run/utmp has the same one. Without that file, whether it can be. */
static bool is_this_run(struct env *env, const struct history *h, double uptime_s, int64_t now_wall_s)
{
        struct history present = { 0 };

        if (!h->running)
                return false;
        if (read_records(env, "run/utmp", &present) == 0 && present.known)
                return present.running && present.start_wall_s == h->start_wall_s;
        return (double)(now_wall_s - h->start_wall_s) <= uptime_s + DAY;
}

/* Seconds since that start, by the clock of now. A clock that was wrong when the host was started tells nothing: then since this
 * start, or never. */
static double age_of(const struct history *h, int64_t wall_s, double uptime_s, int64_t now_wall_s)
{
        double age = (double)(now_wall_s - wall_s);

        if (wall_s == h->start_wall_s)
                return age >= 0 && age <= uptime_s ? age : uptime_s;
        return age < uptime_s ? uptime_s : age;
}

static enum result run_records(struct env *env, double uptime_s, int64_t now_wall_s, bool *ret_any)
{
        static const char *const paths[] = { "var/log/wtmp.1", "var/log/wtmp" }; /* the older one is what logrotate(8) leaves */
        struct history h = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                int r = read_records(env, paths[i], &h);

                if (r < 0 && r != -ENOENT && r != -EBADMSG)
                        return env_end_errno(env, r, "%s", paths[i]);
        }
        if (!h.known)
                return RESULT_OK;
        *ret_any = true;
        env_sample(env, "boot_crashes", h.crashes, NULL);
        /* Where nobody notes the starts any more what is on record is of long ago. */
        if (!is_this_run(env, &h, uptime_s, now_wall_s))
                return RESULT_OK;
        if (h.clean_known)
                env_sample(env, "boot_clean", h.clean, NULL);
        if (h.crashes)
                env_sample(env, "boot_crash_age_seconds", age_of(&h, h.crash_wall_s, uptime_s, now_wall_s), NULL);
        return RESULT_OK;
}

/* --- watchdogs ------------------------------------------------------------------------------------ */

static void run_watchdogs(struct env *env, double uptime_s, bool *ret_any)
{
        char **names;

        if (env_list_dir(env, &names, "sys/class/watchdog") < 0)
                return;
        for (size_t i = 0; names[i]; i++) {
                char identity[96];
                int64_t status;

                if (!str_starts(names[i], "watchdog") || env_read_i64(env, &status, "sys/class/watchdog/%s/bootstatus", names[i]) < 0)
                        continue;
                if (env_read(env, identity, sizeof(identity), "sys/class/watchdog/%s/identity", names[i]) <= 0)
                        snprintf(identity, sizeof(identity), "%s", names[i]);
                *ret_any = true;
                env_sample(env, "boot_by_watchdog", status > 0 && status & CARD_RESET, "watchdog", identity, NULL);
                if (status > 0 && status & CARD_RESET)
                        env_sample(env, "boot_by_watchdog_age_seconds", uptime_s, "watchdog", identity, NULL);
        }
        env_list_free(names);
}

/* --- the check ------------------------------------------------------------------------------------ */

static int discover(struct env *env, struct instance_list *list)
{
        struct instance *inst = NULL;

        if (env_exists(env, "proc/uptime") && (env_exists(env, "var/log/wtmp") || env_exists(env, "sys/class/watchdog/watchdog0")))
                inst = instance_add(list, "host");
        if (inst)
                strcpy(inst->kind, "host");
        return 0;
}

/* 0 or negative errno: what time it is, by the kernel. */
static int read_now(struct env *env, double *ret_uptime_s, int64_t *ret_wall_s)
{
        _cleanup_free_ char *stat = NULL;
        const char *btime;
        char text[128], *end;
        double uptime;
        int r = env_read(env, text, sizeof(text), "proc/uptime");

        if (r < 0)
                return r;
        uptime = strtod(text, &end);
        if (end == text || !(uptime >= 0 && uptime < 1e11))
                return -EBADMSG;
        r = env_read_text(env, &stat, 4 << 20, "proc/stat");
        if (r < 0)
                return r;
        btime = strstr(stat, "\nbtime ");
        if (!btime)
                return -EBADMSG;
        *ret_uptime_s = uptime;
        *ret_wall_s = strtoll(btime + strlen("\nbtime "), NULL, 10);
        if (*ret_wall_s < 0 || *ret_wall_s > INT64_MAX / 4)
                return -EBADMSG;
        *ret_wall_s += (int64_t)uptime;
        return 0;
}

static enum result run(struct env *env, const struct instance *instance UNUSED)
{
        enum result result;
        int64_t wall_s;
        double uptime_s;
        bool any = false;
        int r = read_now(env, &uptime_s, &wall_s);

        if (r < 0)
                return env_end_errno(env, r, "proc/uptime, proc/stat");
        run_watchdogs(env, uptime_s, &any);
        result = run_records(env, uptime_s, wall_s, &any);
        if (result == RESULT_OK && !any)
                return env_end(env, RESULT_NODATA, "nobody notes starts and shutdowns in /var/log/wtmp, and there is no watchdog timer");
        return result;
}

const struct check check_boot = {
        .desc = {
                .name = "boot",
                .summary = "how the host's last run ended: shutdown, crash, watchdog",
                .interval_s = 600,
                .deadline_s = 20,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_HOST,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
