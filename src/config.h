/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CONFIG_H
#define VEILLE_CONFIG_H

/* The configuration: systemd-style INI, /etc/veille/veille.conf and veille.conf.d/[name].conf.
 * One table (config_keys.c) holds every key with type, default, range and help; the example file,
 * the man page and the defaults come from it. Everything has a default: a config without any
 * file is complete. */

#include "errinfo.h"

enum config_type {
        CONFIG_BOOL,     /* yes no true false on off 1 0 */
        CONFIG_INT,
        CONFIG_NUMBER,   /* double; also with %, s min h d w, KiB MiB GiB TiB; the word in choices means none (NAN) */
        CONFIG_DURATION, /* seconds; "90", "90s", "5min", "2h", "1d", "1w", "1h 30min" */
        CONFIG_SIZE,     /* bytes; K M G T, powers of 1024 */
        CONFIG_STRING,
        CONFIG_LIST,     /* words separated by spaces or commas, in quotes where they contain one; each one of choices if there are any */
        CONFIG_PATH,     /* absolute path */
        CONFIG_CALENDAR, /* dates that come again: "Sat 03:00" (selftest_calendar.h) */
        CONFIG_COMMAND,  /* absolute path of a program and its arguments, separated by white space, in quotes where they
                            contain some; no shell, no variables */
        CONFIG_ENUM,     /* one of choices */
};

struct config_key {
        const char *section; /* "check", "web", ... */
        bool named;          /* section header is [check NAME] */
        const char *key;
        enum config_type type;
        const char *value;   /* default, as it would be written; NULL: unset */
        double min, max;     /* for numbers, durations, sizes; both 0: no range */
        const char *choices; /* CONFIG_ENUM: "advise confirm auto" */
        const char *help;    /* one or two sentences, for the man page */
};

extern const struct config_key config_keys[];
extern const size_t config_keys_len;

/* What a section is about, for the example file and the man page. */
struct config_section {
        const char *name;
        const char *example; /* a name to show in [section NAME]; NULL where it takes none */
        const char *help;
};

extern const struct config_section config_sections[];
extern const size_t config_sections_len;

struct config;

/* All errors of one pass, in reading order; each is the complete, printable text with
 * file:line:col, the line and a caret (several lines). */
struct config_errors {
        char **text;
        size_t n;
};

/* The names that may stand in [section NAME], where the caller knows them. */
struct config_names {
        const char *section;
        const char *const *names;
        size_t n;
};

/* Reads FILE and the drop-ins of FILE.d (veille.conf -> veille.conf.d/x.conf, sorted by name). A missing
 * file is no error. On any error: -EINVAL, errors filled, *ret untouched; on success errors is empty.
 * Other negative errno: the file could not be read (errors says so too). */
int config_load(const char *file, struct config **ret, struct config_errors *errors);
/* The same; a section name that is not among those known is an error. known ends with section NULL. */
int config_load_known(const char *file, const struct config_names *known, struct config **ret, struct config_errors *errors);
int config_parse_string(const char *name, const char *text, size_t len, struct config **ret, struct config_errors *errors);
struct config *config_new_defaults(void);
struct config *config_free(struct config *config);
void config_errors_done(struct config_errors *errors);

/* Values: never fail, a key that is not in the table is a bug (assert). name is NULL for sections
 * without names. For named sections: [check NAME], else the table's default. "key =" in a file takes back what
 * earlier files said: strings, paths and lists are then unset, everything else has its default. */
const char *config_string(const struct config *c, const char *section, const char *name, const char *key); /* NULL: unset */
bool config_bool(const struct config *c, const char *section, const char *name, const char *key);
int64_t config_int(const struct config *c, const char *section, const char *name, const char *key); /* also durations (s, rounded up) and sizes (bytes); 0: unset */
double config_number(const struct config *c, const char *section, const char *name, const char *key); /* NAN: unset */
bool config_is_set(const struct config *c, const char *section, const char *name, const char *key);   /* written in a file */
/* Where it was set: "FILE:LINE", or "default". */
const char *config_origin(const struct config *c, const char *section, const char *name, const char *key);

/* The words of a list or command: writes up to max copies into ret, returns how many; caller frees each. */
size_t config_list(const struct config *c, const char *section, const char *name, const char *key, char **ret, size_t max);

/* The names used with a named section ("check" -> "smart", ...), in file order; NULL-terminated, owned by c. */
const char *const *config_section_names(const struct config *c, const char *section);

/* The files that were read, in order; NULL-terminated, owned by c. */
const char *const *config_files(const struct config *c);

/* The example file: every key with its help, what it may be and its default, all commented out. */
void config_write_example(FILE *f);
/* What may be written for a key: "duration, 1s to 1w", "one of a, b". */
void config_key_allows(const struct config_key *key, char *buf, size_t size);

#endif
