/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The status page: what is wrong comes first, then the last days of what matters, then everything. Plain HTML, one file, no script, nothing
 * loaded from anywhere. Every text that comes from outside goes through textbuf_html(). */

#include "web_page.h"

#include <math.h>

#include "version.h"

static enum level worst_level(const json_t *components)
{
        enum level worst = LEVEL_OK;
        const json_t *c;
        size_t i;

        json_array_foreach(components, i, c)
                worst = level_worse(worst, status_level(c));
        return worst;
}

/* "1 critical, 2 warning, 23 ok", with shapes. */
static void put_counts(struct textbuf *out, const json_t *components)
{
        size_t counts[LEVEL_MAX] = { 0 }, i;
        const json_t *c;

        json_array_foreach(components, i, c)
                counts[status_level(c)]++;
        textbuf_str(out, "<ul class=\"counts\" aria-label=\"components by level\">");
        for (int l = LEVEL_MAX; l-- > 0;)
                if (counts[l]) {
                        textbuf_printf(out, "<li class=\"l-%s\">", level_name((enum level)l));
                        web_page_icon(out, (enum level)l);
                        textbuf_printf(out, "<strong>%zu</strong> %s</li>", counts[l], level_name((enum level)l));
                }
        textbuf_str(out, "</ul>\n");
}

/* How the health of the host is drawn; its colour words alone help nobody who does not see them. */
static enum level level_of_health(const struct status_doc *s)
{
        const char *health = status_text(s->doc, "health");

        if (s->silent)
                return LEVEL_UNKNOWN;
        return streq(health, "red") ? LEVEL_CRITICAL : streq(health, "yellow") ? LEVEL_WARNING : LEVEL_OK;
}

/* The same shape and colour in the browser's tab. */
static void put_favicon(struct textbuf *out, enum level level)
{
        static const char *const colours[LEVEL_MAX] = { "1a7f4b", "2463b0", "b07400", "6b4a9e", "b3261e" };
        static const char *const shapes[LEVEL_MAX] = {
                "%3Ccircle cx='8' cy='8' r='7'/%3E", "%3Ccircle cx='8' cy='8' r='7'/%3E", "%3Cpath d='M8 1 15.5 15H.5z'/%3E",
                "%3Cpath d='M8 .5 15.5 8 8 15.5.5 8z'/%3E", "%3Cpath d='M5 1h6l4 4v6l-4 4H5l-4-4V5z'/%3E",
        };

        textbuf_printf(out, "<link rel=\"icon\" href=\"data:image/svg+xml,%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='%%23%s'%%3E%s%%3C/svg%%3E\">\n",
                       colours[level], shapes[level]);
}

static void put_head(struct textbuf *out, const struct status_doc *s, enum level level, int refresh_s)
{
        textbuf_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n");
        if (refresh_s)
                textbuf_printf(out, "<meta http-equiv=\"refresh\" content=\"%d\">\n", refresh_s);
        /* The title is what a row of tabs shows. */
        textbuf_printf(out, "<title>%s: ", s->silent ? "unknown" : status_text(s->doc, "health"));
        textbuf_html(out, status_text(s->doc, "host"));
        textbuf_str(out, "</title>\n");
        put_favicon(out, level);
        textbuf_str(out, "<style>");
        textbuf_str(out, web_page_style);
        textbuf_str(out, "</style>\n</head>\n<body>\n");
}

