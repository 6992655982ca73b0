/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Memory errors counted by the kernel (EDAC), per controller and per DIMM.
 * The counters begin at 0 at every boot; the rules know that a counter that falls was reset. */

#include "check.h"

#define CHANNELS_MAX 16

static const struct metric_desc metrics[] = {
        { "edac_correctable_errors_total", METRIC_COUNTER, "", "Corrected memory errors of this controller or DIMM since boot" },
        { "edac_uncorrectable_errors_total", METRIC_COUNTER, "", "Uncorrected memory errors of this controller or DIMM since boot" },
        { "edac_csrow_correctable_errors_total", METRIC_COUNTER, "", "Corrected memory errors of this chip-select row since boot; unknown: of no row" },
        { "edac_csrow_uncorrectable_errors_total", METRIC_COUNTER, "", "Uncorrected memory errors of this chip-select row since boot; unknown: of no row" },
        { "edac_channel_correctable_errors_total", METRIC_COUNTER, "", "Corrected memory errors of this channel of a chip-select row since boot" },
        { "edac_channel_uncorrectable_errors_total", METRIC_COUNTER, "", "Uncorrected memory errors of this channel of a chip-select row since boot" },
};

/* Per-DIMM counts judge; the controller's total is for metrics, and for what no DIMM claims (scope "unattributed"). */
static const struct rule rules[] = {
        {
                .name = "memory-uncorrectable", .metric = "edac_uncorrectable_errors_total",
                .match_label = "judged", .match_value = "yes",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_MEMORY, .hard = true,
                .text = "{value} uncorrected memory {n:error|errors} in {label:dimm} since boot",
                .clears = "replace the module, then reboot: the counter starts at 0",
                .source = "Schroeder, Pinheiro, Weber: DRAM Errors in the Wild (2009): an uncorrected error means replacement",
        },
        {
                .name = "memory-error-storm", .metric = "edac_correctable_errors_total",
                .match_label = "judged", .match_value = "yes",
                .kind = RULE_RATE, .notice = RULE_NONE, .warning = 100, .critical = 2000, .clear = RULE_NONE,
                .window_s = 60, .calm_s = 3600, .evidence = EVIDENCE_MEMORY,
                .text = "storm of corrected memory errors in {label:dimm}: {growth} within {window}",
                .clears = "an hour without a storm",
                .source = "rasdaemon counts 2000 a second as a storm; 100 a minute costs noticeable time in interrupts",
        },
        {
                .name = "memory-error-rate", .metric = "edac_correctable_errors_total",
                .match_label = "judged", .match_value = "yes",
                .kind = RULE_RATE, .notice = 2, .warning = 10, .critical = RULE_NONE, .clear = RULE_NONE,
                .window_s = 86400, .evidence = EVIDENCE_MEMORY,
                .text = "{growth} corrected memory {n:error|errors} in {label:dimm} within {window}",
                .clears = "fewer than 2 within a day",
                .source = "mcelog 2 per DIMM and day, TrueNAS 10 a day; a corrected error precedes most uncorrected ones",
        },
        {
                .name = "memory-error-single", .metric = "edac_correctable_errors_total",
                .match_label = "judged", .match_value = "yes",
                .kind = RULE_CHANGE, .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,
                .calm_s = 7 * 86400, .evidence = EVIDENCE_MEMORY,
                .text = "{growth} corrected memory {n:error|errors} in {label:dimm} since {baseline} were accepted",
                .clears = "a week without a new one, or veillectl accept",
                .source = "Google study: after one corrected error an uncorrected one is 9 to 400 times as likely",
        },
};

static int discover(struct env *env, struct instance_list *list)
{
        char **names;
        int r = env_list_dir(env, &names, "sys/devices/system/edac/mc");

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;

                if (!str_starts(names[i], "mc") || !env_exists(env, "sys/devices/system/edac/mc/%s/ce_count", names[i]))
                        continue;
                inst = instance_add(list, names[i]);
                if (inst)
                        strcpy(inst->kind, "memory");
        }
        env_list_free(names);
        return 0;
}

/* One dimmN or rankN directory; adds its counts to the sums. Names without counters are passed over. */
static enum result run_dimm(struct env *env, const char *mc, const char *dir, int64_t *ce_sum, int64_t *ue_sum)
{
        char label[64] = "";
        char component[INSTANCE_NAME_MAX];
        int64_t ce, ue;
        int r;

        r = env_read_i64(env, &ce, "sys/devices/system/edac/mc/%s/%s/dimm_ce_count", mc, dir);
        if (r < 0)
                return env_end_errno(env, r, "sys/devices/system/edac/mc/%s/%s/dimm_ce_count", mc, dir);
        r = env_read_i64(env, &ue, "sys/devices/system/edac/mc/%s/%s/dimm_ue_count", mc, dir);
        if (r < 0)
                return env_end_errno(env, r, "sys/devices/system/edac/mc/%s/%s/dimm_ue_count", mc, dir);
        env_read(env, label, sizeof(label), "sys/devices/system/edac/mc/%s/%s/dimm_label", mc, dir);
        if (label[0])
                snprintf(component, sizeof(component), "%s", label);
        else
                snprintf(component, sizeof(component), "%s/%s", mc, dir);
        env_sample(env, "edac_correctable_errors_total", (double)ce, "controller", mc, "dimm", component,
                   "component", component, "judged", "yes", NULL);
        env_sample(env, "edac_uncorrectable_errors_total", (double)ue, "controller", mc, "dimm", component,
                   "component", component, "judged", "yes", NULL);
        *ce_sum += ce;
        *ue_sum += ue;
        return RESULT_OK;
}

