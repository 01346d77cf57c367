/* verify = arc: is the chain of those who handled the message sound?
 *
 * It is looked at once a message. Every failure is for good, that of the DNS as well (RFC 8617, section 5.2.1), so that nothing is put
 * off by it. Source: RFC 8617, section 5.2.
 */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "conf/dkim_key_find.h"
#include "conf/list.h"
#include "mail/arc.h"
#include "scanners/mime_scan.h"
#include "sys/await.h"
#include "sys/dkim_hash.h"
#include "sys/sign_key.h"
#include "sys/tls.h"

enum {
    BLOCK = 64 * 1024,
    KEY_BITS_MIN = 1024,    /* of RSA: RFC 8301 */
    TIME_MAX_MS = 60 * 1000 /* for all questions to the DNS together */
};

struct arc_run {
    struct acl_call *c;
    struct message *m;
    struct arena *a; /* of the message */
    struct arc_check *check;
    struct dkim_headers *headers;
    struct dkim_body_hash *body[ARC_SETS_MAX];
    int64_t deadline_ms;
};

/* Always false. */
static bool
fail(struct arc_run *r, struct str reason)
{
    r->check->state = ARC_FAIL;
    r->check->reason = str_tainted(reason);
    return false;
}

/* --- signatures --- */

/* The key of a signature. NULL: *why. */
static struct sign_key *
find_key(struct arc_run *r, const struct dkim_signature *s, struct str *why)
{
    struct eval *e = r->c->r->eval;
    struct dkim_key key = {.type_known = false};
    enum dkim_reason reason = dkim_key_find(e, r->c->r->vm, r->a, s, r->deadline_ms, &key);
    *why = dkim_reason_comment(reason);
    if (reason != DKIM_REASON_NONE)
        return NULL;
    struct tls *t = tls_load(&e->tls, e->arena, e->process.plugin_directory, why);
    if (t == NULL)
        return NULL;
    struct sign_key *k = sign_key_public(t, r->a, s->key_type, key.bytes, why);
    *why = dkim_reason_comment(k == NULL ? DKIM_REASON_KEY_BYTES : DKIM_REASON_KEY_SHORT);
    if (k == NULL || (s->key_type == DKIM_KEY_RSA && sign_key_bits(k) < KEY_BITS_MIN))
        return NULL;
    *why = STR_LIT("hash not allowed by the key");
    return (key.hashes & (1u << s->hash)) != 0 ? k : NULL;
}

/* Unset: it is good. SHA-1 is no hash for signatures any more (RFC 8301). */
static struct str
check_signature(struct arc_run *r, const struct dkim_signature *s, struct str digest)
{
    struct str why;
    if (s->hash == DKIM_HASH_SHA1)
        return STR_LIT("hash too weak");
    const struct sign_key *k = find_key(r, s, &why);
    if (k == NULL)
        return why;
    return sign_key_verify(k, s->hash, digest, s->signature)
               ? STR_NULL
               : dkim_reason_comment(DKIM_REASON_SIGNATURE);
}

/* --- message signatures --- */

/* The body as it is in the spool. False with errno. */
static bool
feed_body(struct arc_run *r, struct dkim_bodies *b)
{
    const struct mime_source body = mime_source_body(r->m);
    char *block = arena_alloc(r->a, BLOCK);
    for (int64_t at = 0; at < body.size;) {
        ssize_t got = mime_source_read(&body, at, block, BLOCK);
        if (got <= 0)
            return false;
        dkim_bodies_feed(b, block, (size_t)got);
        at += got;
    }
    return true;
}

static bool
hash_body(struct arc_run *r)
{
    const struct arc_chain *c = r->check->chain;
    struct dkim_bodies *b = dkim_bodies_new(r->a);
    for (size_t i = 0; i < c->n; i++) {
        const struct dkim_signature *s = &c->set[i].message;
        int64_t length = s->body_length < 0 ? DKIM_BODY_ALL : s->body_length;
        r->body[i] = dkim_bodies_want(b, s->hash, s->canon_body, length);
    }
    if (!feed_body(r, b))
        return fail(r, STR_LIT("(the message cannot be read)"));
    return dkim_bodies_end(b) || fail(r, STR_LIT("(a line is too long)"));
}

