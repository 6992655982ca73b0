/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Parts of the status page that come out of the status document: what is wrong, all components, the checks. */

#include "web.h"

#include <ctype.h>
#include <math.h>
#include <time.h>

/* A shape of its own for each level, so that it is told apart without colour; and a word for those who hear the page. */
void web_page_icon(struct textbuf *out, enum level level)
{
        static const char *const shapes[LEVEL_MAX] = {
                [LEVEL_OK] = "<circle cx=\"8\" cy=\"8\" r=\"7.5\"/><path class=\"glyph\" d=\"M4.5 8.3 7 10.8 11.6 5.6\"/>",
                [LEVEL_NOTICE] = "<circle cx=\"8\" cy=\"8\" r=\"7.5\"/><path class=\"glyph\" d=\"M8 7.3v4.4M8 4.3v.4\"/>",
                [LEVEL_WARNING] = "<path d=\"M8 .6 15.8 15H.2z\"/><path class=\"glyph\" d=\"M8 5.8v4.2M8 12.4v.3\"/>",
                [LEVEL_UNKNOWN] = "<path d=\"M8 0 16 8 8 16 0 8z\"/><path class=\"glyph\" d=\"M6.1 6.2c.2-2.4 4-2.2 3.8.1C9.8 7.6 8 7.7 8 9.2M8 11.6v.3\"/>",
                [LEVEL_CRITICAL] = "<path d=\"M4.7.3h6.6l4.4 4.4v6.6l-4.4 4.4H4.7L.3 11.3V4.7z\"/><path class=\"glyph\" d=\"m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4\"/>",
        };

        textbuf_printf(out, "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">%s</svg>", shapes[level]);
}

void web_page_level(struct textbuf *out, enum level level)
{
        textbuf_printf(out, "<span class=\"level l-%s\">", level_name(level));
        web_page_icon(out, level);
        textbuf_printf(out, "<span class=\"word\">%s</span></span>", level_name(level));
}

void web_page_time(struct textbuf *out, double wall)
{
        char machine[40], human[40];
        time_t t;
        struct tm tm;

        if (!isfinite(wall) || fabs(wall) > 1e11) {
                textbuf_str(out, "-");
                return;
        }
        t = (time_t)wall;
        localtime_r(&t, &tm);
        strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%M:%S%z", &tm);
        /* The year only where it could be taken for another one. */
        if (fabs(web_wall() - wall) < 300 * 86400.0)
                strftime(human, sizeof(human), "%-d %b %H:%M", &tm);
        else
                strftime(human, sizeof(human), "%-d %b %Y", &tm);
        textbuf_printf(out, "<time datetime=\"%s\">%s</time>", machine, human);
}

static void put_age(struct textbuf *out, double age_s)
{
        char text[32];

        status_duration(age_s, text, sizeof(text));
        textbuf_str(out, isfinite(age_s) ? text : "never");
        if (isfinite(age_s))
                textbuf_str(out, "<span class=\"ago\"> ago</span>");
}

static void put_row(struct textbuf *out, const char *name, const char *value)
{
        if (!*value)
                return;
        textbuf_printf(out, "<dt>%s</dt><dd>", name);
        textbuf_html(out, value);
        textbuf_str(out, "</dd>\n");
}

/* --- what is wrong ----------------------------------------------------------------------------- */

struct sorted {
        const json_t *c;
        enum level level, kind_worst;
};

/* "sda2" before "sda10". */
static int compare_names(const void *a, const void *b)
{
        return strverscmp(status_text(((const struct sorted *)a)->c, "component"), status_text(((const struct sorted *)b)->c, "component"));
}

static int compare_severity(const void *pa, const void *pb)
{
        const struct sorted *a = pa, *b = pb;

        return a->level != b->level ? (int)b->level - (int)a->level : compare_names(pa, pb);
}

static int compare_groups(const void *pa, const void *pb)
{
        const struct sorted *a = pa, *b = pb;
        int kind = strcmp(status_text(a->c, "kind"), status_text(b->c, "kind"));

        if (a->kind_worst != b->kind_worst)
                return (int)b->kind_worst - (int)a->kind_worst;
        return kind ? kind : compare_severity(pa, pb);
}

/* While the brain is silent, what it said before still says where to look first. */
static enum level level_before(const json_t *c)
{
        int l = level_from_name(status_text(c, "level_before"));

        return l < 0 ? status_level(c) : (enum level)l;
}

static void put_reason(struct textbuf *out, const json_t *r)
{
        textbuf_str(out, "<li>");
        web_page_level(out, status_level(r));
        textbuf_char(out, ' ');
        textbuf_html(out, status_text(r, "text"));
        textbuf_str(out, "<span class=\"muted small\">");
        if (*status_text(r, "clears")) {
                textbuf_str(out, " Clears: ");
                textbuf_html(out, status_text(r, "clears"));
                textbuf_char(out, '.');
        }
        textbuf_str(out, " Rule ");
        textbuf_html(out, status_text(r, "rule"));
        if (*status_text(r, "check")) {
                textbuf_str(out, ", check ");
                textbuf_html(out, status_text(r, "check"));
        }
        textbuf_str(out, ".</span></li>\n");
}

static void put_roles(struct textbuf *out, const json_t *c)
{
        const json_t *roles = json_object_get(c, "roles"), *role;
        size_t i;

        if (!json_array_size(roles))
                return;
        textbuf_str(out, "<dt>Carries</dt><dd>");
        json_array_foreach(roles, i, role) {
                textbuf_str(out, i ? ", " : "");
                textbuf_html(out, json_is_string(role) ? json_string_value(role) : "");
        }
        textbuf_str(out, json_is_true(json_object_get(c, "protected")) ? "; redundancy would carry its loss" : "; nothing would carry its loss");
        textbuf_str(out, "</dd>\n");
}

static void put_card(struct textbuf *out, const json_t *c, double now_wall)
{
        const json_t *reasons = json_object_get(c, "reasons"), *first = json_array_get(reasons, 0), *r;
        enum level level = status_level(c);
        double since = status_number(c, "since");
        char text[64];
        size_t i;

        textbuf_printf(out, "<article class=\"card l-%s\">\n<h3>", level_name(level));
        web_page_level(out, level);
        textbuf_str(out, " <span class=\"name\">");
        textbuf_html(out, status_text(c, "component"));
        textbuf_str(out, "</span> <span class=\"kind\">");
        textbuf_html(out, status_text(c, "kind"));
        textbuf_str(out, "</span></h3>\n<p class=\"why\">");
        textbuf_html(out, status_text(c, "why"));
        textbuf_str(out, "</p>\n<dl>\n");
        if (isfinite(since)) {
                status_duration(now_wall - since, text, sizeof(text));
                textbuf_str(out, "<dt>Since</dt><dd>");
                web_page_time(out, since);
                textbuf_printf(out, ", for %s</dd>\n", text);
        }
        put_row(out, "Clears", status_text(first, "clears"));
        put_roles(out, c);
        textbuf_str(out, "<dt>Read</dt><dd>");
        put_age(out, status_number(c, "age_s"));
        if (*status_text(first, "check")) {
                textbuf_str(out, ", by check ");
                textbuf_html(out, status_text(first, "check"));
        }
        textbuf_str(out, "</dd>\n");
        put_row(out, "Rule", status_text(c, "rule"));
        put_row(out, "Limit from", status_text(first, "source"));
        put_row(out, "Id", status_text(c, "id"));
        textbuf_str(out, "</dl>\n");
        if (json_array_size(reasons) > 1) {
                textbuf_printf(out, "<details><summary>%zu more %s</summary>\n<ul class=\"reasons\">\n", json_array_size(reasons) - 1,
                               json_array_size(reasons) == 2 ? "reason" : "reasons");
                json_array_foreach(reasons, i, r)
                        if (i > 0)
                                put_reason(out, r);
                textbuf_str(out, "</ul></details>\n");
        }
        textbuf_str(out, "</article>\n");
}

static struct sorted *sort(const json_t *components, size_t *ret_n, int (*compare)(const void *, const void *))
{
        size_t n = json_array_size(components), i, k;
        struct sorted *list = calloc(n ? n : 1, sizeof(*list));
        const json_t *c;

        if (!list)
                abort();
        json_array_foreach(components, i, c)
                list[i] = (struct sorted){ c, level_before(c), LEVEL_OK };
        /* Grouped by kind first, so that the worst of each kind takes one pass. */
        qsort(list, n, sizeof(*list), compare_groups);
        for (i = 0; i < n; i = k) {
                enum level worst = LEVEL_OK;

                for (k = i; k < n && streq(status_text(list[k].c, "kind"), status_text(list[i].c, "kind")); k++)
                        worst = level_worse(worst, list[k].level);
                for (size_t j = i; j < k; j++)
                        list[j].kind_worst = worst;
        }
        qsort(list, n, sizeof(*list), compare);
        *ret_n = n;
        return list;
}

void web_page_wrong(struct textbuf *out, const json_t *components, double now_wall)
{
        size_t n, shown = 0;
        _cleanup_free_ struct sorted *list = sort(components, &n, compare_severity);
        bool silent = n && *status_text(list[0].c, "level_before");

        for (size_t i = 0; i < n && list[i].level > LEVEL_OK; i++) {
                if (shown++ == 0)
                        textbuf_printf(out, "<section aria-labelledby=\"wrong\">\n<h2 id=\"wrong\">%s</h2>\n<div class=\"cards\">\n",
                                       silent ? "What was wrong before" : "What is wrong");
                put_card(out, list[i].c, now_wall);
        }
        if (shown)
                textbuf_str(out, "</div>\n</section>\n");
}

/* --- all components -------------------------------------------------------------------------------- */

static void put_summary(struct textbuf *out, const struct sorted *list, size_t n)
{
        size_t counts[LEVEL_MAX] = { 0 };
        const char *kind = status_text(list[0].c, "kind");
        bool first = true;

        for (size_t i = 0; i < n; i++)
                counts[status_level(list[i].c)]++;
        textbuf_str(out, "<summary>");
        web_page_icon(out, status_level(list[0].c));
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
                        textbuf_printf(out, "%s%zu %s", first ? "" : ", ", counts[l], level_name((enum level)l));
                        first = false;
                }
        textbuf_str(out, "</span></summary>\n");
}

