/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The identity of disks, from sysfs alone: no device is opened, so no sleeping disk wakes and none can hang us. */

#include "disk_id.h"

#include <ctype.h>
#include <fcntl.h>
#include <strings.h>

/* Where identities are, best first. */
static const char *const id_files[] = {
        "device/wwid", /* SCSI, ATA: "naa.5000c500a1b2c3d4", "t10.ATA     MODEL     SERIAL" */
        "wwid",        /* NVMe: "eui.0025385b71b0a5d1", "uuid.…", "nvme.144d-…" */
        "device/serial",
        "serial", /* virtio */
        "device/cid", /* SD and eMMC */
};

static void lower(char *s)
{
        for (; *s; s++)
                *s = (char)tolower((unsigned char)*s);
}

/* Into buf without the kind of identity in front; false for what identifies nothing. */
static bool clean_id(char *raw, char *buf, size_t size)
{
        static const char *const kinds[] = { "naa.", "eui.", "uuid.", "0x" };
        const char *id = raw;
        size_t n;

        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (strncasecmp(raw, kinds[i], strlen(kinds[i])) == 0) {
                        id = raw + strlen(kinds[i]);
                        lower(raw);
                        break;
                }
        if (str_starts(raw, "t10.")) { /* vendor, model and serial in columns: the serial is last */
                const char *space = strrchr(raw, ' ');

                id = space ? space + 1 : raw + 4;
        }
        n = strlen(id);
        if (n == 0 || n >= size || strspn(id, "0 ") == n)
                return false;
        for (size_t i = 0; i < n; i++)
                buf[i] = id[i] > ' ' && id[i] < 127 ? id[i] : '_';
        buf[n] = '\0';
        return true;
}

/* Its first byte is 0, so env_read() would refuse it. Serial numbers come padded and sometimes with bytes nobody can type: what stays
 * is letters, digits and a few signs. */
int disk_vpd_serial(struct env *env, const char *name, char *buf, size_t size)
{
        char path[128], page[256], *out = page + 4;
        _cleanup_close_ int fd = -1;
        ssize_t n;

        snprintf(path, sizeof(path), "sys/block/%.64s/device/vpd_pg80", name);
        fd = openat(env->root_fd, path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, page, sizeof(page) - 1);
        if (n <= 4)
                return -ENOENT;
        page[n] = '\0';
        for (const char *p = page + 4; *p; p++)
                if (isalnum((unsigned char)*p) || strchr("._:+-", *p))
                        *out++ = *p;
        *out = '\0';
        if (!page[4] || strlen(page + 4) >= size)
                return -ENOENT;
        strcpy(buf, page + 4);
        return (int)strlen(buf);
}

int disk_id(struct env *env, const char *name, char *buf, size_t size)
{
        char raw[256];

        assert(size > 0);
        for (size_t i = 0; i < ARRAY_LEN(id_files); i++)
                if (env_read(env, raw, sizeof(raw), "sys/block/%s/%s", name, id_files[i]) > 0 && clean_id(raw, buf, size))
                        return (int)strlen(buf);
        buf[0] = '\0';
        /* A SCSI disk without a name of its own for the whole world. */
        return disk_vpd_serial(env, name, buf, size);
}

bool disk_is_real(struct env *env, const char *name)
{
        static const char *const others[] = { "loop", "ram", "zram", "fd", "sr", "dm-", "md", "nbd" };
        int64_t v;

        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
                const char *rest = name + strlen(others[i]);

                /* "fd0", "md127", "md_home": but a driver may well call its disk "mdx". */
                if (str_starts(name, others[i]) && (isdigit((unsigned char)*rest) || *rest == '_'))
                        return false;
        }
        if (strchr(name, '/') || !env_exists(env, "sys/block/%s/device", name))
                return false;
        /* The legs of a multipath NVMe disk, which is there under its own name. */
        if (env_read_i64(env, &v, "sys/block/%s/hidden", name) == 0 && v)
                return false;
        return env_read_i64(env, &v, "sys/block/%s/size", name) < 0 || v > 0;
}

int disk_list(struct env *env, char ***ret)
{
        char **names;
        size_t n = 0;
        int r = env_list_dir(env, &names, "sys/block");

        if (r < 0)
                return r;
        for (size_t i = 0; names[i]; i++) {
                if (disk_is_real(env, names[i]))
                        names[n++] = names[i];
                else
                        free(names[i]);
        }
        names[n] = NULL;
        *ret = names;
        return 0;
}
