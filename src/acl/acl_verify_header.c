/* verify = header_syntax, header_names_ascii, header_sender, not_blind: what the header of the message is like. */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "mail/address.h"
#include "mail/header.h"

enum { SHOWN_MAX = 1024 };

/* Called for each address of a field. False ends the walk. */
typedef bool address_fn(void *ctx, const struct header *h, enum address_status st,
                        const struct address_parts *p, struct str item);

static bool
walk(struct acl_verify_call *v, const struct header *h, address_fn *fn, void *ctx)
{
    struct arena *a = v->c->keep;
    struct str body = header_body(h);
    while (body.n > 0 && body.p[body.n - 1] == '\n')
        body.n--;
    const struct conf *conf = v->c->r->eval->conf;
    bool strip = conf != NULL && conf->main->strip_excess_angle_brackets;
    struct address_list l = address_list_start(body, ADDRESS_GROUP | ADDRESS_LITERAL |
                                                         (strip ? ADDRESS_STRIP_ANGLES : 0u));
    enum address_status st;
    struct address_parts p;
    struct str item;
    while (address_list_next(&l, a, &st, &p, &item))
        if (!fn(ctx, h, st, &p, item))
            return false;
    return true;
}

/* Fields of certain types in order. */
static bool
walk_types(struct acl_verify_call *v, const char *types, address_fn *fn, void *ctx)
{
    const struct message *m = v->c->r->eval->message;
    for (size_t i = 0; m != NULL && m->headers != NULL && i < m->headers->n; i++) {
        const struct header *h = &m->headers->v[i];
        if (h->type != HEADER_TYPE_OTHER && h->type != HEADER_TYPE_DELETED &&
            strchr(types, h->type) != NULL && !walk(v, h, fn, ctx))
            return false;
    }
    return true;
}

static struct str
name_of(const struct header *h)
{
    return header_name(h);
}

/* smtp_return_error_details: the peer is told what the log says. */
static void
tell(struct acl_verify_call *v, struct str text)
{
    const struct conf *conf = v->c->r->eval->conf;
    bool smtp = v->c->phase != ACL_PHASE_NOTSMTP && v->c->phase != ACL_PHASE_NOTSMTP_MIME;
    if (smtp && conf != NULL && conf->main != NULL && conf->main->smtp_return_error_details)
        v->c->user = str_printf(v->c->keep, "Rejected after DATA: %.*s", STR_ARG(text));
}

/* --- header_syntax --- */

static bool
check_address(void *ctx, const struct header *h, enum address_status st,
              const struct address_parts *p, struct str item)
{
    struct acl_verify_call *v = ctx;
    struct acl_call *c = v->c;
    const struct session *s = c->r->eval->session;
    bool sender = h->type == HEADER_TYPE_FROM || h->type == HEADER_TYPE_SENDER ||
                  h->type == HEADER_TYPE_REPLY_TO;
    bool loose = s == NULL || s->acl == NULL || !s->acl->qualified_set ||
                 (sender ? s->acl->unqualified_sender : s->acl->unqualified_recipient);
    if (st == ADDRESS_EMPTY || (st == ADDRESS_OK && (p->domain > 0 || p->text.n == 0 || loose)))
        return true;
    struct str why = st == ADDRESS_BAD ? p->error
                     : sender          ? STR_LIT("unqualified sender address not allowed")
                                       : STR_LIT("unqualified recipient address not allowed");
    item = str_trim(item);
    c->log = str_printf(c->keep, "%.*s: failing address in \"%.*s:\" header %s: %.*s",
                        STR_ARG(why), STR_ARG(name_of(h)), item.n > SHOWN_MAX ? "begins" : "is",
                        STR_ARG(str_sub(item, 0, SHOWN_MAX)));
    return false;
}

enum acl_test
acl_verify_header_syntax(struct acl_verify_call *v)
{
    if (walk_types(v, "FSRTCB", check_address, v))
        return ACL_TEST_TRUE;
    tell(v, v->c->log);
    return ACL_TEST_FALSE;
}

/* --- header_names_ascii --- */

