/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Does the heap of the brain grow? veilled itself (its main(), loop, links and judge; veilled.c is included, the rest linked) runs
 * with a clock that jumps to the next timer as soon as the brain has nothing to do, so that a week takes minutes. While it
 * waits for a probe or for the store, time stands still: no deadline passes that would not pass in real life.
 *
 * Its probe is this very program, which plays back what the real veille-probe answered on the made-up host (POLLS_DIR/CHECK.list
 * and CHECK.run, recorded by tests/bench/polls), with values that move, counters that count, and now and then an instance
 * that fails, dies in the middle, or is gone for a discovery. Its store is a child that confirms.
 *
 * brain_polls POLLS RUN: prints a line for each of 50 parts: polls, days, least bytes in use in that part (mallinfo2), bytes the
 * heap has from the kernel, private dirty KiB, series, windows of rules and components. */

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

static int polls_loop(void *brain);
int veilled_main(int argc, char *argv[]);
#define main veilled_main
#define sd_event_loop(event) polls_loop(b)
#include "../../agent/veilled.c"
#undef sd_event_loop
#undef main

#define PARTS 50
#define TIMERS_MAX 16
#define HANG_MS 20000 /* real time: then something is wrong here, and time goes on */

static uint64_t wanted;
static struct brain *the_brain;
static bool store_owes; /* a sync has been sent and not been confirmed */

/* --- time -------------------------------------------------------------------------------------------------- */

static int64_t skipped_us; /* how far our clocks are ahead of the real ones */

static struct timer {
        int fd;
        clockid_t clock;
        int64_t until_us; /* 0: not armed */
} timers[TIMERS_MAX];

static int64_t real_us(clockid_t id)
{
        struct timespec ts;

        syscall(SYS_clock_gettime, id, &ts);
        return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

/* In place of the C library's, for libsystemd too. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
        int64_t now;

        if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC && id != CLOCK_BOOTTIME)
                return (int)syscall(SYS_clock_gettime, id, ts);
        now = real_us(id) + skipped_us;
        *ts = (struct timespec){ .tv_sec = now / USEC_PER_SEC, .tv_nsec = now % USEC_PER_SEC * 1000 };
        return 0;
}

int timerfd_create(int clock, int flags)
{
        int fd = (int)syscall(SYS_timerfd_create, clock, flags);

        for (size_t i = 0; fd >= 0 && i < TIMERS_MAX; i++)
                if (timers[i].fd == 0) {
                        timers[i] = (struct timer){ .fd = fd, .clock = clock };
                        break;
                }
        return fd;
}

/* Noted, not armed: the loop looks at its clocks itself whenever it wakes. */
int timerfd_settime(int fd, int flags UNUSED, const struct itimerspec *new_value, struct itimerspec *old_value UNUSED)
{
        for (size_t i = 0; i < TIMERS_MAX; i++)
                if (timers[i].fd == fd)
                        timers[i].until_us = (int64_t)new_value->it_value.tv_sec * USEC_PER_SEC + new_value->it_value.tv_nsec / 1000;
        return 0;
}

static void skip_to_next_timer(void)
{
        int64_t least = INT64_MAX;

        for (size_t i = 0; i < TIMERS_MAX; i++)
                if (timers[i].fd && timers[i].until_us)
                        least = MIN(least, timers[i].until_us - real_us(timers[i].clock) - skipped_us);
        if (least != INT64_MAX && least > 0)
                skipped_us += least + 1;
}

static bool probes_under_way(void)
{
        return probe_requests_active(false, INT64_MAX) + probe_requests_active(true, INT64_MAX) > 0;
}

static bool waits_for_somebody(void)
{
        return store_owes || (the_brain && probes_under_way());
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
        int n = (int)syscall(SYS_epoll_pwait, fd, events, max, 0, NULL, 8);

        if (n != 0 || timeout == 0)
                return n;
        if (!the_brain) /* the catalogue is on its way */
                return (int)syscall(SYS_epoll_pwait, fd, events, max, 100, NULL, 8);
        if (waits_for_somebody()) {
                n = (int)syscall(SYS_epoll_pwait, fd, events, max, HANG_MS, NULL, 8);
                if (n != 0)
                        return n;
                fprintf(stderr, "brain_polls: nobody answered for %d s\n", HANG_MS / 1000);
                store_owes = false;
        }
        skip_to_next_timer();
        return 0;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
        ssize_t n = sendto(fd, data, len, flags, NULL, 0);

        if (n > 0 && memmem(data, (size_t)n, "\"t\":\"sync\"", 10))
                store_owes = true;
        return n;
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
        ssize_t n = recvfrom(fd, data, len, flags, NULL, NULL);

        if (n > 0 && memmem(data, (size_t)n, "\"t\":\"ack\"", 9))
                store_owes = false;
        return n;
}

/* --- what is measured ---------------------------------------------------------------------------------------- */

struct part {
        size_t least_used, heap;
};

static size_t private_dirty_kib(void)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/smaps_rollup", "re");
        char line[256];
        size_t kib = 0;

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "Private_Dirty: %zu", &kib) == 1)
                        break;
        return kib;
}

