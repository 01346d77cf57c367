/* Segments of the fast lane: whatever the disk holds, replay ends, keeps its caps, and doing it again changes nothing.
 *
 * The first byte of the input says what the rest is: the file as it is, or (odd) a list of records, each of kind, what to
 * spoil, length (2 bytes) and content, which get sums that are good, so that what lies behind the sums is reached.
 */
#include "base/arena.h"
#include "base/crc32c.h"
#include "engine/lane.h"
#include "engine/lane_replay.h"
#include "engine/lane_walk.h"
#include "engine/spool.h"
#include "sys/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECRET = 0x1234 };

static void
add_record(struct buf *b, enum lane_kind kind, uint64_t body, struct str content,
           unsigned spoil)
{
    unsigned char head[LANE_HEAD];
    static const char zeros[LANE_ALIGN] = {0};
    struct lane_head h = {.kind = kind,
                          .length = content.n,
                          .sum = crc32c(0, content.p, content.n) + (spoil == 1),
                          .body = kind == LANE_KIND_MESSAGE ? body : 0,
                          .ended = spoil == 2};
    lane_head_write(&h, b->n == 0 ? 0 : SECRET, b->n, head);
    if (spoil >= 128)
        head[spoil % LANE_HEAD] ^= 0x55;
    buf_add(b, (const char *)head, sizeof head);
    buf_adds(b, content);
    buf_add(b, zeros, lane_record_size(content.n) - LANE_HEAD - content.n);
}

/* The content of a message: id, lengths that fit, the input as envelope. */
static struct str
as_message(struct arena *a, struct str envelope)
{
    struct lane_message m = {.queue = STR_EMPTY, .log = STR_EMPTY, .header = envelope};
    unsigned char head[LANE_MESSAGE_HEAD];
    struct buf b = buf_in(a, 0);
    size_t n = message_id_prefix(envelope);
    if (n == 0 || !message_id_parse(str_sub(envelope, 0, n), &m.id))
        return envelope;
    (void)lane_message_head(&m, head);
    buf_add(&b, (const char *)head, sizeof head);
    buf_adds(&b, envelope);
    return buf_str(&b);
}

static struct str
build(struct arena *a, struct str in)
{
    unsigned char start[LANE_SEGMENT_CONTENT];
    struct buf b = buf_in(a, 0);
    uint64_t body = 0;
    lane_segment_write(SECRET, start);
    add_record(&b, LANE_KIND_SEGMENT, 0, str_from((const char *)start, sizeof start), 0);
    for (size_t at = 0; at + 4 <= in.n;) {
        unsigned kind = (unsigned char)in.p[at] % LANE_KINDS,
                 spoil = (unsigned char)in.p[at + 1];
        size_t n = (unsigned char)in.p[at + 2] | (size_t)(unsigned char)in.p[at + 3] << 8;
        struct str content = str_sub(in, at + 4, n);
        uint64_t place = b.n;
        at += 4 + content.n;
        if (kind == LANE_KIND_MESSAGE && spoil != 3)
            content = as_message(a, content);
        add_record(&b, (enum lane_kind)kind, body, content, spoil);
        if (kind == LANE_KIND_BODY)
            body = place;
    }
    return buf_str(&b);
}

static void
empty(const char *path)
{
    DIR *d = opendir(path);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) != 0)
            break;
    if (d != NULL)
        closedir(d);
}

static void
say(void *ctx, struct str id, const char *text)
{
    (void)ctx;
    (void)id;
    if (text[0] == '\0' || strlen(text) > 400)
        abort();
}

/* Every message in the standing lane can be read. */
static void
check_standing(struct arena *a, const char *root)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/input", root);
    DIR *d = opendir(path);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct message_id id;
        struct spool_header h;
        struct spool_fault f;
        struct str name = str_from_cstr(e->d_name);
        if (!str_ends(name, STR_LIT("-H")))
            continue;
        if (!message_id_parse(str_sub(name, 0, name.n - 2), &id) ||
            spool_read_at(a, dirfd(d), &id, &h, &f) != SPOOL_OK)
            abort();
    }
    if (d != NULL)
        closedir(d);
}

static struct lane_replay_result
replay(const char *root)
{
    struct durable_fault f;
    struct lane_replay_result r;
    const struct lane_settings s = {
        .spool = root, .calls = &durable_unsynced, .segment_size = 64 * 1024};
    struct lane *l = lane_open(&s, &f);
    const struct lane_replay rp = {
        .spool = root, .calls = &durable_unsynced, .lane = l, .say = say};
    if (l == NULL || !lane_replay_run(&rp, &r))
        abort();
    lane_close(l);
    return r;
}

static const char *
folder(void)
{
    static char root[] = "/tmp/remex_lane_fuzz_XXXXXX";
    static bool made;
    char path[128];
    if (!made && mkdtemp(root) == NULL)
        abort();
    made = true;
    (void)snprintf(path, sizeof path, "%s/lane", root);
    empty(path);
    (void)snprintf(path, sizeof path, "%s/input", root);
    empty(path);
    return root;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 256 * 1024)
        return 0;
    struct arena *a = arena_new();
    const char *root = folder();
    struct str in = str_from((const char *)data + 1, size - 1);
    struct str file = data[0] % 2 == 1 ? build(a, in) : in;
    int dir = lane_directory_open(root, true);
    int fd = openat(dir, "seg-fuzz", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (dir < 0 || fd < 0 || !file_write_all(fd, file.p, file.n))
        abort();
    close(fd);
    struct lane_replay_result first = replay(root);
    check_standing(a, root);
    struct lane_replay_result second = replay(root);
    if (second.moved > 0 || second.damaged > 0 || second.messages > first.failed)
        abort();
    close(dir);
    arena_free(a);
    return 0;
}
