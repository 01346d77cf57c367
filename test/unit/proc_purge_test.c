/* What a kind of process may know of the configuration: which lines go, that the others stay where they are, macros that lose their use. */
#include "proc/purge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acl/acl.h"
#include "auths/auth.h"
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "routers/router.h"
#include "transports/transport.h"

static const char text[] = "# a comment with a password\n"
                           "PASS = word\n"
                           "LONG = one \\\n"
                           "  two\n"
                           "USED = kept\n"
                           ".ifdef PASS\n"
                           "primary_hostname = USED.example\n"
                           ".endif\n"
                           "hide smtp_banner = LONG\n"
                           "keep_environment =\n"
                           "begin transports\n"
                           "t:\n"
                           "  driver = smtp\n"
                           "  dkim_domain = signed.example\n"
                           "  dkim_private_key = /keys/signing\n"
                           "  tls_certificate = /own/client.crt\n"
                           "  tls_privatekey = /own/client.key\n"
                           "begin authenticators\n"
                           "a:\n"
                           "  driver = plaintext\n"
                           "  public_name = PLAIN\n"
                           "  server_prompts = : \\\n"
                           "    :\n"
                           "  server_condition = ${if eq{$auth2}{PASS}}\n"
                           "  client_send = ^x^y\n";

struct fixture {
    struct arena *arena;
    const struct conf *conf;
};

static int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    struct source source = {.name = STR_LIT("/test/conf"), .text = STR_LIT(text)};
    const struct conf_request rq = {.source = ARENA_NEW(a, struct source),
                                    .max_files = 1,
                                    .routers = &router_class,
                                    .transports = &transport_class,
                                    .auths = &auth_class,
                                    .acl = &acl_section,
                                    .main_opts = &conf_main_opts};
    *rq.source = source;
    f->conf = conf_read(a, &rq, diags_new(a, 5));
    assert_non_null(f->conf);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    return 0;
}

static struct str
purged(struct fixture *f, enum ipc_kind kind)
{
    return purge_text(purge_new(f->arena, f->conf, kind), 0);
}

static bool
has(struct str s, const char *part)
{
    return str_find(s, str_from_cstr(part), 0) != STR_NPOS;
}

static size_t
lines(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void
test_each_kind(void **state)
{
    struct fixture *f = *state;
    struct str smtp = purged(f, IPC_KIND_SMTP), queue = purged(f, IPC_KIND_QUEUE),
               deliver = purged(f, IPC_KIND_DELIVER), agent = purged(f, IPC_KIND_AGENT);
    assert_true(has(smtp, "PASS = word") && has(smtp, "server_condition") && has(smtp, "two"));
    assert_false(has(smtp, "client_send") || has(smtp, "comment"));
    assert_true(has(deliver, "client_send") && has(deliver, "smtp_banner = LONG"));
    assert_false(has(deliver, "server_") || has(deliver, "word"));
    assert_true(has(agent, "smtp_banner = LONG") && has(agent, "one"));
    assert_false(has(agent, "client_send") || has(agent, "server_") || has(agent, "word"));
    assert_false(has(queue, "smtp_banner") || has(queue, "one") || has(queue, "two") ||
                 has(queue, "client_send") || has(queue, "word"));
    assert_true(has(deliver, "/keys/signing") && has(smtp, "signed.example"));
    assert_false(has(smtp, "/keys") || has(queue, "/keys") || has(agent, "/keys"));
    assert_true(has(deliver, "/own/client.key") && has(deliver, "/own/client.crt"));
    assert_false(has(smtp, "/own") || has(queue, "/own") || has(agent, "/own"));
    assert_true(has(queue, "\nPASS =\n") && has(queue, "USED.example"));
}

static void
test_lines_stay(void **state)
{
    struct fixture *f = *state;
    const struct str whole = f->conf->sources.v[0]->text;
    const enum ipc_kind kinds[] = {IPC_KIND_SMTP, IPC_KIND_QUEUE, IPC_KIND_DELIVER,
                                   IPC_KIND_AGENT};
    for (size_t i = 0; i < 4; i++) {
        struct str s = purged(f, kinds[i]);
        assert_int_equal(lines(s), lines(whole));
        assert_int_equal(
            lines(str_sub(s, 0, str_find(s, STR_LIT("primary_hostname"), 0))),
            lines(str_sub(whole, 0, str_find(whole, STR_LIT("primary_hostname"), 0))));
    }
}

static void
test_arguments(void **state)
{
    struct fixture *f = *state;
    struct purge *queue = purge_new(f->arena, f->conf, IPC_KIND_QUEUE);
    struct purge *smtp = purge_new(f->arena, f->conf, IPC_KIND_SMTP);
    assert_true(str_eqz(purge_argument(queue, STR_LIT("-DPASS=word")), "-DPASS="));
    assert_true(str_eqz(purge_argument(smtp, STR_LIT("-DPASS=word")), "-DPASS=word"));
    assert_true(str_eqz(purge_argument(queue, STR_LIT("-DUSED=kept")), "-DUSED=kept"));
    assert_true(str_eqz(purge_argument(queue, STR_LIT("-bd")), "-bd"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