static void print_part(struct brain *b, const struct part *part, int64_t begin_us)
{
        size_t series = 0, windows = 0, components = 0, fds = 0;

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                series += i->n_series;
                for (size_t k = 0; k < i->n_series; k++)
                        for (unsigned r = 0; r < i->series[k].n_rules; r++)
                                windows += i->series[k].rules[r].state.window != NULL;
        }
        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next)
                components++;
        for (int fd = 0; fd < 1024; fd++)
                fds += fcntl(fd, F_GETFD) >= 0;
        printf("{\"polls\":%" PRIu64 ",\"days\":%.3f,\"used\":%zu,\"heap\":%zu,\"private_dirty_kib\":%zu,\"series\":%zu,\"windows\":%zu,\"components\":%zu,"
               "\"fds\":%zu,\"events\":%" PRIu64 ",\"spawns\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"bad_lines\":%" PRIu64 ",\"timeouts\":%" PRIu64 "}\n",
               b->counters.runs, (double)(brain_now_us() - begin_us) / USEC_PER_SEC / 86400, part->least_used, part->heap, private_dirty_kib(), series,
               windows, components, fds, b->counters.events, b->counters.spawns, b->counters.dropped_store_lines, b->counters.bad_lines,
               b->counters.timeouts);
        fflush(stdout);
}

/* Only between requests: what one takes while it runs is not growth. */
static bool look(struct part *part)
{
        struct mallinfo2 m;

        if (probes_under_way())
                return false;
        m = mallinfo2();
        part->least_used = MIN(part->least_used, m.uordblks + m.hblkhd);
        part->heap = m.arena + m.hblkhd;
        return true;
}

static int polls_loop(void *brain)
{
        struct brain *b = the_brain = brain;
        int64_t begin_us = brain_now_us();
        int r = 0;

        for (int p = 1; p <= PARTS && r >= 0; p++) {
                struct part part = { .least_used = SIZE_MAX };
                uint64_t last = b->counters.runs;

                while (b->counters.runs < wanted / PARTS * (uint64_t)p && r >= 0) {
                        r = sd_event_run(b->event, UINT64_MAX);
                        if (b->counters.runs - last >= 50 && look(&part))
                                last = b->counters.runs;
                }
                print_part(b, &part, begin_us);
        }
        return MIN(r, 0);
}

/* --- the store -------------------------------------------------------------------------------------------------- */

static void store_talk(FILE *in, int fd)
{
        char *line = NULL;
        size_t size = 0;

        while (getline(&line, &size, in) > 0) {
                const char *seq = strstr(line, "\"seq\":");

                if (strstr(line, "\"t\":\"load\""))
                        dprintf(fd, "{\"t\":\"loaded\"}\n");
                else if (strstr(line, "\"t\":\"sync\"") && seq)
                        dprintf(fd, "{\"t\":\"ack\",\"seq\":%lld}\n", atoll(seq + 6));
        }
        free(line);
}

static int start_store(const char *run, pid_t *ret)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(sa.sun_path, sizeof(sa.sun_path), "%.90s/store.sock", run);
        if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 4) < 0)
                return neg_errno();
        *ret = fork();
        if (*ret == 0)
                for (;;) {
                        int client = accept(fd, NULL, NULL);
                        FILE *in = client < 0 ? NULL : fdopen(client, "r");

                        if (!in)
                                _exit(0);
                        store_talk(in, client);
                        fclose(in);
                }
        close(fd);
        return *ret < 0 ? neg_errno() : 0;
}

/* --- the probe ----------------------------------------------------------------------------------------------- */

static uint64_t dice_state;

static bool one_in(uint64_t n)
{
        dice_state ^= dice_state << 13;
        dice_state ^= dice_state >> 7;
        dice_state ^= dice_state << 17;
        return dice_state % n == 0;
}

/* Gauges move, counters count, what is 0 or 1 stays. Done in the text: this program must not cost more than the brain. */
static void print_moved(const char *line, const char *value)
{
        const char *metric = strstr(line, "\"metric\":\"");
        size_t len = metric ? strcspn(metric + 10, "\"") : 0;
        char *end;
        double v = strtod(value, &end);

        if (len > 6 && strncmp(metric + 10 + len - 6, "_total", 6) == 0)
                v += (double)(real_us(CLOCK_REALTIME) / USEC_PER_SEC % 100000) * one_in(2);
        else if (v > 1)
                v = round(v * (one_in(20000) ? 3 : one_in(2) ? 1.01 : 0.99) * 100) / 100;
        printf("%.*s%.15g%s", (int)(value - line), line, v, end);
}

static bool asked_for(const json_t *request, const char *name)
{
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(request, "instances"), i, v)
                if (streq(json_string_value(v), name))
                        return true;
        return false;
}

