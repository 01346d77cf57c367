# remex: one non-recursive makefile; a new source file needs no edit here.
CC      ?= gcc
BUILD   ?= build
SAN     ?=
PKGS    := libpcre2-8 nettle libidn2
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla \
           -Wnull-dereference -Wswitch-enum -Wimplicit-fallthrough
CFLAGS  ?= -O2 -g
BASE    := -std=c17 -D_GNU_SOURCE -Isrc $(WARN) -fvisibility=hidden -fno-common \
           -fstack-protector-strong -fPIE -pthread
LDLIBS  := -lpcre2-8 -lnettle -lidn2 -llmdb -lcrypt -ldl
LDFLAGS += -pie -Wl,-z,relro,-z,now -pthread
SRC     := $(filter-out src/plugins/%,$(wildcard src/*/*.c))
OBJ     := $(SRC:%.c=$(BUILD)/%.o)
LIB     := $(BUILD)/libremex.a

all: $(BUILD)/remex
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(SAN) -MMD -MP -c $< -o $@
$(LIB): $(filter-out %/main.o,$(OBJ))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/remex: $(BUILD)/src/proc/main.o $(LIB)
	$(CC) $(LDFLAGS) $(SAN) -o $@ $^ $(LDLIBS)
-include $(OBJ:.o=.d)
