#!/bin/sh
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Every file says whose it is and under which licence.
out=$(reuse lint 2>&1) && echo "ok - reuse lint is clean" || {
        echo "not ok - reuse lint"
        echo "$out"
}
