/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Self-tests of disks on the status page: how the last of each kind ended, what runs or waits, when the next is due. Says nothing
 * where none is planned or known. */

#include "web_page.h"

#include <math.h>

#define OPEN_UP_TO 8 /* rows */

struct row {
        const json_t *o;
        enum level level;
        const char *word;
        double at; /* NAN: never */
};

/* What is wrong is judged by the rules and stands with its disk; here it is only drawn. */
static struct row row_of(const json_t *o)
{
        static const struct {
                const char *last, *word;
                enum level level;
        } words[] = {
                { "passed", "passed", LEVEL_OK }, { "failed", "failed", LEVEL_CRITICAL }, { "early", "broken off", LEVEL_NOTICE },
        };
        struct row row = { .o = o, .level = LEVEL_NOTICE, .word = "never" };
        const char *last = status_selftest_last(o, &row.at);

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (streq(words[i].last, last)) {
                        row.level = words[i].level;
                        row.word = words[i].word;
                }
        if (streq(status_text(o, "state"), "impossible") && !*last) {
                row.level = LEVEL_OK;
                row.word = "none";
        }
        return row;
}

static void put_now(struct textbuf *out, const json_t *o)
{
        const char *state = status_text(o, "state");

        if (streq(state, "running")) {
                textbuf_str(out, "; one runs since ");
                web_page_time(out, status_number(o, "started"));
        } else if (streq(state, "waiting")) {
                textbuf_str(out, "; one is due and waits: ");
                textbuf_html(out, *status_text(o, "why") ? status_text(o, "why") : "it begins in a minute");
        } else if (streq(state, "impossible")) {
                textbuf_str(out, "; the disk has no such test");
        }
}

static void put_row(struct textbuf *out, const struct row *row)
{
        textbuf_printf(out, "<tr role=\"row\"><td role=\"cell\"><span class=\"level l-%s\">", level_name(row->level));
        web_page_icon(out, row->level);
        textbuf_printf(out, "<span class=\"word\">%s</span></span></td><th role=\"rowheader\" scope=\"row\">", row->word);
        textbuf_html(out, status_text(row->o, "component"));
        textbuf_str(out, "</th><td role=\"cell\">");
        textbuf_html(out, status_text(row->o, "test"));
        textbuf_str(out, " test");
        if (isfinite(row->at)) {
                textbuf_printf(out, " %s ", row->word);
                web_page_time(out, row->at);
        } else if (streq(row->word, "never")) {
                textbuf_str(out, ": never seen");
        }
        put_now(out, row->o);
        textbuf_str(out, "</td><td role=\"cell\" class=\"num\">");
        if (status_number(row->o, "next") > 0)
                web_page_time(out, status_number(row->o, "next"));
        textbuf_str(out, "</td></tr>\n");
}

static void put_summary(struct textbuf *out, const struct row *rows, size_t n, enum level worst)
{
        static const char *const words[] = { "failed", "broken off", "never", "passed" };
        const char *comma = "";

        textbuf_str(out, "<summary>");
        web_page_icon(out, worst);
        textbuf_str(out, "<span class=\"group\">");
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
                size_t count = 0;

                for (size_t i = 0; i < n; i++)
                        count += streq(rows[i].word, words[w]);
                if (count)
                        textbuf_printf(out, "%s%zu %s", comma, count, words[w]);
                comma = count ? ", " : comma;
        }
        textbuf_str(out, *comma ? "" : "Disks without self-tests");
        textbuf_str(out, "</span> <span class=\"muted\">how the last one of each kind ended</span></summary>\n");
}

void web_page_selftests(struct textbuf *out, const json_t *selftests, bool silent)
{
        size_t n = json_array_size(selftests), i;
        _cleanup_free_ struct row *rows = calloc(n ? n : 1, sizeof(*rows));
        enum level worst = LEVEL_OK;

        if (!rows)
                abort();
        if (n == 0)
                return;
        for (i = 0; i < n; i++) {
                rows[i] = row_of(json_array_get(selftests, i));
                worst = level_worse(worst, rows[i].level);
        }
        textbuf_printf(out, "<section aria-labelledby=\"selftests\">\n<h2 id=\"selftests\">Self-tests of disks%s</h2>\n<details class=\"group-box l-%s\"%s>\n",
                       silent ? " <span class=\"muted\">before the silence</span>" : "", level_name(worst), n <= OPEN_UP_TO ? " open" : "");
        put_summary(out, rows, n, worst);
        textbuf_str(out, WEB_PAGE_TABLE("Result", "Disk", "Test", "Next"));
        for (int l = LEVEL_MAX; l-- > 0;) /* what failed first */
                for (i = 0; i < n; i++)
                        if ((int)rows[i].level == l)
                                put_row(out, &rows[i]);
        textbuf_str(out, "</tbody></table>\n</details>\n</section>\n");
}
