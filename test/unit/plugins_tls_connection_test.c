/* TLS connections of plugins/tls, both ends in this thread over a pair of sockets: handshake, what is verified, TLSA records, files that
 * change. Certificates are made here. */
#include "plugins/tls/tls_connection.h"

#include "base/arena.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tls_library *const lib = &tls_connection_library;

struct pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

struct place {
    struct arena *a;
    char dir[64];
    struct pair ca, host;
    void *shared;
};

static void
good(int rc)
{
    assert_true(rc >= 0);
}

/* Signed by ca, or by itself. */
static void
make_pair(struct pair *p, const char *name, const struct pair *ca)
{
    static const unsigned char serial[] = {7};
    time_t now = time(NULL);
    good(gnutls_x509_privkey_init(&p->key));
    good(gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    good(gnutls_x509_crt_init(&p->crt));
    good(gnutls_x509_crt_set_version(p->crt, 3));
    good(gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial));
    good(gnutls_x509_crt_set_activation_time(p->crt, now - 1000));
    good(gnutls_x509_crt_set_expiration_time(p->crt, now + 100000));
    good(gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                       (unsigned)strlen(name)));
    good(gnutls_x509_crt_set_basic_constraints(p->crt, ca == NULL, -1));
    if (ca != NULL)
        good(gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_DNSNAME, name,
                                                  (unsigned)strlen(name), GNUTLS_FSAN_SET));
    else
        good(gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_KEY_CERT_SIGN));
    good(gnutls_x509_crt_set_key(p->crt, p->key));
    good(gnutls_x509_crt_sign2(p->crt, ca != NULL ? ca->crt : p->crt,
                               ca != NULL ? ca->key : p->key, GNUTLS_DIG_SHA256, 0));
}

static struct str
path(struct place *p, const char *name)
{
    return str_printf(p->a, "%s/%s", p->dir, name);
}

static void
write_file(struct place *p, const char *name, const gnutls_datum_t *a, const gnutls_datum_t *b)
{
    FILE *f = fopen(path(p, "new").p, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(a->data, 1, a->size, f), a->size);
    if (b != NULL)
        assert_int_equal(fwrite(b->data, 1, b->size, f), b->size);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(path(p, "new").p, path(p, name).p), 0);
}

/* The certificate, with the authority's behind it. */
static void
write_pair(struct place *p)
{
    gnutls_datum_t crt, ca, key;
    good(gnutls_x509_crt_export2(p->host.crt, GNUTLS_X509_FMT_PEM, &crt));
    good(gnutls_x509_crt_export2(p->ca.crt, GNUTLS_X509_FMT_PEM, &ca));
    good(gnutls_x509_privkey_export2(p->host.key, GNUTLS_X509_FMT_PEM, &key));
    write_file(p, "host.pem", &crt, &ca);
    write_file(p, "host.key", &key, NULL);
    write_file(p, "ca.pem", &ca, NULL);
    gnutls_free(crt.data);
    gnutls_free(ca.data);
    gnutls_free(key.data);
}

static int
set_up(void **state)
{
    struct arena *a = arena_new();
    struct place *p = ARENA_NEW(a, struct place);
    p->a = a;
    strcpy(p->dir, "/tmp/remex-tls-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    make_pair(&p->ca, "authority", NULL);
    make_pair(&p->host, "mx.example.org", &p->ca);
    write_pair(p);
    p->shared = lib->start();
    assert_non_null(p->shared);
    *state = p;
    return 0;
}

/* What a process has for as long as it lives. */
static void *volatile kept;

static int
tear_down(void **state)
{
    struct place *p = *state;
    static const char *const names[] = {"host.pem", "host.key", "ca.pem"};
    for (size_t i = 0; i < 3; i++)
        (void)unlink(path(p, names[i]).p);
    (void)rmdir(p->dir);
    gnutls_x509_crt_deinit(p->ca.crt);
    gnutls_x509_crt_deinit(p->host.crt);
    gnutls_x509_privkey_deinit(p->ca.key);
    gnutls_x509_privkey_deinit(p->host.key);
    kept = p->shared;
    arena_free(p->a);
    return 0;
}

/* --- both ends --- */

struct ends {
    struct tls_setup server, client;
    struct tls_connection *s, *c;
    struct tls_fault sf, cf;
    bool s_done, c_done;
    int fd[2];
};

static struct ends
prepare(struct place *p)
{
    struct ends e = {.s = NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, e.fd), 0);
    e.server =
        (struct tls_setup){.arena = p->a, .role = TLS_SERVER, .in = e.fd[0], .out = e.fd[0]};
    e.server.credentials.certificates = path(p, "host.pem");
    e.server.credentials.keys = path(p, "host.key");
    e.client =
        (struct tls_setup){.arena = p->a, .role = TLS_CLIENT, .in = e.fd[1], .out = e.fd[1]};
    e.client.credentials.trusted = path(p, "ca.pem");
    e.client.check = TLS_CHECK_REQUIRE;
    e.client.names = STR_LIT("mx.example.org");
    return e;
}

