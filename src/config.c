/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The configuration as others see it: files read in order, every assignment checked against the table and kept
 * with its place; look-ups by section and key. A later file overrides an earlier one; the same key twice in one
 * section of one file is a mistake. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "config_read.h"
#include "config_value.h"
#include "suggest.h"

#define NAME_MAX_LEN 96
#define SECTIONS_MAX 1024

struct setting {
        const struct config_key *key;
        char *name;   /* of the section; NULL where it has none */
        char *value;
        char *origin; /* FILE:LINE */
        unsigned file;
        struct setting *next;
};

struct config {
        struct setting *settings, **tail;
        const char **names;    /* of the section asked for last, see config_section_names() */
        char **sections;       /* "section name" in file order, so that an empty [check smart] is known too */
        size_t n_sections;
};

struct parser {
        struct config *config;
        struct config_reader reader;
        const char *file;
        unsigned number;
        const struct config_key *section; /* first row of the section; NULL: none, or an unknown one */
        bool skip;                        /* in a section that is in error: its lines are not reported one by one */
        char name[NAME_MAX_LEN];
};

static void *out_of_memory_aborts(void *p)
{
        if (!p)
                abort();
        return p;
}

struct config *config_new_defaults(void)
{
        struct config *c = out_of_memory_aborts(calloc(1, sizeof(*c)));

        c->tail = &c->settings;
        return c;
}

struct config *config_free(struct config *c)
{
        if (!c)
                return NULL;
        while (c->settings) {
                struct setting *s = c->settings;

                c->settings = s->next;
                free(s->name);
                free(s->value);
                free(s->origin);
                free(s);
        }
        for (size_t i = 0; i < c->n_sections; i++)
                free(c->sections[i]);
        free(c->sections);
        free(c->names);
        free(c);
        return NULL;
}

static const struct config_key *find_section(const char *section)
{
        for (size_t i = 0; i < config_keys_len; i++)
                if (streq(config_keys[i].section, section))
                        return &config_keys[i];
        return NULL;
}

static const struct config_key *find_key(const char *section, const char *key)
{
        for (size_t i = 0; i < config_keys_len; i++)
                if (streq(config_keys[i].section, section) && streq(config_keys[i].key, key))
                        return &config_keys[i];
        return NULL;
}

static void note_section(struct config *c, const char *section, const char *name)
{
        char *text;

        if (asprintf(&text, "%s %s", section, name) < 0)
                abort();
        for (size_t i = 0; i < c->n_sections; i++)
                if (streq(c->sections[i], text)) {
                        free(text);
                        return;
                }
        if (c->n_sections == SECTIONS_MAX) {
                free(text);
                return;
        }
        c->sections = config_alloc(c->sections, c->n_sections + 1, sizeof(*c->sections));
        c->sections[c->n_sections++] = text;
}

static void parse_header(struct parser *p)
{
        struct config_reader *r = &p->reader;
        const char *words[64], *near;
        char section[64], *end = strchr(r->line, ']'), *name;
        size_t n = 0;

        p->section = NULL;
        p->skip = true;
        p->name[0] = '\0';
        if (!end || end[1]) {
                config_reader_error(r, end ? (size_t)(end + 1 - r->line) : r->line_len, "a section is written [name] or [kind name], and nothing behind it");
                return;
        }
        *end = '\0';
        name = strchr(r->line, ' ');
        snprintf(section, sizeof(section), "%.*s", (int)(name ? name - r->line - 1 : end - r->line - 1), r->line + 1);
        p->section = find_section(section);
        *end = ']';
        if (!p->section) {
                for (size_t i = 0; i < config_keys_len && n < ARRAY_LEN(words); i++)
                        if (!n || !streq(words[n - 1], config_keys[i].section))
                                words[n++] = config_keys[i].section;
                near = suggest(section, words, n);
                config_reader_error(r, 1, near ? "unknown section '%s'; did you mean '%s'?" : "unknown section '%s'; veillectl config example shows all%s",
                                    section, near ? near : "");
                return;
        }
        if (name) {
                while (*name == ' ')
                        name++;
                if (end - name >= NAME_MAX_LEN || end == name) {
                        config_reader_error(r, (size_t)(name - r->line), "the name of the section is empty or too long");
                        return;
                }
                snprintf(p->name, sizeof(p->name), "%.*s", (int)(end - name), name);
        }
        if (p->section->named != (p->name[0] != '\0')) {
                config_reader_error(r, 1, p->section->named ? "[%s] needs a name: [%s NAME]" : "[%s] takes no name; write [%s]", section, section);
                return;
        }
        if (p->name[0])
                note_section(p->config, section, p->name);
        p->skip = false;
}

