# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# make lint: what compilers and analyzers can say before anything runs. It is incremental: a file is looked at again
# when its object would be built again. "make lint-tidy" and so on run one part.
DEPS_LINT := clang clang-tidy cppcheck shellcheck pyflakes3
LINT := $(BUILD)/lint
LINT_C := $(wildcard src/*.c checks/*.c agent/*.c)
LINT_C_MORE := $(wildcard tests/unit/*.c tests/fuzz/*.c tests/foresight/*.c docs/tools/*.c)
LINT_HEADERS := $(wildcard src/*.[hi]* checks/*.[hi]* agent/*.[hi]* tests/unit/*.h docs/tools/*.h)
# A script is what begins with #! and names its interpreter.
scripts = $(shell find agent docs tests systemd -type f -exec awk 'FNR == 1 && /^\#!.*$(1)/ { print FILENAME } FNR == 1 { nextfile }' {} +)

lint: deps-check
	@tests/install-packages $(DEPS_LINT)
	@$(MAKE) --no-print-directory build lint-clang
	@$(MAKE) --no-print-directory lint-analyzer lint-tidy lint-cppcheck lint-shell lint-python
	@echo "lint: clean"

INC_docs := -Idocs/tools -Isrc
LINT_STD = -std=gnu11 -D_GNU_SOURCE $(INC_$(firstword $(subst /, ,$<))) $(call pkg_cflags,$(ALL_PKGS))

# Everything that ships is built and linked by clang, too; tests and tools are only compiled.
lint-clang: $(LINT_C_MORE:%.c=$(LINT)/clang/%.ok)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=$(CLANG) build
$(LINT)/clang/%.ok: CC = $(CLANG)
$(LINT)/clang/%.ok: %.c $(LINT_HEADERS) $(wildcard src/*.c)
	@mkdir -p $(@D); echo '  CLANG $<'
	$(Q)$(CLANG) -fsyntax-only $(ALL_CFLAGS) -Wno-missing-prototypes $(LINT_STD) $<
	@touch $@

# Not its leaks: version 12 of gcc loses a pointer as soon as it is put into a structure. ASan's leak check runs on every
# test, and make valgrind on the programs. Nor texts that may be cut: the build says which, and here gcc inlines other calls.
lint-analyzer: $(LINT_C:%.c=$(LINT)/analyzer/%.ok)
$(LINT)/analyzer/%.ok: %.c $(BUILD)/obj/%.o
	@mkdir -p $(@D); echo '  ANALYZER $<'
	$(Q)gcc -fanalyzer $(ALL_CFLAGS) -Wno-analyzer-malloc-leak -Wno-format-truncation $(LINT_STD) -c -o /dev/null $<
	@touch $@

lint-tidy: $(LINT_C:%.c=$(LINT)/tidy/%.ok)
$(LINT)/tidy/%.ok: %.c $(BUILD)/obj/%.o .clang-tidy
	@mkdir -p $(@D); echo '  TIDY $<'
	$(Q)clang-tidy --quiet $< -- $(LINT_STD) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

lint-cppcheck: $(LINT)/cppcheck.ok
$(LINT)/cppcheck.ok: $(LINT_C) $(LINT_HEADERS) tests/cppcheck.h tests/cppcheck.suppressions
	@mkdir -p $(LINT)/cppcheck; echo '  CPPCHECK'
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j2 \
		--cppcheck-build-dir=$(LINT)/cppcheck --include=tests/cppcheck.h --suppressions-list=tests/cppcheck.suppressions \
		-D_GNU_SOURCE -Ichecks -Iagent -Isrc $(LINT_C)
	@touch $@

lint-shell:
	$(Q)echo "  SHELLCHECK"; shellcheck -x $(call scripts,[\/ ](sh|bash)$$$$)
lint-python:
	$(Q)echo "  PYFLAKES"; pyflakes3 $(sort $(call scripts,python3) $(wildcard tests/*/*.py))

.PHONY: lint lint-clang lint-analyzer lint-tidy lint-cppcheck lint-shell lint-python
