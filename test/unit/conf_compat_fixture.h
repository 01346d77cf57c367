/* Compares a table of options with an inventory of ../shared/compat, in both directions.
 *
 * Needs cmocka to be included. Where the inventory is not there, tests are skipped.
 */
#ifndef TEST_CONF_COMPAT_FIXTURE_H
#define TEST_CONF_COMPAT_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "conf/opt.h"
#include "conf/opt_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPAT_FIELDS = 16, COMPAT_MAX = 1024 * 1024 };

struct compat_file {
    struct arena *arena;
    struct str text;
    struct str head[COMPAT_FIELDS];
    size_t heads;
    size_t at;
};

struct compat_row {
    struct str field[COMPAT_FIELDS];
};

/* Options whose default in the inventory is a description, or is applied where the value is
 * used; what the row has instead. */
struct compat_exception {
    const char *driver, *name, *value;
};

static struct str
compat_line(struct compat_file *f)
{
    size_t end = str_chr(f->text, '\n', f->at);
    end = end == STR_NPOS ? f->text.n : end;
    struct str line = str_sub(f->text, f->at, end - f->at);
    f->at = end + 1;
    return line;
}

static size_t
compat_split(struct str line, struct str *field)
{
    size_t n = 0;
    for (size_t at = 0; at <= line.n && n < COMPAT_FIELDS; n++) {
        size_t end = str_chr(line, '\t', at);
        end = end == STR_NPOS ? line.n : end;
        field[n] = str_sub(line, at, end - at);
        at = end + 1;
    }
    return n;
}

/* False when there is no such file. */
static bool
compat_open(struct compat_file *f, struct arena *a, const char *name)
{
    const char *shared = getenv("REMEX_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/compat/%s", shared != NULL ? shared : "../shared", name);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return false;
    char *text = arena_alloc(a, COMPAT_MAX);
    size_t n = fread(text, 1, COMPAT_MAX, in);
    fclose(in);
    *f = (struct compat_file){.arena = a, .text = str_from(text, n)};
    f->heads = compat_split(compat_line(f), f->head);
    return true;
}

static bool
compat_next(struct compat_file *f, struct compat_row *row)
{
    if (f->at >= f->text.n)
        return false;
    memset(row, 0, sizeof *row);
    compat_split(compat_line(f), row->field);
    return true;
}

static struct str
compat_get(const struct compat_file *f, const struct compat_row *row, const char *column)
{
    for (size_t i = 0; i < f->heads; i++)
        if (str_eqz(f->head[i], column))
            return row->field[i];
    return STR_EMPTY;
}

/* Whether a type of the inventory may be the type of a row. */
static bool
compat_type_fits(struct str want, enum opt_type have)
{
    static const struct {
        const char *want;
        enum opt_type have[5];
        size_t n;
    } types[] = {
        {"bool", {OPT_T_BOOL, OPT_T_BOOL_VERIFY, OPT_T_XBOOL}, 3}, /* may be expanded besides */
        {"bool-expanded", {OPT_T_XBOOL}, 1},
        {"int", {OPT_T_INT}, 1},
        {"int-expanded", {OPT_T_XSTR}, 1},
        {"size", {OPT_T_SIZE, OPT_T_KSIZE}, 2},
        {"octal", {OPT_T_OCTAL}, 1},
        {"fixed", {OPT_T_FIXED}, 1},
        {"time", {OPT_T_TIME}, 1},
        {"time-expanded", {OPT_T_XTIME, OPT_T_XSTR}, 2},
        {"time-list", {OPT_T_TIME_LIST}, 1},
        {"string", {OPT_T_STR, OPT_T_FUNCTION}, 2},
        {"string-expanded", {OPT_T_XSTR}, 1},
        {"string-list", {OPT_T_LIST, OPT_T_STR, OPT_T_UIDS, OPT_T_GIDS}, 4},
        {"string-list-expanded", {OPT_T_LIST, OPT_T_UIDS, OPT_T_GIDS}, 3},
        {"list-expanded", {OPT_T_LIST}, 1},
        {"comma-list", {OPT_T_LIST}, 1},
        {"int-list", {OPT_T_LIST}, 1},
        {"domain-list", {OPT_T_DOMAINS}, 1},
        {"host-list", {OPT_T_HOSTS}, 1},
        {"address-list", {OPT_T_ADDRESSES}, 1},
        {"localpart-list", {OPT_T_LOCALPARTS}, 1},
        {"rewrite-list", {OPT_T_REWRITE}, 1},
        {"user", {OPT_T_UID}, 1},
        {"group", {OPT_T_GID}, 1},
        {"user-expanded", {OPT_T_XUID}, 1},
        {"group-expanded", {OPT_T_XGID}, 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!str_eqz(want, types[i].want))
            continue;
        for (size_t k = 0; k < types[i].n; k++)
            if (types[i].have[k] == have)
                return true;
    }
    return false;
}

