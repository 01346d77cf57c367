/* -bP in all its forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"
#include "proc/show.h"

enum { ARGS_MAX = 8 };

static const char text[] = "primary_hostname = h.example\n"
                           "hide mysql_servers = a/b/c/d\n"
                           "queue_only\n"
                           "MAC = hello\n"
                           "domainlist local = a : b\n"
                           "hostlist local = 10.0.0.1\n"
                           "hide addresslist secret = x@y\n"
                           "begin routers\n"
                           "one:\n"
                           "  driver = accept\n"
                           "  transport = t\n"
                           "  hide debug_print = z\n"
                           "two:\n"
                           "  driver = redirect\n"
                           "  data = MAC\n"
                           "begin transports\n"
                           "t:\n"
                           "  driver = pipe\n"
                           "  command = /x\n"
                           "begin authenticators\n"
                           "a:\n"
                           "  driver = plaintext\n"
                           "  public_name = PLAIN\n";

static const char *const environment[] = {"ZED=1", "PATH=/bin", "PATHS=x", NULL};

enum who { ADMIN, NOBODY };
enum form { FULL, TERSE };

/* Runs one -bP; words are separated by spaces. */
static const char *
show(struct loaded *l, const char *words, enum who who, enum form form,
     enum show_result *result)
{
    struct str args[ARGS_MAX];
    size_t n = 0;
    struct str line = str_from_cstr(words);
    for (size_t at = 0; at < line.n && n < ARGS_MAX; n++) {
        size_t end = str_chr(line, ' ', at);
        end = end == STR_NPOS ? line.n : end;
        args[n] = str_sub(line, at, end - at);
        at = end + 1;
    }
    struct show_request rq = {.conf = l->conf,
                              .args = args,
                              .n = n,
                              .admin = who == ADMIN,
                              .values_only = form == TERSE,
                              .environment = environment};
    struct buf out = buf_in(l->arena, 0);
    *result = show_print(&out, &rq);
    return str_cstr(l->arena, buf_str(&out));
}

static void
test_short_answers(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        enum who who;
        enum form form;
        enum show_result result;
        const char *answer;
    } cases[] = {
        {"queue_only", ADMIN, FULL, SHOW_OK, "queue_only\n"},
        {"queue_only", ADMIN, TERSE, SHOW_OK, "queue_only\n"},
        {"primary_hostname qualify_domain", ADMIN, FULL, SHOW_OK,
         "primary_hostname = h.example\nqualify_domain = h.example\n"},
        {"primary_hostname", ADMIN, TERSE, SHOW_OK, "h.example\n"},
        {"mysql_servers", ADMIN, FULL, SHOW_OK, "mysql_servers = a/b/c/d\n"},
        {"mysql_servers", NOBODY, FULL, SHOW_OK, "mysql_servers = <value not displayable>\n"},
        {"mysql_servers", NOBODY, TERSE, SHOW_OK, "<value not displayable>\n"},
        {"nosuch", ADMIN, FULL, SHOW_NOT_FOUND, "nosuch is not a known option\n"},
        {"nosuch queue_only", ADMIN, FULL, SHOW_OK,
         "nosuch is not a known option\nqueue_only\n"},
        {"queue_only nosuch", ADMIN, FULL, SHOW_NOT_FOUND,
         "queue_only\nnosuch is not a known option\n"},
        {"no_queue_only", ADMIN, FULL, SHOW_NOT_FOUND, "no_queue_only is not a known option\n"},
        {"+local", ADMIN, FULL, SHOW_OK,
         "domainlist local = a : b\nhostlist local = 10.0.0.1\n"},
        {"+local", ADMIN, TERSE, SHOW_OK, "a : b\n10.0.0.1\n"},
        {"+secret", ADMIN, FULL, SHOW_OK, "addresslist secret = <value not displayable>\n"},
        {"+none", ADMIN, FULL, SHOW_NOT_FOUND,
         "no address, domain, host, or local part list called \"none\" exists\n"},
        {"router_list", NOBODY, FULL, SHOW_OK, "one\ntwo\n"},
        {"transport_list authenticator_list", ADMIN, TERSE, SHOW_OK, "t\na\n"},
        {"router three", ADMIN, FULL, SHOW_NOT_FOUND, "router three not found\n"},
        {"router", ADMIN, FULL, SHOW_NOT_FOUND, "router is not a known option\n"},
        {"macro MAC", ADMIN, FULL, SHOW_OK, "MAC=hello\n"},
        {"macro MAC", ADMIN, TERSE, SHOW_OK, "hello\n"},
        {"macro _HAVE_TLS", ADMIN, FULL, SHOW_OK, "_HAVE_TLS=y\n"},
        {"macro NONE", ADMIN, FULL, SHOW_NOT_FOUND, "macro NONE not found\n"},
        {"macro MAC", NOBODY, FULL, SHOW_DENIED, ""},
        {"queue_only macros queue_only", NOBODY, FULL, SHOW_DENIED, "queue_only\n"},
        {"environment", ADMIN, FULL, SHOW_OK, "PATH=/bin\nPATHS=x\nZED=1\n"},
        {"environment", ADMIN, TERSE, SHOW_OK, "PATH\nPATHS\nZED\n"},
        {"environment PATH", ADMIN, FULL, SHOW_OK, "PATH=/bin\n"},
        {"environment nosuch", ADMIN, FULL, SHOW_NOT_FOUND, "environment nosuch not found\n"},
        {"local_scan", ADMIN, FULL, SHOW_NOT_FOUND, "local_scan() options are not supported\n"},
        {"dkim_verify_hashes", ADMIN, FULL, SHOW_OK, "dkim_verify_hashes = sha256:sha512\n"},
    };
    struct loaded l = load_text(text);
    assert_non_null(l.conf);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum show_result result;
        const char *answer = show(&l, cases[i].words, cases[i].who, cases[i].form, &result);
        assert_string_equal(answer, cases[i].answer);
        assert_int_equal(result, cases[i].result);
    }
    load_free(&l);
}

