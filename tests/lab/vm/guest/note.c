/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* note start|shutdown: what systemd-update-utmp(8) writes at the start and at the shutdown of a host, the same records in the
 * same files (it speaks with systemd, which a lab machine has not). */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmp.h>

static int append(const char *path, int flags, const struct utmp *record)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644), r = -1;

        if (fd >= 0)
                r = write(fd, record, sizeof(*record)) == sizeof(*record) && fsync(fd) == 0 ? 0 : -1;
        if (r < 0)
                perror(path);
        return r;
}

int main(int argc, char *argv[])
{
        int start = argc == 2 && strcmp(argv[1], "start") == 0;
        struct utmp record = { .ut_type = start ? BOOT_TIME : RUN_LVL };
        struct timeval now;

        if (!start && (argc != 2 || strcmp(argv[1], "shutdown") != 0)) {
                fprintf(stderr, "usage: note start|shutdown\n");
                return 2;
        }
        gettimeofday(&now, NULL);
        record.ut_tv.tv_sec = (int)now.tv_sec;
        record.ut_tv.tv_usec = (int)now.tv_usec;
        memcpy(record.ut_line, "~", 1);
        memcpy(record.ut_id, "~~", 2);
        memcpy(record.ut_user, start ? "reboot" : "shutdown", start ? 6 : 8);
        if (append(WTMP_FILE, O_APPEND, &record) < 0)
                return 1;
        return start && append(UTMP_FILE, O_TRUNC, &record) < 0;
}
