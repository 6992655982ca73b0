/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FAKE_ENV_H
#define VEILLE_FAKE_ENV_H

/* A check's env for tests: a fake tree in a temporary directory, canned commands, samples kept in an array. */

#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "test.h"

struct fake_sample {
        char metric[96];
        double value;
        char labels[1024]; /* "controller=mc0,dimm=DIMM_A1" in the order emitted */
};

struct fake_env {
        struct env env; /* first */
        char dir[64];
        struct fake_sample samples[4096];
        size_t n;
};

static void fake_emit(struct env *env, const char *metric, double value, const char *const *labels)
{
        struct fake_env *f = env->data;
        struct fake_sample *s = &f->samples[f->n++];

        assert_true(f->n < ARRAY_LEN(f->samples));
        snprintf(s->metric, sizeof(s->metric), "%s", metric);
        s->value = value;
        s->labels[0] = '\0';
        for (size_t i = 0; labels[i]; i += 2) {
                size_t len = strlen(s->labels);

                snprintf(s->labels + len, sizeof(s->labels) - len, "%s%s=%s", i ? "," : "", labels[i], labels[i + 1]);
        }
}

static inline struct fake_env *fake_env_new(void)
{
        struct fake_env *f = calloc(1, sizeof(*f));

        strcpy(f->dir, "/tmp/veille-test-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->env.root = f->dir;
        f->env.root_fd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->env.root_fd >= 0);
        f->env.config = config_new_defaults();
        f->env.emit = fake_emit;
        f->env.data = f;
        return f;
}

static inline void fake_env_free(struct fake_env *f)
{
        char cmd[128];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
        assert_int_equal(system(cmd), 0);
        close(f->env.root_fd);
        config_free((struct config *)f->env.config);
        free(f);
}

/* Writes one file of the tree, with its directories: fake_file(f, "sys/class/x", "1\n"). */
static inline void fake_file(struct fake_env *f, const char *path, const char *content)
{
        char full[4096];
        FILE *file;

        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        for (char *p = full + strlen(f->dir) + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                mkdir(full, 0755);
                *p = '/';
        }
        file = fopen(full, "w");
        assert_non_null(file);
        fputs(content, file);
        fclose(file);
}

/* The sample of that metric whose labels contain the text; fails the test when there is none. */
static inline const struct fake_sample *fake_find(struct fake_env *f, const char *metric, const char *label_part)
{
        for (size_t i = 0; i < f->n; i++)
                if (streq(f->samples[i].metric, metric) && strstr(f->samples[i].labels, label_part))
                        return &f->samples[i];
        fail_msg("no sample %s with %s", metric, label_part);
        return NULL;
}

static inline enum result fake_run(struct fake_env *f, const struct check *check, const char *instance)
{
        struct instance_list list = { 0 };
        enum result result = RESULT_MAX;

        f->n = 0;
        f->env.why.text[0] = '\0';
        assert_true(check->discover(&f->env, &list) >= 0);
        for (size_t i = 0; i < list.n; i++)
                if (streq(list.items[i].name, instance))
                        result = check->run(&f->env, &list.items[i]);
        instance_list_done(&list);
        assert_true(result != RESULT_MAX); /* the instance was discovered */
        return result;
}

#endif
