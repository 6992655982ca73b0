/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Network cards and bonds, from sysfs alone. What an interface never had (link, speed) is no fault of it: the rules ask
 * for "was good before". */

#include "hw_net.h"

#define NET "sys/class/net"
#define MBIT_BYTES 125000.0
#define DAY 86400
#define HOUR 3600
#define IFF_UP 0x1

static const struct metric_desc metrics[] = {
        { "net_up", METRIC_GAUGE, "", "1 if the interface is switched on" },
        { "net_carrier", METRIC_GAUGE, "", "1 if the interface has link" },
        { "net_state_info", METRIC_INFO, "", "The state of the interface as the kernel names it (RFC 2863), and its duplex" },
        { "net_speed_bytes", METRIC_GAUGE, "bytes", "Speed of the link, bytes per second" },
        { "net_half_duplex", METRIC_GAUGE, "", "1 if the link works in one direction at a time" },
        { "net_carrier_changes_total", METRIC_COUNTER, "", "Times that the link came or went" },
        { "net_receive_errors_total", METRIC_COUNTER, "", "Frames that were received broken" },
        { "net_receive_crc_errors_total", METRIC_COUNTER, "", "Frames that were received with a wrong checksum" },
        { "net_receive_drops_total", METRIC_COUNTER, "", "Frames that were received and thrown away, also those that nobody asked for" },
        { "net_receive_missed_total", METRIC_COUNTER, "", "Frames that the card had no room for" },
        { "net_transmit_errors_total", METRIC_COUNTER, "", "Frames that could not be sent" },
        { "net_transmit_drops_total", METRIC_COUNTER, "", "Frames that were thrown away instead of being sent" },
        { "net_bond_members", METRIC_GAUGE, "", "Interfaces that were put into the bond" },
        { "net_bond_members_up", METRIC_GAUGE, "", "Of them, those that the bond can use" },
        { "net_bond_member_up", METRIC_GAUGE, "", "1 if the bond can use this member" },
        { "net_bond_member_failures_total", METRIC_COUNTER, "", "Times that the bond lost this member" },
        { "net_default_routes", METRIC_GAUGE, "", "Default routes, IPv4 and IPv6" },
        { "net_default_routes_with_link", METRIC_GAUGE, "", "Of them, those through an interface that has link" },
};

