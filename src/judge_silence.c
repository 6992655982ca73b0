/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What it means that something says nothing: it does not answer, is gone, is old, has not been read yet. Called by judge_level.c
 * for every instance of a component that may have changed. */

#include "judge_private.h"

#define HANGS_US (120 * USEC_PER_SEC) /* a process in the kernel that long will not come back by itself */
#define TIMEOUTS_HARD 3               /* so many in a row are a fault of the part */

/* Silence has no sample to be judged by: these are its rules. "gone" of a disk that carries a role is a hard fault. */
static const struct {
        const char *name;
        const char *clears;
} silence_rules[] = {
        { "no-answer", "an answer within the deadline" },
        { "probe-failed", "a run that ends well" },
        { "probe-denied", "the right to read it: see veille-probe(8), then veillectl reload" },
        { "gone", "its return, or veillectl accept when it was taken away on purpose" },
        { "stale", "a fresh reading" },
        { "not-read-yet", "the first reading" },
        { "no-data-any-more", "data, or veillectl accept when it was taken away on purpose" },
};

const char *judge_silence_clears(const char *rule_name)
{
        for (size_t i = 0; i < ARRAY_LEN(silence_rules); i++)
                if (streq(silence_rules[i].name, rule_name))
                        return silence_rules[i].clears;
        return "";
}

static void say_age(char *buf, size_t size, int64_t us)
{
        int64_t s = us / USEC_PER_SEC;

        if (s < 120)
                snprintf(buf, size, "%d s", (int)s);
        else if (s < 7200)
                snprintf(buf, size, "%d min", (int)(s / 60));
        else if (s < 172800)
                snprintf(buf, size, "%d h", (int)(s / 3600));
        else
                snprintf(buf, size, "%d days", (int)(s / 86400));
}

/* Nobody is asked: whoever tells it gives the reason. */
static bool pushed(const struct judge_instance *i, struct judge_reason *ret)
{
        if (i->verdict == VERDICT_OK || i->verdict == VERDICT_PENDING || i->verdict == VERDICT_NODATA)
                return false;
        ret->rule_name = i->verdict == VERDICT_TIMEOUT ? "no-answer" : i->verdict == VERDICT_FAILED ? "probe-failed" : "probe-denied";
        snprintf(ret->text, sizeof(ret->text), "%s: %s", i->name, i->why);
        return true;
}

static bool gone(const struct judge *j, const struct judge_instance *i, struct judge_reason *ret)
{
        if (!i->was_ok)
                return false;
        ret->rule_name = "gone";
        ret->since_us = i->gone_us;
        ret->evidence = i->check->evidence;
        if (streq(i->kind, "disk") && judge_carries(j, i->component)) {
                ret->level = LEVEL_CRITICAL;
                ret->hard = true;
        }
        snprintf(ret->text, sizeof(ret->text), i->missed ? "%s is gone: it was there before the last start and the kernel does not show it"
                                                         : "%s is gone: it was there until now and the kernel no longer shows it", i->name);
        return true;
}

static bool no_answer(const struct judge_instance *i, int64_t now_us, struct judge_reason *ret)
{
        char age[32];

        ret->rule_name = "no-answer";
        ret->since_us = i->bad_us ? i->bad_us : now_us;
        say_age(age, sizeof(age), now_us - ret->since_us + i->check->deadline_s * USEC_PER_SEC);
        if (judge_is_storage(i->kind) && (i->failures >= TIMEOUTS_HARD || (i->stuck && now_us - ret->since_us > HANGS_US))) {
                ret->level = LEVEL_CRITICAL;
                ret->hard = true;
        }
        /* A check that gave up by itself says after how long; otherwise it was ended at its deadline. */
        if (i->verdict == VERDICT_TIMEOUT && !i->stuck && *i->why && !str_starts(i->why, i->name))
                snprintf(ret->text, sizeof(ret->text), "%s has not answered the check %s: %s", i->name, i->check->name, i->why);
        else
                snprintf(ret->text, sizeof(ret->text), "%s has not answered the check %s for %s%s", i->name, i->check->name, age,
                         i->stuck ? "; its process hangs in the kernel" : "");
        return true;
}

static bool no_data(const struct judge_instance *i, struct judge_reason *ret)
{
        if (!i->was_ok)
                return false;
        ret->rule_name = "no-data-any-more";
        snprintf(ret->text, sizeof(ret->text), "%s %s gave data before and gives none now: %s", i->check->name, i->name, i->why);
        return true;
}

static bool old_data(const struct judge_instance *i, int64_t now_us, struct judge_reason *ret)
{
        int64_t limit_us = judge_max_age_s(i) * USEC_PER_SEC;
        char age[32];

        if (now_us - MAX(i->ok_us, i->was_ok ? i->ok_us : i->seen_us) > limit_us) {
                ret->rule_name = "stale";
                ret->since_us = MAX(i->ok_us, i->seen_us) + limit_us;
                say_age(age, sizeof(age), now_us - MAX(i->ok_us, i->seen_us));
                snprintf(ret->text, sizeof(ret->text), "%s %s: no fresh data for %s", i->check->name, i->name, age);
                return true;
        }
        if (i->verdict != VERDICT_PENDING || i->ok_us)
                return false;
        ret->rule_name = "not-read-yet";
        ret->since_us = i->seen_us;
        snprintf(ret->text, sizeof(ret->text), "%s %s has not been read yet", i->check->name, i->name);
        return true;
}

bool judge_silence(const struct judge *j, const struct judge_instance *i, int64_t now_us, struct judge_reason *ret)
{
        *ret = (struct judge_reason){ .instance = i, .level = LEVEL_UNKNOWN, .evidence = EVIDENCE_SILENCE, .since_us = i->bad_us };
        if (i->pushed)
                return pushed(i, ret);
        if (i->gone_us)
                return gone(j, i, ret);
        if (i->verdict == VERDICT_TIMEOUT || i->stuck)
                return no_answer(i, now_us, ret);
        if (i->verdict == VERDICT_NODATA)
                return no_data(i, ret);
        if (i->verdict != VERDICT_FAILED && i->verdict != VERDICT_DENIED)
                return old_data(i, now_us, ret);
        ret->rule_name = i->verdict == VERDICT_FAILED ? "probe-failed" : "probe-denied";
        snprintf(ret->text, sizeof(ret->text), "%s: %s", i->check->name, i->why);
        return true;
}
