/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What programs print, taken by the checks that start them (smartctl, zpool). Input: parts with 0x1e between them, one for
 * each program that is started, the last one again and again. A part that begins with a byte below 0x20 has that as exit
 * status and, if it is 0x1f, a hanging program; else the status is the one that the report itself names. What a report of
 * smartctl calls its time_t is turned to now, or all of them would be old. */

#include <ctype.h>
#include <time.h>

#include "fuzz_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
        const uint8_t *data;
        size_t size;
} answers;

static int own_status(const char *text)
{
        const char *p = strstr(text, "\"exit_status\"");

        p = p ? strchr(p, ':') : NULL;
        return p ? (int)(strtoul(p + 1, NULL, 10) & 0xff) : 0;
}

static void turn_to_now(char *text)
{
        char now[16], *p = strstr(text, "\"time_t\"");

        p = p ? strchr(p, ':') : NULL;
        for (p = p ? p + 1 : NULL; p && *p == ' '; p++)
                ;
        snprintf(now, sizeof(now), "%010lld", (long long)time(NULL));
        if (p && strspn(p, "0123456789") == 10)
                memcpy(p, now, 10);
}

static int canned(struct env *env UNUSED, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret)
{
        const uint8_t *end = memchr(answers.data, 0x1e, answers.size);
        size_t len = end ? (size_t)(end - answers.data) : answers.size, skip = len && *answers.data < ' ' && !isspace(*answers.data);
        int status = skip ? *answers.data : -1;
        char *out = malloc(len + 1);

        assert(out && argv[0] && argv[0][0] == '/' && deadline_s > 0);
        memcpy(out, answers.data + skip, len - skip);
        if (end) {
                answers.data += len + 1;
                answers.size -= len + 1;
        }
        len = MIN(len - skip, max_out);
        out[len] = '\0';
        if (status == 0x1f) {
                free(out);
                return -ETIME;
        }
        turn_to_now(out);
        *ret = (struct cmd_result){ .exit_status = status >= 0 ? status : own_status(out), .out = out, .out_len = len, .err_text = strdup("what it said") };
        return 0;
}

/* A disk of each kind, a controller, a pool, an array of btrfs. */
static void make_host(void)
{
        static const char *const files[][2] = {
                { "sys/block/sda/device/vendor", "SEAGATE \n" }, { "sys/block/sda/removable", "0\n" }, { "sys/block/sda/size", "1000\n" },
                { "sys/block/nvme0n1/device/transport", "pcie\n" }, { "sys/block/nvme0n1/size", "1000\n" },
                { "sys/block/sdb/device/vendor", "DELL    \n" }, { "sys/block/sdb/device/model", "PERC H710\n" },
                { "dev/sda", "" }, { "dev/nvme0", "" }, { "dev/zfs", "" }, { "sys/module/zfs/version", "2.1.11\n" },
                { "proc/spl/kstat/zfs/tank/state", "ONLINE\n" }, { "proc/mounts", "tank /srv zfs rw 0 0\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                fuzz_tree_entry(files[i][0], NULL, files[i][1], strlen(files[i][1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const names[] = { "smart", "smart-ata", "smart-raid", "zfs" };
        static struct env env;

        if (!env.root) {
                fuzz_env_init(&env);
                make_host();
                env.run_cmd = canned;
        }
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                answers.data = data;
                answers.size = size;
                env.wake = i & 1;
                fuzz_check(&env, check_by_name(names[i]));
        }
        return 0;
}
