/* A machine, an evaluation context with a lookup cache, and a folder for files: for the unit tests of
 * src/lookups. The log lines of the cache are gathered. */
#ifndef REMEX_TEST_LOOKUPS_FIXTURE_H
#define REMEX_TEST_LOOKUPS_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "lookups/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct lookups_fixture {
    struct host host;
    struct eval eval;
    struct vm *vm;
    struct arena *arena;
    char dir[64];
    struct buf log;
    struct conf conf;
    struct conf_main main;
};

static void
fixture_log(void *ctx, struct str line)
{
    struct lookups_fixture *f = ctx;
    buf_adds(&f->log, line);
    buf_addc(&f->log, '\n');
}

static int
lookups_setup(void **state)
{
    struct lookups_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    f->log = buf_in(f->arena, 0);
    f->conf.main = &f->main;
    f->main.lookup_open_max = LOOKUP_OPEN_MAX;
    f->eval.conf = &f->conf;
    f->eval.arena = f->arena;
    f->eval.lookups = lookup_cache_new(f->arena);
    lookup_cache_log_to(f->eval.lookups, fixture_log, f);
    f->vm = vm_new(&f->host, &f->eval);
    strcpy(f->dir, "/tmp/remex-lookups-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int
lookups_teardown(void **state)
{
    struct lookups_fixture *f = *state;
    char command[128];
    vm_free(f->vm);
    arena_free(f->arena);
    snprintf(command, sizeof command, "/bin/rm -rf %s", f->dir);
    int rc = system(command);
    free(f);
    return rc;
}

static inline const char *
fixture_path(struct lookups_fixture *f, const char *name)
{
    return str_printf(f->arena, "%s/%s", f->dir, name).p;
}

/* Writes a file whose times are an hour old (no freshness) and gives its path. */
static inline const char *
fixture_bytes(struct lookups_fixture *f, const char *name, const void *p, size_t n)
{
    const char *path = fixture_path(f, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(p, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
    return path;
}

static inline const char *
fixture_file(struct lookups_fixture *f, const char *name, const char *text)
{
    return fixture_bytes(f, name, text, strlen(text));
}

/* "=data", "-" for not found, "!text" for an error, "~text" for a deferral. */
static const char *
fixture_find_str(struct lookups_fixture *f, const char *type, struct str file, struct str key)
{
    struct lookup_type t;
    struct str data = STR_NULL;
    if (lookup_type_parse(f->vm, str_from_cstr(type), &t) != VM_OK)
        return str_printf(f->arena, "!%.*s", STR_ARG(vm_error(f->vm))).p;
    switch (lookup_find(&f->eval, f->vm, &t, file, key, &data)) {
    case OUT_OK:
        assert_true(data.taint == STR_CLEAN || (t.driver->flags & LOOKUP_TAINTED_DATA) != 0);
        return str_printf(f->arena, "=%.*s", STR_ARG(data)).p;
    case OUT_FAIL:
        return "-";
    case OUT_DEFER:
        return str_printf(f->arena, "~%.*s", STR_ARG(vm_error(f->vm))).p;
    case OUT_ERROR:
        return str_printf(f->arena, "!%.*s", STR_ARG(vm_error(f->vm))).p;
    case OUT_DECLINE:
    case OUT_PASS:
        break;
    }
    return "?";
}

static inline const char *
fixture_find(struct lookups_fixture *f, const char *type, const char *file, const char *key)
{
    return fixture_find_str(f, type, str_from_cstr(file), str_from_cstr(key));
}

#define CHECK(f, type, file, key, expected)                                                    \
    assert_string_equal(fixture_find((f), (type), (file), (key)), (expected))
#define CHECK_QUERY(f, type, query, expected)                                                  \
    assert_string_equal(fixture_find((f), (type), "", (query)), (expected))

/* "$1|$2" or "" when less than two groups are set. */
static inline const char *
fixture_captures(struct lookups_fixture *f)
{
    const struct str *c;
    if (vm_captures(f->vm, &c) < 3)
        return "";
    return str_printf(f->arena, "%.*s|%.*s", STR_ARG(c[1]), STR_ARG(c[2])).p;
}

#define LOOKUP_TEST(fn) cmocka_unit_test_setup_teardown(fn, lookups_setup, lookups_teardown)

#endif
