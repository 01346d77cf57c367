/* The rewrite section: rules, faults, and what they make of addresses in each place. */
#include "engine/rewrite.h"

#include "base/arena.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct arena *a;
static unsigned notes;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    notes = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void
count_note(void *ctx, enum rewrite_note kind, struct str text)
{
    (void)ctx;
    if (kind == REWRITE_CHANGE)
        return;
    assert_true(text.n > 0);
    notes++;
}

static struct rewrite_rules *
parse(const char *text, struct diags *d)
{
    struct conf_line lines[16];
    size_t n = 0;
    struct str s = str_from_cstr(text);
    for (size_t at = 0; at < s.n && n < 16;) {
        size_t end = str_chr(s, '\n', at);
        end = end == STR_NPOS ? s.n : end;
        lines[n] =
            (struct conf_line){.text = str_sub(s, at, end - at), .line = (uint32_t)n + 1};
        n++;
        at = end + 1;
    }
    void *result = NULL;
    rewrite_section.parse(a, lines, n, d, &result);
    return result;
}

static void
check_fault(const char *line, const char *want)
{
    struct diags *d = diags_new(a, 0);
    parse(line, d);
    assert_int_equal(diags_total(d), 1);
    if (!str_eqz(diags_at(d, 0)->exim, want))
        fail_msg("%s: %.*s", line, STR_ARG(diags_at(d, 0)->exim));
}

static void
test_faults(void **state)
{
    (void)state;
    check_fault("*", "missing rewrite replacement string");
    check_fault("a@b x@y S", "rewrite rule has the S flag but is not a regular expression");
    check_fault("a@b x@y z",
                "unknown rewrite flag character 'z' (could be missing quotes round replacement "
                "item)");
}

static void
check(const char *rules, unsigned place, const char *item, const char *want)
{
    struct diags *d = diags_new(a, 0);
    struct wiring w = wire_command_line(a, NULL);
    struct rewriting r = {
        .rules = parse(rules, d), .eval = w.eval, .vm = w.vm, .log = count_note};
    assert_int_equal(diags_total(d), 0);
    struct str out;
    bool changed = rewrite_item(&r, a, place, str_from_cstr(item), &out);
    if (!str_eqz(out, want))
        fail_msg("%s: %s: %.*s", rules, item, STR_ARG(out));
    assert_int_equal(changed, strcmp(item, want) != 0);
}

static void
test_places(void **state)
{
    (void)state;
    notes = 0;
    check("a@b x@y", REWRITE_FROM, "a@b", "x@y");
    check("a@b x@y", REWRITE_ENV_TO, "a@b", "x@y");
    check("a@b x@y E", REWRITE_FROM, "a@b", "a@b");
    check("a@b x@y F", REWRITE_ENV_FROM, "a@b", "x@y");
    check("a@b x@y F", REWRITE_ENV_TO, "a@b", "a@b");
    check("a@b x@y bc", REWRITE_BCC, "a@b", "x@y");
    check("a@b x@y bc", REWRITE_TO, "a@b", "a@b");
    check("a@b x@y h", REWRITE_REPLY_TO, "a@b", "x@y");
    assert_int_equal(notes, 0);
}

static void
test_items(void **state)
{
    (void)state;
    check("*@b $1X@n", REWRITE_FROM, "Me Too <A@b>", "Me Too <AX@n>");
    check("*@b $1X@n", REWRITE_FROM, "a@b (com)", "aX@n (com)");
    check("*@b $1X@n", REWRITE_FROM, "<@x:a@b>", "<aX@n>");
    check("*@b \"New $1 <$1@n>\" w", REWRITE_FROM, "Me <a@b>", "New a <a@n>");
    check("*@b \"New $1 <$1@n>\" w", REWRITE_ENV_FROM, "a@b", "a@n");
    check("*@b \"New $1 <$1@n>\"", REWRITE_FROM, "Me <a@b>", "Me <a@n>");
}