static void put_banner(struct textbuf *out, const struct status_doc *s, enum level level)
{
        static const char *const sentences[] = {
                [LEVEL_OK] = "This host is well.", [LEVEL_WARNING] = "This host needs a look.", [LEVEL_CRITICAL] = "This host is in trouble.",
                [LEVEL_UNKNOWN] = "Nobody knows how this host is.", [LEVEL_NOTICE] = "",
        };
        const char *why = s->silent ? s->why : status_text(s->doc, "health_why");
        char age[32];

        textbuf_printf(out, "<header class=\"l-%s\">\n<p class=\"brand\">veille</p>\n<h1>", level_name(level));
        textbuf_html(out, status_text(s->doc, "host"));
        textbuf_str(out, "</h1>\n<p class=\"health\">");
        web_page_icon(out, level);
        textbuf_printf(out, "<span><strong>%s</strong> ", sentences[level]);
        if (!s->silent)
                textbuf_printf(out, "<span class=\"muted\">Health: %s.</span>", status_text(s->doc, "health"));
        textbuf_str(out, "</span></p>\n");
        if (*why) {
                textbuf_str(out, "<p class=\"health-why\">");
                textbuf_html(out, why);
                textbuf_str(out, "</p>\n");
        }
        if (!s->silent && *status_text(json_object_get(s->doc, "alerting"), "warning")) {
                textbuf_str(out, "<p class=\"health-why\">Alerts: ");
                textbuf_html(out, status_text(json_object_get(s->doc, "alerting"), "warning"));
                textbuf_str(out, "</p>\n");
        }
        put_counts(out, json_object_get(s->doc, "components"));
        textbuf_str(out, "<p class=\"muted small\">");
        if (isfinite(s->silent_s)) {
                status_duration(s->silent_s, age, sizeof(age));
                textbuf_str(out, "As of ");
                web_page_time(out, status_number(s->doc, "time"));
                textbuf_printf(out, ", %s ago.", age);
        } else {
                textbuf_str(out, "Asked at ");
                web_page_time(out, status_number(s->doc, "time"));
                textbuf_str(out, ".");
        }
        textbuf_str(out, "</p>\n</header>\n");
}

static void put_footer(struct textbuf *out, int refresh_s)
{
        textbuf_str(out, "<footer>\n<p>");
        if (refresh_s)
                textbuf_printf(out, "Loads itself anew every %d s (<a href=\"/\">stop</a>). ", refresh_s);
        else
                textbuf_str(out, "<a href=\"/\">Load anew</a>, or <a href=\"/?refresh=30\">every 30 s</a>. ");
        textbuf_str(out, "For programs: <a href=\"/status.json\">status.json</a>, <a href=\"/metrics\">metrics</a>, "
                         "<a href=\"/healthz\">healthz</a>.</p>\n<p>On the host: <code>veillectl why COMPONENT</code> says more, "
                         "<code>veillectl history COMPONENT METRIC</code> looks further back. veille " VEILLE_VERSION "</p>\n</footer>\n");
}

static void render(struct web *w, struct textbuf *out, double now_boot, int refresh_s)
{
        const json_t *components;
        struct status_doc s;
        enum level level;

        web_status_load(w, now_boot, &s);
        components = json_object_get(s.doc, "components");
        level = level_of_health(&s);
        put_head(out, &s, level, refresh_s);
        put_banner(out, &s, level);
        textbuf_str(out, "<main>\n");
        if (worst_level(components) > LEVEL_OK)
                web_page_wrong(out, components, web_wall());
        web_page_plots(w, out, components);
        web_page_all(out, components);
        web_page_peers(out, json_object_get(s.doc, "peers"));
        web_page_selftests(out, json_object_get(s.doc, "selftests"), s.silent);
        web_page_checks(out, json_object_get(s.doc, "checks"));
        textbuf_str(out, "</main>\n");
        put_footer(out, refresh_s);
        textbuf_str(out, "</body>\n</html>\n");
        status_doc_done(&s);
}

struct web_blob *web_page_get(struct web *w, double now_boot, int refresh_s)
{
        struct web_stamp stamps[WEB_FILE_MAX];
        bool same = w->page && now_boot >= w->page_boot && now_boot - w->page_boot < 1 && w->page_refresh_s == refresh_s;

        for (enum web_file f = 0; f < WEB_FILE_MAX; f++) {
                web_file_stamp(w, f, &stamps[f]);
                same &= web_stamp_equal(&stamps[f], &w->page_stamps[f]);
        }
        if (!same) {
                web_blob_unref(w->page);
                w->page = web_blob_new();
                memcpy(w->page_stamps, stamps, sizeof(stamps));
                w->page_boot = now_boot;
                w->page_refresh_s = refresh_s;
                render(w, &w->page->text, now_boot, refresh_s);
        }
        return web_blob_ref(w->page);
}
