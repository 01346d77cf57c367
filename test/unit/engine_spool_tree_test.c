/* The tree of addresses that are done: its lines, kept and balanced. */
#include "engine/spool_tree.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
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
lines(const struct spool_tree *t, const char *want)
{
    struct buf out = buf_in(a, 0);
    spool_tree_format(a, t, &out);
    assert_string_equal(buf_str(&out).p, want);
}

static void
test_empty(void **state)
{
    (void)state;
    struct spool_tree t = {0};
    char text[8] = "";
    struct buf out = buf_in(a, 0);
    spool_tree_format(a, &t, &out);
    struct str s = buf_str(&out);
    memcpy(text, s.p, s.n);
    assert_string_equal(text, "XX\n");
    assert_false(spool_tree_has(&t, STR_LIT("a@b")));
}

static void
test_balanced(void **state)
{
    (void)state;
    struct spool_tree t = {0};
    assert_true(spool_tree_add(a, &t, STR_LIT("editor@thesaurus.ref.example")));
    lines(&t, "NN editor@thesaurus.ref.example\n");
    assert_true(spool_tree_add(a, &t, STR_LIT("alice@wonderland.fict.example")));
    assert_true(spool_tree_add(a, &t, STR_LIT("darcy@austen.fict.example")));
    assert_true(spool_tree_add(a, &t, STR_LIT("darcy@austen.fict.example")));
    lines(&t, "YY darcy@austen.fict.example\nNN alice@wonderland.fict.example\n"
              "NN editor@thesaurus.ref.example\n");
    assert_true(spool_tree_add(a, &t, STR_LIT("|/bin/x y:f@b")));
    lines(&t, "YY editor@thesaurus.ref.example\nYN darcy@austen.fict.example\n"
              "NN alice@wonderland.fict.example\nNN |/bin/x y:f@b\n");
    assert_true(spool_tree_has(&t, STR_LIT("|/bin/x y:f@b")));
    assert_false(spool_tree_has(&t, STR_LIT("|/bin/x Y:f@b")));
}

/* A shape that balancing would not give stays, until something is added. */
static void
test_shape_is_kept(void **state)
{
    (void)state;
    struct spool_tree t = {0};
    assert_true(
        spool_tree_add_shaped(a, &t, (struct spool_tree_node){STR_INIT("a"), false, true}));
    assert_true(
        spool_tree_add_shaped(a, &t, (struct spool_tree_node){STR_INIT("b"), false, false}));
    lines(&t, "NY a\nNN b\n");
    assert_true(spool_tree_add(a, &t, STR_LIT("a")));
    lines(&t, "NY a\nNN b\n");
    assert_true(spool_tree_add(a, &t, STR_LIT("0")));
    lines(&t, "YY a\nNN 0\nNN b\n");
}

static void
test_refused(void **state)
{
    (void)state;
    struct spool_tree t = {0};
    assert_false(spool_tree_add(a, &t, STR_LIT("")));
    assert_false(spool_tree_add(a, &t, STR_LIT("a\nb")));
    assert_false(spool_tree_add(a, &t, STR_LIT("a\rb")));
    assert_false(spool_tree_add(a, &t, STR_LIT("a\0b")));
    assert_int_equal(t.nodes.n, 0);
}

static void
test_many(void **state)
{
    (void)state;
    struct spool_tree t = {0};
    for (int i = 0; i < 100000; i++)
        assert_true(spool_tree_add(a, &t, str_printf(a, "u%d@x", i)));
    struct buf out = buf_in(a, 0);
    spool_tree_format(a, &t, &out);
    struct str s = buf_str(&out);
    size_t n = 0, edges = 0;
    for (size_t at = 0, nl; (nl = str_chr(s, '\n', at)) != STR_NPOS; at = nl + 1, n++)
        edges += (size_t)(s.p[at] == 'Y') + (s.p[at + 1] == 'Y');
    assert_int_equal(n, 100000);
    assert_int_equal(edges, 99999);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_shape_is_kept), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
