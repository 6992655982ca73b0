/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads configuration files against the table of keys: sections, names, assignments. Every mistake is
 * reported in one pass, with its place; a later file overrides an earlier one, while the same key twice in one
 * file is a mistake. Nothing is half used: with one error in any file the whole load fails. */

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "config_private.h"
#include "plugin_config.h"
#include "suggest.h"

#define NAME_MAX_LEN 128
#define WORDS_MAX 256

struct parser {
        struct config *config;
        struct config_reader reader;
        const struct config_names *known;
        unsigned file_number;
        const struct config_key *section; /* its first row; NULL before the first header */
        const char *name;                 /* "" where the section has none */
        bool skip;       /* in a section that is in error: its keys are not reported one by one */
        bool told_outside; /* one message about keys before the first header is enough */
};

static bool is_white(char c)
{
        return c == ' ' || c == '\t';
}

static bool is_word_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* --- sections ------------------------------------------------------------------------------------- */

static void unknown_section(struct parser *p, const char *section)
{
        const char *words[WORDS_MAX], *near;
        size_t n = 0;

        for (size_t i = 0; i < config_keys_len && n < WORDS_MAX; i++)
                if (n == 0 || !streq(words[n - 1], config_keys[i].section))
                        words[n++] = config_keys[i].section;
        near = suggest(section, words, n);
        if (near)
                config_reader_error(&p->reader, 1, "unknown section [%s]; did you mean [%s]?", section, near);
        else
                config_reader_error(&p->reader, 1, "unknown section [%s]; veillectl config example shows all there are", section);
}

static bool is_of_plugin(const struct config *c, const char *name)
{
        const char *const *plugins = config_section_names(c, "plugin");

        for (size_t i = 0; plugins[i]; i++)
                if (plugin_owns(plugins[i], name))
                        return true;
        return false;
}

/* Names of checks and rules are known to the caller; where they are, a mistyped one must not be silently without effect. */
static bool name_is_known(struct parser *p, const char *section, const char *name, size_t at)
{
        const char *near;

        for (const struct config_names *k = p->known; k && k->section; k++) {
                if (!streq(k->section, section))
                        continue;
                for (size_t i = 0; i < k->n; i++)
                        if (streq(k->names[i], name))
                                return true;
                /* Of plugins that the caller does not know yet, since this very file is not read yet. */
                if (is_of_plugin(p->config, name))
                        return true;
                near = suggest(name, k->names, k->n);
                if (near)
                        config_reader_error(&p->reader, at, "there is no %s '%s'; did you mean '%s'?", section, name, near);
                else
                        config_reader_error(&p->reader, at, "there is no %s '%s'; veillectl %ss shows them", section, name, section);
                return false;
        }
        return true;
}

/* "[check smart]": the parts of the header, or false with an error. */
static bool split_header(struct parser *p, char *section, char *name, size_t *ret_name_at)
{
        struct config_reader *r = &p->reader;
        size_t i = 1, start, end = r->line_len - 1, n = 0;

        if (r->line[end] != ']') {
                char *close = strchr(r->line, ']');

                config_reader_error(r, close ? (size_t)(close + 1 - r->line) : r->line_len,
                                    close ? "nothing may follow ']'; a comment stands on a line of its own" : "']' is missing");
                return false;
        }
        while (is_white(r->line[i]))
                i++;
        start = i;
        while (is_word_char(r->line[i]) && i - start < NAME_MAX_LEN - 1)
                section[n++] = r->line[i++];
        section[n] = '\0';
        if (n == 0 || (!is_white(r->line[i]) && i != end)) {
                config_reader_error(r, i, "a section is written [kind] or [kind name], its kind with letters, digits and '-'");
                return false;
        }
        while (is_white(r->line[i]))
                i++;
        while (end > i && is_white(r->line[end - 1]))
                end--;
        *ret_name_at = i;
        if (end - i >= NAME_MAX_LEN || memchr(r->line + i, ']', end - i) || memchr(r->line + i, '[', end - i)) {
                config_reader_error(r, i, "this is no name: at most %d characters, no brackets", NAME_MAX_LEN - 1);
                return false;
        }
        memcpy(name, r->line + i, end - i);
        name[end - i] = '\0';
        return true;
}

