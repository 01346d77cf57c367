/* verify = arc: is the chain of those who handled the message sound?
 *
 * It is looked at once a message. Every failure is for good, that of the DNS as well (RFC 8617, section 5.2.1), so that nothing is put
 * off by it. Source: RFC 8617, section 5.2.
 */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/resolve.h"
#include "mail/arc.h"
#include "mail/dkim_key.h"
#include "sys/await.h"
#include "sys/dkim_hash.h"
#include "sys/sign_key.h"
#include "sys/tls.h"

#include <errno.h>
#include <unistd.h>

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

/* --- keys --- */

/* The one record of a name that is a key. NULL: *why. */
static const char *
read_record(struct arc_run *r, struct str name, struct dkim_key *key)
{
    const struct dns_question q = {.name = name, .type = DNS_TXT};
    struct resolve_answer found;
    enum dns_status st = resolve_ask(r->c->r->eval, r->c->r->vm, r->a, &q, &found);
    if (st == DNS_AGAIN || st == DNS_FAILED)
        return "key not available now";
    const struct dns_record *one;
    size_t at = 0;
    const char *why = "no key";
    while (st == DNS_FOUND && (one = resolve_next(&found.reply.answer, DNS_TXT, &at)) != NULL) {
        struct str text = dns_answer_join_texts(r->a, one->bytes);
        switch (dkim_key_read(r->a, text, key)) {
        case DKIM_KEY_OK:
            return NULL;
        case DKIM_KEY_REVOKED:
            return "key revoked";
        case DKIM_KEY_LONG:
        case DKIM_KEY_BAD:
            why = "bad key record";
            break;
        case DKIM_KEY_OTHER:
            break;
        }
    }
    return why;
}

/* The key of a signature. NULL: *why. */
static struct sign_key *
find_key(struct arc_run *r, const struct dkim_signature *s, const char **why)
{
    struct eval *e = r->c->r->eval;
    struct str name = dkim_key_domain(r->a, s->selector, s->domain), text = STR_NULL;
    struct dkim_key key = {.type_known = false};
    if (!str_is_set(name) || await_now_ms() > r->deadline_ms) {
        *why = str_is_set(name) ? "too slow" : "no name of a key";
        return NULL;
    }
    if ((*why = read_record(r, name, &key)) != NULL)
        return NULL;
    *why = "key is for something else";
    if (!key.type_known || key.type != s->key_type || (key.hashes & (1u << s->hash)) == 0 ||
        !dkim_key_is_for_mail(&key))
        return NULL;
    *why = "no TLS library";
    struct tls *t = tls_load(&e->tls, e->arena, e->process.plugin_directory, &text);
    if (t == NULL)
        return NULL;
    struct sign_key *k = sign_key_public(t, r->a, key.type, key.bytes, &text);
    *why = k == NULL ? "bad key" : "key too short";
    return k != NULL && (key.type != DKIM_KEY_RSA || sign_key_bits(k) >= KEY_BITS_MIN) ? k
                                                                                       : NULL;
}

/* NULL: it is good. SHA-1 is no hash for signatures any more (RFC 8301). */
static const char *
check_signature(struct arc_run *r, const struct dkim_signature *s, struct str digest)
{
    const char *why = NULL;
    if (s->hash == DKIM_HASH_SHA1)
        return "algorithm";
    const struct sign_key *k = find_key(r, s, &why);
    if (k == NULL)
        return why;
    return sign_key_verify(k, s->hash, digest, s->signature) ? NULL : "signature";
}

/* --- message signatures --- */

/* The body as it is in the spool. False with errno. */
static bool
feed_body(struct arc_run *r, struct dkim_bodies *b)
{
    const struct message *m = r->m;
    if (m->body_fd < 0) {
        dkim_bodies_feed(b, m->body_text.p, m->body_text.n);
        return true;
    }
    char *block = arena_alloc(r->a, BLOCK);
    for (int64_t at = 0; at < m->body_size;) {
        int64_t left = m->body_size - at;
        ssize_t got = pread(m->body_fd, block, left < BLOCK ? (size_t)left : BLOCK,
                            (off_t)(m->body_start + at));
        if (got < 0 && errno == EINTR)
            continue;
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

/* NULL: it is good. */
static const char *
check_message(struct arc_run *r, unsigned i)
{
    const struct dkim_signature *s = &r->check->chain->set[i - 1].message;
    if (r->body[i - 1] == NULL || !str_eq(dkim_body_hash_digest(r->body[i - 1]), s->body_hash))
        return "body hash";
    return check_signature(r, s, dkim_hash_header(r->a, r->headers, s));
}

/* From the newest on, which has to be good, to the oldest that is, with none between that is not. */
static bool
check_newest(struct arc_run *r)
{
    unsigned n = (unsigned)r->check->chain->n;
    const char *why = check_message(r, n);
    if (why == NULL)
        return true;
    return fail(r, str_printf(r->a, "(i=%u; ARC-Message-Signature: %s)", n, why));
}

static void
find_oldest(struct arc_run *r)
{
    unsigned i = (unsigned)r->check->chain->n;
    while (i > 1 && check_message(r, i - 1) == NULL)
        i--;
    r->check->oldest_pass = i;
}

/* --- seals --- */

static const char *
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
        const char *why = check_seal(r, i);
        if (why != NULL)
            return fail(r, str_printf(r->a, "(i=%u; ARC-Seal: %s)", i, why));
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
    r->headers = dkim_headers_new(r->a, r->m->headers, DKIM_LINES_VISIBLE);
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
