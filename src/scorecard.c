/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The scorecard for ATA hard disks and its calibration. Pure functions of (state, input, time).
 * tests/foresight measures it against the peers' rules; docs/foresight.md holds the results. */

#include "scorecard.h"

#define FITTED "fitted on the half of Backblaze's fleet of 2013-2016 given to developers, see veille's docs/foresight.md"

/* No attribute alone is indispensable: they replace each other. Growth counts for 187 only, because a
 * level of 187 is often old history, while a pending or reallocated sector is a sick place today. */
static const struct scorecard_row rows[] = {
        {
                .name = "pending or uncorrectable sectors", .counter = SCORECARD_SECTORS, .kind = SCORECARD_LEVEL,
                .cap = 10, .weight = 5, .source = FITTED,
        },
        {
                .name = "uncorrectable errors reported within 30 days", .counter = SCORECARD_REPORTED,
                .kind = SCORECARD_GROWTH, .window_days = 30, .cap = 8, .weight = 4, .source = FITTED,
        },
        {
                .name = "reallocated sectors", .counter = SCORECARD_REALLOCATED, .kind = SCORECARD_LEVEL,
                .cap = 10, .weight = 2, .source = FITTED,
        },
};

/* What each limit meant on drives the card was not fitted on is in docs/foresight.md. No hold: a disk is
 * read a few times a day, and the score does not flap. */
const struct rule scorecard_rule = {
        .name = "disk-failure-score", .metric = SCORECARD_METRIC,
        .kind = RULE_LIMIT, .notice = 3, .warning = 15, .critical = 51, .clear = RULE_NONE,
        .evidence = EVIDENCE_SMART,
        .text = "{value} points on the failure scorecard: {label:signs}; {label:percent} % of such disks fail within 30 days",
        .clears = "a score below 3: the sectors read or written again, no new errors for 30 days, or a new disk",
        .source = FITTED,
};

/* Growth per powered-on day, day modulo the window. */
struct scorecard_growth {
        int64_t day[SCORECARD_WINDOW_DAYS]; /* day number + 1; 0 = empty */
        double sum[SCORECARD_WINDOW_DAYS];
};

const struct scorecard_row *scorecard_rows(size_t *ret_n)
{
        *ret_n = ARRAY_LEN(rows);
        return rows;
}

static int64_t day_of(int64_t us)
{
        return us / (86400 * USEC_PER_SEC);
}

static void growth_add(struct scorecard_growth **growth, double amount, int64_t day)
{
        size_t slot = (size_t)(day % SCORECARD_WINDOW_DAYS);
        struct scorecard_growth *g = *growth;

        if (!g) {
                g = *growth = calloc(1, sizeof(*g));
                if (!g)
                        abort(); /* out of memory in the brain: state is on disk, systemd restarts us */
        }
        if (g->day[slot] != day + 1) {
                g->day[slot] = day + 1;
                g->sum[slot] = 0;
        }
        g->sum[slot] += amount;
}

static double growth_sum(const struct scorecard_growth *g, int days, int64_t day)
{
        double sum = 0;

        if (!g)
                return 0;
        for (size_t i = 0; i < SCORECARD_WINDOW_DAYS; i++)
                if (g->day[i] && day - (g->day[i] - 1) < days)
                        sum += g->sum[i];
        return sum;
}

/* Counters of sectors and errors have 32 bits at most; more are three words packed by the vendor
 * (Seagate), of which the lowest is the count. Negative or infinite is no reading. */
static double usable(double raw)
{
        if (!isfinite(raw) || raw < 0)
                return NAN;
        return raw > UINT32_MAX ? fmod(raw, 65536) : raw;
}

static double counter_value(const struct scorecard_input *input, enum scorecard_counter counter)
{
        switch (counter) {
        case SCORECARD_SECTORS:
                return fmax(usable(input->raw_197), usable(input->raw_198)); /* fmax ignores a NAN */
        case SCORECARD_REALLOCATED:
                return usable(input->raw_5);
        default:
                return usable(input->raw_187);
        }
}

