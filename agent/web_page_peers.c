/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Other hosts with veille, as they say they are, and for how long they have not said anything. */

#include "web_page.h"

#include <math.h>

/* Its health counts while it is heard; silence, and what may be behind it, otherwise. */
static enum level level_of(const json_t *p)
{
        static const struct {
                const char *word;
                enum level level;
        } states[] = { { "host-dead", LEVEL_CRITICAL }, { "network-cut", LEVEL_CRITICAL }, { "silent", LEVEL_CRITICAL }, { "key-changed", LEVEL_CRITICAL },
                       { "agent-dead", LEVEL_WARNING }, { "removed", LEVEL_WARNING },      { "old-state", LEVEL_WARNING } },
          healths[] = { { "green", LEVEL_OK }, { "yellow", LEVEL_WARNING }, { "red", LEVEL_CRITICAL } };
        const char *state = status_text(p, "state");

        for (size_t i = 0; i < ARRAY_LEN(states); i++)
                if (streq(state, states[i].word))
                        return states[i].level;
        for (size_t i = 0; streq(state, "up") && i < ARRAY_LEN(healths); i++)
                if (streq(status_text(p, "health"), healths[i].word))
                        return healths[i].level;
        return LEVEL_UNKNOWN;
}

static void put_worst(struct textbuf *out, const json_t *p)
{
        const json_t *worst = json_object_get(p, "worst"), *w;
        size_t i;

        if (json_array_size(worst) == 0)
                return;
        textbuf_str(out, "<ul>");
        json_array_foreach(worst, i, w) {
                textbuf_str(out, "<li>");
                web_page_level(out, status_level(w));
                textbuf_char(out, ' ');
                textbuf_html(out, status_text(w, "component"));
                textbuf_str(out, ": ");
                textbuf_html(out, status_text(w, "why"));
                textbuf_str(out, "</li>");
        }
        textbuf_str(out, "</ul>");
}

static void put_peer(struct textbuf *out, const json_t *p, enum level level)
{
        bool up = streq(status_text(p, "state"), "up");
        double age = status_number(p, "age_s");

        textbuf_printf(out, "<tr role=\"row\"><td role=\"cell\"><span class=\"level l-%s\">", level_name(level));
        web_page_icon(out, level);
        textbuf_str(out, "<span class=\"word\">");
        textbuf_html(out, up ? status_text(p, "health") : status_text(p, "state"));
        textbuf_str(out, "</span></span></td><th role=\"rowheader\" scope=\"row\">");
        textbuf_html(out, status_text(p, "name"));
        textbuf_str(out, "</th><td role=\"cell\">");
        textbuf_html(out, up ? status_text(p, "health_why") : status_text(p, "why"));
        put_worst(out, p);
        textbuf_str(out, "</td><td role=\"cell\" class=\"num\">");
        if (isfinite(age))
                web_page_age(out, age);
        else
                textbuf_str(out, "never");
        textbuf_str(out, "</td></tr>\n");
}

void web_page_peers(struct textbuf *out, const json_t *peers)
{
        const json_t *p;
        size_t i;

        if (json_array_size(peers) == 0)
                return;
        textbuf_str(out, "<section aria-labelledby=\"peers\">\n<h2 id=\"peers\">Peers</h2>\n");
        textbuf_str(out, WEB_PAGE_TABLE("State", "Peer", "What is known", "Heard"));
        for (int l = LEVEL_MAX; l-- > 0;)
                json_array_foreach(peers, i, p)
                        if ((int)level_of(p) == l)
                                put_peer(out, p, (enum level)l);
        textbuf_str(out, "</tbody></table>\n</section>\n");
}
