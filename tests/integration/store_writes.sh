#!/bin/sh
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# What a day of 12 disks and 200 sensors costs the disk stays below the bound that veille.conf(5) and the bench state.
dir=$(mktemp -d "$BUILD/writes.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
out=$("$BUILD/bench/store_writes" "$dir" 2 2>&1)
status=$?
printf '%s\n' "$out" | sed 's/^/# /'
case $out in
*tmpfs*) echo "ok - writes of a day # SKIP $BUILD lies on a tmpfs: nothing can be measured" ;;
*) if [ $status -eq 0 ]; then echo "ok - writes of a day are bounded"; else echo "not ok - writes of a day are bounded"; fi ;;
esac