static size_t
count_lines(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += *s == '\n';
    return n;
}

static void
test_drivers(void **state)
{
    (void)state;
    struct loaded l = load_text(text);
    enum show_result result;
    const char *one = show(&l, "router one", ADMIN, FULL, &result);
    assert_int_equal(strncmp(one, "address_data = \naddress_test\n", 28), 0);
    assert_non_null(strstr(one, "\ndebug_print = z\n"));
    assert_non_null(strstr(one, "\ndriver = accept\n"));
    assert_non_null(strstr(one, "\nlog_as_local\n"));
    assert_null(strstr(one, "\nverify\n"));
    assert_null(strstr(one, "translate_ip_address"));
    one = show(&l, "router one", NOBODY, FULL, &result);
    assert_non_null(strstr(one, "\ndebug_print = <value not displayable>\n"));
    const char *all = show(&l, "routers", ADMIN, FULL, &result);
    assert_int_equal(strncmp(all, "\none router:\naddress_data = \n", 29), 0);
    assert_non_null(strstr(all, "\n\ntwo router:\n"));
    /* generic options come first */
    const char *two = show(&l, "router two", ADMIN, FULL, &result);
    assert_true(strstr(two, "\nverify_sender\n") < strstr(two, "\nno_allow_defer\n"));
    assert_non_null(strstr(two, "\ndata = hello\n"));
    const char *terse = show(&l, "router two", ADMIN, TERSE, &result);
    assert_int_equal(count_lines(terse), count_lines(two));
    assert_null(strstr(terse, " = "));
    load_free(&l);
}

static void
test_all_options(void **state)
{
    (void)state;
    struct loaded l = load_text(text);
    enum show_result result;
    const char *plain = show(&l, "", ADMIN, FULL, &result);
    assert_string_equal(plain, show(&l, "all", ADMIN, FULL, &result));
    assert_int_equal(strncmp(plain, "accept_8bitmime\nacl_not_smtp = \n", 32), 0);
    assert_non_null(strstr(plain, "\nadmin_groups =\n"));
    assert_non_null(strstr(plain, "\nqueue_only_load =\n"));
    assert_non_null(strstr(plain, "\ncheck_spool_space = 10M\n"));
    assert_non_null(strstr(plain, "\nignore_bounce_errors_after = 10w\n"));
    assert_null(strstr(plain, "\nmysql_servers"));      /* options of modules */
    assert_null(strstr(plain, "\ndaemon_smtp_port =")); /* synonyms */
    load_free(&l);
}

static void
test_macros(void **state)
{
    (void)state;
    struct loaded l = load_text(text);
    enum show_result result;
    const char *macros = show(&l, "macros", ADMIN, FULL, &result);
    assert_non_null(strstr(macros, "\n_OPT_MAIN_QUEUE_ONLY=y\n"));
    size_t n = strlen(macros);
    assert_string_equal(macros + n - strlen("\nMAC=hello\n"), "\nMAC=hello\n");
    const char *names = show(&l, "macro_list", ADMIN, FULL, &result);
    assert_int_equal(count_lines(names), count_lines(macros));
    assert_null(strchr(names, '='));
    load_free(&l);
}

static void
test_config(void **state)
{
    (void)state;
    struct loaded l = load_text(text);
    enum show_result result;
    const char *config = show(&l, "config", ADMIN, FULL, &result);
    assert_int_equal(strncmp(config, "# Exim Configuration (4.99)\n", 28), 0);
    assert_non_null(strstr(config, "\n\nbegin routers\n\n  one:\n    driver = accept\n"));
    assert_non_null(strstr(config, "\nhide mysql_servers = a/b/c/d\n"));
    config = show(&l, "config", NOBODY, FULL, &result);
    assert_non_null(strstr(config, "\nhide mysql_servers = <value not displayable>\n"));
    const char *file = show(&l, "config_file configure_file", ADMIN, FULL, &result);
    assert_int_equal(count_lines(file), 2);
    assert_int_equal(strncmp(file, l.file, strlen(l.file)), 0);
    load_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_answers), cmocka_unit_test(test_drivers),
        cmocka_unit_test(test_all_options),   cmocka_unit_test(test_macros),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
