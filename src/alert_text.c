/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages in words: the frame here, what to do in alert_advice.c, the sentences of rules and of the brain in french.h. */

#include "alert_text.h"

#include <math.h>
#include <stdarg.h>
#include <time.h>

#include "french.h"
#include "topology.h"

#define FULL_MAX 6    /* so many alerts are told in full; of more the rest in a line each */
#define LINES_MAX 200 /* of what is not critical; criticals are all named */

enum word {
        W_LEVEL, /* + enum level */
        W_WHAT = W_LEVEL + LEVEL_MAX, /* + enum alert_what */
        W_OVER = W_WHAT + ALERT_WHAT_MAX, W_AND_MORE,
        W_HAPPENED, W_SINCE, W_EVIDENCE, W_MEANS, W_DO, W_ENDS, W_LOOK, W_WAS, W_LASTED, W_PEAK,
        W_VALUE, W_READ, W_RULE, W_AGO, W_CHANGES, W_ROLE, /* + enum topology_role */
        W_ON_IT = W_ROLE + TOPOLOGY_ROLE_MAX, W_MEANS_PROTECTED, W_MEANS_MAIL, W_MEANS_SYSTEM, W_MEANS_WARN, W_MEANS_HOST, W_MEANS_SERVICE, W_MEANS_NOTHING, W_MEANS_OVER,
        W_NO_CLEARS, W_UNACKED, W_ACK, W_DIGEST, W_REFUSED, W_MORE, W_FOOT, W_CAUSED, W_DAYS,
        W_TEST_SUBJECT, W_TEST_BODY, W_TEST_REACHES, W_TEST_CONTACT,
        WORDS_MAX,
};

