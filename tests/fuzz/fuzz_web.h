/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FUZZ_WEB_H
#define VEILLE_FUZZ_WEB_H

/* A veille-web for fuzz targets: a RUN directory of its own, in memory where that can be had. */

#include "web.h"

static char fuzz_run[48];

static inline void fuzz_remove_run(void)
{
        char cmd[96];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", fuzz_run);
        if (system(cmd) != 0)
                abort();
}

static inline void fuzz_web_init(struct web *w)
{
        if (!*fuzz_run) {
                strcpy(fuzz_run, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-fuzz-XXXXXX" : "/tmp/veille-fuzz-XXXXXX");
                if (!mkdtemp(fuzz_run))
                        abort();
                atexit(fuzz_remove_run);
        }
        *w = (struct web){ .run = fuzz_run, .run_fd = -1, .host = "mx1", .started_wall = 1700000000 };
        w->settings.silent_after_s = 30;
        w->settings.connections = 8;
}

static inline void fuzz_web_done(struct web *w)
{
        web_metrics_free(w);
        web_blob_unref(w->page);
        if (w->run_fd >= 0)
                close(w->run_fd);
}

/* Renamed into place, as the writers do it. */
static inline void fuzz_web_file(const char *name, const void *data, size_t size)
{
        char path[96], tmp[104];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", fuzz_run, name);
        snprintf(tmp, sizeof(tmp), "%s.tmp", path);
        f = fopen(tmp, "w");
        if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0 || rename(tmp, path) < 0)
                abort();
}

#endif
