#!/bin/sh
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# The harness of "make bench-polls" works, and a few thousand polls leave no descriptor behind. Whether the heap grows is
# for a million of them to say: in so few it still fills.
[ "$(id -u)" = 0 ] || { echo "ok - brain_polls # SKIP needs root (namespaces)"; exit 0; }
out=$(mktemp) report=$(mktemp)
trap 'rm -f "$out" "$report"' EXIT
BENCH_POLLS=4000 BENCH_OUT=$report tests/bench/polls >"$out" 2>&1
code=$?
awk -v code=$code '
        / polls, day / { parts++; for (i = 2; i <= NF; i++) if ($i ~ /^descriptors/) { d = $(i - 1); if (parts > 25 && d > late) late = d; if (parts <= 25 && d > early) early = d } }
        END {
                print (code < 2 && parts == 50 ? "ok" : "not ok") " - 4000 polls in 50 parts: " parts ", status " code
                print (late > 0 && late <= early + 8 ? "ok" : "not ok") " - no descriptor stays open: " early " at most in the first half, " late " in the second"
        }' "$out"
if grep -q "^Growth between" "$report"; then
        echo "ok - and a report is written"
else
        echo "not ok - no report"
        sed 's/^/# /' "$out" | tail -20
fi
