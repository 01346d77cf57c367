/* Lists over a small host with invented lookups and names, for the unit tests of src/conf/list*.c. */
#ifndef REMEX_TEST_CONF_LIST_FIXTURE_H
#define REMEX_TEST_CONF_LIST_FIXTURE_H

#include "base/buf.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/list_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct host host;
    struct conf *conf;
    struct eval eval;
    struct vm *vm;
    struct buf log;
    unsigned lookups, resolved;
};

static struct fixture *
fixture_of(void *env)
{
    return (struct fixture *)((char *)env - offsetof(struct fixture, eval));
}

static const struct {
    const char *key, *data;
} fixture_rows[] = {
    {"a.ex", "data for a"},
    {"b.ex", ""},
    {"10.0.0.1", "ip1"},
    {"10.0.0.0/24", "net24"},
    {"fe80.0000.0000.0000.0000.0000.0000.0001", "dotted"},
    {"fe80:0000:0000:0000:0000:0000:0000:0001", "colons"},
    {"host.foo.ex", "by name"},
    {"bob@a.ex", "whole"},
    {"chain.ex", "bob : ^x(.) : *zed : > more"},
    {"more", "!carol : ^\\d+$ : *l"},
    {"loop.ex", "a : >loop.ex"},
    {"Case@a.ex", "caseful key"},
};

/* Types: lsearch, iplsearch (rows), partial-lsearch (rows, sets captures), q (query, echoes), qdefer. */
static enum vm_status
fixture_type(void *env, struct vm *vm, struct str type, struct host_lookup_type *out)
{
    (void)env;
    *out = (struct host_lookup_type){.query_style = type.n > 0 && type.p[0] == 'q'};
    if (out->query_style || str_ends(type, STR_LIT("lsearch")))
        return VM_OK;
    return vm_fail(vm, "unknown lookup type \"%.*s\"", STR_ARG(type));
}

static enum vm_status
fixture_lookup(void *env, struct vm *vm, const struct host_lookup *q, struct str *out)
{
    fixture_of(env)->lookups++;
    if (str_eqz(q->type, "qdefer"))
        return vm_defer(vm, "no answer");
    if (q->query_style) {
        *out = q->file;
        return str_eqz(q->file, "none") ? VM_NO : VM_OK;
    }
    if (str_eqz(q->file, "/absent"))
        return vm_fail(vm,
                       "failed to open /absent for linear search: No such file or directory");
    if (str_starts(q->type, "partial") && str_ends(q->key, STR_LIT(".c.ex"))) {
        struct str caps[3] = {STR_EMPTY, str_sub(q->key, 0, q->key.n - 5), STR_LIT("c.ex")};
        vm_set_captures(vm, caps, 3);
        *out = STR_LIT("wild");
        return VM_OK;
    }
    for (size_t i = 0; i < sizeof fixture_rows / sizeof *fixture_rows; i++)
        if (str_eqz(q->key, fixture_rows[i].key)) {
            *out = str_from_cstr(fixture_rows[i].data);
            return VM_OK;
        }
    return VM_NO;
}

static enum vm_status
fixture_resolve(void *env, struct vm *vm, const struct host_resolve *q, struct str *out)
{
    fixture_of(env)->resolved++;
    if (str_eqz(q->subject, "again.ex") || str_eqz(q->subject, "10.9.9.9"))
        return vm_defer(vm, "DNS lookup of \"%.*s\" deferred", STR_ARG(q->subject));
    if (q->kind == RESOLVE_NAMES && str_eqz(q->subject, "10.0.0.1"))
        *out = STR_LIT("Host.foo.ex\nalias.bar.ex");
    else if (q->kind == RESOLVE_ADDRESSES && str_eqz(q->subject, "two.ex"))
        *out = STR_LIT("10.0.0.7\n10.0.0.1");
    else if (q->kind == RESOLVE_ADDRESSES && str_eqz(q->subject, "MyHost.example"))
        *out = STR_LIT("192.168.7.7");
    else if (q->kind == RESOLVE_MX_ANY)
        return str_eqz(q->subject, "mx.ex") && str_eqz(q->ignore, "127.0.0.1") ? VM_OK : VM_NO;
    else
        return VM_NO;
    return VM_OK;
}

