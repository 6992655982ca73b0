#!/bin/sh
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# "make run" as a newcomer types it, on this very host: it starts, shows a judged host, and leaves nothing behind.
set -u
if [ "$(id -u)" -ne 0 ]; then
        echo "ok - make run # SKIP needs root"
        exit 0
fi
out=$(mktemp)
trap 'rm -f "$out" "$out.json"' EXIT

# look PATTERN: until it is in the output of the run.
look() {
        for _ in $(seq 30); do
                grep -q "$1" "$out" && return 0
                sleep 1
        done
        return 1
}

dir_of_run() {
        sed -n 's|.*: \(/[a-z/]*/veille-run[^/]*\)/bin.*|\1|p' "$out" | head -n 1
}

# In our own process group: the runner that ends us for being late ends it too.
agent/run-here "$BUILD" >"$out" 2>&1 &
pid=$!
look ' is \(green\|yellow\|red\): ..' && echo "ok - a judged host is shown, with a reason" || echo "not ok - no judged host"
dir=$(dir_of_run)
"$dir/bin/veillectl" --run "$dir/run" status --json >"$out.json" 2>&1
python3 - "$out.json" <<'END' && echo "ok - status --json has host, health, time, components" || echo "not ok - status --json"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["host"] and d["health"] in ("green", "yellow", "red") and d["time"] > 1e9 and isinstance(d["components"], list)
for c in d["components"]:
    assert c["component"] and c["level"] in ("ok", "notice", "warning", "critical", "unknown"), c
    assert c["level"] == "ok" or c["why"], c
END
user=$(ps -o user= -p "$(pgrep -f "^$dir/bin/veilled")" 2>/dev/null | tr -d ' ')
[ "$user" = nobody ] && echo "ok - the brain runs without rights" || echo "not ok - the brain runs as '$user'"

# A second one beside it, as on a host that has /tmp mounted noexec: the port of the page is taken, and it says so.
first=$out
out=$(mktemp)
trap 'rm -f "$first" "$out" "$first.json"' EXIT
# shellcheck disable=SC2016
unshare -m sh -c 'mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp && exec sh agent/run-here "$0"' "$BUILD" >"$out" 2>&1 &
second=$!
if look ' is \(green\|yellow\|red\): ..' && grep -q "^no status page" "$out" && grep -q "9785" "$out"; then
        echo "ok - /tmp is noexec and the port is taken: it runs elsewhere, and says why there is no page"
else
        echo "not ok - noexec, port taken"
        cat "$out"
fi
other=$(dir_of_run)

# Twice, as make and the terminal do: the second must not end the tidying.
kill -TERM "$pid" "$second"
sleep 0.05
kill -TERM "$pid" "$second" 2>/dev/null
wait "$pid" "$second" 2>/dev/null
sleep 1
if [ -n "$dir" ] && [ -n "$other" ] && ! pgrep -f "^($dir|$other)/bin/" && [ ! -e "$dir" ] && [ ! -e "$other" ]; then
        echo "ok - nothing is left behind"
else
        echo "not ok - left behind: $dir, $other"
        cat "$first" "$out"
fi
