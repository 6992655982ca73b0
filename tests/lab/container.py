# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second system on this host, for tests: systemd as PID 1 in namespaces of its own (mounts, processes, network, cgroups,
host name). Its root is this host's / under an overlay on a tmpfs: nothing on the host changes, and all is gone when this process
ends, however it ends. Services that the host has enabled do not start in it.

Call private_mounts() first, then Container(); not_possible() says why this host cannot do it, or None."""

import os
import shutil
import subprocess
import tempfile
import time
import uuid

TOOLS = ("unshare", "nsenter", "ip", "losetup", "setsid", "mountpoint")
SYSTEMD = "/lib/systemd/systemd"

# $1 = work directory, $2 = host name, $3... = trees of this host to be seen as they are (writes stay inside)
INIT = r"""
work=$1 name=$2 root=$1/root
shift 2
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
n=0
for tree in "$@"; do
        n=$((n + 1))
        mkdir -p "$root$tree" "$work/tree-$n" "$work/tree-overlay-$n"
        mount -t overlay overlay -o "lowerdir=$tree,upperdir=$work/tree-$n,workdir=$work/tree-overlay-$n" "$root$tree"
done

mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty kmsg; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
: >"$root/dev/console"

hostname "$name"
ip link set lo up
cd "$root"
mkdir -p .host
pivot_root . .host
umount -l /.host
rmdir /.host
mount --make-rshared / # as systemd does on a host, but not in a container: units see what is mounted later
exec env -i container=veille-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin """ + SYSTEMD + """ --unit=multi-user.target \
        --log-target=journal --show-status=0
