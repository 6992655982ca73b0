/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl report: what somebody who is to find a fault in veille, or in a host through it, wants to see, as one tar file.
 * Made of what other commands print and of published files; touches no device. Everything passes through redact.h. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "config.h"
#include "ctl_capture.h"
#include "ctl_snapshot.h"
#include "redact.h"
#include "version.h"

#define FILE_MAX (8 * 1024 * 1024)
#define COMMAND_S 30
#define SELF "/proc/self/exe"
#define JOURNALCTL "/usr/bin/journalctl"

struct report {
        const struct common_options *options;
        FILE *f;
        const char *top; /* directory inside of the tar file */
        struct redact redact;
        time_t now;
        size_t files;
        bool broken;
};

/* --- the tar file (ustar) -------------------------------------------------------------------------------------------- */

struct tar_header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32], group[32],
                major[8], minor[8], prefix[155], pad[12];
};

static void put_block(struct report *r, const void *data, size_t len)
{
        static const char zeros[512];

        if (fwrite(data, 1, len, r->f) != len || (len % 512 && fwrite(zeros, 1, 512 - len % 512, r->f) != 512 - len % 512))
                r->broken = true;
}

static void put_entry(struct report *r, const char *name, const char *data, size_t len)
{
        struct tar_header h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
        unsigned sum = 0;

        snprintf(h.name, sizeof(h.name), "%s/%s", r->top, name);
        strcpy(h.mode, "0000600");
        strcpy(h.uid, "0000000");
        strcpy(h.gid, "0000000");
        snprintf(h.size, sizeof(h.size), "%011zo", len);
        snprintf(h.mtime, sizeof(h.mtime), "%011llo", (unsigned long long)r->now);
        memset(h.checksum, ' ', sizeof(h.checksum));
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((const unsigned char *)&h)[i];
        snprintf(h.checksum, sizeof(h.checksum), "%06o", sum & 0777777);
        put_block(r, &h, sizeof(h));
        if (len)
                put_block(r, data, len);
        r->files++;
}

/* The only way into the file. */
static void put(struct report *r, const char *name, const struct textbuf *text)
{
        struct textbuf clean = { 0 };

        redact_text(&r->redact, text->data, text->len, &clean);
        put_entry(r, name, clean.data, clean.len);
        textbuf_done(&clean);
}

/* --- what must not be in it ---------------------------------------------------------------------------------------------- */

/* The words of a file that a key names: its lines, as far as they may be read. */
static void learn_secret_file(struct report *r, const char *path)
{
        struct textbuf text = { 0 };

        if (capture_file(path, 65536, &text) == 0)
                for (size_t i = 0; i < text.len;) {
                        const char *line = text.data + i, *nl = memchr(line, '\n', text.len - i);
                        size_t len = nl ? (size_t)(nl - line) : text.len - i;

                        i += len + 1;
                        while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\r' || line[len - 1] == '\t'))
                                len--;
                        redact_add(&r->redact, line, len, "<secret>");
                }
        textbuf_done(&text);
}

static bool names_secret(const char *key)
{
        size_t n = strlen(key);

        return streq(key, "tls_key") || (n > 5 && streq(key + n - 5, "_file"));
}

static void learn_secrets(struct report *r)
{
        struct config_errors errors = { 0 };
        struct config *c = NULL;

        if (config_load(r->options->config, &c, &errors) < 0)
                c = NULL; /* then it says what it looks like by shape only */
        config_errors_done(&errors);
        for (size_t i = 0; c && i < config_keys_len; i++) {
                const struct config_key *key = &config_keys[i];
                const char *const *names = key->named ? config_section_names(c, key->section) : NULL;
                const char *path = names || !names_secret(key->key) ? NULL : config_string(c, key->section, NULL, key->key);

                if (path)
                        learn_secret_file(r, path);
                for (size_t k = 0; names && names[k] && names_secret(key->key); k++) {
                        path = config_string(c, key->section, names[k], key->key);
                        if (path)
                                learn_secret_file(r, path);
                }
        }
        config_free(c);
}

static void learn_id(struct report *r, const char *id)
{
        char to[32];

        if (strlen(id) < 6) /* "1" is a name and no serial number */
                return;
        snprintf(to, sizeof(to), "<id-%zu>", r->redact.n + 1);
        redact_add(&r->redact, id, strlen(id), to);
}

