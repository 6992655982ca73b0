/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The lower part of the status page: all components by kind, and all checks. What is well takes little room: a name and an
 * age. The number of columns follows the width, so that 200 sensors are a block and no list. */

#include "web_page.h"

#include <ctype.h>

#define OPEN_UP_TO 16 /* components in all: a small host shows everything unfolded */

/* By kind, the kind with the worst member first, the worst member of it first. */
static int compare(const void *pa, const void *pb)
{
        const struct web_view *a = pa, *b = pb;
        int kind = strcmp(status_text(a->c, "kind"), status_text(b->c, "kind"));

        if (a->kind_worst != b->kind_worst)
                return (int)b->kind_worst - (int)a->kind_worst;
        if (kind)
                return kind;
        return a->level != b->level ? (int)b->level - (int)a->level : web_page_by_name(pa, pb);
}

static bool same_kind(const struct web_view *a, const struct web_view *b)
{
        return streq(status_text(a->c, "kind"), status_text(b->c, "kind"));
}

static void sort(struct web_view *list, size_t n)
{
        size_t run;

        /* Grouped by kind first, so that the worst of each kind takes one pass. */
        qsort(list, n, sizeof(*list), compare);
        for (size_t i = 0; i < n; i += run) {
                run = web_page_run(list + i, n - i, same_kind);
                for (size_t k = 0; k < run; k++)
                        list[i + k].kind_worst = list[i].level;
        }
        qsort(list, n, sizeof(*list), compare);
}

static void put_summary(struct textbuf *out, const struct web_view *list, size_t n)
{
        const char *kind = status_text(list->c, "kind"), *comma = "";
        size_t counts[LEVEL_MAX] = { 0 };

        for (size_t i = 0; i < n; i++)
                counts[list[i].now]++;
        textbuf_str(out, "<summary>");
        web_page_icon(out, list->now);
        textbuf_str(out, "<span class=\"group\">");
        if (*kind) {
                textbuf_html(out, (const char[]){ (char)toupper((unsigned char)*kind), '\0' });
                textbuf_html(out, kind + 1);
        } else {
                textbuf_str(out, "Other");
        }
        textbuf_str(out, "</span> <span class=\"muted\">");
        for (int l = LEVEL_MAX; l-- > 0;)
                if (counts[l]) {
                        textbuf_printf(out, "%s%zu %s", comma, counts[l], level_name((enum level)l));
                        comma = ", ";
                }
        textbuf_str(out, "</span></summary>\n");
}

static void put_rows(struct textbuf *out, const struct web_view *list, size_t n)
{
        textbuf_str(out, WEB_PAGE_TABLE("Level", "Component", "Why", "Read"));
        for (size_t i = 0; i < n; i++) {
                textbuf_str(out, "<tr role=\"row\"><td role=\"cell\">");
                web_page_level(out, list[i].now);
                textbuf_str(out, "</td><th role=\"rowheader\" scope=\"row\">");
                textbuf_html(out, status_text(list[i].c, "component"));
                textbuf_str(out, "</th><td role=\"cell\">");
                if (list[i].silent)
                        textbuf_printf(out, "was %s: ", level_name(list[i].level));
                textbuf_html(out, list[i].why);
                textbuf_str(out, "</td><td role=\"cell\" class=\"num\">");
                web_page_age(out, status_number(list[i].c, "age_s"));
                textbuf_str(out, "</td></tr>\n");
        }
        textbuf_str(out, "</tbody></table>\n");
}

static void put_well(struct textbuf *out, const struct web_view *list, size_t n)
{
        textbuf_str(out, "<ul class=\"well\">\n");
        for (size_t i = 0; i < n; i++) {
                textbuf_printf(out, "<li class=\"l-%s\">", level_name(list[i].now));
                web_page_icon(out, list[i].now);
                textbuf_str(out, "<span class=\"name\">");
                textbuf_html(out, status_text(list[i].c, "component"));
                textbuf_printf(out, "</span><span class=\"hidden\">, %s%s, read </span><span class=\"muted age\">", list[i].silent ? "was " : "",
                               level_name(list[i].level));
                web_page_age(out, status_number(list[i].c, "age_s"));
                textbuf_str(out, "</span></li>\n");
        }
        textbuf_str(out, "</ul>\n");
}

static bool is_plain(const struct web_view *v)
{
        return v->level == LEVEL_OK && !*v->why;
}

