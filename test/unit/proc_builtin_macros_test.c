/* Built-in macros: which there are, their order, and that the reader knows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

struct seen {
    struct arena *arena;
    struct map *at; /* name -> place in the order, from 1 */
    size_t n;
};

static void
see(void *ctx, struct str name, struct str text)
{
    struct seen *s = ctx;
    size_t *place = ARENA_NEW(s->arena, size_t);
    *place = ++s->n;
    assert_true(text.n > 0);
    assert_true(name.n > 0 && name.p[0] == '_');
    if (map_has(s->at, name))
        fail_msg("%.*s is there twice", STR_ARG(name));
    map_set(s->at, str_dup(s->arena, name), place);
}

static struct seen
see_all(void)
{
    struct seen s = {.arena = arena_new()};
    s.at = map_new(s.arena, MAP_CASEFUL);
    builtin_macros_each(s.arena, see, &s);
    return s;
}

/* Place of a name; 0 when it is not there. */
static size_t
place_of(const struct seen *s, const char *name)
{
    const size_t *p = map_get(s->at, str_from_cstr(name));
    return p != NULL ? *p : 0;
}

static void
test_names(void **state)
{
    (void)state;
    static const char *const present[] = {
        "_HAVE_TLS",
        "_HAVE_GNUTLS",
        "_HAVE_DKIM",
        "_HAVE_LOOKUP_LSEARCH",
        "_DRIVER_ROUTER_REDIRECT",
        "_DRIVER_TRANSPORT_SMTP",
        "_DRIVER_AUTHENTICATOR_PLAINTEXT",
        "_OPT_MAIN_TLS_CERTIFICATE",
        "_OPT_MAIN_DAEMON_SMTP_PORT",
        "_OPT_ROUTERS_VERIFY",
        "_OPT_ROUTER_REDIRECT_SIEVE_INBOX",
        "_OPT_TRANSPORTS_HEADERS_ADD",
        "_OPT_TRANSPORT_SMTP_HOSTS_TRY_DANE",
        "_OPT_AUTHENTICATORS_PUBLIC_NAME",
        "_OPT_AUTHENTICATOR_TLS_SERVER_PARAM",
        "_LOG_ALL",
        "_LOG_REJECTED_HEADERS",
        "_LOG_8BITMIME",
        "_ACL_COND_HOSTS",
        "_ACL_MOD_LOG_MESSAGE",
        "_EXP_VAR_TLS_OUT_DANE",
        "_EXP_COND_EQ",
        "_EXP_OP_LC",
        "_EXP_ITEM_LOOKUP",
        "_RESUME_DECODE",
        "_DKIM_SIGN_HEADERS",
    };
    static const char *const absent[] = {
        "_OPT_ROUTERS_TRANSLATE_IP_ADDRESS",      "_OPT_MAIN_ALLOW_INSECURE_TAINTED_DATA",
        "_OPT_TRANSPORT_SMTP_GNUTLS_COMPAT_MODE", "_HAVE_OPENSSL",
        "_OPT_TRANSPORT_PIPE_USE_CLASSRESOURCES",
    };
    struct seen s = see_all();
    for (size_t i = 0; i < sizeof present / sizeof present[0]; i++)
        if (place_of(&s, present[i]) == 0)
            fail_msg("%s is missing", present[i]);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_int_equal(place_of(&s, absent[i]), 0);
    arena_free(s.arena);
}

static void
test_order(void **state)
{
    (void)state;
    static const char *const order[] = {
        "_EXP_VAR_TLS_OUT_DANE",
        "_OPT_AUTHENTICATOR_PLAINTEXT_SERVER_PROMPTS",
        "_OPT_AUTHENTICATOR_PLAINTEXT_CLIENT_SEND",
        "_DRIVER_AUTHENTICATOR_PLAINTEXT",
        "_OPT_AUTHENTICATORS_SERVER_SET_ID",
        "_OPT_TRANSPORT_APPENDFILE_ALLOW_FIFO",
        "_DRIVER_TRANSPORT_APPENDFILE",
        "_OPT_TRANSPORT_SMTP_HOSTS",
        "_DRIVER_TRANSPORT_SMTP",
        "_OPT_TRANSPORTS_USER",
        "_OPT_ROUTER_DNSLOOKUP_CHECK_SRV",
        "_DRIVER_ROUTER_DNSLOOKUP",
        "_OPT_ROUTER_REDIRECT_DATA",
        "_OPT_ROUTERS_VERIFY_SENDER",
        "_OPT_ROUTERS_VERIFY",
        "_OPT_MAIN_WRITE_REJECTLOG",
        "_OPT_MAIN_ACCEPT_8BITMIME",
        "_ACL_COND_VERIFY",
        "_ACL_MOD_UDPSEND",
        "_HAVE_SOCKS",
        "_HAVE_PIPE_CONNECT",
    };
    struct seen s = see_all();
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
        if (place_of(&s, order[i - 1]) >= place_of(&s, order[i]))
            fail_msg("%s comes after %s", order[i - 1], order[i]);
    arena_free(s.arena);
}

/* Every name of the list is a macro for the reader. */
static void
test_reader_knows(void **state)
{
    (void)state;
    struct seen s = see_all();
    struct buf text = buf_in(s.arena, 0);
    for (size_t i = 0; i < map_count(s.at); i++) {
        struct str name = map_at(s.at, i)->key;
        buf_printf(&text, ".ifndef %.*s\nno_such_option_%.*s\n.endif\n", STR_ARG(name),
                   STR_ARG(name));
    }
    buf_addz(&text, ".ifdef _HAVE_NOTHING_OF_THE_KIND\nno_such_option\n.endif\n");
    struct loaded l = load_text(str_cstr(s.arena, buf_str(&text)));
    assert_string_equal(load_exim_error(&l), "");
    load_free(&l);
    arena_free(s.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_reader_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
