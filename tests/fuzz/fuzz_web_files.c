/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The files of RUN as veille-web reads them: anything may stand in them. What is shown must be well-formed all the same:
 * metrics that Prometheus takes, a page whose tags are ours alone, a status document that is one.
 * Input: one byte of flags; then status.json, samples.json, catalog.json and plots.json, with 0x1e between them. An empty
 * one is absent. The clock stands at 1000 s after boot. */

#include <ctype.h>
#include <math.h>

#include "fuzz_web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_BOOT 1000.0

enum { FLAG_COMPAT = 1 << 0, FLAG_SILENT = 1 << 1 };

/* --- metrics ------------------------------------------------------------------------------------------ */

static const char *skip_name(const char *s)
{
        assert(isalpha((unsigned char)*s) || *s == '_' || *s == ':');
        while (isalnum((unsigned char)*s) || *s == '_' || *s == ':')
                s++;
        return s;
}

/* {name="value",...}; a quote, a backslash and a line break stand behind a backslash. */
static const char *skip_labels(const char *s)
{
        if (*s != '{')
                return s;
        for (s++; *s != '}'; s += *s == ',') {
                s = skip_name(s);
                assert(s[0] == '=' && s[1] == '"');
                for (s += 2; *s != '"'; s++) {
                        assert(*s != '\0');
                        if (*s == '\\')
                                assert(strchr("\\\"n", *++s) && *s);
                }
                s++;
                assert(*s == ',' || *s == '}');
        }
        return s + 1;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each line is a comment or one sample, and no series is there twice. */
static void look_at_metrics(char *text, enum expo_format format)
{
        char **series = calloc(strlen(text) + 1, sizeof(*series)), *save = NULL;
        size_t n = 0, len = strlen(text);
        bool ended = false;

        assert(series && len && text[len - 1] == '\n' && !strstr(text, "\n\n"));
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *end;

                assert(!ended);
                ended = streq(line, "# EOF");
                if (*line == '#') {
                        assert(ended || str_starts(line, "# HELP ") || str_starts(line, "# TYPE ") || str_starts(line, "# UNIT "));
                        continue;
                }
                end = (char *)skip_labels(skip_name(line));
                assert(*end == ' ');
                *end = '\0';
                strtod(end + 1, &end);
                assert(*end == '\0');
                series[n++] = line;
        }
        assert(ended == (format == EXPO_OPENMETRICS));
        qsort(series, n, sizeof(*series), by_text);
        for (size_t i = 1; i < n; i++)
                if (streq(series[i - 1], series[i])) {
                        fprintf(stderr, "twice: %s\n", series[i]);
                        abort();
                }
        free(series);
}

static char *joined(const struct web_blob *body, const struct textbuf *tail)
{
        size_t len = body ? body->text.len : 0;
        char *text = malloc(len + tail->len + 1);

        assert(text);
        if (len)
                memcpy(text, body->text.data, len);
        if (tail->len)
                memcpy(text + len, tail->data, tail->len);
        text[len + tail->len] = '\0';
        assert(strlen(text) == len + tail->len);
        return text;
}

static void metrics(struct web *w, enum expo_format format)
{
        struct textbuf tail = { 0 };
        struct web_blob *body = web_metrics_get(w, format, NOW_BOOT, &tail);
        char *text = joined(body, &tail);

        look_at_metrics(text, format);
        free(text);
        textbuf_done(&tail);
        web_blob_unref(body);
}

/* --- the page ------------------------------------------------------------------------------------------- */

static bool is_void(const char *name)
{
        static const char *const names[] = { "meta", "link", "br", "hr", "img", "path", "line", "rect", "circle", "use", "polyline" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (streq(names[i], name))
                        return true;
        return false;
}

/* Every element is closed where it was opened, and every attribute is in quotes: so no text became a tag. */
static void look_at_page(const char *s)
{
        char open[64][16];
        size_t depth = 0;

        assert(str_starts(s, "<!DOCTYPE html>"));
        assert(!strcasestr(s, "<script") && !strcasestr(s, "\"javascript:"));
        for (s = strchr(s, '>'); (s = strchr(s, '<')); s++) {
                bool closes = s[1] == '/', closed = false;
                char name[16];
                size_t n;

                s += 1 + closes;
                n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789");
                assert(n > 0 && n < sizeof(name));
                snprintf(name, sizeof(name), "%.*s", (int)n, s);
                for (s += n; *s != '>'; s++) {
                        assert(*s && *s != '<');
                        closed = *s == '/';
                        if (*s == '"')
                                s = strchr(s + 1, '"');
                        assert(s);
                }
                if (closes) {
                        assert(depth && streq(open[depth - 1], name));
                        depth--;
                } else if (!closed && !is_void(name)) {
                        assert(depth < ARRAY_LEN(open));
                        strcpy(open[depth++], name);
                }
                if (streq(name, "style") && !closes) /* what is in there is ours */
                        s = strstr(s, "</style") - 1;
        }
        assert(depth == 0);
}

static void page(struct web *w)
{
        struct web_blob *body = web_page_get(w, NOW_BOOT, 30);
        char *text = joined(body, &(struct textbuf){ 0 });

        look_at_page(text);
        free(text);
        web_blob_unref(body);
}

/* --- the document ---------------------------------------------------------------------------------------- */

static void document(struct web *w)
{
        struct status_doc s, again;
        struct errinfo err = { 0 };
        char *text;

        web_status_load(w, NOW_BOOT, &s);
        assert(!s.silent || *s.why);
        text = json_dumps(s.doc, 0);
        assert(text);
        /* What stands for an absent one is of no time, and so no status of any writer. */
        if (isnan(s.time_boot)) {
                assert(s.silent && json_array_size(json_object_get(s.doc, "components")) == 1);
                status_doc_done(&s);
                free(text);
                return;
        }
        if (status_doc_parse(text, strlen(text), NOW_BOOT, 1e9, &again, &err) < 0) {
                fprintf(stderr, "what we serve is no status: %s\n%s\n", err.text, text);
                abort();
        }
        status_doc_done(&again);
        free(text);
        status_doc_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const names[] = { "status.json", "samples.json", "catalog.json", "plots.json" };
        uint8_t flags = size ? *data : 0;
        struct web w;

        fuzz_web_init(&w);
        w.settings.compat = flags & FLAG_COMPAT ? WEB_COMPAT_NODE | WEB_COMPAT_SMARTCTL : 0;
        w.settings.silent_after_s = flags & FLAG_SILENT ? 1 : 100000;
        if (size) {
                data++;
                size--;
        }
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                const uint8_t *end = memchr(data, 0x1e, size);
                size_t len = end && i + 1 < ARRAY_LEN(names) ? (size_t)(end - data) : size;
                char path[96];

                snprintf(path, sizeof(path), "%s/%s", fuzz_run, names[i]);
                if (len)
                        fuzz_web_file(names[i], data, len);
                else
                        unlink(path);
                data += MIN(len + 1, size);
                size -= MIN(len + 1, size);
        }
        metrics(&w, EXPO_TEXT);
        metrics(&w, EXPO_OPENMETRICS);
        page(&w);
        document(&w);
        fuzz_web_done(&w);
        return 0;
}
