/* Verifies DKIM signatures; see dkim_verify.h. */
#include "engine/dkim_verify.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/dkim_key_find.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "sys/await.h"
#include "sys/dkim_hash.h"
#include "sys/sign_key.h"
#include "sys/tls.h"

#include <inttypes.h>
#include <stdlib.h>

/* A signature that waits for the end of the body. */
struct dkim_pending {
    struct dkim_result result;
    struct str digest;           /* of the header */
    struct dkim_body_hash *body; /* NULL: it is not wanted */
    unsigned rank;               /* of its key type and hash */
    size_t place;                /* in the header */
};

/* --- which ones count --- */

/* Place of the name in a list of the configuration, or STR_NPOS. */
static size_t
place_in(struct arena *a, const struct xstr *list, struct str name)
{
    struct strlist_split s = strlist_split_start(list->text, ':');
    struct str item;
    for (size_t i = 0; strlist_split_next(&s, a, &item); i++)
        if (str_ieq(item, name))
            return i;
    return STR_NPOS;
}

/* False: dkim_verify_keytypes and dkim_verify_hashes let it be ignored. */
static bool
rank_of(const struct dkim_check *c, struct dkim_pending *p)
{
    const struct conf_main *conf = c->e->conf->main;
    const struct dkim_signature *s = &p->result.signature;
    if (!s->algorithm_known)
        return false;
    size_t type = place_in(c->a, &conf->dkim_verify_keytypes, dkim_key_type_name(s->key_type));
    size_t hash = place_in(c->a, &conf->dkim_verify_hashes, dkim_hash_name(s->hash));
    if (type == STR_NPOS || hash == STR_NPOS)
        return false;
    p->rank = (unsigned)(type * 1000 + hash);
    return true;
}

static int
by_rank(const void *x, const void *y)
{
    const struct dkim_pending *const *a = x, *const *b = y;
    if ((*a)->rank != (*b)->rank)
        return (*a)->rank < (*b)->rank ? -1 : 1;
    return (*a)->place < (*b)->place ? -1 : (*a)->place > (*b)->place;
}

static void
settle(struct dkim_result *r, enum dkim_status status, enum dkim_reason reason)
{
    r->status = status;
    r->reason = reason;
}

/* --- the header --- */

static void
take_line(struct dkim_check *c, const struct header *h, size_t place)
{
    struct dkim_pending *p = ARENA_NEW(c->a, struct dkim_pending);
    p->place = place;
    if (!dkim_signature_read(c->a, h->text, &p->result.signature)) {
        if (maillog_selected(c->e, LOG_SELECTOR_DKIM_VERBOSE))
            maillog(c->e, MAILLOG_MAIN, c->m->id,
                    "DKIM: a signature of %" PRIu32 " bytes is ignored: the limit is %d",
                    h->text.n, DKIM_LINE_MAX);
        return;
    }
    if (rank_of(c, p))
        vec_push(c->a, &c->pending, p);
}

static void
take_lines(struct dkim_check *c)
{
    const struct header_list *l = c->m->headers;
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!str_ieqz(header_name(&l->v[i]), "DKIM-Signature"))
            continue;
        if (++n > DKIM_LINES_MAX) {
            c->excess = true;
            c->pending.n = 0;
            maillog(c->e, MAILLOG_MAIN, STR_NULL, "DKIM: validation error: EXCESS_SIGS");
            return;
        }
        take_line(c, &l->v[i], i);
    }
}

/* What can be said without body and key, and what the rest needs. */
static void
prepare(struct dkim_check *c, struct dkim_pending *p, const struct dkim_headers *headers)
{
    struct dkim_result *r = &p->result;
    const struct dkim_signature *s = &r->signature;
    enum dkim_fault fault = dkim_signature_check(s, DKIM_SIGNATURE);
    if (fault == DKIM_FAULT_VERSION) {
        settle(r, DKIM_INVALID, DKIM_REASON_VERSION);
    } else if (fault != DKIM_FAULT_NONE) {
        settle(r, DKIM_INVALID, DKIM_REASON_TAGS);
    } else {
        p->digest = dkim_hash_header(c->a, headers, s);
        p->body = dkim_bodies_want(c->bodies, s->hash, s->canon_body,
                                   s->body_length < 0 ? DKIM_BODY_ALL : s->body_length);
    }
}

static bool
in_list(struct arena *a, struct str list, struct str name)
{
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&s, a, &item))
        if (str_ieq(item, name))
            return true;
    return false;
}

static void
add(struct arena *a, struct str *list, struct str name)
{
    if (name.n == 0)
        return;
    struct buf b = buf_in(a, 0);
    if (str_is_set(*list))
        buf_adds(&b, *list);
    b.taint = str_taint_join(b.taint, name.taint);
    strlist_append(&b, name, ':', b.n == 0);
    *list = buf_str(&b);
}

static void
add_once(struct arena *a, struct str *list, struct str name)
{
    if (!str_is_set(*list) || !in_list(a, *list, name))
        add(a, list, name);
}

struct dkim_check *
dkim_check_start(struct engine *e, struct arena *a)
{
    struct dkim_check *c = ARENA_NEW(a, struct dkim_check);
    c->e = e;
    c->m = e->eval->message;
    c->a = a;
    c->results = c->m->dkim = ARENA_NEW(a, struct dkim_results);
    c->bodies = dkim_bodies_new(a);
    take_lines(c);
    if (c->pending.n == 0)
        return c;
    qsort(c->pending.v, c->pending.n, sizeof *c->pending.v, by_rank);
    const struct dkim_headers *headers = c->m->arrived;
    if (headers == NULL)
        headers = dkim_headers_new(a, c->m->headers, DKIM_LINES_ALL);
    for (size_t i = 0; i < c->pending.n; i++)
        prepare(c, c->pending.v[i], headers);
    return c;
}

