/* The configuration on its way to other processes: round trip, the seal, what is no bundle. */
#include "proc/bundle.h"

#include "base/arena.h"
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

static int
write_one(struct arena *a)
{
    static const struct source files[] = {
        {.name = STR_INIT("/etc/main"), .text = STR_INIT("one = 1\n")},
        {.name = STR_INIT("/etc/empty"), .text = STR_INIT("")},
    };
    char *argv[] = {(char[]){"remex"}, (char[]){"-bd"}, NULL};
    struct conf c = {.arena = a};
    vec_push(a, &c.sources, &files[0]);
    vec_push(a, &c.sources, &files[1]);
    return bundle_write(2, argv, &c, IPC_KIND_SMTP);
}

static void
test_round_trip(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct bundle b;
    int fd = write_one(a);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 1), -1);
    assert_true(bundle_read(a, fd, &b));
    assert_int_equal(b.args.n, 2);
    assert_true(str_eqz(b.args.v[1], "-bd"));
    assert_int_equal(b.set.n, 2);
    assert_true(str_eqz(b.set.v[0].name, "/etc/main"));
    assert_true(str_eqz(b.set.v[0].text, "one = 1\n"));
    assert_int_equal(b.set.v[1].text.n, 0);
    close(fd);
    arena_free(a);
}

static void
test_broken(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct bundle b;
    static const char good[] = "remex bundle 1\na\1\0\0\0xn\1\0\0\0yt\0\0\0\0";
    struct str whole = str_from(good, sizeof good - 1);
    assert_true(bundle_parse(a, whole, &b));
    for (size_t n = 0; n < whole.n; n++)
        assert_false(bundle_parse(a, str_sub(whole, 0, n), &b));
    static const char wrong[] = "remex bundle 1\nz\1\0\0\0x";
    assert_false(bundle_parse(a, str_from(wrong, sizeof wrong - 1), &b));
    static const char twice[] = "remex bundle 1\na\1\0\0\0xn\1\0\0\0yt\0\0\0\0t\0\0\0\0";
    assert_false(bundle_parse(a, str_from(twice, sizeof twice - 1), &b));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