static bool
turn(struct tls_connection *c, bool *done, struct tls_fault *f)
{
    if (*done)
        return true;
    if (lib->handshake(c, f) == 0)
        *done = true;
    else if (errno != EAGAIN)
        return false;
    return true;
}

/* False: one end has failed. */
static bool
shake(struct place *p, struct ends *e)
{
    e->s = lib->open(p->shared, &e->server, &e->sf);
    e->c = lib->open(p->shared, &e->client, &e->cf);
    assert_non_null(e->s);
    assert_non_null(e->c);
    for (int i = 0; i < 50 && !(e->s_done && e->c_done); i++)
        if (!turn(e->c, &e->c_done, &e->cf) || !turn(e->s, &e->s_done, &e->sf))
            return false;
    return e->s_done && e->c_done;
}

static void
finish(struct ends *e)
{
    lib->close(e->c, true);
    lib->close(e->s, true);
    close(e->fd[0]);
    close(e->fd[1]);
}

static void
bytes_go_both_ways(void **state)
{
    struct place *p = *state;
    struct ends e = prepare(p);
    struct tls_facts facts;
    struct str one, other;
    struct tls_fault f;
    char text[100];
    e.client.sni = STR_LIT("mx.example.org");
    assert_true(shake(p, &e));
    assert_int_equal(lib->send(e.c, "hello", 5, &f), 5);
    assert_int_equal(lib->receive(e.s, text, 3, &f), 3);
    assert_int_equal(lib->pending(e.s), 2);
    assert_int_equal(lib->receive(e.s, text, sizeof text, &f), 2);
    assert_int_equal(lib->receive(e.s, text, sizeof text, &f), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(f.events, POLLIN);
    lib->facts(e.c, p->a, &facts);
    assert_true(facts.verified);
    assert_true(str_eqz(facts.version, "TLS1.3"));
    assert_true(str_starts(facts.cipher, "TLS1.3:ECDHE_"));
    assert_true(str_eqz(facts.peer_dn, "CN=mx.example.org"));
    assert_true(str_starts(facts.peer_cert, "-----BEGIN CERTIFICATE-----"));
    lib->facts(e.s, p->a, &facts);
    assert_true(str_eqz(facts.sni, "mx.example.org"));
    assert_true(str_is_set(facts.own_cert) && !str_is_set(facts.peer_cert));
    assert_true(lib->binding(e.c, TLS_BINDING_EXPORTER, p->a, &one));
    assert_true(lib->binding(e.s, TLS_BINDING_EXPORTER, p->a, &other));
    assert_true(one.n == 32 && str_eq(one, other));
    lib->close(e.c, true);
    e.c = NULL;
    assert_int_equal(lib->receive(e.s, text, sizeof text, &f), 0);
    lib->close(e.s, true);
    close(e.fd[0]);
    close(e.fd[1]);
}

static void
an_end_without_goodbye_is_a_fault(void **state)
{
    struct place *p = *state;
    struct ends e = prepare(p);
    struct tls_fault f;
    char text[100];
    assert_true(shake(p, &e));
    lib->close(e.c, false);
    close(e.fd[1]);
    assert_int_equal(lib->receive(e.s, text, sizeof text, &f), -1);
    assert_int_equal(errno, EPROTO);
    assert_true(str_eqz(f.where, "recv"));
    lib->close(e.s, false);
    close(e.fd[0]);
}

static void
what_is_not_good_is_refused(void **state)
{
    struct place *p = *state;
    struct ends e = prepare(p);
    struct tls_fault f;
    char text[100];
    e.client.names = STR_LIT("other.example.org");
    assert_false(shake(p, &e));
    assert_true(str_eqz(e.cf.where, "certificate verification failed"));
    assert_int_equal(e.cf.text.n, 0);
    (void)turn(e.s, &e.s_done, &e.sf);
    assert_int_equal(lib->receive(e.s, text, sizeof text, &f), -1);
    assert_true(str_eqz(f.text, "A TLS fatal alert has been received: Certificate is bad"));
    finish(&e);
    const struct str nobody[] = {path(p, "host.key"), STR_LIT("/dev/null")};
    for (size_t i = 0; i < 2; i++) {
        e = prepare(p);
        e.client.credentials.trusted = nobody[i];
        assert_false(shake(p, &e));
        assert_true(str_eqz(e.cf.text, "certificate invalid"));
        finish(&e);
    }
    e = prepare(p);
    e.client.credentials.trusted = STR_LIT("/non/exist");
    assert_null(lib->open(p->shared, &e.client, &e.cf));
    assert_true(str_starts(e.cf.where, "could not stat '/non/exist'"));
    close(e.fd[0]);
    close(e.fd[1]);
    e = prepare(p);
    e.server.check = TLS_CHECK_REQUIRE;
    assert_false(shake(p, &e));
    finish(&e);
}

static void
bad_settings(void **state)
{
    struct place *p = *state;
    struct ends e = prepare(p);
    e.server.priority = STR_LIT("NORMAL:+NONSENSE");
    assert_null(lib->open(p->shared, &e.server, &e.sf));
    assert_true(str_starts(e.sf.where, "gnutls_priority_init(NORMAL:+NONSENSE) failed at"));
    e.server.credentials.certificates = STR_LIT("/non/exist");
    assert_null(lib->open(p->shared, &e.server, &e.sf));
    assert_true(str_starts(e.sf.where, "cert/key setup: cert=/non/exist key="));
    close(e.fd[0]);
    close(e.fd[1]);
}

/* --- files that change --- */

static void
keep_notice(void *ctx, struct str where, struct str text)
{
    struct str *told = ctx;
    (void)where;
    *told = text;
}

static struct str
serial_served(struct place *p, struct str *told)
{
    struct ends e = prepare(p);
    struct tls_facts facts;
    e.server.notice = keep_notice;
    e.server.ctx = told;
    *told = STR_NULL;
    e.client.check = TLS_CHECK_NONE;
    assert_true(shake(p, &e));
    lib->facts(e.c, p->a, &facts);
    finish(&e);
    return facts.peer_cert;
}

static void
files_are_read_again(void **state)
{
    struct place *p = *state;
    struct str told, first = serial_served(p, &told);
    gnutls_datum_t junk = {(unsigned char *)(uintptr_t) "junk\n", 5};
    assert_true(str_eq(serial_served(p, &told), first));
    gnutls_x509_crt_deinit(p->host.crt);
    gnutls_x509_privkey_deinit(p->host.key);
    make_pair(&p->host, "mx.example.org", &p->ca);
    write_pair(p);
    struct str second = serial_served(p, &told);
    assert_false(str_eq(second, first));
    assert_false(str_is_set(told));
    write_file(p, "host.pem", &junk, NULL);
    assert_true(str_eq(serial_served(p, &told), second));
    assert_true(str_is_set(told));
    assert_true(str_eq(serial_served(p, &told), second));
    assert_false(str_is_set(told)); /* told once */
    assert_int_equal(unlink(path(p, "host.pem").p), 0);
    assert_true(str_eq(serial_served(p, &told), second));
    write_pair(p);
    assert_true(str_eq(serial_served(p, &told), second));
}

/* More sets of files than are kept: each still serves. */
static void
many_sets_of_files(void **state)
{
    struct place *p = *state;
    for (int i = 0; i < TLS_ENTRIES_MAX + 1; i++) {
        struct ends e = prepare(p);
        struct str slashes = STR_EMPTY;
        for (int k = 0; k < i; k++)
            slashes = str_cat(p->a, slashes, STR_LIT("/"));
        e.server.credentials.certificates =
            str_cat(p->a, slashes, e.server.credentials.certificates);
        assert_true(shake(p, &e));
        finish(&e);
    }
}

/* --- TLSA --- */

static struct str
part_of(struct arena *a, gnutls_x509_crt_t crt, int selector, int matching)
{
    gnutls_datum_t part;
    gnutls_pubkey_t pub;
    unsigned char hash[64];
    gnutls_digest_algorithm_t d = matching == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
    good(gnutls_pubkey_init(&pub));
    good(gnutls_pubkey_import_x509(pub, crt, 0));
    good(selector == 0 ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &part)
                       : gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &part));
    gnutls_pubkey_deinit(pub);
    struct str whole = str_dup(a, str_from((const char *)part.data, part.size));
    gnutls_free(part.data);
    if (matching == 0)
        return whole;
    good(gnutls_hash_fast(d, whole.p, whole.n, hash));
    return str_dup(a, str_from((const char *)hash, gnutls_hash_get_len(d)));
}

