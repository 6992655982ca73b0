#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 170
"""People are told: a real brain sees memory errors on a made-up host and tells it by webhook, by a script written for smartd and by
mail, and feeds an Alertmanager's API; acknowledged, silenced, resolved; a sink that is down gets it later; kill -9 of the brain
and a reboot lose and repeat nothing; no secret is anywhere."""

import hashlib
import hmac
import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

SAN = unpacked.BUILD + "/san/"
SECRET, TOKEN = "hmac-key-of-the-test-5f0a", "bearer-of-the-test-91cc"

CONFIG = """
[host]
name = mx1
[alert]
escalate_after = 1h
[contact oncall]
sinks = hook script
language = fr
[contact paper]
sinks = mail
level = critical
[sink hook]
type = webhook
url = http://127.0.0.1:%(http)d/hook?secret-of-url=73d1
template_file = %(dir)s/template.json
secret_file = %(dir)s/secret
token_file = %(dir)s/token
timeout = 5s
[sink script]
type = exec
command = %(dir)s/smartd-script %(dir)s/script.out
timeout = 5s
[sink mail]
type = mail
relay = smtp://127.0.0.1:%(dead)d smtp://127.0.0.1:%(smtp)d
to = ann@example.org bob@example.org
tls = none
timeout = 10s
[sink am]
type = alertmanager
url = http://127.0.0.1:%(http)d
timeout = 5s
[check edac]
interval = 1s
"""

# As the example in smartd.conf(5): reads the message from standard input and believes in SMARTD_*.
SCRIPT = """#!/bin/sh
cat > "$1.msg"
echo "$SMARTD_FAILTYPE|$SMARTD_ADDRESS|$SMARTD_DEVICESTRING|$SMARTD_SUBJECT|$SMARTD_MESSAGE|$VEILLE_WHAT|$VEILLE_ATTEMPT" >> "$1"
"""


class World:
    """What the sinks got."""

    def __init__(self):
        self.hooks, self.alerts, self.mails, self.status = [], {}, [], 200
        self.bad_label = None


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body, world = self.rfile.read(int(self.headers["Content-Length"])), self.server.world
        status = 200
        if self.path.startswith("/hook"):
            status = world.status
            world.hooks.append((dict(self.headers), body, status))
        elif self.path == "/api/v2/alerts":
            for alert in json.loads(body):
                if world.bad_label and world.bad_label in alert["labels"].values():
                    status = 400  # and the rest is taken, as Alertmanager does it
                else:
                    world.alerts[json.dumps(alert["labels"], sort_keys=True)] = alert
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        mail = {"rcpt": [], "data": b""}
        self.wfile.write(b"220 test\r\n")
        while True:
            line = self.rfile.readline()
            word = line[:4].upper()
            if not line or word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                for data in self.rfile:
                    if data == b".\r\n":
                        break
                    mail["data"] += data
                self.server.world.mails.append(mail)
                self.wfile.write(b"250 2.0.0 queued as TEST1\r\n")
                continue
            if word == b"RCPT":
                mail["rcpt"].append(line.decode().strip())
            self.wfile.write(b"250 ok\r\n")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class MailServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = allow_reuse_address = True