static const char *const words[WORDS_MAX][ALERT_LANGUAGES] = {
        [W_LEVEL + LEVEL_OK] = { "ok", "ok" },
        [W_LEVEL + LEVEL_NOTICE] = { "notice", "remarque" },
        [W_LEVEL + LEVEL_WARNING] = { "warning", "avertissement" },
        [W_LEVEL + LEVEL_UNKNOWN] = { "unknown", "inconnu" },
        [W_LEVEL + LEVEL_CRITICAL] = { "CRITICAL", "CRITIQUE" },
        [W_WHAT + ALERT_NEW] = { "new", "nouveau" },
        [W_WHAT + ALERT_WORSE] = { "worse", "pire" },
        [W_WHAT + ALERT_BETTER] = { "better", "mieux" },
        [W_WHAT + ALERT_REPEAT] = { "still", "toujours" },
        [W_WHAT + ALERT_ESCALATED] = { "nobody acknowledged", "sans accusé de réception" },
        [W_WHAT + ALERT_PASSED] = { "was critical for a moment", "a été critique un moment" },
        [W_WHAT + ALERT_RESOLVED] = { "over", "terminé" },
        [W_OVER] = { "over", "terminé" },
        [W_AND_MORE] = { "and %s more", "et %s de plus" },
        [W_HAPPENED] = { "What happened", "Ce qui se passe" },
        [W_SINCE] = { "Since", "Depuis" },
        [W_EVIDENCE] = { "Evidence", "Preuve" },
        [W_MEANS] = { "For the mail", "Pour le courrier" },
        [W_DO] = { "What to do", "Que faire" },
        [W_ENDS] = { "Ends with", "Prend fin avec" },
        [W_LOOK] = { "Look further", "Pour en savoir plus" },
        [W_WAS] = { "was", "était" },
        [W_LASTED] = { "from %s to %s (%s)", "du %s au %s (%s)" },
        [W_PEAK] = { "was %s since the last message", "était %s depuis le dernier message" },
        [W_VALUE] = { "value", "valeur" },
        [W_READ] = { "read %s ago by check %s", "lu il y a %s par la vérification %s" },
        [W_RULE] = { "rule %s", "règle %s" },
        [W_AGO] = { "%s ago", "il y a %s" },
        [W_CHANGES] = { "level changed %s times", "%s changements de niveau" },
        [W_ROLE + TOPOLOGY_ROLE_ROOT] = { "the system", "le système" },
        [W_ROLE + TOPOLOGY_ROLE_MAIL_SPOOL] = { "the mail queue", "la file du courrier" },
        [W_ROLE + TOPOLOGY_ROLE_MAIL_STORE] = { "the mailboxes", "les boîtes aux lettres" },
        [W_ROLE + TOPOLOGY_ROLE_STATE] = { "veille's own memory", "la mémoire de veille" },
        [W_ROLE + TOPOLOGY_ROLE_SWAP] = { "swap", "l'espace d'échange" },
        [W_ON_IT] = { "It carries", "Il porte" },
        [W_MEANS_PROTECTED] = { "redundancy carries its loss, mail goes on", "la redondance couvre sa perte, le courrier continue" },
        [W_MEANS_MAIL] = { "nothing carries its loss: without it mail stops, and what lies there may be lost",
                           "rien ne couvre sa perte : sans lui le courrier s'arrête, et ce qu'il contient peut être perdu" },
        [W_MEANS_SYSTEM] = { "nothing carries its loss: the host stops with it, and mail with the host",
                             "rien ne couvre sa perte : l'hôte s'arrête avec lui, et le courrier avec l'hôte" },
        [W_MEANS_WARN] = { "so far mail flows", "le courrier passe encore" },
        [W_MEANS_HOST] = { "The whole host depends on it, and the mail on the host", "Tout l'hôte en dépend, et le courrier avec lui" },
        [W_MEANS_SERVICE] = { "Mail goes through it", "Le courrier passe par lui" },
        [W_MEANS_NOTHING] = { "No mail stands on it as far as veille knows", "Aucun courrier n'en dépend, que veille sache" },
        [W_MEANS_OVER] = { "no more danger from this", "plus de danger de ce côté" },
        [W_NO_CLEARS] = { "a good reading that lasts", "une bonne mesure qui dure" },
        [W_UNACKED] = { "Nobody has acknowledged this.", "Personne n'a accusé réception." },
        [W_ACK] = { "No more reminders: %s", "Pour ne plus recevoir de rappel : %s" },
        [W_DIGEST] = { "Much happened at once; this message is about all of it.", "Beaucoup s'est passé en même temps ; ce message couvre le tout." },
        [W_REFUSED] = { "%s further alerts found no room: see veillectl status", "%s autres alertes n'ont pas trouvé de place : voir veillectl status" },
        [W_MORE] = { "... and %s more that are not critical: veillectl alerts", "... et %s autres non critiques : veillectl alerts" },
        [W_FOOT] = { "veille on %s, %s, message %s", "veille sur %s, %s, message %s" },
        [W_CAUSED] = { "because of %s", "à cause de %s" },
        [W_DAYS] = { "days", "jours" },
        [W_TEST_SUBJECT] = { "test of veille: nothing is wrong", "essai de veille : tout va bien" },
        [W_TEST_BODY] = { "Somebody asked for this test with \"veillectl test-alert\". Nothing is wrong.",
                          "Quelqu'un a demandé cet essai par « veillectl test-alert ». Tout va bien." },
        [W_TEST_REACHES] = { "When you read this, messages of veille on %s reach you.", "Si vous lisez ceci, les messages de veille sur %s vous parviennent." },
        [W_TEST_CONTACT] = { "When you read this, messages of veille on %s reach you as contact %s.",
                             "Si vous lisez ceci, les messages de veille sur %s vous parviennent en tant que contact %s." },
};

const char *alert_text_at(size_t i, enum alert_language language)
{
        if (i >= WORDS_MAX)
                return NULL;
        return words[i][language] ? words[i][language] : "";
}

static const char *word(int w, enum alert_language language)
{
        return words[w][language];
}

/* The word with each %s of it replaced by the next argument, a text. */
static void fill(struct textbuf *out, int w, enum alert_language language, ...)
{
        va_list ap;

        va_start(ap, language);
        for (const char *c = word(w, language); *c; c++)
                if (c[0] == '%' && c[1] == 's') {
                        textbuf_str(out, va_arg(ap, const char *));
                        c++;
                } else {
                        textbuf_char(out, *c);
                }
        va_end(ap);
}

static void fill_number(struct textbuf *out, int w, enum alert_language language, uint64_t n)
{
        char text[24];

        snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
        fill(out, w, language, text);
}