/* Rows and channels are the kernel's older view of the same counts, kept for those who plot it: nothing is judged by it, and
 * what is missing of it (newer drivers, CONFIG_EDAC_LEGACY_SYSFS=n) is no failure. */
static void run_csrow(struct env *env, const char *mc, const char *dir)
{
        const char *row = dir + strlen("csrow");
        int64_t ce, ue;

        if (env_read_i64(env, &ce, "sys/devices/system/edac/mc/%s/%s/ce_count", mc, dir) == 0)
                env_sample(env, "edac_csrow_correctable_errors_total", (double)ce, "controller", mc, "csrow", row, NULL);
        if (env_read_i64(env, &ue, "sys/devices/system/edac/mc/%s/%s/ue_count", mc, dir) == 0)
                env_sample(env, "edac_csrow_uncorrectable_errors_total", (double)ue, "controller", mc, "csrow", row, NULL);
        for (unsigned i = 0; i < CHANNELS_MAX; i++) {
                char channel[12], label[64] = "";

                snprintf(channel, sizeof(channel), "%u", i);
                if (env_read_i64(env, &ce, "sys/devices/system/edac/mc/%s/%s/ch%u_ce_count", mc, dir, i) < 0)
                        continue;
                env_read(env, label, sizeof(label), "sys/devices/system/edac/mc/%s/%s/ch%u_dimm_label", mc, dir, i);
                env_sample(env, "edac_channel_correctable_errors_total", (double)ce, "controller", mc, "csrow", row, "channel", channel,
                           "dimm_label", label, NULL);
                if (env_read_i64(env, &ue, "sys/devices/system/edac/mc/%s/%s/ch%u_ue_count", mc, dir, i) == 0)
                        env_sample(env, "edac_channel_uncorrectable_errors_total", (double)ue, "controller", mc, "csrow", row, "channel", channel,
                                   "dimm_label", label, NULL);
        }
}

static void run_csrows(struct env *env, const char *mc, char **names)
{
        int64_t ce, ue;

        if (env_read_i64(env, &ce, "sys/devices/system/edac/mc/%s/ce_noinfo_count", mc) == 0)
                env_sample(env, "edac_csrow_correctable_errors_total", (double)ce, "controller", mc, "csrow", "unknown", NULL);
        if (env_read_i64(env, &ue, "sys/devices/system/edac/mc/%s/ue_noinfo_count", mc) == 0)
                env_sample(env, "edac_csrow_uncorrectable_errors_total", (double)ue, "controller", mc, "csrow", "unknown", NULL);
        for (size_t i = 0; names[i]; i++)
                if (str_starts(names[i], "csrow") && names[i][5] >= '0' && names[i][5] <= '9')
                        run_csrow(env, mc, names[i]);
}

static enum result run(struct env *env, const struct instance *instance)
{
        const char *mc = instance->name;
        int64_t ce, ue, ce_dimms = 0, ue_dimms = 0;
        char **names;
        enum result result = RESULT_OK;
        int r;

        r = env_read_i64(env, &ce, "sys/devices/system/edac/mc/%s/ce_count", mc);
        if (r < 0)
                return env_end_errno(env, r, "sys/devices/system/edac/mc/%s/ce_count", mc);
        r = env_read_i64(env, &ue, "sys/devices/system/edac/mc/%s/ue_count", mc);
        if (r < 0)
                return env_end_errno(env, r, "sys/devices/system/edac/mc/%s/ue_count", mc);
        env_sample(env, "edac_correctable_errors_total", (double)ce, "controller", mc, "dimm", "all", "judged", "no", NULL);
        env_sample(env, "edac_uncorrectable_errors_total", (double)ue, "controller", mc, "dimm", "all", "judged", "no", NULL);

        r = env_list_dir(env, &names, "sys/devices/system/edac/mc/%s", mc);
        if (r < 0)
                return env_end_errno(env, r, "sys/devices/system/edac/mc/%s", mc);
        for (size_t i = 0; names[i] && result == RESULT_OK; i++)
                if ((str_starts(names[i], "dimm") || str_starts(names[i], "rank")) &&
                    env_exists(env, "sys/devices/system/edac/mc/%s/%s/dimm_ce_count", mc, names[i]))
                        result = run_dimm(env, mc, names[i], &ce_dimms, &ue_dimms);
        if (result == RESULT_OK)
                run_csrows(env, mc, names);
        env_list_free(names);
        if (result != RESULT_OK)
                return result;

        /* Errors the controller could not attribute to a module count too. */
        env_sample(env, "edac_correctable_errors_total", (double)MAX(ce - ce_dimms, 0), "controller", mc,
                   "dimm", "an unknown module", "judged", "yes", NULL);
        env_sample(env, "edac_uncorrectable_errors_total", (double)MAX(ue - ue_dimms, 0), "controller", mc,
                   "dimm", "an unknown module", "judged", "yes", NULL);
        return RESULT_OK;
}

const struct check check_edac = {
        .desc = {
                .name = "edac",
                .summary = "memory errors counted by the kernel",
                .interval_s = 60,
                .deadline_s = 5,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_MEMORY,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
