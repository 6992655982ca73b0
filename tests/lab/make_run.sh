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
trap 'rm -f "$out"' EXIT
before=$(pgrep -c -x veilled || true)
# In our own process group: the runner that ends us for being late ends it too.
agent/run-here "$BUILD" >"$out" 2>&1 &
pid=$!
for _ in $(seq 30); do
        grep -q '^level' "$out" && grep -q ' is \(green\|yellow\|red\)' "$out" && break
        sleep 1
done
sleep 6
dir=$(sed -n 's|.*: \(/tmp/veille-run[^/]*\)/bin.*|\1|p' "$out" | head -n 1)
grep -q ' is \(green\|yellow\|red\): ..' "$out" && echo "ok - a judged host is shown, with a reason" || echo "not ok - no judged host"
[ -n "$dir" ] && "$dir/bin/veillectl" --run "$dir/run" status --json >"$out.json" 2>&1
python3 - "$out.json" <<'END' && echo "ok - status --json has host, health, time, components" || echo "not ok - status --json"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["host"] and d["health"] in ("green", "yellow", "red") and d["time"] > 1e9 and isinstance(d["components"], list)
for c in d["components"]:
    assert c["component"] and c["level"] in ("ok", "notice", "warning", "critical", "unknown"), c
    assert c["level"] == "ok" or c["why"], c
END
rm -f "$out.json"
user=$(ps -o user= -p "$(pgrep -n -x veilled)" 2>/dev/null | tr -d ' ')
[ "$user" = nobody ] && echo "ok - the brain runs without rights" || echo "not ok - the brain runs as '$user'"
kill -TERM "$pid"
wait "$pid" 2>/dev/null
sleep 1
after=$(pgrep -c -x veilled || true)
if [ "$before" = "$after" ] && [ ! -e "$dir" ]; then
        echo "ok - nothing is left behind"
else
        echo "not ok - left behind: $after veilled, $dir"
        cat "$out"
fi
