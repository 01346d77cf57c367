/* Records of the fast lane; see lane_record.h. */
#include "engine/lane_record.h"

#include "base/crc32c.h"
#include "engine/spool_header.h"

#include <string.h>

_Static_assert((int)LANE_ID_MAX > (int)MESSAGE_ID_NEW_N, "an id and a NUL fit");

enum { VERSION = 1, SUM_AT = 24 };

static const unsigned char magic[4] = {'r', 'm', 'x', 0xa7};
const unsigned char lane_ended[4] = {'E', 0x9d, 'D', 0x6b};

struct row {
    const char *name;
    unsigned char letter;
    uint32_t least, most;
};

/* clang-format off */
static const struct row rows[LANE_KINDS] = {
#define LANE_RECORD(name, letter, least, most, doc) {#name, (letter), (least), (most)},
#include "engine/lane.def"
#undef LANE_RECORD
};
/* clang-format on */

const char *
lane_kind_name(enum lane_kind kind)
{
    return rows[kind].name;
}

uint64_t
lane_record_size(uint32_t length)
{
    uint64_t n = (uint64_t)LANE_HEAD + length;
    return (n + LANE_ALIGN - 1) / LANE_ALIGN * LANE_ALIGN;
}

/* --- numbers --- */

static void
put(unsigned char *out, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++, v >>= 8)
        out[i] = (unsigned char)v;
}

static uint64_t
get(const void *in, size_t n)
{
    const unsigned char *p = in;
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

/* --- heads --- */

static uint32_t
head_sum(const unsigned char head[LANE_HEAD], uint64_t secret, uint64_t at)
{
    unsigned char seed[16];
    put(seed, secret, 8);
    put(seed + 8, at, 8);
    return crc32c(crc32c(0, seed, sizeof seed), head, SUM_AT);
}

void
lane_head_write(const struct lane_head *h, uint64_t secret, uint64_t at,
                unsigned char out[LANE_HEAD])
{
    memset(out, 0, LANE_HEAD);
    memcpy(out, magic, sizeof magic);
    out[4] = rows[h->kind].letter;
    out[5] = VERSION;
    put(out + 8, h->length, 4);
    put(out + 12, h->sum, 4);
    put(out + 16, h->body, 8);
    put(out + SUM_AT, head_sum(out, secret, at), 4);
    if (h->ended)
        memcpy(out + LANE_ENDED_AT, lane_ended, sizeof lane_ended);
}

static bool
find_kind(unsigned char letter, enum lane_kind *kind)
{
    for (size_t i = 0; i < LANE_KINDS; i++)
        if (rows[i].letter == letter) {
            *kind = (enum lane_kind)i;
            return true;
        }
    return false;
}

bool
lane_head_read(const unsigned char in[LANE_HEAD], uint64_t secret, uint64_t at,
               struct lane_head *h)
{
    *h = (struct lane_head){.length = 0};
    if (memcmp(in, magic, sizeof magic) != 0 || in[5] != VERSION || in[6] != 0 || in[7] != 0 ||
        !find_kind(in[4], &h->kind) || get(in + SUM_AT, 4) != head_sum(in, secret, at))
        return false;
    h->length = (uint32_t)get(in + 8, 4);
    h->sum = (uint32_t)get(in + 12, 4);
    h->body = get(in + 16, 8);
    h->ended = memcmp(in + LANE_ENDED_AT, lane_ended, sizeof lane_ended) == 0;
    return h->length >= rows[h->kind].least && h->length <= rows[h->kind].most &&
           (h->kind == LANE_KIND_MESSAGE ? h->body % LANE_ALIGN == 0 && h->body < at
                                         : h->body == 0);
}

/* --- contents --- */

void
lane_segment_write(uint64_t secret, unsigned char out[LANE_SEGMENT_CONTENT])
{
    put(out, VERSION, 8);
    put(out + 8, secret, 8);
}

bool
lane_segment_read(struct str content, uint64_t *secret)
{
    if (content.n != LANE_SEGMENT_CONTENT || get(content.p, 8) != VERSION)
        return false;
    *secret = get(content.p + 8, 8);
    return true;
}

bool
lane_message_head(const struct lane_message *m, unsigned char out[LANE_MESSAGE_HEAD])
{
    uint64_t all = (uint64_t)LANE_MESSAGE_HEAD + m->queue.n + m->log.n + m->header.n;
    memset(out, 0, LANE_ID_MAX);
    memcpy(out, m->id.text, strlen(m->id.text));
    put(out + LANE_ID_MAX, m->queue.n, 4);
    put(out + LANE_ID_MAX + 4, m->log.n, 4);
    put(out + LANE_ID_MAX + 8, m->header.n, 4);
    return all <= LANE_MESSAGE_MAX && m->header.n > 0;
}

bool
lane_id_read(const char text[LANE_ID_MAX], struct message_id *id)
{
    const char *end = memchr(text, '\0', LANE_ID_MAX);
    return end != NULL && message_id_parse(str_from(text, (size_t)(end - text)), id);
}

bool
lane_message_read(struct str content, struct lane_message *m)
{
    if (content.n < LANE_MESSAGE_HEAD || !lane_id_read(content.p, &m->id))
        return false;
    const char *at = content.p + LANE_ID_MAX;
    uint64_t queue = get(at, 4), log = get(at + 4, 4), header = get(at + 8, 4);
    if (LANE_MESSAGE_HEAD + queue + log + header != content.n || header == 0)
        return false;
    m->queue = str_sub(content, LANE_MESSAGE_HEAD, queue);
    m->log = str_sub(content, LANE_MESSAGE_HEAD + queue, log);
    m->header = str_sub(content, LANE_MESSAGE_HEAD + queue + log, header);
    return !str_has_nul(m->queue);
}

bool
lane_note_write(enum lane_kind kind, const struct lane_note *n, struct buf *out)
{
    struct str id = message_id_str(&n->id);
    bool has_address = kind == LANE_KIND_RECIPIENT;
    if (has_address && (n->address.n == 0 || !spool_header_text_ok(n->address)))
        return false;
    buf_addc(out, (char)id.n);
    buf_adds(out, id);
    if (has_address)
        buf_adds(out, n->address);
    return !out->overflow;
}

bool
lane_note_read(enum lane_kind kind, struct str content, struct lane_note *n)
{
    if (content.n == 0)
        return false;
    size_t id = (unsigned char)content.p[0];
    if (id >= content.n || !message_id_parse(str_sub(content, 1, id), &n->id))
        return false;
    n->address = str_sub(content, 1 + id, content.n);
    if (kind != LANE_KIND_RECIPIENT)
        return n->address.n == 0;
    return n->address.n > 0 && spool_header_text_ok(n->address);
}
