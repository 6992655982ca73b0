#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
"""A real Postfix takes the mail: over STARTTLS with AUTH, over SMTPS, and straight from the MX of the recipients; a real Dovecot hands it out by
IMAP, and what a person would read there is looked at: subject, body, thread, in English and in French. In a network of its own, with a name
server that dies."""

import email
import email.header
import email.policy
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
import mailserver  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

PASSWORD = "relay-password-of-the-test-2b7e"
CONFIG = """
[host]
name = host7
[contact ann]
sinks = relay
[contact bob]
sinks = direct
language = fr
[contact carl]
sinks = wrapped
[sink relay]
type = mail
relay = smtp://127.0.0.1:1 smtp://mx.example.org:587
to = ann@example.org
user = veille
password_file = %(dir)s/password
ca_file = %(ca)s
[sink direct]
type = mail
relay = mx
tls = try
to = bob@example.org
from = veille@host7.example.net
[sink wrapped]
type = mail
relay = smtps://mx.example.org
to = carl@example.org
user = veille
password_file = %(dir)s/password
ca_file = %(ca)s
[check edac]
interval = 1s
"""


class NameServer(threading.Thread):
    """example.org has two MX, of which the better one is dead; all of them and their hosts are here."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket, self.dead, self.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), False, []
        self.socket.bind(("127.0.0.1", 53))

    @staticmethod
    def name(text):
        return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"

    def answers(self, name, kind):
        mx = {"example.org": [(10, "dead.example.org"), (20, "mx.example.org")], "nomail.example.org": [(0, "")]}
        hosts = {"mx.example.org": "127.0.0.1", "dead.example.org": "127.0.0.9"}
        if kind == 15:
            return [(15, struct.pack(">H", p) + (self.name(h) if h else b"\0")) for p, h in mx.get(name, [])]
        return [(1, socket.inet_aton(hosts[name]))] if kind == 1 and name in hosts else []

    def run(self):
        while True:
            data, peer = self.socket.recvfrom(2000)
            labels, at = [], 12
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += data[at] + 1
            kind = struct.unpack(">H", data[at + 1:at + 3])[0]
            self.asked.append((".".join(labels), kind))
            if self.dead:
                continue
            found = self.answers(".".join(labels).lower(), kind)
            body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", t, 1, 60, len(d)) + d for t, d in found)
            self.socket.sendto(data[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0) + data[12:at + 5] + body, peer)


class Host(alerts.Host):
    def __init__(self, directory, ca):
        super().__init__(directory)
        with open(directory + "/veille.conf", "w") as f:
            f.write(CONFIG % {"dir": directory, "ca": ca})
        with open(directory + "/password", "w") as f:
            f.write(PASSWORD + "\n")
        os.chmod(directory + "/password", 0o600)


def letter(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    return message, message.get_content()


def wait_mails(server, user, n):
    alerts.until(lambda: len(server.mails(user) or []) >= n, 90)
    return [letter(data) for data in server.mails(user) or []]


def test_new(host, server):
    host.edac("ue_count", "1")
    mails = wait_mails(server, "ann", 1)
    message, body = mails[0] if mails else (email.message_from_string(""), "")
    received = " ".join(message.get_all("Received", []))
    problems = [server.logs(), host.ctl("notify", "queue")] if len(mails) != 1 else []
    if "ESMTPSA" not in received or "Authenticated sender: veille" not in received or "TLS" not in received:
        problems.append(received)
    none(problems, "STARTTLS with AUTH: Postfix has it from a logged-in sender; the dead relay before it does not matter")
    problems = []
    if message["Subject"] != "[host7] CRITICAL: mc0: replace this memory module now" or "ann@example.org" not in message["To"]:
        problems.append(message.as_string())
    for part in ("mc0: CRITICAL (new)", "1 uncorrected memory error in", "since boot", "What happened", "Since", "Evidence      value 1, read ",
                 " ago by check edac", "For the mail", "Ends with     replace the module", "Look further  veillectl why mc0", "veillectl ack mc0"):
        if part not in body:
            problems.append("no '%s' in:\n%s" % (part, body))
    none(problems, "the mailbox of ann: what happened, since when, evidence with its age, what it means, what ends it, where to look")
    return message


def test_french(server):
    mails = wait_mails(server, "bob", 1)
    message, body = mails[0] if mails else (email.message_from_string(""), "")
    received = " ".join(message.get_all("Received", []))
    problems = [] if "ESMTPS " in received and len(mails) == 1 else [server.logs(), received]
    none(problems, "straight to the MX, the second one, the first is dead; encrypted although nobody vouches for the certificate")
    problems = []
    if message["Subject"] != "[host7] CRITIQUE: mc0: remplacez cette barrette de mémoire maintenant":
        problems.append(message.as_string())
    for part in ("mc0: CRITIQUE (nouveau)", "Ce qui se passe     1 erreur de mémoire non corrigée dans ", " depuis le démarrage", "Depuis", "Preuve", "Pour le courrier", "Prend fin avec      remplacez la barrette", "Pour en savoir plus"):
        if part not in body:
            problems.append("no '%s' in:\n%s" % (part, body))
    none(problems, "the mailbox of bob: in French")


def test_over(host, server, first):
    host.edac("ue_count", "0")
    mails = wait_mails(server, "ann", 2)
    problems = [] if len(mails) == 2 else [len(mails), server.logs()]
    message, body = mails[-1] if mails else (email.message_from_string(""), "")
    if message["Subject"] != "[host7] over: mc0" or "from " not in body or "(was CRITICAL)" not in body:
        problems.append(message.as_string())
    if not first["References"] or message["References"] != first["References"] or message["Message-ID"] == first["Message-ID"]:
        problems.append([first["References"], message["References"], message["Message-ID"]])
    none(problems, "its end is told, in the same thread")
    mails = wait_mails(server, "carl", 2)
    bad = [m.as_string() for m, _ in mails if "ESMTPSA" not in " ".join(m.get_all("Received", []))]
    none([] if len(mails) == 2 and not bad else [bad, server.logs()], "SMTPS, too")


def test_refused(server):
    sink = {"type": "mail", "timeout": 20, "to": ["ann@example.org"], "relay": ["smtp://127.0.0.1:587"], "tls": "required", "ca_file": server.ca,
            "user": "veille", "password": "not-the-password-81f3"}
    message = {"id": "0" * 32, "host": "host7", "level": "critical", "time": 1795528800, "subject": "x", "body": "x\n"}

    def notify():
        done = subprocess.run([alerts.SAN + "veille-notify"], input=json.dumps({"sink": sink, "message": message}), capture_output=True, text=True)
        return json.loads(done.stdout)
    answer = notify()
    none([] if not answer["ok"] and not answer["permanent"] and "535" in answer["error"] and "not-the-password" not in str(answer) else [answer],
         "a wrong password: refused with the server's words, tried again, not in the error")
    sink.update({"password": PASSWORD, "to": ["nobody@example.org"]})
    answer = notify()
    none([] if not answer["ok"] and answer["permanent"] and "550" in answer["error"] else [answer], "no such mailbox: refused for good")
    sink.update({"relay": ["mx"], "tls": "try", "to": ["ann@nomail.example.org"]})
    answer = notify()
    none([] if not answer["ok"] and "takes no mail" in answer["error"] else [answer], "a domain that takes no mail says so")


def test_dead_names(host, server, names):
    names.dead = True
    before = len(server.mails("bob") or [])
    out, status = host.ctl("test-alert", "bob")
    mails = wait_mails(server, "bob", before + 1)
    none([] if status == 0 and "taken:" in out and len(mails) == before + 1 else [out, status, names.asked[-5:]],
         "with a dead name server mail finds the MX that was found before")


def main():
    if os.geteuid() != 0:
        unpacked.skip("a real Postfix and Dovecot", "needs root")
    try:
        mailserver.unpack()
    except (RuntimeError, OSError) as error:
        unpacked.skip("a real Postfix and Dovecot", str(error))
    if not unpacked.own_network():
        unpacked.skip("a real Postfix and Dovecot", "needs namespaces")
    with tempfile.TemporaryDirectory(prefix="veille-postfix-") as directory:
        os.mkdir(directory + "/server")
        os.mkdir(directory + "/host")
        with open(directory + "/resolv.conf", "w") as f:
            f.write("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        try:
            server = mailserver.MailServer(directory + "/server", {"ann": "a1", "bob": "b1", "carl": "c1", "veille": PASSWORD})
        except (OSError, subprocess.CalledProcessError) as error:
            unpacked.skip("a real Postfix and Dovecot", "no overlay over the root of this host: %s" % error)
        subprocess.run(["mount", "--bind", directory + "/resolv.conf", "/etc/resolv.conf"], check=True)
        names, host = NameServer(), Host(directory + "/host", server.ca)
        names.start()
        server.start()
        try:
            alerts.until(server.ready, 90)
            host.start()
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            alerts.until(lambda: '"mx:example.org":["' in open(host.run + "/alerts.json").read().replace(" ", ""))
            first = test_new(host, server)
            test_french(server)
            test_over(host, server, first)
            test_refused(server)
            test_dead_names(host, server, names)
        finally:
            if host.brain:
                host.stop(signal.SIGTERM)
            server.stop()
            server.unmount()
            subprocess.run(["umount", "/etc/resolv.conf"], check=False)
        with open(host.dir + "/veilled.log") as f:
            text = f.read()
        none([text[-1500:]] if "Sanitizer" in text or PASSWORD in text else [], "no complaint of the sanitizers, no password in the log")


main()