static void unknown_key(struct parser *p, const char *key)
{
        const char *words[64], *near;
        size_t n = 0;

        for (size_t i = 0; i < config_keys_len && n < ARRAY_LEN(words); i++)
                if (streq(config_keys[i].section, p->section->section))
                        words[n++] = config_keys[i].key;
        near = suggest(key, words, n);
        config_reader_error(&p->reader, 0, near ? "unknown key '%s' in [%s%s%s]; did you mean '%s'?" : "unknown key '%s' in [%s%s%s]%s", key,
                            p->section->section, p->name[0] ? " " : "", p->name, near ? near : "");
}

static bool same_name(const char *a, const char *b)
{
        return (!a || !*a) ? (!b || !*b) : b && streq(a, b);
}

static struct setting *find_setting(const struct config *c, const struct config_key *key, const char *name)
{
        struct setting *found = NULL;

        for (struct setting *s = c->settings; s; s = s->next)
                if (s->key == key && same_name(s->name, name))
                        found = s;
        return found;
}

static void parse_assignment(struct parser *p)
{
        struct config_reader *r = &p->reader;
        char *eq = strchr(r->line, '='), *value, key[64];
        struct errinfo err = { 0 };
        const struct config_key *row;
        struct setting *s;
        size_t n;

        if (!eq || eq == r->line) {
                config_reader_error(r, 0, "this is neither [section] nor key = value");
                return;
        }
        if (p->skip)
                return;
        if (!p->section) {
                config_reader_error(r, 0, "a key before the first [section]");
                return;
        }
        n = (size_t)(eq - r->line);
        while (n && (r->line[n - 1] == ' ' || r->line[n - 1] == '\t'))
                n--;
        snprintf(key, sizeof(key), "%.*s", (int)MIN(n, sizeof(key) - 1), r->line);
        row = find_key(p->section->section, key);
        if (!row) {
                unknown_key(p, key);
                return;
        }
        for (value = eq + 1; *value == ' ' || *value == '\t'; value++)
                ;
        if (*value && !config_value_ok(row, value, &err)) {
                config_reader_error(r, (size_t)(value - r->line), "%s: %s", key, err.text);
                return;
        }
        s = find_setting(p->config, row, p->name);
        if (s && s->file == p->number) {
                config_reader_error(r, 0, "'%s' is set twice in this file, first at %s", key, s->origin);
                return;
        }
        s = out_of_memory_aborts(calloc(1, sizeof(*s)));
        *s = (struct setting){ .key = row, .name = config_copy(p->name, strlen(p->name)), .file = p->number };
        /* "key =" takes an earlier value back. */
        s->value = *value ? config_copy(value, strlen(value)) : row->value ? config_copy(row->value, strlen(row->value)) : NULL;
        if (asprintf(&s->origin, "%s:%u", p->file, config_reader_line_number(r, 0)) < 0)
                abort();
        *p->config->tail = s;
        p->config->tail = &s->next;
}

static void parse_text(struct config *c, const char *file, unsigned number, const char *text, size_t len, struct config_errors *errors)
{
        struct parser p = { .config = c, .file = file, .number = number };

        config_reader_init(&p.reader, file, text, len, errors);
        while (config_reader_next(&p.reader)) {
                if (p.reader.line[0] == '[')
                        parse_header(&p);
                else
                        parse_assignment(&p);
        }
        config_reader_done(&p.reader);
}

/* 0, -ENOENT, or another negative errno with an error added. */
static int parse_file(struct config *c, const char *file, unsigned number, struct config_errors *errors)
{
        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t len = 0;

        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0 || fstat(fd, &st) < 0) {
                int r = neg_errno();

                config_errors_add(errors, "%s: %s", file, strerror(-r));
                return r;
        }
        if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_FILE_MAX) {
                config_errors_add(errors, "%s: %s", file, S_ISREG(st.st_mode) ? "larger than 1 MiB" : "not a regular file");
                return -EINVAL;
        }
        text = config_alloc(NULL, CONFIG_FILE_MAX + 1, 1);
        while (len <= CONFIG_FILE_MAX) {
                ssize_t n = read(fd, text + len, CONFIG_FILE_MAX + 1 - len);

                if (n < 0) {
                        int r = neg_errno();

                        config_errors_add(errors, "%s: %s", file, strerror(-r));
                        return r;
                }
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        parse_text(c, file, number, text, len, errors);
        return 0;
}

