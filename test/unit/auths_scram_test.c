/* SCRAM against the examples of RFC 5802 and RFC 7677, with channel binding, and what is refused. */
#include "auths/scram.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct example {
    const char *mechanism, *client_nonce, *server_nonce, *salt;
    const char *first, *server_first, *final, *last;
};

static const struct example examples[] = {
    {"SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
     "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {"SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
     "W22ZaJ0SNY7soEsUEjb6gQ==", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static struct scram
side(struct arena *a, const char *mechanism, const char *nonce)
{
    struct scram s = {.arena = a, .user = STR_LIT("user"), .authz = STR_EMPTY};
    s.nonce = str_from_cstr(nonce);
    s.digest = scram_digest(str_from_cstr(mechanism), &s.plus);
    assert_non_null(s.digest);
    return s;
}

static void
examples_of_the_standards(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *x = &examples[i];
        struct scram c = side(a, x->mechanism, x->client_nonce);
        struct scram s = side(a, x->mechanism, x->server_nonce);
        struct str salt, got, last;
        int64_t rounds;
        s.user = STR_NULL;
        assert_true(str_eqz(scram_client_first(&c), x->first));
        assert_true(scram_server_begin(&s, str_from_cstr(x->first)));
        assert_true(str_eqz(s.user, "user"));
        assert_true(base64_decode(a, str_from_cstr(x->salt), &salt, NULL));
        scram_server_password(&s, STR_LIT("pencil"), salt, 4096);
        assert_true(str_eqz(scram_server_first(&s, salt, 4096), x->server_first));
        assert_true(scram_client_begin(&c, str_from_cstr(x->server_first), &got, &rounds));
        assert_true(str_eq(got, salt));
        assert_int_equal(rounds, 4096);
        scram_client_password(&c, STR_LIT("pencil"), salt, 4096);
        assert_true(str_eqz(scram_client_final(&c), x->final));
        assert_true(scram_server_finish(&s, str_from_cstr(x->final), &last));
        assert_true(str_eqz(last, x->last));
        assert_true(scram_client_finish(&c, last));
        assert_false(scram_client_finish(&c, STR_LIT("v=AAAA")));
        assert_false(scram_client_finish(&c, STR_LIT("e=other-error")));
    }
    arena_free(a);
}

/* One whole exchange; the server's answer to the proof. */
static bool
exchange(struct scram *c, struct scram *s, const char *password)
{
    struct str salt = STR_LIT("salt"), got, last;
    int64_t rounds;
    if (!scram_server_begin(s, scram_client_first(c)))
        return false;
    scram_server_password(s, STR_LIT("secret"), salt, 2);
    if (!scram_client_begin(c, scram_server_first(s, salt, 2), &got, &rounds))
        return false;
    scram_client_password(c, str_from_cstr(password), got, rounds);
    return scram_server_finish(s, scram_client_final(c), &last) && scram_client_finish(c, last);
}

static void
bound(struct scram *s, const char *data)
{
    s->binding_name = STR_LIT("tls-exporter");
    s->binding_data = str_from_cstr(data);
}

static void
exchanges(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct scram c = side(a, "SCRAM-SHA-256", "abc"), s = side(a, "SCRAM-SHA-256", "def");
    assert_true(exchange(&c, &s, "secret"));
    c = side(a, "SCRAM-SHA-256", "abc"), s = side(a, "SCRAM-SHA-256", "def");
    assert_false(exchange(&c, &s, "wrong"));
    c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1", "def");
    c.user = STR_LIT("a,b=c"), c.authz = STR_LIT("x=,y");
    assert_true(exchange(&c, &s, "secret"));
    assert_true(str_eqz(s.user, "a,b=c"));
    assert_true(str_eqz(s.authz, "x=,y"));
    c = side(a, "SCRAM-SHA-1-PLUS", "abc"), s = side(a, "SCRAM-SHA-1-PLUS", "def");
    bound(&c, "same"), bound(&s, "same");
    assert_true(exchange(&c, &s, "secret"));
    c = side(a, "SCRAM-SHA-1-PLUS", "abc"), s = side(a, "SCRAM-SHA-1-PLUS", "def");
    bound(&c, "one"), bound(&s, "other");
    assert_false(exchange(&c, &s, "secret"));
    /* a client that could bind and was told that the server cannot */
    c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1", "def");
    c.could_bind = true;
    assert_true(exchange(&c, &s, "secret"));
    c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1", "def");
    c.could_bind = s.could_bind = true;
    assert_false(exchange(&c, &s, "secret"));
    c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1-PLUS", "def");
    bound(&s, "same");
    assert_false(exchange(&c, &s, "secret"));
    arena_free(a);
}

/* Of one side only the password's form differs; the server takes the other's proof whether or not it has prepared it. */
static void
prepared_passwords(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *typed;
        bool prepares, good; /* the client */
    } rows[] = {
        {"caf\xc3\xa9", "cafe\xcc\x81", true, true},
        {"cafe\xcc\x81", "caf\xc3\xa9", true, true},
        {"caf\xc3\xa9", "cafe\xcc\x81", false, false},
        {"cafe\xcc\x81", "cafe\xcc\x81", false, true},
        {"\xc2\xaa", "a", true, true},
        {"\xc2\xaa", "\xc2\xaa", false, true},
        {"caf\xe9", "caf\xe9", true, true},
        {"caf\xe9", "caf\xc3\xa9", true, false},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scram c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1", "def");
        struct str salt = STR_LIT("salt"), typed = str_from_cstr(rows[i].typed), got, last;
        unsigned char salted[DIGEST_MAX];
        int64_t rounds;
        assert_true(scram_server_begin(&s, scram_client_first(&c)));
        scram_server_password(&s, str_from_cstr(rows[i].stored), salt, 2);
        assert_true(scram_client_begin(&c, scram_server_first(&s, salt, 2), &got, &rounds));
        digest_pbkdf2(c.digest, typed, got, 2, salted);
        if (rows[i].prepares)
            scram_client_password(&c, typed, got, rounds);
        else
            scram_client_salted(&c, str_from((const char *)salted, digest_size(c.digest)));
        bool good = scram_server_finish(&s, scram_client_final(&c), &last);
        assert_int_equal(good, rows[i].good);
        assert_true(!good || scram_client_finish(&c, last));
    }
    arena_free(a);
}

