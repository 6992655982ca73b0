/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See disk_selftest.h. A test that runs already is never restarted: whoever began it wants its result. */

#include "disk_selftest.h"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include "disk_smartctl.h"
#include "nvme_selftest.h"
#include "selftest_plan.h"
#include "smartctl_json.h"

#define NVME_OP_GET_LOG_PAGE 0x02
#define NVME_OP_IDENTIFY 0x06
#define NVME_OP_SELFTEST 0x14
#define NVME_LOG_SELFTEST 0x06
#define NVME_ALL_NAMESPACES 0xffffffff
#define NVME_IDENTIFY_CONTROLLER 1
#define NVME_IDENTIFY_SIZE 4096
#define NVME_OACS_OFFSET 256 /* optional admin commands */
#define NVME_OACS_SELFTEST 0x10
#define NVME_TIMEOUT_MS 5000

static enum selftest_kind wished(const struct env *env)
{
        return (enum selftest_kind)(env->selftest - 1);
}

static void say(struct env *env, const char *answer, const char *why)
{
        env_sample(env, "disk_selftest_start", 1, "test", selftest_kind_name(wished(env)), "answer", answer, "why", why, NULL);
}

static void say_errno(struct env *env, int r)
{
        if (r == -EOPNOTSUPP)
                say(env, "unsupported", "the disk cannot test itself");
        else
                say(env, "refused", strerror(-r));
}

/* Nothing to do, or said why not. */
static bool is_answered(struct env *env, const struct disk_report *report)
{
        if (!env->selftest)
                return true;
        if (report->selftest_running)
                say(env, "refused", "another test is running");
        else if (report->selftest_unsupported)
                say_errno(env, -EOPNOTSUPP);
        return report->selftest_running || report->selftest_unsupported;
}

void selftest_by_atasmart(struct env *env, SkDisk *disk, const struct disk_report *report)
{
        const SkSmartParsedData *smart;
        SkSmartSelfTest test;

        if (is_answered(env, report))
                return;
        test = wished(env) == SELFTEST_LONG ? SK_SMART_SELF_TEST_EXTENDED : SK_SMART_SELF_TEST_SHORT;
        if (sk_disk_smart_parse(disk, &smart) < 0)
                say_errno(env, neg_errno());
        else if (!sk_smart_self_test_available(smart, test))
                say_errno(env, -EOPNOTSUPP);
        else if (sk_disk_smart_self_test(disk, test) < 0)
                say(env, "refused", strerror(errno)); /* it offers the test, so even EOPNOTSUPP is no lack of it */
        else
                say(env, "begun", "");
}

/* --- NVMe ---------------------------------------------------------------------------------------- */

static int nvme_command(int fd, unsigned opcode, uint32_t nsid, uint32_t cdw10, void *data, uint32_t len)
{
        struct nvme_admin_cmd cmd = {
                .opcode = (uint8_t)opcode, .nsid = nsid, .addr = (uint64_t)(uintptr_t)data, .data_len = len, .cdw10 = cdw10,
                .timeout_ms = NVME_TIMEOUT_MS,
        };
        int r = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);

        if (r < 0)
                return neg_errno();
        return r == 0 ? 0 : -EIO; /* a positive value is the drive's own status: it refused */
}

/* A drive that can test itself, or -EOPNOTSUPP. The commands of others are not tried: some drives log them as errors. */
static int nvme_open(struct env *env, const struct disk_place *place)
{
        static uint8_t identify[NVME_IDENTIFY_SIZE];
        _cleanup_close_ int fd = openat(env->root_fd, place->path + 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        int r;

        if (fd < 0)
                return neg_errno();
        r = nvme_command(fd, NVME_OP_IDENTIFY, 0, NVME_IDENTIFY_CONTROLLER, identify, sizeof(identify));
        if (r < 0)
                return r;
        return identify[NVME_OACS_OFFSET] & NVME_OACS_SELFTEST ? take_fd(&fd) : -EOPNOTSUPP;
}

/* As against one behind a USB bridge, which only smartctl can talk to. */
static bool is_nvme(const struct disk_place *place)
{
        return str_starts(place->path, "/dev/nvme");
}

void selftest_read_nvme(struct env *env, const struct disk_place *place, struct disk_report *report)
{
        uint8_t log[NVME_SELFTEST_LOG_SIZE] = { 0 };
        _cleanup_close_ int fd = -1;

        if (!is_nvme(place) || report->protocol != DISK_NVME || report->standby || report->selftest_log_read)
                return;
        fd = nvme_open(env, place);
        report->selftest_unsupported = fd == -EOPNOTSUPP;
        if (fd >= 0 && nvme_command(fd, NVME_OP_GET_LOG_PAGE, NVME_ALL_NAMESPACES,
                                    (sizeof(log) / 4 - 1) << 16 | NVME_LOG_SELFTEST, log, sizeof(log)) == 0)
                nvme_selftest_log_read(log, report);
}

static void start_nvme(struct env *env, const struct disk_place *place)
{
        _cleanup_close_ int fd = nvme_open(env, place);
        int r = fd < 0 ? fd : nvme_command(fd, NVME_OP_SELFTEST, NVME_ALL_NAMESPACES, wished(env) == SELFTEST_LONG ? 2 : 1, NULL, 0);

        if (r < 0)
                say_errno(env, r);
        else
                say(env, "begun", "");
}

/* --- smartctl ------------------------------------------------------------------------------------ */

static void start_by_smartctl(struct env *env, const struct disk_place *place)
{
        const char *argv[9] = { SMARTCTL_PATH, "--json", "-t", selftest_kind_name(wished(env)) };
        struct cmd_result out = { 0 };
        struct errinfo err = { 0 };
        const char *words;
        json_t *doc;
        size_t n = 4;
        int r;

        if (place->type[0]) {
                argv[n++] = "-d";
                argv[n++] = place->type;
        }
        argv[n++] = place->path;
        argv[n] = NULL;
        r = env->run_cmd(env, argv, SELFTEST_DEADLINE_S, SMARTCTL_JSON_MAX, &out);
        if (r < 0) {
                say(env, "refused", r == -ETIME ? "smartctl had no answer" : strerror(-r));
                return;
        }
        doc = smartctl_json_load(out.out, out.out_len, &err);
        words = doc ? smartctl_json_message(doc) : err.text;
        /* The bits about the disk's health do not concern us here, those about the run do. */
        if (doc && (out.exit_status & 7) == 0)
                say(env, "begun", "");
        else
                say(env, "refused", words ? words : "smartctl could not start it");
        json_decref(doc);
        cmd_result_done(&out);
}

void selftest_by_smartctl(struct env *env, const struct disk_place *place, const struct disk_report *report)
{
        if (is_answered(env, report))
                return;
        if (is_nvme(place))
                start_nvme(env, place);
        else
                start_by_smartctl(env, place);
}
