/* Records of a redirection; see redirect_result.h.
 *
 * A record: tag (one byte), length (four bytes, little endian), payload. In it numbers are eight bytes, a text is a length, a
 * mark (whether it is tainted) and its bytes; a length of all ones is an unset text. The record END is the last one.
 */
#include "routers/redirect_result.h"

enum tag { TAG_HEAD = 'H', TAG_CHILD = 'C', TAG_FAULT = 'F', TAG_EDIT = 'E', TAG_END = '.' };

enum { RECORD_HEAD = 5, TEXT_MAX = 64 * 1024 * 1024 };
#define UNSET UINT32_MAX

/* --- writing --- */

static void
put_number(struct buf *b, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_addc(b, (char)(unsigned char)(v >> (8 * i)));
}

static void
put_text(struct buf *b, struct str s)
{
    put_number(b, str_is_set(s) ? s.n : UNSET, 4);
    if (!str_is_set(s))
        return;
    buf_addc(b, str_is_tainted(s) ? 1 : 0);
    buf_add(b, s.p, s.n);
}

/* The length is filled in when the record is complete. */
static size_t
begin(struct buf *b, enum tag tag)
{
    buf_addc(b, (char)tag);
    put_number(b, 0, 4);
    return b->n;
}

static void
finish(struct buf *b, size_t start)
{
    if (b->overflow)
        return;
    uint64_t n = b->n - start;
    for (size_t i = 0; i < 4; i++)
        b->p[start - 4 + i] = (char)(unsigned char)(n >> (8 * i));
}

static void
put_head(struct buf *b, const struct redirect_result *r)
{
    size_t start = begin(b, TAG_HEAD);
    put_number(b, (uint64_t)r->end, 1);
    put_number(b, r->filter, 1);
    put_number(b, (uint64_t)r->sys_errno, 8);
    put_text(b, r->text);
    for (size_t i = 0; i < sizeof r->counters / sizeof *r->counters; i++)
        put_number(b, (uint64_t)r->counters[i], 8);
    finish(b, start);
}

static void
put_reply(struct buf *b, const struct filter_action *f)
{
    put_number(b, f != NULL, 1);
    if (f == NULL)
        return;
    put_number(b, (uint64_t)f->id, 1);
    put_number(b, f->flags, 4);
    put_number(b, f->argc, 1);
    for (unsigned i = 0; i < f->argc; i++)
        put_text(b, f->argv[i]);
}

static void
put_child(struct buf *b, const struct redirect_child *c)
{
    size_t start = begin(b, TAG_CHILD);
    put_number(b, (uint64_t)c->item, 1);
    put_number(b, c->own_domain, 1);
    put_number(b, c->ignore_error, 1);
    put_number(b, (uint64_t)c->mode, 8);
    put_text(b, c->text);
    put_text(b, c->errors_to);
    put_reply(b, c->reply);
    finish(b, start);
}

static void
put_fault(struct buf *b, const struct redirect_fault *f)
{
    size_t start = begin(b, TAG_FAULT);
    put_text(b, f->text);
    put_text(b, f->given);
    finish(b, start);
}

static void
put_edit(struct buf *b, const struct redirect_edit *e)
{
    size_t start = begin(b, TAG_EDIT);
    put_number(b, e->remove, 1);
    put_text(b, e->text);
    finish(b, start);
}

static void
put_all(struct buf *b, const struct redirect_result *r)
{
    put_head(b, r);
    for (size_t i = 0; i < r->children.n; i++)
        put_child(b, &r->children.v[i]);
    for (size_t i = 0; i < r->faults.n; i++)
        put_fault(b, &r->faults.v[i]);
    for (size_t i = 0; i < r->edits.n; i++)
        put_edit(b, &r->edits.v[i]);
    finish(b, begin(b, TAG_END));
}

static bool
fits(const struct redirect_result *r)
{
    return r->children.n <= REDIRECT_CHILDREN_MAX && r->faults.n <= REDIRECT_FAULTS_MAX &&
           r->edits.n <= REDIRECT_EDITS_MAX;
}

void
redirect_result_write(struct buf *out, const struct redirect_result *r)
{
    size_t before = out->n;
    if (fits(r))
        put_all(out, r);
    if (fits(r) && !out->overflow)
        return;
    struct redirect_result fault = {.end = REDIRECT_END_BAD, .filter = r->filter};
    fault.text = STR_LIT("the result is too large");
    out->n = before;
    out->overflow = false;
    put_all(out, &fault);
}

/* --- reading --- */

struct reader {
    struct arena *arena;
    struct str rest;
    bool bad;
};

static uint64_t
get_number(struct reader *r, size_t bytes)
{
    uint64_t v = 0;
    if (r->rest.n < bytes) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)r->rest.p[i] << (8 * i);
    r->rest = str_sub(r->rest, bytes, r->rest.n);
    return v;
}

static bool
get_flag(struct reader *r)
{
    uint64_t v = get_number(r, 1);
    r->bad = r->bad || v > 1;
    return v == 1;
}

