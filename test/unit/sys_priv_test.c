/* Identity: the caller, looking users up, giving power up for good (in a child). */
#include "sys/priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

static void
test_caller(void **state)
{
    (void)state;
    struct priv_caller c;
    priv_caller_get(&c);
    assert_int_equal(c.uid, getuid());
    assert_int_equal(c.euid, geteuid());
    assert_true(priv_caller_in_group(&c, getgid()));
    c.groups_n = 1;
    c.groups[0] = 4711;
    assert_true(priv_caller_in_group(&c, 4711));
    assert_false(priv_caller_in_group(&c, 4712));
}

static void
test_names(void **state)
{
    (void)state;
    uid_t uid = 1;
    gid_t gid = 1;
    assert_true(priv_user_find("root", &uid, &gid));
    assert_int_equal(uid, 0);
    assert_int_equal(gid, 0);
    assert_true(priv_user_find("4711", &uid, NULL));
    assert_int_equal(uid, 4711);
    assert_false(priv_user_find("no-such-user", &uid, NULL));
    assert_false(priv_user_find("47x", &uid, NULL));
    assert_false(priv_user_find("4294967295", &uid, NULL));
    assert_true(priv_group_find("root", &gid));
    assert_false(priv_group_find("no-such-group", &gid));
}

static void
test_become(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = priv_become(4711, 4712) && getuid() == 4711 && getegid() == 4712 &&
                  getgroups(0, NULL) == 1 && setuid(0) != 0;
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void
test_drop(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = setresuid(4711, 0, 0) == 0 && priv_drop_to_real() && geteuid() == 4711 &&
                  seteuid(0) != 0;
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caller),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_become),
        cmocka_unit_test(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
