/* Unit tests of filter/expand.c: text, escapes, variables, operators, errors with their places. */
#include "filter_vm_fixture.h"

#include "base/diag.h"

static void
text_and_escapes(void **state)
{
    fixture_check(*state, "", "");
    fixture_check(*state, "plain } { text", "plain } { text");
    fixture_check(*state, "\\x41\\102\\n\\t\\\\\\$\\q", "AB\n\t\\$q");
    fixture_check(*state, "a\\N$x{\\n}\\Nb", "a$x{\\n}b");
    fixture_check(*state, "\\N$never closed", "$never closed");
    fixture_check(*state, "at the end \\", "at the end \\");
}

static void
variables(void **state)
{
    fixture_check(*state, "$domain", "example.org");
    fixture_check(*state, "<${domain}>x$domain.", "<example.org>xexample.org.");
    fixture_check(*state, "[$unset]", "[]");
    fixture_check(*state, "$acl_m3", "fam:3");
    fixture_check(*state, "$1${2}${37}", "");
    fixture_check(*state, "$acl_mx",
                  "!unknown variable name \"acl_mx\" (6th character of a user-defined ACL "
                  "variable must be a digit or underscore)");
    fixture_check(*state, "$nosuch", "!unknown variable name \"nosuch\"");
    fixture_check(*state, "${nosuch}", "!unknown variable in \"${nosuch}\"");
}

static void
headers(void **state)
{
    fixture_check(*state, "$h_subject:/$rh_subject:/$bh_Subject:/$lheader_subject:",
                  "cooked/raw/bytes/list");
    fixture_check(*state, "$h_subject x", "cooked x");
    fixture_check(*state, "[$h_other:]", "[]");
    fixture_check(*state, "${lc:$h_subject}",
                  "!missing } at end of string - could be header name not terminated by colon");
}

static void
broken_text(void **state)
{
    fixture_check(*state, "a$", "!$ not followed by letter, digit, or {");
    fixture_check(*state, "${", "!letter or digit expected after ${");
    fixture_check(*state, "${lc:abc", "!missing } at end of string");
    fixture_check(*state, "${1x}", "!} expected after number");
    fixture_check(*state, "${foo:abc}", "!unknown expansion operator \"foo\"");
    fixture_check(*state, "${lc",
                  "!\"${lc\" is not a known operator (or a } is missing in a variable "
                  "reference)");
}

/* What stands before the error runs, and fails, first. */
static void
errors_come_in_the_order_of_the_text(void **state)
{
    fixture_check(*state, "${if eq{${acl{x}}}{}{y}{n}} ${foo:x}", "!ERROR from acl \"x\"");
    fixture_check(*state, "${if eq{a}{a}{ok}{${foo:x}}}",
                  "!unknown expansion operator \"foo\"");
    fixture_check(*state, "${if eq{a}{b}{ok}fail} ${foo:x}",
                  "F\"if\" failed and \"fail\" requested");
}

static void
a_tainted_text_is_not_expanded(void **state)
{
    struct fixture *f = *state;
    struct str out;
    assert_int_equal(vm_expand(f->vm, str_tainted(STR_LIT("$domain")), &out), VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm), "attempt to expand tainted string '$domain'"));
    assert_int_equal(vm_expand(f->vm, str_tainted(STR_LIT("no item")), &out), VM_OK);
    assert_true(str_is_tainted(out));
}

static void
taint_joins(void **state)
{
    struct fixture *f = *state;
    struct str out;
    assert_int_equal(vm_expand(f->vm, STR_LIT("x$domain"), &out), VM_OK);
    assert_int_equal(out.taint, STR_TAINTED);
    assert_int_equal(vm_expand(f->vm, STR_LIT("x${strlen:$domain}"), &out), VM_OK);
    assert_int_equal(out.taint, STR_CLEAN);
}

static void
an_error_knows_its_place(void **state)
{
    struct fixture *f = *state;
    struct diags *d = diags_new(f->arena, 0);
    (void)expand_compile(f->arena, f->vm, STR_LIT("abc ${lc:x} $nosuch"), NULL, d);
    assert_int_equal(diags_count(d, DIAG_ERROR), 1);
    assert_int_equal(diags_at(d, 0)->at.line, 1);
    assert_int_equal(diags_at(d, 0)->at.col, 14);
    struct str out;
    assert_int_equal(vm_expand(f->vm, STR_LIT("abc ${acl{x}}"), &out), VM_ERROR);
    assert_int_equal(vm_error_offset(f->vm), 4);
}

static void
many_pieces_are_joined(void **state)
{
    struct fixture *f = *state;
    struct buf text = buf_in(f->arena, 0);
    struct buf expected = buf_in(f->arena, 0);
    for (int i = 0; i < 1000; i++) {
        buf_printf(&text, "%d${domain}", i);
        buf_printf(&expected, "%dexample.org", i);
    }
    fixture_check(f, buf_str(&text).p, buf_str(&expected).p);
}

static const char *
nested(struct fixture *f, int levels)
{
    struct buf text = buf_in(f->arena, 0);
    for (int i = 0; i < levels; i++)
        buf_addz(&text, "${lc:");
    buf_addz(&text, "X");
    for (int i = 0; i < levels; i++)
        buf_addc(&text, '}');
    return buf_str(&text).p;
}

static void
nesting_has_a_cap(void **state)
{
    fixture_check(*state, nested(*state, 99), "x");
    fixture_check(*state, nested(*state, 100), "x");
    fixture_check(*state, nested(*state, 101), "!expansions are nested too deeply");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_and_escapes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(variables, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(headers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(broken_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(errors_come_in_the_order_of_the_text, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_tainted_text_is_not_expanded, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(taint_joins, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_error_knows_its_place, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(many_pieces_are_joined, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(nesting_has_a_cap, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_expand", tests, NULL, NULL);
}
