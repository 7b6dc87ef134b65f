# make, make check, make demo: see README.md. Variables: SAN=1 (sanitizers), V=1 (show commands), CC, CFLAGS, PREFIX, DESTDIR,
# PROVE_FLAGS, WORLD (check-world, bench), FUZZ_SECONDS.

CC ?= cc
PREFIX ?= /usr/local
PACKAGES := libgit2 sqlite3 libcurl jansson libprotobuf-c ncursesw zlib
O := build$(if $(SAN),-san)$(if $(filter clang%,$(notdir $(CC))),-clang)
Q := $(if $(V),,@)

SAN_FLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined -DTUXTAPE_SAN)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings \
	-Wno-missing-field-initializers -fno-strict-aliasing -fstack-protector-strong $(CFLAGS) $(SAN_FLAGS) -I. -I$(O) $(PKG_CFLAGS)
# pkg-config is asked once a run, at the first compilation: `make deps` runs on machines that do not have it yet.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PACKAGES)) -lmbedtls -lmbedx509 -lmbedcrypto -lm)$(PKG_LIBS)

SCHEMAS := $(patsubst %.sql,$(O)/%.inc,$(sort $(wildcard lib/*.sql)))
GENERATED := $(O)/proto/tuxtape.pb-c.h $(SCHEMAS) $(O)/version.h
LIB_OBJS := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard lib/*.c))) $(O)/proto/tuxtape.pb-c.o
APPLET_OBJS := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard applets/*.c)))
UNIT_TESTS := $(patsubst t/unit/%.c,$(O)/t/%.t,$(sort $(wildcard t/unit/*.c)))
FUZZERS := $(patsubst t/fuzz/%.c,$(O)/fuzz/%,$(sort $(wildcard t/fuzz/fuzz_*.c)))
TOOLS := $(patsubst t/%.c,$(O)/t/%,$(sort $(wildcard t/*.c)))
DEPFILES = $(LIB_OBJS:.o=.d) $(APPLET_OBJS:.o=.d) $(O)/tuxtape.d

.PHONY: all
all: $(O)/tuxtape tuxtape

# The binary at the top is the plain build's, so that README's commands work as printed.
tuxtape: $(O)/tuxtape
	$(Q)$(if $(filter build,$(O)),ln -sf $(O)/tuxtape tuxtape,:)

$(O)/tuxtape: $(O)/tuxtape.o $(APPLET_OBJS) $(O)/libtuxtape.a
	@echo "  LD      $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(O)/libtuxtape.a: $(LIB_OBJS)
	@echo "  AR      $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# For tests, which take from it what they need.
$(O)/libapplets.a: $(APPLET_OBJS)
	@echo "  AR      $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/proto/%.o: $(O)/proto/%.c
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/proto/tuxtape.pb-c.c $(O)/proto/tuxtape.pb-c.h &: proto/tuxtape.proto
	@mkdir -p $(O)/proto
	@echo "  PROTOC  $@"
	$(Q)protoc-c -I proto -I /usr/include --c_out=$(O)/proto proto/tuxtape.proto

# Each step of the schema as a C string.
$(O)/lib/%.inc: lib/%.sql
	@mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@

# Written anew only when the version has changed, so that a commit rebuilds one file.
$(O)/version.h: FORCE
	@mkdir -p $(@D)
	@v=$$(git describe --tags --always --dirty 2>/dev/null || echo unknown); \
	echo "#define TUXTAPE_VERSION \"$$v\"" > $@.new; \
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

$(O)/t/%.t: t/unit/%.c $(wildcard t/*.h) $(O)/libapplets.a $(O)/libtuxtape.a | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -It -o $@ $< $(O)/libapplets.a $(O)/libtuxtape.a $(PKG_LIBS)

# Helpers of the tests: t/NAME.c becomes a program of its own.
$(O)/t/%: t/%.c $(O)/libapplets.a $(O)/libtuxtape.a | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -It -o $@ $< $(O)/libapplets.a $(O)/libtuxtape.a $(PKG_LIBS)

# What the handlers of the server are made of: one fuzz target asks them.
SERVER_PARTS := $(filter $(O)/applets/server_%.o,$(APPLET_OBJS)) $(O)/applets/kernel_clone.o
$(O)/fuzz/fuzz_request $(O)/libfuzzer/fuzz_request: PARTS = $(SERVER_PARTS)
$(O)/fuzz/fuzz_request $(O)/libfuzzer/fuzz_request: $(SERVER_PARTS)

# Fuzz targets replay their corpus in `check`; `make fuzz` runs them long under libFuzzer.
$(O)/fuzz/%: t/fuzz/%.c t/fuzz/replay.c t/fuzz/fuzz.h $(O)/libtuxtape.a | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -It -It/fuzz -o $@ $< t/fuzz/replay.c $(PARTS) $(O)/libtuxtape.a $(PKG_LIBS)

.PHONY: test-programs
test-programs: $(UNIT_TESTS) $(FUZZERS) $(TOOLS)

# ---- Packages of Debian 12 and 13 and Ubuntu 24.04

BUILD_DEPS := gcc libc6-dev make pkg-config protobuf-c-compiler libprotobuf-c-dev libprotobuf-dev libgit2-dev libsqlite3-dev \
	libcurl4-openssl-dev libjansson-dev libmbedtls-dev libncurses-dev zlib1g-dev
TEST_DEPS := git ca-certificates sqlite3 perl mandoc groff-base jq procps python3 tmux
# What check-world's build of a real kernel takes.
WORLD_DEPS := flex bison bc cpio libelf-dev libssl-dev openssl strace python3
LINT_DEPS := clang clang-tidy clang-format cppcheck
FUZZ_DEPS := clang libclang-rt-dev

# Installs what is missing of $(1); says nothing when all is there.
define install_missing
@command -v dpkg-query >/dev/null || { echo "make: no dpkg here; these must be installed: $(1)"; exit 0; }; \
missing=; for p in $(1); do \
	[ "$$(dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
done; \
[ -n "$$missing" ] || exit 0; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
echo "$${sudo:+$$sudo }apt-get install -y --no-install-recommends$$missing"; \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends$$missing >/dev/null
endef

.PHONY: deps lint-deps fuzz-deps world-deps
deps:
	$(call install_missing,$(BUILD_DEPS) $(TEST_DEPS))
lint-deps:
	$(call install_missing,$(BUILD_DEPS) $(TEST_DEPS) $(LINT_DEPS))
world-deps:
	$(call install_missing,$(BUILD_DEPS) $(TEST_DEPS) $(WORLD_DEPS))
fuzz-deps:
	$(call install_missing,$(BUILD_DEPS) $(FUZZ_DEPS))

# ---- Runs. Each installs what it needs, and a second make builds with it.

TEST_ENV = O=$(abspath $(O)) TUXTAPE=$(abspath $(O))/tuxtape UBSAN_OPTIONS=print_stacktrace=1

.PHONY: demo demo-run
demo: deps
	+@$(MAKE) --no-print-directory demo-run
demo-run: all $(O)/t/httpd
	$(Q)O=$(O) t/demo $(O)/demo

.PHONY: check check-run
check: deps
	+@$(MAKE) --no-print-directory check-run
check-run: all test-programs
	$(Q)$(TEST_ENV) prove -j2 $(PROVE_FLAGS) $(UNIT_TESTS) $(sort $(wildcard t/*.t))

# The tests that need a world of real kernel trees and records, in WORLD.
.PHONY: check-world check-world-run
check-world: world-deps
	$(if $(WORLD),,$(error check-world needs WORLD=DIR))
	+@$(MAKE) --no-print-directory check-world-run
check-world-run: all test-programs
	$(Q)$(TEST_ENV) WORLD=$(abspath $(WORLD)) prove $(PROVE_FLAGS) t/world

# Long runs that look for what grows.
.PHONY: soak soak-run
soak: deps
	+@$(MAKE) --no-print-directory soak-run
soak-run: all test-programs
	$(Q)$(TEST_ENV) prove -v $(PROVE_FLAGS) $(sort $(wildcard t/soak/*.sh))

# Each script of t/bench prints rows of one table.
.PHONY: bench bench-run
bench: deps
	$(if $(WORLD),,$(error bench needs WORLD=DIR))
	+@$(MAKE) --no-print-directory bench-run
bench-run: all test-programs $(O)/bench/peer
	@printf '%s cores, %s\n\n| what | measured | compared with | ratio | memory |\n|---|---|---|---|---|\n' \
		"$$(nproc)" "$$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	$(Q)set -e; for b in $(sort $(wildcard t/bench/*.sh)); do $(TEST_ENV) bash $$b $(abspath $(WORLD)); done

# The gRPC server and client that t/bench/server.sh compares with. Where its packages are not there, its rows are left out.
PEER_DEPS := g++ protobuf-compiler libgrpc++-dev protobuf-compiler-grpc
$(O)/bench/peer: t/bench/grpc/peer.cc t/bench/grpc/peer.proto
	@mkdir -p $(@D)
	$(Q)if ! pkg-config --exists grpc++ protobuf || ! command -v $(CXX) protoc grpc_cpp_plugin >/dev/null; then \
		echo "bench: no comparison with gRPC, whose packages are not there: $(PEER_DEPS)" >&2; \
	else \
		echo "  CXX     $@"; \
		protoc -I t/bench/grpc --cpp_out=$(@D) --grpc_out=$(@D) \
			--plugin=protoc-gen-grpc="$$(command -v grpc_cpp_plugin)" peer.proto && \
		$(CXX) -std=c++17 -O2 -Wall -I$(@D) -o $@ $< $(@D)/peer.pb.cc $(@D)/peer.grpc.pb.cc \
			$$(pkg-config --cflags --libs grpc++ protobuf) -pthread; \
	fi

# ---- Lint: any finding fails

C_FILES = $(sort $(wildcard tuxtape.c applets/*.c lib/*.c))
ALL_C = $(C_FILES) $(sort $(wildcard applets/*.h lib/*.h t/*.[ch] t/unit/*.c t/fuzz/*.[ch]))
SCRIPTS = .ci/run $(sort $(wildcard t/*.t t/*.sh t/bench/*.sh t/soak/*.sh t/world/*.t)) t/demo t/make-demo-world t/make-mini-kernel t/demo-tree t/demo-fixes t/demo-cves

.PHONY: lint lint-run lint-format lint-scripts lint-cppcheck lint-tidy
lint: lint-deps
	+@$(MAKE) --no-print-directory -k -j2 lint-run
lint-run: lint-tidy lint-cppcheck lint-format lint-scripts
lint-format:
	@echo "  FORMAT"
	$(Q)clang-format --dry-run -Werror $(ALL_C)
lint-scripts:
	@echo "  BASH -n"
	$(Q)for s in $(SCRIPTS); do bash -n $$s || exit 1; done
lint-cppcheck: $(GENERATED)
	@echo "  CPPCHECK"
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --library=posix,gnu --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppressions-list=.cppcheck -D_GNU_SOURCE -DPROTOBUF_C_VERSION_NUMBER=9999999 -I. -I$(O) $(C_FILES)
# A target a file, so that two run at once. What clang-tidy counts but does not show is of no interest.
lint-tidy: $(C_FILES:%=tidy/%)
tidy/%: % $(GENERATED) FORCE
	@echo "  TIDY    $<"
	$(Q)clang-tidy --quiet $< -- $(ALL_CFLAGS) 2>$(O)/tidy.$(subst /,-,$<) || \
		{ cat $(O)/tidy.$(subst /,-,$<) >&2; exit 1; }
	@rm -f $(O)/tidy.$(subst /,-,$<)

# ---- Fuzzing, FUZZ_SECONDS for each target; what it finds to be new stays in build-fuzz/corpus

FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-run
fuzz: fuzz-deps
	+@$(MAKE) --no-print-directory fuzz-run O=build-fuzz CC=clang CFLAGS="-O1 -g -fsanitize=fuzzer-no-link,address"
fuzz-run: $(FUZZERS:$(O)/fuzz/%=$(O)/libfuzzer/%)
	$(Q)set -e; for f in $^; do \
		name=$${f##*/fuzz_}; echo "  FUZZ    $$name"; mkdir -p $(O)/corpus/$$name; \
		$$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(O)/$$name- -verbosity=0 -print_final_stats=1 \
			$(O)/corpus/$$name t/fuzz/corpus/$$name; \
	done
$(O)/libfuzzer/%: t/fuzz/%.c t/fuzz/fuzz.h $(O)/libtuxtape.a | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -It -It/fuzz -o $@ $< $(PARTS) $(O)/libtuxtape.a $(PKG_LIBS)

# ---- Installation

BIN := $(DESTDIR)$(PREFIX)/bin
MAN := $(DESTDIR)$(PREFIX)/share/man
COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
PAGES = $(sort $(wildcard man/*.[1-8]))

.PHONY: install uninstall
install: all
	$(Q)install -d $(BIN) $(COMPLETION)
	$(Q)install -m 755 $(O)/tuxtape $(BIN)/tuxtape
	$(Q)$(O)/tuxtape --list-aliases | while read -r alias applet; do ln -sf tuxtape $(BIN)/$$alias; done
	$(Q)for page in $(PAGES); do install -D -m 644 $$page $(MAN)/man$${page##*.}/$${page##*/}; done
	$(Q)$(O)/tuxtape --completion bash > $(COMPLETION)/tuxtape
	@chmod 644 $(COMPLETION)/tuxtape

# An alias goes only while it is a link to tuxtape.
uninstall: all
	$(Q)$(O)/tuxtape --list-aliases | while read -r alias applet; do \
		[ "$$(readlink $(BIN)/$$alias)" != tuxtape ] || rm -f $(BIN)/$$alias; done
	$(Q)rm -f $(BIN)/tuxtape $(COMPLETION)/tuxtape $(foreach p,$(PAGES),$(MAN)/man$(subst .,,$(suffix $p))/$(notdir $p))

.PHONY: clean
clean:
	$(Q)rm -rf build build-* tuxtape

-include $(wildcard $(DEPFILES))