static void learn_label_ids(struct report *r)
{
        static const char *const names[] = { "serial", "serial_number", "wwn", "uuid", "guid", "id", "address" };
        char path[4096];
        json_t *doc, *s;
        size_t i;

        snprintf(path, sizeof(path), "%s/samples.json", r->options->run);
        doc = json_load_file(path, 0, NULL);
        json_array_foreach(json_object_get(doc, "samples"), i, s)
                for (size_t k = 0; k < ARRAY_LEN(names); k++)
                        learn_id(r, ctl_text(json_object_get(s, "l"), names[k]));
        json_decref(doc);
}

/* Serial numbers and the name of the host, each by the same word everywhere. */
static void learn_ids(struct report *r)
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        struct utsname u;
        const json_t *c;
        size_t i;

        if (uname(&u) == 0)
                redact_add(&r->redact, u.nodename, strlen(u.nodename), "<host>");
        learn_label_ids(r);
        if (ctl_snapshot_load(r->options, &s, &err) < 0)
                return;
        redact_add(&r->redact, ctl_text(s.doc, "host"), strlen(ctl_text(s.doc, "host")), "<host>");
        json_array_foreach(json_object_get(s.doc, "components"), i, c)
                if (!streq(ctl_text(c, "id"), ctl_text(c, "component")))
                        learn_id(r, ctl_text(c, "id"));
        ctl_snapshot_done(&s);
}

/* --- what is in it ------------------------------------------------------------------------------------------------------- */

static void add_versions(struct report *r)
{
        struct textbuf text = { 0 };
        struct utsname u;

        textbuf_printf(&text, "veille %s\n", VEILLE_VERSION);
        if (uname(&u) == 0)
                textbuf_printf(&text, "%s %s %s %s\n", u.sysname, u.release, u.version, u.machine);
        textbuf_char(&text, '\n');
        if (capture_file("/etc/os-release", 65536, &text) < 0)
                textbuf_str(&text, "no /etc/os-release\n");
        put(r, "versions.txt", &text);
        textbuf_done(&text);
}

static const struct {
        const char *name;
        const char *words[6];
} commands[] = {
        { "config.txt", { "config", "show", "--origin" } },
        { "config-check.txt", { "config", "check" } },
        { "status.txt", { "status", "--all" } },
        { "checks.txt", { "checks" } },
        { "rules.txt", { "rules" } },
        { "events.txt", { "events", "--max", "1000" } },
        { "events.json", { "events", "--max", "1000", "--json" } },
        { "nagios.txt", { "check", "--nagios" } },
};

static void add_commands(struct report *r)
{
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
                const char *argv[16] = { SELF,    "--run",           r->options->run,   "--config", r->options->config,
                                         "--state", r->options->state, "--root", r->options->root };
                struct textbuf text = { 0 };
                size_t n = 9;
                int status;

                for (size_t k = 0; commands[i].words[k]; k++)
                        argv[n++] = commands[i].words[k];
                status = capture_command((char *const *)argv, COMMAND_S, FILE_MAX, &text);
                if (status < 0)
                        textbuf_printf(&text, "(%s)\n", status == -ETIMEDOUT ? "did not end in time" : strerror(-status));
                put(r, commands[i].name, &text);
                textbuf_done(&text);
        }
}

static void add_run_files(struct report *r)
{
        static const char *const names[] = { "status.json", "samples.json", "catalog.json", "plots.json" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                struct textbuf text = { 0 };
                char path[4096];
                int e;

                snprintf(path, sizeof(path), "%s/%s", r->options->run, names[i]);
                e = capture_file(path, FILE_MAX, &text);
                if (e < 0)
                        textbuf_printf(&text, "%s: %s\n", path, strerror(-e));
                put(r, names[i], &text);
                textbuf_done(&text);
        }
}

/* Only where this user may read it; journalctl says so itself. */
static void add_journal(struct report *r)
{
        const char *argv[] = { JOURNALCTL, "--no-pager", "--quiet", "--output=short-iso", "--lines=1000", "--unit=veille*", NULL };
        struct textbuf text = { 0 };
        int status = access(JOURNALCTL, X_OK) == 0 ? capture_command((char *const *)argv, COMMAND_S, FILE_MAX, &text) : -ENOENT;

        if (status < 0)
                textbuf_printf(&text, "%s: %s\n", JOURNALCTL, strerror(-status));
        put(r, "journal.txt", &text);
        textbuf_done(&text);
}

