#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 150
"""The real veille-web against strangers: nothing is served to the outside without TLS and a token; wrong methods, long and broken
requests, slow senders and readers, a thousand connections. Others are served all the while."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

WEB = unpacked.BUILD + "/san/veille-web"
TOKEN = "0123456789abcdef0123456789abcdef"
REQUEST_S, ANSWER_S = 10, 30  # as in agent/web_server.c


def say(problems, name):
    print("not ok - %s: %s" % (name, json.dumps(problems, default=repr)[:1500]) if problems else "ok - " + name)
    sys.stdout.flush()


class Server:
    def __init__(self, directory, run, settings, name):
        self.config, self.log = "%s/%s.conf" % (directory, name), "%s/%s.log" % (directory, name)
        self.port = unpacked.free_port()
        with open(self.config, "w") as f:
            f.write("[web]\n" + settings.replace("PORT", str(self.port)))
        self.process = subprocess.Popen([WEB, "--config", self.config, "--run", run], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.log, "wb"))

    def wait(self):
        unpacked.wait_for("veille-web at %d" % self.port, 30, lambda: self.process.poll() is not None or self.connects())

    def connects(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def connect(self, source=None, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout, source_address=(source, 0) if source else None)

    def ask(self, data, source=None, timeout=10):
        """Sends bytes and reads to the end, or as long as something comes."""
        answer = b""
        with self.connect(source, timeout) as s:
            try:
                s.sendall(data)
                while True:
                    part = s.recv(65536)
                    if not part:
                        break
                    answer += part
                    if finished(answer, data):
                        break
            except (socket.timeout, ConnectionError):
                pass
        return answer

    def status(self, data, **more):
        found = re.match(rb"HTTP/1\.[01] (\d{3}) ", self.ask(data, **more))
        return int(found.group(1)) if found else None


def finished(answer, request):
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)", head, re.M)
    return end and length and (request.startswith(b"HEAD") or len(body) >= int(length.group(1)))


def get(path="/healthz", method="GET", headers="", host="localhost", version="1.1"):
    return ("%s %s HTTP/%s\r\nHost: %s\r\n%s\r\n" % (method, path, version, host, headers)).encode()


# --- what is not started -----------------------------------------------------------------------------------


def certificates(directory):
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "%s/%s.key" % (directory, name),
                        "-out", "%s/%s.pem" % (directory, name)], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod("%s/%s.key" % (directory, name), 0o640)
    os.chmod(directory, 0o755)
    for name, text, mode in (("token", TOKEN + "\n", 0o640), ("token.open", TOKEN + "\n", 0o644), ("token.short", "abc\n", 0o640),
                             ("token.lines", TOKEN + "\nand more\n", 0o640), ("token.empty", "", 0o640), ("key.open", open(directory + "/one.key").read(), 0o644)):
        with open("%s/%s" % (directory, name), "w") as f:
            f.write(text)
        os.chmod("%s/%s" % (directory, name), mode)


def refusals(directory, run):
    tls = "tls_certificate = D/one.pem\ntls_key = D/one.key\n"
    token = "token_file = D/token\n"
    for name, settings, words in (
            ("plain on every address", "listen = 0.0.0.0:PORT\n", "can be reached from outside; that needs tls_certificate and tls_key, and token_file"),
            ("plain on every IPv6 address", "listen = [::]:PORT\n", "can be reached from outside"),
            ("plain on an address of the outside", "listen = 127.0.0.1:PORT 192.0.2.1:PORT\n", "192.0.2.1:"),
            ("plain on a mapped address", "listen = [::ffff:192.0.2.1]:PORT\n", "can be reached from outside"),
            ("TLS without token", "listen = 0.0.0.0:PORT\n" + tls, "that needs token_file"),
            ("a token without TLS", "listen = 0.0.0.0:PORT\n" + token, "that needs tls_certificate and tls_key"),
            ("a certificate without key", "listen = 127.0.0.1:PORT\ntls_certificate = D/one.pem\n", "tls_key is not; TLS needs both"),
            ("a key that everybody may read", "listen = 127.0.0.1:PORT\ntls_certificate = D/one.pem\ntls_key = D/key.open\n", "chmod o="),
            ("a token that everybody may read", "listen = 127.0.0.1:PORT\ntoken_file = D/token.open\n", "chmod o="),
            ("a short token", "listen = 127.0.0.1:PORT\ntoken_file = D/token.short\n", "openssl rand"),
            ("an empty token", "listen = 127.0.0.1:PORT\ntoken_file = D/token.empty\n", "0 characters"),
            ("a token of two lines", "listen = 127.0.0.1:PORT\ntoken_file = D/token.lines\n", "more than one line"),
            ("no token file", "listen = 127.0.0.1:PORT\ntoken_file = D/none\n", "No such file"),
            ("a key of another certificate", "listen = 0.0.0.0:PORT\n" + tls.replace("one.key", "two.key") + token, "belong together"),
            ("a host name", "listen = localhost:PORT\n", "numeric")):
        server = Server(directory, run, settings.replace("D/", directory + "/"), "refused")
        try:
            status = server.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            status = "it runs"
            unpacked.end([server.process])
        log = open(server.log).read()
        say([] if status == 1 and words in log and TOKEN not in log else [status, log], "not started: " + name)


# --- TLS and token -----------------------------------------------------------------------------------------------


def curl(server, directory, *words, path="/status.json", scheme="https"):
    done = subprocess.run(["curl", "-s", "-m", "20", "--noproxy", "*", "--cacert", directory + "/one.pem", "-o", directory + "/body", "-w", "%{http_code} %{ssl_verify_result}"] +
                          list(words) + ["%s://localhost:%d%s" % (scheme, server.port, path)], stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout.decode().split()[0], done.returncode


def tls_and_token(directory, run, processes, outside):
    server = Server(directory, run, "listen = %s:PORT\ntls_certificate = %s/one.pem\ntls_key = %s/one.key\ntoken_file = %s/token\n"
                    % ("0.0.0.0" if outside else "127.0.0.1", directory, directory, directory), "tls")
    processes.append(server.process)
    server.wait()
    bearer = lambda token: ("-H", "Authorization: Bearer " + token)
    for name, words, wanted in (
            ("no token", (), "401"), ("a wrong token", bearer(TOKEN[:-1] + "0"), "401"), ("the beginning of the token", bearer(TOKEN[:-1]), "401"),
            ("more than the token", bearer(TOKEN + "0"), "401"), ("an empty token", bearer(""), "401"), ("the token", bearer(TOKEN), "200"),
            ("another scheme", ("-H", "Authorization: Digest " + TOKEN), "401"), ("the token as a password", ("-u", "anybody:" + TOKEN), "200"),
            ("a wrong password", ("-u", "anybody:no"), "401"), ("the token as a name", ("-u", TOKEN + ":"), "401"),
            ("TLS 1.2", bearer(TOKEN) + ("--tls-max", "1.2"), "200"), ("TLS 1.3", bearer(TOKEN) + ("--tlsv1.3",), "200"),
            ("TLS 1.1", bearer(TOKEN) + ("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"), "000"),
            ("another certificate is expected", bearer(TOKEN) + ("--cacert", directory + "/two.pem"), "000")):
        got = curl(server, directory, *words)[0]
        say([] if got == wanted else [got, wanted], "TLS: %s: %s" % (name, wanted))
    paths = {p: curl(server, directory, path=p)[0] for p in ("/", "/metrics", "/healthz", "/status.json", "/nowhere", "/?refresh=30")}
    say([] if set(paths.values()) == {"401"} else paths, "TLS: without a token every path is 401, also those that are not there")
    head = subprocess.run(["curl", "-sk", "--noproxy", "*", "-D", "-", "-o", directory + "/body", "https://localhost:%d/" % server.port], capture_output=True).stdout.decode()
    body = open(directory + "/body").read()
    say([] if "WWW-Authenticate: Basic" in head and "mx1" not in body and len(body) < 200 else [head, body], "TLS: a 401 asks a browser for a password and tells nothing else")
    say([] if curl(server, directory, *bearer(TOKEN), scheme="http")[0] == "000" else ["answered"], "TLS: plain HTTP gets no answer there")
    say([] if server.status(get("/metrics")) is None else ["answered"], "TLS: nor does a raw request")
    # A handshake that never ends must not hold anybody up.
    with server.connect() as idle:
        idle.sendall(b"\x16\x03\x01\x02\x00")
        started = time.monotonic()
        code = curl(server, directory, *bearer(TOKEN))[0]
        say([] if code == "200" and time.monotonic() - started < 5 else [code], "TLS: half a handshake holds nobody up")
    return server


def reload(directory, server):
    """A bad configuration changes nothing; a new token holds after SIGHUP."""
    settings = open(server.config).read()
    with open(server.config, "w") as f:
        f.write(settings.replace("tls_key", "#tls_key"))
    server.process.send_signal(signal.SIGHUP)
    unpacked.wait_for("the word about the bad settings", 20, lambda: "old settings stay in force" in open(server.log).read())
    good = curl(server, directory, "-H", "Authorization: Bearer " + TOKEN)[0]
    with open(server.config, "w") as f:
        f.write(settings)
    with open(directory + "/token", "w") as f:
        f.write(TOKEN[::-1] + "\n")
    server.process.send_signal(signal.SIGHUP)
    try:
        unpacked.wait_for("the new token", 20, lambda: curl(server, directory, "-H", "Authorization: Bearer " + TOKEN[::-1])[0] == "200")
        new = curl(server, directory, "-H", "Authorization: Bearer " + TOKEN)[0]
    except RuntimeError as e:
        new = str(e)
    say([] if good == "200" and new == "401" else [good, new], "SIGHUP: bad settings change nothing, then the old token is worth nothing")


# --- requests -----------------------------------------------------------------------------------------------------


def requests(server):
    for name, data, wanted in (
            ("GET", get(), {200}), ("GET in HTTP/1.0", get(version="1.0"), {200}), ("a query is no matter", get("/healthz?a=b"), {200}),
            ("POST", get(method="POST", headers="Content-Length: 0\r\n"), {405}), ("PUT", get(method="PUT"), {405}), ("DELETE", get(method="DELETE"), {405}),
            ("OPTIONS", get(method="OPTIONS"), {405}), ("TRACE", get(method="TRACE"), {405}), ("CONNECT", get(method="CONNECT"), {400, 405}),
            ("a made-up method", get(method="BREW"), {405, 501}), ("a body", get(headers="Content-Length: 5\r\n") + b"hello", {413}),
            ("a body of no length", get(headers="Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\n", {413}),
            ("a body that never comes", get(headers="Content-Length: 99999999\r\n"), {413}), ("POST with a body", get(method="POST", headers="Content-Length: 3\r\n") + b"abc", {405}),
            ("another page", get("/etc/passwd"), {404}), ("a way up", get("/../../etc/passwd"), {404}), ("an encoded way up", get("/%2e%2e/%2e%2e/etc/passwd"), {404}),
            ("a NUL in the path", get("/%00"), {404}), ("a name of another", get(host="evil.example"), {421}), ("an address", get(host="127.0.0.1"), {200}),
            ("a foreign address of our port", get(host="[::1]:%d" % server.port), {200}), ("no host in HTTP/1.1", b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
            ("no request", b"\r\n\r\n", {None, 400}), ("half a request line", b"GET\r\n\r\n", {None, 400}), ("rubbish", os.urandom(200).replace(b"\n", b"") + b"\r\n\r\n", {None, 400, 405, 431, 501, 505}),
            ("HTTP/9.9", get(version="9.9"), {None, 400, 505}), ("a long path", get("/" + "a" * 12000), {404, 414}), ("a path without end", get("/" + "a" * 100000), {None, 400, 414, 431}),
            ("a long header", get(headers="X: %s\r\n" % ("a" * 100000)), {None, 400, 413, 431}), ("many headers", get(headers="X: y\r\n" * 20000), {None, 400, 413, 431}),
            ("a long Authorization", get(headers="Authorization: Bearer %s\r\n" % ("a" * 4000)), {200}), ("a bad refresh", get("/?refresh=1e9"), {400})):
        got = server.status(data, timeout=15)
        say([] if got in wanted else [got, sorted(map(str, wanted))], "request: " + name)
    head, full = server.ask(get("/status.json", "HEAD")), server.ask(get("/status.json"))
    length = re.search(rb"Content-Length: (\d+)", head)
    say([] if head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and length and abs(int(length.group(1)) - len(full.partition(b"\r\n\r\n")[2])) < 200 else
        [head[-200:]], "request: HEAD has the head of GET and no body")
    say([] if b"Allow: GET, HEAD" in server.ask(get(method="POST", headers="Content-Length: 0\r\n")) else ["no Allow"], "request: 405 says what is allowed")
    with server.connect() as s:
        s.sendall(get() + get("/nowhere") + get())
        data, until = b"", time.monotonic() + 10
        while data.count(b"HTTP/1.1") < 3 and time.monotonic() < until:
            data += s.recv(65536)
        say([] if re.findall(rb"HTTP/1.1 (\d+)", data) == [b"200", b"404", b"200"] else [data], "request: several at once are answered in turn")
    headers = full.partition(b"\r\n\r\n")[0].decode()
    say([h for h in ("Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff", "Cache-Control: no-store", "Referrer-Policy: no-referrer")
         if h not in headers], "request: the headers that keep a browser safe")


# --- those who are slow, and those who are many ------------------------------------------------------------------------


def drip(server, data, seconds, result, key):
    """A byte a second; the time until the other side ends it."""
    started = time.monotonic()
    try:
        with server.connect(timeout=1) as s:
            for i in range(seconds):
                if i < len(data):
                    s.sendall(data[i:i + 1])
                try:
                    if not s.recv(1000):
                        break
                except socket.timeout:
                    pass
    except OSError:
        pass
    result[key] = time.monotonic() - started


def read_nothing(server, result, key):
    """Asks for much and takes nothing: the time until the connection is cut."""
    started = time.monotonic()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(("127.0.0.1", server.port))
        # More than all buffers on the way hold.
        s.sendall(get("/metrics") * 60)
        cut = counter(server, "veille_web_connections_cut_total")
        while time.monotonic() - started < ANSWER_S + 25 and counter(server, "veille_web_connections_cut_total") <= cut:
            time.sleep(0.5)
    result[key] = time.monotonic() - started


def counter(server, name):
    found = re.search(rb"^%s (\S+)$" % name.encode(), server.ask(get("/metrics"), source="127.0.0.9"), re.M)
    return float(found.group(1)) if found else -1


def slow_ones(server):
    result, threads = {}, []
    for key, data in (("nothing sent", b""), ("a request line a byte a second", get()), ("headers a byte a second", get(headers="X: y\r\n" * 10)[:20] + b"X" * 100)):
        threads.append(threading.Thread(target=drip, args=(server, data, REQUEST_S + 15, result, key)))
    for t in threads:
        t.start()
    times = []
    while any(t.is_alive() for t in threads):
        started = time.monotonic()
        status = server.status(get(), source="127.0.0.7")
        times.append(time.monotonic() - started if status == 200 else 999)
        time.sleep(0.3)
    for key, seconds in result.items():
        say([] if REQUEST_S - 1 <= seconds < REQUEST_S + 5 else [seconds], "slow: %s: cut after %d s" % (key, REQUEST_S))
    say([] if times and max(times) < 3 else [max(times), len(times)], "slow: meanwhile everybody else is served")
    result = {}
    read_nothing(server, result, "reads nothing")
    say([] if ANSWER_S - 2 <= result["reads nothing"] < ANSWER_S + 20 else [result], "slow: who does not take the answer is cut after %d s" % ANSWER_S)


def rss_kb(process):
    with open("/proc/%d/statm" % process.pid) as f:
        return int(f.read().split()[1]) * 4


def many(server):
    before, refused = rss_kb(server.process), counter(server, "veille_web_connections_refused_total")
    held, began = [], time.monotonic()
    for _ in range(1000):
        try:
            held.append(server.connect(timeout=5))
        except OSError:
            pass
    waves = 1 + int((time.monotonic() - began) // 10)  # 32 are let in, and after 10 s without a request closed for 32 more
    alive = []

    def still_open():
        alive.clear()
        for s in held:
            s.setblocking(False)
            try:
                if s.recv(1) != b"":
                    alive.append(s)
            except BlockingIOError:
                alive.append(s)
            except OSError:
                pass
        return len(alive) <= 32
    try:
        unpacked.wait_for("that all but 32 are closed", 20, still_open)
    except RuntimeError:
        pass
    say([] if 1 <= len(alive) <= 32 else [len(held), len(alive)], "many: of a thousand connections of one address no more than half of the limit stay")
    started = time.monotonic()
    status = server.status(get(), source="127.0.0.8")
    say([] if status == 200 and time.monotonic() - started < 3 else [status], "many: another address is served meanwhile")
    n = counter(server, "veille_web_connections_refused_total") - refused
    say([] if n >= len(held) - 8 - 32 * waves else [n, len(held), waves], "many: those who were refused are counted")
    say([] if rss_kb(server.process) - before < 30000 else [before, rss_kb(server.process)], "many: memory stays bounded")
    for s in held:
        s.close()
    unpacked.wait_for("that we are served again", 20, lambda: server.status(get()) == 200)
    say([], "many: when they are gone their address is served again")


def main():
    outside = unpacked.own_network()
    processes = []
    with tempfile.TemporaryDirectory(prefix="veille-server-") as directory:
        run = directory + "/run"
        subprocess.run([sys.executable, "tests/fixtures/make_run.py", run, "--probe", unpacked.BUILD + "/veille-probe", "--age", "0", "--disks", "12"], check=True)
        certificates(directory)
        refusals(directory, run)
        try:
            server = tls_and_token(directory, run, processes, outside)
            if not outside:
                print("ok - TLS on every address # SKIP not root: no network of its own")
            reload(directory, server)
            plain = Server(directory, run, "listen = 127.0.0.1:PORT\nsilent_after = 1h\n", "plain")
            processes.append(plain.process)
            plain.wait()
            requests(plain)
            many(plain)
            slow_ones(plain)
            for name, one in (("TLS", server), ("plain", plain)):
                one.process.terminate()
                log = open(one.log).read()
                say([] if one.process.wait(timeout=20) == 0 and "ERROR" not in log and len(log) < 5000 else [one.process.returncode, log[-800:]],
                    "%s: it ends well, and strangers have not filled the journal" % name)
        finally:
            unpacked.end(processes)


main()
