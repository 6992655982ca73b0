/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A plain main() for a fuzz target: feeds it every file of the directories named, as libFuzzer would.
 * So the corpus is a test that every compiler can run. */

#include <dirent.h>
#include <sys/stat.h>

#include "macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *path)
{
        _cleanup_fclose_ FILE *f = fopen(path, "rb");
        static uint8_t buf[1 << 20];
        size_t n;

        if (!f)
                return false;
        n = fread(buf, 1, sizeof(buf), f);
        /* A copy of the exact size, so that the sanitizer sees one byte too far. */
        uint8_t *copy = malloc(n ? n : 1);

        memcpy(copy, buf, n);
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
        return true;
}

int main(int argc, char *argv[])
{
        size_t n = 0;

        for (int i = 1; i < argc; i++) {
                struct dirent **names;
                int count = scandir(argv[i], &names, NULL, alphasort);

                for (int j = 0; j < count; j++) {
                        char path[4096];
                        struct stat st;

                        snprintf(path, sizeof(path), "%s/%s", argv[i], names[j]->d_name);
                        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && replay(path))
                                n++;
                        free(names[j]);
                }
                if (count >= 0)
                        free(names);
        }
        printf("%s - replayed %zu inputs\n", n ? "ok" : "not ok", n);
        return n ? 0 : 1;
}
