/* Unit tests of plugins/ldap: the text of a query, where a server is, the text of entries. What a server answers is
 * test/servers' to try. */
#include "lookups_fixture.h"
#include "plugins/ldap/ldap_query.h"
#include "plugins/ldap/ldap_result.h"
#include "plugins/ldap/ldap_server.h"
#include "sys/plugin.h"

extern const struct plugin remex_plugin;

/* "user|pass|servers|size,time,wait,dereference,referrals|url", or "!why". */
static const char *
parse(struct arena *a, const char *text)
{
    struct ldap_query q;
    struct str why;
    if (!ldap_query_parse(a, str_from_cstr(text), &q, &why))
        return str_printf(a, "!%.*s", STR_ARG(why)).p;
    struct str unset = STR_LIT("-");
    struct str user = str_is_set(q.user) ? q.user : unset,
               pass = str_is_set(q.pass) ? q.pass : unset;
    struct str servers = str_is_set(q.servers) ? q.servers : unset;
    return str_printf(a, "%.*s|%.*s|%.*s|%d,%d,%d,%d,%d|%.*s", STR_ARG(user), STR_ARG(pass),
                      STR_ARG(servers), q.size, q.time_s, q.wait_s, (int)q.dereference,
                      !q.no_referrals, STR_ARG(q.url))
        .p;
}

static void
queries(void **state)
{
    struct lookups_fixture *f = *state;
    struct arena *a = f->arena;
    assert_string_equal(parse(a, "ldap:///x"), "-|-|-|0,0,0,0,1|ldap:///x");
    assert_string_equal(parse(a, " USER=u pass=\"a b\\\"\" size=3 time=4 connect=5 ldap:/ "),
                        "u|a b\"|-|3,4,5,0,1|ldap:/");
    assert_string_equal(parse(a, "user=a%20b%zz% pass= dereference=Finding nettime=2 ldaps://"),
                        "a b%zz%||-|0,0,2,2,1|ldaps://");
    assert_string_equal(parse(a, "servers=a::1:b referrals=nofollow LDAPI://x"),
                        "-|-|a::1:b|0,0,0,0,0|LDAPI://x");
    assert_string_equal(parse(a, "size=99999999999 time=x1 ldap:"),
                        "-|-|-|2147483647,0,0,0,1|ldap:");
    assert_string_equal(parse(a, ""), "!malformed parameter setting precedes LDAP URL");
    assert_string_equal(parse(a, "user=a"), "!malformed parameter setting precedes LDAP URL");
    assert_string_equal(parse(a, "what=1 ldap:"),
                        "!unknown parameter \"what=\" precedes LDAP URL");
    assert_string_equal(parse(a, "referrals=1 ldap:"),
                        "!LDAP option REFERRALS is not \"follow\" or \"nofollow\"");
}

static void
schemes(void **state)
{
    struct lookups_fixture *f = *state;
    struct str why;
    assert_true(ldap_query_check_url(f->arena, STR_LIT("ldap://"), &why));
    assert_true(ldap_query_check_url(f->arena, STR_LIT("LDAPS://a"), &why));
    assert_true(ldap_query_check_url(f->arena, STR_LIT("ldapi://a"), &why));
    assert_false(ldap_query_check_url(f->arena, STR_LIT("ldap:/abcdefghijklmnop"), &why));
    assert_string_equal(
        str_cstr(f->arena, why),
        "LDAP URL does not start with \"ldap://\", \"ldaps://\", or \"ldapi://\" (it "
        "starts with \"ldap:/abcdefghij...\")");
}

/* "uri|name|socket,tls", or "!why". */
static const char *
server(struct arena *a, const char *scheme, const char *item)
{
    struct ldap_server s;
    struct str why;
    if (!ldap_server_read(a, str_from_cstr(scheme), str_from_cstr(item), &s, &why))
        return str_printf(a, "!%.*s", STR_ARG(why)).p;
    return str_printf(a, "%.*s|%.*s|%d,%d", STR_ARG(s.uri), STR_ARG(s.name), s.socket, s.tls).p;
}

