/* Messages moved to another queue, and frozen ones out of the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "engine/maillog.h"
#include "engine/queue_move.h"

static struct engine_case *c;

static int
setup(void **state)
{
    (void)state;
    c = engine_case_new("");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    engine_case_free(c);
    return 0;
}

static bool
has(const char *name)
{
    char *path =
        str_cstr(c->loaded.arena, str_printf(c->loaded.arena, "%s/spool/%s", c->root, name));
    return access(path, F_OK) == 0;
}

static void
test_to_a_named_queue_and_back(void **state)
{
    (void)state;
    struct str id = STR_LIT("1xVNEb-00079s-2P");
    struct spool_entry e = engine_case_message(c, "1xVNEb-00079s-2P", "a@b.example");
    assert_false(queue_move(&c->engine, id, STR_LIT("slow"))); /* locked */
    spool_close(&e);
    assert_true(queue_move(&c->engine, id, STR_LIT("slow")));
    assert_true(has("slow/input/1xVNEb-00079s-2P-H") && has("slow/input/1xVNEb-00079s-2P-D"));
    assert_false(has("input/1xVNEb-00079s-2P-H") || has("input/1xVNEb-00079s-2P-D"));
    assert_string_equal(engine_case_read(c, "mainlog") + 20,
                        "1xVNEb-00079s-2P moved from input, msglog to (slow) input, msglog\n");
    assert_false(queue_move(&c->engine, id, STR_LIT("slow"))); /* not here any more */
    c->engine.queue = STR_LIT("slow");
    assert_true(queue_move(&c->engine, id, STR_EMPTY));
    assert_true(has("input/1xVNEb-00079s-2P-H") && !has("slow/input/1xVNEb-00079s-2P-D"));
    assert_false(queue_move(&c->engine, id, STR_LIT("../x")));
}

static void
test_frozen(void **state)
{
    (void)state;
    struct spool_entry e = engine_case_message(c, "1xVNEb-00079s-2P", "a@b.example");
    maillog_message(&c->engine, &e, STR_LIT("happened"));
    assert_true(queue_move_frozen(&c->engine, &e));
    spool_close(&e);
    assert_true(has("Finput/1xVNEb-00079s-2P-H") && has("Finput/1xVNEb-00079s-2P-D"));
    assert_true(has("Fmsglog/1xVNEb-00079s-2P"));
    assert_false(has("input/1xVNEb-00079s-2P-H") || has("msglog/1xVNEb-00079s-2P"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_to_a_named_queue_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frozen, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
