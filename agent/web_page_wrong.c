/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The first part of the status page: a card for each component that is not ok, the worst first: what, why, since when, what
 * clears it. Where one cause hits many (a controller, a permission) they share a card, for twelve alike hide the thirteenth. */

#include "web_page.h"

#include <math.h>

#define SHARE_FROM 4
#define NAMES_SHOWN 3

static const char *rule_of(const struct web_view *v)
{
        return status_text(v->reason, "rule");
}

static int compare(const void *pa, const void *pb)
{
        const struct web_view *a = pa, *b = pb;
        int kind = strcmp(status_text(a->c, "kind"), status_text(b->c, "kind")), rule = strcmp(rule_of(a), rule_of(b));

        if (a->level != b->level)
                return (int)b->level - (int)a->level;
        return kind ? kind : rule ? rule : web_page_by_name(pa, pb);
}

static bool same_cause(const struct web_view *a, const struct web_view *b)
{
        return a->level == b->level && streq(status_text(a->c, "kind"), status_text(b->c, "kind")) && *rule_of(a) && streq(rule_of(a), rule_of(b));
}

static void put_row(struct textbuf *out, const char *name, const char *value)
{
        if (!*value)
                return;
        textbuf_printf(out, "<dt>%s</dt><dd>", name);
        textbuf_html(out, value);
        textbuf_str(out, "</dd>\n");
}

static void put_since(struct textbuf *out, double since, double now_wall)
{
        char text[64];

        if (!isfinite(since))
                return;
        status_duration(now_wall - since, text, sizeof(text));
        textbuf_str(out, "<dt>Since</dt><dd>");
        web_page_time(out, since);
        textbuf_printf(out, ", for %s</dd>\n", text);
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

/* What is wanted when one asks further: small, on one line. */
static void put_fine_print(struct textbuf *out, const struct web_view *v)
{
        const struct {
                const char *before, *value;
        } words[] = {
                { ", by check ", status_text(v->reason, "check") }, { ". Rule ", status_text(v->reason, "rule") },
                { ". Limit from: ", status_text(v->reason, "source") }, { ". Id ", status_text(v->c, "id") },
        };

        textbuf_str(out, "<p class=\"fine\">Read ");
        web_page_age(out, status_number(v->c, "age_s"));
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (*words[i].value) {
                        textbuf_str(out, words[i].before);
                        textbuf_html(out, words[i].value);
                }
        textbuf_str(out, "</p>\n");
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

static void put_more_reasons(struct textbuf *out, const struct web_view *v)
{
        const json_t *reasons = json_object_get(v->c, "reasons");

        if (!v->more)
                return;
        textbuf_printf(out, "<details><summary>%zu more %s</summary>\n<ul class=\"reasons\">\n", v->more, v->more == 1 ? "reason" : "reasons");
        for (size_t i = json_array_size(reasons) - v->more; i < json_array_size(reasons); i++)
                put_reason(out, json_array_get(reasons, i));
        textbuf_str(out, "</ul></details>\n");
}

static void put_members(struct textbuf *out, const struct web_view *list, size_t n)
{
        textbuf_printf(out, "<details><summary>All %zu of them</summary>\n<ul class=\"reasons\">\n", n);
        for (size_t i = 0; i < n; i++) {
                textbuf_str(out, "<li><strong>");
                textbuf_html(out, status_text(list[i].c, "component"));
                textbuf_str(out, "</strong> ");
                textbuf_html(out, list[i].why);
                textbuf_str(out, "</li>\n");
        }
        textbuf_str(out, "</ul></details>\n");
}

static void put_title(struct textbuf *out, const struct web_view *list, size_t n)
{
        size_t shown = n >= SHARE_FROM ? NAMES_SHOWN : 1;

        textbuf_str(out, "<h3>");
        web_page_level(out, list->now);
        textbuf_str(out, " <span class=\"name\">");
        for (size_t i = 0; i < shown; i++) {
                textbuf_str(out, i ? ", " : "");
                textbuf_html(out, status_text(list[i].c, "component"));
        }
        if (n > shown)
                textbuf_printf(out, " and %zu more", n - shown);
        textbuf_str(out, "</span> <span class=\"kind\">");
        textbuf_html(out, status_text(list->c, "kind"));
        textbuf_str(out, "</span>");
        if (list->silent) {
                textbuf_str(out, " <span class=\"was\">was ");
                web_page_level(out, list->level);
                textbuf_str(out, "</span>");
        }
        textbuf_str(out, "</h3>\n");
}

static void put_card(struct textbuf *out, const struct web_view *list, size_t n, double now_wall)
{
        double since = list->since;

        for (size_t i = 1; i < n; i++)
                since = fmin(since, list[i].since);
        textbuf_printf(out, "<article class=\"card l-%s\">\n", level_name(list->now));
        put_title(out, list, n);
        textbuf_str(out, "<p class=\"why\">");
        textbuf_html(out, list->why);
        textbuf_str(out, "</p>\n<dl>\n");
        put_since(out, since, now_wall);
        put_row(out, "Clears", status_text(list->reason, "clears"));
        put_roles(out, list->c);
        textbuf_str(out, "</dl>\n");
        put_fine_print(out, list);
        if (n > 1)
                put_members(out, list, n);
        else
                put_more_reasons(out, list);
        textbuf_str(out, "</article>\n");
}

void web_page_wrong(struct textbuf *out, const json_t *components, double now_wall)
{
        size_t n, bad = 0, run;
        _cleanup_free_ struct web_view *list = web_page_views(components, &n);

        qsort(list, n, sizeof(*list), compare);
        while (bad < n && list[bad].level > LEVEL_OK)
                bad++;
        if (bad == 0)
                return;
        textbuf_printf(out, "<section aria-labelledby=\"wrong\">\n<h2 id=\"wrong\">%s</h2>\n<div class=\"cards\">\n",
                       list->silent ? "What was wrong before" : "What is wrong");
        for (size_t i = 0; i < bad; i += run) {
                run = web_page_run(list + i, bad - i, same_cause);
                if (run < SHARE_FROM)
                        run = 1;
                put_card(out, list + i, run, now_wall);
        }
        textbuf_str(out, "</div>\n</section>\n");
}
