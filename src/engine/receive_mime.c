/* The MIME ACLs: what they see of each part, and in which order they are asked.
 *
 * Parts come in the order of their place in the message, multiparts before what is in them. Attached messages come when all parts of
 * the message around them have been asked about, each with its own attached messages behind it. What hostile structures cost is
 * bounded for the message as a whole: parts, depth, and bytes that are decoded; what is left out is told in the log, once, and to
 * the ACL as an anomaly. Source: specification, "Scanning MIME parts"; the order is Exim's.
 */
#include "base/arena.h"
#include "engine/policy.h"
#include "engine/receive_state.h"
#include "scanners/mime_scan.h"
#include "scanners/scan_message.h"

#include <errno.h>
#include <unistd.h>

enum {
    ATTACHED_DEPTH_MAX = 20, /* messages in messages */
    DECODED_TIMES_MAX = 10,  /* the size of the message, in total */
    DECODED_MIN = 1 << 20,
    ANOMALY_STRUCTURE = 3, /* worse than what decoding finds */
};

/* What is not looked at, and how the log and the ACL are told. */
enum limit { LIMIT_PARTS, LIMIT_DEPTH, LIMIT_BOUNDARY, LIMIT_FIELD, LIMIT_ATTACHED, LIMITS };

static const struct {
    size_t most;
    const char *log, *anomaly;
} limits[LIMITS] = {
    [LIMIT_PARTS] = {MIME_PARTS_MAX, "parts", "Too many MIME parts"},
    [LIMIT_DEPTH] = {MIME_DEPTH_MAX, "multiparts in each other",
                     "MIME parts nested too deeply"},
    [LIMIT_BOUNDARY] = {MIME_BOUNDARY_MAX, "bytes in a boundary", "MIME boundary too long"},
    [LIMIT_FIELD] = {MIME_FIELD_MAX, "bytes in a header field", "MIME header field too long"},
    [LIMIT_ATTACHED] = {ATTACHED_DEPTH_MAX, "messages in each other",
                        "Messages nested too deeply"},
};

struct scanning {
    struct receiving *r;
    enum acl_phase phase;
    struct mime_scan scan;
    struct arena *parts; /* of the parts at hand; what is not there is in the message's arena */
    struct acl_answer answer;
    size_t parts_left;
    bool
        exhausted; /* they were not enough: of one attached message more the ACL sees the first part, which says so */
    unsigned told; /* bits by enum limit */
};

/* A message, its own or an attached one. */
struct level {
    const struct mime_source *source;
    const struct mime_part *root; /* its header, when that is not in the source */
    const struct mime_index *index;
    unsigned depth; /* 0: the message itself */
};

/* --- what is found wrong --- */

static void
tell(struct scanning *x, enum limit limit)
{
    if ((x->told >> limit & 1) == 0)
        maillog(x->r->e, MAILLOG_MAIN, x->r->m->id,
                "MIME: more than %zu %s: the rest is not looked at", limits[limit].most,
                limits[limit].log);
    x->told |= 1u << limit;
}

static void
show_limit(struct scanning *x, enum limit limit)
{
    struct mime_shown *shown = &x->r->m->mime;
    shown->anomaly_level = ANOMALY_STRUCTURE;
    shown->anomaly_text = str_from_cstr(limits[limit].anomaly);
    tell(x, limit);
}

static void
show_limits(struct scanning *x, const struct level *l, size_t i, const struct mime_part *p)
{
    const struct mime_span *span = &l->index->parts.v[i];
    if (p->cut)
        show_limit(x, LIMIT_FIELD);
    if (span->opaque)
        show_limit(x, p->boundary.n > MIME_BOUNDARY_MAX ? LIMIT_BOUNDARY : LIMIT_DEPTH);
    if (span->message && l->depth == ATTACHED_DEPTH_MAX)
        show_limit(x, LIMIT_ATTACHED);
    if (i == 0 && (l->index->too_many || x->exhausted))
        show_limit(x, LIMIT_PARTS);
}

/* --- a part --- */

static void
show(struct scanning *x, const struct level *l, size_t i, const struct mime_part *p)
{
    const struct mime_span *span = &l->index->parts.v[i];
    x->r->m->mime = (struct mime_shown){
        .type = p->type,
        .boundary = span->multipart ? p->boundary : STR_EMPTY,
        .charset = p->charset,
        .disposition = p->disposition,
        .id = p->id,
        .description = p->description,
        .encoding = p->encoding,
        .filename = p->filename,
        .multipart = span->multipart,
        .rfc822 = l->depth > 0,
        .cover_letter = span->cover_letter,
        .count = (int64_t)i + 1,
    };
    show_limits(x, l, i, p);
}

/* True: it is accepted. */
static bool
ask(struct scanning *x, const struct mime_at *at)
{
    x->r->m->mime.at = at;
    enum acl_result result = policy_run(x->r->e, x->phase, &x->answer);
    x->r->m->mime.at = NULL;
    return result == ACL_ACCEPT;
}

static struct mime_at
place(struct scanning *x, const struct mime_source *s, const struct mime_span *span,
      const struct mime_part *p)
{
    return (struct mime_at){
        .scan = &x->scan,
        .source = s,
        .body = span->body,
        .end = span->end,
        .encoding = span->multipart ? MIME_IDENTITY : mime_encoding_find(p->encoding),
    };
}

/* Nothing can be said of the message now. Always false. */
static bool
defer(struct scanning *x, struct str why)
{
    x->answer = (struct acl_answer){
        .result = ACL_DEFER,
        .log_message = why,
        .log_to = MAILLOG_MAIN | MAILLOG_REJECT,
    };
    return false;
}

static bool
unreadable(struct scanning *x)
{
    return defer(x, str_printf(x->r->a, "failed to read the message: %s", strerror(errno)));
}

