/* Sets of ARC for messages that go out; see smtp_arc.h. */
#include "transports/smtp_arc.h"

#include "base/base64.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "filter/vm.h"
#include "mail/arc.h"
#include "mail/dkim_make.h"
#include "transports/smtp_key.h"

#include <time.h>

enum { EXPIRES_S = 30 * 24 * 60 * 60 }; /* `expire` without a time */

struct smtp_arc {
    const struct transport_job *job;
    struct arena *arena;
    struct str key; /* a file, or the key itself */
    struct arc_new set;
    struct dkim_body_hash *body;
};

static void
note(const struct smtp_arc *s, struct str text)
{
    struct eval *e = s->job->eval;
    if (e->log != NULL)
        e->log(e->log_ctx, false, text);
}

/* --- the option --- */

/* "expire", "expire=1700000000", "expire=+3600". */
static bool
take_expire(struct smtp_arc *s, struct str option)
{
    uint64_t n;
    s->set.expires = (int64_t)time(NULL) + EXPIRES_S;
    if (str_eqz(option, "expire"))
        return true;
    struct str value = str_sub(option, strlen("expire="), option.n);
    bool relative = str_starts(value, "+");
    if (!num_parse_digits(str_sub(value, relative, value.n), &n) || n > UINT32_MAX)
        return false;
    s->set.expires = (int64_t)n + (relative ? (int64_t)time(NULL) : 0);
    return true;
}

static void
take_options(struct smtp_arc *s, struct str options)
{
    struct strlist_split l = strlist_split_start(options, ',');
    struct str one;
    while (strlist_split_next(&l, s->arena, &one)) {
        if (str_eqz(one, "timestamps"))
            s->set.created = (int64_t)time(NULL);
        else if (one.n > 0 && !((str_eqz(one, "expire") || str_starts(one, "expire=")) &&
                                take_expire(s, one)))
            note(s,
                 str_printf(s->arena, "ARC: unknown option '%.*s' of arc_sign", STR_ARG(one)));
    }
}

/* A name that goes into a line. */
static bool
is_name(struct str text)
{
    return text.n > 0 && dkim_make_is_plain(text);
}

static bool
take_spec(struct smtp_arc *s, struct str spec)
{
    struct strlist_split l = strlist_split_start(spec, ':');
    struct str options = STR_EMPTY;
    const char *bad = NULL;
    if (!strlist_split_next(&l, s->arena, &s->set.domain) || !is_name(s->set.domain))
        bad = "identity";
    else if (!strlist_split_next(&l, s->arena, &s->set.selector) || !is_name(s->set.selector))
        bad = "selector";
    else if (!strlist_split_next(&l, s->arena, &s->key) || s->key.n == 0)
        bad = "private-key";
    if (bad != NULL) {
        note(s, str_printf(s->arena, "ARC: bad signing-specification (%s)", bad));
        return false;
    }
    if (strlist_split_next(&l, s->arena, &options))
        take_options(s, options);
    return true;
}

struct smtp_arc *
smtp_arc_start(const struct transport_job *job, struct arena *a, const struct xstr *option,
               struct dkim_bodies *bodies)
{
    struct str spec;
    if (option->text.n == 0)
        return NULL;
    struct smtp_arc *s = ARENA_NEW(a, struct smtp_arc);
    *s = (struct smtp_arc){.job = job, .arena = a, .set = {.created = -1, .expires = -1}};
    enum vm_status st = vm_expand_x(job->vm, option, &spec);
    if (st != VM_OK && st != VM_FORCED)
        note(s,
             str_printf(a, "ARC: failed to expand arc_sign: %.*s", STR_ARG(vm_error(job->vm))));
    if (st != VM_OK)
        return NULL;
    spec = str_dup(a, spec);
    if (spec.n == 0 || !take_spec(s, spec))
        return NULL;
    s->body = dkim_bodies_want(bodies, DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, DKIM_BODY_ALL);
    return s;
}

