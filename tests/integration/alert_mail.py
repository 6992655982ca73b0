#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""Mail over STARTTLS with AUTH: the password goes to the server whose certificate fits, and to nobody else: not in clear, not to a
stranger, not into an error, an environment or a command line. A server that hangs costs its share of the time only."""

import base64
import json
import os
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

PASSWORD = "pass-word-of-the-test-77ae"


class Session(socketserver.StreamRequestHandler):
    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        server = self.server
        self.secure, self.user = False, None
        if server.hang:
            time.sleep(60)
            return
        self.reply("220 test")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            server.lines.append((self.secure, line))
            word = line.split()[0].upper() if line.split() else b""
            if word == b"EHLO":
                self.reply("250-test")
                self.reply("250-AUTH PLAIN LOGIN" if self.secure or server.auth_in_clear else "250-SIZE 1000000")
                self.reply("250 STARTTLS" if server.tls and not self.secure else "250 OK")
            elif word == b"STARTTLS":
                self.reply("220 go")
                self.request = server.tls.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
                self.secure = True
            elif word == b"AUTH":
                words = line.split()
                if len(words) < 3:
                    self.reply("334 ")
                    words.append(self.rfile.readline().strip())
                    server.lines.append((self.secure, words[2]))
                self.user = base64.b64decode(words[2]).split(b"\0")[1:]
                if server.refuse:
                    self.reply("535 5.7.8 no")
                else:
                    self.reply("235 ok")
            elif word == b"DATA":
                self.reply("354 go")
                data = b""
                for part in self.rfile:
                    if part == b".\r\n":
                        break
                    data += part
                server.mails.append((self.secure, self.user, data))
                self.reply("250 2.0.0 queued as T1")
            elif word == b"QUIT":
                self.reply("221 bye")
                return
            else:
                self.reply("250 ok")


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = allow_reuse_address = True

    def __init__(self, tls=None, auth_in_clear=False, refuse=False, hang=False):
        super().__init__(("127.0.0.1", 0), Session)
        self.tls, self.auth_in_clear, self.refuse, self.hang, self.lines, self.mails = tls, auth_in_clear, refuse, hang, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass

    def url(self):
        return "smtp://127.0.0.1:%d" % self.server_address[1]


def context(directory, name):
    """A certificate for 127.0.0.1 by an authority of its own."""
    path = os.path.join(directory, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path + ".key",
                    "-out", path + ".pem", "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path + ".pem", path + ".key")
    return tls, path + ".pem"


def send(relays, ca, tls="required", timeout=10):
    request = {"attempt": 1, "message": {"id": "0" * 32, "host": "mx1", "level": "critical", "time": time.time(), "subject": "[mx1] CRITICAL: sda",
                                         "body": "line\n.dot\n"},
               "sink": {"type": "mail", "timeout": timeout, "to": ["ann@example.org"], "relay": relays, "tls": tls, "ca_file": ca,
                        "user": "veille", "password": PASSWORD}}
    process = subprocess.Popen([unpacked.BUILD + "/san/veille-notify"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (process.pid, name), "rb") as f:
            seen += f.read()
    out, errors = process.communicate(json.dumps(request).encode())
    return json.loads(out), PASSWORD.encode() in seen + out + errors or base64.b64encode(PASSWORD.encode()) in out + errors, errors.decode()


def knows_password(server):
    return [line for _, line in server.lines if PASSWORD.encode() in line or any(
        PASSWORD.encode() in base64.b64decode(word + b"==", validate=False) for word in line.split() if len(word) > 20 and word.isascii())]


def main():
    with tempfile.TemporaryDirectory(prefix="veille-mail-") as directory:
        tls, ca = context(directory, "good")
        stranger, _ = context(directory, "stranger")

        server = Server(tls)
        answer, leaked, errors = send([server.url()], ca)
        mail = server.mails[0] if server.mails else (False, None, b"")
        good = answer["ok"] and "queued as T1" in answer["text"] and mail[0] and mail[1] == [b"veille", PASSWORD.encode()] and b"\r\n..dot" in mail[2]
        none([] if good and not leaked and not errors else [answer, str(mail), leaked, errors], "STARTTLS, AUTH, and the mail is taken")
        none([] if not [x for secure, x in server.lines if not secure and b"AUTH" in x] else server.lines, "nothing of it in clear")

        server = Server(stranger)
        answer, leaked, _ = send([server.url()], ca)
        none([] if not answer["ok"] and not server.mails and not knows_password(server) and not leaked else [answer, leaked],
            "a stranger's certificate: no mail, no password")

        server = Server(None, auth_in_clear=True)
        answer, leaked, _ = send([server.url()], ca)
        none([] if not answer["ok"] and not server.mails and not knows_password(server) and not leaked else [answer, leaked],
            "no STARTTLS where it is required: no mail, no password, although AUTH is offered")

        server = Server(tls, refuse=True)
        answer, leaked, _ = send([server.url()], ca)
        none([] if not answer["ok"] and not answer["permanent"] and not leaked else [answer, leaked], "a refused password is not in the error")

        hangs, server = Server(hang=True), Server(tls)
        start = time.monotonic()
        answer, _, _ = send([hangs.url(), server.url()], ca, timeout=6)
        took = time.monotonic() - start
        none([] if answer["ok"] and took < 6 and len(server.mails) == 1 else [answer, took], "a relay that hangs costs half of the time, the other takes it")


main()
