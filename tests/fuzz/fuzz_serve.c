/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-probe's side of its socket: it has privileges, and the brain may have been broken into. Any bytes as the request.
 * Whatever was asked: the answer is lines of the protocol, about instances that were asked for and can be told apart, of a
 * check that this socket serves; no file beside those of the check's own discovery is opened. Input: which socket (one
 * byte), the request. */

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>

#include "fuzz_env.h"
#include "probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_MAX (1 << 20)

static struct env env;

/* Programs are not started for a stranger's words; which ones the check asks for is known. */
static int watched(struct env *e UNUSED, const char *const argv[], int deadline_s UNUSED, size_t max_out UNUSED, struct cmd_result *ret UNUSED)
{
        static const char *const known[] = { "/usr/sbin/smartctl", "/sbin/zpool", "/usr/sbin/zpool" };

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (streq(argv[0], known[i]))
                        return -ENOENT;
        _exit(99); /* in a child: the parent tells "exit status 99" */
}

/* One of everything; and a file that nobody may ever be told of. */
static void make_host(void)
{
        static const char *const files[][2] = {
                { "sys/devices/system/edac/mc/mc0/ue_count", "3\n" }, { "sys/devices/system/edac/mc/mc0/ce_count", "4\n" },
                { "sys/block/sda/device/vendor", "SEAGATE \n" }, { "sys/block/sda/size", "1000\n" }, { "dev/sda", "" },
                { "sys/class/net/eth0/carrier", "1\n" }, { "sys/class/net/eth0/operstate", "up\n" }, { "proc/uptime", "1000.00 1.0\n" },
                { "proc/loadavg", "0.1 0.2 0.3 1/100 7\n" }, { "etc/secret", "CANARY\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                fuzz_tree_entry(files[i][0], NULL, files[i][1], strlen(files[i][1]));
}

static size_t distinct_instances(const json_t *request)
{
        json_t *names = json_object();
        const json_t *v;
        size_t i, n;

        json_array_foreach(json_object_get(request, "instances"), i, v)
                if (json_is_string(v))
                        json_object_set_new(names, json_string_value(v), json_null());
        n = json_object_size(names);
        json_decref(names);
        return n;
}

static bool was_asked(const json_t *request, const char *name)
{
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(request, "instances"), i, v)
                if (json_is_string(v) && streq(json_string_value(v), name))
                        return true;
        return false;
}

/* The one of several requests that names that check. */
static const json_t *request_of(const json_t *several, const char *check)
{
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(several, "requests"), i, v) {
                const char *name = json_string_value(json_object_get(v, "check"));

                if (name && check && streq(name, check))
                        return v;
        }
        return NULL;
}

static size_t most_ends(const json_t *request)
{
        const json_t *v, *list = json_object_get(request, "requests");
        size_t i, n = MAX(distinct_instances(request), 1u);

        json_array_foreach(list, i, v)
                n += MAX(distinct_instances(v), 1u);
        return n;
}

static void look_at_line(const json_t *request, const char *op, const char *line, size_t len, size_t *ret_ends)
{
        json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
        const char *type = json_string_value(json_object_get(o, "type")), *name = json_string_value(json_object_get(o, "instance"));

        assert(json_is_object(o) && (type || name));
        if (op && streq(op, "several")) {
                const char *check = json_string_value(json_object_get(o, "check"));

                request = request_of(request, check);
                assert(request || !check);
                op = json_string_value(json_object_get(request, "op"));
        }
        if (op && streq(op, "run") && name)
                assert(was_asked(request, name));
        if (type && streq(type, "end")) {
                const char *why = json_string_value(json_object_get(o, "why"));

                ++*ret_ends;
                /* A child that died; a name may say so, too. */
                assert(why && (!strstr(why, "the probe") || (name && strstr(name, "the probe"))));
        }
        json_decref(o);
}

static void look_at_answer(const uint8_t *data, size_t size, const char *answer, size_t len, int status)
{
        const uint8_t *nl = memchr(data, '\n', size);
        json_t *request = nl ? json_loadb((const char *)data, (size_t)(nl - data), JSON_REJECT_DUPLICATES, NULL) : NULL;
        const char *op = json_string_value(json_object_get(request, "op"));
        size_t ends = 0;

        assert((!memmem(answer, len, "CANARY", 6) || memmem(data, size, "CANARY", 6)) && (len == 0 || answer[len - 1] == '\n'));
        for (const char *p = answer, *end; p < answer + len; p = end + 1) {
                end = memchr(p, '\n', (size_t)(answer + len - p));
                look_at_line(request, op, p, (size_t)(end - p), &ends);
        }
        /* However often it was asked for: each once. */
        assert(ends <= most_ends(request));
        assert(status == 0 || status == 3);
        assert(status == 3 || json_is_object(request));
        json_decref(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char answer[ANSWER_MAX];
        enum privilege only = size ? (enum privilege)(*data % (PRIVILEGE_MAX + 1)) : PRIVILEGE_MAX;
        int in[2], out[2], status, big = ANSWER_MAX;
        size_t len = 0;
        ssize_t n;

        if (!env.root) {
                signal(SIGPIPE, SIG_IGN);
                fuzz_env_init(&env);
                env.run_cmd = watched;
                make_host();
        }
        if (size) {
                data++;
                size--;
        }
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0)
                abort();
        setsockopt(in[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
        setsockopt(out[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
        if (send(in[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && size)
                abort();
        shutdown(in[0], SHUT_WR);
        status = probe_serve(&env, in[1], out[1], only);
        shutdown(out[1], SHUT_WR);
        while (len < sizeof(answer) && (n = recv(out[0], answer + len, sizeof(answer) - len, 0)) > 0)
                len += (size_t)n;
        for (int i = 0; i < 2; i++) {
                close(in[i]);
                close(out[i]);
        }
        look_at_answer(data, size, answer, len, status);
        return 0;
}