static void
places(void **state)
{
    struct lookups_fixture *f = *state;
    struct arena *a = f->arena;
    assert_string_equal(server(a, "ldap", "h"), "ldap://h:389|h:389|0,0");
    assert_string_equal(server(a, "ldaps", "h"), "ldaps://h:636|h:636|0,1");
    assert_string_equal(server(a, "ldap", "h:1"), "ldap://h:1|h:1|0,0");
    assert_string_equal(server(a, "ldap", "h:x"), "ldap://h:389|h:389|0,0");
    assert_string_equal(server(a, "ldap", "[::1]:1"), "ldap://[::1]:1|::1:1|0,0");
    assert_string_equal(server(a, "ldap", "[::1]"), "ldap://[::1]:389|::1:389|0,0");
    assert_string_equal(server(a, "ldap", "::1"), "ldap://[::1]:389|::1:389|0,0");
    assert_string_equal(server(a, "ldaps", "/a b"), "ldapi://%2Fa%20b/|/a b|1,0");
    assert_string_equal(server(a, "ldap", ""), "|NULL:389|0,0");
    assert_string_equal(server(a, "ldapi", ""), "ldapi:///|NULL:389|1,0");
    assert_string_equal(server(a, "ldapi", "h"),
                        "!ldapi requires an absolute path (\"h\" given)");
}

static void
add(struct ldap_result *r, const char *name, const char *one, const char *two)
{
    const struct str v[] = {str_from_cstr(one), str_from_cstr(two != NULL ? two : "")};
    ldap_result_attribute(r, str_from_cstr(name), v, two != NULL ? 2 : 1);
}

static void
one_attribute(void **state)
{
    struct lookups_fixture *f = *state;
    struct ldap_result r = {.text = buf_in(f->arena, 0), .one = true};
    ldap_result_entry(&r, STR_LIT("dn"));
    assert_false(r.any);
    add(&r, "a", "x,y", "q\"\\");
    add(&r, "b", "l\nm", NULL);
    ldap_result_entry(&r, STR_LIT("dn2"));
    ldap_result_attribute(&r, STR_LIT("none"), NULL, 0);
    assert_true(r.any);
    assert_int_equal(r.entries, 2);
    assert_string_equal(str_cstr(f->arena, buf_str(&r.text)), "x,,y,q\"\\,l\nm\n");
}

static void
several_attributes(void **state)
{
    struct lookups_fixture *f = *state;
    struct ldap_result r = {.text = buf_in(f->arena, 0)};
    ldap_result_entry(&r, STR_LIT("dn"));
    add(&r, "a", "x,y", "q\"\\");
    add(&r, "b", "l\nm", NULL);
    assert_string_equal(str_cstr(f->arena, buf_str(&r.text)),
                        "a=\"x,,y,q\\\"\\\\\" b=\"l\\nm\"");
    struct ldap_result dn = {.text = buf_in(f->arena, 0), .dn_only = true};
    ldap_result_entry(&dn, STR_LIT("dn,x"));
    add(&dn, "a", "x", NULL);
    assert_true(dn.any);
    assert_string_equal(str_cstr(f->arena, buf_str(&dn.text)), "dn,x");
}

static void
the_plugin_is_what_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(remex_plugin.abi, PLUGIN_ABI);
    assert_int_equal(remex_plugin.kind, PLUGIN_KIND_LOOKUP);
    for (size_t i = 0; i < remex_plugin.n; i++) {
        const struct lookup_driver *d = remex_plugin.objects[i],
                                   *row = lookup_type_driver(d->name);
        if (str_eqz(d->name, "ldapauth")) {
            assert_null(row);
            continue;
        }
        assert_string_equal(remex_plugin.name, row->plugin);
        assert_int_equal(d->flags, row->flags);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(queries),
        LOOKUP_TEST(schemes),
        LOOKUP_TEST(places),
        LOOKUP_TEST(one_attribute),
        LOOKUP_TEST(several_attributes),
        LOOKUP_TEST(the_plugin_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
