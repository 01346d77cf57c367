/* Unit tests of transports/key_place.c: which places a configuration has, and that nothing else is opened. */
#include "transports/key_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

static const char text[] =
    "primary_hostname = host.example\n"
    "KEY = /macro/$dkim_selector.pem\n"
    "begin transports\n"
    "a:\n driver = smtp\n dkim_private_key = KEY\n arc_sign = ${lc:E}.example : s : "
    "/arc/key.pem\n"
    "b:\n driver = smtp\n"
    " dkim_private_key = ${if exists{/k/$dkim_domain}{/k/$dkim_domain}{/$dkim_domain}}\n"
    " arc_sign = e : s : ${lookup{x}lsearch{/f/map}}\n"
    "c:\n driver = smtp\n dkim_private_key = /etc\n"
    "d:\n driver = smtp\n hosts = ${lookup{x}lsearch{/none/of/them}}\n"
    "e:\n driver = appendfile\n file = /none/$local_part_data\n user = 1\n group = 1\n";

static void
load(struct loaded *l, struct key_places *p)
{
    *l = load_text(text);
    if (l->conf == NULL)
        fail_msg("%s", load_exim_error(l));
    key_places_find(l->arena, l->conf, p);
}

static void
assert_place(const struct key_places *p, size_t i, const char *transport, const char *path,
             bool begins, bool always)
{
    assert_true(i < p->v.n);
    const struct key_place *one = &p->v.v[i];
    assert_true(str_eqz(one->transport, transport) && str_eqz(one->path, path) &&
                one->begins == begins && one->always == always);
}

static void
test_places(void **state)
{
    (void)state;
    struct loaded l;
    struct key_places p;
    load(&l, &p);
    assert_place(&p, 0, "a", "/macro/", true, false);
    assert_place(&p, 1, "a", "/arc/key.pem", false, true);
    assert_place(&p, 2, "b", "/k/", true, false);
    assert_place(&p, 3, "b", "/f/map", false, false);
    assert_int_equal(p.v.n, 4); /* neither the root folder, nor a file in it */
    load_free(&l);
}

static enum key_file_end
end_of(const struct key_places *p, const char *transport, const char *path)
{
    struct key_file_result why;
    assert_int_equal(key_places_open(p, transport, path, &why), -1);
    return why.end;
}

/* What is named is looked for, and is not there. */
static void
test_opens_what_is_named(void **state)
{
    (void)state;
    struct loaded l;
    struct key_places p;
    load(&l, &p);
    static const struct {
        const char *transport, *path;
        bool named;
    } rows[] = {
        {"a", "/arc/key.pem", true},  {"b", "/arc/key.pem", false},
        {"x", "/arc/key.pem", false}, {"a", "/arc/key.pem2", false},
        {"a", "/arc/key.pe", false},  {"a", "/arc/", false},
        {"a", "/macro/x", true},      {"a", "/macro/x/y", true},
        {"a", "/macro/", false},      {"a", "/macro", false},
        {"a", "macro/x", false},      {"a", "", false},
        {"b", "/k/x", true},          {"b", "/macro/x", false},
        {"b", "/etc/passwd", false},  {"c", "/etc", false},
        {"c", "/etc/passwd", false},  {"", "/k/x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum key_file_end end = end_of(&p, rows[i].transport, rows[i].path);
        assert_int_equal(end == KEY_FILE_NOT_NAMED, !rows[i].named);
    }
    if (geteuid() == 0)
        assert_int_equal(end_of(&p, "a", "/macro/../etc/passwd"), KEY_FILE_NO_OPEN);
    load_free(&l);
}

static void
test_caps(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct key_places p = {.v = {NULL, 0, 0}};
    for (size_t n = KEY_PLACE_PATH_MAX - 1; n <= KEY_PLACE_PATH_MAX + 1; n++) {
        char *path = arena_zalloc(a, n, 1);
        memset(path, '/', n);
        const struct key_place one = {.transport = STR_LIT("t"), .path = str_from(path, n)};
        key_places_add(a, &p, &one);
    }
    assert_int_equal(p.v.n, 2);
    for (size_t n = KEY_PLACE_NAME_MAX - 1; n <= KEY_PLACE_NAME_MAX + 1; n++) {
        char *name = arena_zalloc(a, n, 1);
        memset(name, 'x', n);
        const struct key_place one = {.transport = str_from(name, n), .path = STR_LIT("/a/b")};
        key_places_add(a, &p, &one);
    }
    assert_int_equal(p.v.n, 4);
    for (size_t i = p.v.n; i <= KEY_PLACES_MAX; i++) {
        const struct key_place one = {.transport = STR_LIT("t"),
                                      .path = str_printf(a, "/a/%zu", i)};
        key_places_add(a, &p, &one);
        key_places_add(a, &p, &one); /* once is enough */
        assert_int_equal(p.v.n, i < KEY_PLACES_MAX ? i + 1 : KEY_PLACES_MAX);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_opens_what_is_named),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
