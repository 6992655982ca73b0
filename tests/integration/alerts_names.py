#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 150
"""Messages find their way when the name server is dead: names of sinks are looked up ahead and remembered, over a restart, too; when a
name has moved and the old address does not answer, the name server is asked again. In a mount namespace with an /etc/hosts of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

NAME = "sink.veille.test"
CONFIG = """
[host]
name = mx1
[contact oncall]
sinks = hook mail
[sink hook]
type = webhook
url = http://%(name)s:%(http)d/hook
timeout = 10s
[sink mail]
type = mail
relay = smtp://%(name)s:%(smtp)d
to = ann@example.org
tls = none
timeout = 10s
"""


class Host(alerts.Host):
    def __init__(self, directory):
        super().__init__(directory)
        with open(directory + "/veille.conf", "w") as f:
            f.write(CONFIG % {"name": NAME, "http": self.http.server_address[1], "smtp": self.smtp.server_address[1]})
        self.names("127.0.0.1 localhost %s\n" % NAME)
        with open(directory + "/resolv.conf", "w") as f:
            f.write("nameserver 192.0.2.1\noptions timeout:30 attempts:3\n")  # nobody is there: as if packets were dropped

    def names(self, text):
        with open(self.dir + "/hosts", "w") as f:  # in place: the file is bind-mounted
            f.write(text)

    def start(self):
        log = open(self.dir + "/veilled.log", "ab")
        script = 'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"'
        self.brain = subprocess.Popen(["unshare", "-m", "sh", "-c", script, self.dir, alerts.SAN + "veilled"] + self.options,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def test(self):
        start = time.monotonic()
        out, status = self.ctl("test-alert")
        return out, status, time.monotonic() - start


def main():
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        unpacked.skip("names looked up ahead", "needs root and mount namespaces")
    with tempfile.TemporaryDirectory(prefix="veille-names-") as directory:
        host = Host(directory)
        host.start()
        try:
            known = alerts.until(lambda: NAME in open(host.run + "/alerts.json").read().split('"state"')[-1] if os.path.exists(
                host.run + "/alerts.json") else False)
            none([] if known else ["not in RUN/alerts.json"], "names of sinks are looked up ahead")
            host.names("127.0.0.1 localhost\n")
            out, status, took = host.test()
            none([] if status == 0 and out.count("taken:") == 2 and took < 5 else [out, status, took],
                       "with a dead name server every sink is reached at once")
            host.stop(signal.SIGKILL)
            host.start()
            out, status, took = alerts.until(lambda: [x for x in [host.test()] if x[1] != 3])[0]
            none([] if status == 0 and out.count("taken:") == 2 and took < 5 else [out, status, took], "after a restart, too")
            # The name has moved: nobody is at the old address.
            host.stop(signal.SIGKILL)
            with open(host.run + "/alerts.json") as f:
                text = f.read()
            with open(host.run + "/alerts.json", "w") as f:
                f.write(text.replace('["127.0.0.1"]', '["127.0.0.77"]'))
            host.names("127.0.0.1 localhost %s\n" % NAME)
            host.start()
            out, status, _ = alerts.until(lambda: [x for x in [host.test()] if x[1] == 0])[0]
            none([] if out.count("taken:") == 2 else [out, status], "where nobody is any more, the name is looked up again")
        finally:
            host.stop(signal.SIGTERM)


main()