static void parse_header(struct parser *p)
{
        struct config_reader *r = &p->reader;
        char section[NAME_MAX_LEN], name[NAME_MAX_LEN];
        const struct config_key *row;
        size_t at;

        p->skip = true;
        if (!split_header(p, section, name, &at))
                return;
        row = config_section_find(section);
        if (!row) {
                unknown_section(p, section);
                return;
        }
        if (row->named && !*name) {
                config_reader_error(r, 1, "[%s] needs a name: [%s NAME]", section, section);
                return;
        }
        if (!row->named && *name) {
                config_reader_error(r, at, "[%s] takes no name", section);
                return;
        }
        if (*name && !name_is_known(p, section, name, at))
                return;
        p->name = *name ? config_name_add(p->config, section, name) : "";
        if (!p->name) {
                config_reader_error(r, 1, "too many [%s] sections", section);
                return;
        }
        p->section = row;
        p->skip = false;
}

/* --- assignments ------------------------------------------------------------------------------------ */

static void unknown_key(struct parser *p, const char *key)
{
        const char *section = p->section->section, *space = *p->name ? " " : "", *words[WORDS_MAX], *near;
        const struct config_key *elsewhere = NULL;
        size_t n = 0;

        for (size_t i = 0; i < config_keys_len && n < WORDS_MAX; i++) {
                if (streq(config_keys[i].section, section))
                        words[n++] = config_keys[i].key;
                else if (streq(config_keys[i].key, key) && !elsewhere)
                        elsewhere = &config_keys[i];
        }
        near = suggest(key, words, n);
        if (near)
                config_reader_error(&p->reader, 0, "unknown key '%s' in [%s%s%s]; did you mean '%s'?", key, section, space, p->name, near);
        else if (elsewhere)
                config_reader_error(&p->reader, 0, "unknown key '%s' in [%s%s%s]; it belongs in [%s%s]", key, section, space, p->name,
                                    elsewhere->section, elsewhere->named ? " NAME" : "");
        else
                config_reader_error(&p->reader, 0, "unknown key '%s' in [%s%s%s]; veillectl config example shows all there are", key,
                                    section, space, p->name);
}

/* "key = value": where the value begins; 0 with an error if the line is none. */
static size_t split_assignment(struct parser *p, char *key)
{
        struct config_reader *r = &p->reader;
        size_t i = 0;

        while (i < NAME_MAX_LEN - 1 && is_word_char(r->line[i])) {
                key[i] = r->line[i];
                i++;
        }
        key[i] = '\0';
        while (is_white(r->line[i]))
                i++;
        if (!*key || r->line[i] != '=') {
                config_reader_error(r, i, "%s", strchr(r->line, '=') ? "a key is one word of letters, digits and '-'" :
                                                 "'=' is missing: a line is a [section], a key = value or a # comment");
                return 0;
        }
        i++;
        while (is_white(r->line[i]))
                i++;
        return i;
}

static void store(struct parser *p, const struct config_key *row, struct config_value *value, bool empty)
{
        struct setting *s = config_setting_make(p->config, row, p->name);

        s->value = *value;
        s->file = p->file_number;
        s->is_default = empty && row->value && row->type != CONFIG_STRING && row->type != CONFIG_PATH && row->type != CONFIG_LIST &&
                        row->type != CONFIG_COMMAND;
        if (asprintf(&s->origin, "%s:%u", p->reader.file, config_reader_line_number(&p->reader, 0)) < 0)
                abort();
}

static void parse_assignment(struct parser *p)
{
        struct config_value value = { .number = NAN };
        struct config_reader *r = &p->reader;
        const struct config_key *row;
        const struct setting *before;
        struct errinfo err = { 0 };
        char key[NAME_MAX_LEN];
        size_t start, at = 0;

        start = split_assignment(p, key);
        if (start == 0 || p->skip)
                return;
        if (!p->section) {
                if (!p->told_outside)
                        config_reader_error(r, 0, "'%s' stands before the first [section]", key);
                p->told_outside = true;
                return;
        }
        row = config_key_find(p->section->section, key);
        if (!row) {
                unknown_key(p, key);
                return;
        }
        before = config_setting_find(p->config, row, p->name);
        if (before && before->file == p->file_number) {
                config_reader_error(r, 0, "'%s' is set twice in this file, first in %s", key, before->origin);
                return;
        }
        /* "key =" takes back what the table or an earlier file says: no text, no words; else the default. */
        if (r->line[start] && config_value_parse(row, r->line + start, &value, &at, &err) < 0) {
                config_reader_error(r, start + at, "%s: %s", key, err.text);
                return;
        }
        store(p, row, &value, !r->line[start]);
}