void alert_time_text(int64_t wall_us, char *buf, size_t size)
{
        time_t t = (time_t)(wall_us / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
                snprintf(buf, size, "?");
}

void alert_duration_text(int64_t us, enum alert_language language, char *buf, size_t size)
{
        long long s = MAX(us, 0) / USEC_PER_SEC;

        if (s < 120)
                snprintf(buf, size, "%lld s", s);
        else if (s < 7200)
                snprintf(buf, size, "%lld min", s / 60);
        else if (s < 2 * 86400)
                snprintf(buf, size, "%lld h", s / 3600);
        else
                snprintf(buf, size, "%lld %s", s / 86400, word(W_DAYS, language));
}

/* --- the subject ------------------------------------------------------------------------------------------ */

const char *alert_text_to_do(const struct alert *x, enum alert_language language)
{
        const struct alert_advice *advice = alert_advice(x->check, x->rule);

        return x->level == LEVEL_CRITICAL && !(x->protected_ && x->roles) ? advice->now[language] : advice->soon[language];
}

static bool over(const struct alert_item *i)
{
        return i->what == ALERT_RESOLVED || (i->what == ALERT_PASSED && i->alert->level == LEVEL_OK);
}

static size_t n_components(const struct alert_message *m)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n; i++) {
                size_t k = 0;

                while (k < i && !streq(m->items[k].alert->component, m->items[i].alert->component))
                        k++;
                n += k == i;
        }
        return n;
}

/* The item that the subject is about: of what is not over the worst, the cause before its consequences. */
const struct alert_item *alert_text_headline(const struct alert_message *m)
{
        const struct alert_item *best = &m->items[0];

        for (size_t i = 1; i < m->n; i++) {
                const struct alert_item *x = &m->items[i];

                if ((over(best) && !over(x)) || (over(best) == over(x) && x->alert->level > best->alert->level))
                        best = x;
        }
        return best;
}

void alert_text_subject(const struct alerts *a UNUSED, const struct alert_message *m, enum alert_language l, struct textbuf *out)
{
        const struct alert_item *head = alert_text_headline(m);
        const struct alert *x = head->alert;
        size_t others = n_components(m) - 1;

        textbuf_printf(out, "[%s] ", x->host);
        if (m->level == LEVEL_OK) { /* everything in it is over */
                textbuf_printf(out, "%s: %s", word(W_OVER, l), x->component);
        } else {
                enum level shown = over(head) ? LEVEL_CRITICAL : x->level; /* over but untold: it was critical */

                textbuf_printf(out, "%s: %s: ", word(W_LEVEL + shown, l), x->component);
                textbuf_str(out, over(head) ? word(W_WHAT + ALERT_PASSED, l) : alert_text_to_do(x, l));
                if (head->what == ALERT_REPEAT || head->what == ALERT_ESCALATED)
                        textbuf_printf(out, " (%s)", word(W_WHAT + (int)head->what, l));
        }
        if (others) {
                textbuf_str(out, " (");
                fill_number(out, W_AND_MORE, l, others);
                textbuf_char(out, ')');
        }
}

/* --- the body ----------------------------------------------------------------------------------------------- */

static void label(struct textbuf *out, int w, enum alert_language l)
{
        const char *text = word(w, l);
        int width = l == ALERT_FR ? 20 : 14, len = 0;

        for (const char *c = text; *c; c++)
                len += ((unsigned char)*c & 0xc0) != 0x80;
        textbuf_printf(out, "  %s%*s", text, MAX(width - len, 1), "");
}

static void add_roles(struct textbuf *out, const struct alert *x, enum alert_language l)
{
        const char *comma = "";

        textbuf_printf(out, "%s ", word(W_ON_IT, l));
        for (int role = 0; role < TOPOLOGY_ROLE_MAX; role++)
                if (x->roles & TOPOLOGY_ROLE_BIT(role)) {
                        textbuf_printf(out, "%s%s", comma, word(W_ROLE + role, l));
                        comma = ", ";
                }
        textbuf_str(out, "; ");
}

static void add_meaning(struct textbuf *out, const struct alert *x, bool is_over, enum alert_language l)
{
        const unsigned mail = TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_SPOOL) | TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_STORE);

        label(out, W_MEANS, l);
        if (x->roles) {
                add_roles(out, x, l);
                textbuf_str(out, word(is_over ? W_MEANS_OVER : x->protected_ ? W_MEANS_PROTECTED : x->roles & mail ? W_MEANS_MAIL : W_MEANS_SYSTEM, l));
        } else {
                textbuf_str(out, word(streq(x->check, "mail-unit") ? W_MEANS_SERVICE : alert_advice(x->check, x->rule)->host ? W_MEANS_HOST : W_MEANS_NOTHING, l));
                if (is_over)
                        textbuf_printf(out, "; %s", word(W_MEANS_OVER, l));
        }
        if (!is_over && x->level < LEVEL_CRITICAL)
                textbuf_printf(out, "; %s", word(W_MEANS_WARN, l));
        textbuf_char(out, '\n');
}