static int is_drop_in(const struct dirent *e)
{
        size_t n = strlen(e->d_name);

        return e->d_name[0] != '.' && n > 5 && streq(e->d_name + n - 5, ".conf");
}

int config_load(const char *file, struct config **ret, struct config_errors *errors)
{
        struct config *c = config_new_defaults();
        struct dirent **names = NULL;
        char path[4096];
        int n, r;

        *errors = (struct config_errors){ 0 };
        r = parse_file(c, file, 0, errors);
        snprintf(path, sizeof(path), "%s.d", file);
        n = scandir(path, &names, is_drop_in, alphasort);
        if (n > CONFIG_FILES_MAX)
                config_errors_add(errors, "%s: more than %d files", path, CONFIG_FILES_MAX);
        for (int i = 0; i < n; i++) {
                if (i < CONFIG_FILES_MAX) {
                        int fr;

                        snprintf(path, sizeof(path), "%s.d/%s", file, names[i]->d_name);
                        fr = parse_file(c, path, (unsigned)i + 1, errors);
                        if (fr < 0 && fr != -ENOENT)
                                r = fr;
                }
                free(names[i]);
        }
        free(names);
        if (errors->n) {
                config_free(c);
                return r < 0 && r != -ENOENT ? r : -EINVAL;
        }
        *ret = c;
        return 0;
}

int config_parse_string(const char *name, const char *text, size_t len, struct config **ret, struct config_errors *errors)
{
        struct config *c = config_new_defaults();

        *errors = (struct config_errors){ 0 };
        parse_text(c, name, 0, text, len, errors);
        if (errors->n) {
                config_free(c);
                return -EINVAL;
        }
        *ret = c;
        return 0;
}

/* --- look-ups ---------------------------------------------------------------------------------- */

static const struct config_key *known_key(const char *section, const char *key)
{
        const struct config_key *row = find_key(section, key);

        assert(row); /* a key without a row in the table is our bug */
        return row;
}

const char *config_string(const struct config *c, const char *section, const char *name, const char *key)
{
        const struct config_key *row = known_key(section, key);
        const struct setting *s = find_setting(c, row, name);

        return s ? s->value : row->value;
}

double config_number(const struct config *c, const char *section, const char *name, const char *key)
{
        const char *text = config_string(c, section, name, key);

        return text ? config_value_number(known_key(section, key), text) : NAN;
}

int64_t config_int(const struct config *c, const char *section, const char *name, const char *key)
{
        double v = config_number(c, section, name, key);

        return isnan(v) ? 0 : (int64_t)v;
}

bool config_bool(const struct config *c, const char *section, const char *name, const char *key)
{
        return config_number(c, section, name, key) == 1;
}

bool config_is_set(const struct config *c, const char *section, const char *name, const char *key)
{
        return find_setting(c, known_key(section, key), name) != NULL;
}

const char *config_origin(const struct config *c, const char *section, const char *name, const char *key)
{
        const struct setting *s = find_setting(c, known_key(section, key), name);

        return s ? s->origin : "default";
}

size_t config_list(const struct config *c, const char *section, const char *name, const char *key, char **ret, size_t max)
{
        const char *p = config_string(c, section, name, key);
        char word[4096];
        size_t n = 0;

        while (p && n < max && config_value_word(&p, word, sizeof(word)))
                ret[n++] = config_copy(word, strlen(word));
        return n;
}

const char *const *config_section_names(const struct config *c, const char *section)
{
        struct config *own = (struct config *)c; /* the answer is cached in it */
        size_t n = 0, len = strlen(section);

        own->names = config_alloc(own->names, c->n_sections + 1, sizeof(*own->names));
        for (size_t i = 0; i < c->n_sections; i++)
                if (strncmp(c->sections[i], section, len) == 0 && c->sections[i][len] == ' ')
                        own->names[n++] = c->sections[i] + len + 1;
        own->names[n] = NULL;
        return own->names;
}
