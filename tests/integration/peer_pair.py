#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""Two hosts with real brains and veille-peers on loopback: keys, pairing by a person and by the configuration, heartbeats to be seen
everywhere; strangers, wrong and removed keys, bodies that are too large, cut or rubbish; an alert that no sink takes is delivered by the
peer, once, marked, and kept until then; the dead man's switch is held while the brain judges and let go when it does not."""

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from peer_hosts import Host, Notes, until  # noqa: E402
from tap import none  # noqa: E402

SAN = unpacked.BUILD + "/san/"
PEERS = "[peers]\nlisten = 127.0.0.1:%d\ninterval = 1s\nsilent_after = 6s\n"
HOOK = "[contact oncall]\nsinks = hook\nlanguage = %s\n[sink hook]\ntype = webhook\nurl = http://127.0.0.1:%d/%s\ntimeout = 5s\n"


class World:
    def __init__(self, directory):
        self.dir, self.notes = directory, Notes()
        self.port_a, self.port_b, self.dead = unpacked.free_port(), unpacked.free_port(), unpacked.free_port()
        for name in "ab":
            os.mkdir(directory + "/" + name)
        self.deadman = "[deadman]\nurl = http://127.0.0.1:%d/alive\ninterval = 5s\n" % self.notes.port
        self.config_a = PEERS % self.port_a + HOOK % ("en", self.dead, "a") + self.deadman
        self.config_b = PEERS % self.port_b + HOOK % ("fr", self.notes.port, "b")
        self.a = Host(directory + "/a", "alpha", SAN, self.config_a)
        self.b = Host(directory + "/b", "beta", SAN, self.config_b)

    def logs(self):
        return [h.name + " " + p + ": " + h.log(p) for h in (self.a, self.b) for p in ("veille-peer", "veilled")]


