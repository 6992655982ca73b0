#!/bin/sh
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Every file says whose it is and under which licence.
if out=$(reuse lint 2>&1); then
        echo "ok - reuse lint is clean"
else
        echo "not ok - reuse lint"
        echo "$out"
fi
