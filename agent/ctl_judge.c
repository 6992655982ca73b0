/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl judge: saved SMART data through the very rules of the daemon, without a daemon. Every document is
 * a disk seen for the first time: rules about change have nothing to compare with and are silent. */

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <sys/stat.h>

#include "ctl_disk_rules.h"
#include "disk_metrics.h"
#include "disk_rules.h"
#include "judge.h"
#include "rule_config.h"
#include "smart_blob.h"
#include "smartctl_json.h"

#define FILE_MAX (256 * 1024 * 1024)

struct judging {
        struct check_desc check;
        struct catalog catalog;
        struct rule *rules; /* see single_reading() */
        const char *file;
        enum level worst;
        size_t n;
};

struct feed {
        struct judge *judge;
        struct judge_instance *instance;
};

static void feed_sample(void *data, const char *metric, double value, const char *const *labels)
{
        struct feed *f = data;

        judge_sample(f->judge, f->instance, metric, value, labels, 0);
}

static void add_reason(void *data, const struct judge_reason *r)
{
        json_t *o = json_pack("{ss ss ss}", "rule", r->rule_name, "level", level_name(r->level), "text", r->text);

        if (!o)
                o = json_pack("{ss ss ss}", "rule", r->rule_name, "level", level_name(r->level), "text", "(text that is not UTF-8)");
        json_object_set_new(o, "value", r->series ? json_real(r->series->value) : json_null());
        json_array_append_new(data, o);
}

static void print_result(struct judging *j, const char *device, enum level level, json_t *reasons, double probability, const char *id)
{
        json_t *line = json_pack("{ss ss}", "file", j->file, "device", device);

        if (!line)
                line = json_pack("{ss ss}", "file", "?", "device", "?");
        if (id)
                json_object_set_new(line, "id", json_string(id));
        json_object_set_new(line, "level", json_string(level_name(level)));
        json_object_set_new(line, "reasons", reasons);
        json_object_set_new(line, "probability_30d", isnan(probability) ? json_null() : json_real(probability));
        json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(line);
        j->worst = level_worse(j->worst, level);
        j->n++;
}

static void print_unknown(struct judging *j, const char *why, const char *id)
{
        json_t *reasons = json_pack("[{ss ss ss sn}]", "rule", "no-report", "level", "unknown", "text", why, "value");

        print_result(j, "", LEVEL_UNKNOWN, reasons ? reasons : json_array(), NAN, id);
}

static double find_probability(const struct judge_instance *i)
{
        for (size_t k = 0; k < i->n_series; k++)
                if (streq(i->series[k].metric->name, "disk_failure_probability_30d_ratio"))
                        return i->series[k].value;
        return NAN;
}

static void judge_report(struct judging *j, const struct disk_report *report, const char *id)
{
        const struct judge_callbacks silent = { 0 };
        const char *name = report->device[0] ? report->device : report->serial[0] ? report->serial : "disk";
        struct feed f = { .judge = judge_new(&j->catalog, &silent) };
        const char *lacks = report->health == DISK_HEALTH_FAILED ? NULL : disk_report_lacks(report);
        json_t *reasons = json_array();
        const struct judge_component *c;
        enum level level;

        f.instance = judge_discovery_add(f.judge, &j->check, name, name, report->wwn, "disk", 0);
        judge_run_begin(f.judge, f.instance);
        disk_report_emit(report, false, feed_sample, &f);
        judge_run_end(f.judge, f.instance, VERDICT_OK, "", 1);
        c = judge_components(f.judge);
        level = c->level;
        judge_reasons(f.judge, c, 1, add_reason, reasons);
        if (report->standby) {
                level = level_worse(level, LEVEL_UNKNOWN);
                json_array_append_new(reasons, json_pack("{ss ss ss sn}", "rule", "standby", "level", "unknown", "text",
                                                         "the disk was asleep and was not asked", "value"));
        } else if (lacks) {
                char text[128];

                snprintf(text, sizeof(text), "the report lacks %s: nobody can say that the disk is well", lacks);
                level = level_worse(level, LEVEL_UNKNOWN);
                json_array_append_new(reasons, json_pack("{ss ss ss sn}", "rule", "no-health", "level", "unknown", "text", text, "value"));
        }
        print_result(j, report->device, level, reasons, find_probability(f.instance), id);
        judge_free(f.judge);
}

static void judge_document(struct judging *j, const json_t *doc)
{
        const json_t *inner = json_object_get(doc, "smartctl");
        const char *id = json_string_value(json_object_get(doc, "id"));
        struct disk_report report;
        struct errinfo err = { 0 };

        /* {"id":..., "smartctl": {report}}: the report carries its own "smartctl" object. */
        if (!json_object_get(inner, "smartctl") && !json_object_get(inner, "device"))
                inner = doc;
        if (smartctl_json_report(inner, &report, &err) < 0) {
                print_unknown(j, err.text, id);
                return;
        }
        judge_report(j, &report, id);
        disk_report_done(&report);
}

