/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include <dirent.h>

#include "mdstat.h"
#include "test.h"

static struct mdstat parse(const char *text)
{
        struct mdstat t;

        assert_int_equal(mdstat_parse(text, &t), 0);
        return t;
}

static void a_rebuild_with_progress(void **state UNUSED)
{
        struct mdstat t = parse("Personalities : [raid1]\n"
                                "md0 : active raid1 sdx1[2] sdy1[0](F) sdz1[1]\n"
                                "      2096064 blocks super 1.2 [2/1] [_U]\n"
                                "      [==>..................]  recovery = 12.4% (260608/2096064) finish=0.4min speed=65152K/sec\n"
                                "      bitmap: 1/1 pages [4KB], 65536KB chunk\n\nunused devices: <none>\n");
        const struct mdstat_array *a = mdstat_find(&t, "md0");

        assert_non_null(a);
        assert_true(a->active);
        assert_string_equal(a->level, "raid1");
        assert_string_equal(a->metadata, "1.2");
        assert_int_equal(a->blocks, 2096064);
        assert_int_equal(a->raid_disks, 2);
        assert_int_equal(a->active_disks, 1);
        assert_string_equal(a->map, "_U");
        assert_int_equal(a->n_members, 3);
        assert_true(a->members[1].faulty);
        assert_string_equal(a->members[2].name, "sdz1");
        assert_int_equal(a->sync, MDSTAT_RECOVERY);
        assert_false(a->waiting);
        assert_true(fabs(a->ratio - 0.124) < 1e-9);
        assert_int_equal(a->done_blocks, 260608);
        assert_int_equal(a->total_blocks, 2096064);
        assert_true(fabs(a->finish_min - 0.4) < 1e-9);
        assert_int_equal(a->speed_kib, 65152);
        mdstat_done(&t);
}

static void states_flags_and_copies(void **state UNUSED)
{
        struct mdstat t = parse("md1 : active (auto-read-only) raid10 sdx2[0](W) sdy2[1](R)(S) sdz2[2](J)\n"
                                "      4192256 blocks super 1.2 512K chunks 2 near-copies 2 far-copies [4/4] [UUUU]\n"
                                "        resync=PENDING\n\n"
                                "md126 : inactive cciss/c0d1[1](S)\n      6306 blocks super external:imsm\n"
                                "md7 : broken raid0 sds[0] sdt[1]\n      100 blocks\n"
                                "md8 : active (read-only) raid0 sds[0]\n");

        assert_int_equal(t.n, 4);
        assert_true(t.arrays[0].auto_readonly && !t.arrays[0].readonly);
        assert_int_equal(t.arrays[0].copies, 4);
        assert_true(t.arrays[0].members[0].write_mostly);
        assert_true(t.arrays[0].members[1].replacement && t.arrays[0].members[1].spare);
        assert_true(t.arrays[0].members[2].journal);
        assert_int_equal(t.arrays[0].sync, MDSTAT_RESYNC);
        assert_true(t.arrays[0].waiting);
        assert_false(t.arrays[1].active);
        assert_string_equal(t.arrays[1].level, "");
        assert_string_equal(t.arrays[1].metadata, "external:imsm");
        assert_string_equal(t.arrays[1].members[0].name, "cciss/c0d1");
        assert_int_equal(t.arrays[1].raid_disks, -1);
        assert_true(t.arrays[2].broken && !t.arrays[2].active);
        assert_true(t.arrays[3].readonly);
        mdstat_done(&t);
}

static void rubbish_gives_nothing(void **state UNUSED)
{
        static const char *const texts[] = {
                "", "\n\n", "Personalities : \n", "md0 :", "md0 : ", " : active raid1\n", "Version : 1.2\n",
                "A DegradedArray event : active on md\n", "md0: active raid1 sda[0]\n",
        };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                struct mdstat t = parse(texts[i]);

                if (t.n)
                        fail_msg("'%s' is no array", texts[i]);
                mdstat_done(&t);
        }
}

