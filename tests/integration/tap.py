# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts beside it print for tests/run: TAP, a line a result, what was seen where it is not what was wanted."""

import json

LINES_MAX = 60
LINE_MAX = 1500
failed = 0


def say(good, name, *evidence):
    """One result. evidence: shown, shortened, where it is bad."""
    global failed
    failed += not good
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        for line in "\n".join(str(e) for e in evidence).splitlines()[:LINES_MAX]:
            print("# " + line[:LINE_MAX], flush=True)


def none(problems, name):
    """A result that is good where the list of problems is empty."""
    say(not problems, name, json.dumps(problems, default=str))
