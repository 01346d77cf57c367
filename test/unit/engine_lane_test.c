/* The fast lane as a whole: written, taken, noted, replayed; every failing call and every death in between. */
#include "lane_fixture.h"

#include "engine/lane_move.h"
#include "engine/lane_segment.h"

#include <limits.h>

#include <sys/wait.h>

static struct lane_note
note_of(unsigned n, const char *address)
{
    return (struct lane_note){.id = id_of(n),
                              .address = address == NULL ? STR_EMPTY : str_from_cstr(address)};
}

static void
test_life(void **state)
{
    (void)state;
    struct lane_ref ref;
    struct lane_taken t, other;
    struct str body;
    char text[2048];
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    assert_non_null(l);
    struct lane_message m = message_of(a, 7, &body);
    assert_int_equal(lane_put(l, &m, body, &ref, &fault), LANE_OK);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_OK);
    assert_string_equal(t.message.id.text, id_of(7).text);
    assert_true(str_eq(t.message.header, m.header) && str_eqz(t.message.log, "log\n"));
    assert_int_equal(t.body_size, body.n);
    assert_int_equal(pread(t.fd, text, sizeof text, t.body_start) >= (ssize_t)body.n, 1);
    assert_memory_equal(text, body.p, body.n);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &other), LANE_TAKE_BUSY);
    assert_true(lane_take_end(&t));
    lane_take_close(&t);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_GONE);
    ref.at += LANE_ALIGN;
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_BAD);
    (void)snprintf(ref.segment, sizeof ref.segment, "seg-none");
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_GONE);
    (void)snprintf(ref.segment, sizeof ref.segment, "seg-../x");
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_BAD);
    lane_close(l);
    struct lane_replay_result r = replay();
    assert_int_equal(r.messages, 0);
    assert_int_equal(r.removed, 1);
    assert_false(standing(7, NULL, false));
    assert_int_equal(count_files("lane", "seg-"), 0);
    wipe();
}

static void
test_caps(void **state)
{
    (void)state;
    struct lane_ref ref;
    struct str body;
    struct lane *l = open_lane(&durable_unsynced, 2 << 20);
    struct lane_message m = message_of(a, 1, &body);
    char *big = arena_zalloc(a, LANE_BODY_MAX + 1, 1);
    assert_int_equal(lane_put(l, &m, str_from(big, LANE_BODY_MAX - 1), &ref, &fault), LANE_OK);
    assert_int_equal(lane_put(l, &m, str_from(big, LANE_BODY_MAX), &ref, &fault), LANE_OK);
    assert_int_equal(lane_put(l, &m, str_from(big, LANE_BODY_MAX + 1), &ref, &fault),
                     LANE_UNFIT);
    assert_int_equal(lane_put(l, &m, STR_EMPTY, &ref, &fault), LANE_OK);
    lane_close(l);
    /* What a segment cannot hold. */
    l = open_lane(&durable_unsynced, 4096);
    assert_int_equal(lane_put(l, &m, str_from(big, 4096), &ref, &fault), LANE_UNFIT);
    lane_close(l);
    assert_null(open_lane(&durable_unsynced, LANE_SEGMENT_MAX + 1));
    wipe();
}

/* Many segments; those whose messages have gone go, and are used again. */
static void
test_rotation(void **state)
{
    (void)state;
    struct lane_ref refs[300];
    struct lane_taken t;
    struct lane *l = open_lane(&durable_unsynced, 8192);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(put_message(l, i, &refs[i]), LANE_OK);
    size_t many = count_files("lane", "seg-");
    assert_true(many > 10 && many == lane_figures(l).segments);
    for (unsigned i = 0; i < 300; i++) {
        struct lane_note n = note_of(i, NULL);
        if (i % 100 == 50)
            continue;
        assert_int_equal(lane_take(a, lane_directory(l), &refs[i], &t), LANE_TAKE_OK);
        assert_int_equal(lane_note(l, LANE_KIND_DONE, &n, LANE_LATER, &fault), LANE_OK);
        assert_true(lane_take_end(&t));
        lane_take_close(&t);
    }
    lane_close(l);
    struct lane_replay_result r = replay();
    assert_int_equal(r.messages, 3);
    assert_int_equal(r.moved, 3);
    assert_int_equal(count_files("input", ""), 6);
    assert_int_equal(count_files("lane", "free-"), LANE_FREE_MAX);
    for (unsigned i = 50; i < 300; i += 100)
        assert_true(standing(i, NULL, true));
    /* Its own notes of what moved are of no use any more. */
    (void)replay();
    (void)replay();
    assert_int_equal(count_files("lane", "seg-"), 0);
    /* A file that is used again shows nothing of what was in it. */
    l = open_lane(&durable_unsynced, 8192);
    assert_int_equal(put_message(l, 1, &refs[0]), LANE_OK);
    lane_close(l);
    r = replay();
    assert_int_equal(r.messages, 1);
    wipe();
}