static struct str
fixture_setting(void *env, const char *name)
{
    (void)env;
    if (strcmp(name, "primary_hostname") == 0)
        return STR_LIT("MyHost.example");
    if (strcmp(name, "local_interfaces") == 0)
        return STR_LIT("<; 127.0.0.1.25 ; [::1]:587 ; 192.168.7.7");
    if (strcmp(name, "extra_local_interfaces") == 0)
        return STR_LIT("10.77.0.1");
    return STR_NULL;
}

static void
fixture_log(void *env, bool panic, struct str text)
{
    struct fixture *f = fixture_of(env);
    buf_addz(&f->log, panic ? "P " : "M ");
    buf_adds(&f->log, text);
    buf_addc(&f->log, '\n');
}

static int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->log = buf_in(a, 0);
    f->host = (struct host){.lookup_type = fixture_type,
                            .lookup = fixture_lookup,
                            .resolve = fixture_resolve,
                            .setting = fixture_setting,
                            .log = fixture_log,
                            .match = list_host_match};
    f->conf = ARENA_NEW(a, struct conf);
    for (size_t i = 0; i < 4; i++)
        f->conf->lists[i] = map_new(a, MAP_CASEFUL);
    f->eval.conf = f->conf;
    f->eval.arena = a;
    f->eval.lists = list_cache_new(a);
    f->vm = vm_new(&f->host, &f->eval);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    vm_free(f->vm);
    arena_free(f->arena);
    return 0;
}

static inline struct named_list *
define(struct fixture *f, enum list_kind kind, const char *name, const char *text)
{
    struct named_list *nl = ARENA_NEW(f->arena, struct named_list);
    nl->name = str_from_cstr(name);
    nl->kind = kind;
    nl->text.text = str_from_cstr(text);
    map_set(f->conf->lists[kind], nl->name, nl);
    return nl;
}

/* "no", "yes<value><$0><$1>", "defer: text", "error: text". */
static inline const char *
ask_question(struct fixture *f, const struct list_question *q)
{
    struct list_answer a;
    vm_reset_state(f->vm);
    enum outcome o = list_match(&f->eval, f->vm, q, &a);
    struct buf b = buf_in(f->arena, 0);
    const struct str *caps;
    unsigned n = vm_captures(f->vm, &caps);
    if (o == OUT_OK)
        buf_printf(&b, "yes<%.*s><%.*s><%.*s>", STR_ARG(a.value),
                   STR_ARG(n > 0 ? caps[0] : STR_EMPTY), STR_ARG(n > 1 ? caps[1] : STR_EMPTY));
    else if (o == OUT_FAIL)
        buf_addz(&b, "no");
    else
        buf_printf(&b, "%s: %.*s", o == OUT_DEFER ? "defer" : "error",
                   STR_ARG(vm_error(f->vm)));
    return str_cstr(f->arena, buf_str(&b));
}

static inline const char *
ask(struct fixture *f, enum list_kind kind, const char *subject, const char *list)
{
    struct list_question q = {
        .kind = kind, .subject = str_from_cstr(subject), .list = str_from_cstr(list)};
    return ask_question(f, &q);
}

struct list_case {
    const char *subject, *list, *answer;
};

static inline void
check_cases(struct fixture *f, enum list_kind kind, const struct list_case *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = ask(f, kind, v[i].subject, v[i].list);
        if (strcmp(got, v[i].answer) != 0)
            fail_msg("\"%s\" in \"%s\": \"%s\", not \"%s\"", v[i].subject, v[i].list, got,
                     v[i].answer);
    }
}

#define CHECK_CASES(f, kind, ...)                                                              \
    do {                                                                                       \
        static const struct list_case cases_[] = {__VA_ARGS__};                                \
        check_cases((f), (kind), cases_, sizeof cases_ / sizeof *cases_);                      \
    } while (0)

#endif
