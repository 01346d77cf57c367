/* Unit tests of conf/opt_text.c: quoted and unquoted strings, and their maps. */
#include "conf_fixture.h"

static struct str
read_value(struct reading *r, const char *line, const struct textmap **map)
{
    static struct source source = {.name = STR_INIT("x")};
    struct textmap_run *run = ARENA_NEW(r->arena, struct textmap_run);
    run->line = 7;
    run->col = 1;
    struct textmap *m = ARENA_NEW(r->arena, struct textmap);
    *m = (struct textmap){&source, run, 1, 9};
    struct opt_ctx ctx = {.arena = r->arena, .diags = r->diags};
    struct opt_line l = opt_line_scan(str_from_cstr(line), m);
    struct str out = STR_NULL;
    opt_read_string(&ctx, &l, l.rest + 1, l.name, &out, map);
    return out;
}

static void
test_plain(void **state)
{
    const struct textmap *map;
    struct str s = read_value(*state, "a =  b \"c\" \\d", &map);
    assert_true(str_eqz(s, "b \"c\" \\d"));
    assert_int_equal(textmap_span(map, 2, 1).col, 8);
    assert_int_equal(textmap_span(map, 0, 1).last_line, 9);
    assert_int_equal(read_value(*state, "a =", &map).n, 0);
}

static void
test_escapes(void **state)
{
    const struct textmap *map;
    assert_true(str_eqz(read_value(*state, "a = \"x\\ny\\tz\\r\"", &map), "x\ny\tz\r"));
    assert_true(str_eqz(read_value(*state, "a = \"\\101\\x42\\q\\\"\\\\\"", &map), "ABq\"\\"));
    assert_true(str_eqz(read_value(*state, "a = \"\\1019\\x4142\"", &map), "A9A42"));
    struct str nul = read_value(*state, "a = \"\\x\\400\\08\"", &map);
    assert_int_equal(nul.n, 4);
    assert_memory_equal(nul.p, "\0\0\0008", 4);
}

static void
test_map_of_escapes(void **state)
{
    const struct textmap *map;
    struct str s = read_value(*state, "a = \"x\\x41yz\"", &map);
    assert_true(str_eqz(s, "xAyz"));
    assert_int_equal(textmap_span(map, 0, 1).col, 6);
    assert_int_equal(textmap_span(map, 1, 1).col, 7);
    assert_int_equal(textmap_span(map, 2, 1).col, 11);
    assert_int_equal(textmap_span(map, 3, 1).col, 12);
    assert_int_equal(textmap_span(map, 3, 1).line, 7);
}

static void
test_faults(void **state)
{
    struct reading *r = *state;
    const struct textmap *map;
    read_value(r, "a = \"x\\\"", &map);
    read_value(r, "a = \"x\" y", &map);
    read_value(r, "a = \"\\", &map);
    assert_int_equal(diags_count(r->diags, DIAG_ERROR), 3);
    assert_int_equal(diags_at(r->diags, 0)->at.col, 5);
    assert_int_equal(diags_at(r->diags, 1)->at.col, 9);
    assert_true(
        str_eqz(diags_at(r->diags, 2)->exim, "missing quote at end of string value for a"));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_plain),
        CASE(test_escapes),
        CASE(test_map_of_escapes),
        CASE(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
