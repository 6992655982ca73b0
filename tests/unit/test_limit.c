/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Limits are told when they are hit, and only then: one more than fits, everywhere. */

#include "fake_env.h"
#include "judge_private.h"
#include "mdstat.h"
#include "mounts.h"
#include "textbuf.h"
#include "zfs.h"
#include "zpool.h"

static void names_are_known(void **state UNUSED)
{
        for (int i = 0; i < LIMIT_MAX; i++) {
                assert_int_equal(limit_from_name(limit_name((enum limit)i)), i);
                assert_true(strlen(limit_lost((enum limit)i)) > 20);
        }
        assert_int_equal(limit_from_name(""), -EINVAL);
        assert_int_equal(limit_from_name("tea"), -EINVAL);
}

/* --- parsers ---------------------------------------------------------------------------------------- */

static bool mdstat_is_cut(int arrays, int members)
{
        struct textbuf text = { 0 };
        struct mdstat t;
        bool cut;

        for (int i = 0; i < arrays; i++) {
                textbuf_printf(&text, "md%d : active raid1", i);
                for (int k = 0; k < members; k++)
                        textbuf_printf(&text, " sd%d[%d]", k, k);
                textbuf_str(&text, "\n      8 blocks [2/2] [UU]\n");
        }
        textbuf_char(&text, '\0');
        assert_int_equal(mdstat_parse(text.data, &t), 0);
        cut = t.cut;
        mdstat_done(&t);
        textbuf_done(&text);
        return cut;
}

static void mdstat(void **state UNUSED)
{
        assert_false(mdstat_is_cut(1024, 2));
        assert_true(mdstat_is_cut(1025, 2));
        assert_false(mdstat_is_cut(1, 512));
        assert_true(mdstat_is_cut(1, 513));
}

static bool mountinfo_is_cut(int n)
{
        struct textbuf text = { 0 };
        struct mount_table t;
        bool cut;

        for (int i = 0; i < n; i++)
                textbuf_printf(&text, "%d 1 0:%d / /mnt/%d rw - tmpfs tmpfs rw\n", i + 2, i, i);
        textbuf_char(&text, '\0');
        assert_int_equal(mountinfo_parse(text.data, &t, NULL), 0);
        cut = t.cut;
        mount_table_done(&t);
        textbuf_done(&text);
        return cut;
}

static void mountinfo(void **state UNUSED)
{
        assert_false(mountinfo_is_cut(4096));
        assert_true(mountinfo_is_cut(4097));
}

static bool zpool_is_cut(int n, int depth)
{
        struct textbuf text = { 0 };
        struct zpool pool;
        bool cut;

        textbuf_str(&text, "  pool: tank\n state: ONLINE\nconfig:\n\n\tNAME  STATE  READ WRITE CKSUM\n\ttank  ONLINE 0 0 0\n");
        for (int i = 1; i < n; i++)
                textbuf_printf(&text, "\t%*ssd%d  ONLINE 0 0 0\n", depth * 2, "", i);
        textbuf_char(&text, '\0');
        assert_int_equal(zpool_status_parse(text.data, &pool), 0);
        cut = pool.cut;
        zpool_done(&pool);
        textbuf_done(&text);
        return cut;
}

static void zpool(void **state UNUSED)
{
        assert_false(zpool_is_cut(1024, 1));
        assert_true(zpool_is_cut(1025, 1));
        assert_true(zpool_is_cut(2, 8));
}

/* --- checks ------------------------------------------------------------------------------------------ */

static void instances(void **state UNUSED)
{
        struct instance_list list = { 0 };
        char name[16];

        for (int i = 0; i < 1024; i++) {
                snprintf(name, sizeof(name), "i%d", i);
                assert_non_null(instance_add(&list, name));
        }
        assert_null(instance_add(&list, "not a name"));
        assert_false(list.cut);
        assert_null(instance_add(&list, "one"));
        assert_true(list.cut);
        instance_list_done(&list);
}

static void directory(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        char name[32], **names;

        for (int i = 0; i < 4096; i++) {
                snprintf(name, sizeof(name), "sys/many/%d", i);
                fake_file(f, name, "");
        }
        assert_int_equal(env_list_dir(&f->env, &names, "sys/many"), 0);
        env_list_free(names);
        assert_int_equal(f->env.limits, 0);
        fake_file(f, "sys/many/more", "");
        assert_int_equal(env_list_dir(&f->env, &names, "sys/many"), 0);
        assert_non_null(names[4095]);
        assert_null(names[4096]);
        env_list_free(names);
        assert_int_equal(f->env.limits, LIMIT_BIT(LIMIT_DIRECTORY));
        fake_env_free(f);
}

/* --- the judge ---------------------------------------------------------------------------------------- */

