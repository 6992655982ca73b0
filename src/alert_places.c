/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The places for messages to one contact within an hour: who has to wait, and who never. */

#include "alert_private.h"

#define SENT_US (3600 * USEC_PER_SEC + USEC_PER_SEC) /* so long a message counts: its time is kept in whole seconds over a restart */

static void forget_sent(struct alert_sent *s, size_t n)
{
        s->n -= n;
        memmove(s->at_us, s->at_us + n, s->n * sizeof(*s->at_us));
        memmove(s->urgent, s->urgent + n, s->n * sizeof(*s->urgent));
}

void alert_sent_add(struct alert_sent *s, bool urgent, int64_t now_us)
{
        if (s->n == ARRAY_LEN(s->at_us))
                forget_sent(s, 1);
        s->urgent[s->n] = urgent;
        s->at_us[s->n++] = now_us;
}

size_t alert_sent_lately(struct alert_sent *s, int64_t now_us)
{
        size_t old = 0;

        while (old < s->n && now_us - s->at_us[old] >= SENT_US)
                old++;
        forget_sent(s, old);
        return s->n;
}

int64_t alert_sent_allowed_us(const struct alert_sent *s, bool urgent, int64_t now_us)
{
        static const int gap_s[ALERT_MESSAGES_AN_HOUR] = { 0, 0, 0, 0, 30, 120, 300, 600, 900, 900 };
        size_t n = 0, first = 0, last = 0, wait_for;

        for (size_t i = 0; i < s->n; i++)
                if (s->urgent[i] == urgent) {
                        if (n++ == 0)
                                first = i;
                        last = i;
                }
        if (s->n == ALERT_MESSAGES_AN_HOUR)
                return s->at_us[0] + SENT_US;
        if (!urgent && n >= ALERT_MILD_AN_HOUR)
                return s->at_us[first] + SENT_US;
        if (n == 0)
                return now_us;
        /* What is mild waits after any message: a storm of criticals is no time for it. */
        wait_for = urgent ? last : s->n - 1;
        return s->at_us[wait_for] + gap_s[urgent ? n : s->n] * USEC_PER_SEC;
}
