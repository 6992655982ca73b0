#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 60
"""Every sentence that the code itself makes for people has its French: those of the brain about itself, of silence, of a run that ended badly.
They are collected from the source, so that a new one without a row in src/french_brain.c is seen. (Rules: tests/unit/test_french.c.)"""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
STRING = r'"(?:[^"\\]|\\.)*"'
# Calls whose words reach a person as the reason of a level, and which of their strings are names only.
CALLS = [
    ("agent", r"\bbrain_self\s*\("),
    ("agent", r"\brequest_over\s*\("),
    ("agent", r"\bjudge_run_end\s*\("),
    ("agent", r"\bdelivery_end\s*\("),
    ("agent", r"snprintf\s*\(\s*s->trouble\b"),
    ("agent", r"snprintf\s*\(\s*s->broken\b"),
    ("src", r"snprintf\s*\(\s*ret->text\b"),
]


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return re.sub(r"/\*.*?\*/", " ", f.read(), flags=re.S)


def unquote(text):
    """The value of adjacent C strings."""
    return "".join(json.loads(part) for part in re.findall(STRING, text))


def strings(code):
    return [unquote(m) for m in re.findall(r"%s(?:\s*%s)*" % (STRING, STRING), code)]


def call(text, start):
    """From behind a name to the bracket that ends the call."""
    depth, at, quoted = 0, text.index("(", start), False
    for i in range(at, len(text)):
        c = text[i]
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and c in "()":
            depth += 1 if c == "(" else -1
            if depth == 0:
                return text[at:i]
    return text[at:]


def collect():
    """Sentences with the place that says them."""
    found = {}
    for directory, pattern in CALLS:
        for name in sorted(os.listdir(os.path.join(TOP, directory))):
            if not name.endswith(".c") or name.startswith("store_") or (directory == "src" and not name.startswith("judge")):
                continue
            text = read(directory + "/" + name)
            for m in re.finditer(pattern, text):
                for s in strings(call(text, m.start())):
                    if " " in s and re.search("[a-z]{2}", re.sub(r"%[.0-9lz]*[sdu]", "", s)):
                        found.setdefault(s, directory + "/" + name)
    # Those that come by a variable.
    text = read("src/judge_run.c")
    for m in re.finditer(r"\bwhy = (%s)" % STRING, text):
        found[unquote(m.group(1))] = "src/judge_run.c"
    for s in re.findall(r"\.name = (%s)" % STRING, read("src/scorecard.c")):
        found["%.0f " + unquote(s)] = "src/scorecard.c"
    return found


def rows():
    out = set()
    for name in sorted(os.listdir(os.path.join(TOP, "src"))):
        if name.startswith("french_") and name.endswith(".c"):
            out |= set(strings(read("src/" + name)))
    return out


def has_row(sentence, known):
    # "X%s" with an ending that is there or not: its row is the whole.
    sentence = re.sub(r"%\.\d+s", "%s", sentence)
    return sentence in known or any(k.endswith(sentence) for k in known if sentence[0] == ";") or (
        sentence.endswith("%s%s") and sentence[:-2] in known)


def main():
    sentences, known = collect(), rows()
    none([] if len(sentences) > 25 else sorted(sentences), "%d sentences are found in the source" % len(sentences))
    none(["%s: %s" % (place, s) for s, place in sorted(sentences.items()) if not has_row(s, known)], "each has its French")
    probe = subprocess.run([unpacked.BUILD + "/san/veille-probe", "catalog"], capture_output=True, text=True)
    rules = [r for c in json.loads(probe.stdout)["checks"] for r in c["rules"]]
    none([r["name"] for r in rules if r["text"] not in known or r["clears"] not in known] if len(rules) > 200 else [len(rules)],
         "each of the %d rules of the catalogue, too" % len(rules))
    none([r["name"] for r in rules if not r["text"].strip() or not r["clears"].strip()], "no rule without a sentence or without an end")


main()
