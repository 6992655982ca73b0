# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the virtual machines boot: Debian's stock kernel and an initrd with its modules, busybox, veille's built programs and
the peers that watch beside them (smartd, mdadm --monitor, rasdaemon). No root needed, nothing is installed: packages are
unpacked under build/.

    kernel, initrd = image.build()

All of it is cached under build/lab, each part under the hash of what it was made from."""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
LAB = BUILD + "/lab"
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))

# Unpacked, never installed: mdadm and rasdaemon would become services of this host.
PACKAGES = ["mdadm", "rasdaemon", "nvme-cli", "i2c-tools", "dmsetup"]

# By their names; what they need comes with them. What is built into the kernel is skipped.
MODULES = """
    ata_piix ahci sd_mod sg nvme virtio_pci virtio_blk virtio_scsi virtio_net virtio_console scsi_debug loop null_blk
    raid1 raid10 raid456 dm_mod dm_flakey dm_log_userspace ext4 crc32c_intel crc32c_generic xfs
    i2c_dev i2c_stub i2c_piix4 i2c_i801 jc42 lm75 drivetemp coretemp
    ac battery button thermal fan ipmi_si ipmi_devintf ipmi_watchdog i6300esb softdog iTCO_wdt lpc_ich
    mce_inject hwpoison_inject edac_core e1000 e1000e bonding dummy""".split()

OUR_PROGRAMS = {"veilled": "usr/sbin", "veille-probe": "usr/sbin", "veille-store": "usr/sbin", "veillectl": "usr/bin"}
HOST_PROGRAMS = ["/usr/bin/dash", "/usr/sbin/smartctl", "/usr/sbin/smartd", "/usr/sbin/mke2fs", "/usr/bin/setpriv", "/usr/bin/chrt", "/usr/bin/stdbuf"]
UNPACKED_PROGRAMS = ["sbin/mdadm", "usr/sbin/rasdaemon", "usr/sbin/nvme", "usr/sbin/i2cset", "usr/sbin/i2cdetect", "sbin/dmsetup"]
# Opened by name at run time, so ldd does not know of them.
LIBRARIES = ["libipmimonitoring.so.6", "libnss_files.so.2", "libgcc_s.so.1"]
FURTHER = ["/etc/sensors3.conf", "/usr/libexec/coreutils/libstdbuf.so"]


def run(*args, **kw):
    done = subprocess.run(args, capture_output=True, text=True, **kw)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(args), (done.stderr or done.stdout)[-2000:]))
    return done.stdout


def hash_of(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else str(part).encode())
        h.update(b"\0")
    return h.hexdigest()[:16]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def keep_only(path, pattern):
    for old in glob.glob(pattern):
        if old != path:
            shutil.rmtree(old) if os.path.isdir(old) else os.unlink(old)


def missing():
    """What this host lacks to run a machine at all."""
    tools = [p for p in ("qemu-system-x86_64", "depmod", "apt-get", "gcc", "iasl") if not shutil.which(p)]
    return tools + [p for p in ["/bin/busybox"] + HOST_PROGRAMS if not os.path.exists(p)]


# --- parts ----------------------------------------------------------------------------------------


def download(name, directory):
    """Unpacks one Debian package, with no script of its maintainer run."""
    fresh = directory + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh)
    run("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", name, cwd=fresh)
    for deb in glob.glob(fresh + "/*.deb"):
        run("dpkg-deb", "-x", deb, fresh)
        os.unlink(deb)
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(fresh, directory)


def kernel():
    """(vmlinuz, directory of its modules, version)"""
    root = LAB + "/kernel"
    if not glob.glob(root + "/lib/modules/*/modules.dep"):
        depends = run("apt-cache", "depends", "linux-image-amd64").splitlines()
        download([l.split()[-1] for l in depends if "Depends: linux-image" in l][0], root)
        run("depmod", "-b", root, os.path.basename(glob.glob(root + "/lib/modules/*")[0]))
    modules = glob.glob(root + "/lib/modules/*")[0]
    return glob.glob(root + "/boot/vmlinuz-*")[0], modules, os.path.basename(modules)


def edac_module(version):
    """A memory controller that has errors on command, on the kernel's own EDAC core: no driver of Debian's binds to QEMU's chipsets."""
    source = HERE + "/guest/lab_edac.c"
    directory = LAB + "/edac-" + hash_of(read(source), version)
    module = directory + "/lab_edac.ko"
    if not os.path.exists(module):
        keep_only(directory, LAB + "/edac-*")
        headers = LAB + "/headers-" + version
        if not os.path.exists(headers):
            unpacked = LAB + "/headers.part"
            shutil.rmtree(headers + ".new", ignore_errors=True)
            os.makedirs(headers + ".new")
            for name in ("linux-headers-" + version, "linux-headers-%s-common" % version.rsplit("-", 1)[0],
                         "linux-kbuild-" + ".".join(version.split(".")[:2])):
                download(name, unpacked)
                run("cp", "-a", unpacked + "/.", headers + ".new")
            shutil.rmtree(unpacked)
            os.rename(headers + ".new", headers)
        tree = headers + "/usr/src/linux-headers-" + version
        makefile = read(tree + "/Makefile").decode()  # names its other half by the place where it would be installed
        with open(tree + "/Makefile", "w") as f:
            f.write(makefile.replace(" /usr/src/", " %s/usr/src/" % headers).replace("=/usr/src/", "=%s/usr/src/" % headers))
        os.makedirs(directory, exist_ok=True)
        shutil.copy(source, directory)
        with open(directory + "/Makefile", "w") as f:
            f.write("obj-m := lab_edac.o\n")
        run("make", "-C", tree, "M=" + directory, "modules")
    return module


