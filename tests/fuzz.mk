# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later

# make fuzz: the fuzz targets with clang's libFuzzer. make check replays their seeds (tests/fuzz/corpus) with any compiler.
FUZZ_S ?= 60
FUZZ_JOBS ?= 1
FUZZ ?= $(FUZZERS:fuzz_%=%)
FUZZDIR := $(BUILD)/libfuzz
FUZZSAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g

$(FUZZDIR)/%: CC = $(CLANG)
$(eval $(call variant,$(FUZZDIR),$(FUZZSAN) -fsanitize=fuzzer-no-link))
$(FUZZDIR)/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZDIR)/libagent.a $(FUZZDIR)/libchecks.a $(FUZZDIR)/libveille.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@')
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes $(FUZZSAN) -fsanitize=fuzzer $(INC_tests) $(call pkg_cflags,$(ALL_PKGS)) -MMD -MP -o $@ $< \
		-Wl,--start-group $(FUZZDIR)/libagent.a $(FUZZDIR)/libchecks.a $(FUZZDIR)/libveille.a -Wl,--end-group \
		$(call pkg_libs,$(ALL_PKGS)) -lsensors -lresolv -lm

fuzz-programs: $(FUZZ:%=$(FUZZDIR)/fuzz_%)
fuzz: deps-check
	@$(MAKE) --no-print-directory fuzz-programs
	@SHARED=$(SHARED) tests/fuzz/search $(FUZZ_S) $(FUZZ_JOBS) $(FUZZDIR) $(FUZZ)

.PHONY: fuzz fuzz-programs