def request(port, method, path, body, cert=None, key=None):
    """(status, answer) of a request with this key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert:
        context.load_cert_chain(cert, key)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as e:
        return 0, repr(e)
    finally:
        connection.close()


def make_cert(path, key=None):
    """Of a key that is there, or of a new one."""
    words = ["-key", key] if key else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path + ".key"]
    subprocess.run(["openssl", "req", "-x509", "-subj", "/CN=test", "-days", "2", "-out", path + ".crt"] + words, check=True, capture_output=True)
    return path + ".crt", key or path + ".key"


def heartbeat(boot, seq, **more):
    return json.dumps(dict({"v": 1, "host": "alpha", "boot": boot, "seq": seq, "health": "green", "why": "", "age_s": 0.5, "silent": False,
                            "worst": [], "levels": {}}, **more))


def test_keys(w):
    problems = []
    prints = [h.fingerprint() for h in (w.a, w.b)]
    for h, text in zip((w.a, w.b), prints):
        mode = stat.S_IMODE(os.stat(h.state + "/peer/key.pem").st_mode)
        if mode != 0o600 or stat.S_IMODE(os.stat(h.state + "/peer").st_mode) != 0o700:
            problems.append(["mode", oct(mode)])
        if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", text):
            problems.append(text)
    der = subprocess.run(["openssl", "pkey", "-in", w.a.state + "/peer/key.pem", "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
    sha = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True).stdout
    b64 = subprocess.run(["openssl", "base64"], input=sha, capture_output=True, check=True).stdout.decode().strip().rstrip("=")
    if prints[0] != "SHA256:" + b64 or prints[0] == prints[1]:
        problems.append([prints, b64])
    w.a.stop("veille-peer")
    w.a.start("veille-peer")
    if w.a.fingerprint() != prints[0]:
        problems.append("another key after a restart")
    none(problems, "each host has a key of its own, readable by nobody else, whose fingerprint is what openssl says and stays")
    os.chmod(w.a.state + "/peer/key.pem", 0o644)
    w.a.stop("veille-peer")
    done = subprocess.run([SAN + "veille-peer"] + w.a.options, capture_output=True, text=True, timeout=60)
    os.chmod(w.a.state + "/peer/key.pem", 0o600)
    w.a.start("veille-peer")
    none([] if done.returncode == 1 and "no secret any more" in done.stderr else [done], "a key that others may read is refused")


def test_pairing(w):
    a, b = w.a.fingerprint(), w.b.fingerprint()
    out, status = w.a.ctl("peer", "pair", "--port", str(w.port_b), "127.0.0.1", given="no\n")
    problems = [] if status == 3 and a in out and b in out and not w.a.peer("beta") else [out, status]
    out, status = w.a.ctl("peer", "pair", "--port", str(w.port_b), "--fingerprint", a, "127.0.0.1")
    if status != 3 or "not that one" not in out or w.a.peer("beta"):
        problems.append([out, status])
    none(problems, "without yes, or with a fingerprint that does not fit, nothing is paired")
    out, status = w.a.ctl("peer", "pair", "--port", str(w.port_b), "127.0.0.1", given="yes\n")
    seen = until(lambda: w.a.peer_state("beta") == "removed")
    pending = until(lambda: w.b.json("peer", "list", "--json").get("pending"))
    good = status == 0 and seen and pending and pending[0]["fingerprint"] == a
    none([] if good else [out, status, w.a.peer("beta"), pending], "paired on one side only: that side says so, the other shows who asks")
    # Configuration management carries the other one.
    w.b.config(w.config_b + "[peer alpha]\naddress = 127.0.0.1\nport = %d\nfingerprint = %s\n" % (w.port_a, a))
    w.b.tell("veille-peer", signal.SIGHUP)
    good = until(lambda: w.a.peer_state("beta") == "up" and w.b.peer_state("alpha") == "up")
    none([] if good else [w.a.peer("beta"), w.b.peer("alpha")] + w.logs(), "paired on both, one by a person and one by the configuration: each hears the other")
    out, status = w.b.ctl("peer", "remove", "alpha")
    none([] if status == 3 and "in the configuration" in out else [out, status], "what the configuration says is not removed by command")


def test_seen(w):
    w.b.edac("ce_count", "0")
    status = until(lambda: [d for d in [w.a.json("status", "--json")] if d.get("peers") and d["peers"][0]["state"] == "up"])
    peer = status[0]["peers"][0] if status else {}
    component = until(lambda: w.a.component("peer/beta").get("level") == "ok") and w.a.component("peer/beta")
    problems = [] if peer.get("health") in ("green", "yellow") and component else [peer, component]
    out, _ = w.a.ctl("status")
    if "peer beta: up, heard" not in out:
        problems.append(out)
    port = unpacked.free_port()
    log = open(w.dir + "/web.log", "ab")
    web = subprocess.Popen([SAN + "veille-web", "--listen", "127.0.0.1:%d" % port] + w.a.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def get(path):
            try:
                return urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=30).read().decode()
            except OSError:
                return ""
        metrics = until(lambda: [m for m in [get("/metrics")] if "veille_peer_up{" in m]) or [""]
        lines = [line for line in metrics[0].splitlines() if line.startswith("veille_peer_")]
        if not any(line.startswith("veille_peer_up{") and 'instance="beta"' in line and line.endswith(" 1") for line in lines) or not any(
                line.startswith('veille_peer_silence{') and 'kind="host-dead"' in line and line.endswith(" 0") for line in lines):
            problems.append(lines)
        page = get("/")
        if 'id="peers"' not in page or ">beta<" not in page:
            problems.append(page[-3000:])
    finally:
        web.kill()
        web.wait()
    none(problems, "the peer is in veillectl status, status.json, the metrics and on the page")


def test_strangers(w):
    stranger, own = make_cert(w.dir + "/stranger"), make_cert(w.dir + "/alpha", w.a.state + "/peer/key.pem")
    boot = "0123456789abcdef" * 2
    problems = []
    for name, key in (("no key", (None, None)), ("unknown key", stranger)):
        for path in ("/v1/heartbeat", "/v1/letter", "/"):
            status, text = request(w.port_b, "POST", path, heartbeat(boot, 1), *key)
            if status != 403:
                problems.append([name, path, status, text])
    none(problems, "without a known key nothing is done")
    before = w.b.peer("alpha")["received"]
    cases = {
        "no JSON": "{", "no object": "[]", "another version": heartbeat(boot, 1, v=2), "no boot": heartbeat("", 1), "no number": heartbeat(boot, "1"),
        "negative age": heartbeat(boot, 1, age_s=-1), "unknown health": heartbeat(boot, 1, health="fine"), "long host": heartbeat(boot, 1, host="x" * 200),
        "many worst": heartbeat(boot, 1, worst=[{"component": "x", "level": "ok", "why": ""}] * 9), "bad level": heartbeat(boot, 1, levels={"ok": -1}),
        "NUL": heartbeat(boot, 1, host="a\0b"), "deep": "[" * 20000, "nothing": "", "over 16 KiB": heartbeat(boot, 1, more="x" * 20000),
    }
    for name, body in cases.items():
        status, text = request(w.port_b, "POST", "/v1/heartbeat", body, *own)
        if status != 400:
            problems.append([name, status, text])
    for name, body in {"no JSON": "}", "no message": json.dumps({"v": 1, "id": boot}), "no id": json.dumps({"v": 1, "id": "x", "message": {}})}.items():
        status, text = request(w.port_b, "POST", "/v1/letter", body, *own)
        if status != 400:
            problems.append(["letter", name, status, text])
    status, text = request(w.port_b, "POST", "/v1/letter", "x" * (2 << 20), *own)
    if status not in (413, 0):
        problems.append(["2 MiB", status, text])
    for method, path, wanted in (("GET", "/v1/heartbeat", 404), ("POST", "/v1/else", 404), ("GET", "/v1/hello", 200), ("DELETE", "/", 404)):
        status, text = request(w.port_b, method, path, None, *own)
        if status != wanted:
            problems.append([method, path, status, text])
    after = w.b.peer("alpha")
    if "veille-peer" not in w.b.processes or w.b.processes["veille-peer"].poll() is not None:
        problems.append(w.b.log("veille-peer"))
    none(problems, "bodies that are rubbish, cut, too large or of another version are refused with a sentence, by a program that goes on")
    # What was sent before does not count again, whoever sends it.
    results = [request(w.port_b, "POST", "/v1/heartbeat", heartbeat(boot, seq), *own)[0] for seq in (5, 5, 4)]
    old = w.b.peer("alpha").get("old", 0) - after.get("old", 0)
    none([] if results == [200] * 3 and old >= 2 and after["received"] >= before else [results, old, w.b.peer("alpha")],
        "a heartbeat that came before, or an older one, is told from a new one")
    # That stranger's boot replaced alpha's, which now counts as an old one: as after a copy of a host ran. A new boot of alpha heals it.
    state = until(lambda: w.b.peer_state("alpha") == "up" and w.b.peer("alpha").get("old", 0) > after.get("old", 0) + 2)
    w.a.stop("veille-peer")
    os.unlink(w.a.run + "/peer-boot")
    w.a.start("veille-peer")
    good = state and until(lambda: w.b.peer_state("alpha") == "up" and w.a.peer_state("beta") == "up")
    none([] if good else [state, w.b.peer("alpha")], "heartbeats of a boot that is over do not count; those of a new boot do")


def test_hand_over(w):
    """No sink of alpha works; beta delivers, in the language of its own contact."""
    w.a.edac("ue_count", "1")
    ours = until(lambda: [m for m in w.notes.messages("/b") if m.get("on_behalf") == "alpha"], 90)
    problems = []
    if not ours or ours[0]["level"] != "critical" or not ours[0]["subject"].startswith("au nom de alpha : [alpha]") or "beta transmet ceci" not in ours[0]["body"]:
        problems.append(ours)
    queue = until(lambda: [q for q, _ in [w.a.ctl("notify", "queue")] if "mc0" not in q])
    keys = [h.get("Idempotency-Key") for p, h, b in w.notes.seen if p == "/b" and b"alpha" in b]
    if not queue or not keys or keys[0] != ours[0]["id"]:
        problems.append([w.a.ctl("notify", "queue"), keys])
    time.sleep(3)
    ids = [m["id"] for m in w.notes.messages("/b") if m.get("on_behalf") == "alpha" and m["component"] == "mc0"]
    if len(ids) != len(set(ids)):
        problems.append(ids)
    none(problems + (w.logs() if problems else []), "an alert that no sink takes is delivered by the peer, marked, with its id, once")


def test_kept(w):
    """The peer is away, too: ours waits, and goes out when the peer is back."""
    w.b.stop("veille-peer")
    until(lambda: w.a.peer_state("beta") == "agent-dead")
    good = until(lambda: "peer-agent-dead" in w.a.rules("peer/beta"))
    none([] if good else [w.a.component("peer/beta"), w.a.peer("beta")], "a peer whose veille-peer ended is an alert here: agent-dead")
    good = until(lambda: any("veille-peer does not run here" in r["text"] for r in w.b.component("veille").get("reasons", [])))
    none([] if good else [w.b.component("veille")], "where peers are known and veille-peer does not run, that is said there")
    ours = lambda: [m for m in w.notes.messages("/b") if m.get("on_behalf") == "alpha"]  # noqa: E731
    before = len(ours())
    w.a.edac("ue_count", "0")
    waits = until(lambda: [q for q, _ in [w.a.ctl("notify", "queue")] if "mc0" in q], 90)
    problems = [] if waits and len(ours()) == before else [waits]
    w.a.stop("veilled", signal.SIGKILL)
    w.a.start("veilled")
    w.b.start("veille-peer")
    told = until(lambda: [m for m in ours()[before:] if "mc0" in m["body"]], 120)
    empty = until(lambda: [1 for q, s in [w.a.ctl("notify", "queue")] if s == 0 and "alpha" not in q], 90)
    none(problems + ([] if told and empty else [told, w.a.ctl("notify", "queue")] + w.logs()),
        "what nobody takes waits over kill -9 of the brain, and is delivered when the peer is back")


def test_deadman(w):
    count = lambda: len([1 for path, _, _ in w.notes.seen if path == "/alive"])  # noqa: E731
    good = until(lambda: count() >= 2)
    w.a.tell("veilled", signal.SIGSTOP)
    time.sleep(3)  # what was on its way has come
    before = count()
    time.sleep(12)
    held = count() == before
    w.a.tell("veilled", signal.SIGCONT)
    back = until(lambda: count() > before)
    none([] if good and held and back else [good, held, back, count()], "the dead man's switch is held by a living brain, and by no other")
    w.a.stop("veilled")
    names = [c["name"] for c in json.loads(subprocess.run([SAN + "veille-probe", "catalog"], capture_output=True, text=True, check=True).stdout)["checks"]]
    config = w.config_a.replace("[check edac]\ninterval = 1s\n", "")
    with open(w.a.dir + "/veille.conf", "w") as f:
        f.write("[host]\nname = alpha\n" + config + "".join("[check %s]\nenabled = no\n" % n for n in names))
    before = count()
    w.a.start("veilled")
    alive = until(lambda: w.a.json("status", "--json").get("silent") is False)
    time.sleep(8)
    none([] if alive and count() == before else [alive, count(), before], "a brain that judges nothing does not hold it, though its timers turn")
    w.a.stop("veilled")
    w.a.config(w.config_a)
    w.a.start("veilled")


class FakePeer:
    """Speaks TLS with a key, and answers what it is told to."""

    def __init__(self, port, cert, key, answer):
        handler = type("Handler", (http.server.BaseHTTPRequestHandler,), {"do_POST": self.post, "log_message": lambda *_: None})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.answer, self.asked = answer, 0
        self.server = type("Server", (http.server.ThreadingHTTPServer,), {"daemon_threads": True, "handle_error": lambda *_: None})(("127.0.0.1", port), handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        FakePeer.now = self

    @staticmethod
    def post(handler):
        handler.rfile.read(int(handler.headers["Content-Length"]))
        FakePeer.now.asked += 1
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + FakePeer.now.answer)
        except OSError:
            pass
        handler.close_connection = True

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def test_wrong_key(w):
    w.b.stop("veille-peer")
    fake = FakePeer(w.port_b, *make_cert(w.dir + "/swapped"), b"{}")
    good = until(lambda: "peer-key-changed" in w.a.rules("peer/beta"))
    why = w.a.component("peer/beta").get("why", "")
    fake.end()
    none([] if good and fake.asked == 0 and "another key" in why else [good, fake.asked, w.a.component("peer/beta")],
        "another key at its address: an alert of its own, and nothing is said to it")
    own = make_cert(w.dir + "/beta", w.b.state + "/peer/key.pem")
    problems = []
    for answer in (b"", b"{", b"[]", b'{"v":1,"ok":true,"heartbeat":{"v":1}}', b'{"v":1,"ok":true,"text":"' + b"x" * 5000 + b'"}', b"x" * 200000, b"\0" * 100):
        fake = FakePeer(w.port_b, *own, answer)
        if not until(lambda: fake.asked > 1 and w.a.peer_state("beta") != "up"):  # the last good one is old now
            problems.append(["not asked", answer[:40]])
        asked = fake.asked
        until(lambda: fake.asked > asked + 1)
        if w.a.peer_state("beta") == "up":
            problems.append(["up", answer[:40]])
        fake.end()
    if w.a.processes["veille-peer"].poll() is not None:
        problems.append(w.a.log("veille-peer"))
    none(problems, "rubbish as an answer, with the right key, is no heartbeat")
    w.b.start("veille-peer")
    good = until(lambda: w.a.peer_state("beta") == "up" and not w.a.rules("peer/beta"))
    none([] if good else [w.a.peer("beta"), w.a.component("peer/beta")], "the right host is back: all is well again")


def test_removed(w):
    w.b.config(w.config_b)
    w.b.tell("veille-peer", signal.SIGHUP)
    good = until(lambda: "peer-removed" in w.a.rules("peer/beta"))
    none([] if good else [w.a.component("peer/beta"), w.a.peer("beta")], "removed there: an alert of its own here")
    out, status = w.a.ctl("peer", "remove", "beta")
    gone = until(lambda: not w.a.component("peer/beta") and not w.a.json("status", "--json").get("peers"))
    none([] if status == 0 and gone and not w.a.peer("beta") else [out, w.a.component("peer/beta")], "removed here too: nothing is missed any more")


def test_secret(w):
    """The key is in no file but its own, and in nothing that people are shown."""
    problems = []
    for h in (w.a, w.b):
        with open(h.state + "/peer/key.pem") as f:
            secret = f.read().splitlines()[1]
        report = h.ctl("report", "--output", h.dir + "/report.tar")
        texts = {"list": h.ctl("peer", "list", "--json")[0]}
        if not os.path.exists(h.dir + "/report.tar"):
            problems.append(report)
        for top, _, names in os.walk(h.dir):
            for name in names:
                path = top + "/" + name
                if name != "key.pem" and stat.S_ISREG(os.stat(path).st_mode):
                    with open(path, errors="replace") as f:
                        texts[path] = f.read()
        problems += [path for path, text in texts.items() if secret in text]
        if len(texts) < 8:
            problems.append(sorted(texts))
    none(problems, "the private keys are nowhere but in their files")


def main():
    directory = tempfile.mkdtemp(prefix="veille-peer-")
    os.chmod(directory, 0o755)
    w = World(directory)
    try:
        for h in (w.a, w.b):
            h.start("veille-peer", "veilled")
        for test in (test_keys, test_pairing, test_seen, test_strangers, test_hand_over, test_kept, test_deadman, test_wrong_key, test_removed, test_secret):
            test(w)
        status = [h.stop(p) for h in (w.a, w.b) for p in ("veille-peer", "veilled")]
        none([] if status == [0] * 4 else [status] + w.logs(), "all end in order, with nothing for the sanitizers to say")
    finally:
        w.a.end()
        w.b.end()
        shutil.rmtree(directory)


main()