void
dkim_check_feed(struct dkim_check *c, const char *p, size_t n)
{
    dkim_bodies_feed(c->bodies, p, n);
}

/* --- keys --- */

static void
log_fault(struct dkim_check *c, struct str why)
{
    maillog(c->e, MAILLOG_MAIN, c->m->id, "DKIM: validation error: %.*s", STR_ARG(why));
}

/* The key, or NULL with the result settled. */
static struct sign_key *
fetch_key(struct dkim_check *c, struct dkim_result *r)
{
    struct eval *e = c->e->eval;
    struct str why = STR_EMPTY;
    struct sign_key *key = NULL;
    enum dkim_reason reason = DKIM_REASON_KEY_UNAVAILABLE;
    struct tls *t = tls_load(&e->tls, c->e->arena, e->process.plugin_directory, &why);
    if (t != NULL) {
        why = STR_EMPTY;
        reason = dkim_key_find(e, c->e->vm, c->a, &r->signature, c->deadline_ms, &r->key);
    }
    if (reason == DKIM_REASON_NONE) {
        key = sign_key_public(t, c->a, r->signature.key_type, r->key.bytes, &why);
        reason = DKIM_REASON_KEY_BYTES;
    }
    if (key != NULL) {
        r->key_known = true;
        r->key_bits = sign_key_bits(key);
        return key;
    }
    if (t != NULL && reason == DKIM_REASON_KEY_BYTES && r->key.bytes.n == 0)
        why = STR_LIT("the key is revoked");
    maillog(c->e, MAILLOG_MAIN, c->m->id, "DKIM: d=%.*s s=%.*s [failed key import]",
            STR_ARG(r->signature.domain), STR_ARG(r->signature.selector));
    if (why.n > 0)
        log_fault(c, why);
    settle(r, DKIM_INVALID, reason);
    return NULL;
}

/* Of "rsa=1024 ed25519=250"; 0 when it says nothing. */
static int64_t
least_bits(const struct dkim_check *c, enum dkim_key_type type)
{
    struct str list = c->e->conf->main->dkim_verify_min_keysizes.text,
               name = dkim_key_type_name(type);
    for (size_t at = 0; at < list.n;) {
        size_t end = at;
        while (end < list.n && !ascii_space(list.p[end]) && list.p[end] != ':')
            end++;
        struct str word = str_sub(list, at, end - at);
        size_t equals = str_chr(word, '=', 0);
        uint64_t bits;
        if (equals != STR_NPOS && str_ieq(str_sub(word, 0, equals), name) &&
            num_parse_digits(str_sub(word, equals + 1, word.n), &bits) && bits <= INT64_MAX)
            return (int64_t)bits;
        at = end + 1;
    }
    return 0;
}

/* --- the verdict --- */

static void
verify(struct dkim_check *c, struct dkim_pending *p)
{
    struct dkim_result *r = &p->result;
    const struct dkim_signature *s = &r->signature;
    if (r->status != DKIM_NONE)
        return;
    if (p->body == NULL || !str_eq(dkim_body_hash_digest(p->body), s->body_hash)) {
        settle(r, DKIM_FAIL, DKIM_REASON_BODY);
        return;
    }
    struct sign_key *key = fetch_key(c, r);
    if (key == NULL)
        return;
    if ((r->key.hashes & 1u << s->hash) == 0) {
        settle(r, DKIM_FAIL, DKIM_REASON_OTHER);
    } else if (!sign_key_verify(key, s->hash, p->digest, s->signature)) {
        log_fault(c, STR_LIT("Public key signature verification has failed."));
        settle(r, DKIM_FAIL, DKIM_REASON_SIGNATURE);
    } else if ((int64_t)r->key_bits < least_bits(c, s->key_type)) {
        settle(r, DKIM_FAIL, DKIM_REASON_KEY_SHORT);
    } else {
        settle(r, DKIM_PASS, DKIM_REASON_NONE);
        add_once(c->a, &c->results->passed_signers, s->domain);
    }
}

static bool
is_disabled(struct dkim_check *c, int64_t longest)
{
    bool too_long = longest > DKIM_BODY_LINE_MAX;
    if (too_long)
        log_fault(c, STR_LIT("LONG_LINE"));
    if (too_long || c->excess)
        maillog(c->e, MAILLOG_MAIN, c->m->id,
                "DKIM: Error during validation, disabling signature verification: %s",
                c->excess ? "EXCESS_SIGS" : "LONG_LINE");
    return too_long || c->excess;
}

void
dkim_check_end(struct dkim_check *c, int64_t longest)
{
    struct dkim_results *out = c->results;
    bool minimal = c->e->conf->main->dkim_verify_minimal, passed = false;
    out->disabled = is_disabled(c, longest) || !dkim_bodies_end(c->bodies);
    if (out->disabled)
        return;
    c->deadline_ms = await_now_ms() + DKIM_KEYS_WAIT_S * 1000;
    for (size_t i = 0; i < c->pending.n; i++) {
        struct dkim_pending *p = c->pending.v[i];
        if (!minimal || !passed)
            verify(c, p);
        passed = passed || p->result.status == DKIM_PASS;
        vec_push(c->a, &out->all, p->result);
        add(c->a, &out->signers, p->result.signature.domain);
        add(c->a, &out->signers, p->result.signature.identity);
    }
}
