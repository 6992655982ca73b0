/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Asking smartctl. What it says is taken only when the program ended as its own document says, just now, about
 * this disk, and when what we need is in it: everything else is a failure with a sentence, never old or half news. */

#include "disk_smartctl.h"

#include <math.h>
#include <time.h>

#include "disk_metrics.h"
#include "smartctl_json.h"

#define CLOCK_SLACK_S 600 /* between smartctl's clock and ours, which is the same one unless it was just set */

/* The exit status is a bit mask (smartctl(8)); bits 3 to 7 are about the disk, not about the run. */
#define EXIT_COMMAND_LINE 0x01
#define EXIT_OPEN_FAILED 0x02
#define EXIT_SOME_COMMAND_FAILED 0x04

/* Words of smartctl that mean our set-up is wrong, not the disk. */
static const struct {
        const char *words;
        const char *advice;
} set_up[] = {
        { "Permission denied", "veille-probe needs CAP_SYS_RAWIO and CAP_SYS_ADMIN and the device" },
        { "Operation not permitted", "veille-probe needs CAP_SYS_RAWIO and CAP_SYS_ADMIN and the device" },
        { "Unknown USB bridge", "set its type in a [device NAME] section, see smartctl -d help" },
        { "please specify device type", "set its type in a [device NAME] section, see smartctl -d help" },
        { "please try adding '-d", "name the disks behind it in [device NAME] sections" },
        { "please try '-d", "name the disks behind it in [device NAME] sections" },
        { "please use '-d", "name the disks behind it in [device NAME] sections" },
        { "please add '-d", "name the disks behind it in [device NAME] sections" },
};

static void emit_one(void *data, const char *metric, double value, const char *const *labels)
{
        struct env *env = data;

        env->emit(env, metric, value, labels);
}

void disk_emit(struct env *env, const struct disk_report *report)
{
        disk_report_emit(report, false, emit_one, env);
}

bool disk_is_suspended(struct env *env, const struct disk_place *place)
{
        char status[32] = "";

        env_read(env, status, sizeof(status), "sys/block/%s/device/power/runtime_status", place->component);
        return streq(status, "suspended");
}

/* NVMe has no power state to ask for and -x would only add logs that some drives count as errors (collectd 4127). */
static size_t build_argv(const struct env *env, const struct disk_place *place, const char *argv[static 12])
{
        size_t n = 0;

        argv[n++] = SMARTCTL_PATH;
        argv[n++] = "--json";
        argv[n++] = streq(place->type, "nvme") ? "-a" : "-x";
        if (!env->wake) {
                argv[n++] = "-n";
                argv[n++] = "standby,3";
        }
        if (place->type[0]) {
                argv[n++] = "-d";
                argv[n++] = place->type;
        }
        argv[n++] = place->path;
        argv[n] = NULL;
        return n;
}

static enum result end_with_words(struct env *env, const struct disk_place *place, const char *words)
{
        for (size_t i = 0; i < ARRAY_LEN(set_up); i++)
                if (strstr(words, set_up[i].words))
                        return env_end(env, RESULT_DENIED, "%s: smartctl: %.200s; %s", place->name, words, set_up[i].advice);
        return env_end(env, RESULT_FAILED, "%s: smartctl: %.300s", place->name, words);
}

static enum result check_exit(struct env *env, const struct disk_place *place, const struct cmd_result *out, const json_t *doc)
{
        const json_t *own = json_object_get(json_object_get(doc, "smartctl"), "exit_status");
        const char *words = smartctl_json_message(doc);

        /* A crash after the output, or the output of another run. */
        if (!json_is_number(own))
                return env_end(env, RESULT_FAILED, "%s: smartctl's report does not say how it ended: not believed", place->name);
        if (json_number_value(own) != out->exit_status)
                return env_end(env, RESULT_FAILED, "%s: smartctl ended with status %d, but its report says %.0f: not believed", place->name,
                               out->exit_status, json_number_value(own));
        if (out->exit_status & (EXIT_COMMAND_LINE | EXIT_OPEN_FAILED)) {
                if (words)
                        return end_with_words(env, place, words);
                return env_end(env, RESULT_FAILED, "%s: smartctl %s (exit status %d)", place->name,
                               out->exit_status & EXIT_COMMAND_LINE ? "did not understand its command line" : "could not open the disk",
                               out->exit_status);
        }
        return RESULT_OK;
}

/* "No SMART here" is an answer too: virtual disks, volumes of controllers. */
static enum result check_support(struct env *env, const struct disk_place *place, const json_t *doc)
{
        const json_t *support = json_object_get(doc, "smart_support");

        if (json_is_false(json_object_get(support, "available")))
                return env_end(env, RESULT_NODATA, "%s offers no SMART data", place->name);
        if (json_is_false(json_object_get(support, "enabled")))
                return env_end(env, RESULT_DENIED, "SMART is switched off on %s: smartctl -s on %s", place->name, place->path);
        return RESULT_OK;
}