"""

# What the host's administrator has enabled, mounts and tunes is none of ours; udev and the rest would touch real devices.
REMOVED = ("etc/systemd/system", "etc/fstab", "etc/init.d", "lib/systemd/system-generators",
           "etc/rc0.d", "etc/rc1.d", "etc/rc2.d", "etc/rc3.d", "etc/rc4.d", "etc/rc5.d", "etc/rc6.d", "etc/rcS.d")
MASKED = ("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-networkd.service", "systemd-logind.service",
          "systemd-resolved.service", "systemd-timesyncd.service", "systemd-sysctl.service", "systemd-modules-load.service",
          "systemd-journald-audit.socket", "getty.target", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
          "sys-fs-fuse-connections.mount", "dev-hugepages.mount", "dev-mqueue.mount", "systemd-binfmt.service",
          "systemd-random-seed.service", "systemd-remount-fs.service")
IN_PRIVATE_MOUNTS = "VEILLE_LAB_PRIVATE_MOUNTS"


def cgroup_root():
    """Where the unified hierarchy is mounted, or None."""
    with open("/proc/mounts") as f:
        for line in f:
            _, where, kind, options, _ = line.split(None, 4)
            if kind == "cgroup2" and "rw" in options.split(","):
                return where
    return None


def not_possible():
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)] + [p for p in (SYSTEMD,) if not os.path.exists(p)]
    if missing:
        return "not here: " + " ".join(missing)
    if not cgroup_root():
        return "no writable cgroup2 hierarchy"
    with open("/proc/filesystems") as f:
        if "overlay" not in f.read():
            return "the kernel has no overlayfs"
    tried = subprocess.run(["unshare", "-mpfuinC", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    return "no namespaces: " + tried.stderr.strip()[:200] if tried.returncode else None


def private_mounts(argv):
    """Goes on in a mount namespace of its own: what is mounted there vanishes with us."""
    if not os.environ.get(IN_PRIVATE_MOUNTS):
        os.environ[IN_PRIVATE_MOUNTS] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "python3"] + argv)


class Container:
    def __init__(self, name, trees):
        self.name, self.trees = name, trees
        self.work = tempfile.mkdtemp(prefix="veille-container-")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.work], check=True)
        for directory in ("upper", "overlay", "root"):
            os.mkdir(self.work + "/" + directory)
        self.upper = self.work + "/upper"
        self.cgroup = "%s/%s-%d" % (cgroup_root(), name, os.getpid())
        self.process, self.pid = None, 0
        self.prepare()

    def put(self, path, text, mode=0o644):
        """A file in the root, before the start."""
        os.makedirs(os.path.dirname(self.upper + path), exist_ok=True)
        with open(self.upper + path, "w") as f:
            f.write(text)
        os.chmod(self.upper + path, mode)

    def prepare(self):
        """In the upper layer itself, which nobody has mounted yet: a directory made opaque hides the host's."""
        for path in REMOVED:
            if os.path.isdir("/" + path):
                where = os.path.realpath("/" + path).lstrip("/")  # lib is a link to usr/lib
                os.makedirs(self.upper + "/" + where)
                os.setxattr(self.upper + "/" + where, "trusted.overlay.opaque", b"y")
        self.put("/etc/fstab", "")
        self.put("/etc/hostname", self.name + "\n")
        self.put("/etc/machine-id", uuid.uuid4().hex + "\n")  # an empty one would be a first boot, which enables what there is
        self.put("/etc/systemd/journald.conf.d/lab.conf", "[Journal]\nReadKMsg=no\nStorage=persistent\nRateLimitBurst=0\n")
        os.makedirs(self.upper + "/var/log/journal")
        os.setxattr(self.upper + "/var/log/journal", "trusted.overlay.opaque", b"y")
        for unit in MASKED:
            os.symlink("/dev/null", self.upper + "/etc/systemd/system/" + unit)

    def start(self):
        os.makedirs(self.cgroup, exist_ok=True)
        command = ["unshare", "-m", "-p", "-f", "-u", "-i", "-n", "-C", "--kill-child", "sh", "-ec", INIT, "sh",
                   self.work, self.name] + self.trees
        enter = "echo $$ >%s/cgroup.procs && exec \"$@\"" % self.cgroup
        self.log = open(self.work + "/log", "a")
        self.process = subprocess.Popen(["sh", "-c", enter, "sh"] + command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        stop = time.monotonic() + 60
        while time.monotonic() < stop and self.process.poll() is None:
            self.pid = self.init_pid()
            if self.pid and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.2)
        with open(self.work + "/log") as f:
            raise RuntimeError("systemd did not come up: " + f.read()[-2000:])

    def init_pid(self):
        """The PID 1 of the container as this host numbers it, once it is systemd."""
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
                pid = int((f.read().split() or ["0"])[0])
            return pid if pid and os.readlink("/proc/%d/exe" % pid).endswith("systemd") else 0
        except OSError:
            return 0

    def run(self, *command, user=None, cwd="/", timeout=60, stdin=None):
        """Runs it inside, as root or as user: a CompletedProcess with text."""
        if user:
            as_user = 'exec setpriv --reuid "$0" --regid "$(id -g "$0")" --init-groups "$@"'
            command = ("sh", "-c", as_user, user) + command
        enter = ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-i",
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd]
        try:
            return subprocess.run(enter + list(command), input=stdin, stdin=None if stdin else subprocess.DEVNULL,
                                  capture_output=True, text=True, errors="replace", timeout=timeout)
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(command, 124, str(late.stdout), "no end after %d s" % timeout)

    def shutdown(self):
        """As "systemctl poweroff" does; seconds it took. PID 1 of a container ends instead of halting the machine."""
        begin = time.monotonic()
        self.run("systemctl", "poweroff", "--no-block")
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        seconds = time.monotonic() - begin
        self.kill()
        return seconds

    def kill(self):
        if self.process and self.process.poll() is None:
            pid = self.init_pid()
            if pid:
                os.kill(pid, 9)  # and with it all its processes
            self.process.kill()
        if self.process:
            self.process.wait()
        self.pid = 0

    def remove(self):
        self.kill()
        subprocess.run(["umount", "-l", self.work])
        os.rmdir(self.work)
        for _ in range(50):  # the kernel takes a moment to bury the dead
            for directory, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass
            if not os.path.exists(self.cgroup):
                break
            time.sleep(0.1)
