# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# make run         install what is needed, build, look at this host and watch it (root)
# make check       install what is needed, build with sanitizers, run the tests; SUITE=PART runs some
# make help        this list
# make install     DESTDIR= PREFIX=/usr; make uninstall
# make check-lab   whole programs on this host, in namespaces and virtual machines (root)
# make check-lab-long  the same with all that takes long, resumable; writes docs/hardware-lab.md
# make lint        compilers and analyzers
# make fuzz        FUZZ_S=60 seconds a target, FUZZ_JOBS=1 at once, FUZZ="config kmsg" only these (docs/fuzzing.md)
# make valgrind    the programs at work under valgrind (some minutes)
# make foresight   how well a disk's death is seen coming

BUILD := build
CC ?= gcc
CLANG ?= clang
PREFIX ?= /usr
SHARED ?= ../shared

# What Debian calls what we need. Only tools and libraries: servers for tests are unpacked into build/.
DEPS := gcc make pkg-config libatasmart-dev libsensors-dev libjansson-dev libmicrohttpd-dev libsqlite3-dev \
	libsystemd-dev libcurl4-openssl-dev libgnutls28-dev libfreeipmi-dev libipmimonitoring-dev libupsclient-dev \
	smartmontools libsensors-config
DEPS_CHECK := clang libclang-rt-14-dev libcmocka-dev umockdev xz-utils python3 reuse man-db util-linux libatasmart-bin
include tests/deps.mk

WARN = -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings \
	-Wno-missing-field-initializers $(if $(findstring clang,$(CC)),-Wvla,-Wvla-larger-than=16384 -Wno-format-truncation)
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS)
LDFLAGS ?= -Wl,-z,relro,-z,now -pie
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g

# Which libraries a program needs. A program is agent/NAME.c (checks/veille-probe.c) with main(), the files
# of its own (agent/PREFIX_*.c), those that all of agent/ share (agent/common_*.c), and src/.
LIBS_veilled := libsystemd jansson
LIBS_veille-store := libsystemd jansson sqlite3
LIBS_veille-web := libmicrohttpd jansson
LIBS_veillectl := jansson libatasmart
LIBS_veille-probe := jansson libatasmart
LIBS_veille-life := jansson
LIBS_veille-notify := libcurl gnutls libsystemd jansson
LIBS_veille-act := jansson
LIBS_veille-peer := libmicrohttpd libcurl gnutls libsystemd jansson
EXTRA_veille-probe := -lsensors -lm
EXTRA_veille-notify := -lresolv
PREFIX_veilled := brain
PREFIX_veille-store := store
PREFIX_veille-web := web
PREFIX_veillectl := ctl
PREFIX_veille-notify := notify
PREFIX_veille-life := life
PREFIX_veille-act := act
PREFIX_veille-peer := peer

