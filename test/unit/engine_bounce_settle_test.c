/* What is done with the bounces that a journal speaks of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "engine/bounce_settle.h"
#include "engine/spool_held.h"

static struct engine_case *c;
static const char bounce[] = "1xVNEc-00079s-2P";

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

static void
hold(void)
{
    struct spool_entry e = engine_case_message(c, bounce, "s@host.example");
    assert_int_equal(
        renameat(e.dir, spool_file_name(&e.id, 'H').text, e.dir, spool_held_name(&e.id).text),
        0);
    spool_close(&e);
}

static bool
has(const char *name)
{
    char *path = str_cstr(c->loaded.arena,
                          str_printf(c->loaded.arena, "%s/spool/input/%s", c->root, name));
    return access(path, F_OK) == 0;
}

static struct spool_journal_found
found_one(bool whole)
{
    struct spool_journal_found found = {.any = true};
    struct message_id id;
    assert_true(message_id_parse(str_from_cstr(bounce), &id));
    if (whole)
        vec_push(c->loaded.arena, &found.bounces, id);
    else
        vec_push(c->loaded.arena, &found.torn, id);
    return found;
}

static void
test_held_is_shown_once(void **state)
{
    (void)state;
    struct spool_fault f;
    struct spool_journal_found found = found_one(true);
    hold();
    assert_int_equal(bounce_settle(&c->engine, STR_LIT("1xVNEb-00079s-2P"), &found, &f),
                     SPOOL_OK);
    assert_true(has("1xVNEc-00079s-2P-H") && !has("hold.1xVNEc-00079s-2P"));
    assert_string_equal(engine_case_read(c, "mainlog") + 20,
                        "1xVNEc-00079s-2P <= <> R=1xVNEb-00079s-2P U=me P=local S=17\n");
    /* Once more: nothing happens, nothing is logged. */
    assert_int_equal(bounce_settle(&c->engine, STR_LIT("1xVNEb-00079s-2P"), &found, &f),
                     SPOOL_OK);
    assert_int_equal(strlen(engine_case_read(c, "mainlog")), 20 + 60);
}

static void
test_gone_is_left_alone(void **state)
{
    (void)state;
    struct spool_fault f;
    struct spool_journal_found found = found_one(true);
    assert_int_equal(bounce_settle(&c->engine, STR_LIT("1xVNEb-00079s-2P"), &found, &f),
                     SPOOL_OK);
    assert_string_equal(engine_case_read(c, "mainlog"), "");
}

static void
test_torn_is_dropped(void **state)
{
    (void)state;
    struct spool_fault f;
    struct spool_journal_found found = found_one(false);
    hold();
    assert_int_equal(bounce_settle(&c->engine, STR_LIT("1xVNEb-00079s-2P"), &found, &f),
                     SPOOL_OK);
    assert_false(has("hold.1xVNEc-00079s-2P") || has("1xVNEc-00079s-2P-H") ||
                 has("1xVNEc-00079s-2P-D"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_held_is_shown_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_is_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