/* --- what is sealed --- */

/* The value of the first Authentication-Results: line that is of the identity. */
static bool
find_results(const struct smtp_arc *s, const struct header_list *l, struct str *value)
{
    struct str name = STR_LIT("Authentication-Results");
    for (size_t i = header_list_find(l, name, 0); i != STR_NPOS;
         i = header_list_find(l, name, i + 1)) {
        *value = header_body(&l->v[i]);
        if (str_ieq(arc_results_server(*value), s->set.domain))
            return true;
    }
    return false;
}

/* Finds instance and cv=. False: there is to be no set, which is logged. */
static bool
take_chain(struct smtp_arc *s, const struct header_list *l, struct str results)
{
    struct arc_chain *c = ARENA_NEW(s->arena, struct arc_chain);
    struct str why, result = arc_results_find(results, "arc");
    bool sound = arc_chain_read(s->arena, l, c, &why);
    const char *fault = NULL;
    s->set.instance = (unsigned)c->n + 1;
    s->set.chain = c->n == 0 && sound         ? STR_LIT("none")
                   : str_ieqz(result, "pass") ? STR_LIT("pass")
                   : str_ieqz(result, "none") ? STR_NULL
                   : str_is_set(result)       ? STR_LIT("fail")
                                              : STR_NULL;
    if (c->n == ARC_SETS_MAX)
        fault = "there are too many sets";
    else if (!str_is_set(s->set.chain))
        fault = "Authentication-Results does not say what became of its sets";
    else if (c->n > 0 && str_ieqz(c->set[c->n - 1].seal.chain, "fail"))
        fault = "somebody has found its sets broken already";
    if (fault != NULL)
        note(s, str_printf(s->arena, "ARC: the message is not signed: %s", fault));
    return fault == NULL;
}

/* Fields that DKIM signs by default, and its signatures: all that are there. */
static const char names_to_sign[] =
#define DKIM_FIRST_FIELD(name) "=DKIM-Signature:=" name
#define DKIM_FIELD(name) ":=" name
#include "mail/dkim_field.def"
#undef DKIM_FIRST_FIELD
#undef DKIM_FIELD
    ;

/* --- signing --- */

static struct sign_key *
load_key(struct smtp_arc *s)
{
    struct sign_key *key;
    struct str why;
    enum smtp_key_end end = smtp_key_load(s->job, s->arena, s->key, &key, &why);
    if (end == SMTP_KEY_BAD)
        note(s, str_printf(s->arena, "ARC: AMS signing: privkey PEM-block import: %.*s",
                           STR_ARG(why)));
    else if (end != SMTP_KEY_OK)
        note(s, str_printf(s->arena, "ARC: unable to open file for reading: %.*s",
                           STR_ARG(s->key)));
    return key;
}

/* Signs a digest and puts the signature into the line. */
static bool
put_signature(struct smtp_arc *s, const struct sign_key *key, struct digest_stream *d,
              struct str *line)
{
    struct str signature, why;
    struct str digest = dkim_hash_end(s->arena, d);
    if (!sign_key_sign(key, s->arena, DKIM_HASH_SHA256, digest, &signature, &why)) {
        note(s, str_printf(s->arena, "ARC: signing: %.*s", STR_ARG(why)));
        return false;
    }
    *line = arc_new_sign(s->arena, *line, base64_encode(s->arena, signature));
    return true;
}

