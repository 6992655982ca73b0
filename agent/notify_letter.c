/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A letter as RFC 5322 and MIME want it: 7 bits on the wire whatever the language, lines short enough, nothing of a device in
 * a header but encoded. */

#include <time.h>

#include "notify.h"
#include "textbuf.h"

#define REFERENCES_MAX 10

static bool is_ascii(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
                        return false;
        return true;
}

void notify_base64(struct textbuf *out, const void *data, size_t n)
{
        const unsigned char *s = data;
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < n; i += 3) {
                unsigned v = (unsigned)s[i] << 16 | (i + 1 < n ? (unsigned)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);

                textbuf_char(out, digits[v >> 18]);
                textbuf_char(out, digits[v >> 12 & 63]);
                textbuf_char(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
                textbuf_char(out, i + 2 < n ? digits[v & 63] : '=');
        }
}

/* RFC 2047: words of at most 75 characters, cut between characters. */
static void add_subject(struct textbuf *out, const char *s)
{
        textbuf_str(out, "Subject: ");
        if (is_ascii(s) && strlen(s) < 900) {
                textbuf_printf(out, "%s\r\n", s);
                return;
        }
        for (size_t len = strlen(s), at = 0; at < len;) {
                size_t n = MIN(len - at, 42);

                while (n > 1 && at + n < len && ((unsigned char)s[at + n] & 0xc0) == 0x80)
                        n--;
                textbuf_str(out, at ? "\r\n =?utf-8?B?" : "=?utf-8?B?");
                notify_base64(out, s + at, n);
                textbuf_str(out, "?=");
                at += n;
        }
        textbuf_str(out, "\r\n");
}

/* Quoted-printable: readable without a decoder, and no line longer than 76. */
static void add_body(struct textbuf *out, const char *s)
{
        int column = 0;

        for (; *s; s++) {
                unsigned char c = (unsigned char)*s;
                bool last = s[1] == '\n' || s[1] == '\0', plain = c >= ' ' && c < 0x7f && c != '=' && !(c == ' ' && last);

                if (c == '\n') {
                        textbuf_str(out, "\r\n");
                        column = 0;
                        continue;
                }
                if (column + (plain ? 1 : 3) > 75) {
                        textbuf_str(out, "=\r\n");
                        column = 0;
                }
                /* A dot at the beginning of a line is the client's business (libcurl doubles it). */
                if (plain)
                        textbuf_char(out, (char)c);
                else
                        textbuf_printf(out, "=%02X", c);
                column += plain ? 1 : 3;
        }
        textbuf_str(out, "\r\n");
}

static void add_recipients(struct textbuf *out, const struct notify *n)
{
        const json_t *to = json_object_get(n->sink, "to"), *v;
        size_t i;

        json_array_foreach(to, i, v)
                textbuf_printf(out, "%s%s", i ? ",\r\n " : "To: ", json_string_value(v) ? json_string_value(v) : "");
        textbuf_str(out, "\r\n");
}

/* RFC 5322, 3.6.4: one reference an alert that it is about, the same in every message about it, so that mail programs show
 * them as one thread; no letter has that id itself. */
static void add_references(struct textbuf *out, const struct notify *n, const char *host)
{
        const json_t *items = json_object_get(n->message, "items"), *item;
        const char *last = "";
        size_t i, written = 0;

        json_array_foreach((json_t *)items, i, item) {
                const char *thread = notify_text(item, "thread");

                if (strlen(thread) != 32 || strspn(thread, "0123456789abcdef") != 32 || written == REFERENCES_MAX)
                        continue;
                textbuf_printf(out, "%s <%s.alert@%s>\r\n", written++ ? "" : "References:", thread, host);
                last = thread;
        }
        if (*last)
                textbuf_printf(out, "In-Reply-To: <%s.alert@%s>\r\n", last, host);
}

/* What is not a letter, digit, dot or dash in a host name has no place in an address. */
static void host_part(const struct notify *n, char *buf, size_t size)
{
        const char *host = notify_text(n->message, "host");
        size_t len = 0;

        for (; *host && len + 1 < size; host++)
                if ((*host >= 'a' && *host <= 'z') || (*host >= 'A' && *host <= 'Z') || (*host >= '0' && *host <= '9') || *host == '.' || *host == '-')
                        buf[len++] = *host;
        buf[len] = '\0';
        if (len == 0)
                snprintf(buf, size, "localhost");
}

const char *notify_letter_from(const struct notify *n, char *buf, size_t size)
{
        const char *from = notify_text(n->sink, "from");
        char host[200];

        host_part(n, host, sizeof(host));
        if (*from)
                snprintf(buf, size, "%s", from);
        else
                snprintf(buf, size, "veille@%s", host);
        return buf;
}

char *notify_letter(const struct notify *n)
{
        static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        time_t t = (time_t)json_number_value(json_object_get(n->message, "time"));
        const char *level = notify_text(n->message, "level"), *id = notify_text(n->message, "id");
        struct textbuf out = { 0 };
        char from[320], host[200];
        struct tm tm = { 0 };

        gmtime_r(&t, &tm);
        host_part(n, host, sizeof(host));
        textbuf_printf(&out, "From: veille <%s>\r\n", notify_letter_from(n, from, sizeof(from)));
        add_recipients(&out, n);
        add_subject(&out, notify_text(n->message, "subject"));
        /* Days and months in English whatever the locale. */
        textbuf_printf(&out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
                       tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        /* The same message keeps its id when it is sent again, so that mail programs show it once. */
        textbuf_printf(&out, "Message-ID: <%.64s@%s>\r\n", is_ascii(id) ? id : "", host);
        add_references(&out, n, host);
        textbuf_printf(&out, "X-Veille-Id: %.64s\r\nX-Veille-Level: %.16s\r\nX-Veille-Attempt: %d\r\n", is_ascii(id) ? id : "",
                       is_ascii(level) ? level : "", n->attempt);
        if (streq(level, "critical"))
                textbuf_str(&out, "Importance: high\r\nX-Priority: 1\r\n");
        textbuf_str(&out, "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
        add_body(&out, notify_text(n->message, "body"));
        textbuf_char(&out, '\0');
        return out.data;
}