/* --- a message --- */

static bool
read_part(struct scanning *x, const struct level *l, size_t i, struct mime_part *p)
{
    if (i == 0 && l->root != NULL) {
        *p = *l->root;
        return true;
    }
    return mime_source_header(x->parts, l->source, &l->index->parts.v[i], p) || unreadable(x);
}

static bool
ask_parts(struct scanning *x, const struct level *l)
{
    for (size_t i = 0; i < l->index->parts.n; i++) {
        struct arena_mark mark = arena_mark(x->parts);
        struct mime_part p;
        if (!read_part(x, l, i, &p))
            return false;
        show(x, l, i, &p);
        const struct mime_at at = place(x, l->source, &l->index->parts.v[i], &p);
        bool accepted = ask(x, &at);
        arena_reset(x->parts, mark);
        if (!accepted)
            return false;
    }
    return true;
}

static bool ask_message(struct scanning *x, const struct mime_source *s,
                        const struct mime_part *root, unsigned depth);

/* A message in a part: read where it lies, unless it is encoded. */
static bool
ask_attached(struct scanning *x, const struct mime_at *at, unsigned depth)
{
    struct mime_source s = *at->source;
    struct mime_decoded found;
    struct str why;
    if (at->encoding == MIME_IDENTITY) {
        s.at += at->body;
        s.size = at->end - at->body;
        return ask_message(x, &s, NULL, depth);
    }
    int fd = mime_decode_to_nowhere(at, &found, &why);
    if (fd < 0)
        return defer(x, why);
    s = (struct mime_source){.fd = fd, .size = found.size};
    bool ok = ask_message(x, &s, NULL, depth);
    close(fd);
    return ok;
}

/* Whether one more may be looked at. */
static bool
may_enter(struct scanning *x, const struct level *l)
{
    if (l->depth == ATTACHED_DEPTH_MAX || (x->parts_left == 0 && x->exhausted))
        return false;
    if (x->parts_left == 0) {
        x->exhausted = true;
        x->parts_left = 1;
    }
    return true;
}

static bool
ask_all_attached(struct scanning *x, const struct level *l)
{
    bool ok = true;
    for (size_t i = 0; i < l->index->parts.n && ok; i++) {
        struct arena_mark mark = arena_mark(x->parts);
        struct mime_part p;
        if (!l->index->parts.v[i].message)
            continue;
        if (!may_enter(x, l))
            return true;
        if (!read_part(x, l, i, &p))
            return false;
        const struct mime_at at = place(x, l->source, &l->index->parts.v[i], &p);
        ok = ask_attached(x, &at, l->depth + 1);
        arena_reset(x->parts, mark);
    }
    return ok;
}

static bool
ask_message(struct scanning *x, const struct mime_source *s, const struct mime_part *root,
            unsigned depth)
{
    struct arena_mark mark = arena_mark(x->parts);
    const struct mime_caps caps = {.parts = x->parts_left, .depth = MIME_DEPTH_MAX};
    struct level l = {.source = s, .root = root, .depth = depth};
    l.index = mime_source_walk(x->parts, s, caps, root);
    if (l.index == NULL)
        return unreadable(x);
    x->parts_left -= l.index->parts.n;
    bool ok = ask_parts(x, &l) && ask_all_attached(x, &l);
    /* What other ACLs see is the number of parts of the message itself. */
    x->r->m->mime =
        (struct mime_shown){.count = ok ? (int64_t)l.index->parts.n : x->r->m->mime.count};
    arena_reset(x->parts, mark);
    return ok;
}

/* --- the whole --- */

/* The header of the message, as that of a part. False: it has no Content-Type:. */
static bool
read_root(struct receiving *r, struct mime_part *out)
{
    const struct header_list *l = r->m->headers;
    struct mime_header h;
    if (header_list_find(l, STR_LIT("Content-Type"), 0) == STR_NPOS)
        return false;
    mime_header_start(&h, r->a);
    for (size_t i = 0; i < l->n; i++) {
        struct str text = l->v[i].text;
        for (size_t at = 0; l->v[i].type != HEADER_TYPE_DELETED && at < text.n;) {
            size_t nl = str_chr(text, '\n', at);
            nl = nl == STR_NPOS ? text.n : nl;
            mime_header_line(&h, str_tainted(str_sub(text, at, nl - at)), false);
            at = nl + 1;
        }
    }
    mime_header_end(&h);
    *out = h.part;
    return true;
}

/* What the ACL has decided, when it is not ACL_ACCEPT. */
static bool
end(struct scanning *x)
{
    struct receiving *r = x->r;
    if (x->answer.result != ACL_DISCARD)
        return receive_policy_refuse(r, &x->answer, "during MIME ACL checks");
    r->m->recipients.n = 0;
    acl_message_of(r->m)->discarded_by = STR_LIT("MIME ACL");
    r->decided = r->rq->smtp; /* the ACL of the message is not asked */
    return true;
}

bool
receive_mime(struct receiving *r)
{
    struct mime_part root;
    struct scanning x = {
        .r = r,
        .phase = r->rq->smtp ? ACL_PHASE_MIME : ACL_PHASE_NOTSMTP_MIME,
        .parts_left = MIME_PARTS_MAX,
    };
    if (!policy_has(r->e, x.phase) || !read_root(r, &root))
        return true;
    const struct mime_source body = mime_source_body(r->m);
    x.scan = (struct mime_scan){
        .arena = r->a,
        .message = scan_message_of(r->e->eval),
        .may_decode = body.size * DECODED_TIMES_MAX + DECODED_MIN,
    };
    x.parts = arena_new();
    bool ok = ask_message(&x, &body, &root, 0);
    arena_free(x.parts);
    return ok || end(&x);
}