static void put_group(struct textbuf *out, const struct sorted *list, size_t n, bool open)
{
        textbuf_printf(out, "<details class=\"group-box l-%s\"%s>\n", level_name(status_level(list[0].c)), open ? " open" : "");
        put_summary(out, list, n);
        textbuf_str(out, "<table role=\"table\"><thead><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Level</th><th role=\"columnheader\" scope=\"col\">Component</th><th role=\"columnheader\" scope=\"col\">Why</th>"
                         "<th role=\"columnheader\" scope=\"col\" class=\"num\">Read</th></tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < n; i++) {
                const json_t *c = list[i].c;

                textbuf_str(out, "<tr role=\"row\"><td role=\"cell\">");
                web_page_level(out, status_level(c));
                textbuf_str(out, "</td><th role=\"rowheader\" scope=\"row\">");
                textbuf_html(out, status_text(c, "component"));
                textbuf_str(out, "</th><td role=\"cell\">");
                textbuf_html(out, status_text(c, "why"));
                textbuf_str(out, "</td><td role=\"cell\" class=\"num\">");
                put_age(out, status_number(c, "age_s"));
                textbuf_str(out, "</td></tr>\n");
        }
        textbuf_str(out, "</tbody></table>\n</details>\n");
}

void web_page_all(struct textbuf *out, const json_t *components)
{
        size_t n, end;
        _cleanup_free_ struct sorted *list = sort(components, &n, compare_groups);

        textbuf_printf(out, "<section aria-labelledby=\"all\">\n<h2 id=\"all\">All components <span class=\"muted\">%zu</span></h2>\n", n);
        if (n == 0)
                textbuf_str(out, "<p class=\"muted\">None has been found yet; the first round takes a few seconds.</p>\n");
        for (size_t i = 0; i < n; i = end) {
                for (end = i; end < n && streq(status_text(list[end].c, "kind"), status_text(list[i].c, "kind")); end++)
                        ;
                /* A long list of what is well stays folded. */
                put_group(out, list + i, end - i, list[i].kind_worst > LEVEL_OK || n <= 16);
        }
        textbuf_str(out, "</section>\n");
}

