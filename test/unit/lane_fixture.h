/* A spool directory of its own with a fast lane, for its tests. */
#ifndef REMEX_TEST_LANE_FIXTURE_H
#define REMEX_TEST_LANE_FIXTURE_H

#include "base/arena.h"
#include "durable_faults.h"
#include "engine/lane.h"
#include "engine/lane_replay.h"
#include "engine/lane_take.h"
#include "engine/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEST_SEGMENT = 64 * 1024 };

static char root[] = "/tmp/remex_lane_XXXXXX";
static struct arena *a;
static struct durable_fault fault;

/* Nothing here cuts the power: what the kernel has is safe, and the tests need not wait for the disk. */
static inline int
fault_no_sync(int fd)
{
    (void)fd;
    return fault_due("fsync", "") ? -1 : 0;
}

static inline struct durable_calls
faulty_calls(void)
{
    struct durable_calls c = faulty;
    c.sync = c.sync_content = fault_no_sync;
    return c;
}

static inline void
wipe_directory(const char *path)
{
    DIR *d = opendir(path);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        closedir(d);
    (void)rmdir(path);
}

static inline void
wipe(void)
{
    static const char *const parts[] = {"input", "lane", "q/input", "q"};
    char path[300];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", root, parts[i]);
        wipe_directory(path);
    }
}

static inline int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return mkdtemp(root) == NULL;
}

static inline int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    wipe();
    return rmdir(root);
}

static inline struct message_id
id_of(unsigned n)
{
    struct message_id id;
    (void)snprintf(id.text, sizeof id.text, "1xVNEb-0000007%04u-0001", n % 10000);
    return id;
}

/* Message n: to x@y and z@y, with a body that only it has. */
static inline struct lane_message
message_of(struct arena *in, unsigned n, struct str *body)
{
    struct spool_header h;
    struct spool_fault f;
    struct lane_message m = {.id = id_of(n), .queue = STR_EMPTY, .log = STR_LIT("log\n")};
    spool_header_init(&h);
    h.id = m.id;
    h.login = STR_LIT("remex");
    h.uid = h.gid = 1;
    h.sender = STR_LIT("a@b");
    vec_push(in, &h.recipients,
             ((struct spool_recipient){.address = STR_LIT("x@y"), .parent = SPOOL_NONE}));
    vec_push(in, &h.recipients,
             ((struct spool_recipient){.address = STR_LIT("z@y"), .parent = SPOOL_NONE}));
    assert_true(
        header_list_add(in, &h.headers, str_printf(in, "Subject: %u", n), HEADER_AT_END));
    assert_true(spool_header_format(in, &h, &m.header, &f));
    *body = str_printf(in, "body of %u\n%*s\n", n, (int)(n * 37 % 900), "");
    return m;
}

static inline struct lane *
open_lane(const struct durable_calls *calls, uint64_t size)
{
    struct lane_settings s = {.spool = root, .calls = calls, .segment_size = size};
    return lane_open(&s, &fault);
}

static inline enum lane_result
put_message(struct lane *l, unsigned n, struct lane_ref *ref)
{
    struct durable_fault f;
    struct arena *own = arena_new();
    struct str body;
    struct lane_message m = message_of(own, n, &body);
    enum lane_result r = lane_put(l, &m, body, ref, &f);
    arena_free(own);
    return r;
}

static inline void
say_nothing(void *ctx, struct str id, const char *text)
{
    unsigned *n = ctx;
    (void)id;
    (void)text;
    if (n != NULL)
        ++*n;
}

/* Replay as at start, with a lane of its own. */
static inline struct lane_replay_result
replay_with(const struct durable_calls *calls, unsigned *said)
{
    struct lane_replay_result r = {.messages = 0};
    struct lane *l = open_lane(calls, TEST_SEGMENT);
    struct lane_replay rp = {
        .spool = root, .calls = calls, .lane = l, .say = say_nothing, .ctx = said};
    if (l != NULL)
        (void)lane_replay_run(&rp, &r);
    lane_close(l);
    return r;
}

static inline struct lane_replay_result
replay(void)
{
    return replay_with(&durable_unsynced, NULL);
}

static inline size_t
count_files(const char *folder, const char *prefix)
{
    size_t n = 0;
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *d = opendir(path);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (d != NULL)
        closedir(d);
    return n;
}

/* True if message n is whole in the standing lane; *done: how many addresses are. When `take` is set it is removed, as who
 * delivers it would. */
static inline bool
standing(unsigned n, size_t *done, bool take)
{
    struct spool_place place = {.root = root};
    struct spool_fault f;
    struct spool_entry e;
    struct spool_header h;
    char text[2048];
    struct message_id id = id_of(n);
    struct arena *own = arena_new();
    struct str body;
    (void)message_of(own, n, &body);
    if (spool_open(&place, &durable_unsynced, &id, &e, &f) != SPOOL_OK) {
        arena_free(own);
        return false;
    }
    bool found = spool_read(own, &e, &h, &f) == SPOOL_OK;
    if (found) {
        ssize_t got = pread(e.body, text, sizeof text, e.body_start);
        assert_true(got >= 0 && str_eq(str_from(text, (size_t)got), body));
        assert_int_equal(h.recipients.n, 2);
        if (done != NULL)
            *done = h.done.nodes.n;
        if (take)
            assert_int_equal(spool_remove(&e, &f), SPOOL_OK);
    }
    spool_close(&e);
    arena_free(own);
    return found;
}

#endif
