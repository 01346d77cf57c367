/* Tag lists: what a tag is, where its value stands, what is no list, and the cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/tag_list.h"

/* Tags as "name=<value>", then how the list ended. */
static struct str
show(struct arena *a, struct str list)
{
    struct buf b = buf_in(a, 0);
    uint32_t at = 0;
    struct tag t;
    enum tag_end end;
    while ((end = tag_list_next(list, &at, &t)) == TAG_FOUND) {
        assert_true(t.from <= t.until && t.until <= list.n && at <= list.n);
        assert_true(str_eq(str_trim(str_sub(list, t.from, t.until - t.from)), t.value));
        buf_printf(&b, "%.*s=<%.*s>", STR_ARG(t.name), STR_ARG(t.value));
    }
    if (end == TAG_BAD)
        buf_printf(&b, "!%u", at);
    return buf_str(&b);
}

static void
test_lists(void **state)
{
    static const struct {
        const char *list, *shown;
    } rows[] = {
        {"", ""},
        {" \t\r\n ", ""},
        {"a=b", "a=<b>"},
        {"a=b;", "a=<b>"},
        {" a = b\n ; c9_ =\n\td e ; ", "a=<b>c9_=<d e>"},
        {"a=;b==;", "a=<>b=<=>"},
        {"A=1;a=2", "A=<1>a=<2>"},
        {"a=b;;c=d", "a=<b>c=<d>"},
        {"a", "!1"},
        {"a=b;c", "a=<b>!5"},
        {"=b", "!0"},
        {"1a=b", "!0"},
        {"a b=c", "!2"},
        {"; ;", ""},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(str_cstr(a, show(a, str_from_cstr(rows[i].list))), rows[i].shown);
    arena_free(a);
}

static void
test_values(void **state)
{
    uint32_t at = 0;
    struct str item, value = STR_LIT("from : to:\n\tdate :: x");
    static const char *const items[] = {"from", "to", "date", "", "x"};
    (void)state;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        assert_true(tag_value_next(value, ':', &at, &item));
        assert_true(str_eqz(item, items[i]));
    }
    assert_false(tag_value_next(value, ':', &at, &item));
    at = 0;
    assert_false(tag_value_next(STR_EMPTY, ':', &at, &item));
    assert_true(tag_value_has(value, ':', "DATE"));
    assert_false(tag_value_has(value, ':', "dat"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists),
                                       cmocka_unit_test(test_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
