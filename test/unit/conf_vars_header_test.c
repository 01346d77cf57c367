/* $h_ and its kin: what is remembered of a header line is given up when the lines change. */
#include "base/arena.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "mail/header.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct place {
    struct arena *a;
    struct wiring w;
    struct message msg;
    struct header_list list;
};

static struct place
place_new(void)
{
    struct place p = {.a = arena_new()};
    p.w = wire_command_line(p.a, NULL);
    p.msg.body_fd = -1;
    return p;
}

static void
check(struct place *p, const char *text, const char *want)
{
    struct str value;
    enum vm_status st = vm_expand(p->w.vm, str_from_cstr(text), &value);
    if (st != VM_OK)
        value = vm_error(p->w.vm);
    if (!str_eqz(value, want))
        fail_msg("%s: %.*s", text, STR_ARG(value));
}

static void
add(struct place *p, const char *line, enum header_place where)
{
    assert_true(header_list_add(p->a, &p->list, str_from_cstr(line), where));
}

static void
test_forms(void **state)
{
    (void)state;
    struct place p = place_new();
    p.msg.arena = p.a;
    p.msg.headers = &p.list;
    p.w.eval->message = &p.msg;
    add(&p, "Subject:  =?utf-8?q?a=5Fb?= c \n", HEADER_AT_END);
    add(&p, "To: one@a\n", HEADER_AT_END);
    add(&p, "To: two@b\n", HEADER_AT_END);
    check(&p, "<$h_subject:>", "<a_b c>");
    check(&p, "<$bh_subject:>", "<a_b c>");
    check(&p, "<$rh_subject:>", "<  =?utf-8?q?a=5Fb?= c \n>");
    check(&p, "$h_to:", "one@a,\ntwo@b");
    check(&p, "$lh_to:", " one@a: two@b");
    check(&p, "${if def:h_cc:{y}{n}}${if def:h_to:{y}{n}}", "ny");
    arena_free(p.a);
}

static void
test_changes_are_seen(void **state)
{
    (void)state;
    struct place p = place_new();
    p.msg.arena = p.a;
    p.msg.headers = &p.list;
    p.w.eval->message = &p.msg;
    add(&p, "X-A: 1\n", HEADER_AT_END);
    check(&p, "$h_x-a: $h_x-b:", "1 ");
    check(&p, "$h_x-a: $h_x-b:", "1 ");
    add(&p, "X-B: 2\n", HEADER_AT_END); /* what was found missing is looked for again */
    check(&p, "$h_x-a: $h_x-b:", "1 2");
    add(&p, "X-A: 0\n", HEADER_AT_TOP);
    check(&p, "$h_x-a:", "0\n1");
    assert_int_equal(header_list_remove(&p.list, STR_LIT("X-A"), 1), 1);
    check(&p, "$h_x-a:", "1");
    assert_int_equal(header_list_remove(&p.list, STR_LIT("x-a"), 0), 1);
    check(&p, "<$h_x-a:>", "<>");
    arena_free(p.a);
}

static void
test_another_message(void **state)
{
    (void)state;
    struct place p = place_new();
    struct header_list other = {.v = NULL};
    struct message second = {.arena = p.a, .body_fd = -1, .headers = &other};
    p.msg.arena = p.a;
    p.msg.headers = &p.list;
    p.w.eval->message = &p.msg;
    add(&p, "X-A: 1\n", HEADER_AT_END);
    assert_true(header_list_add(p.a, &other, STR_LIT("X-A: of the second\n"), HEADER_AT_END));
    check(&p, "$h_x-a:", "1");
    p.w.eval->message = &second;
    check(&p, "$h_x-a:", "of the second");
    p.w.eval->message = NULL;
    check(&p, "<$h_x-a:>", "<>");
    arena_free(p.a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_changes_are_seen),
        cmocka_unit_test(test_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