/* --- checks -------------------------------------------------------------------------------------------- */

static void put_check(struct textbuf *out, const json_t *c)
{
        static const struct {
                const char *result;
                enum level level;
        } levels[] = { { "ok", LEVEL_OK }, { "nodata", LEVEL_OK }, { "pending", LEVEL_NOTICE } };
        const char *result = status_text(c, "result");
        enum level level = LEVEL_UNKNOWN;
        char every[32];

        for (size_t i = 0; i < ARRAY_LEN(levels); i++)
                if (streq(levels[i].result, result))
                        level = levels[i].level;
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
        put_age(out, status_number(c, "age_s"));
        textbuf_printf(out, "<span class=\"muted every\">, every %s</span></td></tr>\n", every);
}

void web_page_checks(struct textbuf *out, const json_t *checks)
{
        size_t n = json_array_size(checks), bad = 0, i;
        const json_t *c;

        if (n == 0)
                return;
        json_array_foreach(checks, i, c) {
                const char *result = status_text(c, "result");

                bad += !streq(result, "ok") && !streq(result, "nodata") && !streq(result, "pending");
        }
        textbuf_printf(out, "<section aria-labelledby=\"checks\">\n<h2 id=\"checks\">Checks <span class=\"muted\">%zu</span></h2>\n"
                            "<details class=\"group-box l-%s\">\n<summary>", n, bad ? "unknown" : "ok");
        web_page_icon(out, bad ? LEVEL_UNKNOWN : LEVEL_OK);
        if (bad)
                textbuf_printf(out, "<span class=\"group\">%zu without a good reading</span>", bad);
        else
                textbuf_str(out, "<span class=\"group\">Every check gives a reading</span>");
        textbuf_str(out, " <span class=\"muted\">what is measured, and when</span></summary>\n<table role=\"table\"><thead><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Result</th>"
                         "<th role=\"columnheader\" scope=\"col\">Check</th><th role=\"columnheader\" scope=\"col\">Of</th><th role=\"columnheader\" scope=\"col\" class=\"num\">Read</th></tr></thead>\n<tbody>\n");
        json_array_foreach(checks, i, c)
                put_check(out, c);
        textbuf_str(out, "</tbody></table>\n</details>\n</section>\n");
}
