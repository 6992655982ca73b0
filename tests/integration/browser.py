# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium for tests, spoken to over its DevTools pipe (JSON documents that end in NUL): nothing but the package."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

BROWSER = "chromium"


def _high(fd):
    """The same pipe end with a number that is out of the way of 3 and 4."""
    new = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(fd)
    return new


class Browser:
    """One browser with one page. Everything that goes wrong on the page is gathered in self.complaints."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="veille-chromium-")
        down_r, down_w = (_high(fd) for fd in os.pipe())
        up_r, up_w = (_high(fd) for fd in os.pipe())

        def handles():
            os.dup2(down_r, 3)
            os.dup2(up_w, 4)

        # Our own page only, in a browser of our own: its sandbox would want user namespaces or a setuid helper.
        self.process = subprocess.Popen(
            [shutil.which(BROWSER) or BROWSER, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
             "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en", "--user-data-dir=" + self.profile, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=handles, pass_fds=(3, 4))
        os.close(down_r)
        os.close(up_w)
        self.out, self.inp = down_w, up_r
        self.buffer, self.next_id, self.session = b"", 0, None
        self.complaints, self.events = [], []
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        target = pages[0]["targetId"] if pages else self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(domain + ".enable")

    def _read(self, until):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.inp], [], [], max(until - time.monotonic(), 0))
            data = os.read(self.inp, 1 << 16) if ready else b""
            if not data:
                raise RuntimeError("the browser ended" if ready else "the browser does not answer")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def _note(self, event):
        method, p = event.get("method"), event.get("params", {})
        self.events.append(method)
        if method == "Runtime.consoleAPICalled":
            self.complaints.append("console: %s" % p["args"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append("exception: %s" % p["exceptionDetails"].get("text"))
        elif method == "Log.entryAdded":
            self.complaints.append("log: %s %s" % (p["entry"].get("text"), p["entry"].get("url", "")))
        elif method == "Network.loadingFailed":
            self.complaints.append("not loaded: %s %s" % (p.get("errorText"), p.get("blockedReason", "")))

    def call(self, method, **params):
        self.next_id += 1
        doc = {"id": self.next_id, "method": method, "params": params}
        if self.session:
            doc["sessionId"] = self.session
        data = json.dumps(doc).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        until = time.monotonic() + 60
        while True:
            answer = self._read(until)
            if answer.get("id") == self.next_id:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self._note(answer)

    def look(self, width, height, dark=False, phone=False, script=True):
        """What kind of screen the page is shown on."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=bool(phone))
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)

    def open(self, url):
        """Loads it and waits until it is there."""
        self.complaints, self.events = [], []
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError("%s: %s" % (url, answer["errorText"]))
        until = time.monotonic() + 30
        while "Page.loadEventFired" not in self.events:
            self._note(self._read(until))
        self.ask("document.title")  # whatever it had to say has been said before this answer

    def ask(self, expression):
        """The value of an expression on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError("%s: %s" % (expression[:80], answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path, whole=True):
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])
        with open(path, "wb") as f:
            f.write(data)
        return data

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        shutil.rmtree(self.profile, ignore_errors=True)
