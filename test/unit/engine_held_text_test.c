/* Connections as texts: both ways, caps, and that nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "conf/tls_state.h"
#include "engine/held_text.h"
#include "engine/turned.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct smtp_mail nothing = {.prdr = false};

static bool
reads_server(const char *text, struct smtp_client *c, struct smtp_mail *mail)
{
    *c = (struct smtp_client){.fd = -1};
    *mail = nothing;
    return held_text_read_server(str_from_cstr(text), c, mail);
}

static void
test_server(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct smtp_client c = {.esmtp = true, .downconvert = true}, back;
    struct smtp_mail mail = {.smtputf8 = true}, mail_back;
    struct buf b = buf_in(a, 0);
    c.peer.size = c.peer.limits = true;
    c.peer.size_max = INT64_MAX;
    c.peer.rcpt_domain_max = 7;
    held_text_add_server(&b, &c, &mail);
    assert_string_equal(str_cstr(a, buf_str(&b)), "eaSLu 9223372036854775807 0 0 7");
    assert_true(reads_server("eaSLu 9223372036854775807 0 0 7", &back, &mail_back));
    assert_true(back.esmtp && back.downconvert && back.peer.size && back.peer.limits);
    assert_false(back.pipelines || back.peer.chunking || back.peer.dsn);
    assert_true(back.peer.size_max == INT64_MAX && back.peer.mail_max == 0 &&
                back.peer.rcpt_domain_max == 7);
    assert_true(mail_back.smtputf8 && !mail_back.dsn && !mail_back.prdr);
    assert_true(reads_server("d 1 2 3 4", &back, &mail_back) && mail_back.dsn);
    arena_free(a);
}

static void
test_no_server(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "e",
        "e 1 2 3",
        "e 1 2 3 4 5",
        "e 1 2 3 4 ",
        "e  1 2 3 4",
        "x 1 2 3 4",
        "e 1 2 -3 4",
        "e 1 2 3 4x",
        "e 1 2 3 +4",
        "e 1 2 3 ",
        "e\n 1 2 3 4",
        "e 1 2 3 9223372036854775808",
        "e 99999999999999999999 2 3 4",
    };
    struct smtp_client c;
    struct smtp_mail mail;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (reads_server(bad[i], &c, &mail))
            fail_msg("\"%s\" is taken", bad[i]);
}

static void
test_who(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char digits[65] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct held_who w = {STR_LIT("plain"), STR_LIT("me"), str_from(digits, 64), STR_LIT("s@x")};
    struct held_who back;
    struct buf b = buf_in(a, 0);
    assert_true(held_text_add_who(&b, &w));
    struct str text = buf_str(&b);
    assert_true(held_text_read_who(text, &back));
    assert_true(str_eq(back.authenticator, w.authenticator) && str_eq(back.id, w.id) &&
                str_eq(back.self, w.self) && str_eq(back.sender, w.sender));
    for (uint32_t n = 0; n < text.n; n++)
        assert_false(held_text_read_who(str_sub(text, 0, n), &back));
    assert_false(held_text_read_who(str_cat(a, text, STR_LIT("\n")), &back));
    for (size_t n = 63; n <= 65; n++) { /* the text is as long as that of one digest */
        w.self = str_from(digits, n);
        assert_int_equal(held_text_add_who(&b, &w), n == 64);
    }
    digits[5] = 'A';
    w.self = str_from(digits, 64);
    assert_false(held_text_add_who(&b, &w));
    digits[5] = 'a';
    w.id = STR_LIT("a\nb");
    assert_false(held_text_add_who(&b, &w));
    w.id = str_from("a\0b", 3);
    assert_false(held_text_add_who(&b, &w));
    w = (struct held_who){STR_EMPTY, STR_LIT("me"), STR_EMPTY, STR_EMPTY};
    assert_false(held_text_add_who(&b, &w)); /* nobody has no name */
    assert_true(held_text_read_who(STR_LIT("\n\n\ns@x\n"), &back) && back.self.n == 0);
    assert_false(held_text_read_who(STR_LIT("\nme\n\n\n"), &back));
    assert_false(held_text_read_who(STR_LIT("plain\nme\n\n\n"), &back));
    arena_free(a);
}

