/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"

static const struct check *edac(void)
{
        return check_by_name("edac");
}

static void no_controller_is_no_instance(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(edac()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

static void make_controller(struct fake_env *f)
{
        fake_file(f, "sys/devices/system/edac/mc/mc0/ce_count", "7\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/ue_count", "1\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/dimm0/dimm_label", "DIMM_A1\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count", "5\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count", "1\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/rank1/dimm_label", "\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/rank1/dimm_ce_count", "0\n");
        fake_file(f, "sys/devices/system/edac/mc/mc0/rank1/dimm_ue_count", "0\n");
}

static void counts_per_dimm_and_what_no_dimm_claims(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_controller(f);
        assert_int_equal(fake_run(f, edac(), "mc0"), RESULT_OK);
        assert_true(fake_find(f, "edac_correctable_errors_total", "dimm=all")->value == 7);
        assert_true(fake_find(f, "edac_correctable_errors_total", "component=DIMM_A1")->value == 5);
        assert_true(fake_find(f, "edac_uncorrectable_errors_total", "component=DIMM_A1")->value == 1);
        assert_true(fake_find(f, "edac_correctable_errors_total", "component=mc0/rank1")->value == 0);
        assert_true(fake_find(f, "edac_correctable_errors_total", "dimm=an unknown module")->value == 2);
        fake_env_free(f);
}

static void rubbish_in_a_counter_is_failed_with_the_path(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_controller(f);
        fake_file(f, "sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count", "many\n");
        assert_int_equal(fake_run(f, edac(), "mc0"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "mc0/dimm0/dimm_ue_count: Bad message"));
        fake_env_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_controller_is_no_instance),
                cmocka_unit_test(counts_per_dimm_and_what_no_dimm_claims),
                cmocka_unit_test(rubbish_in_a_counter_is_failed_with_the_path),
        };

        return cmocka_run_group_tests_name("hw_edac", tests, NULL, NULL);
}
