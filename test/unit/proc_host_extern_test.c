/* Unit tests of proc/host_extern.c: the plugins of the build, and functions of this program as those of a
 * shared object. Texts of errors are those that Exim gives. */
#include "auths/auth.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "lookups/lookup.h"
#include "proc/authresults.h"
#include "proc/host_extern.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct host host;
    struct eval eval;
    struct conf conf;
    struct conf_main main;
    struct session session;
    struct message message;
    struct vm *vm;
    struct buf log;
};

static enum vm_status
get_stranger(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)vm;
    (void)rest;
    *out = str_tainted(STR_LIT("/tmp/evil.so"));
    return VM_OK;
}

static const struct var vars[] = {{STR_INIT("stranger"), get_stranger, 0, NULL, ""}};

static void
take_log(void *env, bool panic, struct str text)
{
    struct eval *e = env;
    struct fixture *f = (struct fixture *)(void *)((char *)e - offsetof(struct fixture, eval));
    assert_false(panic);
    buf_adds(&f->log, text);
    buf_addc(&f->log, '\n');
}

/* "plugins" of the build folder, two folders above the test. */
static struct str
plugin_folder(struct arena *a)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    assert_true(n > 0 && n < (ssize_t)sizeof self);
    struct str path = str_from(self, (size_t)n);
    for (int i = 0; i < 3; i++)
        path = str_sub(path, 0, str_rchr(path, '/'));
    return str_printf(a, "%.*s/plugins", STR_ARG(path));
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    f->log = buf_in(f->arena, 0);
    f->host = (struct host){
        .vars = vars,
        .vars_n = 1,
        .perl = host_extern_perl,
        .dlfunc = host_extern_dlfunc,
        .authenticate = host_extern_authenticate,
        .authresults = authresults_host,
        .log = take_log,
    };
    f->conf.main = &f->main;
    f->eval.conf = &f->conf;
    f->eval.arena = f->arena;
    f->eval.process.plugin_directory = plugin_folder(f->arena);
    f->vm = vm_new(&f->host, &f->eval);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    vm_free(f->vm);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* The value; "F" and the text of a forced failure; "!" and the error. */
static void
check(struct fixture *f, const char *text, const char *expected)
{
    struct str out = STR_EMPTY;
    enum vm_status st = vm_expand(f->vm, str_from_cstr(text), &out);
    const char *mark = st == VM_OK ? "" : st == VM_FORCED ? "F" : "!";
    out = st == VM_OK ? out : vm_error(f->vm);
    const char *got = str_printf(f->arena, "%s%.*s", mark, STR_ARG(out)).p;
    if (strcmp(got, expected) != 0)
        fail_msg("%s\n  gave     %s\n  expected %s", text, got, expected);
}

static void
check_log(struct fixture *f, const char *expected)
{
    struct str log = buf_str(&f->log);
    assert_string_equal(log.p != NULL ? log.p : "", expected);
    f->log = buf_in(f->arena, 0);
}

/* --- Perl --- */

static void
perl_needs_startup(void **state)
{
    struct fixture *f = *state;
    check(f, "${perl{f}}",
          "!A setting of perl_startup is needed when using the Perl interpreter");
    host_extern_start_perl(&f->eval, f->vm);
}

static void
perl_calls(void **state)
{
    struct fixture *f = *state;
    f->main.perl_startup =
        STR_LIT("Exim::log_write('started'); my $n = 0; sub f { return join(',', @_, ++$n) }\n"
                "sub u { undef } sub x { Exim::expand_string('${perl{f}{inner}}') }");
    host_extern_start_perl(&f->eval, f->vm);
    check_log(f, "started\n");
    check(f, "${perl{f}{a}{b}}", "a,b,1");
    check(f, "${perl{x}}", "inner,2");
    check(f, "${perl{u}}", "FPerl subroutine \"u\" returned undef to force failure");
    check(f, "${perl{f}}", "3");
    check_log(f, "");
}

static void
perl_results_are_clean(void **state)
{
    struct fixture *f = *state;
    struct str argv[] = {STR_INIT("same"), {"x", 1, STR_TAINTED}}, out = STR_NULL;
    f->main.perl_startup = STR_LIT("sub same { $_[0] }");
    assert_int_equal(host_extern_perl(&f->eval, f->vm, argv, 2, &out), VM_OK);
    assert_true(str_eqz(out, "x"));
    assert_false(str_is_tainted(out));
}

