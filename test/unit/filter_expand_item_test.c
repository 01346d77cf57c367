/* Unit tests of filter/expand_item.c and expand_cond.c: the forms, and the code that they give. */
#include "filter_vm_fixture.h"

static void
if_and_its_branches(void **state)
{
    fixture_check(*state, "${if eq{a}{a}{yes}{no}}", "yes");
    fixture_check(*state, "${if eq {a} {b} {yes} {no} }", "no");
    fixture_check(*state, "${if eq{a}{a}}${if eq{a}{b}}", "true");
    fixture_check(*state, "${if !eq{a}{b}{yes}}", "yes");
    fixture_check(*state, "${if eq{a}{b}{yes}fail}", "F\"if\" failed and \"fail\" requested");
    fixture_check(*state, "${if eq{a}{b}{yes}fai}",
                  "!syntax error in \"if\" item - \"fail\" expected");
    fixture_check(*state, "${if eq{a}{b}{yes}{no}x}",
                  "!curly-bracket problem in conditional yes/no parsing: did not close with "
                  "'}'\n remaining string is 'x}'");
    fixture_check(*state, "${if eq{a}{b} or{x}}",
                  "!curly-bracket problem in conditional yes/no parsing: 'yes' part did not "
                  "start with '{'\n remaining string is 'or{x}}'");
}

static void
conditions(void **state)
{
    fixture_check(*state, "${if and{{eq{a}{a}}{eq{b}{b}}}{y}{n}}", "y");
    fixture_check(*state, "${if or {{eq{a}{b}} {eq{b}{b}} } {y}{n}}", "y");
    fixture_check(*state, "${if and{{eq{a}{b}}{acl{{x}}}}{y}{n}}", "n");
    fixture_check(*state, "${if or{{eq{a}{a}}{acl{{x}}}}{y}{n}}", "y");
    fixture_check(*state, "${if def:domain{y}{n}}${if def:unset{y}{n}}", "yn");
    fixture_check(*state, "${if def:h_subject:{y}{n}}${if def:h_x:{y}{n}}", "yn");
    fixture_check(*state, "${if forany{a:b}{eq{$item}{b}}{y}{n}}", "y");
    fixture_check(*state, "${if forall{a:b}{eq{$item}{b}}{y}{n}}", "n");
    fixture_check(*state, "${if forall{}{eq{$item}{b}}{y}{n}}", "n");
    fixture_check(*state, "${if foo{a}{b}}", "!unknown condition \"foo\"");
    fixture_check(*state, "${if and{}{y}{n}}${if or{}{y}{n}}", "yn");
    fixture_check(*state, "${if and{eq{a}{a}}{y}}",
                  "!each subcondition inside an \"and{...}\" condition must be in its own {}");
    fixture_check(*state, "${if and{{foo}}}",
                  "!unknown condition \"foo\" inside \"and{...}\" condition");
    fixture_check(*state, "${if or{{acl{{x}}}}}",
                  "!ERROR from acl \"x\" inside \"or{...}\" condition");
    fixture_check(*state, "${if eq{a}}", "!missing 2nd string in {} after \"eq\"");
    fixture_check(*state, "${if def:h_x{y}{n}}",
                  "!missing or misplaced { or } - could be header name not terminated by "
                  "colon");
}

static void
loops(void **state)
{
    fixture_check(*state, "${map{a:b}{<$item>}}", "<a>:<b>");
    fixture_check(*state, "${map{a:b}{$item${map{1:2}{$item}}$item}}", "a1::2a:b1::2b");
    fixture_check(*state, "${filter{<, a,b,c}{!eq{$item}{b}}}", "a,c");
    fixture_check(*state, "${reduce{1:2:3}{0}{${eval:$value+$item}}}$value", "6");
    fixture_check(*state, "${sort{3:1:21}{<}{$item}}", "1:3:21");
    fixture_check(*state, "${sort{c1:a3:b2}{lt}{${substr_1:$item}}}", "c1:b2:a3");
    fixture_check(*state, "${sort{a1:b1:c0}{le}{${substr_1:$item}}}", "c0:b1:a1");
    fixture_check(*state, "${sort{a}{bool}{$item}}", "!comparator not handled for sort");
    fixture_check(*state, "${map{a}}", "!missing '{' for last arg of map");
    fixture_check(*state, "${map{a}{${foo}}}",
                  "!unknown variable in \"${foo}\" inside \"map\" item");
    fixture_check(*state, "${filter{a}{foo}}",
                  "!unknown condition \"foo\" inside \"filter\" item");
    fixture_check(*state, "${filter{a}{acl{{x}}}}",
                  "!ERROR from acl \"x\" inside \"filter\" condition");
}