static bool
sign_message(struct smtp_arc *s, const struct sign_key *key, const struct header_list *l,
             struct str *line)
{
    struct dkim_signed fields = {.names = STR_EMPTY};
    struct digest_stream *d = dkim_hash_start(s->arena, DKIM_HASH_SHA256);
    struct dkim_sink to = dkim_hash_sink(d);
    struct dkim_signature tags;
    if (!dkim_make_choose(s->arena, l, STR_LIT(names_to_sign), &fields) ||
        fields.names.n == 0) {
        note(s, STR_LIT("ARC: the message has no fields to be signed"));
        return false;
    }
    struct str hash = base64_encode(s->arena, dkim_body_hash_digest(s->body));
    *line = arc_new_message(s->arena, &s->set, hash, fields.names);
    for (size_t i = 0; i < fields.lines.n; i++)
        dkim_canon_header(DKIM_CANON_RELAXED, fields.lines.v[i], to);
    if (!dkim_signature_read(s->arena, *line, &tags))
        return false;
    dkim_canon_signature(DKIM_CANON_RELAXED, *line, tags.b_from, tags.b_until, to);
    return put_signature(s, key, d, line);
}

/* A chain that was found broken is sealed without what came before (section 5.1.2). */
static bool
sign_seal(struct smtp_arc *s, const struct sign_key *key, const struct header_list *l,
          const struct str lines[ARC_LINES], struct str *line)
{
    struct arc_chain *c = ARENA_NEW(s->arena, struct arc_chain);
    struct digest_stream *d = dkim_hash_start(s->arena, DKIM_HASH_SHA256);
    struct header_list whole = {.n = 0};
    struct str why;
    *line = arc_new_seal(s->arena, &s->set);
    bool broken = str_eqz(s->set.chain, "fail");
    for (size_t i = 0; i < l->n && !broken; i++)
        if (l->v[i].type != HEADER_TYPE_DELETED &&
            !header_list_add(s->arena, &whole, l->v[i].text, HEADER_AT_END))
            return false;
    if (!header_list_add(s->arena, &whole, lines[ARC_RESULTS], HEADER_AT_TOP) ||
        !header_list_add(s->arena, &whole, lines[ARC_MESSAGE], HEADER_AT_TOP) ||
        !header_list_add(s->arena, &whole, *line, HEADER_AT_TOP))
        return false;
    (void)arc_chain_read(s->arena, &whole, c, &why);
    unsigned from = broken ? s->set.instance : 1;
    if (!arc_chain_is_whole(c, from, s->set.instance)) {
        note(s, STR_LIT("ARC: the message is not signed: a set is not whole"));
        return false;
    }
    arc_seal_feed(c, from, s->set.instance, dkim_hash_sink(d));
    return put_signature(s, key, d, line);
}

static struct str
with_crlf(struct arena *a, const struct str *lines, size_t n)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < lines[i].n; k++) {
            if (lines[i].p[k] == '\n')
                buf_addc(&b, '\r');
            buf_addc(&b, lines[i].p[k]);
        }
        b.taint = str_taint_join(b.taint, lines[i].taint);
    }
    return buf_str(&b);
}

struct str
smtp_arc_sign(struct smtp_arc *s, const struct header_list *headers, bool hashed)
{
    const struct session *from = s->job->eval->session;
    struct str results, line[ARC_LINES];
    if (!hashed || s->body == NULL) {
        note(s, STR_LIT("ARC: bad message body-hash"));
        return STR_EMPTY;
    }
    if (!find_results(s, headers, &results)) {
        note(s, STR_LIT("ARC: no Authentication-Results header for signing"));
        return STR_EMPTY;
    }
    if (!take_chain(s, headers, results))
        return STR_EMPTY;
    const struct sign_key *key = load_key(s);
    if (key == NULL)
        return STR_EMPTY;
    s->set.algorithm = dkim_algorithm_name(sign_key_type(key), DKIM_HASH_SHA256);
    line[ARC_RESULTS] = arc_new_results(s->arena, &s->set, results,
                                        from != NULL ? from->sender_host_address : STR_NULL);
    if (!sign_message(s, key, headers, &line[ARC_MESSAGE]) ||
        !sign_seal(s, key, headers, line, &line[ARC_SEALED]))
        return STR_EMPTY;
    const struct str all[] = {line[ARC_SEALED], line[ARC_RESULTS], line[ARC_MESSAGE]};
    return with_crlf(s->arena, all, sizeof all / sizeof all[0]);
}