/* %c: the component, %i: the instance. What a shell would misread is put in quotes. */
static void add_command(struct textbuf *out, const char *template, const struct alert *x)
{
        for (const char *c = template; *c; c++) {
                const char *v = c[0] == '%' && c[1] == 'c' ? x->component : c[0] == '%' && c[1] == 'i' ? x->instance : NULL;
                bool plain = true;

                if (!v) {
                        textbuf_char(out, *c);
                        continue;
                }
                c++;
                for (const char *s = v; *s; s++)
                        plain &= (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("._:@+,=/-", *s) != NULL;
                if (!plain)
                        textbuf_char(out, '\'');
                for (const char *s = v; *s; s++) {
                        if (*s == '\'')
                                textbuf_str(out, "'\\'");
                        textbuf_char(out, *s);
                }
                if (!plain)
                        textbuf_char(out, '\'');
        }
}

static void add_commands(struct textbuf *out, const struct alert *x, enum alert_language l)
{
        const struct alert_advice *advice = alert_advice(x->check, x->rule);
        int width = l == ALERT_FR ? 20 : 14;

        label(out, W_LOOK, l);
        add_command(out, "veillectl why %c", x);
        for (size_t i = 0; i < ARRAY_LEN(advice->look) && advice->look[i]; i++) {
                textbuf_printf(out, "\n  %*s", width, "");
                add_command(out, advice->look[i], x);
        }
        textbuf_char(out, '\n');
}

static void add_since(struct textbuf *out, const struct alerts *a, const struct alert_message *m, const struct alert_item *item, enum alert_language l)
{
        const struct alert *x = item->alert;
        char from[40], to[40], took[32];

        alert_time_text(alerts_wall_us(a, x->opened_us), from, sizeof(from));
        label(out, W_SINCE, l);
        if (over(item)) {
                alert_time_text(alerts_wall_us(a, x->level_us), to, sizeof(to));
                alert_duration_text(x->level_us - x->opened_us, l, took, sizeof(took));
                fill(out, W_LASTED, l, from, to, took);
        } else {
                alert_duration_text(m->now_us - x->opened_us, l, took, sizeof(took));
                textbuf_printf(out, "%s, ", from);
                fill(out, W_AGO, l, took);
        }
        if (x->changes > 2) {
                textbuf_str(out, "; ");
                fill_number(out, W_CHANGES, l, x->changes);
        }
        textbuf_char(out, '\n');
}

static void add_evidence(struct textbuf *out, const struct alert_message *m, const struct alert *x, enum alert_language l)
{
        char age[32];

        alert_duration_text(m->now_us - x->read_us, l, age, sizeof(age));
        label(out, W_EVIDENCE, l);
        if (isfinite(x->value)) {
                char number[32];

                snprintf(number, sizeof(number), "%.6g", x->value);
                if (l == ALERT_FR && strchr(number, '.'))
                        *strchr(number, '.') = ',';
                textbuf_printf(out, "%s %s, ", word(W_VALUE, l), number);
        }
        fill(out, W_READ, l, age, *x->check ? x->check : "-");
        if (*x->instance && !streq(x->instance, x->component))
                textbuf_printf(out, " (%s)", x->instance);
        textbuf_str(out, ", ");
        fill(out, W_RULE, l, x->rule);
        textbuf_char(out, '\n');
}

/* "sda on mx1: CRITICAL (was warning)" */
static void add_title(struct textbuf *out, const struct alert_item *item, enum alert_language l)
{
        const struct alert *x = item->alert;

        textbuf_printf(out, "%s: %s", x->component, over(item) ? word(W_OVER, l) : word(W_LEVEL + (int)x->level, l));
        textbuf_printf(out, " (%s", item->what == ALERT_RESOLVED ? word(W_WAS, l) : word(W_WHAT + (int)item->what, l));
        if (item->what == ALERT_RESOLVED)
                textbuf_printf(out, " %s", word(W_LEVEL + (int)x->worst, l));
        else if (item->was > LEVEL_OK && item->was != x->level)
                textbuf_printf(out, ", %s %s", word(W_WAS, l), word(W_LEVEL + (int)item->was, l));
        if (x->cause) {
                textbuf_str(out, "; ");
                fill(out, W_CAUSED, l, x->cause);
        }
        textbuf_str(out, ")\n");
}

/* What a rule or the brain says; never nothing. */
static void add_sentence(struct textbuf *out, const char *english, enum alert_language l)
{
        if (l == ALERT_FR)
                french_add(out, english);
        else
                textbuf_str(out, english);
}

static const char *sentence(const struct alert *x)
{
        return *x->text ? x->text : x->rule;
}

static void add_full(struct textbuf *out, const struct alerts *a, const struct alert_message *m, const struct alert_item *item, enum alert_language l)
{
        const struct alert *x = item->alert;

        add_title(out, item, l);
        label(out, W_HAPPENED, l);
        add_sentence(out, sentence(x), l);
        textbuf_char(out, '\n');
        add_since(out, a, m, item, l);
        add_evidence(out, m, x, l);
        add_meaning(out, x, over(item), l);
        if (!over(item)) {
                label(out, W_DO, l);
                textbuf_printf(out, "%s\n", alert_text_to_do(x, l));
                label(out, W_ENDS, l);
                if (*x->clears)
                        add_sentence(out, x->clears, l);
                else
                        textbuf_str(out, word(W_NO_CLEARS, l));
                textbuf_char(out, '\n');
        }
        add_commands(out, x, l);
}

static void add_line(struct textbuf *out, const struct alert_item *item, enum alert_language l)
{
        const struct alert *x = item->alert;

        textbuf_printf(out, "- %s: %s (%s): ", x->component, over(item) ? word(W_OVER, l) : word(W_LEVEL + (int)x->level, l),
                       word(W_WHAT + (int)item->what, l));
        add_sentence(out, sentence(x), l);
        textbuf_char(out, '\n');
}

static bool must_be_named(const struct alert_item *i)
{
        return i->alert->level == LEVEL_CRITICAL || i->what == ALERT_PASSED || i->peak == LEVEL_CRITICAL || i->was == LEVEL_CRITICAL;
}

/* Criticals all, of the rest so many as a person can read. */
static void add_lines(struct textbuf *out, const struct alert_message *m, size_t from, enum alert_language l)
{
        size_t mild = 0;

        for (size_t i = from; i < m->n; i++)
                if (must_be_named(&m->items[i]))
                        add_line(out, &m->items[i], l);
        for (size_t i = from; i < m->n; i++)
                if (!must_be_named(&m->items[i]) && mild++ < LINES_MAX)
                        add_line(out, &m->items[i], l);
        if (mild > LINES_MAX) {
                fill_number(out, W_MORE, l, mild - LINES_MAX);
                textbuf_char(out, '\n');
        }
}

static void add_end(struct textbuf *out, const struct alert_message *m, enum alert_language l)
{
        const struct alert_item *head = alert_text_headline(m);
        struct textbuf command = { 0 };
        char now[40];

        textbuf_char(out, '\n');
        if (m->refused) {
                fill_number(out, W_REFUSED, l, m->refused);
                textbuf_char(out, '\n');
        }
        if (head->what == ALERT_ESCALATED || head->what == ALERT_REPEAT)
                textbuf_printf(out, "%s\n", word(W_UNACKED, l));
        if (m->level > LEVEL_OK && !over(head)) {
                add_command(&command, "veillectl ack %c", head->alert);
                textbuf_char(&command, '\0');
                fill(out, W_ACK, l, command.data);
                textbuf_char(out, '\n');
                textbuf_done(&command);
        }
        alert_time_text(m->wall_us, now, sizeof(now));
        textbuf_str(out, "-- \n");
        fill(out, W_FOOT, l, head->alert->host, now, m->id);
        textbuf_char(out, '\n');
}

void alert_text_body(const struct alerts *a, const struct alert_message *m, enum alert_language l, struct textbuf *out)
{
        size_t full = m->n <= FULL_MAX ? m->n : FULL_MAX / 2;

        if (m->digest)
                textbuf_printf(out, "%s\n\n", word(W_DIGEST, l));
        for (size_t i = 0; i < full; i++) {
                if (i)
                        textbuf_char(out, '\n');
                add_full(out, a, m, &m->items[i], l);
        }
        if (full < m->n) {
                textbuf_char(out, '\n');
                add_lines(out, m, full, l);
        }
        add_end(out, m, l);
}

void alert_text_test(const char *host, const char *contact, const char *id, int64_t wall_us, enum alert_language l, struct textbuf *subject, struct textbuf *body)
{
        char now[40];

        textbuf_printf(subject, "[%s] %s", host, word(W_TEST_SUBJECT, l));
        textbuf_printf(body, "%s\n\n", word(W_TEST_BODY, l));
        fill(body, *contact ? W_TEST_CONTACT : W_TEST_REACHES, l, host, contact);
        alert_time_text(wall_us, now, sizeof(now));
        textbuf_str(body, "\n\n-- \n");
        fill(body, W_FOOT, l, host, now, id);
        textbuf_char(body, '\n');
}
