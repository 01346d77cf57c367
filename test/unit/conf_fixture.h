/* Small option tables and drivers, and reading a configuration from a string, for the unit tests of src/conf. */
#ifndef REMEX_TEST_CONF_FIXTURE_H
#define REMEX_TEST_CONF_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/opt_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNUSED __attribute__((unused))

/* One field of each type, behind what checks of the whole configuration look at. */
struct sample {
    struct conf_main main;
    bool a_bool, pair[2];
    int64_t an_int, a_size, a_ksize, an_octal, a_fixed, a_time;
    struct opt_times times;
    struct str a_str, secret;
    struct xstr an_xstr, a_list, repeated, condition, headers_add, rewrite;
    struct opt_id a_uid, an_xgid;
    struct opt_ids uids;
    struct opt_xbool an_xbool;
    struct opt_xtime an_xtime;
    struct str by_function, idle, old;
};

UNUSED static bool
parse_upper(const struct opt_value *v, void *field)
{
    if (v->text.n > 0 && v->text.p[0] == '!')
        return opt_fault(v, 0, 1, "no exclamation for %.*s", STR_ARG(v->name));
    *(struct str *)field = str_upper(v->ctx->arena, v->text);
    return true;
}

UNUSED static void
print_upper(struct buf *out, const struct opt *o, const void *field)
{
    (void)o;
    buf_adds(out, *(const struct str *)field);
}

/* clang-format off */
UNUSED static const struct opt sample_rows[] = {
    OPT_BOOL(struct sample, a_bool, false, 0, "d"),
    OPT_FIXED(struct sample, a_fixed, -1, 0, "d"),
    OPT_KSIZE(struct sample, a_ksize, 10240, 0, "d"),
    OPT_LIST(struct sample, a_list, "x : y", 0, "d"),
    OPT_SIZE(struct sample, a_size, 102400, 0, "d"),
    OPT_STR(struct sample, a_str, NULL, 0, "d"),
    OPT_TIME(struct sample, a_time, 300, 0, "d"),
    OPT_UID(struct sample, a_uid, NULL, 0, "d"),
    OPT_INT(struct sample, an_int, 20, 0, "d"),
    OPT_OCTAL(struct sample, an_octal, 0600, 0, "d"),
    OPT_XBOOL(struct sample, an_xbool, true, 0, "d"),
    OPT_XGID(struct sample, an_xgid, NULL, 0, "d"),
    OPT_XSTR(struct sample, an_xstr, "$x", 0, "d"),
    OPT_XTIME(struct sample, an_xtime, 60, 0, "d"),
    {.name = STR_INIT("by_function"), .type = OPT_T_FUNCTION,
     .offset = OPT_FIELD(struct sample, by_function, struct str), .doc = "d",
     .parse = parse_upper, .print = print_upper},
    OPT_XSTR(struct sample, condition, NULL, OPT_REPEATABLE, "d"),
    OPT_XSTR(struct sample, headers_add, NULL, OPT_REPEATABLE, "d"),
    OPT_STR(struct sample, idle, NULL, OPT_NO_EFFECT, "d"),
    OPT_STR(struct sample, old, NULL, OPT_OBSOLETE | OPT_HIDDEN, "d"),
    OPT_BOOL_VERIFY(struct sample, "pair", pair, 0, "d"),
    OPT_LIST(struct sample, repeated, NULL, OPT_REPEATABLE, "d"),
    OPT_REWRITE(struct sample, rewrite, NULL, 0, "d"),
    OPT_STR(struct sample, secret, "pw", OPT_SECRET, "d"),
    OPT_TIME_LIST(struct sample, times, "24h", 0, "d"),
    OPT_UIDS(struct sample, uids, NULL, 0, "d"),
};
/* clang-format on */
UNUSED static const struct opt_table sample_table = {
    "main", sample_rows, sizeof sample_rows / sizeof sample_rows[0], sizeof(struct sample)};

/* A class of drivers with two of them. */
struct sample_generic {
    struct str driver, note;
    struct xstr transport;
};
struct sample_private {
    struct str file;
    bool flag;
};

