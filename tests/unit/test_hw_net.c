/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"

#define NET "sys/class/net/"

static const struct check *net(void)
{
        return check_by_name("net");
}

static void put(struct fake_env *f, const char *name, const char *file, const char *text)
{
        char path[256];

        snprintf(path, sizeof(path), NET "%s/%s", name, file);
        fake_file(f, path, text);
}

static void make_card(struct fake_env *f, const char *name)
{
        static const char *const files[][2] = {
                { "device/vendor", "0x8086\n" }, { "flags", "0x1003\n" }, { "carrier", "1\n" }, { "operstate", "up\n" },
                { "duplex", "full\n" }, { "speed", "1000\n" }, { "address", "02:00:00:00:00:01\n" }, { "addr_assign_type", "0\n" },
                { "carrier_changes", "2\n" }, { "statistics/rx_errors", "7\n" }, { "statistics/rx_crc_errors", "5\n" },
                { "statistics/tx_errors", "0\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                put(f, name, files[i][0], files[i][1]);
}

static bool has(struct fake_env *f, const char *metric)
{
        for (size_t i = 0; i < f->n; i++)
                if (streq(f->samples[i].metric, metric))
                        return true;
        return false;
}

static void only_cards_and_bonds_are_looked_at(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(net()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        make_card(f, "eth0");
        make_card(f, "vf0");
        put(f, "vf0", "device/physfn/vendor", "0x8086\n");
        put(f, "lo", "flags", "0x9\n");
        put(f, "br0", "bridge/bridge_id", "x\n");
        put(f, "bond0", "bonding/slaves", "eth0\n");
        fake_file(f, NET "bonding_masters", "bond0\n"); /* a file among the directories */
        assert_int_equal(net()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 2);
        assert_string_equal(list.items[0].name, "bond0");
        assert_string_equal(list.items[0].id, "");
        assert_string_equal(list.items[1].name, "eth0");
        assert_string_equal(list.items[1].id, "02:00:00:00:00:01");
        instance_list_done(&list);
        fake_env_free(f);
}

static void a_card_with_link(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_card(f, "eth0");
        assert_int_equal(fake_run(f, net(), "eth0"), RESULT_OK);
        assert_true(fake_find(f, "net_up", "interface=eth0")->value == 1);
        assert_true(fake_find(f, "net_carrier", "")->value == 1);
        assert_true(fake_find(f, "net_speed_bytes", "")->value == 125e6);
        assert_true(fake_find(f, "net_half_duplex", "")->value == 0);
        assert_true(fake_find(f, "net_receive_errors_total", "")->value == 7);
        assert_true(fake_find(f, "net_receive_crc_errors_total", "")->value == 5);
        assert_true(fake_find(f, "net_carrier_changes_total", "")->value == 2);
        put(f, "eth0", "duplex", "half\n");
        assert_int_equal(fake_run(f, net(), "eth0"), RESULT_OK);
        assert_true(fake_find(f, "net_half_duplex", "")->value == 1);
        fake_env_free(f);
}

static void without_link_there_is_no_speed(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_card(f, "eth0");
        put(f, "eth0", "carrier", "0\n");
        put(f, "eth0", "speed", "-1\n");
        assert_int_equal(fake_run(f, net(), "eth0"), RESULT_OK);
        assert_true(fake_find(f, "net_carrier", "")->value == 0);
        assert_false(has(f, "net_speed_bytes"));
        assert_false(has(f, "net_half_duplex"));
        put(f, "eth0", "carrier", "1\n"); /* a virtual card */
        assert_int_equal(fake_run(f, net(), "eth0"), RESULT_OK);
        assert_false(has(f, "net_speed_bytes"));
        put(f, "eth0", "flags", "0x1002\n"); /* switched off */
        assert_int_equal(fake_run(f, net(), "eth0"), RESULT_OK);
        assert_true(fake_find(f, "net_up", "")->value == 0);
        assert_false(has(f, "net_carrier"));
        fake_env_free(f);
}

static void a_bond_tells_which_member_it_misses(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        put(f, "bond0", "bonding/slaves", "eth0 eth1\n");
        put(f, "bond0", "flags", "0x1403\n");
        put(f, "bond0", "carrier", "1\n");
        put(f, "eth0", "bonding_slave/mii_status", "up\n");
        put(f, "eth0", "bonding_slave/link_failure_count", "0\n");
        put(f, "eth1", "bonding_slave/mii_status", "down\n");
        put(f, "eth1", "bonding_slave/link_failure_count", "3\n");
        assert_int_equal(fake_run(f, net(), "bond0"), RESULT_OK);
        assert_true(fake_find(f, "net_bond_members", "bond=bond0")->value == 2);
        assert_true(fake_find(f, "net_bond_members_up", "")->value == 1);
        assert_true(fake_find(f, "net_bond_member_up", "member=eth0")->value == 1);
        assert_true(fake_find(f, "net_bond_member_up", "member=eth1")->value == 0);
        assert_true(fake_find(f, "net_bond_member_failures_total", "component=eth1")->value == 3);
        put(f, "bond0", "bonding/slaves", "\n");
        assert_int_equal(fake_run(f, net(), "bond0"), RESULT_OK);
        assert_true(fake_find(f, "net_bond_members", "")->value == 0);
        fake_env_free(f);
}

static void a_host_is_cut_off_when_no_way_out_has_link(void **state UNUSED)
{
        static const char route[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                                    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                                    "eth1\t00000000\t010200C0\t0003\t0\t0\t9\t00000000\t0\t0\t0\n"
                                    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        static const char route6[] =
                "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 1 0 00000001 eth0\n"
                "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 3 0 00000003 eth0\n"
                "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 1 0 00200200 lo\n";
        struct fake_env *f = fake_env_new();

        make_card(f, "eth0");
        make_card(f, "eth1");
        fake_file(f, "proc/net/route", route);
        fake_file(f, "proc/net/ipv6_route", route6);
        put(f, "eth1", "carrier", "0\n");
        assert_int_equal(fake_run(f, net(), "routes"), RESULT_OK);
        assert_true(fake_find(f, "net_default_routes", "")->value == 3);
        assert_true(fake_find(f, "net_default_routes_with_link", "")->value == 2);
        put(f, "eth0", "carrier", "0\n");
        assert_int_equal(fake_run(f, net(), "routes"), RESULT_OK);
        assert_true(fake_find(f, "net_default_routes_with_link", "")->value == 0);
        fake_file(f, "proc/net/route", "rubbish\n\n \t\n");
        fake_file(f, "proc/net/ipv6_route", "more of it\n");
        assert_int_equal(fake_run(f, net(), "routes"), RESULT_OK);
        assert_true(fake_find(f, "net_default_routes", "")->value == 0);
        fake_env_free(f);
}

/* The rule of that name, stepped once a minute with these values: the level at the end. */
static enum level level_after(const char *name, const double *values, size_t n)
{
        for (size_t i = 0; i < net()->desc.n_rules; i++) {
                const struct rule *r = &net()->desc.rules[i];
                struct rule_state s = { 0 };

                if (!streq(r->name, name))
                        continue;
                for (size_t k = 0; k < n; k++)
                        rule_step(r, &s, values[k], NAN, (int64_t)(k + 1) * 60 * USEC_PER_SEC);
                rule_state_done(&s);
                return s.level;
        }
        fail_msg("no rule %s", name);
        return LEVEL_OK;
}

#define LEVEL_AFTER(name, ...) level_after(name, (const double[]){ __VA_ARGS__ }, sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void what_never_was_good_is_no_fault(void **state UNUSED)
{
        assert_int_equal(LEVEL_AFTER("net-link-lost", 0, 0, 0, 0), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-link-lost", 1, 0, 0), LEVEL_WARNING);
        assert_int_equal(LEVEL_AFTER("net-link-lost", 1, 0, 0, 1), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-cut-off", 0, 0, 0), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-cut-off", 2, 0, 0, 0), LEVEL_CRITICAL);
        assert_int_equal(LEVEL_AFTER("net-speed-fell", 12.5e6, 12.5e6, 12.5e6), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-speed-fell", 125e6, 12.5e6, 12.5e6, 12.5e6), LEVEL_WARNING);
        assert_int_equal(LEVEL_AFTER("net-speed-fell-10g", 125e6, 125e6, 125e6), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-speed-fell-10g", 1250e6, 125e6, 125e6, 125e6), LEVEL_WARNING);
        /* But a bond that was degraded from the start is. */
        assert_int_equal(LEVEL_AFTER("bond-degraded", 0, 0, 0), LEVEL_WARNING);
        assert_int_equal(LEVEL_AFTER("bond-down", 0, 0, 0), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("bond-down", 2, 0, 0), LEVEL_CRITICAL);
        assert_int_equal(LEVEL_AFTER("net-crc-errors", 500, 500, 500), LEVEL_OK);
        assert_int_equal(LEVEL_AFTER("net-crc-errors", 500, 506, 506), LEVEL_NOTICE);
        assert_int_equal(LEVEL_AFTER("net-link-changes", 2, 2, 4), LEVEL_NOTICE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_cards_and_bonds_are_looked_at),
                cmocka_unit_test(a_card_with_link),
                cmocka_unit_test(without_link_there_is_no_speed),
                cmocka_unit_test(a_bond_tells_which_member_it_misses),
                cmocka_unit_test(a_host_is_cut_off_when_no_way_out_has_link),
                cmocka_unit_test(what_never_was_good_is_no_fault),
        };

        return cmocka_run_group_tests_name("hw_net", tests, NULL, NULL);
}