static void numbers_out_of_range_are_none(void **state UNUSED)
{
        struct mdstat t = parse("md0 : active raid1 sda[99999999999] sdb[1]\n"
                                "  9999999999999999999999 blocks [2/99999999] [UU]\n"
                                "  recovery = 400% (1/99999999999999999999999) finish=-1min speed=K/sec\n");

        assert_int_equal(t.n, 1);
        assert_int_equal(t.arrays[0].n_members, 1);
        assert_int_equal(t.arrays[0].blocks, -1);
        assert_int_equal(t.arrays[0].raid_disks, -1);
        assert_true(isnan(t.arrays[0].ratio));
        assert_true(isnan(t.arrays[0].finish_min));
        assert_int_equal(t.arrays[0].total_blocks, -1);
        assert_int_equal(t.arrays[0].speed_kib, -1);
        mdstat_done(&t);
}

static void read_file(const char *dir, const char *name, char *buf, size_t size)
{
        char path[4600];
        FILE *f;

        snprintf(path, sizeof(path), "%s/mdstat/%s", dir, name);
        f = fopen(path, "r");
        assert_non_null(f);
        buf[fread(buf, 1, size - 1, f)] = '\0';
        fclose(f);
}

/* What a person sees in each file of real hosts: arrays, failed members, missing members, running syncs. */
static void every_real_file_is_read_as_a_person_would(void **state UNUSED)
{
        static const struct {
                const char *name;
                size_t arrays, faulty, missing, syncs;
        } files[] = {
                { "insights__mdadm__MDADM_CONTENT.txt", 0, 0, 0, 0 },
                { "insights__mdadm__MDADM_DETAIL_PLATFORM_CONTENT.txt", 0, 0, 0, 0 },
                { "insights__mdadm__MDADM_D_CONTENT_MD0.txt", 0, 0, 0, 0 },
                { "insights__mdadm__MDADM_D_CONTENT_MULTI_DEVICES.txt", 0, 0, 0, 0 },
                { "insights__mdadm__MDADM_D_CONTENT_NO_DETAIL_LIST.txt", 0, 0, 0, 0 },
                { "insights__mdadm__MDADM_D_CONTENT_NO_TABLE.txt", 0, 0, 0, 0 },
                { "insights__mdstat__MDSTAT_TEST_1.txt", 1, 0, 0, 0 },
                { "insights__mdstat__MDSTAT_TEST_4.txt", 1, 0, 0, 0 },
                { "insights__mdstat__MD_TEST_2.txt", 1, 0, 0, 0 },
                { "insights__mdstat__PERSONALITIES_TEST.txt", 0, 0, 0, 0 },
                { "issue__mdadm-mail-degraded.txt", 4, 4, 4, 0 },
                { "issue__mdstat-healthy-bitmap.txt", 3, 0, 0, 0 },
                { "node_exporter__mdstat.txt", 17, 6, 2, 5 },
                { "procfs__mdstat.txt", 18, 6, 3, 6 },
                { "telegraf__mdStatSyncStart.txt", 3, 0, 0, 1 },
        };
        static char buf[65536];
        size_t seen = 0;
        DIR *d;

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                size_t faulty = 0, missing = 0, syncs = 0;
                struct mdstat t;

                read_file(corpus_dir(), files[i].name, buf, sizeof(buf));
                t = parse(buf);
                for (size_t j = 0; j < t.n; j++) {
                        const struct mdstat_array *a = &t.arrays[j];

                        for (size_t k = 0; k < a->n_members; k++)
                                faulty += a->members[k].faulty;
                        missing += a->raid_disks > a->active_disks ? (size_t)(a->raid_disks - a->active_disks) : 0;
                        syncs += a->sync != MDSTAT_IDLE;
                }
                if (t.n != files[i].arrays || faulty != files[i].faulty || missing != files[i].missing || syncs != files[i].syncs)
                        fail_msg("%s: %zu arrays, %zu faulty, %zu missing, %zu syncs", files[i].name, t.n, faulty, missing, syncs);
                mdstat_done(&t);
        }
        /* A file that is new in the corpus must get a row here. */
        snprintf(buf, sizeof(buf), "%s/mdstat", corpus_dir());
        d = opendir(buf);
        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));)
                seen += e->d_name[0] != '.';
        closedir(d);
        assert_int_equal(seen, ARRAY_LEN(files));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_rebuild_with_progress),
                cmocka_unit_test(states_flags_and_copies),
                cmocka_unit_test(rubbish_gives_nothing),
                cmocka_unit_test(numbers_out_of_range_are_none),
                cmocka_unit_test(every_real_file_is_read_as_a_person_would),
        };

        return cmocka_run_group_tests_name("mdstat", tests, NULL, NULL);
}