static void
perl_plugin_missing(void **state)
{
    struct fixture *f = *state;
    f->main.perl_startup = STR_LIT("1");
    f->eval.process.plugin_directory = STR_LIT("/nonexistent");
    check(f, "${perl{f}}",
          "!\"perl\" is not available: cannot open plugin /nonexistent/perl.so: No such file "
          "or directory");
}

/* --- functions of shared objects: of this program, whose name is empty --- */

#define VISIBLE __attribute__((visibility("default")))

typedef int function(unsigned char **yield, int argc, unsigned char *argv[]);
VISIBLE function ext_join, ext_fail, ext_forced, ext_error, ext_mute, ext_bare;

int
ext_join(unsigned char **yield, int argc, unsigned char *argv[])
{
    static char text[100];
    text[0] = '\0';
    for (int i = 0; i < argc; i++) {
        strncat(text, (const char *)argv[i], sizeof text - strlen(text) - 1);
        strncat(text, "|", sizeof text - strlen(text) - 1);
    }
    assert_null(argv[argc]);
    *yield = (unsigned char *)text;
    return 0;
}

static int
with_text(unsigned char **yield, int rc)
{
    static unsigned char text[] = "why";
    *yield = text;
    return rc;
}

int
ext_fail(unsigned char **yield, int argc, unsigned char *argv[])
{
    (void)argc;
    (void)argv;
    return with_text(yield, 2);
}

int
ext_forced(unsigned char **yield, int argc, unsigned char *argv[])
{
    (void)argc;
    (void)argv;
    return with_text(yield, 4);
}

int
ext_error(unsigned char **yield, int argc, unsigned char *argv[])
{
    (void)argc;
    (void)argv;
    return with_text(yield, 3);
}

int
ext_mute(unsigned char **yield, int argc, unsigned char *argv[])
{
    (void)yield;
    (void)argc;
    (void)argv;
    return 1;
}

int
ext_bare(unsigned char **yield, int argc, unsigned char *argv[])
{
    (void)yield;
    (void)argc;
    (void)argv;
    return 0;
}

static void
dlfunc_results(void **state)
{
    struct fixture *f = *state;
    check(f, "${dlfunc{}{ext_join}{a}{b c}{}}", "a|b c||");
    check(f, "${dlfunc{}{ext_join}}", "");
    check(f, "${dlfunc{}{ext_bare}}", "");
    check(f, "${dlfunc{}{ext_fail}}", "!why");
    check(f, "${dlfunc{}{ext_forced}}", "Fwhy");
    check_log(f, "");
    check(f, "${dlfunc{}{ext_error}}", "!why");
    check_log(f, "dlfunc{}{ext_error} failed (3): why\n");
    check(f, "${dlfunc{}{ext_mute}}", "!(no message)");
    check_log(f, "dlfunc{}{ext_mute} failed (1): (no message)\n");
}

static void
dlfunc_refusals(void **state)
{
    struct fixture *f = *state;
    check(f, "${dlfunc{/nonexist.so}{f}}",
          "!dlopen \"/nonexist.so\" failed: /nonexist.so: cannot open shared object file: No "
          "such file "
          "or directory");
    check_log(
        f,
        "dlopen \"/nonexist.so\" failed: /nonexist.so: cannot open shared object file: No such "
        "file or directory\n");
    check(f, "${dlfunc{libc.so.6}{no_such_function}}",
          "!dlsym \"no_such_function\" in \"libc.so.6\" failed: "
          "/lib/x86_64-linux-gnu/libc.so.6: undefined "
          "symbol: no_such_function");
    f->log = buf_in(f->arena, 0);
    check(f, "${dlfunc{$stranger}{f}}", "!Tainted filename '/tmp/evil.so'");
    check_log(f, "Tainted filename '/tmp/evil.so'\n");
}

/* --- passwords --- */

static void
password_checkers(void **state)
{
    struct fixture *f = *state;
    check(f, "${if radius{a:b}{y}{n}}", "!support for \"radius\" not compiled");
    check(f, "${if pam{}{y}{n}}", "n");
    check(f, "${if pam{ : x}{y}{n}}", "n");
    check(f, "${if pam{remex-nobody-at-all:x}{y}{n}}", "n");
    if (access("/var/run/saslauthd/mux", F_OK) != 0)
        check(f, "${if saslauthd{{u}{p}}{y}{n}}",
              "!cannot connect to saslauthd daemon at /var/run/saslauthd/mux: No such file or "
              "directory");
}

/* --- Authentication-Results --- */

