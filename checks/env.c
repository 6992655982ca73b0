/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The small readers that checks share: everything below root_fd, bounded, one plain read(). */

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "check.h"

#define INSTANCES_MAX 1024
#define LABELS_MAX 24
#define DIR_ENTRIES_MAX 4096

static const char *const result_names[RESULT_MAX] = {
        [RESULT_OK] = "ok",
        [RESULT_NODATA] = "nodata",
        [RESULT_DENIED] = "denied",
        [RESULT_FAILED] = "failed",
        [RESULT_TIMEOUT] = "timeout",
};

const char *result_name(enum result result)
{
        assert(result < RESULT_MAX);
        return result_names[result];
}

static bool instance_name_ok(const char *name)
{
        static const char allowed[] = "._:@+,=/-";

        if (!*name || strlen(name) >= INSTANCE_NAME_MAX || *name == '-')
                return false;
        for (; *name; name++)
                if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                      (*name >= '0' && *name <= '9') || strchr(allowed, *name)))
                        return false;
        return true;
}

struct instance *instance_add(struct instance_list *list, const char *name)
{
        struct instance *i;

        if (!instance_name_ok(name))
                return NULL;
        for (size_t k = 0; k < list->n; k++)
                if (streq(list->items[k].name, name))
                        return NULL;
        if (list->n >= INSTANCES_MAX) {
                list->cut = true;
                return NULL;
        }
        if (list->n == list->size) {
                size_t size = list->size ? list->size * 2 : 16;
                struct instance *items = realloc(list->items, size * sizeof(*items));

                if (!items)
                        return NULL;
                list->items = items;
                list->size = size;
        }
        i = &list->items[list->n++];
        *i = (struct instance){ 0 };
        strcpy(i->name, name);
        strcpy(i->component, name);
        return i;
}

void instance_list_done(struct instance_list *list)
{
        free(list->items);
        *list = (struct instance_list){ 0 };
}

void cmd_result_done(struct cmd_result *result)
{
        free(result->out);
        free(result->err_text);
        *result = (struct cmd_result){ 0 };
}

void env_sample(struct env *env, const char *metric, double value, ...)
{
        const char *labels[LABELS_MAX * 2 + 1];
        size_t n = 0;
        va_list ap;

        va_start(ap, value);
        while (n < LABELS_MAX * 2) {
                labels[n] = va_arg(ap, const char *);
                if (!labels[n])
                        break;
                n++;
        }
        va_end(ap);
        labels[n] = NULL;
        assert(n % 2 == 0);
        env->emit(env, metric, value, labels);
}

enum result env_end(struct env *env, enum result result, const char *fmt, ...)
{
        char text[sizeof(env->why.text)]; /* the words may be those that are there already */
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        strcpy(env->why.text, text);
        return result;
}

#define FORMAT_PATH(path, fmt)                                      \
        do {                                                        \
                va_list ap_;                                        \
                int n_;                                             \
                va_start(ap_, fmt);                                 \
                n_ = vsnprintf(path, sizeof(path), fmt, ap_);       \
                va_end(ap_);                                        \
                if (n_ < 0 || (size_t)n_ >= sizeof(path))           \
                        return -ENAMETOOLONG;                       \
        } while (0)

