/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* French is complete: every sentence of a rule and what ends it, made with values as the judge does it, comes out in French with all of its
 * values; what is no sentence of ours stays as it is. */

#include "test.h"

#include "check.h"
#include "brain.h"
#include "french.h"
#include "judge_private.h"
#include "limit.h"
#include "scorecard.h"

static const char *french(const char *english)
{
        static char text[2048];
        struct textbuf out = { 0 };

        french_add(&out, english);
        assert_true(out.len > 0 && out.len < sizeof(text));
        memcpy(text, out.data, out.len);
        text[out.len] = '\0';
        textbuf_done(&out);
        return text;
}

static const struct french_row *row_of(const char *template)
{
        const struct french_row *row;

        for (size_t i = 0; (row = french_row_at(i)); i++)
                if (streq(row->english, template))
                        return row;
        return NULL;
}

static void each_rule(void (*fn)(const struct rule *rule, const char *check))
{
        for (size_t i = 0; i < checks_all_len; i++)
                for (size_t k = 0; k < checks_all[i]->desc.n_rules; k++)
                        fn(&checks_all[i]->desc.rules[k], checks_all[i]->desc.name);
        for (size_t k = 0; k < brain_self_check.n_rules; k++)
                fn(&brain_self_check.rules[k], brain_self_check.name);
}

static void look_at_rule(const struct rule *rule, const char *check)
{
        if (!row_of(rule->text))
                fail_msg("src/french_rules*.c has no row for rule %s of %s: %s", rule->name, check, rule->text);
        if (!row_of(rule->clears))
                fail_msg("src/french_clears.c has no row for rule %s of %s: %s", rule->name, check, rule->clears);
}

static void every_rule_has_its_french(void **state UNUSED)
{
        each_rule(look_at_rule);
        for (int i = 0; i < LIMIT_MAX; i++)
                if (!row_of(limit_lost((enum limit)i)))
                        fail_msg("src/french_brain.c has no row for: %s", limit_lost((enum limit)i));
        assert_non_null(row_of("an answer within the deadline"));
        assert_non_null(row_of(judge_silence_clears("stale")));
}

/* What each place of a template is filled with: by its number, so that a wrong one is seen. */
static const char *const labels[] = { "dimm", "dimm3", "label", "Vcore", "alarm", "max", "chip", "nct6775", "health", "Dead", "signs", "7 reallocated sectors (5 points)",
                                      "percent", "12", "attribute_id", "197", "attribute_name", "Current_Pending_Sector", "operation", "verify", "test", "short",
                                      "mountpoint", "/srv/mail", "required", "4", "array", "md0", "member", "sdb1", "device_id", "2", "pool", "tank", "device", "sdc",
                                      "bmc", "bmc0", "class", "memory", "name", "PS1 Status", "event", "Power Supply AC lost", "type", "Power Supply", "who",
                                      "veille-probe", "lost", "more than 512 disks: those beyond are not watched", "output", "LOAD WARNING", NULL };

static void make_rule(const struct rule *rule, const char *check)
{
        static const double values[] = { 0.25, 1, 3, 86400 * 4, 0 };

        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
                struct rule_state state = { .value = values[i], .limit = 90, .measure = values[i], .baseline = 2 };
                char english[512];
                const struct french_row *row;
                const char *text;

                rule_text(rule, &state, "sda", labels, english, sizeof(english));
                row = french_find(english);
                /* What has no words of its own is made by any of those. */
                if (!row || (!streq(row->english, rule->text) && !strstr(rule->text, "}: {")))
                        fail_msg("%s of %s: '%s' is taken for '%s'", rule->name, check, english, row ? row->english : "-");
                text = french(english);
                if (strpbrk(text, "{}|"))
                        fail_msg("%s: %s", rule->name, text);
                if (strstr(rule->text, "{component}") && !strstr(text, "sda"))
                        fail_msg("%s: the component is missing: %s", rule->name, text);
                for (size_t k = 0; labels[k]; k += 2) {
                        char place[64];

                        snprintf(place, sizeof(place), "{label:%s}", labels[k]);
                        if (strstr(rule->text, place) && !strstr(text, labels[k + 1]) && !row_of(labels[k + 1]) && !streq(labels[k], "signs"))
                                fail_msg("%s: %s is missing: %s", rule->name, place, text);
                }
                if (strstr(text, "day") || strstr(text, " within ") || strstr(text, "error"))
                        fail_msg("%s: still English: %s", rule->name, text);
        }
}

