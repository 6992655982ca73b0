/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common_clock.h"
#include "common_file.h"
#include "common_jsonl.h"
#include "common_socket.h"
#include "test.h"

/* A pair: [0] is read through struct jsonl, [1] is the stranger. */
static int pair(struct jsonl *j, size_t in_max, size_t out_max)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        jsonl_init(j, fds[0], in_max, out_max);
        return fds[1];
}

static void say(int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void lines_in_pieces_and_rubbish_between(void **state UNUSED)
{
        static const struct {
                const char *sent;
                int results[4]; /* of jsonl_next, the last is 0 */
        } rows[] = {
                { "{\"a\":", { 0 } },
                { "1}\n", { 1, 0 } },
                { "{}\n\n \r\n{\"b\":2}\n", { 1, 1, 0 } },
                { "nonsense\n{}\n", { -EBADMSG, 1, 0 } },
                { "[1]\n", { -EBADMSG, 0 } },
                { "{\"a\":1,\"a\":2}\n", { -EBADMSG, 0 } },
                { "\xff\xfe\n{}\n", { -EBADMSG, 1, 0 } },
                { "{} {}\n", { -EBADMSG, 0 } },
                { "0123456789012345678901234567890123456789", { -EMSGSIZE, 0 } },
                { "still the same line", { 0 } },
                { "and its end\n{}\n", { 1, 0 } },
                { "{\"k\":\"0123456789012345678901234\"}\n", { 1, 0 } },   /* 33: just fits */
                { "{\"k\":\"01234567890123456789012345\"}\n", { -EMSGSIZE, 0 } },
        };
        struct jsonl j;
        int other = pair(&j, 33, 100);

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                size_t k = 0;
                json_t *doc;
                int r;

                say(other, rows[i].sent);
                do {
                        while ((r = jsonl_next(&j, &doc)) != 0) {
                                if (r != rows[i].results[k])
                                        fail_msg("row %zu: result %zu is %d, not %d", i, k, r, rows[i].results[k]);
                                k++;
                                if (r == 1)
                                        json_decref(doc);
                        }
                } while (jsonl_fill(&j) > 0);
                if (rows[i].results[k] != 0)
                        fail_msg("row %zu: result %d is missing", i, rows[i].results[k]);
        }
        assert_int_equal(j.bad_lines, 7);
        close(other);
        assert_int_equal(jsonl_fill(&j), 0);
        jsonl_done(&j);
}

static void slow_reader_is_bounded(void **state UNUSED)
{
        struct jsonl j;
        int other = pair(&j, 100, 100000), size = 4096;
        char buf[4096];
        size_t n = 0, got = 0;
        int r;

        setsockopt(j.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        while ((r = jsonl_put(&j, json_pack("{si}", "n", (int)n))) == 0) {
                n++;
                assert_true(jsonl_flush(&j) == 0 || jsonl_unsent(&j) > 0);
                assert_true(n < 100000);
        }
        assert_int_equal(r, -ENOBUFS);
        assert_true(jsonl_unsent(&j) <= 100000 && jsonl_unsent(&j) > 90000);
        /* Whole lines only, and every one of them. */
        do {
                ssize_t k = read(other, buf, sizeof(buf));

                for (ssize_t i = 0; i < k; i++)
                        got += buf[i] == '\n';
        } while (jsonl_flush(&j) == -EAGAIN || got < n);
        assert_int_equal(got, n);
        assert_int_equal(jsonl_put(&j, NULL), -EINVAL);
        close(other);
        jsonl_done(&j);
}

static void commands_wait_but_not_for_ever(void **state UNUSED)
{
        struct jsonl j;
        int other = pair(&j, 100, 100);
        int64_t start = clock_boot_us();
        json_t *doc;

        assert_int_equal(jsonl_next_until(&j, start + 50 * USEC_PER_MSEC, &doc), -ETIMEDOUT);
        assert_true(clock_boot_us() - start >= 50 * USEC_PER_MSEC);
        say(other, "{}\n");
        assert_int_equal(jsonl_next_until(&j, clock_boot_us() + USEC_PER_SEC, &doc), 1);
        json_decref(doc);
        close(other);
        assert_int_equal(jsonl_next_until(&j, clock_boot_us() + USEC_PER_SEC, &doc), -ECONNRESET);
        assert_int_equal(jsonl_put(&j, json_pack("{}")), 0);
        assert_int_equal(jsonl_send_until(&j, clock_boot_us() + USEC_PER_SEC), -EPIPE);
        jsonl_done(&j);
}

static void make_dir(char *dir)
{
        strcpy(dir, "/tmp/veille-test-XXXXXX");
        assert_non_null(mkdtemp(dir));
}

static void stale_socket_is_replaced_used_one_is_not(void **state UNUSED)
{
        char dir[64], path[96];
        struct socket_peer peer;
        struct stat st;
        int fd, fd2, fd3;

        make_dir(dir);
        snprintf(path, sizeof(path), "%s/x.sock", dir);
        assert_int_equal(socket_connect_unix(path, 10), -ENOENT);
        fd = socket_listen_unix(path, 0660, 1);
        assert_true(fd >= 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0660);
        assert_int_equal(socket_listen_unix(path, 0660, 1), -EADDRINUSE);
        fd2 = socket_connect_unix(path, 100);
        assert_true(fd2 >= 0);
        assert_int_equal(socket_peer(fd2, &peer), 0);
        assert_int_equal(peer.uid, geteuid());
        assert_true(socket_peer_in_group(fd2, getegid()));
        assert_false(socket_peer_in_group(fd2, 54321));
        close(fd2);
        /* The queue is full of connections that nobody takes: wait, then give up. */
        int held[8], n = 0;

        while (n < 8 && (held[n] = socket_connect_unix(path, 50)) >= 0)
                n++;
        assert_true(n < 8 && held[n] == -ETIMEDOUT);
        while (n > 0)
                close(held[--n]);
        close(fd);
        fd3 = socket_listen_unix(path, 0600, 1);
        assert_true(fd3 >= 0);
        close(fd3);
        unlink(path);
        assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
        assert_int_equal(socket_listen_unix(path, 0600, 1), -EEXIST);
        unlink(path);
        rmdir(dir);
}

static void atomic_file_is_whole_or_old(void **state UNUSED)
{
        char dir[64], path[96], tmp[96], got[16] = "";
        struct atomic_file a;
        FILE *f;

        make_dir(dir);
        snprintf(path, sizeof(path), "%s/f", dir);
        snprintf(tmp, sizeof(tmp), "%s/.f.tmp", dir);
        assert_int_equal(file_write_atomic(dir, "f", "one\n", 4, 0640, true), 0);
        assert_int_equal(atomic_file_open(&a, dir, "f", 0640), 0);
        fputs("two", a.f);
        atomic_file_abort(&a);
        atomic_file_abort(&a);
        f = fopen(path, "r");
        assert_non_null(fgets(got, sizeof(got), f));
        assert_string_equal(got, "one\n");
        fclose(f);
        assert_int_not_equal(access(tmp, F_OK), 0);
        assert_int_equal(file_write_atomic("/nowhere/at/all", "f", "", 0, 0640, false), -ENOENT);
        unlink(path);
        rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_in_pieces_and_rubbish_between),
                cmocka_unit_test(slow_reader_is_bounded),
                cmocka_unit_test(commands_wait_but_not_for_ever),
                cmocka_unit_test(stale_socket_is_replaced_used_one_is_not),
                cmocka_unit_test(atomic_file_is_whole_or_old),
        };

        return cmocka_run_group_tests_name("common", tests, NULL, NULL);
}
