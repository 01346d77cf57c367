/* check_spool_space and its kind, at values that no machine has and that every machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "engine/spool_space.h"

static bool
enough(const char *options, int64_t size, const char **log)
{
    struct engine_case *c = engine_case_new(options);
    bool ok = spool_space_is_enough(&c->engine, size);
    static char line[200];
    (void)snprintf(line, sizeof line, "%s", engine_case_read(c, "mainlog"));
    *log = line;
    engine_case_free(c);
    return ok;
}

static void
test_space(void **state)
{
    (void)state;
    const char *log;
    assert_true(enough("", -1, &log));
    assert_true(enough("check_spool_space = 1\ncheck_log_space = 1\n", 1024, &log));
    assert_string_equal(log, "");
    assert_false(enough("check_spool_space = 1000000000G\n", -1, &log));
    assert_non_null(strstr(log, " spool directory space check failed: space="));
    assert_false(enough("check_log_space = 1000000000G\n", -1, &log));
    assert_non_null(strstr(log, " log directory space check failed: space="));
    assert_false(enough("", INT64_MAX, &log)); /* the message says how large it is */
    assert_false(enough("check_spool_inodes = 2000000000\n", -1, &log));
    assert_non_null(strstr(log, " inodes="));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_space)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
