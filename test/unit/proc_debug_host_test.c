/* -d of lists and lookups: what is told, only when it is selected, and answers that stay the same. */
#include "proc/debug_host.h"

#include "base/arena.h"
#include "conf/debug.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the expansion of a text writes to the standard error. */
static const char *
told(struct arena *a, uint64_t topics, const char *text, const char *want)
{
    struct wiring w = wire_command_line_debug(a, NULL, topics);
    FILE *f = tmpfile();
    assert_non_null(f);
    int saved = dup(2);
    assert_true(saved >= 0);
    (void)fflush(stderr);
    assert_int_equal(dup2(fileno(f), 2), 2);
    struct str value;
    enum vm_status st = vm_expand(w.vm, str_from_cstr(text), &value);
    (void)fflush(stderr);
    assert_int_equal(dup2(saved, 2), 2);
    close(saved);
    assert_int_equal(st, VM_OK);
    assert_true(str_eqz(value, want));
    char *got = arena_alloc(a, 1000);
    rewind(f);
    got[fread(got, 1, 999, f)] = '\0';
    (void)fclose(f);
    return got;
}

static void
test_lists(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const char *text = "${if match_domain{q.example}{a:*.example}{y}{n}}";
    assert_string_equal(told(a, DEBUG_BIT(DEBUG_LISTS), text, "y"),
                        "lists: \"q.example\" in domain list \"a:*.example\": yes\n");
    assert_string_equal(told(a, DEBUG_BIT(DEBUG_LOOKUP), text, "y"), "");
    assert_string_equal(
        told(a, DEBUG_BIT(DEBUG_LISTS), "${if match_ip{1.2.3.4}{::1}{y}{n}}", "n"),
        "lists: \"1.2.3.4\" in host list \"::1\": no\n");
    arena_free(a);
}

static void
test_lookups(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char path[] = "/tmp/remex-debug-XXXXXX", ask[100], want[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "k: v\n", 5), 5);
    close(fd);
    snprintf(ask, sizeof ask, "${lookup{k}lsearch{%s}}", path);
    snprintf(want, sizeof want, "lookup: \"k\" lsearch \"%s\": found \"v\"\n", path);
    assert_string_equal(told(a, debug_default(), ask, "v"), want);
    snprintf(ask, sizeof ask, "${lookup{z}lsearch{%s}{y}{n}}", path);
    snprintf(want, sizeof want, "lookup: \"z\" lsearch \"%s\": not found\n", path);
    assert_string_equal(told(a, debug_default(), ask, "n"), want);
    unlink(path);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_lookups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