static void put_group(struct textbuf *out, const struct web_view *list, size_t n, bool open)
{
        size_t rows = 0;

        while (rows < n && !is_plain(&list[rows]))
                rows++;
        textbuf_printf(out, "<details class=\"group-box l-%s\"%s>\n", level_name(list->now), open ? " open" : "");
        put_summary(out, list, n);
        if (rows)
                put_rows(out, list, rows);
        if (rows < n)
                put_well(out, list + rows, n - rows);
        textbuf_str(out, "</details>\n");
}

void web_page_all(struct textbuf *out, const json_t *components)
{
        size_t n, run;
        _cleanup_free_ struct web_view *list = web_page_views(components, &n);

        sort(list, n);
        textbuf_printf(out, "<section aria-labelledby=\"all\">\n<h2 id=\"all\">All components <span class=\"muted\">%zu</span></h2>\n", n);
        if (n == 0)
                textbuf_str(out, "<p class=\"muted\">None has been found yet; the first round takes a few seconds.</p>\n");
        for (size_t i = 0; i < n; i += run) {
                run = web_page_run(list + i, n - i, same_kind);
                put_group(out, list + i, run, list[i].kind_worst > LEVEL_OK || n <= OPEN_UP_TO);
        }
        textbuf_str(out, "</section>\n");
}

/* --- checks -------------------------------------------------------------------------------------------- */

static enum level level_of_result(const char *result)
{
        static const struct {
                const char *result;
                enum level level;
        } levels[] = { { "ok", LEVEL_OK }, { "nodata", LEVEL_OK }, { "pending", LEVEL_NOTICE } };

        for (size_t i = 0; i < ARRAY_LEN(levels); i++)
                if (streq(levels[i].result, result))
                        return levels[i].level;
        return LEVEL_UNKNOWN;
}

static void put_check(struct textbuf *out, const json_t *c)
{
        const char *result = status_text(c, "result");
        enum level level = level_of_result(result);
        char every[32];

        status_duration(status_number(c, "interval_s"), every, sizeof(every));
        textbuf_printf(out, "<tr role=\"row\"><td role=\"cell\"><span class=\"level l-%s\">", level_name(level));
        web_page_icon(out, level);
        textbuf_str(out, "<span class=\"word\">");
        textbuf_html(out, result);
        textbuf_str(out, "</span></span></td><th role=\"rowheader\" scope=\"row\">");
        textbuf_html(out, status_text(c, "check"));
        textbuf_str(out, "</th><td role=\"cell\">");
        textbuf_html(out, status_text(c, "instance"));
        if (*status_text(c, "why")) {
                textbuf_str(out, ": ");
                textbuf_html(out, status_text(c, "why"));
        }
        textbuf_str(out, "</td><td role=\"cell\" class=\"num\">");
        web_page_age(out, status_number(c, "age_s"));
        textbuf_printf(out, "<span class=\"muted every\">every %s</span></td></tr>\n", every);
}

void web_page_checks(struct textbuf *out, const json_t *checks)
{
        size_t n = json_array_size(checks), bad = 0, i;
        const json_t *c;

        if (n == 0)
                return;
        json_array_foreach(checks, i, c)
                bad += level_of_result(status_text(c, "result")) == LEVEL_UNKNOWN;
        textbuf_printf(out, "<section aria-labelledby=\"checks\">\n<h2 id=\"checks\">Checks <span class=\"muted\">%zu</span></h2>\n"
                            "<details class=\"group-box l-%s\">\n<summary>", n, bad ? "unknown" : "ok");
        web_page_icon(out, bad ? LEVEL_UNKNOWN : LEVEL_OK);
        if (bad)
                textbuf_printf(out, "<span class=\"group\">%zu without a good reading</span>", bad);
        else
                textbuf_str(out, "<span class=\"group\">Every check gives a reading</span>");
        textbuf_str(out, " <span class=\"muted\">what is measured, and when</span></summary>\n" WEB_PAGE_TABLE("Result", "Check", "Of", "Read"));
        /* What went wrong first. */
        for (int pass = 0; pass < 2; pass++)
                json_array_foreach(checks, i, c)
                        if ((level_of_result(status_text(c, "result")) == LEVEL_UNKNOWN) == (pass == 0))
                                put_check(out, c);
        textbuf_str(out, "</tbody></table>\n</details>\n</section>\n");
}
