#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""The status page as the real veille-web serves it, in real headless Chromium: at a desk and at the width of a phone, light and
dark, of a sick, a well, a large, a hostile, a new and a silent host. The pictures lie in BUILD/screenshots."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from tap import none

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from browser import BROWSER, Browser  # noqa: E402

SHOTS = unpacked.BUILD + "/screenshots"
DESK, PHONE = (1280, 900), (390, 844)
WRONG = ("/var/mail", "full in about 9 hours", "Since", "Clears", "the trend of the last day", "redundancy would carry its loss")
TESTED = ("Self-tests of disks", "1 failed", "long test failed", "waits: the array md1 is rebuilding", "one runs since", "long test: never seen")
NASTY = "<script>alert(1)</script>"

# name, arguments of make_run.py, text that must be there, text that must not, least number of plots
HOSTS = (
    ("sick", ["--disks", "4"], WRONG + ("This host is in trouble.", "What is wrong", "What happened", "1 critical") + TESTED, ("Nobody knows",), 6),
    ("well", ["--scenario", "well"], ("This host is well.", "All components", "The last days", "Self-tests of disks", "8 passed"), ("What is wrong", "critical"), 6),
    ("large", ["--disks", "12", "--sensors", "200", "--alike", "12", "--each-sensor"], WRONG + ("and 9 more",), (), 6),
    ("nasty", ["--scenario", "nasty"], (NASTY, "This host is in trouble."), (), 6),
    ("new", ["--scenario", "empty"], ("None has been found yet",), ("What is wrong",), 0),
    ("silent", ["--age", "200"], ("Nobody knows how this host is.", "silent for 3 min", "What was wrong before", "was critical", "before the silence"),
     ("What is wrong", "is well"), 6),
)

# Everything visible that reaches out of the page to the right, or lies on top of a narrower parent.
OVERFLOW = """[...document.body.querySelectorAll('*')].filter(e => !e.closest('svg,.hidden,thead') && e.getClientRects().length &&
  getComputedStyle(e).position != 'absolute' && (e.getBoundingClientRect().right > innerWidth + .5 || e.scrollWidth > e.clientWidth + 1 &&
  getComputedStyle(e).display != 'inline')).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))"""

# Text whose contrast with what is behind it is below 4.5 (WCAG AA).
CONTRAST = """(() => {
  const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number), lin = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const lum = c => .2126 * lin(c[0]) + .7152 * lin(c[1]) + .0722 * lin(c[2]);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length == 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bad = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let n = 0;
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, svg = e.closest('svg');
    if (!walk.currentNode.data.trim() || !e.getClientRects().length) continue;
    const a = lum(rgb(svg ? getComputedStyle(e).fill : getComputedStyle(e).color)), b = lum(behind(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    n++;
    if (ratio < 4.5) bad.push(ratio.toFixed(2) + ' ' + e.className + ': ' + walk.currentNode.data.slice(0, 40));
  }
  return [n, bad];
})()"""

# Each plot: its size on the screen, the share of its width that the line spans, is the line drawn in a colour of its own.
PLOTS = """[...document.querySelectorAll('svg.plot')].map(s => { const b = s.getBoundingClientRect(), l = s.querySelector('polyline, .plot-line'),
  t = s.querySelector('text'), r = l && l.getBoundingClientRect();
  return { width: b.width, height: b.height, line: r ? r.width / b.width : 0, stroke: l ? getComputedStyle(l).stroke : '',
           back: getComputedStyle(s.closest('figure')).backgroundColor, text: t ? t.getBoundingClientRect().height : 0, label: s.getAttribute('aria-label') }; })"""


def picture_colours(png):
    """How many different rows a PNG has: a page that was drawn has many."""
    pos, data = 8, b""
    width, height = struct.unpack(">II", png[16:24])
    while pos < len(png):
        size, kind = struct.unpack(">I4s", png[pos:pos + 8])
        if kind == b"IDAT":
            data += png[pos + 8:pos + 8 + size]
        pos += 12 + size
    raw = zlib.decompress(data)
    stride = len(raw) // height
    return width, height, len({raw[i * stride:(i + 1) * stride] for i in range(height)})


def check_layout(browser, phone, plots_wanted):
    problems = ["console: " + c for c in browser.complaints]
    size = browser.ask("[document.documentElement.scrollWidth, innerWidth]")
    if size[0] > size[1]:
        problems.append("%d wide on a screen of %d" % tuple(size))
    problems += ["overflows: " + o for o in browser.ask(OVERFLOW)]
    texts, faint = browser.ask(CONTRAST)
    if texts < 15:
        problems.append("only %d texts" % texts)
    problems += ["faint: " + f for f in faint]
    plots = browser.ask(PLOTS)
    if len(plots) < plots_wanted:
        problems.append("%d plots" % len(plots))
    for p in plots:
        if p["width"] < 250 or p["height"] < 80 or p["text"] < 9 or p["stroke"] in ("", "none", p["back"]) or " of " not in p["label"]:
            problems.append(p)
    if sum(p["line"] > 0.5 for p in plots) < plots_wanted - 1:
        problems.append("lines span too little: %s" % [p["line"] for p in plots])
    if phone and browser.ask("Math.min(...[...document.querySelectorAll('p,dd,td,li,summary')].map(e => parseFloat(getComputedStyle(e).fontSize)))") < 12:
        problems.append("text smaller than 12 px")
    return problems