static struct str
get_text(struct reader *r)
{
    uint64_t n = get_number(r, 4);
    if (r->bad || n == UNSET)
        return STR_NULL;
    bool tainted = get_flag(r);
    if (r->bad || n > r->rest.n || n > TEXT_MAX) {
        r->bad = true;
        return STR_NULL;
    }
    struct str s = str_dup(r->arena, str_sub(r->rest, 0, n));
    r->rest = str_sub(r->rest, n, r->rest.n);
    return tainted ? str_tainted(s)
                   : str_untaint_by_rule(s, "the user whose list or filter it is says so");
}

/* A number below a limit. */
static uint64_t
get_below(struct reader *r, size_t bytes, uint64_t limit)
{
    uint64_t v = get_number(r, bytes);
    if (v < limit)
        return v;
    r->bad = true;
    return 0;
}

static void
get_head(struct reader *r, struct redirect_result *out)
{
    out->end = (enum redirect_end)get_below(r, 1, REDIRECT_ENDS);
    out->filter = get_flag(r);
    out->sys_errno = (int64_t)get_number(r, 8);
    out->text = get_text(r);
    for (size_t i = 0; i < sizeof out->counters / sizeof *out->counters; i++)
        out->counters[i] = (int64_t)get_number(r, 8);
    r->bad = r->bad || out->sys_errno < -10000 || out->sys_errno > 10000;
}

static const struct filter_action *
get_reply(struct reader *r)
{
    if (!get_flag(r))
        return NULL;
    struct filter_action *f = ARENA_NEW(r->arena, struct filter_action);
    f->id = (enum filter_action_id)get_below(r, 1, FILTER_ACTIONS);
    f->flags = (unsigned)get_number(r, 4);
    f->number = -1;
    f->argc = (unsigned)get_number(r, 1);
    if (f->argc != FILTER_MAIL_ARGUMENTS ||
        (f->id != FILTER_MAIL && f->id != FILTER_VACATION)) {
        r->bad = true;
        return NULL;
    }
    struct str *argv = ARENA_ARRAY(r->arena, struct str, FILTER_MAIL_ARGUMENTS);
    for (unsigned i = 0; i < f->argc; i++)
        argv[i] = get_text(r);
    f->argv = argv;
    return f;
}

static void
get_child(struct reader *r, struct redirect_result *out)
{
    struct redirect_child c;
    c.item = (enum address_item)get_below(r, 1, ADDRESS_ITEM_REPLY + 1);
    c.own_domain = get_flag(r);
    c.ignore_error = get_flag(r);
    c.mode = (int64_t)get_number(r, 8);
    c.text = get_text(r);
    c.errors_to = get_text(r);
    c.reply = get_reply(r);
    if (!str_is_set(c.text) || c.mode < -1 || c.mode > 07777 ||
        (c.item == ADDRESS_ITEM_REPLY) != (c.reply != NULL) ||
        out->children.n == REDIRECT_CHILDREN_MAX)
        r->bad = true;
    else
        vec_push(r->arena, &out->children, c);
}

static void
get_fault(struct reader *r, struct redirect_result *out)
{
    struct redirect_fault f;
    f.text = get_text(r);
    f.given = get_text(r);
    if (!str_is_set(f.text) || out->faults.n == REDIRECT_FAULTS_MAX)
        r->bad = true;
    else
        vec_push(r->arena, &out->faults, f);
}

static void
get_edit(struct reader *r, struct redirect_result *out)
{
    struct redirect_edit e;
    e.remove = get_flag(r);
    e.text = get_text(r);
    if (!str_is_set(e.text) || out->edits.n == REDIRECT_EDITS_MAX)
        r->bad = true;
    else
        vec_push(r->arena, &out->edits, e);
}

/* One record; false at its end, where *whole tells whether it was the last one. */
static bool
get_record(struct reader *all, struct redirect_result *out, bool first, bool *whole)
{
    char tag = (char)(unsigned char)get_number(all, 1);
    uint64_t n = get_number(all, RECORD_HEAD - 1);
    if (all->bad || n > all->rest.n || (first != (tag == TAG_HEAD)))
        return false;
    struct reader r = {.arena = all->arena, .rest = str_sub(all->rest, 0, n)};
    all->rest = str_sub(all->rest, n, all->rest.n);
    switch (tag) {
    case TAG_HEAD:
        get_head(&r, out);
        break;
    case TAG_CHILD:
        get_child(&r, out);
        break;
    case TAG_FAULT:
        get_fault(&r, out);
        break;
    case TAG_EDIT:
        get_edit(&r, out);
        break;
    case TAG_END:
        *whole = n == 0 && all->rest.n == 0;
        return false;
    default:
        return false;
    }
    return !r.bad && r.rest.n == 0;
}

bool
redirect_result_read(struct arena *a, struct str bytes, struct redirect_result *out)
{
    struct reader all = {.arena = a, .rest = bytes};
    bool whole = false, first = true;
    *out = (struct redirect_result){.end = REDIRECT_END_NONE};
    while (get_record(&all, out, first, &whole))
        first = false;
    if (!whole)
        *out = (struct redirect_result){.end = REDIRECT_END_NONE};
    return whole;
}
