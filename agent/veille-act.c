/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-act: runs one hook, by its name, as root, and says what became of it. One process a request; started by systemd for each
 * connection to RUN/act.sock (veille-act.socket), or by the brain on a socket pair. Takes a word and a name, never a path or a
 * command. See veille-act(8). */

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "act.h"
#include "clean_text.h"
#include "common_clock.h"
#include "common_hook_file.h"
#include "options.h"
#include "utf8.h"

#define READ_US (10 * USEC_PER_SEC)

static const struct program program = {
        .name = "veille-act",
        .summary = "runs one hook of veille, by its name",
        .notes = "One request in JSON on standard input, one answer on standard output: see veille-act(8).\n"
                 "Hooks lie in /etc/veille/hooks.d and PREFIX/lib/veille/hooks, below --root.\n",
};

/* One line, or all there is; NULL with a sentence when it does not come, or is too long. The caller frees it. */
static char *read_request(size_t *ret_len, struct errinfo *err)
{
        int64_t until = clock_boot_us() + READ_US;
        char *text = malloc(ACT_REQUEST_MAX + 1), *nl = NULL;
        size_t len = 0;
        ssize_t r = 1;

        if (!text)
                abort();
        while (!nl && r > 0 && len < ACT_REQUEST_MAX) {
                struct pollfd p = { .fd = 0, .events = POLLIN };
                int64_t left = (until - clock_boot_us()) / USEC_PER_MSEC;

                if (left <= 0 || poll(&p, 1, (int)left) <= 0)
                        break;
                r = read(0, text + len, ACT_REQUEST_MAX - len);
                if (r < 0 && (errno == EINTR || errno == EAGAIN))
                        r = 1;
                else if (r > 0)
                        len += (size_t)r;
                nl = memchr(text, '\n', len);
        }
        if (!nl && r != 0) {
                err_set(err, -EINVAL, "no request of one line and at most %d bytes came within 10 s", ACT_REQUEST_MAX);
                free(text);
                return NULL;
        }
        *ret_len = nl ? (size_t)(nl - text) : len;
        return text;
}

static json_t *result_json(struct act_result *t)
{
        json_t *output;

        for (size_t i = 0; i < t->kept; i++)
                if (!t->output[i])
                        t->output[i] = ' ';
        utf8_clean(t->output);
        for (char *c = t->output; *c; c++) /* lines stay */
                if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
                        *c = ' ';
        output = utf8_json(t->output);
        return json_pack("{sb ss si si sf sI si si so}", "ok", 1, "outcome", t->outcome, "status", t->status, "signal", t->signal, "seconds", t->seconds,
                         "bytes", (json_int_t)t->bytes, "swept", (int)t->swept, "left", (int)t->left, "output", output);
}

/* NULL: err says why not. */
static json_t *act(const char *root, const struct act_request *q, struct errinfo *err)
{
        static struct act_result result; /* large */
        char path[4096], *env[ACT_ENV_MAX + 1];
        _cleanup_free_ char *input = NULL;
        size_t n;

        if (hook_file_find(root, q->hook, path, sizeof(path), err) < 0)
                return NULL;
        if (q->verb == ACT_LOOK)
                return json_pack("{sb ss}", "ok", 1, "path", path);
        if (geteuid() != 0) {
                err_set(err, -EPERM, "veille-act must be root to run hooks; systemd starts it so (veille-act.socket)");
                return NULL;
        }
        input = json_dumps(q->about, JSON_COMPACT | JSON_REAL_PRECISION(15));
        if (!input)
                abort();
        n = act_environment(q, env);
        act_run(path, env, input, q->deadline_s, &result);
        while (n > 0)
                free(env[--n]);
        fprintf(stderr, "veille-act: hook %s (%s): %s, exit status %d, signal %d, %.1f s, %llu bytes of output\n", q->hook, path, result.outcome,
                result.status, result.signal, result.seconds, (unsigned long long)result.bytes);
        return result_json(&result);
}

static int answer(json_t *doc, const struct errinfo *err)
{
        _cleanup_free_ char *text = NULL;

        if (!doc)
                doc = json_pack("{sb so}", "ok", 0, "error", utf8_json(err->text));
        text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(6));
        json_decref(doc);
        if (!text)
                return 1;
        printf("%s\n", text);
        return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char *argv[])
{
        struct common_options common = COMMON_OPTIONS_DEFAULT;
        struct act_request request = { 0 };
        struct errinfo err = { 0 };
        json_t *doc = NULL;
        size_t len = 0;
        char *text;
        int r = program_start(&program, &common, NULL, &argc, argv, stdout, stderr);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        umask(0022);
        signal(SIGPIPE, SIG_IGN);
        text = read_request(&len, &err);
        if (text && act_request_read(text, len, &request, &err) == 0)
                doc = act(common.root, &request, &err);
        free(text);
        r = answer(doc, &err);
        act_request_done(&request);
        return r;
}
