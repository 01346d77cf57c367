/* Loops over lists: order, $item and $value within and after, nesting, and an end by error or forced failure. */
#include "filter_vm_fixture.h"

static void
test_values(void **state)
{
    struct fixture *f = *state;
    fixture_check(f, "${map{a:b:c}{<$item>}}", "<a>:<b>:<c>");
    fixture_check(f, "${map{<,a,b}{$item$item}}", "aa,bb");
    fixture_check(f, "${map{}{x}}", "");
    fixture_check(f, "${filter{a:b:a}{eq{$item}{a}}}", "a:a");
    fixture_check(f, "${reduce{1:2:3}{0}{${eval:$value+$item}}}", "6");
    fixture_check(f, "${reduce{}{start}{x}}", "start");
    fixture_check(f, "${sort{3:1:2}{<}{$item}}", "1:2:3");
    fixture_check(f, "${sort{b1:a2:c0}{<}{${substr_1:$item}}}", "c0:b1:a2");
    fixture_check(f, "${if forany{a:b}{eq{$item}{b}}{y}{n}}", "y");
    fixture_check(f, "${if forall{a:b}{eq{$item}{b}}{y}{n}}", "n");
    fixture_check(f, "${if forany{}{eq{a}{a}}{y}{n}}${if forall{}{eq{a}{b}}{y}{n}}", "nn");
}

/* The inner loop's $item hides the outer one's, which comes back. */
static void
test_nested(void **state)
{
    struct fixture *f = *state;
    fixture_check(f, "${map{a:b}{$item${map{<,1,2}{$item}}$item}}", "a1,2a:b1,2b");
    fixture_check(f, "${map{a:b}{${reduce{<,1,2}{$item}{$value$item}}}}", "a12:b12");
    fixture_check(f, "<${map{a}{$item}}$item>", "<a>");
    fixture_check(f, "${reduce{1:2}{}{x}}<$value>", "x<>");
}

static void
test_separators_in_values(void **state)
{
    struct fixture *f = *state;
    fixture_check(f, "${map{a:b}{x:y}}", "x::y:x::y");
    fixture_check(f, "${map{a::b:c}{[$item]}}", "[a::b]:[c]");
    fixture_check(f, "${filter{a::b:c}{eq{$item}{a:b}}}", "a::b");
}

static void
test_ends(void **state)
{
    struct fixture *f = *state;
    fixture_check(f, "${map{a:b}{${if eq{$item}{b}{x}fail}}}",
                  "F\"if\" failed and \"fail\" requested inside \"map\" item");
    fixture_check(
        f, "${map{1:x}{${eval:$item}}}",
        "!error in expression evaluation: expecting number or opening parenthesis (after "
        "processing \"\") inside \"map\" item");
    /* Nothing of a loop that failed is left. */
    fixture_check(f, "<$item$value>", "<>");
    vm_set_budget(f->vm, (struct vm_budget){.steps = 5});
    const char *got = fixture_expand(f, "${map{1:2:3:4:5:6:7:8}{$item}}");
    if (got[0] != '!' || strstr(got, "steps") == NULL)
        fail_msg("%s", got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nested, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_separators_in_values, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ends, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