static bool is_wwn(const char *id)
{
        return strlen(id) >= 16 && strspn(id, "0123456789abcdef") == strlen(id);
}

/* Letters and digits only: sysfs and smartctl pad serial numbers differently. */
static bool same_serial(const char *a, const char *b)
{
        for (;;) {
                while (*a && !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *a))
                        a++;
                while (*b && !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *b))
                        b++;
                if (*a != *b)
                        return false;
                if (!*a)
                        return true;
                a++;
                b++;
        }
}

static enum result check_identity(struct env *env, const struct disk_place *place, const struct disk_report *r)
{
        double age_s;

        if (!streq(r->device, place->path + strlen("/dev/")))
                return env_end(env, RESULT_FAILED, "asked about %s, smartctl answered about %s", place->name, r->device[0] ? r->device : "nothing");
        if (is_wwn(place->id) && r->wwn[0] ? !streq(place->id, r->wwn) : place->id[0] && r->serial[0] && !is_wwn(place->id) && !same_serial(place->id, r->serial))
                return env_end(env, RESULT_FAILED, "%s: smartctl answered about another disk (%s, not %s)", place->name,
                               r->wwn[0] && is_wwn(place->id) ? r->wwn : r->serial, place->id);
        if (isnan(r->local_time))
                return env_end(env, RESULT_FAILED, "%s: the report does not say when it was made", place->name);
        age_s = (double)time(NULL) - r->local_time;
        if (fabs(age_s) > CLOCK_SLACK_S)
                return env_end(env, RESULT_FAILED, "%s: old report: it was made %.0f s %s", place->name, fabs(age_s),
                               age_s > 0 ? "ago" : "in the future");
        return RESULT_OK;
}

/* A disk behind some bridges answers with less; unless that is bad, nobody can say how it is. */
static enum result check_complete(struct env *env, const struct disk_place *place, const struct disk_report *r)
{
        const char *missing = r->health == DISK_HEALTH_FAILED ? NULL : disk_report_lacks(r);

        if (!missing)
                return RESULT_OK;
        return env_end(env, RESULT_FAILED, "%s: smartctl's report lacks %s%s", place->name, missing,
                       (unsigned)r->exit_status & EXIT_SOME_COMMAND_FAILED ? ": some command to the disk failed" : "");
}

/* The document of a run that ended in time. */
static enum result judge_output(struct env *env, const struct disk_place *place, const struct cmd_result *out, const json_t *doc,
                                struct disk_report *ret)
{
        struct disk_report report;
        enum result result;
        int r = smartctl_json_report(doc, &report, &env->why);

        if (r >= 0 && report.standby) {
                /* -n standby,3 was given: 3 is the only way to say so. With wake it was not, so the disk should have answered. */
                if (!env->wake && out->exit_status == 3) {
                        *ret = report;
                        return RESULT_OK;
                }
                disk_report_done(&report);
                return env_end(env, RESULT_FAILED, "%s: smartctl found it asleep and did not wake it", place->name);
        }
        result = check_exit(env, place, out, doc);
        if (result == RESULT_OK)
                result = check_support(env, place, doc);
        if (result == RESULT_OK && r < 0)
                result = env_end(env, RESULT_FAILED, "%s: %s", place->name, env->why.text[0] ? env->why.text : strerror(-r));
        if (result == RESULT_OK)
                result = check_identity(env, place, &report);
        if (result == RESULT_OK)
                result = check_complete(env, place, &report);
        if (result == RESULT_OK)
                *ret = report;
        else if (r >= 0)
                disk_report_done(&report);
        return result;
}

enum result smartctl_ask(struct env *env, const struct disk_place *place, struct disk_report *ret)
{
        const char *argv[12];
        struct cmd_result out = { 0 };
        struct errinfo err = { 0 };
        enum result result;
        json_t *doc;
        int r;

        build_argv(env, place, argv);
        r = env->run_cmd(env, argv, SMARTCTL_DEADLINE_S, SMARTCTL_JSON_MAX, &out);
        if (r == -ENOENT)
                return env_end(env, RESULT_DENIED, "%s is not installed (package smartmontools)", SMARTCTL_PATH);
        if (r == -ETIME)
                return env_end(env, RESULT_TIMEOUT, "%s: smartctl has had no answer from the disk for %d s", place->name, SMARTCTL_DEADLINE_S);
        if (r < 0)
                return env_end(env, r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED, "%s: %s", SMARTCTL_PATH, strerror(-r));
        doc = smartctl_json_load(out.out, out.out_len, &err);
        if (out.truncated)
                result = env_end(env, RESULT_FAILED, "%s: smartctl printed more than %d bytes", place->name, SMARTCTL_JSON_MAX);
        else if (!doc)
                result = env_end(env, RESULT_FAILED, "%s: %s (exit status %d)%s%.200s", place->name, err.text, out.exit_status,
                                 out.err_text[0] ? ": " : "", out.err_text);
        else
                result = judge_output(env, place, &out, doc, ret);
        json_decref(doc);
        cmd_result_done(&out);
        return result;
}