AGENT_PROGRAMS := $(filter $(patsubst agent/%.c,%,$(wildcard agent/*.c)),veilled veille-store veille-web veillectl veille-notify veille-life veille-act veille-peer)
PROGRAMS := $(AGENT_PROGRAMS) veille-probe

# src/ may include only src/; agent/ and checks/ only themselves and src/. The -I flags enforce it.
pkg_cflags = $(if $(1),$(shell pkg-config --cflags $(1)))
pkg_libs = $(if $(1),$(shell pkg-config --libs $(1)))
# V=1 shows whole commands.
Q := $(if $(V),,@)

ALL_PKGS := libsystemd jansson sqlite3 libmicrohttpd libatasmart libcurl gnutls
INC_src := -Isrc
INC_agent := -Iagent -Isrc
INC_checks := -Ichecks -Isrc
INC_tests := -Itests/unit -Ichecks -Iagent -Isrc

SRC_src := $(wildcard src/*.c)
SRC_checks := $(filter-out checks/veille-probe.c,$(wildcard checks/*.c))
SRC_agent := $(filter-out $(AGENT_PROGRAMS:%=agent/%.c),$(wildcard agent/*.c))
TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: deps
	@$(MAKE) --no-print-directory build
build: $(PROGRAMS:%=$(BUILD)/%)

# Looks at this very host and watches it in the foreground; needs root to read hardware.
run: all
	@agent/run-here $(BUILD)

# --- installing what is needed; nothing happens when it is there --------------------------------
deps:
	@tests/install-packages $(DEPS)
deps-check: deps
	@tests/install-packages $(DEPS_CHECK) $(DEPS_CHECK_MORE)

# --- programs, plain and sanitized ---------------------------------------------------------------
define variant # 1 = directory, 2 = extra flags
$(1)/obj/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo '  CC $$@')
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(2) $$(INC_$$(firstword $$(subst /, ,$$<))) $$(call pkg_cflags,$$(ALL_PKGS)) -MMD -MP -c -o $$@ $$<
$(1)/libveille.a: $(SRC_src:%.c=$(1)/obj/%.o)
	@rm -f $$@; ar rcs $$@ $$^
$(1)/libchecks.a: $(SRC_checks:%.c=$(1)/obj/%.o)
	@rm -f $$@; ar rcs $$@ $$^
$(1)/libagent.a: $(SRC_agent:%.c=$(1)/obj/%.o)
	@rm -f $$@; ar rcs $$@ $$^
endef

define program # 1 = directory, 2 = name, 3 = extra flags
$(1)/$(2): $(1)/obj/agent/$(2).o $(patsubst %.c,$(1)/obj/%.o,$(wildcard agent/$(PREFIX_$(2)).c agent/$(PREFIX_$(2))_*.c agent/common_*.c)) $(1)/libveille.a
	$$(if $$(V),,@echo '  LD $$@')
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(3) $$(LDFLAGS) -o $$@ $$^ $$(call pkg_libs,$(LIBS_$(2))) $(EXTRA_$(2)) -lm
endef

define programs # 1 = directory, 2 = extra flags
$(foreach p,$(AGENT_PROGRAMS),$(eval $(call program,$(1),$(p),$(2))))
$(1)/veille-probe: $(1)/obj/checks/veille-probe.o $(1)/libchecks.a $(1)/libveille.a
	$$(if $$(V),,@echo '  LD $$@')
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(2) $$(LDFLAGS) -o $$@ $$^ $$(call pkg_libs,$(LIBS_veille-probe)) $(EXTRA_veille-probe)
endef

SANDIR := $(BUILD)/san
$(eval $(call variant,$(BUILD),$(HARDEN)))
$(eval $(call programs,$(BUILD),$(HARDEN)))
$(eval $(call variant,$(SANDIR),$(SAN)))
$(eval $(call programs,$(SANDIR),$(SAN)))

# --- tests ------------------------------------------------------------------------------------
$(SANDIR)/tests/%: tests/unit/%.c $(SANDIR)/libagent.a $(SANDIR)/libchecks.a $(SANDIR)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes $(SAN) $(INC_tests) $(call pkg_cflags,$(ALL_PKGS)) -MMD -MP -o $@ $< \
		-Wl,--start-group $(SANDIR)/libagent.a $(SANDIR)/libchecks.a $(SANDIR)/libveille.a -Wl,--end-group \
		-lcmocka $(call pkg_libs,$(ALL_PKGS)) -lsensors -lresolv -lm

# Fuzz targets: with clang's libFuzzer to search, with a plain main() to replay their corpus in make check.
$(SANDIR)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay_main.c $(SANDIR)/libagent.a $(SANDIR)/libchecks.a $(SANDIR)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes $(SAN) $(INC_tests) $(call pkg_cflags,$(ALL_PKGS)) -MMD -MP -o $@ tests/fuzz/replay_main.c $< \
		-Wl,--start-group $(SANDIR)/libagent.a $(SANDIR)/libchecks.a $(SANDIR)/libveille.a -Wl,--end-group \
		$(call pkg_libs,$(ALL_PKGS)) -lsensors -lresolv -lm

check-programs: build man $(BUILD)/bench/store_writes $(BUILD)/bench/brain_polls $(BUILD)/man/veille.conf.5.new $(PROGRAMS:%=$(SANDIR)/%) $(TESTS:%=$(SANDIR)/tests/%) $(FUZZERS:%=$(SANDIR)/fuzz/%)

# SUITE=unit, or a part of a test's name, runs only those.
check: deps-check
	@$(MAKE) --no-print-directory check-programs lint-clang
	@SHARED=$(SHARED) BUILD=$(BUILD) tests/run $(SUITE)

# How well a disk's death is seen coming: replays a whole fleet and prints a table (some minutes; docs/foresight.md).
FORESIGHT_TOOLS := expand score_days peer_rules
$(BUILD)/foresight/%: tests/foresight/%.c $(BUILD)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) $(INC_src) $(call pkg_cflags,jansson) -MMD -MP -o $@ $< $(BUILD)/libveille.a $(call pkg_libs,jansson) -lm
foresight: deps-check
	@$(MAKE) --no-print-directory build $(FORESIGHT_TOOLS:%=$(BUILD)/foresight/%)
	@SHARED=$(SHARED) BUILD=$(BUILD) tests/foresight/evaluate

include tests/lint.mk
include tests/fuzz.mk
include tests/valgrind.mk

# Whole programs, the way a user meets them.
check-lab: deps-check
	@$(MAKE) --no-print-directory build
	@tests/install-packages $(DEPS_LAB)
	@LAB=1 SHARED=$(SHARED) BUILD=$(BUILD) tests/run $(SUITE)

# Every family of faults on both machines, the control hour, the mutations: an hour and more. What has passed at this commit is not
# run again; every run is a line of build/lab/runs.jsonl (SEED= chooses another order and other sectors, JOBS=2 runs two machines at once).
check-lab-long: deps-check
	@$(MAKE) --no-print-directory build
	@tests/install-packages $(DEPS_LAB)
	@BUILD=$(BUILD) tests/lab/vm/long.py $(SUITE)

# What all of it costs beside node_exporter and monit on a made-up host: prints a table and writes docs/bench.md (root, some
# minutes; never part of make check: it times).
# What the store writes to the disk in a day, of 12 disks and 200 sensors (WRITES_DIR: not on a tmpfs; WRITES_DAYS).
$(BUILD)/bench/store_writes: tests/bench/store_writes.c $(BUILD)/libagent.a $(BUILD)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) $(INC_agent) $(call pkg_cflags,$(ALL_PKGS)) -MMD -MP -o $@ $< -Wl,--start-group $(BUILD)/libagent.a \
		$(BUILD)/libveille.a -Wl,--end-group $(call pkg_libs,$(ALL_PKGS)) -lm
# The brain for a million polls with a clock that jumps: no heap growth (BENCH_POLLS; root, some minutes).
$(BUILD)/bench/brain_polls: tests/bench/brain_polls.c agent/veilled.c $(BUILD)/libagent.a $(BUILD)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) $(INC_agent) $(call pkg_cflags,$(ALL_PKGS)) -MMD -MP -o $@ $< -Wl,--start-group $(BUILD)/libagent.a \
		$(BUILD)/libveille.a -Wl,--end-group $(call pkg_libs,$(ALL_PKGS)) -lm
.PHONY: bench-polls
bench-polls: all
	@$(MAKE) --no-print-directory $(BUILD)/bench/brain_polls
	@BUILD=$(BUILD) tests/bench/polls

bench-writes: deps $(BUILD)/bench/store_writes
	@dir=$$(mktemp -d $${WRITES_DIR:-$(BUILD)}/writes.XXXXXX) && { $(BUILD)/bench/store_writes $$dir $(WRITES_DAYS); s=$$?; rm -rf $$dir; exit $$s; }

bench: all
	@tests/install-packages $(DEPS_BENCH)
	@BUILD=$(BUILD) tests/bench/bench

# --- installing -----------------------------------------------------------------------------------
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS := $(filter-out %.sysusers %.tmpfiles,$(wildcard systemd/*))
COMPLETIONS := $(patsubst docs/completion/%.bash,%,$(wildcard docs/completion/*.bash))
D := $(DESTDIR)$(PREFIX)

# Only programs that are there are installed with their unit.
install: build man
	install -d $(D)/sbin $(D)/bin $(DESTDIR)$(UNITDIR) $(D)/lib/sysusers.d $(D)/lib/tmpfiles.d $(DESTDIR)/etc/veille/veille.conf.d
	install -m 755 $(filter-out $(BUILD)/veillectl,$(PROGRAMS:%=$(BUILD)/%)) $(D)/sbin
	install -m 755 $(BUILD)/veillectl $(D)/bin
	install -d $(D)/lib/veille/hooks $(DESTDIR)/etc/veille/hooks.d
	install -m 755 $(wildcard agent/hooks/*) $(D)/lib/veille/hooks
	for u in $(UNITS); do sed 's#/usr/\(s\?bin\)/veille#$(PREFIX)/\1/veille#' $$u > $(DESTDIR)$(UNITDIR)/$${u##*/} && chmod 644 $(DESTDIR)$(UNITDIR)/$${u##*/} || exit 1; done
	install -m 644 systemd/veille.sysusers $(D)/lib/sysusers.d/veille.conf
	install -m 644 systemd/veille.tmpfiles $(D)/lib/tmpfiles.d/veille.conf
	for m in $(wildcard $(BUILD)/man/*.[1-8]); do install -D -m 644 $$m $(D)/share/man/man$${m##*.}/$${m##*/} || exit 1; done
	install -D -m 644 docs/veille.conf.example $(D)/share/doc/veille/veille.conf.example
	for f in prometheus/veille-alerts.yml prometheus/veille-alerts-test.yml grafana/veille.json; do install -D -m 644 docs/$$f $(D)/share/doc/veille/$$f || exit 1; done
	for c in $(COMPLETIONS); do install -D -m 644 docs/completion/$$c.bash $(D)/share/bash-completion/completions/$$c || exit 1; done
	[ -n "$(DESTDIR)" ] || { systemd-sysusers && systemd-tmpfiles --create $(D)/lib/tmpfiles.d/veille.conf; }
	[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl daemon-reload

uninstall:
	[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl disable --now $(notdir $(filter-out %@.service %.mount,$(UNITS))) || true
	[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl disable --now $(notdir $(filter %.mount,$(UNITS))) || true
	rm -f $(PROGRAMS:%=$(D)/sbin/%) $(D)/bin/veillectl $(UNITS:systemd/%=$(DESTDIR)$(UNITDIR)/%)
	rm -f $(D)/lib/sysusers.d/veille.conf $(D)/lib/tmpfiles.d/veille.conf $(COMPLETIONS:%=$(D)/share/bash-completion/completions/%)
	rm -f $(D)/share/man/man?/veille*
	rm -f $(patsubst agent/hooks/%,$(D)/lib/veille/hooks/%,$(wildcard agent/hooks/*))
	rmdir $(D)/lib/veille/hooks $(D)/lib/veille 2>/dev/null || true
	rm -rf $(D)/share/doc/veille
	[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl daemon-reload
	[ -n "$(DESTDIR)" ] || rm -rf /run/veille
	@echo "kept: /etc/veille, /var/lib/veille, user veille, group veille-admin (remove them by hand if you want to)"

# --- documentation -----------------------------------------------------------------------------------
# Man pages lie ready in docs/man, but for those that are put together from parts. What comes from the table of config
# keys is committed, so that it can be read without a build; a test compares it with what "make docs" would write.
MAN_READY := $(wildcard docs/man/*.[1-8])
MAN := $(MAN_READY:docs/man/%=$(BUILD)/man/%) $(BUILD)/man/veille-checks.7 $(BUILD)/man/veille-rules.7 \
	$(BUILD)/man/veillectl.1
man: $(MAN)
$(BUILD)/man/%: docs/man/%
	@mkdir -p $(@D); cp $< $@
$(BUILD)/man/veille-checks.7: docs/man/veille-checks.7.in $(wildcard docs/man/veille-checks.7.d/*.part)
	@mkdir -p $(@D); cat $(sort $(filter %.part,$^)) > $@.parts; sed -e '/@PARTS@/{r $@.parts' -e 'd}' $< > $@; rm $@.parts
$(BUILD)/man/veille-rules.7: docs/man/veille-rules.7.in $(BUILD)/tools/rules_man $(BUILD)/veille-probe
	@mkdir -p $(@D); $(BUILD)/veille-probe catalog | $(BUILD)/tools/rules_man > $@.part
	@sed -e '/@RULES@/{r $@.part' -e 'd}' $< > $@; rm $@.part
$(BUILD)/man/veillectl.1: docs/man/veillectl.1.in docs/tools/ctl-man $(BUILD)/veillectl
	@mkdir -p $(@D); docs/tools/ctl-man $(BUILD)/veillectl > $@.part
	@sed -e '/@COMMANDS@/{r $@.part' -e 'd}' $< > $@; rm $@.part
$(BUILD)/man/veille.conf.5.new: docs/man/veille.conf.5.in $(BUILD)/tools/config_man
	@mkdir -p $(@D); $(BUILD)/tools/config_man > $@.part; sed -e '/@KEYS@/{r $@.part' -e 'd}' $< > $@; rm $@.part
$(BUILD)/tools/%: docs/tools/%.c docs/tools/roff.h $(BUILD)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDEN) -Idocs/tools -Isrc $(LDFLAGS) -o $@ $< $(BUILD)/libveille.a -ljansson -lm

help:
	@sed -n 's/^# make /make /p' Makefile
docs: $(BUILD)/man/veille.conf.5.new $(BUILD)/veillectl
	cp $< docs/man/veille.conf.5
	$(BUILD)/veillectl config example > docs/veille.conf.example

clean:
	rm -rf $(BUILD)

.PHONY: help bench foresight all build run check-lab check-lab-long deps deps-check check check-programs clean install uninstall man docs
-include $(shell find $(BUILD) '(' -path $(BUILD)/lab-root -o -name unpacked ')' -prune -o -type f -name '*.d' -print 2>/dev/null)
