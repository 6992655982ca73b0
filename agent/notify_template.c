/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A JSON template with places in its strings. Filled as values, not as text: nothing that a device says can break out. */

#include <time.h>

#include "level.h"
#include "notify.h"
#include "textbuf.h"

#define DEPTH_MAX 32

/* 1 (least) to 5, as ntfy and others count. */
static int priority(const json_t *message)
{
        static const int of_level[LEVEL_MAX] = {
                [LEVEL_OK] = 2, [LEVEL_NOTICE] = 2, [LEVEL_WARNING] = 3, [LEVEL_UNKNOWN] = 4, [LEVEL_CRITICAL] = 5,
        };
        int level = level_from_name(notify_text(message, "level"));

        return level < 0 ? 3 : of_level[level];
}

static void time_text(const json_t *message, char *buf, size_t size)
{
        time_t t = (time_t)json_number_value(json_object_get(message, "time"));
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                *buf = '\0';
}

static bool place(const char *name, size_t len, const json_t *message, struct textbuf *out)
{
        static const char *const names[] = { "subject", "body", "host", "component", "level", "what", "id", "contact" };
        char text[32];

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0) {
                        textbuf_str(out, notify_text(message, names[i]));
                        return true;
                }
        if (len == 4 && strncmp(name, "time", 4) == 0) {
                time_text(message, text, sizeof(text));
                textbuf_str(out, text);
                return true;
        }
        if (len == 8 && strncmp(name, "priority", 8) == 0) {
                textbuf_printf(out, "%d", priority(message));
                return true;
        }
        return false;
}

static json_t *fill_string(const char *s, const json_t *message)
{
        struct textbuf out = { 0 };
        json_t *v;

        if (streq(s, "{message}"))
                return json_deep_copy(message);
        if (streq(s, "{priority}"))
                return json_integer(priority(message));
        while (*s) {
                const char *end = *s == '{' ? strchr(s, '}') : NULL;

                if (end && place(s + 1, (size_t)(end - s - 1), message, &out)) {
                        s = end + 1;
                        continue;
                }
                textbuf_char(&out, *s++);
        }
        v = json_stringn(out.data ? out.data : "", out.len);
        textbuf_done(&out);
        return v ? v : json_string("");
}

static json_t *fill(const json_t *t, const json_t *message, int depth)
{
        const char *key;
        json_t *v, *to;
        size_t i;

        if (depth > DEPTH_MAX)
                return json_null();
        if (json_is_string(t))
                return fill_string(json_string_value(t), message);
        if (json_is_array(t)) {
                to = json_array();
                json_array_foreach((json_t *)t, i, v)
                        json_array_append_new(to, fill(v, message, depth + 1));
                return to;
        }
        if (json_is_object(t)) {
                to = json_object();
                json_object_foreach((json_t *)t, key, v)
                        json_object_set_new(to, key, fill(v, message, depth + 1));
                return to;
        }
        return json_copy((json_t *)t);
}

json_t *notify_template(const json_t *template, const json_t *message)
{
        return fill(template, message, 0);
}