static void add_readme(struct report *r, bool masked)
{
        struct textbuf text = { 0 };

        textbuf_str(&text, "A report of veille, made by veillectl report. No device was asked for it.\n\n"
                           "versions.txt          veille, kernel, distribution\n"
                           "config.txt            what was set and where; files that hold secrets are named, not shown\n"
                           "config-check.txt      its errors\n"
                           "status, checks, rules what veillectl says\n"
                           "*.json                what the daemons published: levels, last values (of disks too), catalogue, plots\n"
                           "events.*, journal.txt what happened, newest 1000\n\n"
                           "Left out: values that look like secrets, paths of URLs. ");
        textbuf_str(&text, masked ? "Serial numbers and the name of the host are replaced.\n"
                                  : "Serial numbers are in it; veillectl report --mask replaces them.\n");
        put(r, "README.txt", &text);
        textbuf_done(&text);
}

/* --- the command ------------------------------------------------------------------------------------------------------------ */

static int open_output(const char *path, FILE **ret)
{
        int fd;

        if (streq(path, "-")) {
                *ret = stdout;
                return 0;
        }
        /* Never over what is there, never through a link, for its owner alone. */
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return ctl_fail("%s: %s", path, strerror(errno));
        *ret = fdopen(fd, "w");
        return *ret ? 0 : ctl_fail("%s: %s", path, strerror(errno));
}

static int finish(struct report *r, const char *path)
{
        static const char end[1024];

        put_block(r, end, sizeof(end));
        if (fflush(r->f) != 0 || (r->f != stdout && fsync(fileno(r->f)) < 0) || r->broken) {
                int e = errno;

                if (r->f != stdout)
                        unlink(path);
                return ctl_fail("%s: cannot be written: %s", path, strerror(e));
        }
        if (r->f != stdout)
                printf("%s: %zu files, nothing of it was sent anywhere. Read it before you do: tar -xf %s\n", path, r->files, path);
        return 0;
}

static int make(struct report *r, const char *path, bool masked)
{
        int status = open_output(path, &r->f);

        if (status != 0)
                return status;
        learn_secrets(r);
        if (masked)
                learn_ids(r);
        add_readme(r, masked);
        add_versions(r);
        add_commands(r);
        add_run_files(r);
        add_journal(r);
        status = finish(r, path);
        if (r->f != stdout)
                fclose(r->f);
        redact_done(&r->redact);
        return status;
}

struct words {
        const char *output;
        bool mask;
};

static const struct option_row rows[] = {
        { "output", "FILE", "default: veille-report-TIME.tar here; - is standard output; an existing file is not replaced", offsetof(struct words, output) },
        { "mask", NULL, "also replace serial numbers and the name of the host, each by the same word everywhere", offsetof(struct words, mask) },
        { 0 },
};

static int run(const struct common_options *options, int argc, char *argv[])
{
        struct report r = { .options = options, .now = time(NULL) };
        struct words w = { 0 };
        char top[64], path[80];
        struct tm tm;

        if (ctl_take("report", rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc > 1)
                return ctl_usage("report", "'%s' is no option", argv[1]);
        strftime(top, sizeof(top), "veille-report-%Y%m%dT%H%M%S", localtime_r(&r.now, &tm));
        snprintf(path, sizeof(path), "%s.tar", top);
        r.top = top;
        return make(&r, w.output ? w.output : path, w.mask);
}

const struct ctl_command ctl_command_report = {
        .name = "report",
        .run = run,
        .synopsis = "[--output FILE] [--mask]",
        .options = rows,
        .summary = "one file for a bug report: versions, configuration, levels, values, events, journal; without secrets",
        .help = "A tar file that only you can read. Left out are the contents of files that the configuration names as secrets, wherever\n"
                "they stand, values of keys like password or token, and what stands behind the host in URLs. No device is asked.\n"
                "Run it as root or in group veille, so that it may read what it collects.\n\n  veillectl report --mask\n",
};
