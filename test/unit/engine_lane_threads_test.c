/* The fast lane under many threads: each message is taken by one deliverer or moved by replay, never both, never none. */
#include "lane_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 6, EACH = 120, ALL = THREADS * EACH };

static struct lane *lane;
static atomic_uint taken[ALL], faults_seen;
static atomic_bool stop;

static void
take_one(unsigned n, const struct lane_ref *ref)
{
    struct durable_fault f;
    struct lane_taken t;
    struct lane_note note = {.id = id_of(n)};
    struct arena *own = arena_new();
    enum lane_take_result r = lane_take(own, lane_directory(lane), ref, &t);
    if (r == LANE_TAKE_OK) {
        atomic_fetch_add(&taken[n], 1);
        if (lane_note(lane, LANE_KIND_DONE, &note, n % 2 ? LANE_WAIT : LANE_LATER, &f) !=
                LANE_OK ||
            !lane_take_end(&t))
            atomic_fetch_add(&faults_seen, 1);
        lane_take_close(&t);
    } else if (r != LANE_TAKE_GONE && r != LANE_TAKE_BUSY) {
        atomic_fetch_add(&faults_seen, 1);
    }
    arena_free(own);
}

static void *
take_in(void *ctx)
{
    unsigned first = *(const unsigned *)ctx;
    struct lane_ref ref;
    for (unsigned i = 0; i < EACH; i++) {
        unsigned n = first + i;
        if (put_message(lane, n, &ref) != LANE_OK)
            atomic_fetch_add(&faults_seen, 1);
        else if (n % 3 != 0)
            take_one(n, &ref);
    }
    return NULL;
}

static void *
replay_again_and_again(void *ctx)
{
    struct lane_replay_result r;
    struct lane_replay rp = {
        .spool = root, .calls = &durable_unsynced, .lane = lane, .say = say_nothing};
    (void)ctx;
    while (!atomic_load(&stop)) {
        if (!lane_replay_run(&rp, &r) || r.damaged > 0 || r.failed > 0)
            atomic_fetch_add(&faults_seen, 1);
        sched_yield();
    }
    return NULL;
}

static void
test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS], replayer;
    unsigned first[THREADS];
    lane = open_lane(&durable_unsynced, 32 * 1024);
    assert_non_null(lane);
    assert_int_equal(pthread_create(&replayer, NULL, replay_again_and_again, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        first[i] = i * EACH;
        assert_int_equal(pthread_create(&threads[i], NULL, take_in, &first[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(replayer, NULL);
    lane_close(lane);
    (void)replay();
    assert_int_equal(atomic_load(&faults_seen), 0);
    for (unsigned n = 0; n < ALL; n++)
        assert_int_equal(atomic_load(&taken[n]) + standing(n, NULL, true), 1);
    (void)replay();
    assert_int_equal(count_files("lane", "seg-"), 0);
    wipe();
}

/* Sync that fails while many wait: all of that batch are told, and what follows works. */
static atomic_uint syncs;

static int
fail_sometimes(int fd)
{
    (void)fd;
    if (atomic_fetch_add(&syncs, 1) % 7 != 3)
        return 0;
    errno = EIO;
    return -1;
}

static atomic_uint accepted[ALL];

static void *
put_in(void *ctx)
{
    unsigned first = *(const unsigned *)ctx;
    struct lane_ref ref;
    for (unsigned i = 0; i < EACH; i++)
        if (put_message(lane, first + i, &ref) == LANE_OK)
            atomic_store(&accepted[first + i], 1);
    return NULL;
}

static void
test_failing_syncs(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    unsigned first[THREADS], lost = 0;
    struct durable_calls c = durable_unsynced;
    c.sync_content = fail_sometimes;
    lane = open_lane(&c, 32 * 1024);
    for (unsigned i = 0; i < THREADS; i++) {
        first[i] = i * EACH;
        assert_int_equal(pthread_create(&threads[i], NULL, put_in, &first[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    lane_close(lane);
    (void)replay();
    for (unsigned n = 0; n < ALL; n++) {
        assert_int_equal(standing(n, NULL, true), atomic_load(&accepted[n]));
        lost += atomic_load(&accepted[n]) == 0;
    }
    assert_true(lost > 0 && lost < ALL);
    wipe();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_failing_syncs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
