/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-life: keeps a copy in memory of what the last message needs, for the day when the root disk gives no byte any more.
 * Run by veille-life.service at the start and once a day, as root, into a tmpfs that lets programs run (Debian mounts /run
 * noexec). A new copy is made beside the old one, tried, and only then put in its place; whatever fails leaves the old one.
 *
 * No secret is in it: those of the sinks are in the locked memory of veilled and reach veille-notify by its standard input. */

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "common_life.h"
#include "config.h"
#include "life.h"
#include "options.h"

#define NEW "copy.new"
#define TRIAL_S 20

const struct life_row life_table[] = {
        { LIFE_PROGRAM, "veille-notify", true, "sends the message" },
        { LIFE_MODULE, "libnss_files.so.2", false, "reads /etc/hosts" },
        { LIFE_MODULE, "libnss_dns.so.2", false, "asks name servers" },
        { LIFE_MODULE, "libnss_resolve.so.2", false, "asks systemd-resolved" },
        { LIFE_MODULE, "libnss_myhostname.so.2", false, "knows this host" },
        { LIFE_FILE, "/etc/ssl/certs/ca-certificates.crt", false, "whom TLS believes" },
        { LIFE_FILE, "/etc/ssl/openssl.cnf", false, "TLS as the administrator set it" },
        { LIFE_FILE, "/etc/resolv.conf", false, "the name servers" },
        { LIFE_FILE, "/etc/hosts", false, "names that need no server" },
        { LIFE_FILE, "/etc/nsswitch.conf", false, "where names are looked up" },
        { LIFE_FILE, "/etc/gai.conf", false, "which address is tried first" },
        { 0 },
};

struct options {
        struct common_options common;
        const char *life, *programs;
};

static const struct option_row own_options[] = {
        { "life", "DIR", "where the copy is, default: " LIFE_DIR, offsetof(struct options, life) },
        { "programs", "DIR", "where the programs are, default: beside this one", offsetof(struct options, programs) },
        { 0 },
};

static const struct program program = {
        .name = "veille-life",
        .summary = "keeps a copy in memory of what the last message needs",
        .usage = "veille-life            makes the copy anew\n"
                 "veille-life status     says where it is from and how old it is; exit status 1: it is old or there is none\n",
        .options = own_options,
        .notes = "DIR must let programs run: a tmpfs of its own (run-veille.life.mount).\n",
        .words = true,
};

/* --- making one ------------------------------------------------------------------------------------------------------- */

static int copy_row(struct life_copy *c, const struct life_row *row, struct errinfo *err)
{
        char from[8300], to[4200];

        switch (row->kind) {
        case LIFE_PROGRAM:
                snprintf(from, sizeof(from), "%s/%s", c->programs, row->name);
                return life_copy_program(c, from, row->name, err);
        case LIFE_MODULE:
                snprintf(from, sizeof(from), "%s/%s", c->libc_dir, row->name);
                snprintf(to, sizeof(to), "lib/%s", row->name);
                break;
        case LIFE_FILE:
                snprintf(from, sizeof(from), "%s%s", streq(c->root, "/") ? "" : c->root, row->name);
                snprintf(to, sizeof(to), "root%s", row->name);
                break;
        }
        return life_copy_file(c, from, to, false, err);
}

/* The CA files that sinks name. A configuration with mistakes keeps nobody from the rest: veilled tells of it. */
static int copy_ca_files(struct life_copy *c, const char *config, struct errinfo *err)
{
        struct config_errors errors = { 0 };
        struct config *conf = NULL;
        int r = 0;

        if (config_load(config, &conf, &errors) < 0) {
                config_errors_done(&errors);
                return 0;
        }
        for (const char *const *name = config_section_names(conf, "sink"); r >= 0 && *name; name++) {
                const char *path = config_string(conf, "sink", *name, "ca_file");
                struct life_row row = { LIFE_FILE, path, true, "whom a sink believes" };

                if (path && *path == '/' && !strstr(path, "/../") && strlen(path) < 4000)
                        r = copy_row(c, &row, err);
                if (r == -ENOENT || r == -EACCES) { /* the sink is broken with or without us */
                        fprintf(stderr, "veille-life: [sink %s]: %s\n", *name, err->text);
                        r = 0;
                }
        }
        config_free(conf);
        config_errors_done(&errors);
        return r;
}

