# remex: one non-recursive makefile; a new source file needs no edit here.
#
#   make            programs and plugins in build/
#   make run        installs what is missing, builds, shows the main job: a message on its way
#   make check      installs what is missing, builds, runs every test
#
# Layout: src/<layer>/*.c make up libremex.a; src/proc/main.c is build/remex, src/proc/main_<x>.c is
# build/remex-<x>; src/plugins/<x>.c (or every file of src/plugins/<x>/) is build/plugins/<x>.so with
# the libraries of PLUGIN_LIBS_<x>. BUILD= names another folder, CC= another compiler, SAN= adds
# sanitizers (`make BUILD=/tmp/b SAN=-fsanitize=address,undefined`), WERROR=-Werror is what the tests use.

ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
SAN     ?=
WERROR  ?=
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr

# --- libraries ---------------------------------------------------------------------------------
# Of the programs: as few as possible, the dynamic linker's work is most of a start.
LDLIBS  := -lpcre2-8 -lnettle -lidn2 -lunistring -llmdb -lcrypt -ldl -lm -lresolv
# Of the plugins, which are loaded when a configuration names them.
PLUGIN_LIBS_sqlite := -lsqlite3
PLUGIN_LIBS_json   := -ljansson
PLUGIN_LIBS_ldap   := -lldap -llber
PLUGIN_LIBS_mysql  := -lmariadb
PLUGIN_LIBS_pgsql  := -lpq
PLUGIN_LIBS_redis  := -lhiredis
PLUGIN_LIBS_tls    := -lgnutls
PLUGIN_LIBS_pam    := -lpam
PLUGIN_LIBS_perl   := -lperl
PLUGIN_LIBS_suffixes := -lpsl
PLUGIN_LIBS_spf    := -lspf2
PLUGIN_LIBS_clamav := -lclamav
# What compiling a plugin needs besides; asked only then.
PLUGIN_CFLAGS_mysql := -isystem /usr/include/mariadb
PLUGIN_CFLAGS_pgsql := -isystem /usr/include/postgresql
PLUGIN_CFLAGS_perl = -isystem $(shell perl -MConfig -e 'print $$Config{archlibexp}')/CORE \
                      -fno-strict-aliasing

# --- flags -------------------------------------------------------------------------------------
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla \
           -Wnull-dereference -Wswitch-enum -Wimplicit-fallthrough
FORTIFY := $(if $(SAN)$(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
BASE    := -std=c17 -D_GNU_SOURCE -iquote src $(WARN) -fvisibility=hidden -fno-common \
           -fstack-protector-strong -pthread $(FORTIFY)
PIE     := -fPIE
PIC     := -fPIC
LDFLAGS += -fno-lto -Wl,-z,relro,-z,now,-O1,--hash-style=gnu,--as-needed -pthread
# Exports what base/plugin_export.h marks, and nothing else, since all else is hidden.
LDEXE   := -pie -Wl,--export-dynamic
V       ?=
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

# --- sources -----------------------------------------------------------------------------------
HEADERS := $(wildcard src/*/*.h src/plugins/*/*.h)
SRC     := $(filter-out src/plugins/%,$(wildcard src/*/*.c))
MAINS   := $(wildcard src/proc/main.c src/proc/main_*.c)
OBJ     := $(SRC:%.c=$(BUILD)/%.o)
LIBOBJ  := $(filter-out $(MAINS:%.c=$(BUILD)/%.o),$(OBJ))
LIB     := $(BUILD)/libremex.a

# Optimised as one by gcc for build/remex, whose hottest calls are between these files: the language machine and
# what it stands on. The objects are ordinary ones as well, which everything else links.
CORE    := $(if $(or $(SAN),$(findstring clang,$(CC)),$(filter-out -O2,$(filter -O%,$(CFLAGS)))),,base filter)
LTO     :=
CORE_OBJ := $(foreach l,$(CORE),$(filter $(BUILD)/src/$(l)/%,$(LIBOBJ)))

PLUGINS := $(sort $(patsubst src/plugins/%.c,%,$(wildcard src/plugins/*.c)) \
           $(patsubst src/plugins/%/,%,$(dir $(wildcard src/plugins/*/*.c))))
