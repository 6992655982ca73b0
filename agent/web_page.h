/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_WEB_PAGE_H
#define VEILLE_WEB_PAGE_H

/* The parts of the status page, one file each. Every text that comes from outside goes through textbuf_html(). */

#include "web.h"

/* A component as the page shows it. */
struct web_view {
        const json_t *c;
        enum level level;     /* what it is; while the brain is silent, what it was */
        enum level now;       /* what it is: unknown while the brain is silent */
        bool silent;
        const json_t *reason; /* the one that decides; NULL: none */
        size_t more;          /* further reasons */
        const char *why;
        double since;
        enum level kind_worst;
};

/* --- web_page_parts.c ----------------------------------------------------------------------------- */
void web_page_icon(struct textbuf *out, enum level level);
void web_page_level(struct textbuf *out, enum level level);
void web_page_time(struct textbuf *out, double wall);
void web_page_age(struct textbuf *out, double age_s);
struct web_view web_page_view(const json_t *component);
/* Of all components, in the order of the document; caller frees. */
struct web_view *web_page_views(const json_t *components, size_t *ret_n);
int web_page_by_name(const void *a, const void *b);
/* How many from the first one on are the same. */
size_t web_page_run(const struct web_view *list, size_t n, bool (*same)(const struct web_view *a, const struct web_view *b));

/* The head of a table of four columns, up to its rows; they end with </tbody></table>. */
#define WEB_PAGE_TABLE(first, second, third, fourth)                                                                            \
        "<table role=\"table\"><thead><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">" first                        \
        "</th><th role=\"columnheader\" scope=\"col\">" second "</th><th role=\"columnheader\" scope=\"col\">" third         \
        "</th><th role=\"columnheader\" scope=\"col\" class=\"num\">" fourth "</th></tr></thead>\n<tbody>\n"

/* --- one file each --------------------------------------------------------------------------------- */
extern const char web_page_style[];                                                       /* web_page_style.c */
void web_page_wrong(struct textbuf *out, const json_t *components, double now_wall);      /* web_page_wrong.c */
void web_page_plots(struct web *w, struct textbuf *out, const json_t *components);        /* web_page_plots.c */
void web_page_all(struct textbuf *out, const json_t *components);                         /* web_page_all.c */
void web_page_selftests(struct textbuf *out, const json_t *selftests, bool silent);        /* web_page_selftests.c */
void web_page_peers(struct textbuf *out, const json_t *peers);                            /* web_page_peers.c */
void web_page_checks(struct textbuf *out, const json_t *checks);                          /* web_page_all.c */

#endif
