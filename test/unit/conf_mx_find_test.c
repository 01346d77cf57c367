/* Unit tests of conf/mx_find.c, conf/host_find.c, conf/resolve.c and conf/csa_find.c with a name server of their own. */
#include "conf/mx_find.h"

#include "conf/csa_find.h"
#include "dns_server.h"
#include "filter/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Hosts that the server has no answer for, and a good one behind them. */
#define WAITING(n, domain)                                                                     \
    {                                                                                          \
        .name = domain, .type = DNS_MX, .number = {n}, .target = "again" #n ".t"               \
    }
#define FAILING_7(domain)                                                                      \
    WAITING(1, domain), WAITING(2, domain), WAITING(3, domain), WAITING(4, domain),            \
        WAITING(5, domain), WAITING(6, domain), WAITING(7, domain),                            \
    {                                                                                          \
        .name = domain, .type = DNS_MX, .number = {10}, .target = "one.t"                      \
    }
#define FAILING_8(domain) FAILING_7(domain), WAITING(8, domain)
#define FAILING(n, domain) FAILING_##n(domain)

static const struct dns_row rows[] = {
    {.name = "one.t", .type = DNS_A, .target = "10.0.0.1"},
    {.name = "two.t", .type = DNS_A, .target = "10.0.0.2"},
    {.name = "safe.t", .type = DNS_A, .target = "10.0.0.3", .secure = true},
    {.name = "alias.t", .type = DNS_CNAME, .target = "one.t"},
    {.name = "round.t", .type = DNS_CNAME, .target = "round.t"},
    {.name = "mx.t", .type = DNS_MX, .number = {20}, .target = "two.t"},
    {.name = "mx.t", .type = DNS_MX, .number = {10}, .target = "one.t"},
    {.name = "mx.t", .type = DNS_MX, .number = {30}, .target = "one.t"},
    {.name = "null.t", .type = DNS_MX, .target = ""},
    {.name = "gone.t", .type = DNS_MX, .number = {5}, .target = "nowhere.t"},
    {.name = "wait.t", .type = DNS_MX, .number = {5}, .target = "again.t"},
    {.name = "wait.t", .type = DNS_MX, .number = {6}, .target = "one.t"},
    FAILING(7, "f7.t"),
    FAILING(8, "f8.t"),
    FAILING(8, "f9.t"),
    {.name = "f9.t", .type = DNS_MX, .number = {9}, .target = "again9.t"},
    {.name = "literal.t", .type = DNS_MX, .number = {5}, .target = "10.0.0.9"},
    {.name = "half.t", .type = DNS_MX, .number = {5}, .target = "safe.t"},
    {.name = "full.t", .type = DNS_MX, .number = {5}, .target = "safe.t", .secure = true},
    {.name = "_s._tcp.srv.t", .type = DNS_SRV, .number = {1, 0, 26}, .target = "one.t"},
    {.name = "_s._tcp.srv.t", .type = DNS_SRV, .number = {0, 5, 27}, .target = "two.t"},
    {.name = "_w._tcp.srv.t", .type = DNS_SRV, .number = {0, 1, 1}, .target = "one.t"},
    {.name = "_w._tcp.srv.t", .type = DNS_SRV, .number = {0, 999, 2}, .target = "two.t"},
    {.name = "srv.t", .type = DNS_A, .target = "10.0.0.8"},
    {.name = "_client._smtp.yes.t", .type = DNS_SRV, .number = {1, 2, 1}, .target = "one.t"},
    {.name = "_client._smtp.no.t", .type = DNS_SRV, .number = {1, 1, 0}, .target = "one.t"},
    {.name = "_client._smtp.old.t", .type = DNS_SRV, .number = {2, 2, 0}, .target = "one.t"},
};

struct fixture {
    struct dns_server server;
    struct arena *arena;
    struct host host;
    struct eval eval;
    struct vm *vm;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    f->vm = vm_new(&f->host, &f->eval);
    f->eval.arena = f->arena;
    *state = f;
    if (!dns_server_start(&f->server, rows, sizeof rows / sizeof *rows))
        return 1;
    f->eval.dns = dns_new(&f->server.address);
    return f->eval.dns == NULL;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    dns_server_stop(&f->server);
    dns_free(f->eval.dns);
    vm_free(f->vm);
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct mx_find
question(struct fixture *f, const char *domain)
{
    return (struct mx_find){.eval = &f->eval,
                            .vm = f->vm,
                            .arena = f->arena,
                            .domain = str_from_cstr(domain),
                            .srv = STR_NULL};
}

static void
assert_host(const struct mx_found *m, size_t i, const char *address, int64_t preference)
{
    assert_true(i < m->hosts.n);
    assert_true(str_eqz(m->hosts.v[i].address, address));
    assert_int_equal(m->hosts.v[i].preference, preference);
}

static void
the_best_comes_first_and_each_address_once(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "mx.t");
    struct mx_found m;
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_int_equal(m.hosts.n, 2);
    assert_host(&m, 0, "10.0.0.1", 10);
    assert_host(&m, 1, "10.0.0.2", 20);
}

