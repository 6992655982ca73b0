/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The kernel log as it comes: standard input is /dev/kmsg (opened by whoever started us, so no right is needed).
 * Each event is counted for the component it names, at the time the kernel gives, and judged at once by the rules of
 * the check kernel. Records from before we began are evidence too; those a former brain has counted are skipped
 * (RUN/kmsg.seq). */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "brain.h"
#include "kmsg.h"

#define RECORDS_AT_ONCE 256 /* then the loop gets its turn */
#define METRIC "kernel_events_total"

struct brain_kmsg {
        struct brain *b;
        sd_event_source *io;
        uint64_t done_seq, saved_seq; /* the next record not counted yet */
        char boot_id[40];             /* records of each boot are numbered from 0; "": not known */
};

static void seq_path(const struct brain *b, char *buf, size_t size)
{
        snprintf(buf, size, "%s/kmsg.seq", b->options.run);
}

static uint64_t load_seq(const struct brain *b)
{
        _cleanup_fclose_ FILE *f = NULL;
        unsigned long long seq = 0;
        char path[256];

        seq_path(b, path, sizeof(path));
        f = fopen(path, "re");
        return f && fscanf(f, "%llu", &seq) == 1 ? seq : 0;
}

static void load_boot_id(struct brain_kmsg *k)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

        if (!f || fscanf(f, "%36[0-9a-f-]", k->boot_id) != 1)
                k->boot_id[0] = '\0';
        /* cppcheck-suppress resourceLeak ; closed by its attribute */
}

static void save_seq(struct brain_kmsg *k)
{
        char path[256], tmp[264];
        FILE *f;

        if (k->done_seq == k->saved_seq)
                return;
        seq_path(k->b, path, sizeof(path));
        snprintf(tmp, sizeof(tmp), "%s.tmp", path);
        f = fopen(tmp, "we");
        if (!f)
                return;
        fprintf(f, "%llu\n", (unsigned long long)k->done_seq);
        if (fclose(f) == 0 && rename(tmp, path) == 0)
                k->saved_seq = k->done_seq;
}

/* The disk that an event names by ata port, SCSI or PCI address: the one whose link in /sys/block runs through it. */
static bool find_block(const struct brain *b, const struct kmsg_event *e, char *buf, size_t size)
{
        _cleanup_closedir_ DIR *dir = NULL;
        char path[512], target[1024];
        const struct dirent *entry;

        snprintf(path, sizeof(path), "%s/sys/block", streq(b->options.root, "/") ? "" : b->options.root);
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

                if (n <= 0)
                        continue;
                target[n] = '\0';
                if (kmsg_is_on_path(e, entry->d_name, target)) {
                        snprintf(buf, size, "%s", entry->d_name);
                        return true;
                }
        }
        return false;
}

static void component_of(const struct brain *b, const struct kmsg_event *e, const struct kmsg_kind_info *info, char *buf, size_t size)
{
        snprintf(buf, size, "%s", e->device[0] ? e->device : "host");
        switch (info->part) {
        case KMSG_PART_DISK:
        case KMSG_PART_FILESYSTEM:
                find_block(b, e, buf, size);
                break;
        case KMSG_PART_MEMORY:
                if (e->member[0])
                        snprintf(buf, size, "%s", e->member);
                break;
        case KMSG_PART_HOST:
                snprintf(buf, size, "host");
                break;
        default:
                break;
        }
}

/* A loop or memory device that is no longer set up was taken away by whoever made it. That it had errors is
 * history; a disk that is no longer there may be gone because of them. */
static bool was_taken_away(const struct brain *b, const struct kmsg_event *e)
{
        static const struct {
                const char *prefix, *file;
        } made[] = { { "loop", "loop/backing_file" }, { "zram", "disksize" }, { "ram", "size" } };
        const char *root = streq(b->options.root, "/") ? "" : b->options.root;

        for (size_t i = 0; i < ARRAY_LEN(made); i++) {
                size_t n = strlen(made[i].prefix), digits;
                char path[512];

                if (!str_starts(e->device, made[i].prefix))
                        continue;
                digits = strspn(e->device + n, "0123456789");
                if (digits == 0)
                        continue;
                snprintf(path, sizeof(path), "%s/sys/block/%.*s/%s", root, (int)(n + digits), e->device, made[i].file);
                return access(path, F_OK) < 0;
        }
        return false;
}

/* The kernel's stamps count from boot without the time spent asleep; all our times count with it. */
static int64_t age_of(const struct kmsg_event *e)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return e->time_us < 0 ? 0 : MAX((int64_t)(ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000 - e->time_us), 0);
}

