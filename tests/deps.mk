# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Further packages that single tests need; a test adds its line here.
DEPS_CHECK_MORE := e2fsprogs chromium fonts-dejavu-core curl mandoc openssl

# What only make check-lab needs.
DEPS_LAB := qemu-system-x86 busybox-static kmod dash acpica-tools smartmontools systemd systemd-sysv dbus iproute2 util-linux procps e2fsprogs passwd

# What only make bench needs on the host; the peers are unpacked, not installed.
DEPS_BENCH := python3 iproute2 util-linux