enum acl_test
acl_verify_header_names(struct acl_verify_call *v)
{
    struct acl_call *c = v->c;
    const struct message *m = c->r->eval->message;
    for (size_t i = 0; m != NULL && m->headers != NULL && i < m->headers->n; i++) {
        const struct header *h = &m->headers->v[i];
        struct str name = name_of(h);
        for (uint32_t k = 0; h->type != HEADER_TYPE_DELETED && k < name.n; k++) {
            if (name.p[k] > ' ' && name.p[k] <= '~')
                continue;
            c->log = str_printf(c->keep, "Invalid character in header \"%.*s\" found",
                                STR_ARG(name));
            tell(v, c->log);
            return ACL_TEST_FALSE;
        }
    }
    return ACL_TEST_TRUE;
}

/* --- not_blind --- */

struct blind {
    struct acl_verify_call *v;
    struct str local_part, domain; /* of the recipient that is looked for */
    bool found;
};

static bool
compare(void *ctx, const struct header *h, enum address_status st,
        const struct address_parts *p, struct str item)
{
    struct blind *b = ctx;
    struct str local_part, domain;
    (void)h;
    (void)item;
    if (st != ADDRESS_OK)
        return true;
    address_split(p->text, &local_part, &domain);
    if (!str_is_set(domain))
        return true;
    b->found = str_ieq(domain, b->domain) &&
               (b->v->case_insensitive ? str_ieq(local_part, b->local_part)
                                       : str_eq(local_part, b->local_part));
    return !b->found;
}

enum acl_test
acl_verify_not_blind(struct acl_verify_call *v)
{
    const struct message *m = v->c->r->eval->message;
    for (size_t i = 0; m != NULL && i < m->recipients.n; i++) {
        struct blind b = {.v = v};
        address_split(m->recipients.v[i].address, &b.local_part, &b.domain);
        (void)walk_types(v, "TC", compare, &b);
        if (b.found)
            continue;
        v->c->log = STR_LIT("bcc recipient detected");
        tell(v, v->c->log);
        return ACL_TEST_FALSE;
    }
    return ACL_TEST_TRUE;
}

/* --- header_sender --- */

struct header_sender {
    struct acl_verify_call *v;
    bool found, deferred, failed, syntax;
    struct acl_verified last;
    struct str details;
};

static bool
try_sender(void *ctx, const struct header *h, enum address_status st,
           const struct address_parts *p, struct str item)
{
    struct header_sender *k = ctx;
    struct acl_call *c = k->v->c;
    struct acl_verified r;
    if (st == ADDRESS_EMPTY || (st == ADDRESS_OK && p->text.n == 0))
        return true;
    if (st == ADDRESS_BAD) {
        c->log = str_printf(c->keep,
                            "syntax error in '%.*s:' header when scanning for sender: %.*s in "
                            "\"%.*s\"",
                            STR_ARG(name_of(h)), STR_ARG(p->error), STR_ARG(str_trim(item)));
        k->syntax = true;
        return false;
    }
    acl_verify_ask(k->v, p->text, &r);
    k->found = r.outcome == OUT_OK;
    k->deferred = k->deferred || r.outcome == OUT_DEFER;
    k->failed = k->failed || r.outcome == OUT_FAIL;
    if (!k->found && !str_is_set(k->details)) {
        struct str why = str_is_set(r.why.peer) ? r.why.peer : r.why.log;
        k->details =
            str_printf(c->keep, "could not verify \"%.*s:\" header address\n%.*s: %.*s",
                       STR_ARG(name_of(h)), STR_ARG(p->text), STR_ARG(why));
    }
    return !k->found;
}

enum acl_test
acl_verify_header_sender(struct acl_verify_call *v)
{
    static const char *const types[] = {"S", "R", "F"};
    struct header_sender k = {.v = v, .details = STR_NULL};
    for (size_t i = 0; i < 3; i++) {
        if (walk_types(v, types[i], try_sender, &k))
            continue;
        if (k.found)
            return ACL_TEST_TRUE;
        tell(v, v->c->log); /* what cannot be read ends it */
        return ACL_TEST_FALSE;
    }
    if (str_is_set(k.details))
        tell(v, k.details);
    if (k.deferred && !k.failed) {
        v->c->log = STR_LIT("all attempts to verify a sender in a header line deferred");
        return ACL_TEST_DEFER;
    }
    v->c->log = k.deferred
                    ? STR_LIT("all attempts to verify a sender in a header line deferred")
                    : STR_LIT("there is no valid sender in any header line");
    return k.deferred ? ACL_TEST_DEFER : ACL_TEST_FALSE;
}
