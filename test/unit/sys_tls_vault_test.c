/* What server processes share of TLS: the key, and a certificate that is made once. */
#include "sys/tls_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sys/memory_file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct maker {
    const char *text; /* NULL: fails */
    unsigned calls;
    unsigned ms; /* how long it takes */
};

static bool
make(void *ctx, struct arena *a, struct str *out)
{
    struct maker *m = ctx;
    const struct timespec work = {.tv_nsec = (long)m->ms * 1000000L};
    m->calls++;
    (void)nanosleep(&work, NULL);
    if (m->text != NULL)
        *out = str_dup(a, str_from_cstr(m->text));
    return m->text != NULL;
}

static void
keys_differ_and_stay(void **state)
{
    unsigned char key[2][TLS_VAULT_KEY], again[TLS_VAULT_KEY];
    int fds[2];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fds[i] = tls_vault_new();
        assert_true(fds[i] >= 0 && tls_vault_key(fds[i], key[i]));
    }
    assert_memory_not_equal(key[0], key[1], TLS_VAULT_KEY);
    struct maker m = {.text = "text"};
    struct arena *a = arena_new();
    (void)tls_vault_identity(a, fds[0], make, &m);
    assert_true(tls_vault_key(fds[0], again));
    assert_memory_equal(key[0], again, TLS_VAULT_KEY);
    arena_free(a);
    close(fds[0]);
    close(fds[1]);
}

static void
made_once_and_unchangeable(void **state)
{
    struct arena *a = arena_new();
    struct maker first = {.text = "one"}, second = {.text = "two"};
    int fd = tls_vault_new();
    (void)state;
    assert_true(str_eqz(tls_vault_identity(a, fd, make, &first), "one"));
    assert_true(str_eqz(tls_vault_identity(a, fd, make, &second), "one"));
    assert_int_equal(second.calls, 0);
    assert_true(memory_file_is_sealed(fd));
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    arena_free(a);
    close(fd);
}

static void
failure_leaves_it_to_the_next(void **state)
{
    struct arena *a = arena_new();
    struct maker bad = {.text = NULL}, good = {.text = "good"};
    int fd = tls_vault_new();
    (void)state;
    assert_false(str_is_set(tls_vault_identity(a, fd, make, &bad)));
    /* who died while writing */
    assert_int_equal(pwrite(fd, "half of a longer text", 21, TLS_VAULT_KEY), 21);
    assert_true(str_eqz(tls_vault_identity(a, fd, make, &good), "good"));
    assert_true(str_eqz(tls_vault_identity(a, fd, make, &bad), "good"));
    arena_free(a);
    close(fd);
}

static void
too_long_is_for_oneself(void **state)
{
    struct arena *a = arena_new();
    char *text = malloc(TLS_VAULT_MAX + 1);
    int fd = tls_vault_new();
    (void)state;
    memset(text, 'x', TLS_VAULT_MAX);
    text[TLS_VAULT_MAX] = '\0';
    struct maker m = {.text = text}, fits = {.text = text + 1};
    assert_int_equal(tls_vault_identity(a, fd, make, &m).n, TLS_VAULT_MAX);
    assert_false(memory_file_is_sealed(fd));
    assert_int_equal(tls_vault_identity(a, fd, make, &fits).n, TLS_VAULT_MAX - 1);
    assert_true(memory_file_is_sealed(fd));
    assert_int_equal(tls_vault_identity(a, fd, make, &m).n, TLS_VAULT_MAX - 1);
    free(text);
    arena_free(a);
    close(fd);
}

/* Several processes at once: one of them makes it. */
static void
one_of_many_makes_it(void **state)
{
    enum { MANY = 4 };
    int fd = tls_vault_new(), told[2];
    unsigned makers = 0, calls;
    (void)state;
    assert_int_equal(pipe(told), 0);
    for (int i = 0; i < MANY; i++)
        if (fork() == 0) {
            struct arena *a = arena_new();
            struct maker m = {.text = "shared", .ms = 200};
            bool ok = str_eqz(tls_vault_identity(a, fd, make, &m), "shared");
            arena_free(a);
            _exit(ok && write(told[1], &m.calls, sizeof m.calls) > 0 ? 0 : 1);
        }
    for (int i = 0; i < MANY; i++) {
        int status;
        assert_true(wait(&status) > 0 && status == 0);
        assert_int_equal(read(told[0], &calls, sizeof calls), sizeof calls);
        makers += calls;
    }
    assert_int_equal(makers, 1);
    close(told[0]);
    close(told[1]);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_differ_and_stay),
        cmocka_unit_test(made_once_and_unchangeable),
        cmocka_unit_test(failure_leaves_it_to_the_next),
        cmocka_unit_test(too_long_is_for_oneself),
        cmocka_unit_test(one_of_many_makes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
