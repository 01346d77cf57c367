/* Public suffixes, by the plugin itself: rules of the three kinds, what is a suffix, files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/plugin.h"
#include "sys/suffix_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct plugin remex_plugin;

static const char list[] = "// rules\nexample\nco.example\n*.wild.example\n!own.wild.example\n";

static const struct suffix_plugin *
plugin(void)
{
    assert_int_equal(remex_plugin.abi, PLUGIN_ABI);
    assert_int_equal(remex_plugin.n, 1);
    return remex_plugin.objects[0];
}

static void
test_rules(void **state)
{
    static const struct {
        const char *domain, *registered; /* NULL: it is a suffix */
    } rows[] = {
        {"example", NULL},
        {"a.example", "a.example"},
        {"x.y.a.example", "a.example"},
        {"co.example", NULL},
        {"x.a.co.example", "a.co.example"},
        {"a.wild.example", NULL},
        {"x.y.a.wild.example", "y.a.wild.example"},
        {"x.own.wild.example", "own.wild.example"},
        {"unknown", NULL}, /* the rule for what no rule is about: * */
        {"x.a.unknown", "a.unknown"},
        {"", NULL},
    };
    char path[] = "/tmp/remex-suffixes-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, list, sizeof list - 1), sizeof list - 1);
    close(fd);
    struct suffix_list *l = plugin()->load(path);
    assert_non_null(l);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = plugin()->registered(l, rows[i].domain);
        if (rows[i].registered == NULL)
            assert_null(got);
        else
            assert_string_equal(got, rows[i].registered);
    }
    plugin()->unload(l);
    unlink(path);
}

static void
test_no_file(void **state)
{
    (void)state;
    assert_null(plugin()->load("/nothing/here"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_no_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