def check_text(browser, must, must_not):
    text = browser.ask("document.body.innerText")
    problems = ["no '%s'" % m for m in must if m.lower() not in text.lower().replace("\n", " ")]
    problems += ["'%s'" % m for m in must_not if m in text]
    if browser.ask("document.querySelectorAll('script, [onclick], [onload], [onerror], iframe, img, link[rel=stylesheet]').length"):
        problems.append("something that runs or is loaded")
    return problems


def check_order(browser):
    """What is wrong is on the first screen, then the last days, then everything."""
    places = browser.ask("['wrong','plots','events','all','selftests','checks'].map(i => { const e = document.getElementById(i); return e && e.getBoundingClientRect().top; })")
    known = [p for p in places if p is not None]
    card = browser.ask("(e => e && e.getBoundingClientRect().bottom)(document.querySelector('#wrong ~ .cards article'))")
    problems = [] if known == sorted(known) else ["order %s" % places]
    if places[0] is not None and not (card and card < browser.ask("innerHeight")):
        problems.append("the first card ends at %s" % card)
    return problems


def check_folds(browser):
    """Each fold opens by a click, and what was in it can then be read: without script."""
    problems = browser.ask("""[...document.querySelectorAll('details:not([open])')].slice(0, 20).map(d => {
      d.querySelector('summary').click(); const inside = d.children[1];
      return d.open && inside && inside.getBoundingClientRect().height > 10 ? null : d.textContent.slice(0, 60); }).filter(p => p)""")
    return problems + ["after unfolding overflows: " + o for o in browser.ask(OVERFLOW)]


def visit(browser, url, host):
    name, _, must, must_not, plots = host
    for kind, (width, height) in (("desk", DESK), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            phone = kind == "phone"
            browser.look(width, height, dark=scheme == "dark", phone=phone)
            browser.open(url)
            problems = check_text(browser, must, must_not) + check_layout(browser, phone, plots) + check_order(browser)
            shape = picture_colours(browser.screenshot("%s/%s-%s-%s.png" % (SHOTS, name, kind, scheme)))
            if shape[0] != width * (2 if phone else 1) or shape[2] < (100 if plots else 60):
                problems.append("picture of %dx%d, %d different rows" % shape)
            problems += check_folds(browser)
            none(problems, "%s host, %s, %s" % (name, kind, scheme))
    browser.look(width, height, script=False)
    browser.open(url)
    none(check_text(browser, must, must_not) + check_layout(browser, True, plots), "%s host, script switched off" % name)


def large_stays_small(browser):
    browser.look(*DESK)
    tall = browser.ask("document.documentElement.scrollHeight") / browser.ask("innerHeight")
    cards = browser.ask("document.querySelectorAll('#wrong ~ .cards article').length")
    none([] if tall < 6 and cards <= 6 else [tall, cards], "12 sick disks and 200 sensors: %.1f screens, %d cards" % (tall, cards))


def main():
    if not shutil.which(BROWSER):
        unpacked.skip("the page in Chromium", "no " + BROWSER)
    os.makedirs(SHOTS, exist_ok=True)
    browser = Browser()
    web = None
    with tempfile.TemporaryDirectory(prefix="veille-page-") as directory:
        try:
            for host in HOSTS:
                run = directory + "/" + host[0]
                subprocess.run([sys.executable, "tests/fixtures/make_run.py", run, "--probe", unpacked.BUILD + "/veille-probe"] + host[1], check=True)
                address = "127.0.0.1:%d" % unpacked.free_port()
                web = subprocess.Popen([unpacked.BUILD + "/san/veille-web", "--config", directory + "/none", "--run", run, "--listen", address],
                                       stdin=subprocess.DEVNULL)
                unpacked.wait_for("an answer of veille-web", 20, lambda: subprocess.run(
                    ["curl", "-s", "-o", "/dev/null", "http://%s/" % address]).returncode == 0)
                visit(browser, "http://%s/" % address, host)
                if host[0] == "large":
                    browser.open("http://%s/" % address)
                    large_stays_small(browser)
                web.terminate()
                none([] if web.wait(timeout=20) == 0 else [web.returncode], "%s host: veille-web ends well" % host[0])
        finally:
            browser.close()
            if web and web.poll() is None:
                unpacked.end([web])


main()