static bool
reads_tls(const char *text, struct tls_state *t)
{
    return held_text_read_tls(str_from_cstr(text), t);
}

static void
test_tls(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct tls_state t = {.cipher = STR_LIT("TLS1.3:A"), .version = STR_LIT("TLS1.3")}, back;
    t.cipher_std = STR_LIT("TLS_A");
    t.bits = INT32_MAX;
    t.verified = 1;
    t.peercert = STR_LIT("pem");
    struct str text = held_text_tls(a, &t);
    assert_string_equal(str_cstr(a, text), "TLS1.3:A\nTLS_A\nTLS1.3\n2147483647\n1");
    assert_true(held_text_read_tls(text, &back));
    assert_true(str_eq(back.cipher, t.cipher) && str_eq(back.cipher_std, t.cipher_std) &&
                str_eq(back.version, t.version) && back.bits == INT32_MAX &&
                back.verified == 1);
    assert_false(str_is_set(back.peercert));
    static const char *const bad[] = {
        "",
        "a\nb\nc",
        "a\nb\nc\n1",
        "a\nb\nc\n1\n",
        "a\nb\nc\n1\n2",
        "a\nb\nc\n1\n1\n",
        "a\nb\nc\n2147483648\n1",
        "a\nb\nc\n-1\n1",
        "a\nb\nc\n\n1",
        "a\nb\nc\n1\n11",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (reads_tls(bad[i], &back))
            fail_msg("\"%s\" is taken", bad[i]);
    assert_true(reads_tls("\n\n\n0\n0", &back) && back.cipher.n == 0 && back.verified == 0);
    arena_free(a);
}

/* --- caps of what travels --- */

static char big[HELD_TEXT_MAX + 2];

static struct str
of_length(size_t n)
{
    memset(big, 'x', sizeof big);
    return str_from(big, n);
}

/* A connection on which nothing is owed. */
static struct smtp_client *
quiet_client(struct arena *a, int *other)
{
    int fds[2];
    struct smtp_client *c = ARENA_NEW(a, struct smtp_client);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *c = (struct smtp_client){.arena = a, .fd = fds[0], .proxy_address = STR_NULL};
    c->host.name = STR_LIT("h");
    *other = fds[1];
    return c;
}

static bool
packs(const struct smtp_client *c, struct str sender, struct str recipients,
      struct str transport)
{
    struct held_connection h = {.sender = sender, .recipients = recipients, .fd = -1};
    struct arena *a = arena_new();
    bool ok = held_connection_pack(a, c, &nothing, transport, &h);
    assert_true(!ok || h.fd == c->fd);
    arena_free(a);
    return ok;
}

static void
test_caps_of_held(void **state)
{
    (void)state;
    int other;
    struct arena *a = arena_new();
    struct smtp_client *c = quiet_client(a, &other);
    struct str t = STR_LIT("t"), s = STR_LIT("s@x");
    const size_t around = strlen("\nh\n 0 0 0 0\n\n\n\n\n");
    for (int more = -1; more <= 1; more++) {
        struct str text = of_length((size_t)(HELD_TEXT_MAX + more));
        assert_int_equal(packs(c, text, s, t), more <= 0);
        assert_int_equal(packs(c, s, text, t), more <= 0);
        assert_int_equal(packs(c, s, s, of_length(text.n - around)), more <= 0);
    }
    assert_false(packs(c, str_from("a\0b", 3), s, t));
    assert_int_equal(write(other, "4", 1), 1); /* it is not quiet any more */
    assert_false(packs(c, s, s, t));
    close(c->fd);
    close(other);
    arena_free(a);
}

/* What cannot go along: it stays. */
static void
test_stays(void **state)
{
    (void)state;
    int other;
    struct arena *a = arena_new();
    struct smtp_client *c = quiet_client(a, &other);
    bool *const states[] = {&c->broken, &c->clear, &c->lmtp, &c->auth_tried, &c->dane};
    struct str t = STR_LIT("t"), s = STR_LIT("s@x");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        *states[i] = true;
        assert_false(packs(c, s, s, t));
        *states[i] = false;
        assert_true(packs(c, s, s, t));
    }
    c->owed = 1;
    assert_false(packs(c, s, s, t));
    c->owed = 0;
    c->proxy_address = STR_LIT("192.0.2.1");
    assert_false(packs(c, s, s, t));
    close(c->fd);
    close(other);
    arena_free(a);
}

