/* Marks of hints: who removes the file of a kind has removed its records, and nothing else. */
#include "sys/hints_mark.h"

#include "hints_room.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

/* A store as another process sees it, which remembers no marks. */
static void
open_again(struct room *r, bool reads_only)
{
    struct str error;
    arena_free(r->a);
    r->a = arena_new();
    r->h = reads_only ? hints_open_to_read(r->a, r->directory, &error)
                      : hints_open(r->a, r->directory, &error);
    assert_false(str_is_set(error));
}

static void
path_of(const struct room *r, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", r->directory, name);
}

static bool
has_file(const struct room *r, const char *name)
{
    char path[256];
    path_of(r, name, path);
    return access(path, F_OK) == 0;
}

static void
remove_file(const struct room *r, const char *name)
{
    char path[256];
    path_of(r, name, path);
    assert_int_equal(unlink(path), 0);
}

static bool
has(struct room *r, enum hints_kind k, const char *key)
{
    struct str v;
    return hints_get(r->h, r->a, k, str_from_cstr(key), 1, &v);
}

static void
put(struct room *r, enum hints_kind k, const char *key)
{
    assert_true(hints_put(r->h, k, str_from_cstr(key), 1, STR_LIT("v")));
}

static void
test_names(void **state)
{
    static const struct {
        enum hints_kind kind;
        const char *key, *name; /* NULL: none */
    } rows[] = {
        {HINTS_RETRY, "R:x/y", "retry"},
        {HINTS_MISC, "", "misc"},
        {HINTS_ONCE, "x", NULL},
        {HINTS_WAIT, "remote_smtp/host/id", "wait-remote_smtp"},
        {HINTS_WAIT, "no slash", NULL},
        {HINTS_WAIT, "/host/id", NULL},
        {HINTS_WAIT, "a b/host/id", NULL},
        {HINTS_WAIT, "\xc3\xa9/host/id", NULL},
    };
    char name[HINTS_MARK_NAME], key[HINTS_MARK_NAME + 8];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found = hints_mark_name(rows[i].kind, str_from_cstr(rows[i].key), name);
        assert_int_equal(found, rows[i].name != NULL);
        if (found)
            assert_string_equal(name, rows[i].name);
    }
    for (size_t n = HINTS_MARK_NAME - 7; n <= HINTS_MARK_NAME - 5; n++) { /* "wait-" and NUL */
        memset(key, 't', n);
        key[n] = '/';
        assert_int_equal(hints_mark_name(HINTS_WAIT, str_from(key, n + 1), name),
                         n <= HINTS_MARK_NAME - 6);
    }
}

static void
test_removed(void **state)
{
    struct room *r = *state;
    put(r, HINTS_RETRY, "T:a");
    put(r, HINTS_MISC, "m");
    open_again(r, false);
    assert_true(has(r, HINTS_RETRY, "T:a"));
    assert_true(has_file(r, "retry"));
    remove_file(r, "retry");
    assert_true(has(r, HINTS_RETRY, "T:a")); /* it has just been looked at */
    nanosleep(&(struct timespec){.tv_nsec = (HINTS_MARK_FRESH_MS + 50) * 1000000L}, NULL);
    assert_false(has(r, HINTS_RETRY, "T:a"));
    assert_true(has_file(r, "retry"));
    assert_true(has(r, HINTS_MISC, "m"));
    put(r, HINTS_RETRY, "T:b");
    open_again(r, false);
    assert_true(has(r, HINTS_RETRY, "T:b"));
    assert_false(has(r, HINTS_RETRY, "T:a"));
}

static bool
count(void *ctx, struct str old, struct str *value)
{
    assert_false(str_is_set(old));
    *value = STR_LIT("new");
    ++*(int *)ctx;
    return true;
}

/* Who writes forgets as well, and before. */
static void
test_removed_before_writing(void **state)
{
    struct room *r = *state;
    int calls = 0;
    put(r, HINTS_RATELIMIT, "k");
    put(r, HINTS_RATELIMIT, "other");
    open_again(r, false);
    remove_file(r, "ratelimit");
    assert_true(hints_update(r->h, r->a, HINTS_RATELIMIT, STR_LIT("k"), 1, count, &calls));
    assert_int_equal(calls, 1);
    assert_true(has(r, HINTS_RATELIMIT, "k"));
    assert_false(has(r, HINTS_RATELIMIT, "other"));
}

/* Another file in its place is not the one that was known, whatever its number. */
static void
test_replaced(void **state)
{
    struct room *r = *state;
    char path[256];
    put(r, HINTS_CALLOUT, "k");
    remove_file(r, "callout");
    nanosleep(&(struct timespec){.tv_nsec = 20000000L},
              NULL); /* births are told apart by ticks */
    path_of(r, "callout", path);
    close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
    open_again(r, false);
    assert_false(has(r, HINTS_CALLOUT, "k"));
}