def helper(name):
    """A small program of ours that runs inside."""
    source = "%s/guest/%s.c" % (HERE, name)
    path = "%s/%s-%s" % (LAB, name, hash_of(read(source)))
    if not os.path.exists(path):
        keep_only(path, "%s/%s-*" % (LAB, name))
        run("gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-static", "-o", path, source)
    return path


def acpi_table():
    """Adapter, battery and thermal zone that read their values from a page of guest memory which the host writes."""
    source = HERE + "/guest/power.dsl"
    path = LAB + "/power-" + hash_of(read(source)) + ".aml"
    if not os.path.exists(path):
        os.makedirs(LAB, exist_ok=True)
        keep_only(path, LAB + "/power-*.aml")
        run("iasl", "-p", path[:-4], source)
    return path


# --- the initrd -----------------------------------------------------------------------------------


def module_closure(directory):
    needs = {}
    with open(directory + "/modules.dep") as f:
        for line in f:
            path, rest = line.split(":")
            needs[path] = rest.split()
    by_name = {os.path.basename(p).split(".")[0].replace("-", "_"): p for p in needs}
    wanted = {p for name in MODULES if name in by_name for p in [by_name[name]] + needs[by_name[name]]}
    return sorted(wanted)


def libraries_of(path, unpacked):
    env = dict(os.environ, LD_LIBRARY_PATH="%s/usr/lib/x86_64-linux-gnu:%s/lib/x86_64-linux-gnu" % (unpacked, unpacked))
    out = run("ldd", path, env=env)
    if "not found" in out:
        raise RuntimeError("%s: a library is missing:\n%s" % (path, out))
    return [word for line in out.splitlines() for word in line.split() if word.startswith("/")]


def sources():
    """{path in the image: path here}"""
    env = dict(os.environ, BUILD=BUILD)
    unpacked = run(TOP + "/tests/fetch-package", *PACKAGES, env=env).strip().splitlines()[-1]
    _, modules, version = kernel()
    programs = {where + "/" + name: BUILD + "/" + name for name, where in OUR_PROGRAMS.items()}
    programs.update({p.lstrip("/"): p for p in HOST_PROGRAMS})
    programs.update({"usr/sbin/" + os.path.basename(p): unpacked + "/" + p for p in UNPACKED_PROGRAMS})
    files = dict(programs)
    further = [p for p in FURTHER if os.path.exists(p)]
    for name in LIBRARIES:
        further += glob.glob("/usr/lib/x86_64-linux-gnu/" + name) or glob.glob("/lib/x86_64-linux-gnu/" + name)
    files.update({p.lstrip("/"): p for p in further})
    for path in list(programs.values()) + [p for p in further if ".so" in p]:
        for library in libraries_of(path, unpacked):
            files[library[len(unpacked):].lstrip("/") if library.startswith(unpacked) else library.lstrip("/")] = library
    for path in module_closure(modules):
        files["lib/modules/%s/%s" % (version, path)] = modules + "/" + path
    files["lib/modules/lab_edac.ko"] = edac_module(version)
    files.update({"bin/busybox": "/bin/busybox", "usr/sbin/witness": helper("witness"), "usr/sbin/clock_kept": helper("clock_kept"), "usr/sbin/note": helper("note"), "usr/sbin/late": helper("late"),
                  "init": HERE + "/guest/init",
                  "usr/sbin/lab-alert": HERE + "/guest/alert"})
    return files, version


def modules_dep(files, version):
    """modules.dep of what is in the image."""
    base = "lib/modules/%s/" % version
    with open(kernel()[1] + "/modules.dep") as f:
        return "".join(line for line in f if base + line.split(":")[0] in files).encode()


def cpio(files):
    """The "newc" format: what the kernel unpacks. files: {path: bytes}"""
    out, directories = bytearray(), set()
    for path in files:
        parts = path.split("/")[:-1]
        directories.update("/".join(parts[:i + 1]) for i in range(len(parts)))
    entries = [(d, 0o040755, b"") for d in sorted(directories | {"proc", "sys", "dev", "run", "tmp", "etc", "root", "mnt"})]
    entries += [(p, 0o100755, data) for p, data in files.items()] + [("TRAILER!!!", 0, b"")]
    for number, (name, mode, data) in enumerate(entries):
        head = "070701" + "".join("%08x" % v for v in (number + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
        out += head.encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def stamp(path):
    st = os.stat(path)
    return "%s %d %d" % (path, st.st_size, st.st_mtime_ns)


def build():
    """(kernel, initrd): makes what is not there yet. Machines that start at once wait for each other here."""
    os.makedirs(LAB, exist_ok=True)
    with open(LAB + "/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        vmlinuz, _, _ = kernel()
        files, version = sources()
        initrd = LAB + "/initrd-" + hash_of(read(__file__), *(to + " " + stamp(source) for to, source in sorted(files.items())))
        if not os.path.exists(initrd):
            content = {to: read(source) for to, source in files.items()}
            content["lib/modules/%s/modules.dep" % version] = modules_dep(files, version)
            content["etc/passwd"] = b"root:x:0:0::/root:/bin/sh\nveille:x:990:990::/:/bin/false\n"
            content["etc/group"] = b"root:x:0:\ndisk:x:6:\nveille:x:990:\nveille-admin:x:991:\n"
            with open(initrd + ".new", "wb") as f:
                f.write(cpio(content))
            os.rename(initrd + ".new", initrd)
            for old in sorted(glob.glob(LAB + "/initrd-*"), key=os.path.getmtime)[:-3]:
                os.unlink(old)
        return vmlinuz, initrd