static void
test_caps_of_turned(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct session s = {.arena = a};
    struct held_connection h;
    for (int more = -1; more <= 1; more++) {
        size_t n = (size_t)(HELD_TEXT_MAX + more);
        s.sender_host_address = STR_LIT("192.0.2.1");
        assert_int_equal(turned_pack(a, &s, STR_LIT("id"), of_length(n), 9, &h), more <= 0);
        s.sender_host_address = of_length(n);
        assert_int_equal(turned_pack(a, &s, STR_LIT("id"), STR_LIT("d"), 9, &h), more <= 0);
        s.sender_host_address = STR_LIT("192.0.2.1");
        s.tls_in.cipher = of_length(n - strlen("\n\n\n0\n0"));
        assert_int_equal(turned_pack(a, &s, STR_LIT("id"), STR_LIT("d"), 9, &h), more <= 0);
        tls_state_forget(&s.tls_in);
    }
    assert_int_equal(h.fd, 9);
    s.sender_host_address = STR_EMPTY;
    assert_false(turned_pack(a, &s, STR_LIT("id"), STR_LIT("d"), 9, &h));
    arena_free(a);
}

/* --- domains --- */

static void
test_domains_that_travel(void **state)
{
    (void)state;
    struct str all = of_length(HELD_TEXT_MAX + 1);
    big[3] = big[HELD_TEXT_MAX - 1] = ',';
    assert_int_equal(turned_domains_that_travel(str_sub(all, 0, HELD_TEXT_MAX - 1)).n,
                     HELD_TEXT_MAX - 1);
    assert_int_equal(turned_domains_that_travel(str_sub(all, 0, HELD_TEXT_MAX)).n,
                     HELD_TEXT_MAX);
    assert_int_equal(turned_domains_that_travel(all).n, HELD_TEXT_MAX - 1);
    big[HELD_TEXT_MAX - 1] = 'x';
    big[HELD_TEXT_MAX] = ',';
    assert_int_equal(turned_domains_that_travel(all).n, HELD_TEXT_MAX);
    big[HELD_TEXT_MAX] = 'x';
    assert_int_equal(turned_domains_that_travel(all).n, 3);
    assert_int_equal(turned_domains_that_travel(of_length(HELD_TEXT_MAX + 1)).n, 0);
}

static void
test_domains(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str list = STR_LIT("a.example, b.example,c");
    assert_string_equal(str_cstr(a, turned_pattern(a, list)), "@(a.example|b.example|c)");
    assert_true(turned_has_domain(list, STR_LIT("A.example")));
    assert_true(turned_has_domain(list, STR_LIT("b.example")));
    assert_true(turned_has_domain(list, STR_LIT("c")));
    assert_false(turned_has_domain(list, STR_LIT("b")));
    assert_false(turned_has_domain(list, STR_LIT("example")));
    assert_false(turned_has_domain(STR_EMPTY, STR_LIT("a")));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_caps_of_held),
        cmocka_unit_test(test_stays),
        cmocka_unit_test(test_caps_of_turned),
        cmocka_unit_test(test_domains_that_travel),
        cmocka_unit_test(test_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