static int row_points(const struct scorecard_row *row, const struct scorecard_state *state, double *ret_x)
{
        double x = row->kind == SCORECARD_LEVEL ? state->value[row->counter]
                                                : growth_sum(state->growth[row->counter], row->window_days,
                                                             day_of(state->now_us));
        int log2_x;

        /* floor(log2(1 + x)) without the rounding of log2(): 1 + x = m * 2^e with 0.5 <= m < 1. */
        frexp(1 + x, &log2_x);
        *ret_x = x;
        return row->weight * MIN(row->cap, log2_x - 1);
}

double scorecard_step(struct scorecard_state *state, const struct scorecard_input *input, int64_t powered_on_us)
{
        double score = 0, x;

        state->now_us = MAX(state->now_us, MAX(powered_on_us, 0));
        for (int c = 0; c < SCORECARD_COUNTERS; c++) {
                double value = counter_value(input, c);

                if (isnan(value))
                        continue;
                if (state->seen[c] && value > state->value[c])
                        growth_add(&state->growth[c], value - state->value[c], day_of(state->now_us));
                state->seen[c] = true;
                state->value[c] = value;
        }
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                score += row_points(&rows[i], state, &x);
        return score;
}

/* Fitted on the developers' half, checked on drives it had not seen: by score, predicted and seen per
 * cent were 8.4/8.8 (16-20), 12.1/12.2 (20-25), 21.3/21.9 (32-45), 37.8/41.5 (above). It holds for a
 * fleet where 3.7 % fail in a year; where half as many do, expect about half the odds. */
double scorecard_probability(double score)
{
        double logit;

        if (!(score > 0))
                return 0.0015; /* no sign: half of all disks that fail within 30 days */
        logit = -7.440 + 1.061 * log2(1 + score) + 0.0136 * score;
        return 1 / (1 + exp(-logit));
}

void scorecard_explain(const struct scorecard_state *state, char *buf, size_t size)
{
        size_t len = 0;

        assert(size > 0);
        buf[0] = '\0';
        for (size_t i = 0; i < ARRAY_LEN(rows) && len + 1 < size; i++) {
                double x;
                int points = row_points(&rows[i], state, &x);
                int n;

                if (points == 0)
                        continue;
                n = snprintf(buf + len, size - len, "%s%.0f %s (%d points)", len ? ", " : "", x, rows[i].name, points);
                len += n > 0 ? (size_t)n : 0;
        }
}

void scorecard_state_done(struct scorecard_state *state)
{
        for (int c = 0; c < SCORECARD_COUNTERS; c++) {
                free(state->growth[c]);
                state->growth[c] = NULL;
        }
}

json_t *scorecard_save(const struct scorecard_state *state)
{
        json_t *counters = json_array();

        for (int c = 0; c < SCORECARD_COUNTERS; c++) {
                const struct scorecard_growth *g = state->growth[c];
                json_t *days = json_array();

                for (size_t i = 0; g && i < SCORECARD_WINDOW_DAYS; i++)
                        if (g->day[i])
                                json_array_append_new(days, json_pack("[If]", (json_int_t)(g->day[i] - 1), g->sum[i]));
                json_array_append_new(counters, json_pack("{sb sf so}", "seen", state->seen[c], "value", state->value[c],
                                                          "growth", days));
        }
        return json_pack("{sI so}", "now_us", (json_int_t)state->now_us, "counters", counters);
}

void scorecard_load(struct scorecard_state *state, const json_t *doc)
{
        const json_t *counters = json_object_get(doc, "counters");
        json_int_t now_us = json_integer_value(json_object_get(doc, "now_us"));

        if (json_array_size(counters) != SCORECARD_COUNTERS || now_us < 0)
                return;
        state->now_us = now_us;
        for (int c = 0; c < SCORECARD_COUNTERS; c++) {
                const json_t *o = json_array_get(counters, (size_t)c), *days = json_object_get(o, "growth"), *day;
                double value = json_number_value(json_object_get(o, "value"));
                size_t i;

                if (!json_is_true(json_object_get(o, "seen")) || !isfinite(value) || value < 0)
                        continue;
                state->seen[c] = true;
                state->value[c] = value;
                json_array_foreach(days, i, day) {
                        json_int_t when = json_integer_value(json_array_get(day, 0));
                        double sum = json_number_value(json_array_get(day, 1));

                        if (i < SCORECARD_WINDOW_DAYS && when >= 0 && when <= day_of(state->now_us) && isfinite(sum) && sum > 0)
                                growth_add(&state->growth[c], sum, when);
                }
        }
}
