/* How a peer is named in variables, log lines and Received: headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/peer.h"
#include "sys/log_selector.h"

struct row {
    const char *address, *name, *helo, *ident;
    bool ports;
    const char *fullhost, *rcvhost, *field, *plain;
};

static struct str
text(const char *z)
{
    return z == NULL ? STR_NULL : str_from_cstr(z);
}

static void
test_names(void **state)
{
    static const struct row rows[] = {
        {NULL, NULL, "x", "me", false, NULL, NULL, "U=me", "me"},
        {NULL, NULL, NULL, NULL, false, NULL, NULL, "", ""},
        {"192.0.2.1", NULL, NULL, NULL, false, "[192.0.2.1]", "[192.0.2.1]", "H=[192.0.2.1]",
         "[192.0.2.1]"},
        {"192.0.2.1", NULL, "x.y", NULL, false, "(x.y) [192.0.2.1]", "[192.0.2.1] (helo=x.y)",
         "H=(x.y) [192.0.2.1]", "(x.y) [192.0.2.1]"},
        {"192.0.2.1", "a.b", "A.B", NULL, false, "a.b [192.0.2.1]", "a.b ([192.0.2.1])",
         "H=a.b [192.0.2.1]", "a.b [192.0.2.1]"},
        {"192.0.2.1", NULL, "[192.0.2.1]", NULL, false, "([192.0.2.1]) [192.0.2.1]",
         "[192.0.2.1]", "H=([192.0.2.1]) [192.0.2.1]", "([192.0.2.1]) [192.0.2.1]"},
        {"2001:db8::1", NULL, "[IPv6:2001:DB8:0::1]", NULL, false,
         "([IPv6:2001:DB8:0::1]) [2001:db8::1]", "[2001:db8::1]",
         "H=([IPv6:2001:DB8:0::1]) [2001:db8::1]", "([IPv6:2001:DB8:0::1]) [2001:db8::1]"},
        {"192.0.2.1", "a.b", "x", "id", false, "a.b (x) [192.0.2.1]",
         "a.b ([192.0.2.1] helo=x\n\tident=id)", "H=a.b (x) [192.0.2.1] U=id",
         "a.b (x) [192.0.2.1] U=id"},
        {"192.0.2.1", NULL, "x", "id", true, "(x) [192.0.2.1]:25",
         "[192.0.2.1] (port=25 helo=x ident=id)", "H=(x) [192.0.2.1]:25 U=id",
         "(x) [192.0.2.1]:25 U=id"},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct session s = {.arena = a,
                            .sender_host_address = text(r->address),
                            .sender_host_name = text(r->name),
                            .sender_helo_name = text(r->helo),
                            .sender_ident = text(r->ident),
                            .sender_host_port = 25};
        struct eval eval = {.session = &s};
        struct engine e = {.arena = a, .eval = &eval};
        e.selectors = r->ports ? (uint64_t)1 << LOG_SELECTOR_INCOMING_PORT : 0;
        peer_set_names(&e, &s);
        assert_int_equal(str_is_set(s.sender_fullhost), r->fullhost != NULL);
        if (r->fullhost != NULL) {
            assert_true(str_eqz(s.sender_fullhost, r->fullhost));
            assert_true(str_eqz(s.sender_rcvhost, r->rcvhost));
        }
        assert_true(str_eqz(peer_text(a, &e, true), r->field));
        assert_true(str_eqz(peer_text(a, &e, false), r->plain));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
