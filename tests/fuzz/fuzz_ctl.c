/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl over whatever stands in RUN/status.json and whatever veille-store answers. What it prints goes to a terminal of
 * root: no byte of it may be a command to that terminal. Input: which commands (one byte); status.json, where "time_boot":NOW
 * is of this moment; 0x1e; the answers. */

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ctl.h"
#include "fuzz_web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS_MAX 6

static const struct {
        bool asks_store;
        const char *argv[ARGS_MAX];
        int exits; /* all that it may exit with, as a mask */
} commands[] = {
        { false, { "status" }, 0xf },
        { false, { "status", "--all" }, 0xf },
        { false, { "status", "--json" }, 0xf },
        { false, { "why", "@" }, 0xf },
        { false, { "checks" }, 0x9 },
        { false, { "check", "--nagios" }, 0xf },
        { false, { "selftest" }, 0xf },
        { true, { "history", "sda" }, 0x9 },
        { true, { "history", "sda", "temperature" }, 0x9 },
        { true, { "history", "--json", "sda", "disk_temperature_celsius" }, 0x9 },
        { true, { "history", "--csv", "sda" }, 0x9 },
        { true, { "history", "--since", "@1699900000", "--until", "@1700100000", "sda" }, 0x9 },
        { true, { "events" }, 0x9 },
        { true, { "events", "--json", "sda" }, 0x9 },
};

/* --- the store -------------------------------------------------------------------------------------- */

static struct {
        int listener;
        pthread_mutex_t lock; /* of what follows */
        uint8_t answer[16384];
        size_t size;
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Says all it has to say to each who comes, unasked. */
static void *store_thread(void *data UNUSED)
{
        for (;;) {
                static uint8_t answer[sizeof(store.answer)];
                int fd = accept4(store.listener, NULL, NULL, SOCK_CLOEXEC);
                size_t sent = 0, size;
                char away[4096];

                if (fd < 0)
                        abort();
                pthread_mutex_lock(&store.lock);
                size = store.size;
                memcpy(answer, store.answer, size);
                pthread_mutex_unlock(&store.lock);
                while (sent < size) {
                        ssize_t n = send(fd, answer + sent, size - sent, MSG_NOSIGNAL);

                        if (n <= 0)
                                break;
                        sent += (size_t)n;
                }
                shutdown(fd, SHUT_WR);
                while (recv(fd, away, sizeof(away), 0) > 0)
                        ;
                close(fd);
        }
        return NULL;
}

static void store_start(void)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        pthread_t thread;

        snprintf(sa.sun_path, sizeof(sa.sun_path), "%.47s/store.sock", fuzz_run);
        store.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (store.listener < 0 || bind(store.listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(store.listener, 4) < 0 ||
            pthread_create(&thread, NULL, store_thread, NULL) != 0)
                abort();
        pthread_detach(thread);
}

/* --- what is printed ---------------------------------------------------------------------------------- */

/* UTF-8 without control characters, neither those below the blank nor U+0080 to U+009F. */
static void look_at_output(const char *text, size_t len)
{
        json_t *utf8 = json_stringn(text, len);

        if (!utf8) {
                fprintf(stderr, "not UTF-8: %.*s\n", (int)len, text);
                abort();
        }
        json_decref(utf8);
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i], next = i + 1 < len ? (unsigned char)text[i + 1] : 0;

                if ((c < ' ' && c != '\n') || c == 0x7f || (c == 0xc2 && next < 0xa0)) {
                        fprintf(stderr, "a control character at %zu of: %.*s\n", i, (int)len, text);
                        abort();
                }
        }
}

static void run(const char *const words[ARGS_MAX], const char *component, int exits)
{
        struct common_options options = { .root = "/", .config = "/nonexistent/veille.conf", .state = fuzz_run, .run = fuzz_run };
        FILE *real_out = stdout, *real_err = stderr;
        char *argv[ARGS_MAX + 1] = { 0 }, *mine[ARGS_MAX], *text = NULL; /* what is taken out of argv is still ours */
        size_t len = 0;
        int argc = 0, n, status;

        for (; argc < ARGS_MAX && words[argc]; argc++)
                argv[argc] = mine[argc] = strdup(streq(words[argc], "@") ? component : words[argc]);
        n = argc;
        fflush(stdout);
        stdout = stderr = open_memstream(&text, &len);
        if (!stdout)
                abort();
        status = ctl_command_by_name(words[0])->run(&options, argc, argv);
        fclose(stdout);
        stdout = real_out;
        stderr = real_err;
        assert(status >= 0 && status < 4 && exits & 1 << status);
        assert(len > 0);
        look_at_output(text, len);
        free(text);
        while (n > 0)
                free(mine[--n]);
}

/* What to ask why for. */
static void first_component(const char *data, size_t size, char *buf, size_t buf_size)
{
        json_t *doc = json_loadb(data, size, 0, NULL);
        const char *name = json_string_value(json_object_get(json_array_get(json_object_get(doc, "components"), 0), "component"));

        snprintf(buf, buf_size, "%s", name ? name : "sda");
        json_decref(doc);
}

static void write_status(const uint8_t *data, size_t size, char *component, size_t component_size)
{
        static const char mark[] = "\"time_boot\":NOW";
        const uint8_t *at = memmem(data, size, mark, strlen(mark));
        size_t head = at ? (size_t)(at - data) + strlen(mark) - 3 : size;
        char *text = malloc(size + 32);
        int n = 0;

        assert(text);
        memcpy(text, data, head);
        if (at) {
                n = sprintf(text + head, "%.3f", web_boot());
                memcpy(text + head + n, data + head + 3, size - head - 3);
                n -= 3;
        }
        fuzz_web_file("status.json", text, (size_t)((ssize_t)size + n));
        first_component(text, (size_t)((ssize_t)size + n), component, component_size);
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t which = size ? *data : 0;
        const uint8_t *end;
        char component[256];
        size_t len;
        struct web w;

        if (!store.listener) {
                fuzz_web_init(&w); /* RUN */
                store_start();
        }
        if (size) {
                data++;
                size--;
        }
        end = memchr(data, 0x1e, size);
        len = end ? (size_t)(end - data) : size;
        write_status(data, len, component, sizeof(component));
        pthread_mutex_lock(&store.lock);
        store.size = MIN(size - MIN(len + 1, size), sizeof(store.answer));
        memcpy(store.answer, data + MIN(len + 1, size), store.size);
        pthread_mutex_unlock(&store.lock);
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
                /* Half of the input is in vain for each. */
                if (commands[i].asks_store == (which & 1))
                        run(commands[i].argv, component, commands[i].exits);
        }
        return 0;
}