/* One that was there before the store was told of it counts as its mark. */
static void
test_found(void **state)
{
    struct room *r = *state;
    char path[256];
    path_of(r, "seen", path);
    close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
    put(r, HINTS_SEEN, "k");
    open_again(r, false);
    assert_true(has(r, HINTS_SEEN, "k"));
    remove_file(r, "seen");
    open_again(r, false);
    assert_false(has(r, HINTS_SEEN, "k"));
}

static bool
collect(void *ctx, struct str key, uint16_t version, struct str value)
{
    (void)version;
    (void)value;
    strncat(ctx, key.p, key.n);
    strcat(ctx, " ");
    return true;
}

static void
test_transports(void **state)
{
    struct room *r = *state;
    const struct str keys[] = {STR_LIT("a/h/1"), STR_LIT("a/h/2"), STR_LIT("b/h/1"),
                               STR_LIT("ab/h/1"), STR_LIT("c c/h/1")};
    char text[128] = "";
    assert_true(hints_add(r->h, HINTS_WAIT, keys, 5, 1));
    assert_true(has_file(r, "wait-a") && has_file(r, "wait-b") && has_file(r, "wait-ab"));
    open_again(r, false);
    remove_file(r, "wait-a");
    hints_each(r->h, HINTS_WAIT, collect, text);
    assert_string_equal(text, "ab/h/1 b/h/1 c c/h/1 ");
    assert_false(has(r, HINTS_WAIT, "a/h/1"));
    open_again(r, false);
    remove_file(r, "wait-b");
    assert_false(str_is_set(hints_first(r->h, r->a, HINTS_WAIT, STR_LIT("b/h/"), STR_EMPTY)));
    assert_true(str_is_set(hints_first(r->h, r->a, HINTS_WAIT, STR_LIT("ab/h/"), STR_EMPTY)));
    open_again(r, false);
    remove_file(r, "wait-ab");
    assert_true(hints_add(r->h, HINTS_WAIT, keys, 1, 1)); /* of another transport */
    assert_false(has(r, HINTS_WAIT, "ab/h/1"));
    assert_true(has(r, HINTS_WAIT, "a/h/1"));
}

/* More transports than a process remembers. */
static void
test_many_transports(void **state)
{
    struct room *r = *state;
    char key[32];
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 2 * HINTS_MARK_KNOWN; i++) {
            snprintf(key, sizeof key, "t%d/h/1", i);
            assert_int_equal(has(r, HINTS_WAIT, key), turn == 1);
            put(r, HINTS_WAIT, key);
        }
    open_again(r, false);
    remove_file(r, "wait-t40");
    assert_false(has(r, HINTS_WAIT, "t40/h/1"));
    assert_true(has(r, HINTS_WAIT, "t41/h/1"));
}

/* Who may not write sees what the next writer will. */
static void
test_read_only(void **state)
{
    struct room *r = *state;
    char text[128] = "";
    put(r, HINTS_RETRY, "T:a");
    put(r, HINTS_MISC, "m");
    open_again(r, true);
    assert_true(has(r, HINTS_RETRY, "T:a"));
    remove_file(r, "retry");
    open_again(r, true);
    assert_false(has(r, HINTS_RETRY, "T:a"));
    hints_each(r->h, HINTS_RETRY, collect, text);
    assert_false(str_is_set(hints_first(r->h, r->a, HINTS_RETRY, STR_LIT("T:"), STR_EMPTY)));
    assert_string_equal(text, "");
    assert_true(has(r, HINTS_MISC, "m"));
    assert_false(has_file(r, "retry"));
}

/* Where no mark can be made, the records go once and are kept from then on. */
static void
test_no_room_for_marks(void **state)
{
    static const char *const files[] = {"hints.lmdb", "hints.lmdb-lock", "tls"};
    const struct timespec later = {.tv_nsec = (HINTS_MARK_FRESH_MS + 50) * 1000000L};
    struct room *r = *state;
    put(r, HINTS_TLS, "k");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove_file(r, files[i]); /* it is open */
    assert_int_equal(rmdir(r->directory), 0);
    nanosleep(&later, NULL);
    assert_false(has(r, HINTS_TLS, "k"));
    put(r, HINTS_TLS, "k");
    nanosleep(&later, NULL);
    assert_true(has(r, HINTS_TLS, "k"));
}

#define WITH_ROOM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        WITH_ROOM(test_removed),
        WITH_ROOM(test_removed_before_writing),
        WITH_ROOM(test_replaced),
        WITH_ROOM(test_found),
        WITH_ROOM(test_transports),
        WITH_ROOM(test_many_transports),
        WITH_ROOM(test_read_only),
        WITH_ROOM(test_no_room_for_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
