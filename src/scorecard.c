/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The scorecard for ATA hard disks and its calibration. Pure functions of (state, input, time).
 * tests/foresight measures it against the peers' rules; docs/foresight.md holds the results. */

#include "scorecard.h"

#define FITTED "fitted on 43,478 drives, the half of Backblaze's fleet of 2013-2016 given to developers; docs/foresight.md"

/* No attribute alone is indispensable: they replace each other. What a drive reported of 187 before we knew it is
 * old history and gives nothing; on how many days it rose says more than by how much. A pending or reallocated
 * sector is a sick place today, however old. */
static const struct scorecard_row rows[] = {
        {
                .name = "pending or uncorrectable sectors", .counter = SCORECARD_SECTORS, .kind = SCORECARD_LEVEL,
                .cap = 10, .weight = 7, .source = FITTED,
        },
        {
                .name = "reallocated sectors", .counter = SCORECARD_REALLOCATED, .kind = SCORECARD_LEVEL,
                .cap = 10, .weight = 5, .source = FITTED,
        },
        {
                .name = "of the last 90 days with new uncorrectable errors", .counter = SCORECARD_REPORTED,
                .kind = SCORECARD_DAYS, .window_days = 90, .cap = 4, .weight = 16, .source = FITTED,
        },
        {
                .name = "of the last 90 days with more pending or uncorrectable sectors", .counter = SCORECARD_SECTORS,
                .kind = SCORECARD_DAYS, .window_days = 90, .cap = 5, .weight = 5, .source = FITTED,
        },
};

/* All within one week, so that a disk which holds out for a week is no longer called critical. */
static const struct scorecard_sign signs[] = {
        {
                .name = "sectors lost within a week", .counter = SCORECARD_SECTORS, .kind = SCORECARD_GROWTH,
                .window_days = 7, .limit = 100, .source = FITTED,
        },
        {
                .name = "of the last 7 days with more lost sectors", .counter = SCORECARD_SECTORS, .kind = SCORECARD_DAYS,
                .window_days = 7, .limit = 2, .source = FITTED,
        },
        {
                .name = "new uncorrectable errors within a week", .counter = SCORECARD_REPORTED, .kind = SCORECARD_GROWTH,
                .window_days = 7, .limit = 1, .source = FITTED,
        },
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

const struct scorecard_sign *scorecard_signs(size_t *ret_n)
{
        *ret_n = ARRAY_LEN(signs);
        return signs;
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

/* Sum of the rises within the last days, or on how many of them there was one. */
static double growth_within(const struct scorecard_growth *g, bool count_days, int days, int64_t day)
{
        double sum = 0;

        if (!g)
                return 0;
        for (size_t i = 0; i < SCORECARD_WINDOW_DAYS; i++)
                if (g->day[i] && day - (g->day[i] - 1) < days)
                        sum += count_days ? 1 : g->sum[i];
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

static double measure(const struct scorecard_state *state, enum scorecard_counter counter, enum scorecard_kind kind,
                      int window_days)
{
        if (kind == SCORECARD_LEVEL)
                return state->value[counter];
        return growth_within(state->growth[counter], kind == SCORECARD_DAYS, window_days, day_of(state->now_us));
}

static int row_points(const struct scorecard_row *row, const struct scorecard_state *state, double *ret_x)
{
        double x = measure(state, row->counter, row->kind, row->window_days);
        int log2_x;

        *ret_x = x;
        if (row->kind == SCORECARD_DAYS)
                return row->weight * (int)fmin(row->cap, x);
        /* floor(log2(1 + x)) without the rounding of log2(): 1 + x = m * 2^e with 0.5 <= m < 1. */
        frexp(1 + x, &log2_x);
        return row->weight * MIN(row->cap, log2_x - 1);
}

static bool sign_there(const struct scorecard_sign *sign, const struct scorecard_state *state, double *ret_x)
{
        *ret_x = measure(state, sign->counter, sign->kind, sign->window_days);
        return *ret_x >= sign->limit;
}

static bool decays(const struct scorecard_state *state)
{
        int n = 0;
        double x;

        for (size_t i = 0; i < ARRAY_LEN(signs); i++)
                n += sign_there(&signs[i], state, &x);
        return n >= SCORECARD_SIGNS_NEEDED;
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
        return fmin(score, SCORECARD_DECAYS - 1) + (decays(state) ? SCORECARD_DECAYS : 0);
}

/* Share of the drive-days with about this score that were followed by a failure within 30 days: means over the
 * developers' half, pooled until they rose (docs/foresight.md has them beside each other). It holds for a fleet in
 * which 3.7 % fail in a year; where half as many do, expect about half the odds. At 0 it is what nobody sees coming:
 * half of all the disks that fail within 30 days. */
static const struct {
        double score, probability;
} calibration[] = {
        { 0, 0.0015 },  { 5, 0.0048 },  { 9, 0.0077 },  { 15, 0.0166 }, { 25, 0.0296 },  { 38, 0.0525 },
        { 46, 0.0661 }, { 51, 0.1095 }, { 64, 0.1416 }, { 74, 0.1587 }, { 88, 0.2283 }, { 99, 0.3393 },
        { SCORECARD_DECAYS, 0.618 },
};

double scorecard_probability(double score)
{
        if (!(score > 0))
                return calibration[0].probability;
        for (size_t i = 1; i < ARRAY_LEN(calibration); i++)
                if (score <= calibration[i].score) {
                        double share = (score - calibration[i - 1].score) / (calibration[i].score - calibration[i - 1].score);

                        return calibration[i - 1].probability +
                               share * (calibration[i].probability - calibration[i - 1].probability);
                }
        return calibration[ARRAY_LEN(calibration) - 1].probability;
}

static size_t add_words(char *buf, size_t size, size_t len, double x, const char *name, int points)
{
        char tail[32] = "";

        if (len + 1 >= size)
                return len;
        if (points)
                snprintf(tail, sizeof(tail), " (%d points)", points);
        return len + (size_t)snprintf(buf + len, size - len, "%s%.0f %s%s", len ? ", " : "", x, name, tail);
}

void scorecard_explain(const struct scorecard_state *state, char *buf, size_t size)
{
        bool fast = decays(state);
        size_t len = 0;
        double x;

        assert(size > 0);
        buf[0] = '\0';
        for (size_t i = 0; fast && i < ARRAY_LEN(signs); i++)
                if (sign_there(&signs[i], state, &x))
                        len = add_words(buf, size, len, x, signs[i].name, 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                int points = row_points(&rows[i], state, &x);

                if (points)
                        len = add_words(buf, size, len, x, rows[i].name, points);
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