static struct str
compat_squeeze(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_space(s.p[i]))
            buf_addc(&b, s.p[i]);
    return buf_str(&b);
}

/* The default as -bP would print it, without white space. */
static struct str
compat_default(struct arena *a, const struct opt *o, struct str want)
{
    struct buf b = buf_in(a, 0);
    if (o->type == OPT_T_BOOL || o->type == OPT_T_XBOOL) {
        bool on = str_eqz(want, "true");
        return str_printf(a, "%s%.*s", on ? "" : "no_", STR_ARG(o->name));
    }
    if (str_eqz(want, "unset") || str_eqz(want, "empty"))
        return o->type == OPT_T_INT ? STR_LIT("-1") : STR_EMPTY;
    if (o->type == OPT_T_TIME || o->type == OPT_T_XTIME || o->type == OPT_T_TIME_LIST)
        opt_print_time(&b, opt_read_time(want));
    else
        opt_print_text(&b, want);
    return compat_squeeze(a, buf_str(&b));
}

static struct str
compat_expected(struct arena *a, const struct opt *o, struct str driver, struct str want,
                const struct compat_exception *ex, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eqz(driver, ex[i].driver) && str_eqz(o->name, ex[i].name))
            return compat_squeeze(a, str_from_cstr(ex[i].value));
    return compat_default(a, o, want);
}

static void
compat_compare_row(struct arena *a, const struct opt_set *set, int row, struct str type,
                   struct str expected)
{
    const struct opt *o = &set->table->rows[row];
    if (!compat_type_fits(type, o->type))
        fail_msg("%.*s: type %d is not %.*s", STR_ARG(o->name), (int)o->type, STR_ARG(type));
    if (o->type == OPT_T_BOOL_VERIFY)
        return;
    struct buf b = buf_in(a, 0);
    opt_print(&b, set, row, true, OPT_SHOW_VALUE);
    struct str have = compat_squeeze(a, buf_str(&b));
    if (!str_eq(have, expected))
        fail_msg("%.*s: default is \"%.*s\" and not \"%.*s\"", STR_ARG(o->name), STR_ARG(have),
                 STR_ARG(expected));
}

/* Every row of the file for the driver (NULL: files without that column) is in the table with
 * its type and default, and the table has no other. */
__attribute__((unused)) static void
compat_compare(const char *file, const char *driver, const struct opt_table *t,
               const struct compat_exception *ex, size_t ex_n)
{
    struct arena *a = arena_new();
    struct compat_file f;
    if (!compat_open(&f, a, file)) {
        arena_free(a);
        skip();
    }
    struct map *seen = map_new(a, MAP_CASEFUL);
    struct opt_set set = opt_new(a, t);
    struct compat_row row;
    while (compat_next(&f, &row)) {
        struct str who = driver != NULL ? compat_get(&f, &row, "driver") : STR_EMPTY;
        struct str name = compat_get(&f, &row, "name");
        struct str type = compat_get(&f, &row, "type");
        if ((driver != NULL && !str_eqz(who, driver)) || str_eqz(type, "named-list"))
            continue;
        int at = opt_find(t, name);
        if (at < 0)
            fail_msg("%.*s is missing", STR_ARG(name));
        struct str want = compat_get(&f, &row, "default");
        compat_compare_row(a, &set, at, type,
                           compat_expected(a, &t->rows[at], who, want, ex, ex_n));
        map_set(seen, name, &set);
    }
    /* Options that Exim does not have say so in their sentence. */
    for (size_t i = 0; i < t->n; i++)
        if (!map_has(seen, t->rows[i].name) &&
            strstr(t->rows[i].doc, "An option of remex.") == NULL)
            fail_msg("%.*s is not in the inventory", STR_ARG(t->rows[i].name));
    arena_free(a);
}

/* Rows are sorted, and each has a sentence. */
__attribute__((unused)) static void
compat_check_rows(const struct opt_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct opt *o = &t->rows[i];
        if (i > 0 && str_cmp(t->rows[i - 1].name, o->name) >= 0)
            fail_msg("%.*s is out of order", STR_ARG(o->name));
        size_t n = strlen(o->doc);
        if (n < 10 || o->doc[n - 1] != '.')
            fail_msg("%.*s: \"%s\" is no sentence", STR_ARG(o->name), o->doc);
        if (o->offset >= t->size)
            fail_msg("%.*s lies outside its struct", STR_ARG(o->name));
        assert_int_equal(opt_find(t, o->name), (int)i);
    }
}

#endif