static const struct rule rules[] = {
        {
                .name = "net-cut-off", .metric = "net_default_routes_with_link", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = RULE_NONE, .critical = 0, .clear = RULE_NONE, .hold_s = 60, .after_good = true,
                .evidence = EVIDENCE_NETWORK, .hard = true,
                .text = "no default route leads through an interface that has link: this host is cut off",
                .clears = "cable, switch, card; a default route through an interface with link",
                .source = "a mail host without a way out neither gets nor delivers mail; a minute covers a switch that restarts a port",
        },
        {
                .name = "net-link-lost", .metric = "net_carrier", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE, .hold_s = 30, .after_good = true,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} has lost its link",
                .clears = "link; cable, port of the switch, card; veillectl accept when it was unplugged on purpose",
                .source = "an interface that had link once is meant to have it; half a minute covers negotiation and spanning tree",
        },
        {
                .name = "net-link-flaps", .metric = "net_carrier_changes_total", .kind = RULE_RATE,
                .notice = RULE_NONE, .warning = 10, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = HOUR,
                .evidence = EVIDENCE_NETWORK,
                .text = "the link of {component} came or went {growth} {n:time|times} within {window}",
                .clears = "an hour with fewer; cable, port of the switch",
                .source = "a restart of the switch is 2 to 4 changes; ten are a cable or port about to fail",
        },
        {
                .name = "net-link-changes", .metric = "net_carrier_changes_total", .kind = RULE_RATE,
                .notice = 2, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = DAY,
                .evidence = EVIDENCE_NETWORK,
                .text = "the link of {component} came or went {growth} {n:time|times} within {window}",
                .clears = "a day without a change",
                .source = "links of servers stand for months",
        },
        {
                .name = "net-speed-fell", .metric = "net_speed_bytes", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = 100 * MBIT_BYTES, .critical = RULE_NONE, .clear = RULE_NONE, .hold_s = 60, .after_good = true,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} fell back to {value} bytes per second: 100 Mbit/s or less, it was faster before",
                .clears = "the old speed; replace the cable",
                .source = "gigabit needs four pairs, 100 Mbit/s two: one broken wire and both ends agree on the slower speed",
        },
        {
                .name = "net-speed-fell-10g", .metric = "net_speed_bytes", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = 5000 * MBIT_BYTES, .critical = RULE_NONE, .clear = RULE_NONE, .hold_s = 60, .after_good = true,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} fell back to {value} bytes per second, it was at 10 Gbit/s or more before",
                .clears = "the old speed; replace the cable or the module",
                .source = "10GBASE-T falls back to 5, 2.5 or 1 Gbit/s on a bad cable",
        },
        {
                .name = "net-half-duplex", .metric = "net_half_duplex", .kind = RULE_LIMIT,
                .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE, .hold_s = 60,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} works in half duplex: the two ends do not agree, frames are lost under load",
                .clears = "the same negotiation at both ends",
                .source = "IEEE 802.3 clause 28: an end that negotiates against one that is fixed falls back to half duplex",
        },
        {
                .name = "net-crc-errors", .metric = "net_receive_crc_errors_total", .kind = RULE_RATE,
                .notice = 5, .warning = 100, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = HOUR,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} received {growth} {n:frame|frames} with a wrong checksum within {window}",
                .clears = "an hour with fewer than 5; replace the cable or the module",
                .source = "IEEE 802.3: at the highest bit error rate allowed a full gigabit link makes 4 an hour",
        },
        {
                .name = "net-receive-errors", .metric = "net_receive_errors_total", .kind = RULE_RATE,
                .notice = 100, .warning = 10000, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = HOUR,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} received {growth} broken {n:frame|frames} within {window}",
                .clears = "an hour with fewer than 100; cable, module, card",
                .source = "drivers count different things here, overruns under load among them: only many mean something",
        },
        {
                .name = "net-transmit-errors", .metric = "net_transmit_errors_total", .kind = RULE_RATE,
                .notice = 10, .warning = 1000, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = HOUR,
                .evidence = EVIDENCE_NETWORK,
                .text = "{component} could not send {growth} {n:frame|frames} within {window}",
                .clears = "an hour with fewer than 10; duplex, card",
                .source = "on a switched full duplex link nothing can prevent a frame from being sent",
        },
        {
                .name = "bond-degraded", .metric = "net_bond_member_up", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE, .hold_s = 30,
                .evidence = EVIDENCE_NETWORK,
                .text = "the bond {component} cannot use {label:member}: its redundancy is gone",
                .clears = "link on all members",
                .source = "a bond that was degraded already at boot is told too: two cables were wanted",
        },
        {
                .name = "bond-down", .metric = "net_bond_members_up", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = RULE_NONE, .warning = RULE_NONE, .critical = 0, .clear = RULE_NONE, .hold_s = 10, .after_good = true,
                .evidence = EVIDENCE_NETWORK, .hard = true,
                .text = "no member of the bond {component} works",
                .clears = "link on a member",
                .source = "all paths of a redundant link are down: the switch, or something all of them share",
        },
        {
                .name = "bond-member-failures", .metric = "net_bond_member_failures_total", .kind = RULE_RATE,
                .notice = 1, .warning = 5, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = DAY,
                .evidence = EVIDENCE_NETWORK,
                .text = "the bond lost {component} {growth} {n:time|times} within {window}",
                .clears = "a day without a loss",
                .source = "each is hidden by the other member, until that one fails",
        },
};

static bool is_bond(struct env *env, const char *name)
{
        return env_exists(env, NET "/%s/bonding", name);
}

/* A card, or what a hypervisor gives for one; no virtual function that stands for a part of a card. */
static bool is_card(struct env *env, const char *name)
{
        return env_exists(env, NET "/%s/device", name) && !env_exists(env, NET "/%s/device/physfn", name);
}

/* The card's own address: a member of a bond wears the bond's. */
static void find_address(struct env *env, const char *name, char *buf, size_t size)
{
        int64_t assigned;

        if (env_read(env, buf, size, NET "/%s/bonding_slave/perm_hwaddr", name) > 0)
                return;
        if (env_read_i64(env, &assigned, NET "/%s/addr_assign_type", name) == 0 && assigned == 0 &&
            env_read(env, buf, size, NET "/%s/address", name) > 0)
                return;
        buf[0] = '\0';
}

static int discover(struct env *env, struct instance_list *list)
{
        char **names;
        int r = env_list_dir(env, &names, NET);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;

                if (!is_bond(env, names[i]) && !is_card(env, names[i]))
                        continue;
                inst = instance_add(list, names[i]);
                if (!inst)
                        continue;
                strcpy(inst->kind, "net");
                if (!is_bond(env, names[i]))
                        find_address(env, names[i], inst->id, sizeof(inst->id));
        }
        env_list_free(names);
        return net_route_discover(env, list);
}

