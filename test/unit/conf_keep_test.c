/* Unit tests of conf/keep.c: -bP config. */
#include "conf_fixture.h"

static const char *
shown(struct reading *r, bool secrets, bool terse)
{
    struct buf b = buf_in(r->arena, 0);
    conf_print_text(&b, r->conf, STR_LIT("4.99"), secrets, terse);
    return str_cstr(r->arena, buf_str(&b));
}

static const char text[] =
    "# c\nX   =   y  z\na_str = \"a   b\"\nhide  an_int=3\nhide a_bool\n"
    "a_list = a  : \"b   c\"  d\n"
    "begin   routers\nM = 1\nr:\n   driver=  loose\n  file = $x \\\n   y  \\\n z\n"
    "N = 1\nbegin retry\n*    *  F,1h\n";

static void
test_text(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, text));
    assert_string_equal(
        shown(r, true, false),
        "# Exim Configuration (4.99)\n# 1 \"/t/conf\"\nX = y z\na_str = \"a   b\"\n"
        "hide an_int=3\nhide a_bool\na_list = a : \"b   c\"  d\n"
        "\nbegin routers\n  M = 1\n\n  r:\n    driver= loose\n"
        "    file = $x y  z\n    N = 1\n\nbegin retry\n  * * F,1h\n");
}

static void
test_hidden_and_terse(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, text));
    assert_string_equal(shown(r, false, true),
                        "# Exim Configuration (4.99)\n# 1 \"/t/conf\"\n"
                        "X = <value not displayable>\na_str = \"a   b\"\n"
                        "hide an_int= <value not displayable>\n<value not displayable>\n"
                        "a_list = a : \"b   c\"  d\n"
                        "begin routers\nM = <value not displayable>\nr:\ndriver= loose\n"
                        "file = $x y  z\nN = <value not displayable>\nbegin retry\n* * F,1h\n");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_text),
        CASE(test_hidden_and_terse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