static void
extract_by_name_and_number(void **state)
{
    fixture_check(*state, "${extract{b}{a=1 b=2}}", "2");
    fixture_check(*state, "${extract{b}{a=1 b=2}{<$value>}{no}}", "<2>");
    fixture_check(*state, "${extract{x}{a=1 b=2}{<$value>}{no}}", "no");
    fixture_check(*state, "${extract{1}{:}{a:b}}", "a");
    fixture_check(*state, "${extract{-1}{:}{a:b}{<$value>}{no}}", "<b>");
    fixture_check(*state, "${extract{}{a=b}}",
                  "!first argument of \"extract\" must not be empty");
}

/* Whether the key is a number decides how many arguments follow; here that is known only late. */
static void
extract_with_a_key_that_is_computed(void **state)
{
    fixture_check(*state, "${extract{${lc:1}}{:}{a:b}}", "a");
    fixture_check(*state, "${extract{${lc:1}}{:}{a:b}{<$value>}{no}}", "<a>");
    fixture_check(*state, "${extract{${lc:A}}{a=5}{<$value>}{no}}", "<5>");
    fixture_check(*state, "${extract{${lc:X}}{:}{a:b}{<$value>}{no}}",
                  "!curly-bracket problem in conditional yes/no parsing: did not close with "
                  "'}'\n remaining string is '{no}}'");
    fixture_check(*state, "${map{1:a}{${extract{$item}{:}{${extract{$item}{:}{x:y}}:y}}}}",
                  "x: ");
}

static void
value_and_captures_end_with_their_item(void **state)
{
    fixture_check(*state, "${if match{abc}{b(.)}{$1}}$1", "c");
    fixture_check(*state, "${if match{abc}{(b)}{${if match{x}{(y)}{}{$1}}$1}}", "bb");
    fixture_check(*state, "${extract{a}{a=1}{$value}}$value", "1");
    fixture_check(*state, "${if inlist{a}{b:a}{$value}}$value", "a");
}

/* In a branch that is not taken too. */
static void
constant_arguments_are_checked_where_they_stand(void **state)
{
    fixture_check(*state, "${if eq{a}{a}{y}{${length{-}{}}}}",
                  "!\"-\" is not a positive number (in \"length\" expansion)");
    fixture_check(*state, "${if eq{a}{a}{y}{${if bool{x}{a}{b}}}}",
                  "!unrecognised boolean value \"x\"");
    fixture_check(
        *state, "${if eq{a}{a}{y}{${sg{a}{(}{c}}}}",
        "!regular expression error in \"(\": missing closing parenthesis at offset 1");
    fixture_check(*state, "${if eq{a}{a}{y}{${sort{a:b}{eq}{$item}}}}",
                  "!comparator not handled for sort");
    fixture_check(*state, "${if eq{a}{a}{y}{${length{$domain}{}}}}", "y");
}

/* A number is looked at before what follows it runs. */
static void
numbers_are_checked_in_turn(void **state)
{
    fixture_check(*state, "${if >{a}{${acl{x}}}{y}{n}}", "!integer expected but \"a\" found");
    fixture_check(*state, "${if and{{={a}{",
                  "!integer expected but \"a\" found inside \"and{...}\" condition");
}

static void
an_empty_sort_key_is_an_error(void **state)
{
    fixture_check(*state, "${sort{a:b}{ge}{}}", "!field-extract in sort: \"\"");
}

static void
refused_requests_say_so(void **state)
{
    fixture_check(*state, "${run{/bin/true}}", "!running a command is not permitted");
    fixture_check(*state, "${readsocket{/x}{y}}", "!socket insertions are not permitted");
    fixture_check(*state, "${lookup{a}lsearch{/x}}", "!unknown lookup type \"lsearch\"");
}

static void
the_code_is_what_it_should_be(void **state)
{
    struct fixture *f = *state;
    struct buf out = buf_in(f->arena, 0);
    code_list(&out, expand_compile(f->arena, f->vm, STR_LIT("${if eq{$domain}{a}{x$1}fail}"),
                                   NULL, NULL));
    assert_string_equal(
        buf_str(&out).p,
        "; 13 words, 3 constants, stack 2\n"
        "0000  1:1     SAVE\n"
        "0001  1:9     VAR       domain\n"
        "0002  1:18    CONST     \"a\"\n"
        "0003  1:6     TEST      eq/2\n"
        "0005  1:6     JUMPF     -> 0010\n"
        "0006  1:21    CONST     \"x\"\n"
        "0007  1:22    CAPTURE   1\n"
        "0008  1:24    CONCAT    2\n"
        "0009  1:24    JUMP      -> 0011\n"
        "0010  1:25    FORCE     \"\\\"if\\\" failed and \\\"fail\\\" requested\"\n"
        "0011  1:1     RESTORE\n"
        "0012  1:30    RETURN\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(if_and_its_branches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(conditions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(loops, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(extract_by_name_and_number, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(extract_with_a_key_that_is_computed, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(value_and_captures_end_with_their_item, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(constant_arguments_are_checked_where_they_stand,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(numbers_are_checked_in_turn, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(an_empty_sort_key_is_an_error, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(refused_requests_say_so, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_code_is_what_it_should_be, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_expand_item", tests, NULL, NULL);
}
