/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Parses and explains the options of all programs. Called first thing in main(); a mistake there is fatal, for a
 * daemon that runs with half of what it was told is worse than one that does not start. */

#include "options.h"

#include "suggest.h"
#include "text_wrap.h"
#include "version.h"

#define NAMES_MAX 64
#define HELP_COLUMNS 80

const struct option_row common_option_rows[] = {
        { "config", "FILE", "default /etc/veille/veille.conf; drop-ins in FILE.d", offsetof(struct common_options, config) },
        { "run", "DIR", "where the programs of veille meet, default /run/veille", offsetof(struct common_options, run) },
        { "state", "DIR", "what survives a reboot, default /var/lib/veille", offsetof(struct common_options, state) },
        { "root", "DIR", "DIR/sys, DIR/proc, DIR/dev instead of /sys, /proc, /dev", offsetof(struct common_options, root) },
        { "version", NULL, "", offsetof(struct common_options, version) },
        { "help", NULL, "", offsetof(struct common_options, help) },
        { 0 },
};

static const struct option_row *find(const struct option_set *sets, size_t n, const char *name, size_t len, void **ret_values)
{
        for (size_t i = 0; i < n; i++)
                for (const struct option_row *row = sets[i].rows; row && row->name; row++)
                        if (strlen(row->name) == len && strncmp(row->name, name, len) == 0) {
                                *ret_values = sets[i].values;
                                return row;
                        }
        return NULL;
}

/* argv[0] is the option, argv[1] the next word or NULL. Returns how many words it was; 0: no set knows it. */
static int take_one(const struct option_set *sets, size_t n, char *argv[], struct errinfo *err)
{
        const char *word = argv[0], *name = streq(word, "-h") ? "help" : word + 2;
        size_t len = strcspn(name, "=");
        const char *value = name[len] ? name + len + 1 : argv[1];
        void *values = NULL;
        const struct option_row *row = word[1] == '-' || streq(word, "-h") ? find(sets, n, name, len, &values) : NULL;

        if (!row)
                return 0;
        if (!row->arg && name[len])
                return err_set(err, -EINVAL, "--%s has no value; write it without %s", row->name, name + len);
        if (!row->arg) {
                *(bool *)((char *)values + row->offset) = true;
                return 1;
        }
        if (!value || !*value)
                return err_set(err, -EINVAL, "--%s needs a value: --%s %s", row->name, row->name, row->arg);
        if (!name[len] && str_starts(value, "--"))
                return err_set(err, -EINVAL, "--%s needs a value, but %s follows; if that is the value, write --%s=%s", row->name, value, row->name, value);
        *(const char **)((char *)values + row->offset) = value;
        return name[len] ? 1 : 2;
}

static int unknown(const struct option_set *sets, size_t n, const char *word, struct errinfo *err)
{
        const char *names[NAMES_MAX], *near = NULL;
        char typed[64];
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
                for (const struct option_row *row = sets[i].rows; row && row->name && k < ARRAY_LEN(names); row++)
                        names[k++] = row->name;
        snprintf(typed, sizeof(typed), "%.*s", (int)MIN(strcspn(word, "="), sizeof(typed) - 1), word);
        near = suggest(typed + strspn(typed, "-"), names, k);
        return near ? err_set(err, -EINVAL, "unknown option %s; did you mean --%s?", typed, near) : err_set(err, -EINVAL, "unknown option %s", typed);
}

int options_take(const struct option_set *sets, size_t n, bool strict, int *argc, char *argv[], struct errinfo *err)
{
        int kept = 1, i = 1;

        while (i < *argc && !streq(argv[i], "--")) {
                bool option = argv[i][0] == '-' && argv[i][1]; /* a lone dash is standard input */
                int r = option ? take_one(sets, n, argv + i, err) : 0;

                if (r == 0 && option && strict)
                        r = unknown(sets, n, argv[i], err);
                if (r < 0)
                        return r;
                if (r == 0)
                        argv[kept++] = argv[i++];
                i += r;
        }
        i += i < *argc && strict;
        while (i < *argc)
                argv[kept++] = argv[i++];
        argv[kept] = NULL;
        *argc = kept;
        return 0;
}

/* --- help ------------------------------------------------------------------------------------------------ */

static int width_of(const struct option_row *row)
{
        return (int)(strlen(row->name) + (row->arg ? strlen(row->arg) + 1 : 0));
}

static void print_row(const struct option_row *row, int width, FILE *f)
{
        struct textbuf line = { 0 };

        textbuf_printf(&line, "  --%s%s%s%*s", row->name, row->arg ? " " : "", row->arg ? row->arg : "", width - width_of(row) + 2, "");
        text_wrap(&line, row->help, line.len, line.len, HELP_COLUMNS);
        textbuf_char(&line, '\n');
        fwrite(line.data, 1, line.len, f);
        textbuf_done(&line);
}

void options_print(const struct option_set *sets, size_t n, FILE *f)
{
        int width = 0;

        for (size_t i = 0; i < n; i++)
                for (const struct option_row *row = sets[i].rows; row && row->name; row++)
                        width = MAX(width, width_of(row));
        for (size_t i = 0; i < n; i++)
                for (const struct option_row *row = sets[i].rows; row && row->name; row++)
                        if (*row->help)
                                print_row(row, width, f);
}

int program_start(const struct program *p, struct common_options *common, void *values, int *argc, char *argv[], FILE *out, FILE *errors)
{
        const struct option_set sets[] = { { p->options, values }, { common_option_rows, common } };
        struct errinfo err = { 0 };
        int r = options_take(sets, ARRAY_LEN(sets), true, argc, argv, &err);

        if (r >= 0 && !p->words && *argc > 1 && !common->help && !common->version)
                r = err_set(&err, -EINVAL, "'%s' is no option, and there is nothing else to say", argv[1]);
        if (r < 0) {
                fprintf(errors, "%s: %s (%s --help)\n", p->name, err.text, p->name);
                return r;
        }
        if (common->help) {
                fprintf(out, "%s: %s\n\n%s%s", p->name, p->summary, p->usage ? p->usage : "", p->usage ? "\n" : "");
                options_print(sets, ARRAY_LEN(sets), out);
                fprintf(out, "  --version, --help\n\n%s", p->notes);
                return 0;
        }
        if (common->version) {
                fprintf(out, "%s %s\n", p->name, VEILLE_VERSION);
                return 0;
        }
        return 1;
}
