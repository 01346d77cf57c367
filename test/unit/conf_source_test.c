/* Unit tests of conf/source.c: files that may be read, and those that may not. */
#include "conf_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct str
make_file(struct reading *r, const char *text, mode_t mode)
{
    char name[] = "/tmp/conf_source_XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return str_dup(r->arena, str_from_cstr(name));
}

static void
test_read(void **state)
{
    struct reading *r = *state;
    struct str name = make_file(r, "abc\n", 0644);
    struct source *s;
    assert_int_equal(source_read(r->arena, name, 100, NULL, &s), SOURCE_OK);
    assert_true(str_eqz(s->text, "abc\n"));
    assert_false(str_is_tainted(s->text));
    assert_true(str_eq(s->name, name));
    assert_int_equal(source_read(r->arena, name, 4, NULL, &s), SOURCE_OK);
    assert_int_equal(source_read(r->arena, name, 3, NULL, &s), SOURCE_TOO_BIG);
    unlink(name.p);
    assert_int_equal(source_read(r->arena, name, 100, NULL, &s), SOURCE_NONE);
}

static void
test_not_a_file(void **state)
{
    struct reading *r = *state;
    struct source *s;
    assert_int_equal(source_read(r->arena, STR_LIT("/tmp"), 100, NULL, &s), SOURCE_DIRECTORY);
    assert_int_equal(source_read(r->arena, STR_LIT("/dev/zero"), 100, NULL, &s),
                     SOURCE_TOO_BIG);
    assert_int_equal(source_read(r->arena, str_from("/t\0mp", 5), 100, NULL, &s), SOURCE_NONE);
}

static void
test_owner(void **state)
{
    struct reading *r = *state;
    struct source *s;
    struct source_owner mine = {.check = true, .has_uid = true, .uid = (int64_t)getuid()};
    struct str good = make_file(r, "a", 0644);
    struct str open_to_all = make_file(r, "a", 0646);
    struct str group = make_file(r, "a", 0664);
    assert_int_equal(source_read(r->arena, good, 9, &mine, &s), SOURCE_OK);
    assert_int_equal(source_read(r->arena, open_to_all, 9, &mine, &s), SOURCE_OWNER);
    struct source_owner with_group = mine;
    with_group.has_gid = true;
    with_group.gid = (int64_t)getgid();
    assert_int_equal(source_read(r->arena, group, 9, &with_group, &s), SOURCE_OK);
    if (getgid() != 0)
        assert_int_equal(source_read(r->arena, group, 9, &mine, &s), SOURCE_OWNER);
    if (getuid() != 0) {
        mine.uid = -1;
        assert_int_equal(source_read(r->arena, good, 9, &mine, &s), SOURCE_OWNER);
    }
    unlink(good.p);
    unlink(open_to_all.p);
    unlink(group.p);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_read),
        CASE(test_not_a_file),
        CASE(test_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
