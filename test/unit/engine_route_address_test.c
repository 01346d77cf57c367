/* Addresses that are routed: parts, keys, what a child inherits. */
#include "conf/main_options.h"
#include "engine/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;
static struct conf_main options;
static struct conf conf;
static struct engine engine;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    options = (struct conf_main){.qualify_recipient = STR_LIT("rcpt.example")};
    conf = (struct conf){.main = &options};
    engine = (struct engine){.arena = a, .conf = &conf};
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
check_is(struct str got, const char *want)
{
    if (!str_eqz(got, want))
        fail_msg("%.*s, not %s", STR_ARG(got), want);
}

static struct address *
child_of(struct address *parent, const char *text, enum address_item item)
{
    struct address *child = ARENA_NEW(a, struct address);
    child->text = str_from_cstr(text);
    child->item = item;
    route_adopt(parent, child);
    return child;
}

static void
test_new(void **state)
{
    (void)state;
    struct address *one;
    struct str fault;
    assert_true(route_new_address(a, &engine, STR_LIT("Abc@Example.ORG"), &one, &fault));
    check_is(one->text, "Abc@Example.ORG");
    check_is(one->key, "Abc@example.org");
    check_is(one->local_part, "Abc");
    check_is(one->domain, "example.org");
    assert_true(str_is_tainted(one->text) && str_is_tainted(one->domain));
    assert_int_equal(one->local_uid, -1);
    assert_true(route_new_address(a, &engine, STR_LIT("\"a b\""), &one, &fault));
    check_is(one->text, "\"a b\"@rcpt.example");
    check_is(one->local_part, "a b");
    assert_false(route_new_address(a, &engine, STR_LIT("a b"), &one, &fault));
    assert_true(fault.n > 0);
    assert_false(route_new_address(a, &engine, STR_LIT(" (c) "), &one, &fault));
    check_is(fault, "empty address");
}

static void
test_homonyms(void **state)
{
    (void)state;
    struct address *top = route_envelope_address(a, STR_LIT("aa@x.ex"), 3);
    struct address *c1 = child_of(top, "AA@X.ex", ADDRESS_ITEM_MAIL);
    check_is(c1->key, "\\0\\AA@x.ex");
    struct address *c2 = child_of(c1, "bb@x.ex", ADDRESS_ITEM_MAIL);
    check_is(c2->key, "bb@x.ex");
    struct address *c3 = child_of(c2, "aa@x.ex", ADDRESS_ITEM_MAIL);
    check_is(c3->key, "\\1\\aa@x.ex");
    assert_int_equal(c3->depth, 3);
    assert_int_equal(c3->recipient, 3);
    assert_int_equal(top->children, 1);
    static const struct driver_instance transport = {.name = STR_INIT("t1")};
    c3->transport = &transport;
    check_is(route_done_key(a, c3), "aa@x.ex/t1");
    check_is(route_done_key(a, c2), "bb@x.ex");
}

static void
test_items(void **state)
{
    (void)state;
    struct address *top = route_envelope_address(a, STR_LIT("aa@x.ex"), 0);
    struct address *other = route_envelope_address(a, STR_LIT("bb@x.ex"), 1);
    struct address *p1 = child_of(top, "|/bin/cat", ADDRESS_ITEM_PIPE);
    struct address *p2 = child_of(other, "|/bin/cat", ADDRESS_ITEM_PIPE);
    check_is(p1->key, "|/bin/cat:aa@x.ex");
    check_is(p2->key, "|/bin/cat:bb@x.ex");
    check_is(p1->local_part, "aa");
    struct address_vec v = {NULL, 0, 0};
    address_vec_push(a, &v, p1);
    assert_true(address_vec_has(&v, p1->key));
    assert_false(address_vec_has(&v, p2->key));
}

static void
test_inherits(void **state)
{
    (void)state;
    struct address *top = route_envelope_address(a, STR_LIT("aa@x.ex"), 0);
    top->errors_to = STR_LIT("e@x.ex");
    top->address_data = STR_LIT("data");
    top->headers_add = STR_LIT("X: y\n");
    top->dsn_flags = 5;
    struct address *child = child_of(top, "bb@y.ex", ADDRESS_ITEM_MAIL);
    check_is(child->errors_to, "e@x.ex");
    check_is(child->address_data, "data");
    check_is(child->headers_add, "X: y\n");
    check_is(child->parent_local_part, "aa");
    check_is(child->parent_domain, "x.ex");
    assert_int_equal(child->dsn_flags, 5);
    struct address *own = ARENA_NEW(a, struct address);
    own->text = STR_LIT("cc@y.ex");
    own->errors_to = STR_EMPTY;
    route_adopt(top, own);
    assert_true(str_is_set(own->errors_to) && own->errors_to.n == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_homonyms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inherits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