enum result env_end_errno(struct env *env, int code, const char *fmt, ...)
{
        char path[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        snprintf(env->why.text, sizeof(env->why.text), "/%s: %s", path, strerror(-code));
        switch (-code) {
        case EACCES:
        case EPERM:
                return RESULT_DENIED;
        case ENOENT:
        case ENODEV:
                return RESULT_NODATA;
        case ETIME:
        case ETIMEDOUT:
                return RESULT_TIMEOUT;
        default:
                return RESULT_FAILED;
        }
}

int env_read(struct env *env, char *buf, size_t size, const char *fmt, ...)
{
        _cleanup_close_ int fd = -1;
        char path[512], tmp[4096];
        ssize_t n;

        FORMAT_PATH(path, fmt);
        fd = openat(env->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return neg_errno();
        n = read(fd, tmp, sizeof(tmp) - 1);
        if (n < 0)
                return neg_errno();
        while (n > 0 && (tmp[n - 1] == '\n' || tmp[n - 1] == ' ' || tmp[n - 1] == '\t' || tmp[n - 1] == '\0'))
                n--;
        if ((size_t)n >= size)
                return -EMSGSIZE;
        memcpy(buf, tmp, (size_t)n);
        buf[n] = '\0';
        if (strlen(buf) != (size_t)n)
                return -EBADMSG; /* a NUL byte inside */
        return (int)n;
}

int env_read_text(struct env *env, char **ret, size_t max, const char *fmt, ...)
{
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *buf = NULL;
        size_t len = 0, size = 0;
        char path[512];

        FORMAT_PATH(path, fmt);
        fd = openat(env->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return neg_errno();
        for (;;) {
                ssize_t n;

                if (size - len < 2) {
                        char *grown;

                        if (size > max)
                                return -EFBIG;
                        size = size ? size * 2 : 4096;
                        grown = realloc(buf, size);
                        if (!grown)
                                return -ENOMEM;
                        buf = grown;
                }
                n = read(fd, buf + len, size - len - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return neg_errno();
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        if (len > max)
                return -EFBIG;
        buf[len] = '\0';
        if (strlen(buf) != len)
                return -EBADMSG;
        *ret = take_ptr(buf);
        return (int)len;
}

int env_read_i64(struct env *env, int64_t *ret, const char *fmt, ...)
{
        char path[512], buf[64], *end;
        long long v;
        int r;

        FORMAT_PATH(path, fmt);
        r = env_read(env, buf, sizeof(buf), "%s", path);
        if (r < 0)
                return r;
        errno = 0;
        v = strtoll(buf, &end, 0);
        if (errno || end == buf || *end)
                return -EBADMSG;
        *ret = v;
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_dir(struct env *env, const char *path, char ***ret)
{
        _cleanup_closedir_ DIR *dir = NULL;
        char **names;
        size_t n = 0;
        int fd;

        fd = openat(env->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return neg_errno();
        dir = fdopendir(fd);
        if (!dir) {
                int r = neg_errno();

                close(fd);
                return r;
        }
        names = calloc(DIR_ENTRIES_MAX + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (;;) {
                errno = 0;
                struct dirent *e = readdir(dir);

                if (!e) {
                        if (errno) {
                                int r = neg_errno();

                                env_list_free(names);
                                return r;
                        }
                        break;
                }
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (n == DIR_ENTRIES_MAX) {
                        env->limits |= LIMIT_BIT(LIMIT_DIRECTORY);
                        break;
                }
                names[n] = strdup(e->d_name);
                if (!names[n]) {
                        env_list_free(names);
                        return -ENOMEM;
                }
                n++;
        }
        qsort(names, n, sizeof(*names), compare_names);
        *ret = names;
        return 0;
}

int env_list_dir(struct env *env, char ***ret, const char *fmt, ...)
{
        char path[512];
        int r;

        FORMAT_PATH(path, fmt);
        r = list_dir(env, path, ret);
        /* Most callers go on when it is not there and give up on anything else: then this is why. */
        if (r < 0 && r != -ENOENT)
                env_end_errno(env, r, "%s", path);
        return r;
}

void env_list_free(char **names)
{
        for (size_t i = 0; names && names[i]; i++)
                free(names[i]);
        free(names);
}

int env_readlink(struct env *env, char *buf, size_t size, const char *fmt, ...)
{
        char path[512], target[1024];
        const char *base;
        ssize_t n;

        FORMAT_PATH(path, fmt);
        n = readlinkat(env->root_fd, path, target, sizeof(target) - 1);
        if (n < 0)
                return neg_errno();
        target[n] = '\0';
        base = strrchr(target, '/');
        base = base ? base + 1 : target;
        if (strlen(base) >= size)
                return -EMSGSIZE;
        strcpy(buf, base);
        return 0;
}

bool env_exists(struct env *env, const char *fmt, ...)
{
        char path[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        return faccessat(env->root_fd, path, F_OK, 0) == 0;
}