/* Unset: it is good. */
static struct str
check_message(struct arc_run *r, unsigned i)
{
    const struct dkim_signature *s = &r->check->chain->set[i - 1].message;
    if (r->body[i - 1] == NULL || !str_eq(dkim_body_hash_digest(r->body[i - 1]), s->body_hash))
        return dkim_reason_comment(DKIM_REASON_BODY);
    return check_signature(r, s, dkim_hash_header(r->a, r->headers, s));
}

/* From the newest on, which has to be good, to the oldest that is, with none between that is not. */
static bool
check_newest(struct arc_run *r)
{
    unsigned n = (unsigned)r->check->chain->n;
    struct str why = check_message(r, n);
    if (!str_is_set(why))
        return true;
    return fail(r, str_printf(r->a, "(i=%u; ARC-Message-Signature: %.*s)", n, STR_ARG(why)));
}

static void
find_oldest(struct arc_run *r)
{
    unsigned i = (unsigned)r->check->chain->n;
    while (i > 1 && !str_is_set(check_message(r, i - 1)))
        i--;
    r->check->oldest_pass = i;
}

/* --- seals --- */

static struct str
check_seal(struct arc_run *r, unsigned i)
{
    const struct arc_chain *c = r->check->chain;
    const struct dkim_signature *s = &c->set[i - 1].seal;
    struct digest_stream *stream = dkim_hash_start(r->a, s->hash);
    arc_seal_feed(c, 1, i, dkim_hash_sink(stream));
    return check_signature(r, s, dkim_hash_end(r->a, stream));
}

static bool
check_seals(struct arc_run *r)
{
    for (unsigned i = (unsigned)r->check->chain->n; i > 0; i--) {
        struct str why = check_seal(r, i);
        if (str_is_set(why))
            return fail(r, str_printf(r->a, "(i=%u; ARC-Seal: %.*s)", i, STR_ARG(why)));
    }
    return true;
}

/* --- the condition --- */

static void
check(struct arc_run *r)
{
    struct arc_check *check = r->check;
    struct str why = STR_NULL;
    check->chain = ARENA_NEW(r->a, struct arc_chain);
    bool ok = arc_chain_read(r->a, r->m->headers, check->chain, &why);
    if (ok && check->chain->n == 0) {
        check->state = ARC_NONE;
        return;
    }
    if (!ok || !arc_chain_check(r->a, check->chain, &why)) {
        (void)fail(r, why);
        return;
    }
    r->deadline_ms = await_now_ms() + TIME_MAX_MS;
    r->headers = r->m->arrived != NULL
                     ? r->m->arrived
                     : dkim_headers_new(r->a, r->m->headers, DKIM_LINES_VISIBLE);
    if (hash_body(r) && check_newest(r) && check_seals(r)) {
        check->state = ARC_PASS;
        find_oldest(r);
    }
}

/* The list of states that will do: none and pass where there is none. */
static enum acl_test
match(struct acl_verify_call *v, enum arc_state state)
{
    struct acl_call *c = v->c;
    struct list_answer a = {.value = STR_NULL};
    struct list_question q = {.kind = LIST_LOCALPART, .host_name = STR_NULL};
    q.subject = arc_state_name(state);
    q.list = v->list.n > 0 ? v->list : STR_LIT("none:pass");
    q.what = STR_LIT("verify");
    switch (list_match(c->r->eval, c->r->vm, &q, &a)) {
    case OUT_OK:
        return ACL_TEST_TRUE;
    case OUT_DEFER:
    case OUT_ERROR:
        return acl_defer(c, "%.*s", STR_ARG(vm_error(c->r->vm)));
    case OUT_DECLINE:
    case OUT_PASS:
    case OUT_FAIL:
        break;
    }
    return ACL_TEST_FALSE;
}

enum acl_test
acl_verify_arc(struct acl_verify_call *v)
{
    struct message *m = v->c->r->eval->message;
    if (m == NULL)
        return ACL_TEST_FALSE;
    if (m->arc == NULL) {
        struct arc_run *r = ARENA_NEW(m->arena, struct arc_run);
        r->c = v->c;
        r->m = m;
        r->a = m->arena;
        m->arc = r->check = ARENA_NEW(m->arena, struct arc_check);
        check(r);
    }
    return match(v, m->arc->state);
}
