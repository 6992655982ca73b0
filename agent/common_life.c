/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Using the copy in memory: see the header. */

#include "common_life.h"

/* The directory of the copy of this moment: the link may be switched between the loader and its libraries. */
static bool copy_dir(const char *life, char *buf, size_t size)
{
        char link[4096], name[256];
        ssize_t n;

        if (snprintf(link, sizeof(link), "%s/now", life) >= (int)sizeof(link))
                return false;
        n = readlink(link, name, sizeof(name) - 1);
        if (n <= 0)
                return false;
        name[n] = '\0';
        return !strchr(name, '/') && snprintf(buf, size, "%s/%s", life, name) < (int)size;
}

bool life_command(const char *life, const char *name, char *const words[], struct life_command *ret)
{
        char dir[4096];
        size_t n = 0;

        if (!copy_dir(life, dir, sizeof(dir)))
                return false;
        snprintf(ret->loader, sizeof(ret->loader), "%s/loader", dir);
        snprintf(ret->lib, sizeof(ret->lib), "%s/lib", dir);
        if (snprintf(ret->program, sizeof(ret->program), "%s/bin/%s", dir, name) >= (int)sizeof(ret->program))
                return false;
        if (access(ret->loader, X_OK) < 0 || access(ret->program, X_OK) < 0)
                return false;
        ret->argv[n++] = ret->loader;
        ret->argv[n++] = (char *)"--inhibit-cache";
        ret->argv[n++] = (char *)"--library-path";
        ret->argv[n++] = ret->lib;
        ret->argv[n++] = ret->program;
        ret->argv[n++] = (char *)"--life";
        ret->argv[n++] = (char *)life;
        while (words && *words && n + 1 < ARRAY_LEN(ret->argv))
                ret->argv[n++] = *words++;
        ret->argv[n] = NULL;
        return true;
}

const char *life_file(const char *life, const char *path, char *buf, size_t size)
{
        char dir[4096];

        if (!life || *path != '/' || !copy_dir(life, dir, sizeof(dir)) || snprintf(buf, size, "%s/root%s", dir, path) >= (int)size ||
            access(buf, R_OK) < 0)
                return path;
        return buf;
}