static void
test_captures(void **state)
{
    (void)state;
    check("*q@*.f $1_$2@n", REWRITE_TO, "heartsq@w.f", "hearts_w@n");
    check("x@*.f $1@n", REWRITE_TO, "x@w.f", "w@n");
    check("^(.)@(.*) $2@$1", REWRITE_TO, "x@w.f", "w.f@x");
    check("a@b \"\\\"$0\\\"@n\"", REWRITE_TO, "a@b", "\"a@b\"@n");
    check("A@b x@y", REWRITE_TO, "a@b", "a@b");
}

static void
test_order(void **state)
{
    (void)state;
    notes = 0;
    check("a@b c@d\nc@d e@f", REWRITE_TO, "a@b", "e@f");
    check("a@b c@d q\nc@d e@f", REWRITE_TO, "a@b", "c@d");
    check("a@b *\na@b e@f", REWRITE_TO, "a@b", "a@b");
    check("a@b \"${if eq{1}{2}{x}fail}\"\na@b e@f", REWRITE_TO, "a@b", "e@f");
    check("a@b \"${if eq{1}{2}{x}fail}\" q\na@b e@f", REWRITE_TO, "a@b", "a@b");
    assert_int_equal(notes, 0);
    check("*@* $1@$2.x R", REWRITE_TO, "a@b", "a@b.x.x.x.x.x.x.x.x.x.x.x");
    assert_int_equal(notes, 1);
}

/* A fault ends the rewriting; what was done stays. */
static void
test_bad_results(void **state)
{
    (void)state;
    notes = 0;
    check("a@b c@d\nc@d x\nc@d e@f", REWRITE_TO, "a@b", "c@d");
    check("a@b \"x y\"", REWRITE_TO, "a@b", "a@b");
    check("a@b \"\"", REWRITE_TO, "a@b", "a@b");
    check("a@b <>", REWRITE_TO, "a@b", "a@b");
    check("a@b \"${if\"\na@b c@d", REWRITE_TO, "a@b", "a@b");
    assert_int_equal(notes, 5);
    check("a@b <>", REWRITE_ENV_FROM, "a@b", "");
}

static void
test_smtp(void **state)
{
    (void)state;
    struct diags *d = diags_new(a, 0);
    struct wiring w = wire_command_line(a, NULL);
    struct rewriting r = {.eval = w.eval, .vm = w.vm, .log = count_note};
    r.rules = parse("^\\N([^!]+)!(.*)$\\N $2@$1 S", d);
    struct str out;
    assert_true(rewrite_smtp(&r, a, STR_LIT("host!user"), &out));
    assert_true(str_eqz(out, "user@host"));
    assert_false(rewrite_smtp(&r, a, STR_LIT("user@host"), &out));
    assert_false(rewrite_item(&r, a, REWRITE_TO, STR_LIT("a@b"), &out));
}

static void
test_list(void **state)
{
    (void)state;
    struct rewrite_rules r;
    struct str fault;
    assert_true(rewrite_parse_list(a, STR_LIT("a@b c@d : x@y z@w ft"), &r, &fault));
    assert_int_equal(r.v.n, 2);
    assert_int_equal(r.v.v[0].flags, REWRITE_HEADERS);
    assert_int_equal(r.v.v[1].flags, REWRITE_FROM | REWRITE_TO);
    assert_false(rewrite_parse_list(a, STR_LIT("a@b c@d F"), &r, &fault));
    assert_false(rewrite_parse_list(a, STR_LIT("a@b"), &r, &fault));
    assert_true(str_eqz(fault, "missing rewrite replacement string"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults), cmocka_unit_test(test_places),
        cmocka_unit_test(test_items),  cmocka_unit_test(test_captures),
        cmocka_unit_test(test_order),  cmocka_unit_test(test_bad_results),
        cmocka_unit_test(test_smtp),   cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