/* clang-format off */
UNUSED static const struct opt generic_rows[] = {
    OPT_STR(struct sample_generic, driver, NULL, 0, "d"),
    OPT_STR(struct sample_generic, note, NULL, OPT_NO_EFFECT, "d"),
    OPT_XSTR(struct sample_generic, transport, NULL, 0, "d"),
};
UNUSED static const struct opt private_rows[] = {
    OPT_STR(struct sample_private, file, NULL, 0, "d"),
    OPT_BOOL(struct sample_private, flag, true, 0, "d"),
};
/* clang-format on */
UNUSED static const struct opt_table generic_table = {"router", generic_rows, 3,
                                                      sizeof(struct sample_generic)};
UNUSED static const struct opt_table private_table = {"read router", private_rows, 2,
                                                      sizeof(struct sample_private)};

/* The driver "strict" wants a file. */
UNUSED static bool
check_strict(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    if (str_is_set(((const struct sample_private *)d->own.fields)->file))
        return true;
    diags_add(diags, &(struct diag){.level = DIAG_ERROR,
                                    .at = d->where,
                                    .text = STR_LIT("a file is required"),
                                    .exim = STR_LIT("a file is required"),
                                    .exim_place = STR_LIT(" for this router")});
    return false;
}

UNUSED static const struct driver driver_loose = {STR_INIT("loose"), &private_table, NULL, NULL};
UNUSED static const struct driver driver_strict = {STR_INIT("strict"), &private_table,
                                                   check_strict, NULL};
UNUSED static const struct driver *const sample_drivers[] = {&driver_loose, &driver_strict};
UNUSED static const struct driver_class sample_class = {"router", &generic_table,
                                                        sample_drivers, 2, NULL};
UNUSED static const struct driver_class sample_transports = {"transport", &generic_table,
                                                             sample_drivers, 2, NULL};

UNUSED static const struct conf_builtin sample_builtins[] = {
    {"_HAVE_TLS_RESUME", "y"}, {"_HAVE_TLS", "y"}, {"_LIST_OF", "a:b"}};

/* What one reading needs. */
struct reading {
    struct arena *arena;
    struct diags *diags;
    struct conf_request rq;
    struct source source;
    struct conf *conf;
};

UNUSED static int
reading_setup(void **state)
{
    struct reading *r = calloc(1, sizeof *r);
    r->arena = arena_new();
    r->diags = diags_new(r->arena, 20);
    r->rq = (struct conf_request){.main_opts = &sample_table,
                                  .routers = &sample_class,
                                  .transports = &sample_transports,
                                  .builtins = sample_builtins,
                                  .builtins_n = 3,
                                  .keep_text = true};
    *state = r;
    return 0;
}

UNUSED static int
reading_teardown(void **state)
{
    struct reading *r = *state;
    arena_free(r->arena);
    free(r);
    return 0;
}

/* Reads text of n bytes as the file "/t/conf"; earlier diagnostics are forgotten. */
UNUSED static struct conf *
read_bytes(struct reading *r, const char *text, size_t n)
{
    r->diags = diags_new(r->arena, 20);
    struct source *s = ARENA_NEW(r->arena, struct source);
    s->name = STR_LIT("/t/conf");
    s->text = str_from(text, n);
    r->rq.source = s;
    r->conf = conf_read(r->arena, &r->rq, r->diags);
    return r->conf;
}

UNUSED static struct conf *
read_text(struct reading *r, const char *text)
{
    return read_bytes(r, text, strlen(text));
}

/* The first error in Exim's words, or "". */
UNUSED static const char *
first_error(struct reading *r)
{
    for (size_t i = 0; i < diags_total(r->diags); i++) {
        if (diags_at(r->diags, i)->level != DIAG_ERROR)
            continue;
        struct buf b = buf_in(r->arena, 0);
        conf_print_exim(&b, diags_at(r->diags, i));
        b.n--; /* the newline */
        return str_cstr(r->arena, buf_str(&b));
    }
    return "";
}

/* A main option as -bP prints it, without the newline. */
UNUSED static const char *
printed(struct reading *r, const char *name)
{
    struct buf b = buf_in(r->arena, 0);
    opt_print(&b, &r->conf->main_set, opt_find(&sample_table, str_from_cstr(name)), true,
              OPT_SHOW_FULL);
    b.n--;
    return str_cstr(r->arena, buf_str(&b));
}

/* Reads one line and gives the error's text in Exim's words, or what is printed for the option. */
UNUSED static const char *
try_line(struct reading *r, const char *line, const char *name)
{
    if (read_text(r, line) != NULL)
        return printed(r, name);
    const char *text = strchr(first_error(r), '\n');
    return text != NULL ? text + 3 : first_error(r);
}

#endif