static void
test_notes_count(void **state)
{
    (void)state;
    struct lane_ref ref;
    size_t done;
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    struct lane *deliver = open_lane(&durable_unsynced, LANE_SEGMENT_NOTES);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(put_message(l, i, &ref), LANE_OK);
    struct lane_note some = note_of(1, "x@y"), all = note_of(2, NULL), bad = note_of(3, "x\n");
    assert_int_equal(lane_note(deliver, LANE_KIND_RECIPIENT, &some, LANE_WAIT, &fault),
                     LANE_OK);
    assert_int_equal(lane_note(deliver, LANE_KIND_DONE, &all, LANE_WAIT, &fault), LANE_OK);
    assert_int_equal(lane_note(deliver, LANE_KIND_RECIPIENT, &bad, LANE_WAIT, &fault),
                     LANE_UNFIT);
    all = note_of(4, NULL);
    assert_int_equal(lane_note(deliver, LANE_KIND_ABORT, &all, LANE_WAIT, &fault), LANE_OK);
    lane_close(l);
    lane_close(deliver);
    struct lane_replay_result r = replay();
    assert_int_equal(r.moved, 3);
    assert_true(standing(0, &done, false) && done == 0);
    assert_true(standing(1, &done, false) && done == 1);
    assert_false(standing(2, NULL, false));
    assert_true(standing(3, &done, false) && done == 0);
    assert_false(standing(4, NULL, false));
    r = replay();
    assert_int_equal(r.messages, 0);
    assert_int_equal(count_files("input", ""), 6);
    wipe();
}

/* Someone works on it, or it is young: it stays. */
static void
test_left_alone(void **state)
{
    (void)state;
    struct lane_ref ref;
    struct lane_taken t;
    struct lane_replay_result r;
    struct str body;
    struct timespec now;
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    struct lane_replay rp = {
        .spool = root, .calls = &durable_unsynced, .lane = l, .say = say_nothing};
    assert_int_equal(put_message(l, 0, &ref), LANE_OK);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_OK);
    assert_true(lane_replay_run(&rp, &r));
    assert_true(r.busy == 1 && r.moved == 0 && r.removed == 0);
    lane_take_close(&t);
    clock_gettime(CLOCK_REALTIME, &now);
    struct lane_message m = message_of(a, 1, &body);
    m.id = message_id_make(&(struct message_id_source){
        .now = now, .pid = 1, .host = MESSAGE_ID_HOST_NONE, .form = MESSAGE_ID_NEW});
    assert_int_equal(lane_put(l, &m, body, &ref, &fault), LANE_OK);
    rp.age_s = 60;
    assert_true(lane_replay_run(&rp, &r));
    assert_true(r.young == 1 && r.moved == 1); /* the first one has an old id */
    rp.before_s = now.tv_sec;
    assert_true(lane_replay_run(&rp, &r));
    assert_true(r.young == 1 && r.moved == 0);
    rp.before_s = now.tv_sec + 1; /* it came before that, so its age does not count */
    assert_true(lane_replay_run(&rp, &r));
    assert_true(r.young == 0 && r.busy == 1); /* who put it there still has its lock */
    assert_true(standing(0, NULL, false));
    lane_close(l);
    wipe();
}

static void
count_moved(void *ctx, const struct spool_place *place, const struct message_id *id)
{
    unsigned *n = ctx;
    assert_true(message_id_time(id) > 0 && (place->queue == NULL || place->queue[0] == '\0'));
    ++*n;
}

/* A part at a time, each message told of once. */
static void
test_in_parts(void **state)
{
    (void)state;
    enum { MESSAGES = 5, PART = 2 };
    struct lane_ref ref;
    struct lane_replay_result r;
    unsigned told = 0, calls = 0;
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    struct lane *own = open_lane(&durable_unsynced, TEST_SEGMENT);
    struct lane_replay rp = {.spool = root,
                             .calls = &durable_unsynced,
                             .lane = own,
                             .most = PART,
                             .moved = count_moved,
                             .ctx = &told};
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_int_equal(put_message(l, i, &ref), LANE_OK);
    lane_close(l);
    do {
        assert_true(lane_replay_run(&rp, &r) && r.moved <= PART);
        calls++;
    } while (r.left > 0);
    assert_true(told == MESSAGES && calls == 3);
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_true(standing(i, NULL, false));
    lane_close(own);
    wipe();
}