struct verdict {
    int usage;
    struct str why;
};

static bool
judged(struct place *p, struct tlsa *records, size_t n, const char *names, struct verdict *v)
{
    struct ends e = prepare(p);
    struct tls_facts facts;
    e.client.tlsa = records;
    e.client.tlsa_n = n;
    e.client.credentials.trusted = STR_LIT("/dev/null");
    e.client.names = str_from_cstr(names);
    bool ok = shake(p, &e);
    if (ok) {
        lib->facts(e.c, p->a, &facts);
        assert_true(facts.dane && facts.verified);
        v->usage = facts.tlsa_usage;
    } else {
        v->why = str_dup(p->a, e.cf.text);
    }
    finish(&e);
    return ok;
}

static void
records_decide(void **state)
{
    struct place *p = *state;
    struct verdict v = {0, STR_NULL};
    for (int selector = 0; selector <= 1; selector++) {
        for (int matching = 0; matching <= 2; matching++) {
            struct tlsa ee = {3, selector, matching,
                              part_of(p->a, p->host.crt, selector, matching)};
            struct tlsa ta = {2, selector, matching,
                              part_of(p->a, p->ca.crt, selector, matching)};
            assert_true(judged(p, &ee, 1, "other.name", &v)); /* names do not count */
            assert_int_equal(v.usage, 3);
            assert_true(judged(p, &ta, 1, "mx.example.org", &v));
            assert_int_equal(v.usage, 2);
            assert_false(judged(p, &ta, 1, "other.name", &v));
            assert_true(str_eqz(v.why, "certificate invalid"));
            struct tlsa wrong = {3, selector, matching, ta.data};
            assert_false(judged(p, &wrong, 1, "mx.example.org", &v));
            assert_true(str_eqz(v.why, "Verification failed. The certificate differs. "));
            struct tlsa both[] = {wrong, ee};
            assert_true(judged(p, both, 2, "mx.example.org", &v));
        }
    }
    struct tlsa shorter = {3, 1, 1, str_sub(part_of(p->a, p->host.crt, 1, 1), 0, 31)};
    assert_false(judged(p, &shorter, 1, "mx.example.org", &v));
    /* the host's own certificate is no authority */
    struct tlsa own = {2, 0, 1, part_of(p->a, p->host.crt, 0, 1)};
    assert_false(judged(p, &own, 1, "mx.example.org", &v));
    assert_true(str_eqz(v.why, "Verification failed. CA constrains were violated. "));
}

/* Records that mail cannot use: the ordinary check. */
static void
records_without_use(void **state)
{
    struct place *p = *state;
    const struct tlsa pkix[] = {{1, 0, 1, STR_INIT("x")},
                                {3, 7, 1, STR_INIT("x")},
                                {3, 0, 9, STR_INIT("x")},
                                {3, 0, 0, STR_INIT("")}};
    struct ends e = prepare(p);
    e.client.tlsa = pkix;
    e.client.tlsa_n = 4;
    assert_false(tls_dane_is_usable(pkix, 4));
    assert_true(shake(p, &e));
    finish(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(an_end_without_goodbye_is_a_fault),
        cmocka_unit_test(what_is_not_good_is_refused),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(files_are_read_again),
        cmocka_unit_test(many_sets_of_files),
        cmocka_unit_test(records_decide),
        cmocka_unit_test(records_without_use),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
