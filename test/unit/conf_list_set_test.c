/* Unit tests of conf/list_set.c. */
#include "conf_list_fixture.h"

static struct list_set
set_of(struct arena *a, const char *const *keys, size_t n)
{
    struct list_literal *v = ARENA_ARRAY(a, struct list_literal, n);
    for (size_t i = 0; i < n; i++) {
        v[i].text = v[i].key = str_from_cstr(keys[i]);
        v[i].pos = (uint32_t)i * 10;
    }
    return list_set_new(a, v, n);
}

static int64_t
find(const struct list_set *s, const char *folded, const char *exact, bool caseful,
     uint32_t from)
{
    const struct list_literal *l =
        list_set_find(s, str_from_cstr(folded), str_from_cstr(exact), caseful, from);
    return l == NULL ? -1 : (int64_t)l->pos;
}

static void
the_first_place_is_found(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"A.ex", "b.ex", "a.ex", "a.EX", "", "a.ex"};
    struct list_set s = set_of(f->arena, keys, 6);
    assert_int_equal(find(&s, "a.ex", "a.ex", false, 0), 0);
    assert_int_equal(find(&s, "a.ex", "a.ex", true, 0), 20);
    assert_int_equal(find(&s, "a.ex", "a.EX", true, 0), 30);
    assert_int_equal(find(&s, "a.ex", "a.ex", true, 21), 50);
    assert_int_equal(find(&s, "a.ex", "a.ex", false, 51), -1);
    assert_int_equal(find(&s, "b.ex", "B.ex", true, 0), -1);
    assert_int_equal(find(&s, "", "", true, 0), 40);
    assert_int_equal(find(&s, "c.ex", "c.ex", false, 0), -1);
    s = set_of(f->arena, keys, 0);
    assert_int_equal(find(&s, "a.ex", "a.ex", false, 0), -1);
}

static void
every_length_is_found(void **state)
{
    struct fixture *f = *state;
    char room[64];
    const char *keys[40];
    for (size_t i = 0; i < 40; i++) {
        memset(room, 'a' + (int)(i % 3), i);
        room[i] = '\0';
        keys[i] = str_cstr(f->arena, str_from(room, i));
    }
    struct list_set s = set_of(f->arena, keys, 40);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(find(&s, keys[i], keys[i], true, 0), (int64_t)i * 10);
}

static void
folding_copies_only_what_has_capitals(void **state)
{
    struct fixture *f = *state;
    char room[40];
    for (size_t n = 1; n < 36; n++)
        for (size_t at = 0; at < n; at++) {
            memset(room, 'z', n);
            struct str s = str_from(room, n);
            assert_ptr_equal(list_fold(f->arena, s).p, room);
            for (const char *c = "AMZ"; *c != '\0'; c++) {
                room[at] = *c;
                struct str low = list_fold(f->arena, s);
                assert_int_equal(low.p[at], ascii_lower(*c));
                assert_true(str_ieq(low, s));
            }
            for (const char *c = "@[`{az09.-"; *c != '\0'; c++) {
                room[at] = *c;
                assert_ptr_equal(list_fold(f->arena, s).p, room);
            }
        }
    assert_true(str_eqz(list_fold(f->arena, STR_LIT("\xc1\xda"
                                                    "aB")),
                        "\xc1\xda"
                        "ab"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_place_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(every_length_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(folding_copies_only_what_has_capitals, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
