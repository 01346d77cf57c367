/* Unit tests of conf/event.c: what an action sees, what it answers, and what is put back. */
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/event.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct arena *a;
    struct wiring w;
    struct session session;
    struct conf conf;
    struct conf_main main;
    struct str logged;
    unsigned lines;
};

static void
take_line(void *ctx, bool panic, struct str text)
{
    struct fixture *f = ctx;
    assert_true(panic);
    f->logged = str_dup(f->a, text);
    f->lines++;
}

static int
setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.a = arena_new()};
    f.w = wire_command_line(f.a, NULL);
    f.conf.main = &f.main;
    f.w.eval->conf = &f.conf;
    f.w.eval->session = &f.session;
    f.w.eval->log = take_line;
    f.w.eval->log_ctx = &f;
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->a);
    return 0;
}

static const struct event sample = {
    .name = "msg:host:defer", .data = STR_INIT("why"), .number = 111};

static void
shows_name_data_and_number(void **state)
{
    struct fixture *f = *state;
    const struct xstr action = {.text = STR_LIT("$event_name/$event_data/$event_defer_errno")};
    struct str got = event_raise(f->w.eval, f->w.vm, &action, STR_LIT("smtp"), &sample);
    assert_true(str_eqz(got, "msg:host:defer/why/111"));
}

static void
puts_back_what_was_shown(void **state)
{
    struct fixture *f = *state;
    const struct xstr action = {.text = STR_LIT("x")};
    f->session.event_name = STR_LIT("tcp:connect");
    f->session.event_data = STR_LIT("outer");
    f->session.event_errno = 7;
    (void)event_raise(f->w.eval, f->w.vm, &action, STR_NULL, &sample);
    assert_true(str_eqz(f->session.event_name, "tcp:connect"));
    assert_true(str_eqz(f->session.event_data, "outer"));
    assert_int_equal(f->session.event_errno, 7);
}

static void
nothing_is_null(void **state)
{
    struct fixture *f = *state;
    const struct xstr unset = {.text = STR_NULL},
                      empty = {.text = STR_LIT("${if eq{a}{b}{x}{}}")},
                      forced = {.text = STR_LIT("${if eq{a}{b}{x}fail}")};
    assert_false(str_is_set(event_raise(f->w.eval, f->w.vm, &unset, STR_NULL, &sample)));
    assert_false(str_is_set(event_raise(f->w.eval, f->w.vm, &empty, STR_NULL, &sample)));
    assert_false(str_is_set(event_raise(f->w.eval, f->w.vm, &forced, STR_NULL, &sample)));
    assert_int_equal(f->lines, 0);
}

static void
faults_are_logged(void **state)
{
    struct fixture *f = *state;
    const struct xstr action = {.text = STR_LIT("$nonesuch")};
    assert_false(
        str_is_set(event_raise(f->w.eval, f->w.vm, &action, STR_LIT("smtp"), &sample)));
    assert_true(str_eqz(f->logged,
                        "failed to expand event_action msg:host:defer in smtp: unknown "
                        "variable name \"nonesuch\"\n"));
    f->main.event_action = action;
    assert_false(str_is_set(event_raise_main(f->w.eval, f->w.vm, &sample)));
    assert_true(str_eqz(f->logged,
                        "failed to expand event_action msg:host:defer in main: unknown "
                        "variable name \"nonesuch\"\n"));
    assert_int_equal(f->lines, 2);
}

static void
works_without_a_session(void **state)
{
    struct fixture *f = *state;
    const struct xstr action = {.text = STR_LIT("$event_data")};
    f->w.eval->session = NULL;
    assert_true(str_eqz(event_raise(f->w.eval, f->w.vm, &action, STR_NULL, &sample), "why"));
    assert_null(f->w.eval->session);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(shows_name_data_and_number), CASE(puts_back_what_was_shown), CASE(nothing_is_null),
        CASE(faults_are_logged),          CASE(works_without_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