/* --- faults --- */

/* The calls that writing some messages makes. */
static int
calls_of(int (*work)(const struct durable_calls *c))
{
    const struct durable_calls c = faulty_calls();
    faults_set(0, 0);
    (void)work(&c);
    int n = faults.calls;
    wipe();
    return n;
}

enum { MESSAGES = 4 };
static enum lane_result results[MESSAGES];

/* Small segments, so that one is changed for another. */
static int
write_some(const struct durable_calls *c)
{
    struct lane_ref ref;
    struct lane *l = open_lane(c, 4096);
    if (l == NULL)
        return 1;
    for (unsigned i = 0; i < MESSAGES; i++)
        results[i] = put_message(l, 20 + i, &ref);
    lane_close(l);
    return 0;
}

static void
test_errors(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    const struct durable_calls c = faulty_calls();
    int n = calls_of(write_some);
    assert_true(n > 15);
    for (size_t e = 0; e < 2; e++)
        for (int at = 1; at <= n; at++) {
            int failed = 0;
            faults_set(at, errors[e]);
            faults.short_writes = at % 2 == 0;
            assert_int_equal(write_some(&c), 0);
            faults_set(0, 0);
            (void)replay();
            for (unsigned i = 0; i < MESSAGES; i++) {
                failed += results[i] != LANE_OK;
                assert_int_equal(standing(20 + i, NULL, true), results[i] == LANE_OK);
            }
            assert_true(failed <= 1);
            (void)replay();
            assert_int_equal(count_files("input", ""), 0);
            wipe();
        }
}

/* In a child that dies at its n-th call; what was acknowledged comes back as bits. */
static unsigned
acknowledged_until(int at)
{
    int p[2], status;
    unsigned bits = 0;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct lane_ref ref;
        const struct durable_calls c = faulty_calls();
        faults_set(at, 0);
        faults.kill = true;
        struct lane *l = open_lane(&c, 4096);
        for (unsigned char i = 0; l != NULL && i < MESSAGES; i++)
            if (put_message(l, 20u + i, &ref) == LANE_OK && write(p[1], &i, 1) != 1)
                _exit(2);
        lane_close(l);
        _exit(0);
    }
    close(p[1]);
    for (unsigned char i; read(p[0], &i, 1) == 1;)
        bits |= 1u << i;
    close(p[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return bits;
}

static void
test_kill_writer(void **state)
{
    (void)state;
    int n = calls_of(write_some);
    for (int at = 1; at <= n; at++) {
        unsigned bits = acknowledged_until(at), extra = 0;
        (void)replay();
        for (unsigned i = 0; i < MESSAGES; i++) {
            bool there = standing(20 + i, NULL, true);
            assert_true(there || (bits & 1u << i) == 0);
            extra += there && (bits & 1u << i) == 0;
        }
        assert_true(extra <= 1); /* the one at hand */
        (void)replay();
        assert_int_equal(count_files("input", ""), 0);
        wipe();
    }
}

/* Three messages in the lane: one untouched, one with an address done, one done. */
static void
fill_lane(void)
{
    struct lane_ref ref;
    struct lane_note some = note_of(31, "x@y"), all = note_of(32, NULL);
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    for (unsigned i = 30; i < 33; i++)
        assert_int_equal(put_message(l, i, &ref), LANE_OK);
    assert_int_equal(lane_note(l, LANE_KIND_RECIPIENT, &some, LANE_WAIT, &fault), LANE_OK);
    assert_int_equal(lane_note(l, LANE_KIND_DONE, &all, LANE_WAIT, &fault), LANE_OK);
    lane_close(l);
}

static int
replay_faulty(const struct durable_calls *c)
{
    (void)replay_with(c, NULL);
    return 0;
}

static void
replay_in_child(int at)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct durable_calls c = faulty_calls();
        faults_set(at, 0);
        faults.kill = true;
        (void)replay_faulty(&c);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Takes what is in the standing lane, as a queue run between two replays would. */
static void
deliver(unsigned counts[3])
{
    for (unsigned i = 0; i < 3; i++) {
        size_t done = 0;
        bool there = standing(30 + i, &done, true);
        counts[i] += there;
        assert_true(!there || done == (i == 1));
    }
}

static void
replay_broken(int at, int error)
{
    unsigned counts[3] = {0, 0, 0};
    fill_lane();
    if (error == 0) {
        replay_in_child(at);
    } else {
        const struct durable_calls c = faulty_calls();
        faults_set(at, error);
        (void)replay_faulty(&c);
        faults_set(0, 0);
    }
    deliver(counts);
    for (int i = 0; i < 3; i++) {
        (void)replay();
        deliver(counts);
    }
    if (counts[0] != 1 || counts[1] != 1)
        print_message("call %d, error %d: %u %u\n", at, error, counts[0], counts[1]);
    assert_true(counts[0] == 1 && counts[1] == 1 && counts[2] == 0);
    assert_int_equal(count_files("input", ""), 0);
    assert_int_equal(count_files("lane", "seg-"), 0);
    wipe();
}

static void
test_replay_faults(void **state)
{
    (void)state;
    fill_lane();
    int n = calls_of(replay_faulty);
    assert_true(n > 15);
    for (int at = 1; at <= n; at++) {
        replay_broken(at, 0);
        replay_broken(at, EIO);
        replay_broken(at, ENOSPC);
    }
}

/* --- a bad disk --- */

/* Changes n bytes of the only segment at `at` from the place of the ref. */
static void
spoil(const struct lane_ref *ref, off_t at, const void *p, size_t n)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/lane/%s", root, ref->segment);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, p, n, (off_t)ref->at + at), n);
    close(fd);
}