int net_carrier(struct env *env, const char *interface)
{
        int64_t carrier;
        int r = env_read_i64(env, &carrier, NET "/%s/carrier", interface); /* EINVAL while it is switched off */

        return r < 0 ? r : carrier == 1;
}

static void run_link(struct env *env, const char *name)
{
        char state[32] = "", duplex[16] = "";
        int64_t mbit;
        int carrier = net_carrier(env, name);

        env_read(env, state, sizeof(state), NET "/%s/operstate", name);
        env_read(env, duplex, sizeof(duplex), NET "/%s/duplex", name);
        env_sample(env, "net_state_info", 1, "interface", name, "state", state, "duplex", duplex, NULL);
        if (carrier < 0)
                return;
        env_sample(env, "net_carrier", carrier, "interface", name, NULL);
        if (!carrier)
                return; /* no link has no speed */
        /* -1 and the like: virtual cards have none. */
        if (env_read_i64(env, &mbit, NET "/%s/speed", name) == 0 && mbit > 0 && mbit < 10000000)
                env_sample(env, "net_speed_bytes", (double)mbit * MBIT_BYTES, "interface", name, NULL);
        if (streq(duplex, "half") || streq(duplex, "full"))
                env_sample(env, "net_half_duplex", streq(duplex, "half"), "interface", name, NULL);
}

static void run_counters(struct env *env, const char *name)
{
        static const struct {
                const char *file, *metric;
        } counters[] = {
                { "carrier_changes", "net_carrier_changes_total" },
                { "statistics/rx_errors", "net_receive_errors_total" },
                { "statistics/rx_crc_errors", "net_receive_crc_errors_total" },
                { "statistics/rx_dropped", "net_receive_drops_total" },
                { "statistics/rx_missed_errors", "net_receive_missed_total" },
                { "statistics/tx_errors", "net_transmit_errors_total" },
                { "statistics/tx_dropped", "net_transmit_drops_total" },
        };

        for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
                int64_t n;

                if (env_read_i64(env, &n, NET "/%s/%s", name, counters[i].file) == 0)
                        env_sample(env, counters[i].metric, (double)n, "interface", name, NULL);
        }
}

static bool member_is_up(struct env *env, const char *member)
{
        char status[16];

        if (env_read(env, status, sizeof(status), NET "/%s/bonding_slave/mii_status", member) > 0)
                return streq(status, "up");
        return net_carrier(env, member) == 1;
}

static enum result run_bond(struct env *env, const char *bond)
{
        char text[1024], *save = NULL;
        unsigned members = 0, up = 0;
        int r = env_read(env, text, sizeof(text), NET "/%s/bonding/slaves", bond);

        if (r < 0)
                return env_end_errno(env, r, NET "/%s/bonding/slaves", bond);
        for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
                int64_t failures;

                bool works = member_is_up(env, name);

                members++;
                up += works;
                env_sample(env, "net_bond_member_up", works, "bond", bond, "member", name, NULL);
                if (env_read_i64(env, &failures, NET "/%s/bonding_slave/link_failure_count", name) == 0)
                        env_sample(env, "net_bond_member_failures_total", (double)failures, "bond", bond, "component", name, NULL);
        }
        env_sample(env, "net_bond_members", members, "bond", bond, NULL);
        env_sample(env, "net_bond_members_up", up, "bond", bond, NULL);
        return RESULT_OK;
}

static enum result run(struct env *env, const struct instance *instance)
{
        char text[32];
        long flags;
        int r;

        if (streq(instance->name, NET_ROUTES))
                return net_route_run(env);
        r = env_read(env, text, sizeof(text), NET "/%s/flags", instance->name);
        if (r < 0)
                return env_end_errno(env, r, NET "/%s/flags", instance->name);
        flags = strtol(text, NULL, 16);
        env_sample(env, "net_up", flags & IFF_UP, "interface", instance->name, NULL);
        if (flags & IFF_UP)
                run_link(env, instance->name);
        run_counters(env, instance->name);
        if (is_bond(env, instance->name) && (flags & IFF_UP))
                return run_bond(env, instance->name);
        return RESULT_OK;
}

const struct check check_net = {
        .desc = {
                .name = "net",
                .summary = "network cards and bonds: link, speed, errors, a way out",
                .interval_s = 60,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_NETWORK,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
