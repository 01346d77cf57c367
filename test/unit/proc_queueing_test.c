/* When a message is delivered: the load of the machine, now and at an earlier message of the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/queueing.h"

#include "conf/main_options.h"
#include "conf/model.h"
#include "proc/cli.h"

#include <string.h>

struct fixture {
    struct conf_main main;
    struct conf conf;
    struct cli cli;
    struct mode mode;
    struct session session;
    struct eval eval;
    struct engine engine;
};

enum { NO_LOAD_IS_SO_HIGH = 1000000000 };

static void
set_up(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->main.queue_only_load = NO_LOAD_IS_SO_HIGH;
    f->main.queue_only_load_latch = true;
    f->main.queue_only_override = true;
    f->main.queue_only_file.text = STR_EMPTY;
    f->conf.main = &f->main;
    f->mode.conf = &f->conf;
    f->mode.cli = &f->cli;
    f->eval.session = &f->session;
    f->engine.eval = &f->eval;
}

static enum reception_delivery
choose(struct fixture *f)
{
    return queueing_choose(&f->mode, &f->engine);
}

static void
test_load(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    assert_int_equal(choose(&f), RECEPTION_BACKGROUND);
    assert_false(f.session.was_loaded);
    f.main.queue_only_load = -1; /* unset */
    f.session.was_loaded = true;
    assert_int_equal(choose(&f), RECEPTION_BACKGROUND);
}

static void
test_latch(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    f.session.was_loaded = true;
    assert_int_equal(choose(&f), RECEPTION_QUEUE);
    f.main.queue_only_load_latch = false;
    assert_int_equal(choose(&f), RECEPTION_BACKGROUND);
    f.eval.session = NULL;
    assert_int_equal(choose(&f), RECEPTION_BACKGROUND);
}

static void
test_queue_only(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    f.main.queue_only = true;
    assert_int_equal(choose(&f), RECEPTION_QUEUE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_latch),
        cmocka_unit_test(test_queue_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