static void
results_of_nothing(void **state)
{
    struct fixture *f = *state;
    check(f, "${authresults{1}}", "Authentication-Results: 1");
    check(f, "${authresults{}}", "Authentication-Results: ");
    f->eval.session = &f->session;
    f->session.sender_host_address = STR_LIT("1.2.3.4");
    check(f, "${authresults{a b}}", "Authentication-Results: a b");
}

static void
results_of_iprev(void **state)
{
    struct fixture *f = *state;
    f->eval.session = &f->session;
    f->session.sender_host_name = STR_LIT("foo.bar");
    check(f, "${authresults{me}}", "Authentication-Results: me;\n\tiprev=pass (foo.bar)");
    f->session.sender_host_address = STR_LIT("1.2.3.4");
    check(f, "${authresults{me}}",
          "Authentication-Results: me;\n\tiprev=pass (foo.bar) smtp.remote-ip=1.2.3.4");
    f->session.sender_host_name = STR_NULL;
    f->session.host_lookup_failed = true;
    check(f, "${authresults{me}}",
          "Authentication-Results: me;\n\tiprev=fail smtp.remote-ip=1.2.3.4");
    f->session.host_lookup_deferred = true;
    check(f, "${authresults{me}}",
          "Authentication-Results: me;\n\tiprev=temperror smtp.remote-ip=1.2.3.4");
}

static void
add_authenticator(struct fixture *f, struct driver_instance *d, struct auth_generic *g,
                  const char *name, const char *public_name, const struct driver *driver)
{
    g->public_name = str_from_cstr(public_name);
    *d = (struct driver_instance){.name = str_from_cstr(name), .driver = driver};
    d->generic.fields = g;
    vec_push(f->arena, &f->conf.auths, d);
}

static void
results_of_auth(void **state)
{
    struct fixture *f = *state;
    struct driver_instance d[2];
    struct auth_generic g[2] = {0};
    add_authenticator(f, &d[0], &g[0], "p", "PLAIN", &auth_plaintext.base);
    add_authenticator(f, &d[1], &g[1], "tls", NULL, &auth_tls.base);
    f->eval.session = &f->session;
    f->eval.message = &f->message;
    f->session.sender_host_authenticated = STR_LIT("p");
    check(f, "${authresults{me}}", "Authentication-Results: me;\n\tauth=pass (PLAIN)");
    f->session.authenticated_id = STR_LIT("user");
    f->message.authenticated_sender = STR_LIT("q@r");
    check(f, "${authresults{me}}",
          "Authentication-Results: me;\n\tauth=pass (PLAIN) smtp.auth=user smtp.mailfrom=q@r");
    f->message.authenticated_sender = STR_NULL;
    f->session.sender_host_authenticated = STR_LIT("tls");
    check(f, "${authresults{me}}",
          "Authentication-Results: me;\n\tauth=pass (tls) x509.auth=user");
}

/* What the text names is there afterwards, though nothing can be loaded any more. */
static void
preloading(void **state)
{
    struct fixture *f = *state;
    struct source named = {.text = STR_LIT("x = ${lookup{a}partial-json*{/dev/null}}\n"
                                           "# certextract, myldap\n")};
    const struct source *source = &named;
    struct str why, out;
    struct lookup_type t;
    vec_push(f->arena, &f->conf.sources, source);
    host_extern_preload(&f->eval, f->vm);
    f->eval.process.plugin_directory = STR_LIT("/nonexistent");
    assert_non_null(host_extern_plugin(&f->eval, f->vm, "tls", &why));
    assert_null(host_extern_plugin(&f->eval, f->vm, "pam", &why));
    assert_int_equal(lookup_type_parse(f->vm, STR_LIT("json"), &t), VM_OK);
    lookup_find(&f->eval, f->vm, &t, STR_LIT("/nonexistent"), STR_LIT("a"), &out);
    assert_false(str_starts(vm_error(f->vm), "lookup type"));
    assert_int_equal(lookup_type_parse(f->vm, STR_LIT("ldap"), &t), VM_OK);
    lookup_find(&f->eval, f->vm, &t, STR_EMPTY, STR_LIT("a"), &out);
    assert_true(str_starts(vm_error(f->vm), "lookup type \"ldap\" is not available"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(perl_needs_startup, setup, teardown),
        cmocka_unit_test_setup_teardown(perl_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(perl_results_are_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(perl_plugin_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(dlfunc_results, setup, teardown),
        cmocka_unit_test_setup_teardown(dlfunc_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(password_checkers, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_iprev, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_auth, setup, teardown),
        cmocka_unit_test_setup_teardown(preloading, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
