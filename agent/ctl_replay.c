/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl replay: drive histories through the rules of the daemon, without a daemon. One pass in date order, so
 * that nothing later can be seen; memory for each drive, none for each day. */

#include <fcntl.h>
#include <jansson.h>
#include <math.h>

#include "ctl_disk_rules.h"
#include "disk_judge.h"
#include "disk_rules.h"
#include "history.h"
#include "powered_clock.h"

#define CHUNK (1 << 20) /* what is read at once; more than HISTORY_LINE_MAX */

struct drive {
        char serial[sizeof(((struct disk_report *)0)->serial)]; /* "": free slot */
        uint32_t hash;
        int32_t day;   /* of its last row */
        struct powered_clock clock;
        struct disk_state state;
};

struct replay {
        struct rule *rules;
        struct disk_judge *judge;
        struct drive *drives; /* open addressing; size is a power of two */
        size_t n, size;
        struct history_day day;
        size_t n_bad; /* lines that could not be read */
        bool failed;  /* a file that could not be read */
};

static uint32_t hash_serial(const char *s)
{
        uint32_t h = 2166136261u; /* FNV-1a */

        for (; *s; s++)
                h = (h ^ (uint8_t)*s) * 16777619u;
        return h;
}

static struct drive *find_slot(struct drive *drives, size_t size, const char *serial, uint32_t hash)
{
        for (size_t i = hash & (size - 1);; i = (i + 1) & (size - 1))
                if (!drives[i].serial[0] || (drives[i].hash == hash && streq(drives[i].serial, serial)))
                        return &drives[i];
}

static void grow_table(struct replay *r)
{
        size_t size = r->size ? 2 * r->size : 1024;
        struct drive *grown = calloc(size, sizeof(*grown));

        if (!grown)
                abort();
        for (size_t i = 0; i < r->size; i++)
                if (r->drives[i].serial[0])
                        *find_slot(grown, size, r->drives[i].serial, r->drives[i].hash) = r->drives[i];
        free(r->drives);
        r->drives = grown;
        r->size = size;
}

static struct drive *get_drive(struct replay *r, const char *serial, bool *ret_new)
{
        uint32_t hash = hash_serial(serial);
        struct drive *d;

        if (r->n >= r->size / 4 * 3)
                grow_table(r);
        d = find_slot(r->drives, r->size, serial, hash);
        *ret_new = !d->serial[0];
        if (d->serial[0])
                return d;
        snprintf(d->serial, sizeof(d->serial), "%s", serial);
        d->hash = hash;
        r->n++;
        return d;
}

/* The drive's own clock; a day a row where attribute 9 is not reported. */
static int64_t advance_clock(struct drive *d, bool first, const struct history_day *day)
{
        double elapsed_h = first ? 0 : 24.0 * (day->day - d->day);

        d->day = day->day;
        return powered_clock_step(&d->clock, day->report.power_on_s / 3600, elapsed_h, 24);
}

static void print_change(struct replay *r, const struct drive *d, const struct rule *before)
{
        const struct disk_state *s = &d->state;
        char why[1024];
        json_t *line;

        if (s->level == LEVEL_OK)
                snprintf(why, sizeof(why), "nothing is wrong with %s any more", d->serial);
        else
                disk_judge_why(r->judge, s, &r->day.report, d->serial, why, sizeof(why));
        line = json_pack("{ss ss ss ss ss}", "date", r->day.date, "serial_number", d->serial, "severity",
                         level_name(s->level), "rule", s->rule ? s->rule->name : before->name, "why", why);
        json_object_set_new(line, "probability_30d", isnan(s->probability) ? json_null() : json_real(s->probability));
        json_dumpf(line, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(4));
        putchar('\n');
        json_decref(line);
}

static int replay_day(struct replay *r, struct errinfo *err)
{
        const struct rule *before;
        bool first;
        struct drive *d = get_drive(r, r->day.report.serial, &first);

        if (!first && r->day.day < d->day)
                return err_set(err, -EINVAL, "%s of %s comes after a later day of the same drive; rows must be in date order",
                               r->day.date, d->serial);
        before = d->state.rule;
        if (disk_judge_step(r->judge, &d->state, &r->day.report, advance_clock(d, first, &r->day)))
                print_change(r, d, before);
        return 0;
}

static void replay_line(struct replay *r, struct history_reader *reader, const char *file, size_t number, char *line, size_t len)
{
        struct errinfo err = {};
        int got = history_line(reader, line, len, &r->day, &err);

        if (got > 0)
                got = replay_day(r, &err);
        if (got >= 0)
                return;
        fprintf(stderr, "%s:%zu: %s\n", file, number, err.text);
        r->n_bad++;
}

static bool is_xz(const char *buf, size_t len)
{
        return len >= 6 && memcmp(buf, "\xfd" "7zXZ", 6) == 0;
}