static void
prepared_names(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct scram c = side(a, "SCRAM-SHA-1", "abc"), s = side(a, "SCRAM-SHA-1", "def");
    c.user = STR_LIT("e\xcc\x81");
    assert_true(scram_server_begin(&s, scram_client_first(&c)));
    assert_true(str_eqz(s.user, "\xc3\xa9"));
    assert_true(scram_server_begin(&s, STR_LIT("n,,n=I\xc2\xadX,r=abc")));
    assert_true(str_eqz(s.user, "IX"));
    arena_free(a);
}

static void
first_messages_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "n",
        "n,",
        "n,,",
        "x,,n=user,r=abc",
        "n,,n=user",
        "n,,r=abc,n=user",
        "n,,n=,r=abc",
        "n,,n=user,r=",
        "n,,n=us=er,r=abc",
        "n,,n=us=2Xer,r=abc",
        "n,b=x,n=user,r=abc",
        "p=tls-unique,,n=user,r=abc",
        "n,,m=ext,n=user,r=abc",
        "n,,n=us\x07"
        "er,r=abc",
        "n,,n=us\xff"
        "er,r=abc",
        "n,,n=\xc2\xad,r=abc",
        "n,a=\x07,n=user,r=abc",
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct scram s = side(a, "SCRAM-SHA-1", "def");
        assert_false(scram_server_begin(&s, str_from_cstr(bad[i])));
    }
    arena_free(a);
}

/* "n,,n=user,r=" and so many letters behind it that the message has n bytes. */
static struct str
long_first(struct arena *a, size_t n)
{
    struct buf b = buf_in(a, 0);
    buf_addz(&b, "n,,n=user,r=");
    while (b.n < n)
        buf_addc(&b, 'x');
    return buf_str(&b);
}

static void
caps(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct scram s = side(a, "SCRAM-SHA-1", "def"), c = side(a, "SCRAM-SHA-1", "abc");
    struct str salt;
    int64_t n;
    assert_true(scram_server_begin(&s, long_first(a, SCRAM_MESSAGE_MAX - 1)));
    assert_true(scram_server_begin(&s, long_first(a, SCRAM_MESSAGE_MAX)));
    assert_false(scram_server_begin(&s, long_first(a, SCRAM_MESSAGE_MAX + 1)));
    assert_true(scram_client_begin(&c, STR_LIT("r=abcd,s=AAAA,i=999999"), &salt, &n));
    assert_true(scram_client_begin(&c, STR_LIT("r=abcd,s=AAAA,i=1000000"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=abcd,s=AAAA,i=1000001"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=abcd,s=AAAA,i=0"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=abc,s=AAAA,i=1"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=xbcd,s=AAAA,i=1"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=abcd,s=A?AA,i=1"), &salt, &n));
    assert_false(scram_client_begin(&c, STR_LIT("r=abcd,s=,i=1"), &salt, &n));
    bool plus;
    assert_null(scram_digest(STR_LIT("SCRAM-SHA-512"), &plus));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standards),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(prepared_passwords),
        cmocka_unit_test(prepared_names),
        cmocka_unit_test(first_messages_that_are_refused),
        cmocka_unit_test(caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
