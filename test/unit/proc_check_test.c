/* Every string that is expanded at its use is checked with the file, and a fault has its place. */
#include "proc/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "proc/wire.h"

/* The line of each warning and a part of its text, in order of the table. */
struct fault {
    unsigned line;
    const char *text;
};

static void
check(const char *text, const struct fault *want, size_t n)
{
    struct loaded l = load_text(text);
    assert_non_null(l.conf);
    struct wiring w = wire_command_line(l.arena, l.conf);
    struct diags *found = diags_new(l.arena, 0);
    check_strings(l.conf, w.vm, found);
    assert_int_equal(diags_total(found), n);
    for (size_t i = 0; i < n; i++) {
        const struct diag *d = diags_at(found, i);
        assert_int_equal(d->level, DIAG_WARNING);
        assert_int_equal(d->at.line, want[i].line);
        if (str_find(d->text, str_from_cstr(want[i].text), 0) == STR_NPOS)
            fail_msg("%.*s", STR_ARG(d->text));
    }
    load_free(&l);
}

static void
test_everywhere(void **state)
{
    (void)state;
    check("qualify_domain = example.org\n"
          "smtp_banner = ${nosuch:x}\n"
          "domainlist d = ${uc:a\n"
          "acl_smtp_rcpt = r\n"
          "begin acl\n"
          "r:\n"
          " accept condition = ${if eq{a}}\n"
          "begin routers\n"
          "a:\n"
          " driver = accept\n"
          " condition = ${if nosuch{a}}\n"
          " transport = t\n"
          "begin transports\n"
          "t:\n"
          " driver = pipe\n"
          " command = /bin/true $nosuch\n",
          (const struct fault[]){{2, "unknown expansion operator \"nosuch\""},
                                 {3, "missing } at end of string"},
                                 {7, "missing"},
                                 {11, "unknown condition \"nosuch\""},
                                 {16, "unknown variable name \"nosuch\""}},
          5);
}

static void
test_nothing(void **state)
{
    (void)state;
    check("smtp_banner = $primary_hostname ${uc:a}\n", NULL, 0);
    check("", NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everywhere),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