static void
test_gap(void **state)
{
    (void)state;
    struct lane_ref refs[4];
    unsigned said = 0;
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(put_message(l, 40 + i, &refs[i]), LANE_OK);
    lane_close(l);
    spoil(&refs[1], 0, "xxxx", 4);              /* its head */
    spoil(&refs[2], LANE_HEAD + 60, "\xff", 1); /* a byte of its envelope */
    struct lane_replay_result r = replay_with(&durable_unsynced, &said);
    assert_true(standing(40, NULL, false) && standing(43, NULL, false));
    assert_false(standing(41, NULL, false) || standing(42, NULL, false));
    assert_true(r.damaged == 1 && said >= 2);
    assert_int_equal(count_files("lane", "bad-"), 1); /* for a human */
    said = 0;
    (void)replay_with(&durable_unsynced, &said);
    assert_int_equal(said, 0);
    wipe();
}

static void
test_torn_tail(void **state)
{
    (void)state;
    struct lane_ref refs[2];
    struct stat st;
    char path[300];
    /* Every length at which the file system may have lost the end. */
    for (off_t lost = 1; lost < 2500; lost += 61) {
        struct lane *l = open_lane(&durable_unsynced, 4096);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(put_message(l, 3 + i, &refs[i]), LANE_OK);
        lane_close(l);
        (void)snprintf(path, sizeof path, "%s/lane/%s", root, refs[1].segment);
        assert_int_equal(stat(path, &st), 0);
        off_t end = (off_t)refs[1].at + 700; /* behind the last record */
        assert_int_equal(truncate(path, end > lost ? end - lost : 0), 0);
        (void)replay();
        bool first = standing(3, NULL, false), second = standing(4, NULL, false);
        assert_true(first || !second);
        wipe();
    }
}

static void
test_not_a_segment(void **state)
{
    (void)state;
    char path[300];
    unsigned said = 0;
    (void)snprintf(path, sizeof path, "%s/lane", root);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/lane/seg-empty", root);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    (void)snprintf(path, sizeof path, "%s/lane/seg-link", root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    (void)snprintf(path, sizeof path, "%s/lane/seg-pipe", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct lane_replay_result r = replay_with(&durable_unsynced, &said);
    assert_true(r.messages == 0 && said > 0);
    wipe();
}

/* --- lists --- */

static void
list_one(void *ctx, const struct lane_listed *m)
{
    unsigned *n = ctx;
    assert_true(m->body_size > 0 && m->message.header.n > 0);
    ++*n;
}

/* --- files that are being made, and who cleans --- */

static unsigned cleaned;

static int
open_and_clean(int dir, const char *name, int flags, mode_t mode)
{
    int fd = durable_unsynced.open_at(dir, name, flags, mode);
    if (strncmp(name, "new-", 4) == 0 && cleaned > 0) {
        cleaned--;
        lane_segment_clean(&durable_unsynced, dir);
    }
    return fd;
}

static void
test_cleaned_while_made(void **state)
{
    (void)state;
    struct lane_ref ref;
    struct durable_calls c = durable_unsynced;
    c.open_at = open_and_clean;
    for (unsigned times = 1; times <= 7; times += 3) {
        cleaned = times;
        struct lane *l = open_lane(&c, TEST_SEGMENT);
        assert_non_null(l);
        assert_int_equal(put_message(l, 0, &ref), LANE_OK);
        assert_int_equal(cleaned, 0);
        assert_int_equal(count_files("lane", "seg-"), 1);
        assert_int_equal(count_files("lane", "new-"), 0);
        lane_close(l);
        wipe();
    }
    cleaned = UINT_MAX; /* for ever: an error, and nothing is left */
    struct lane *l = open_lane(&c, TEST_SEGMENT);
    assert_true(l == NULL || put_message(l, 0, &ref) != LANE_OK);
    lane_close(l);
    assert_int_equal(count_files("lane", ""), 0);
    wipe();
}