/* Cuts the stream into lines. A line that does not fit is told once and skipped to its end. */
static int replay_stream(struct replay *r, int fd, const char *file)
{
        _cleanup_(history_reader_done) struct history_reader reader = {};
        _cleanup_free_ char *buf = malloc(CHUNK + 1);
        size_t fill = 0, number = 0;
        bool skipping = false, begun = false;

        if (!buf)
                abort();
        for (;;) {
                ssize_t got = read(fd, buf + fill, CHUNK - fill);
                char *line = buf, *end;

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return neg_errno();
                fill += (size_t)got;
                if (!begun && is_xz(buf, fill)) {
                        ctl_fail("%s is compressed: xz -dc FILE | veillectl replay -", file);
                        return -EILSEQ;
                }
                begun = true;
                if (got == 0 && fill > 0)
                        buf[fill++] = '\n'; /* the last line may lack it; the buffer has room for it */
                while ((end = memchr(line, '\n', fill - (size_t)(line - buf)))) {
                        number++;
                        if (!skipping)
                                replay_line(r, &reader, file, number, line, (size_t)(end - line));
                        skipping = false;
                        line = end + 1;
                }
                fill -= (size_t)(line - buf);
                memmove(buf, line, fill);
                if (got == 0)
                        return 0;
                if (fill > HISTORY_LINE_MAX) {
                        if (!skipping)
                                replay_line(r, &reader, file, number + 1, buf, fill);
                        skipping = true;
                        fill = 0;
                }
        }
}

static void replay_file(struct replay *r, const char *file)
{
        bool standard_input = streq(file, "-");
        _cleanup_close_ int fd = -1;
        int result;

        if (!standard_input) {
                fd = open(file, O_RDONLY | O_CLOEXEC);
                if (fd < 0) {
                        ctl_fail("%s: %s", file, strerror(errno));
                        r->failed = true;
                        return;
                }
        }
        result = replay_stream(r, standard_input ? STDIN_FILENO : fd, file);
        if (result < 0 && result != -EILSEQ)
                ctl_fail("%s: %s", file, strerror(-result));
        r->failed |= result < 0;
}

/* Silence must not pass for health. */
static void tell_unjudged(const struct replay *r)
{
        size_t n = 0;

        for (size_t i = 0; i < r->size; i++)
                n += r->drives[i].serial[0] && !r->drives[i].state.judged;
        if (n)
                fprintf(stderr, "veillectl: %zu of %zu drives never reported a value that a rule reads\n", n, r->n);
}

static void replay_done(struct replay *r)
{
        for (size_t i = 0; i < r->size; i++)
                if (r->drives[i].serial[0])
                        disk_state_done(&r->drives[i].state);
        free(r->drives);
        disk_report_done(&r->day.report);
        disk_judge_free(r->judge);
        free(r->rules);
}

static int run(const struct common_options *options, int argc, char *argv[])
{
        static struct replay r;
        int status;

        if (argc < 2)
                return ctl_usage("replay", "which FILE? - is standard input");
        r = (struct replay){ .rules = ctl_disk_rules(options) };
        if (!r.rules)
                return CTL_EXIT_FAILED;
        r.judge = disk_judge_new(r.rules, disk_rules_len);
        for (int i = 1; i < argc; i++)
                replay_file(&r, argv[i]);
        tell_unjudged(&r);
        if (disk_judge_limit_hits(r.judge))
                fprintf(stderr, "veillectl: %llu values were not judged: more of them than any disk should have\n",
                        (unsigned long long)disk_judge_limit_hits(r.judge));
        status = r.failed ? CTL_EXIT_FAILED : r.n_bad ? 1 : 0;
        replay_done(&r);
        if (fflush(stdout) != 0 || ferror(stdout))
                return ctl_fail("cannot write the result: %s", strerror(errno));
        return status;
}

const struct ctl_command ctl_command_replay = {
        .name = "replay", .run = run, .synopsis = "FILE...|-",
        .summary = "Replays drive histories: when would veille have said what?",
        .help = "Reads Backblaze's daily CSV (columns found by name, a repeated header starts anew) or a JSON object a line, in\n"
                "date order, and prints a JSON line for each change of a drive's level:\n\n"
                "  {\"date\",\"serial_number\",\"severity\":\"ok|notice|warning|critical\",\"rule\",\"why\",\"probability_30d\"}\n\n"
                "The rules are the daemon's, with what [rule NAME] of the configuration changes. Nothing looks ahead, and never\n"
                "at the column \"failure\"; windows are powered-on hours (attribute 9, else a day a row). probability_30d is null\n"
                "where no calibrated model exists: it is fitted for ATA hard disks only.\n\n"
                "  xz -dc daily.csv.xz | veillectl replay -\n\n"
                "Exit status: 0; 1 when a line could not be read (it is named on standard error and skipped); 3 when a file\n"
                "could not be read.\n",
};
