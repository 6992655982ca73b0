# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with veille for the tests of peers: real programs on a made-up host each, in a directory of its own; and a server that
notes what is sent to it."""

import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import threading
import time


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.1)
    return what()


class Notes:
    """What came: (path, headers, body)."""

    def __init__(self, address="127.0.0.1", port=0):
        notes = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                notes.seen.append((self.path, dict(self.headers), body))
                self.send_response(notes.status)
                self.end_headers()

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = allow_reuse_address = True

        self.seen, self.status = [], 200
        self.server = Server((address, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self, path):
        return [json.loads(body) for p, _, body in self.seen if p == path]


class Host:
    """prefix: words before each command, to enter a namespace."""

    def __init__(self, directory, name, programs, config, prefix=()):
        self.dir, self.name, self.programs, self.prefix, self.processes = directory, name, programs, list(prefix), {}
        self.run, self.state = directory + "/run", directory + "/state"
        os.makedirs(directory + "/root/sys/devices/system/edac/mc/mc0")
        os.makedirs(directory + "/root/proc/self")
        open(directory + "/root/proc/self/mountinfo", "w").close()
        for path in (self.run, self.state):
            os.mkdir(path)
        self.edac("mc_name", "made up")
        self.edac("ce_count", "0")
        self.edac("ue_count", "0")
        self.config(config)
        self.options = ["--root", directory + "/root", "--config", directory + "/veille.conf", "--run", self.run, "--state", self.state]

    def config(self, text):
        with open(self.dir + "/veille.conf", "w") as f:
            f.write("[host]\nname = %s\n[check edac]\ninterval = 1s\n" % self.name + text)

    def edac(self, name, value):
        path = self.dir + "/root/sys/devices/system/edac/mc/mc0/" + name
        with open(path + ".new", "w") as f:
            f.write(value + "\n")
        os.rename(path + ".new", path)

    def start(self, *programs):
        for program in programs:
            log = open(self.dir + "/" + program + ".log", "ab")
            self.processes[program] = subprocess.Popen(self.prefix + [self.programs + program] + self.options, stdin=subprocess.DEVNULL,
                                                       stdout=log, stderr=log)
            log.close()

    def tell(self, program, number):
        """To the program itself: what stands before it executes it in its place."""
        self.processes[program].send_signal(number)

    def stop(self, program, number=signal.SIGTERM):
        process = self.processes.pop(program, None)
        if process:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            process.wait(60)
            return process.returncode

    def end(self):
        for program in list(self.processes):
            self.stop(program, signal.SIGKILL)

    def ctl(self, *words, given=None):
        done = subprocess.run(self.prefix + [self.programs + "veillectl"] + list(words) + self.options, input=given, capture_output=True, text=True,
                              **({} if given is not None else {"stdin": subprocess.DEVNULL}))
        return done.stdout + done.stderr, done.returncode

    def json(self, *words):
        out, _ = self.ctl(*words)
        try:
            return json.loads(out)
        except ValueError:
            return {}

    def fingerprint(self):
        return (until(lambda: [o for o, s in [self.ctl("peer", "fingerprint")] if s == 0]) or [""])[0].split(" ")[0]

    def peer(self, name):
        return next((p for p in self.json("peer", "list", "--json").get("peers", []) if p["name"] == name), {})

    def peer_state(self, name):
        return self.peer(name).get("state")

    def component(self, name):
        return next((c for c in self.json("status", "--json").get("components", []) if c["component"] == name), {})

    def rules(self, name):
        """Of what is wrong with a component."""
        return {r["rule"] for r in self.component(name).get("reasons", [])}

    def log(self, program):
        try:
            with open(self.dir + "/" + program + ".log") as f:
                return f.read()[-4000:]
        except OSError:
            return ""

    def forget(self):
        """As a new installation: its key and its memory are gone."""
        shutil.rmtree(self.state)
        os.mkdir(self.state)