/* "instance" is the last member of every line. */
static bool take_name(const char *line, char *name, size_t size)
{
        const char *last = NULL, *p = line;

        while ((p = strstr(p, "\"instance\":\"")))
                last = p += 12;
        if (!last)
                return false;
        snprintf(name, size, "%.*s", (int)strcspn(last, "\""), last);
        return true;
}

static void play_run(const json_t *request, FILE *f)
{
        char *line = NULL, name[256], sick[256] = "", last[256] = "";
        bool asked = false;
        size_t size = 0;

        while (getline(&line, &size, f) > 0) {
                const char *value = strstr(line, "\"value\":");

                if (!take_name(line, name, sizeof(name)))
                        continue;
                if (!streq(name, last)) {
                        strcpy(last, name);
                        asked = asked_for(request, name);
                        if (asked && one_in(3000))
                                strcpy(sick, name);
                }
                if (!asked)
                        continue;
                if (one_in(300000)) /* in the middle of it */
                        _exit(1);
                if (value)
                        print_moved(line, value + 8);
                else if (streq(sick, name))
                        printf("{\"type\":\"end\",\"result\":\"failed\",\"why\":\"%.60s: input/output error %d\",\"instance\":\"%s\"}\n", name,
                               (int)(dice_state % 1000), name);
                else
                        fputs(line, stdout);
        }
        free(line);
}

/* Without one now and then, as when a device is taken out and put back. */
static void play_list(FILE *f)
{
        char *text = NULL;
        size_t size = 0;

        while (getline(&text, &size, f) > 0)
                if (!strstr(text, "\"instance\"") || !one_in(3000))
                        fputs(text, stdout);
        free(text);
}

static int play(const json_t *request)
{
        const char *check = json_string_value(json_object_get(request, "check"));
        bool list = streq(json_string_value(json_object_get(request, "op")), "list");
        _cleanup_fclose_ FILE *f = NULL;
        char path[512];

        snprintf(path, sizeof(path), "%s/%s.%s", getenv("POLLS_DIR"), check, list ? "list" : "run");
        f = fopen(path, "re");
        if (!f)
                return 3;
        if (list)
                play_list(f);
        else
                play_run(request, f);
        return fflush(stdout) == 0 ? 0 : 3;
}

/* As veille-probe relays them: the name of the check in front, and when one is over. */
static int play_several(const json_t *requests)
{
        FILE *real = stdout;
        const json_t *v;
        size_t i;

        json_array_foreach(requests, i, v) {
                const char *check = json_string_value(json_object_get(v, "check"));
                char *text = NULL, *line, *rest;
                size_t size = 0;
                int r;

                stdout = open_memstream(&text, &size);
                if (!stdout)
                        return 3;
                r = play(v);
                fclose(stdout);
                stdout = real;
                for (rest = text; (line = strsep(&rest, "\n"));)
                        if (*line == '{')
                                printf("{\"check\":\"%s\",%s\n", check, line + 1);
                free(text);
                if (r != 0)
                        return r;
                printf("{\"check\":\"%s\",\"type\":\"over\"}\n", check);
        }
        return fflush(stdout) == 0 ? 0 : 3;
}

static int probe_main(void)
{
        char *text = NULL;
        json_t *request, *several;
        size_t size = 0;

        dice_state = (uint64_t)real_us(CLOCK_REALTIME) * 2654435761u ^ (uint64_t)getpid() << 32;
        dice_state |= 1;
        if (getline(&text, &size, stdin) <= 0)
                return 3;
        request = json_loads(text, 0, NULL);
        several = json_object_get(request, "requests");
        return several ? play_several(several) : play(request);
}

static bool has_word(char *argv[], const char *word)
{
        while (*argv)
                if (streq(*argv++, word))
                        return true;
        return false;
}

int main(int argc, char *argv[])
{
        char self[] = "/proc/self/exe", config[128];
        char *as_brain[] = { (char *)"veilled", (char *)"--probe", self, (char *)"--config", config, (char *)"--run", NULL, NULL };
        pid_t store = 0;
        int r;

        if (has_word(argv, "serve"))
                return probe_main();
        if (has_word(argv, "catalog")) {
                execl(getenv("POLLS_PROBE"), "veille-probe", "catalog", NULL);
                return 3;
        }
        if (argc != 3 || !getenv("POLLS_DIR") || !getenv("POLLS_PROBE")) {
                fprintf(stderr, "brain_polls: started by tests/bench/polls\n");
                return 3;
        }
        wanted = strtoull(argv[1], NULL, 10);
        as_brain[6] = argv[2];
        snprintf(config, sizeof(config), "%.100s/veille.conf", argv[2]);
        r = start_store(argv[2], &store);
        if (r < 0) {
                fprintf(stderr, "brain_polls: %s/store.sock: %s\n", argv[2], strerror(-r));
                return 3;
        }
        r = veilled_main(7, as_brain);
        kill(store, SIGKILL);
        waitpid(store, NULL, 0);
        return r;
}