static void sentences_with_values_become_french(void **state UNUSED)
{
        each_rule(make_rule);
        assert_string_equal(french("3 corrected memory errors in dimm3 within a day"), "3 erreurs de mémoire corrigées dans dimm3 en un jour");
        assert_string_equal(french("1 uncorrected memory error in dimm3 since boot"), "1 erreur de mémoire non corrigée dans dimm3 depuis le démarrage");
        assert_string_equal(french("/srv will be full in about 3 days"), "/srv sera plein dans environ 3 jours");
        assert_string_equal(french("/srv holds mail and has 3.5 GiB left"), "/srv contient du courrier et n'a plus que 3,5 Gio libres");
        assert_string_equal(french("12.5 % of memory and swap are left"), "il reste 12,5 % de la mémoire et de l'espace d'échange");
        assert_string_equal(french("61 points on the failure scorecard: 8 reallocated sectors (40 points), 3 of the last 90 days with new uncorrectable errors (48 "
                                   "points); of such disks 44 % fail within 30 days"),
                            "61 points au barème de panne : 8 secteurs réaffectés (40 points), 3 des 90 derniers jours avec de nouvelles erreurs non corrigées (48 "
                            "points) ; de tels disques, 44 % lâchent dans les 30 jours");
}

static void what_the_brain_says_becomes_french(void **state UNUSED)
{
        assert_string_equal(french("sda has not answered the check smart for 5 min; its process hangs in the kernel"),
                            "sda ne répond pas à la vérification smart depuis 5 min ; son processus est bloqué dans le noyau");
        assert_string_equal(french("smart sda: no fresh data for 3 days"), "smart sda : pas de données fraîches depuis 3 jours");
        assert_string_equal(french("smart: /dev/sda: No such device"), "smart : « /dev/sda: No such device »");
        assert_string_equal(french("store: veille-store: disk I/O error; history and memory over reboots are at risk"),
                            "magasin : veille-store : « disk I/O error » ; l'histoire et la mémoire au-delà d'un redémarrage sont en danger");
        assert_string_equal(french("delivery: [sink hook] takes no messages: no answer in time; they are kept and tried again"),
                            "envoi : [sink hook] ne prend pas de messages : pas de réponse à temps ; ils sont gardés et seront renvoyés");
        assert_string_equal(french("veille-probe: more than 512 disks: those beyond are not watched"),
                            "veille-probe : plus de 512 disques : ceux au-delà ne sont pas surveillés");
}

static void what_is_not_ours_stays_in_quotes(void **state UNUSED)
{
        char hostile[512];

        assert_string_equal(french("LOAD WARNING - 12.5"), "« LOAD WARNING - 12.5 »");
        assert_string_equal(french("{value} %s {n:a|b"), "« {value} %s {n:a|b »");
        /* A search without an end would hang the brain. */
        for (size_t i = 0; i + 1 < sizeof(hostile); i++)
                hostile[i] = ": of is at "[i % 11];
        hostile[sizeof(hostile) - 1] = '\0';
        for (int i = 0; i < 20; i++)
                french(hostile);
        /* Cut in the middle, as long sentences are. */
        french("61 points on the failure scorecard: 8 reallocated sec");
        french("");
}

static size_t places(const char *s, char names[][64], bool counted)
{
        size_t n = 0;
        int format = 0;

        for (const char *c = s; *c; c++) {
                const char *end = *c == '{' ? strchr(c, '}') : NULL;

                if (end && (counted || strncmp(c, "{n:", 3) != 0)) {
                        snprintf(names[n++], 64, "%.*s", (int)(end - c - 1), c + 1);
                } else if (*c == '%' && c[1] && strchr("sdu.l", c[1])) {
                        snprintf(names[n++], 64, "%d", ++format);
                }
        }
        return n;
}

static void a_translation_has_the_same_places(void **state UNUSED)
{
        const struct french_row *row, *other;

        for (size_t i = 0; (row = french_row_at(i)); i++) {
                char english[16][64], fr[16][64];
                size_t n = places(row->english, english, false), m = places(row->french, fr, false);

                if (!*row->french)
                        fail_msg("'%s' is empty", row->english);
                for (size_t a = 0; a < n; a++) {
                        bool found = false;

                        for (size_t b = 0; b < m; b++)
                                found |= streq(english[a], fr[b]);
                        if (!found)
                                fail_msg("'%s' has no {%s}", row->french, english[a]);
                }
                for (size_t b = 0; b < m; b++) {
                        bool found = false;

                        for (size_t a = 0; a < n; a++)
                                found |= streq(english[a], fr[b]);
                        if (!found)
                                fail_msg("'%s' has a {%s} of its own", row->french, fr[b]);
                }
                for (size_t k = 0; k < i; k++) {
                        other = french_row_at(k);
                        if (streq(other->english, row->english))
                                fail_msg("twice: %s", row->english);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_rule_has_its_french),
                cmocka_unit_test(sentences_with_values_become_french),
                cmocka_unit_test(what_the_brain_says_becomes_french),
                cmocka_unit_test(what_is_not_ours_stays_in_quotes),
                cmocka_unit_test(a_translation_has_the_same_places),
        };

        return cmocka_run_group_tests_name("french", tests, NULL, NULL);
}