static void
without_mx_records_the_domain_is_the_host(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "alias.t");
    struct mx_found m;
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_host(&m, 0, "10.0.0.1", -1);
    assert_true(str_eqz(m.full_name, "alias.t"));
    assert_true(str_eqz(m.hosts.v[0].name, "one.t"));
    assert_true(str_eqz(host_find_head(&m.hosts.v[0]), "alias.t"));
    q.mx_only = true;
    assert_int_equal(mx_find(&q, &m), HOST_NONE);
    q = question(f, "nowhere.t");
    assert_int_equal(mx_find(&q, &m), HOST_NONE);
    assert_int_equal(m.fault, MX_FAULT_NONE);
}

static void
records_may_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *domain;
        enum host_found found;
        enum mx_fault fault;
    } cases[] = {
        {"null.t", HOST_NONE, MX_FAULT_NO_SERVICE}, {"gone.t", HOST_NONE, MX_FAULT_NO_HOST},
        {"literal.t", HOST_NONE, MX_FAULT_ADDRESS}, {"again.t", HOST_AGAIN, MX_FAULT_NONE},
        {"round.t", HOST_AGAIN, MX_FAULT_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mx_find q = question(f, cases[i].domain);
        struct mx_found m;
        assert_int_equal(mx_find(&q, &m), cases[i].found);
        assert_int_equal(m.fault, cases[i].fault);
    }
}

static void
a_better_host_may_be_unknown_for_now(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "wait.t");
    struct mx_found m;
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_host(&m, 0, "10.0.0.1", 6);
    assert_int_equal(m.waiting, 5);
}

/* With eight that the DNS has no answer for, those behind them are not asked for. */
static void
hosts_without_an_answer_have_a_cap(void **state)
{
    struct fixture *f = *state;
    static const char *const domains[] = {"f7.t", "f8.t", "f9.t"};
    for (size_t i = 0; i < 3; i++) {
        struct mx_find q = question(f, domains[i]);
        struct mx_found m;
        assert_int_equal(mx_find(&q, &m), i == 0 ? HOST_FOUND : HOST_AGAIN);
        assert_int_equal(m.waiting, 1);
    }
}

static void
all_of_it_must_be_secure(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "full.t");
    struct mx_found m;
    q.how = HOST_FIND_SECURE_ASK;
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    q.domain = STR_LIT("half.t");
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_false(m.hosts.v[0].dnssec);
    q.how = HOST_FIND_SECURE_NEED;
    assert_int_equal(mx_find(&q, &m), HOST_AGAIN);
    assert_int_equal(m.fault, MX_FAULT_INSECURE);
}

static void
services_have_priorities_and_ports(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "srv.t");
    struct mx_found m;
    q.srv = STR_LIT("none : s");
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_host(&m, 0, "10.0.0.2", 0);
    assert_int_equal(m.hosts.v[0].port, 27);
    assert_host(&m, 1, "10.0.0.1", 1);
    q.srv = STR_LIT("none");
    assert_int_equal(mx_find(&q, &m), HOST_FOUND);
    assert_host(&m, 0, "10.0.0.8", -1);
}

/* Of two services one has 999 of 1000 parts: it is first nearly always, and the other is there. */
static void
weights_count(void **state)
{
    struct fixture *f = *state;
    struct mx_find q = question(f, "srv.t");
    size_t heavy = 0;
    q.srv = STR_LIT("w");
    for (int i = 0; i < 50; i++) {
        struct mx_found m;
        assert_int_equal(mx_find(&q, &m), HOST_FOUND);
        assert_int_equal(m.hosts.n, 2);
        heavy += m.hosts.v[0].port == 2;
    }
    assert_true(heavy > 40); /* fails once in more than 10^20 runs */
}

static void
names_of_addresses_are_reversed(void **state)
{
    struct fixture *f = *state;
    struct ip ip;
    assert_true(ip_parse(STR_LIT("10.1.2.3"), &ip));
    assert_true(str_eqz(host_find_reverse(f->arena, &ip), "3.2.1.10.in-addr.arpa"));
    assert_true(ip_parse(STR_LIT("::1"), &ip));
    struct str v6 = host_find_reverse(f->arena, &ip);
    assert_true(str_starts(v6, "1.0.0.0.") && str_ends(v6, STR_LIT(".ip6.arpa")));
}

static void
clients_are_authorized_or_not(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *domain;
        enum csa_verdict verdict;
    } cases[] = {{"yes.t", CSA_YES},
                 {"no.t", CSA_NO},
                 {"x.y.yes.t", CSA_MISSING},
                 {"x.no.t", CSA_UNKNOWN},
                 {"old.t", CSA_NONE},
                 {"nowhere.t", CSA_NONE},
                 {"1.2.3.4.5.6.yes.t", CSA_NONE},
                 {"[10.1.2.3]", CSA_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csa_found found;
        assert_int_equal(
            csa_find(&f->eval, f->vm, f->arena, str_from_cstr(cases[i].domain), &found),
            cases[i].verdict);
    }
    assert_int_equal(csa_letter(CSA_YES), 'Y');
    assert_int_equal(csa_letter(CSA_MISSING), 'X');
    assert_int_equal(csa_letter(CSA_NONE), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_best_comes_first_and_each_address_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_mx_records_the_domain_is_the_host, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(records_may_lead_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(a_better_host_may_be_unknown_for_now, setup, teardown),
        cmocka_unit_test_setup_teardown(hosts_without_an_answer_have_a_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(all_of_it_must_be_secure, setup, teardown),
        cmocka_unit_test_setup_teardown(services_have_priorities_and_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_count, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_addresses_are_reversed, setup, teardown),
        cmocka_unit_test_setup_teardown(clients_are_authorized_or_not, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