static struct judge_instance *pushed(struct brain *b, const struct check_desc *check)
{
        return judge_pushed(b->judge, check, "kmsg", "host", "host", brain_now_us());
}

static void count_event(struct brain_kmsg *k, const struct kmsg_event *e)
{
        static const char *const kinds[KMSG_PART_MAX] = {
                [KMSG_PART_DISK] = "disk",     [KMSG_PART_ARRAY] = "array", [KMSG_PART_FILESYSTEM] = "filesystem",
                [KMSG_PART_MEMORY] = "memory", [KMSG_PART_PCI] = "pci",     [KMSG_PART_NET] = "net",
                [KMSG_PART_HOST] = "host",
        };
        const struct kmsg_kind_info *info = kmsg_kind_info(e->kind);
        const struct check_desc *check = judge_check(k->b->judge, "kernel");
        int64_t age = age_of(e);
        char component[96];

        component_of(k->b, e, info, component, sizeof(component));
        if (e->kind != KMSG_LINK_UP) {
                const char *const fields[] = { "MESSAGE_ID", LOG_ID_KERNEL, "VEILLE_COMPONENT", component, "VEILLE_EVENT", info->name, NULL };

                char id[64];

                /* A brain that was killed before it could write kmsg.seq reads the record once more. */
                snprintf(id, sizeof(id), "kmsg-%.36s-%llu", k->boot_id, (unsigned long long)(k->done_seq - 1));
                brain_store_event(k->b, k->boot_id[0] ? id : NULL, brain_wall_us() - age, component, "kernel", LEVEL_OK, info->name, e->text);
                brain_log_fields(k->b, BRAIN_NOTICE, fields, "%s: kernel says %s: %s", component, info->name, e->text);
        }
        if (check && !was_taken_away(k->b, e)) {
                const char *const labels[] = { "kind", info->name, "device", e->device, "component", component,
                                               "component_kind", kinds[info->part], NULL };

                for (unsigned n = 0; n < MIN(e->count, 1000u); n++)
                        judge_count(k->b->judge, pushed(k->b, check), METRIC, labels, brain_now_us() - age);
        }
        if (info->check)
                brain_sched_hurry(k->b, info->check, LOOK_AGAIN);
}

static int on_io(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct brain_kmsg *k = data;
        const struct check_desc *check = judge_check(k->b->judge, "kernel");
        char buf[KMSG_RECORD_MAX];
        bool more = true;

        for (int i = 0; i < RECORDS_AT_ONCE; i++) {
                struct kmsg_record record;
                struct kmsg_event event;
                ssize_t n = read(fd, buf, sizeof(buf));

                if (n < 0 && errno == EPIPE) /* the ring ran over us: what was lost is lost, the checks still poll */
                        continue;
                if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                        more = false;
                        break;
                }
                if (n <= 0) {
                        more = false;
                        brain_self(k->b, "kernel log", VERDICT_FAILED, "the kernel log cannot be read any more: %s",
                                   n < 0 ? strerror(errno) : "it ended");
                        k->io = sd_event_source_disable_unref(k->io);
                        break;
                }
                if (kmsg_parse_record(buf, (size_t)n, &record) < 0 || record.seq < k->done_seq)
                        continue;
                k->done_seq = record.seq + 1;
                if (kmsg_classify(&record, &event) && !event.detail)
                        count_event(k, &event);
        }
        /* Judged when all is known that has happened so far: of old records some have left their windows. */
        if (!more && check)
                judge_counted(k->b->judge, pushed(k->b, check), brain_now_us());
        save_seq(k);
        return 0;
}

static bool is_kmsg(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 11);
}

void brain_kmsg_reload(struct brain *b)
{
        const struct check_desc *check = judge_check(b->judge, "kernel");

        if (b->kmsg && check)
                pushed(b, check);
}

int brain_kmsg_start(struct brain *b)
{
        struct brain_kmsg *k = b->kmsg = calloc(1, sizeof(*k));

        if (!k)
                abort();
        k->b = b;
        if (!is_kmsg(STDIN_FILENO)) {
                brain_log(b, BRAIN_NOTICE, "standard input is not /dev/kmsg: kernel messages are not judged, see veilled --help");
                return 0;
        }
        fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
        k->done_seq = k->saved_seq = load_seq(b);
        load_boot_id(k);
        brain_kmsg_reload(b);
        return sd_event_add_io(b->event, &k->io, STDIN_FILENO, EPOLLIN, on_io, k);
}

void brain_kmsg_stop(struct brain *b)
{
        if (!b->kmsg)
                return;
        sd_event_source_disable_unref(b->kmsg->io);
        free(b->kmsg);
        b->kmsg = NULL;
}