/* --- what is written beside a message is there before it is seen --- */

static void
test_move_is_seen_last(void **state)
{
    (void)state;
    struct lane_ref ref;
    struct lane_taken t;
    struct spool_header h;
    struct spool_entry e;
    struct spool_fault f;
    const struct spool_place place = {.root = root};
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    assert_int_equal(put_message(l, 0, &ref), LANE_OK);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_OK);
    assert_true(spool_header_parse(a, &t.message.id, t.message.header, &h, &f));
    assert_int_equal(lane_move_begin(a, l, &place, &t, &h, &e, &f), SPOOL_OK);
    assert_true(e.body >= 0);
    assert_int_equal(count_files("input", t.message.id.text), 1); /* -D */
    assert_int_equal(lane_move_end(&t, &e, &f), SPOOL_OK);
    assert_int_equal(count_files("input", t.message.id.text), 2);
    spool_close(&e);
    lane_take_close(&t);
    assert_true(standing(0, NULL, false));
    lane_close(l);
    wipe();
}

static void
note_move(void *ctx, const struct spool_place *place, const struct lane_message *m)
{
    unsigned *seen = ctx;
    assert_string_equal(place->root, root);
    assert_int_equal(count_files("input", m->id.text), 1);
    assert_true(str_eqz(m->log, "log\n"));
    ++*seen;
}

static void
test_replay_is_seen_last(void **state)
{
    (void)state;
    unsigned seen = 0;
    struct lane_ref ref;
    struct lane_replay_result r;
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    struct lane_replay rp = {.spool = root,
                             .calls = &durable_unsynced,
                             .lane = l,
                             .say = say_nothing,
                             .moves = note_move,
                             .ctx = &seen};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(put_message(l, i, &ref), LANE_OK);
    assert_true(lane_replay_run(&rp, &r));
    assert_true(r.moved == 3 && seen == 3);
    assert_int_equal(count_files("input", ""), 6);
    assert_true(lane_replay_run(&rp, &r) && seen == 3);
    lane_close(l);
    wipe();
}

static void
test_list(void **state)
{
    (void)state;
    unsigned n = 0;
    struct lane_ref ref;
    struct lane_taken t;
    assert_true(lane_replay_list(root, list_one, &n) && n == 0);
    struct lane *l = open_lane(&durable_unsynced, TEST_SEGMENT);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(put_message(l, i, &ref), LANE_OK);
    assert_int_equal(lane_take(a, lane_directory(l), &ref, &t), LANE_TAKE_OK);
    assert_true(lane_replay_list(root, list_one, &n) && n == 3);
    assert_true(lane_take_end(&t));
    lane_take_close(&t);
    n = 0;
    assert_true(lane_replay_list(root, list_one, &n) && n == 2);
    lane_close(l);
    wipe();
}

static void
test_ref_text(void **state)
{
    (void)state;
    char text[LANE_REF_TEXT_MAX];
    struct lane_ref ref = {.segment = "seg-1", .at = 12345}, back;
    lane_ref_write(&ref, text);
    assert_string_equal(text, "@seg-1@12345");
    assert_true(lane_ref_read(str_from_cstr(text), &back));
    assert_true(back.at == ref.at && strcmp(back.segment, ref.segment) == 0);
    memset(ref.segment, 'x', LANE_NAME_MAX - 1);
    ref.at = UINT64_MAX;
    lane_ref_write(&ref, text);
    assert_true(lane_ref_read(str_from_cstr(text), &back) && back.at == ref.at);
    static const char *const bad[] = {
        "",          "queue",
        "@",         "@seg-1",
        "@seg-1@",   "@seg-1@x",
        "@seg-1@1 ", "@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(lane_ref_read(str_from_cstr(bad[i]), &back));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_notes_count),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_in_parts),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_kill_writer),
        cmocka_unit_test(test_replay_faults),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_torn_tail),
        cmocka_unit_test(test_not_a_segment),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_ref_text),
        cmocka_unit_test(test_cleaned_while_made),
        cmocka_unit_test(test_move_is_seen_last),
        cmocka_unit_test(test_replay_is_seen_last),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