static void judge_blob(struct judging *j, const void *data, size_t len)
{
        struct disk_report report;
        struct errinfo err = { 0 };

        if (smart_blob_report(data, len, &report, &err) < 0) {
                print_unknown(j, err.text, NULL);
                return;
        }
        judge_report(j, &report, NULL);
        disk_report_done(&report);
}

/* Documents one after the other: pretty-printed or a line each. A bad one is reported; the next line that begins an
 * object is the next document. */
static void judge_text(struct judging *j, const char *text, size_t len)
{
        const char *p = text, *end = text + len;

        /* Old smartctl prints a line of text before the JSON. */
        p = len ? memchr(p, '{', len) : NULL;
        if (!p) {
                print_unknown(j, len ? "no JSON and no saved SMART data" : "the file is empty", NULL);
                return;
        }
        while (p && p < end) {
                json_error_t error;
                json_t *doc = smartctl_json_decode(p, (size_t)(end - p), JSON_DISABLE_EOF_CHECK, &error);

                if (doc) {
                        judge_document(j, doc);
                        json_decref(doc);
                        p += error.position;
                        p = memchr(p, '{', (size_t)(end - p));
                        continue;
                }
                char why[300];

                snprintf(why, sizeof(why), "the JSON is damaged: %.200s", error.text);
                print_unknown(j, why, NULL);
                p = memmem(p, (size_t)(end - p), "\n{", 2);
                p = p ? p + 1 : NULL;
        }
}

static int read_all(const char *name, char **ret, size_t *ret_len)
{
        int fd = streq(name, "-") ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
        _cleanup_free_ char *buf = NULL;
        size_t len = 0, size = 65536;

        if (!f)
                return neg_errno();
        for (;;) {
                char *grown = realloc(buf, size);
                size_t n;

                if (!grown)
                        return -ENOMEM;
                buf = grown;
                n = fread(buf + len, 1, size - len, f);
                len += n;
                if (n == 0 || len > FILE_MAX)
                        break;
                if (len == size)
                        size *= 2;
        }
        if (ferror(f))
                return -EIO;
        if (len > FILE_MAX)
                return -EFBIG;
        *ret = take_ptr(buf);
        *ret_len = len;
        return 0;
}

static void judge_file(struct judging *j, const char *name)
{
        _cleanup_free_ char *data = NULL;
        size_t len = 0;
        int r;

        j->file = name;
        r = read_all(name, &data, &len);
        if (r < 0)
                print_unknown(j, strerror(-r), NULL);
        else if (smart_blob_is(data, len))
                judge_blob(j, data, len);
        else
                judge_text(j, data, len);
}

/* There is only one reading: what holds counts at once, and there is nothing it could have grown from (a limit of 0 for
 * growth would be reached by no growth at all). */
static void single_reading(struct rule *rules)
{
        for (size_t i = 0; i < disk_rules_len; i++) {
                rules[i].hold_s = 0;
                if (rules[i].kind != RULE_LIMIT || rules[i].after_good)
                        rule_disable(&rules[i]);
        }
}

static int run_judge(const struct common_options *options, int argc, char *argv[])
{
        struct judging j = { 0 };

        if (argc < 2)
                return ctl_usage("judge", "say which files, or - for standard input");
        j.rules = ctl_disk_rules(options);
        if (!j.rules)
                return CTL_EXIT_FAILED;
        single_reading(j.rules);
        j.check = (struct check_desc){
                .name = "smart", .summary = "", .interval_s = 86400, .deadline_s = 60, .evidence = EVIDENCE_SMART,
                .metrics = disk_metrics, .n_metrics = disk_metrics_len, .rules = j.rules, .n_rules = disk_rules_len,
        };
        j.catalog = (struct catalog){ .checks = &j.check, .n_checks = 1 };
        for (int i = 1; i < argc; i++)
                judge_file(&j, argv[i]);
        free(j.rules);
        if (fflush(stdout) != 0)
                return CTL_EXIT_FAILED;
        return level_nagios_exit(j.worst);
}

const struct ctl_command ctl_command_judge = {
        .name = "judge",
        .run = run_judge,
        .synopsis = "FILE...|-",
        .summary = "judge saved SMART data: smartctl -j -a, JSON Lines of it, skdump --save",
        .help = "One JSON object a document, in order: file, device, level, reasons, probability_30d (of failing within 30\n"
                "powered-on days; null where no calibrated model exists: it was fitted for ATA hard disks). The age of the data\n"
                "is not judged, rules about change are silent. What is not a report is unknown, and so is one that lacks what a\n"
                "verdict needs (of smartctl -H alone). [rule NAME] of the configuration holds as it does for the daemon.\n"
                "Exit status of the worst: critical 2, unknown 3, warning 1, ok and notice 0.\n"
                "\n  smartctl -j -a /dev/sda | veillectl judge -\n",
};