class Host:
    def __init__(self, directory):
        self.dir, self.run, self.world, self.brain, self.store = directory, directory + "/run", World(), None, None
        self.http = Server(("127.0.0.1", 0), Web)
        self.smtp = MailServer(("127.0.0.1", 0), Mail)
        for server in (self.http, self.smtp):
            server.world = self.world
            threading.Thread(target=server.serve_forever, daemon=True).start()
        os.makedirs(directory + "/root/sys/devices/system/edac/mc/mc0")
        os.makedirs(directory + "/root/proc/self")
        open(directory + "/root/proc/self/mountinfo", "w").close()
        os.mkdir(self.run)
        self.edac("mc_name", "made up")
        self.edac("ce_count", "0")
        self.edac("ue_count", "0")
        values = {"http": self.http.server_address[1], "smtp": self.smtp.server_address[1], "dead": unpacked.free_port(), "dir": directory}
        for name, text, mode in (("veille.conf", CONFIG % values, 0o644), ("secret", SECRET + "\n", 0o600), ("token", TOKEN + "\n", 0o600),
                                 ("smartd-script", SCRIPT, 0o755),
                                 ("template.json", '{"title":"{subject}","text":"{body}","priority":"{priority}","all":"{message}"}', 0o644)):
            with open(directory + "/" + name, "w") as f:
                f.write(text)
            os.chmod(directory + "/" + name, mode)
        self.options = ["--root", directory + "/root", "--config", directory + "/veille.conf", "--run", self.run, "--state", directory + "/state"]

    def edac(self, name, value):
        path = self.dir + "/root/sys/devices/system/edac/mc/mc0/" + name
        with open(path + ".new", "w") as f:
            f.write(value + "\n")
        os.rename(path + ".new", path)

    def start(self):
        log = open(self.dir + "/veilled.log", "ab")
        self.brain = subprocess.Popen([SAN + "veilled"] + self.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_store(self):
        log = open(self.dir + "/store.log", "ab")
        os.makedirs(self.dir + "/state", exist_ok=True)
        self.store = subprocess.Popen([SAN + "veille-store"] + self.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: os.path.exists(self.run + "/store.sock"))

    def stop(self, number):
        self.brain.send_signal(number)
        self.brain.wait(30)

    def reboot(self):
        """Power is cut: nothing is left of RUN, and of the store what is on the disk."""
        self.stop(signal.SIGKILL)
        self.store.kill()
        self.store.wait()
        shutil.rmtree(self.run)
        os.mkdir(self.run)
        self.start_store()
        self.start()

    def ctl(self, *words, program=SAN + "veillectl"):
        done = subprocess.run([program] + list(words) + self.options, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode

    def script(self):
        try:
            with open(self.dir + "/script.out") as f:
                return f.read().splitlines()
        except OSError:
            return []

    def hook_messages(self):
        return [json.loads(body) for _, body, status in self.world.hooks if status == 200]


def until(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    return what()


def test_before(host):
    def running():
        out, status = host.ctl("alerts")
        return status == 0 and "nothing is open" in out
    none([] if until(running) else [host.ctl("alerts")], "without trouble nothing is open")
    out, status = host.ctl("test-alert")
    problems = [out] if status or out.count("taken:") != 3 or "queued as TEST1" not in out else []
    if len(host.world.mails) != 1 or b"X-Veille-Attempt: 1" not in host.world.mails[0]["data"] or len(host.world.mails[0]["rcpt"]) != 2:
        problems.append([str(m) for m in host.world.mails])
    none(problems, "test-alert goes through every sink and shows its answer; the second relay takes the mail when the first is dead")
    if "EmailTest|root" not in "".join(host.script()):
        none(host.script(), "the script knows a test")


def test_critical(host):
    host.edac("ue_count", "1")
    messages = until(lambda: [m for m in host.hook_messages() if "CRITIQUE" in m["title"]])
    headers, body, _ = host.world.hooks[-1]
    wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    problems = []
    if not messages or messages[0]["priority"] != 5 or messages[0]["all"]["level"] != "critical" or "mémoire" not in messages[0]["title"]:
        problems.append(messages)
    if headers.get("X-Veille-Signature") != wanted or headers.get("Authorization") != "Bearer " + TOKEN or not headers.get("Idempotency-Key"):
        problems.append(headers)
    none(problems, "the webhook gets it in French, from the template, signed, with token and key")
    until(lambda: len(host.script()) > 1 and len(host.world.mails) > 1)
    line = (host.script() or [""])[-1].split("|")
    problems = [] if len(line) == 7 and line[0] == "Health" and "CRITIQUE" in line[3] and line[5] == "new" and line[6] == "1" else [line]
    if "Que faire" not in open(host.dir + "/script.out.msg").read():
        problems.append("no message on standard input")
    none(problems, "a script written for smartd runs unchanged")
    data = host.world.mails[-1]["data"].decode()
    none([] if "Subject: [mx1] CRITICAL" in data and "What to do" in data and "Auto-Submitted" in data else [data], "the mail says it in English")
    alert = until(lambda: [a for a in host.world.alerts.values() if a["labels"]["severity"] == "critical"])
    none([] if alert and alert[0]["labels"]["host"] == "mx1" and alert[0]["endsAt"] > alert[0]["startsAt"] else [host.world.alerts],
        "Alertmanager has it")
    out, status = host.ctl("alerts")
    none([] if status == 2 and "oncall" in out and "paper" in out else [out, status], "veillectl alerts shows who was told")


def first(lines):
    """Without the copies that are marked as such: killed at the wrong moment the brain cannot know that a sink has taken it."""
    return len([line for line in lines if "attempt 1" in line])


def counts(host):
    """Messages about the memory: that a sink is down is told, too."""
    return (len({m["all"]["id"] for m in host.hook_messages() if m["all"]["component"] == "mc0"}),
            first("attempt " + line.split("|")[-1] for line in host.script() if "|mc0|" in line),
            first(m["data"].decode().replace("X-Veille-Attempt: ", "attempt ") for m in host.world.mails
                  if b" mc0" in m["data"].split(b"\r\n\r\n")[0]))


def test_killed(host):
    before = counts(host)
    for _ in range(3):
        host.stop(signal.SIGKILL)
        host.start()
        until(lambda: "mc0" in host.ctl("alerts", "--all")[0])
        time.sleep(2.5)
    none([] if counts(host) == before else [before, counts(host)], "kill -9 of the brain: nothing is told again")
    # Dies while the sink is down: the message waits over it.
    host.world.status = 503
    host.ctl("silence", "add", "nothing", "1h", "only to have one")
    host.edac("ue_count", "0")
    until(lambda: any(status == 503 and json.loads(body)["all"]["component"] == "mc0" for _, body, status in host.world.hooks), 60)
    host.stop(signal.SIGKILL)
    tried = len(host.world.hooks)
    host.start()
    until(lambda: len(host.world.hooks) > tried)
    out, status = until(lambda: [x for x in [host.ctl("notify", "queue")] if "HTTP 503" in x[0]] or None)[0]
    problems = [] if status == 1 else [out, status]
    host.world.status = 200
    until(lambda: counts(host)[0] > before[0], 60)
    last = [m for m in host.hook_messages() if m["all"]["component"] == "mc0"][-1]
    attempts = [int(h["X-Veille-Attempt"]) for h, _, s in host.world.hooks if h["Idempotency-Key"] == last["all"]["id"]]
    if last["all"]["what"] != "resolved" or attempts[-1] < 2 or len(set(attempts)) != len(attempts):
        problems.append([last["title"], attempts])
    none(problems, "what a sink did not take waits over kill -9 of the brain and comes with the number of its attempt")
    out, _ = host.ctl("silence", "list")
    none([] if "only to have one" in out else [out], "a silence outlives it, too")
    until(lambda: counts(host) == tuple(n + 1 for n in before), 10)
    time.sleep(1)
    after = counts(host)
    none([] if after == tuple(n + 1 for n in before) else [before, after], "each sink heard once that it is over")
    ended = until(lambda: [a for a in host.world.alerts.values() if a["endsAt"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())])
    none([] if ended else [host.world.alerts], "Alertmanager, too")


def test_reboot(host):
    before = counts(host)
    time.sleep(3)  # for the disk: the store writes within a second
    host.reboot()
    out = until(lambda: [o for o in [host.ctl("alerts")[0]] if "mc0" in o])
    time.sleep(4)
    none([] if out and "oncall" in out[0] and "ordered" in out[0] and counts(host) == before else [out, before, counts(host)],
        "a reboot: who was told and who acknowledged is known, nothing is told again")
    host.edac("ue_count", "0")
    until(lambda: counts(host) == tuple(n + 1 for n in before), 50)
    none([] if counts(host) == tuple(n + 1 for n in before) else [before, counts(host)], "its end is told after the reboot")


def test_batch(host):
    """Alertmanager calls a batch bad of which it has stored the good part: the good part must not be lost, nor the bad one sent for ever."""
    facts = [{"rule": rule, "host": "mx1", "component": "sda", "level": "warning", "worst": "warning", "opened": time.time() - 60,
              "since": time.time() - 60, "text": "x", "changes": 1} for rule in ("good-one", "bad-one", "other-good-one")]
    host.world.bad_label = "bad-one"
    request = {"sink": {"type": "alertmanager", "timeout": 5, "url": ["http://127.0.0.1:%d/" % host.http.server_address[1]]}, "alerts": facts}
    done = subprocess.run([SAN + "veille-notify"], input=json.dumps(request), capture_output=True, text=True)
    answer, names = json.loads(done.stdout), [json.loads(labels)["alertname"] for labels in host.world.alerts]
    host.world.bad_label = None
    good = answer["ok"] and "1 of 3 alerts were refused" in answer["text"] and "good-one" in names and "other-good-one" in names
    none([] if good else [answer, names, done.stderr], "a batch that is refused in part: the rest is there, the answer says how many")


def test_quiet(host):
    before = counts(host)
    out, status = host.ctl("maintenance", "1h", "new", "memory")
    problems = [out] if status else []
    host.edac("ue_count", "2")
    until(lambda: host.ctl("status")[1] == 2)
    time.sleep(2)
    if counts(host) != before:
        problems.append("told in maintenance")
    host.ctl("maintenance", "end")
    until(lambda: counts(host) == tuple(n + 1 for n in before))
    if counts(host) != tuple(n + 1 for n in before):
        problems.append([before, counts(host)])
    none(problems, "maintenance: nothing until its end, then what is wrong")
    out, status = host.ctl("ack", "mc0", "ordered")
    problems = [out] if status else []
    if "ordered" not in host.ctl("alerts")[0]:
        problems.append(host.ctl("alerts")[0])
    out, status = host.ctl("ack", "sdz")
    if status != 3 or "no open alert" not in out:
        problems.append(out)
    none(problems, "acknowledged, with a reason")


def test_secrets(host):
    problems = []
    for top, _, names in os.walk(host.run):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    text = f.read()
                problems += [path for word in (SECRET, TOKEN, "secret-of-url") if word.encode() in text]
    with open(host.dir + "/veilled.log") as f:
        text = f.read()
    problems += ["veilled.log has " + word for word in (SECRET, TOKEN, "secret-of-url") if word in text]
    if "Sanitizer" in text:
        problems.append(text[-1500:])
    none(problems, "no secret in RUN or the log")


def main():
    with tempfile.TemporaryDirectory(prefix="veille-alerts-") as directory:
        host = Host(directory)
        host.start_store()
        host.start()
        try:
            test_before(host)
            test_critical(host)
            test_killed(host)
            test_quiet(host)
            test_batch(host)
            test_reboot(host)
        finally:
            host.stop(signal.SIGTERM)
            host.store.terminate()
            host.store.wait(30)
        test_secrets(host)


if __name__ == "__main__":
    main()