static const struct metric_desc metrics[] = {
        { "value", METRIC_GAUGE, "", "x" },
        { "topology_link_info", METRIC_INFO, "", "x" },
};
static const struct rule rules[] = {
        { .name = "high", .metric = "value", .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 5, .critical = RULE_NONE, .clear = RULE_NONE,
          .text = "{value}", .clears = "x", .source = "x" },
};
static const struct check_desc checks[] = {
        { .name = "test", .summary = "x", .interval_s = 60, .deadline_s = 5, .metrics = metrics, .n_metrics = 2, .rules = rules, .n_rules = 1 },
        { .name = "topology", .summary = "x", .interval_s = 60, .deadline_s = 5, .metrics = metrics, .n_metrics = 2 },
};
static const struct catalog catalog = { .checks = (struct check_desc *)checks, .n_checks = 2 };

static struct judge_instance *found(struct judge *j, const struct check_desc *check, const char *name, const char *component)
{
        struct judge_instance *i;

        judge_discovery_begin(j, check);
        i = judge_discovery_add(j, check, name, component, "", "host", 1);
        return i;
}

static void components(void **state UNUSED)
{
        struct judge *j = judge_new(&catalog, &(struct judge_callbacks){ 0 });
        char name[16];

        for (int i = 0; i < 4096; i++) {
                snprintf(name, sizeof(name), "c%d", i);
                judge_component_get(j, name, "host", "");
        }
        assert_int_equal(judge_take_limits(j), 0);
        assert_ptr_equal(judge_component_get(j, "more", "host", ""), judge_components(j));
        assert_int_equal(judge_take_limits(j), LIMIT_BIT(LIMIT_COMPONENTS));
        assert_int_equal(judge_take_limits(j), 0);
        judge_free(j);
}

static void count_reason(void *data, const struct judge_reason *reason UNUSED)
{
        ++*(int *)data;
}

/* Values of one instance: each with its label, the same component, bad. */
static void values(struct judge *j, struct judge_instance *i, int n)
{
        char label[16];

        judge_run_begin(j, i);
        for (int k = 0; k < n; k++) {
                snprintf(label, sizeof(label), "%d", k);
                judge_sample(j, i, "value", 9, (const char *const[]){ "n", label, NULL }, 2);
        }
        judge_run_end(j, i, VERDICT_OK, "", 2);
}

static void reasons(void **state UNUSED)
{
        struct judge *j = judge_new(&catalog, &(struct judge_callbacks){ 0 });
        struct judge_instance *i = found(j, &checks[0], "one", "one");
        int n = 0;

        values(j, i, 256);
        judge_reasons(j, i->component, 3, count_reason, &n);
        assert_int_equal(n, 256);
        assert_int_equal(judge_take_limits(j), 0);
        values(j, i, 257);
        n = 0;
        judge_reasons(j, i->component, 3, count_reason, &n);
        assert_int_equal(n, 256);
        assert_int_equal(judge_take_limits(j), LIMIT_BIT(LIMIT_REASONS));
        judge_free(j);
}

static void remembered(void **state UNUSED)
{
        struct judge *j = judge_new(&catalog, &(struct judge_callbacks){ 0 });
        json_t *value = json_pack("{s{} sI}", "rules", "wall", (json_int_t)1);
        char key[32];

        for (int i = 0; i < 4097; i++) {
                assert_int_equal(judge_take_limits(j), 0);
                snprintf(key, sizeof(key), "state/test/%d", i);
                judge_load(j, key, value, 1, 1);
        }
        assert_int_equal(judge_take_limits(j), LIMIT_BIT(LIMIT_MEMORY));
        json_decref(value);
        judge_free(j);
}

static void links(struct judge *j, struct judge_instance *i, int n)
{
        char parent[16];

        judge_run_begin(j, i);
        for (int k = 0; k < n; k++) {
                snprintf(parent, sizeof(parent), "p%d", k);
                judge_sample(j, i, "topology_link_info", 1, (const char *const[]){ "parent", parent, "child", "disk", "kind", "partition", NULL }, 2);
        }
        judge_run_end(j, i, VERDICT_OK, "", 2);
}

static void topology(void **state UNUSED)
{
        struct judge *j = judge_new(&catalog, &(struct judge_callbacks){ 0 });
        struct judge_instance *i = found(j, &checks[1], "host", "host");

        links(j, i, 2047);
        assert_int_equal(judge_take_limits(j), 0);
        links(j, i, 2048);
        assert_int_equal(judge_take_limits(j), LIMIT_BIT(LIMIT_TOPOLOGY));
        judge_free(j);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_known),
                cmocka_unit_test(mdstat),
                cmocka_unit_test(mountinfo),
                cmocka_unit_test(zpool),
                cmocka_unit_test(instances),
                cmocka_unit_test(directory),
                cmocka_unit_test(components),
                cmocka_unit_test(reasons),
                cmocka_unit_test(remembered),
                cmocka_unit_test(topology),
        };

        return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