static void parse_text(struct config *c, const struct config_names *known, const char *file, unsigned number,
                       const char *text, size_t len, struct config_errors *errors)
{
        struct parser p = { .config = c, .known = known, .file_number = number, .name = "" };

        config_reader_init(&p.reader, file, text, len, errors);
        while (config_reader_next(&p.reader)) {
                if (p.reader.line[0] == '[')
                        parse_header(&p);
                else
                        parse_assignment(&p);
        }
        config_reader_done(&p.reader);
}

/* --- files ------------------------------------------------------------------------------------------ */

static int file_error(struct config_errors *errors, const char *file, int r)
{
        config_errors_add(errors, "%s: cannot be read: %s", file, strerror(-r));
        return r;
}

/* 0, also when there is no such file; or negative errno with an error added. */
static int parse_file(struct config *c, const struct config_names *known, const char *file, unsigned number, struct config_errors *errors)
{
        /* Not blocking: a FIFO in the directory must not hold up the start. */
        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t len = 0;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return file_error(errors, file, neg_errno());
        if (!S_ISREG(st.st_mode)) {
                config_errors_add(errors, "%s: is no regular file", file);
                return -EINVAL;
        }
        text = config_alloc(NULL, CONFIG_FILE_MAX + 1, 1);
        while (len <= CONFIG_FILE_MAX) {
                ssize_t n = read(fd, text + len, CONFIG_FILE_MAX + 1 - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return file_error(errors, file, neg_errno());
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        if (len > CONFIG_FILE_MAX) {
                config_errors_add(errors, "%s: is larger than %d bytes; is this a configuration?", file, CONFIG_FILE_MAX);
                return -EFBIG;
        }
        config_file_add(c, file);
        parse_text(c, known, file, number, text, len, errors);
        return 0;
}

static int is_drop_in(const struct dirent *e)
{
        size_t n = strlen(e->d_name);

        return e->d_name[0] != '.' && n > 5 && streq(e->d_name + n - 5, ".conf");
}

/* The same order whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int parse_drop_ins(struct config *c, const struct config_names *known, const char *file, struct config_errors *errors)
{
        _cleanup_free_ char *dir = NULL;
        struct dirent **names = NULL;
        int n, first = 0;

        if (asprintf(&dir, "%s.d", file) < 0)
                abort();
        n = scandir(dir, &names, is_drop_in, by_name);
        if (n < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : file_error(errors, dir, neg_errno());
        if (n > CONFIG_FILES_MAX) {
                config_errors_add(errors, "%s: has %d files, at most %d are allowed", dir, n, CONFIG_FILES_MAX);
                first = -E2BIG;
        }
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
                        abort();
                free(names[i]);
                r = i < CONFIG_FILES_MAX ? parse_file(c, known, path, (unsigned)i + 1, errors) : 0;
                if (r < 0 && first == 0)
                        first = r;
        }
        free(names);
        return first;
}

int config_load_known(const char *file, const struct config_names *known, struct config **ret, struct config_errors *errors)
{
        struct config *c = config_new_defaults();
        int r, dr;

        *errors = (struct config_errors){ 0 };
        r = parse_file(c, known, file, 0, errors);
        dr = parse_drop_ins(c, known, file, errors);
        if (errors->n > 0) {
                config_free(c);
                return r < 0 ? r : dr < 0 ? dr : -EINVAL;
        }
        *ret = c;
        return 0;
}

int config_load(const char *file, struct config **ret, struct config_errors *errors)
{
        return config_load_known(file, NULL, ret, errors);
}

int config_parse_string(const char *name, const char *text, size_t len, struct config **ret, struct config_errors *errors)
{
        struct config *c = config_new_defaults();

        *errors = (struct config_errors){ 0 };
        parse_text(c, NULL, name, 0, text, len, errors);
        if (errors->n > 0) {
                config_free(c);
                return -EINVAL;
        }
        *ret = c;
        return 0;
}