plugin_src = $(if $(1),$(wildcard src/plugins/$(1).c src/plugins/$(1)/*.c))
plugin_obj = $(patsubst %.c,$(BUILD)/%.o,$(call plugin_src,$(1)))
PLUGIN_OBJ := $(foreach p,$(PLUGINS),$(call plugin_obj,$(p)))
PLUGIN_SO  := $(PLUGINS:%=$(BUILD)/plugins/%.so)

program  = $(if $(filter src/proc/main.c,$(1)),remex,remex-$(subst _,-,$(1:src/proc/main_%.c=%)))
PROGRAMS := $(foreach m,$(MAINS),$(BUILD)/$(call program,$(m)))
# Exim's names. The conformance harness copies exim_* utilities that lie beside the binary; the
# names of the MTA itself are links, which it does not look for.
NAMES   := exim exim4 sendmail mailq newaliases runq rmail rsmtp
LINKS   := $(if $(filter src/proc/main.c,$(MAINS)),$(NAMES:%=$(BUILD)/%)) \
           $(if $(filter src/proc/main_dbmbuild.c,$(MAINS)),$(BUILD)/exim_dbmbuild) \
           $(if $(filter src/proc/main_lock.c,$(MAINS)),$(BUILD)/exim_lock) \
           $(if $(filter src/proc/main_hints.c,$(MAINS)),$(BUILD)/exim_dumpdb $(BUILD)/exim_tidydb $(BUILD)/exim_fixdb) \
           $(if $(filter src/proc/main_next.c,$(MAINS)),$(BUILD)/exinext) \
           $(if $(filter src/proc/main_msgdate.c,$(MAINS)),$(BUILD)/exim_msgdate)

UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard test/unit/*_test.c))
FUZZERS := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*_fuzz.c))

.PHONY: all run check check-fast asan tsan fuzz bench differential fault fault-sample soak soak-sample powercut lint format install clean
.PHONY: debian-install bootstrap bootstrap-debian programs plugins unit-programs fuzz-programs replay-programs check-headers FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: programs plugins
programs: $(PROGRAMS) $(LINKS)
plugins: $(PLUGIN_SO)

# --- building ----------------------------------------------------------------------------------
# Other flags, other objects.
FLAGS   := $(CC) $(BASE) $(CFLAGS) $(SAN) $(LDFLAGS) $(LDLIBS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

$(CORE_OBJ): LTO := -flto -ffat-lto-objects
$(OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) $(SAN) $(LTO) -MMD -MP -c $< -o $@

# Headers of ours must not stand in for the system's in those of the libraries (<sys/ipc.h>).
$(PLUGIN_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -Isrc,$(BASE)) -iquote src $(WERROR) $(PIC) $(CFLAGS) $(SAN) \
	    $(PLUGIN_CFLAGS_$(firstword $(subst /, ,$(*:src/plugins/%=%)))) -MMD -MP -c $< -o $@

$(LIB): $(LIBOBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/core.o: $(CORE_OBJ)
	$(call say,LTO,$@)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) -flto=auto -r -flinker-output=nolto-rel -o $@ $^

# Plugins may call what the program itself does not, so the whole library goes in.
$(BUILD)/remex: $(BUILD)/src/proc/main.o $(if $(CORE),$(BUILD)/core.o) $(filter-out $(CORE_OBJ),$(LIBOBJ))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDEXE) $(LDFLAGS) $(SAN) -o $@ $^ $(LDLIBS)

$(BUILD)/remex-%: $(BUILD)/src/proc/main_%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDEXE) $(LDFLAGS) $(SAN) -o $@ $< $(LIB) $(LDLIBS)

$(NAMES:%=$(BUILD)/%): $(BUILD)/remex
	$(Q)ln -sf remex $@
$(BUILD)/exim_dbmbuild: $(BUILD)/remex-dbmbuild
	$(Q)ln -sf remex-dbmbuild $@
$(BUILD)/exim_lock: $(BUILD)/remex-lock
	$(Q)ln -sf remex-lock $@
$(BUILD)/exim_dumpdb $(BUILD)/exim_tidydb $(BUILD)/exim_fixdb: $(BUILD)/remex-hints
	$(Q)ln -sf remex-hints $@
$(BUILD)/exinext: $(BUILD)/remex-next
	$(Q)ln -sf remex-next $@
$(BUILD)/exim_msgdate: $(BUILD)/remex-msgdate
	$(Q)ln -sf remex-msgdate $@

.SECONDEXPANSION:
$(PLUGIN_SO): $(BUILD)/plugins/%.so: $$(call plugin_obj,$$*)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(LDFLAGS) $(SAN) -o $@ $^ $(PLUGIN_LIBS_$*)

comma := ,

# --- tests -------------------------------------------------------------------------------------
# A unit test links the library; test/unit/plugins_<x>[_<what>]_test.c also the plugin x.
# One that loads plugins is linked as build/remex is: with the whole library.
WHOLE_UNIT   := proc_host_extern_test
unit_plugin  = $(filter $(word 1,$(subst _, ,$(1:plugins_%=%))),$(if $(filter plugins_%,$(1)),$(PLUGINS)))
$(UNIT): $(BUILD)/test/unit/%: test/unit/%.c $(LIB) $$(call plugin_obj,$$(call unit_plugin,$$*))
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) $(SAN) -MMD -MP -MF $@.d $(LDEXE) $(LDFLAGS) -o $@ $< \
	    $(filter %.o,$^) $(if $(filter $(WHOLE_UNIT),$*),-Wl$(comma)--whole-archive) $(LIB) -Wl,--no-whole-archive \
	    $(PLUGIN_LIBS_$(call unit_plugin,$*)) -lcmocka $(LDLIBS)
unit-programs: $(UNIT)

# As a unit test, plugins_<x>_<what>_fuzz.c also links the plugin x.
$(FUZZERS:%=$(BUILD)/test/fuzz/%): $(BUILD)/test/fuzz/%: test/fuzz/%.c $(LIB) $(PLUGIN_SO) $$(call plugin_obj,$$(call unit_plugin,$$*))
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) $(SAN) -fsanitize=fuzzer -MMD -MP -MF $@.d $(LDEXE) \
	    $(LDFLAGS) -o $@ $< $(filter %.o,$^) $(LIB) $(PLUGIN_LIBS_$(call unit_plugin,$*)) $(LDLIBS)
fuzz-programs: $(FUZZERS:%=$(BUILD)/test/fuzz/%)

# Strikes processes at the calls that make things durable. No header of ours: src/sys/user.h would hide the system's.
$(BUILD)/test/fault/inject: test/fault/inject.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -iquote src,$(BASE)) $(WERROR) -O1 -g -o $@ $<

# Measures a part of the library alone, or is what others are measured against: test/bench/<x>.c.
BENCH_LIBS_tls_floor := $(PLUGIN_LIBS_tls)
$(BUILD)/test/bench/%: test/bench/%.c $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) $(SAN) -MMD -MP -MF $@.d $(LDEXE) $(LDFLAGS) -o $@ $< $(LIB) $(BENCH_LIBS_$*) $(LDLIBS)

# The same targets with a main that feeds them the files of their corpus; any compiler.
$(FUZZERS:%=$(BUILD)/test/replay/%): $(BUILD)/test/replay/%: test/fuzz/%.c test/fuzz/replay.c $(LIB) $$(call plugin_obj,$$(call unit_plugin,$$*))
	$(call say,REPLAY,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WERROR) $(PIE) $(CFLAGS) $(SAN) -MMD -MP -MF $@.d $(LDEXE) $(LDFLAGS) -o $@ $< \
	    test/fuzz/replay.c $(filter %.o,$^) $(LIB) $(PLUGIN_LIBS_$(call unit_plugin,$*)) $(LDLIBS)
replay-programs: $(FUZZERS:%=$(BUILD)/test/replay/%)

HEADER_OK := $(HEADERS:%=$(BUILD)/%.ok)
$(HEADER_OK): $(BUILD)/%.ok: % $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)printf '#include "%s"\nstruct unused;\n' $(<:src/%=%) | $(CC) $(BASE) $(WERROR) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ \
	    -fsyntax-only -x c - && touch $@
check-headers: $(HEADER_OK)

bootstrap:
	@scripts/bootstrap
bootstrap-debian:
	@scripts/bootstrap debootstrap dpkg-dev debhelper po-debconf lintian systemd systemd-container

MAKEFLAGS += --no-builtin-rules
SUB     = +@$(MAKE) --no-print-directory

run: bootstrap
	$(SUB) all
	@scripts/demo $(BUILD)/remex

check: bootstrap
	+@MAKE='$(MAKE)' BUILD='$(BUILD)' test/run-check

check-fast:
	+@MAKE='$(MAKE)' BUILD='$(BUILD)' test/run-check --fast

asan:
	$(SUB) BUILD=$(BUILD)/asan SAN='-fsanitize=address,undefined' CFLAGS='-O1 -g' check-fast

# Searching a text there costs as much as the text is long, found or not: a test of texts of megabytes never ends.
tsan: export TSAN_OPTIONS := intercept_memmem=0:$(TSAN_OPTIONS)
tsan:
	$(SUB) BUILD=$(BUILD)/tsan SAN=-fsanitize=thread CFLAGS='-O1 -g' check-fast

FUZZ_TIME ?= 60
fuzz:
	$(SUB) CC=clang BUILD=$(BUILD)/fuzz CFLAGS='-O1 -g' \
	    SAN='-fsanitize=fuzzer-no-link,address,undefined' fuzz-programs
	@test/run-fuzz --time $(FUZZ_TIME) --build $(BUILD)/fuzz $(FUZZERS)

bench: all
	@scripts/fetch-peers
	@test/bench/run --binary $(BUILD)/remex

DIFF_ARGS ?=
differential: all
	@scripts/fetch-peers
	@test/differential/run --binary $(BUILD)/remex $(DIFF_ARGS)

# Every strike at every call that makes something durable (test/fault/strike); make check has a sample.
FAULT_ARGS ?=
fault: all $(BUILD)/test/fault/inject
	@test/fault/strike --binary $(BUILD)/remex --inject $(BUILD)/test/fault/inject $(FAULT_ARGS)
fault-sample: all $(BUILD)/test/fault/inject
	@test/fault/strike --binary $(BUILD)/remex --inject $(BUILD)/test/fault/inject --short

# Hostile peers in large (test/soak/run), processes of the daemon that die and reloads under load (test/fault/soak); make check has both in small.
SOAK_ARGS ?=
KILL_ARGS ?=
soak: all
	@test/soak/run --binary $(BUILD)/remex $(SOAK_ARGS)
	@test/fault/soak --binary $(BUILD)/remex $(KILL_ARGS)
soak-sample: all
	@test/fault/soak --binary $(BUILD)/remex --short

# The file system stops without writing its journal, under load (test/fault/powercut). As root, with a loop device.
POWERCUT_ARGS ?=
powercut: all
	@test/fault/powercut --binary $(BUILD)/remex $(POWERCUT_ARGS)

# The packages on a fresh Debian 12, each type of configuration tried there (test/debian/install). As root, with the package mirror.
INSTALL_ARGS ?=
debian-install: bootstrap-debian
	@test/debian/install $(INSTALL_ARGS)

lint:
	@CC='$(CC)' scripts/lint

format:
	@scripts/format

DESTDIR ?=
install: all
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' BUILD='$(BUILD)' scripts/install

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(PLUGIN_OBJ:.o=.d) $(UNIT:=.d) $(HEADER_OK:=.d)
-include $(FUZZERS:%=$(BUILD)/test/fuzz/%.d) $(FUZZERS:%=$(BUILD)/test/replay/%.d)