static int copy_all(struct life_copy *c, const char *config, struct errinfo *err)
{
        for (const struct life_row *row = life_table; row->name; row++) {
                int r = copy_row(c, row, err);

                if (r < 0 && (row->needed || (r != -ENOENT && r != -ELOOP)))
                        return r;
        }
        return copy_ca_files(c, config, err);
}

static int write_list(struct life_copy *c, struct errinfo *err)
{
        json_t *doc = json_pack("{si sI sI ss sO}", "version", 1, "time", (json_int_t)time(NULL), "bytes", (json_int_t)c->bytes, "programs",
                                c->programs, "files", c->files);
        int fd = openat(c->dir_fd, "life.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), r = 0;

        if (fd < 0 || !doc || json_dumpfd(doc, fd, JSON_INDENT(1)) < 0)
                r = err_set(err, -EIO, "%s/life.json cannot be written", c->dir);
        json_decref(doc);
        if (fd >= 0)
                close(fd);
        return r;
}

/* Every program is run once from the copy: a library that is missing, a tmpfs that is mounted noexec, a half file show here. */
static int try_all(struct life_copy *c, struct errinfo *err)
{
        char loader[8300], lib[8300], bin[8300];
        char *argv[] = { loader, (char *)"--inhibit-cache", (char *)"--library-path", lib, bin, (char *)"--version", NULL };
        int r = 0;

        snprintf(loader, sizeof(loader), "%s/loader", c->dir);
        snprintf(lib, sizeof(lib), "%s/lib", c->dir);
        for (const struct life_row *row = life_table; r >= 0 && row->name; row++) {
                if (row->kind != LIFE_PROGRAM || !row->needed)
                        continue;
                snprintf(bin, sizeof(bin), "%s/bin/%s", c->dir, row->name);
                r = life_run(argv, TRIAL_S, NULL, NULL, err);
                if (r == -EACCES)
                        err_set(err, r, "%s: programs may not run there: it must be a tmpfs without noexec", loader);
        }
        return r;
}

/* Puts copy.new in the place of what is there; whoever starts a program sees the one or the other. */
static int put_in_place(int life_fd, struct errinfo *err)
{
        char name[64], old[256];
        ssize_t n = readlinkat(life_fd, "now", old, sizeof(old) - 1);
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        snprintf(name, sizeof(name), "copy.%lld-%06ld", (long long)ts.tv_sec, ts.tv_nsec / 1000);
        old[MAX(n, 0)] = '\0';
        if (renameat(life_fd, NEW, life_fd, name) < 0)
                return err_set(err, neg_errno(), NEW " to %s: %s", name, strerror(errno));
        unlinkat(life_fd, "now.new", 0);
        if (symlinkat(name, life_fd, "now.new") < 0 || renameat(life_fd, "now.new", life_fd, "now") < 0) {
                int r = err_set(err, neg_errno(), "now: %s", strerror(errno));

                life_remove(life_fd, name);
                return r;
        }
        /* Programs that run from the old one keep what they have opened. */
        if (*old && str_starts(old, "copy.") && !strchr(old, '/'))
                life_remove(life_fd, old);
        return 0;
}

static int make(const struct options *o, struct errinfo *err)
{
        struct life_copy c = { .dir_fd = -1, .root = o->common.root, .programs = o->programs };
        _cleanup_close_ int life_fd = open(o->life, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (life_fd < 0)
                return err_set(err, neg_errno(), "%s: %s", o->life, strerror(errno));
        if (snprintf(c.dir, sizeof(c.dir), "%s/" NEW, o->life) >= (int)sizeof(c.dir))
                return err_set(err, -ENAMETOOLONG, "%s: the name is too long", o->life);
        r = life_remove(life_fd, NEW); /* of one that was killed */
        if (r < 0 || mkdirat(life_fd, NEW, 0755) < 0)
                return err_set(err, r < 0 ? r : neg_errno(), "%s: %s", c.dir, strerror(r < 0 ? -r : errno));
        c.dir_fd = openat(life_fd, NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        c.files = json_array();
        r = c.dir_fd < 0 ? neg_errno() : copy_all(&c, o->common.config, err);
        if (r >= 0)
                r = write_list(&c, err);
        if (r >= 0)
                r = try_all(&c, err);
        if (r >= 0)
                r = put_in_place(life_fd, err);
        if (r >= 0)
                printf("%s/now: %zu files, %.1f MiB, of %s\n", o->life, c.n, (double)c.bytes / (1 << 20), o->programs);
        else
                life_remove(life_fd, NEW);
        json_decref(c.files);
        if (c.dir_fd >= 0)
                close(c.dir_fd);
        return r;
}

/* --- looking at it -------------------------------------------------------------------------------------------------------- */

/* How many of the files on the disk are other ones since; they are named. */
static size_t changed(const json_t *files, double made)
{
        size_t i, n = 0;
        json_t *v;

        json_array_foreach((json_t *)files, i, v) {
                const char *from = json_string_value(json_object_get(v, "from"));
                struct stat st;

                if (!from || (stat(from, &st) == 0 && (double)st.st_ctime <= made && st.st_size == json_integer_value(json_object_get(v, "bytes"))))
                        continue;
                if (n++ < 5)
                        printf("  not as on the disk: %s\n", from ? from : "?");
        }
        return n;
}

static int status(const struct options *o)
{
        char path[4200];
        json_t *doc;
        double age;
        size_t n;

        snprintf(path, sizeof(path), "%s/now/life.json", o->life);
        doc = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(doc)) {
                printf("there is no copy in %s: veille-life makes one\n", o->life);
                json_decref(doc);
                return 1;
        }
        age = (double)time(NULL) - (double)json_integer_value(json_object_get(doc, "time"));
        printf("copy of %s: %zu files, %.1f MiB, made %.1f h ago\n", json_string_value(json_object_get(doc, "programs")),
               json_array_size(json_object_get(doc, "files")), json_number_value(json_object_get(doc, "bytes")) / (1 << 20), age / 3600);
        n = changed(json_object_get(doc, "files"), (double)json_integer_value(json_object_get(doc, "time")));
        if (n > 0)
                printf("%zu files have changed since: systemctl start veille-life\n", n);
        json_decref(doc);
        return n > 0;
}

static const char *own_directory(void)
{
        static char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        char *slash;

        path[MAX(n, 0)] = '\0';
        slash = strrchr(path, '/');
        if (slash)
                *slash = '\0';
        return path;
}

int main(int argc, char *argv[])
{
        struct options o = { .common = COMMON_OPTIONS_DEFAULT, .life = LIFE_DIR, .programs = own_directory() };
        struct errinfo err = { 0 };
        int r = program_start(&program, &o.common, &o, &argc, argv, stdout, stderr);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        if (argc == 2 && streq(argv[1], "status"))
                return status(&o);
        if (argc != 1) {
                fprintf(stderr, "veille-life: unknown word %s: see veille-life --help\n", argv[1]);
                return 3;
        }
        signal(SIGPIPE, SIG_IGN);
        umask(0022);
        r = make(&o, &err);
        if (r < 0)
                fprintf(stderr, "veille-life: %s; %s\n", err.text, "the copy that was there, if any, stays");
        return r < 0 ? 1 : 0;
}
