# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# make valgrind: the programs as they ship, without sanitizers, at work under valgrind (some minutes). SUITE=PART runs some.
DEPS_VALGRIND := valgrind libc6-dbg python3
valgrind: deps
	@tests/install-packages $(DEPS_VALGRIND)
	@$(MAKE) --no-print-directory build
	@SHARED=$(SHARED) BUILD=$(BUILD) tests/valgrind/run $(SUITE)

.PHONY: valgrind
