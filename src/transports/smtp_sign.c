/* Signs messages that go out; see smtp_sign.h. */
#include "transports/smtp_sign.h"

#include "base/num.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "filter/vm.h"
#include "mail/dkim_make.h"
#include "mail/dkim_result.h"
#include "sys/dkim_hash.h"
#include "sys/file.h"
#include "sys/memory_file.h"
#include "transports/smtp_arc.h"
#include "transports/smtp_key.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* One signature on its way. */
struct signing {
    struct dkim_making making;
    struct sign_key *key;
    struct str list; /* of names to sign */
    struct dkim_body_hash *body;
};

struct signer {
    const struct transport_job *job;
    const struct transport_smtp *opt;
    struct arena *arena;
    struct dkim_bodies *bodies;
    VEC(struct signing) all;
    struct smtp_arc *arc; /* NULL: no set is made */
    bool strict;
    struct str fault; /* the last one, for a deferral; unset: none */
    /* The message as it is written. */
    struct buf header;
    bool in_body, line_start;
    int copy; /* of a filter's output; -1: none is kept */
};

/* --- faults --- */

static bool
failed(struct signer *s, struct str text)
{
    struct eval *e = s->job->eval;
    s->fault = str_dup(s->arena, text);
    if (e->log != NULL)
        e->log(e->log_ctx, true, s->fault);
    return false;
}

static void
note(struct signer *s, struct str text)
{
    struct eval *e = s->job->eval;
    if (e->log != NULL)
        e->log(e->log_ctx, false, text);
}

/* The value, in the arena. False: it does not expand, which is logged. */
static bool
expand(struct signer *s, const struct xstr *x, const char *name, struct str *out)
{
    struct str text;
    *out = STR_EMPTY;
    if (!str_is_set(x->text))
        return true;
    if (vm_expand_x(s->job->vm, x, &text) != VM_OK)
        return failed(s, str_printf(s->arena, "failed to expand %s: %.*s", name,
                                    STR_ARG(vm_error(s->job->vm))));
    *out = str_dup(s->arena, text);
    return true;
}

/* --- keys --- */

static bool
load_key(struct signer *s, struct str text, struct sign_key **key)
{
    struct str why;
    switch (smtp_key_load(s->job, s->arena, text, key, &why)) {
    case SMTP_KEY_OK:
        return true;
    case SMTP_KEY_TAINTED:
        return failed(s, str_printf(s->arena, "Tainted filename '%.*s' for dkim_private_key",
                                    STR_ARG(text)));
    case SMTP_KEY_NO_FILE:
        return failed(
            s, str_printf(s->arena, "unable to open file for reading: %.*s", STR_ARG(text)));
    case SMTP_KEY_BAD:
        break;
    }
    (void)failed(
        s, str_printf(s->arena, "signing_init: privkey PEM-block import: %.*s", STR_ARG(why)));
    return failed(s, STR_LIT("DKIM: signing failed: PRIVKEY"));
}

/* --- options --- */

static bool
set_canon(struct signer *s, struct dkim_making *m)
{
    struct str text;
    m->canon = DKIM_CANON_RELAXED;
    if (!expand(s, &s->opt->dkim_canon, "dkim_canon", &text))
        return false;
    if (text.n > 0 && !dkim_canon_find(text, &m->canon))
        note(s, str_printf(s->arena,
                           "DKIM: unknown canonicalization method '%.*s', defaulting to "
                           "'relaxed'.",
                           STR_ARG(text)));
    return true;
}

static bool
set_hash(struct signer *s, struct signing *g)
{
    struct dkim_making *m = &g->making;
    struct str text;
    if (!expand(s, &s->opt->dkim_hash, "dkim_hash", &text))
        return false;
    m->hash = DKIM_HASH_SHA256;
    if (text.n > 0 && !dkim_hash_find(text, &m->hash))
        return failed(
            s, str_printf(s->arena, "DKIM: unrecognised hashname '%.*s'", STR_ARG(text)));
    m->type = sign_key_type(g->key);
    if (!str_is_set(dkim_algorithm_name(m->type, m->hash)))
        return failed(s, str_printf(s->arena, "DKIM: keys of type %.*s do not sign with %.*s",
                                    STR_ARG(dkim_key_type_name(m->type)), STR_ARG(text)));
    return true;
}

/* dkim_timestamps: seconds until the end; 0: that is not said. */
static bool
set_times(struct signer *s, struct dkim_making *m)
{
    struct str text;
    uint64_t seconds;
    m->created = m->expires = -1;
    if (!expand(s, &s->opt->dkim_timestamps, "dkim_timestamps", &text))
        return false;
    text = str_trim(text);
    if (text.n == 0)
        return true;
    if (!num_parse_digits(text, &seconds) || seconds > UINT32_MAX)
        return failed(
            s, str_printf(s->arena, "DKIM: bad dkim_timestamps value '%.*s'", STR_ARG(text)));
    m->created = (int64_t)time(NULL);
    if (seconds > 0)
        m->expires = m->created + (int64_t)seconds;
    return true;
}

/* As the macro _DKIM_SIGN_HEADERS has them. */
static const char default_names[] =
#define DKIM_FIRST_FIELD(name) name
#define DKIM_FIELD(name) ":" name
#include "mail/dkim_field.def"
#undef DKIM_FIRST_FIELD
#undef DKIM_FIELD
    ;

static bool
set_names(struct signer *s, struct signing *g)
{
    if (!str_is_set(s->opt->dkim_sign_headers.text)) {
        g->list = STR_LIT(default_names);
        return true;
    }
    if (!expand(s, &s->opt->dkim_sign_headers, "dkim_sign_headers", &g->list))
        return false;
    return g->list.n > 0 || failed(s, STR_LIT("DKIM: dkim_sign_headers names nothing to sign"));
}

static bool
set_identity(struct signer *s, struct dkim_making *m)
{
    if (!expand(s, &s->opt->dkim_identity, "dkim_identity", &m->identity))
        return false;
    return dkim_make_is_plain(m->identity) ||
           failed(s, str_printf(s->arena, "DKIM: bad dkim_identity value '%.*s'",
                                STR_ARG(m->identity)));
}

static bool
is_off(struct str key)
{
    return key.n == 0 || str_eqz(key, "0") || str_eqz(key, "false");
}

/* One signature for the domain and selector that variables show. False: it cannot be made. */
static bool
prepare_one(struct signer *s, struct str domain, struct str selector)
{
    struct signing g = {.making = {.domain = domain, .selector = selector}};
    struct str key;
    if (!expand(s, &s->opt->dkim_private_key, "dkim_private_key", &key))
        return false;
    if (is_off(key))
        return true;
    if (!dkim_make_is_plain(domain) || !dkim_make_is_plain(selector))
        return failed(s, str_printf(s->arena, "DKIM: bad domain or selector '%.*s', '%.*s'",
                                    STR_ARG(domain), STR_ARG(selector)));
    if (s->all.n == SMTP_SIGN_MAX)
        return failed(s, STR_LIT("DKIM: too many signatures"));
    if (!set_canon(s, &g.making) || !set_names(s, &g) || !set_identity(s, &g.making) ||
        !set_times(s, &g.making) || !load_key(s, key, &g.key) || !set_hash(s, &g))
        return false;
    g.body = dkim_bodies_want(s->bodies, g.making.hash, g.making.canon, DKIM_BODY_ALL);
    vec_push(s->arena, &s->all, g);
    return true;
}

static void
set_strict(struct signer *s)
{
    struct str text;
    s->strict = expand(s, &s->opt->dkim_strict, "dkim_strict", &text) &&
                (str_eqz(text, "1") || str_ieqz(text, "true"));
}

static bool
prepare_domain(struct signer *s, struct dkim_results *shown)
{
    struct str selectors, item;
    if (!expand(s, &s->opt->dkim_selector, "dkim_selector", &selectors))
        return false;
    struct strlist_split each = strlist_split_start(selectors, ':');
    bool good = true;
    while (good && strlist_split_next(&each, s->arena, &item)) {
        shown->selector = item;
        good = item.n == 0 || prepare_one(s, shown->domain, item);
        if (!good)
            set_strict(s);
    }
    shown->selector = STR_EMPTY;
    return good;
}

/* What is to be signed with what. False: at least one signature cannot be made. */
static bool
prepare(struct signer *s, struct dkim_results *shown)
{
    struct str domains, item;
    bool good = expand(s, &s->opt->dkim_domain, "dkim_domain", &domains);
    struct strlist_split each = strlist_split_start(domains, ':');
    while (good && strlist_split_next(&each, s->arena, &item)) {
        shown->domain = str_lower(s->arena, item);
        good = item.n == 0 || prepare_domain(s, shown);
    }
    if (!good && !s->strict)
        set_strict(s);
    return good;
}

/* --- the message --- */

/* Up to and with the empty line it is the header. */
static size_t
take_header(struct signer *s, const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && !s->in_body) {
        char c = p[i++];
        if (c == '\n') {
            s->in_body = s->line_start;
            s->line_start = true;
        } else if (c != '\r') {
            s->line_start = false;
        }
    }
    buf_add(&s->header, p, i);
    return i;
}

static bool
take(void *ctx, struct iovec *v, int n)
{
    struct signer *s = ctx;
    for (int i = 0; i < n; i++) {
        const char *p = v[i].iov_base;
        if (s->copy >= 0 && !file_write_all(s->copy, p, v[i].iov_len))
            return false;
        size_t head = take_header(s, p, v[i].iov_len);
        dkim_bodies_feed(s->bodies, p + head, v[i].iov_len - head);
    }
    return true;
}

/* Through the hashes; of a filter's output a copy is kept. */
static bool
read_message(struct signer *s, const struct message_write *w)
{
    struct message_sink sink = {.arena = s->arena, .fd = -1, .put = take, .ctx = s};
    struct message_written written;
    s->header = buf_in(s->arena, SMTP_SIGN_HEADER_MAX);
    s->line_start = true;
    if (w->filter != NULL && (s->copy = memory_file_new("message")) < 0)
        return failed(s, STR_LIT("DKIM: no place for what the transport filter writes"));
    message_write(w, &sink, &written);
    if (!written.ok)
        return failed(s, STR_LIT("DKIM: signing failed: the message could not be read"));
    if (s->header.overflow)
        return failed(s, STR_LIT("DKIM: signing failed: the header is too long"));
    return dkim_bodies_end(s->bodies) || failed(s, STR_LIT("DKIM: signing failed: LONG_LINE"));
}

/* --- signatures --- */

static struct str
digest_of(struct signer *s, const struct signing *g, const struct dkim_signed *fields)
{
    struct digest_stream *d = dkim_hash_start(s->arena, g->making.hash);
    struct dkim_sink to = dkim_hash_sink(d);
    uint32_t from, until;
    for (size_t i = 0; i < fields->lines.n; i++)
        dkim_canon_header(g->making.canon, fields->lines.v[i], to);
    struct str line = dkim_make_line(s->arena, &g->making, &from, &until);
    dkim_canon_signature(g->making.canon, line, from, until, to);
    return dkim_hash_end(s->arena, d);
}

static bool
sign_one(struct signer *s, struct signing *g, const struct header_list *l, struct buf *lines)
{
    struct dkim_signed fields;
    struct str why;
    uint32_t from, until;
    if (!dkim_make_choose(s->arena, l, g->list, &fields))
        return failed(s, STR_LIT("DKIM: dkim_sign_headers has too many names"));
    g->making.names = fields.names;
    g->making.body_hash = dkim_body_hash_digest(g->body);
    struct str digest = digest_of(s, g, &fields);
    if (!sign_key_sign(g->key, s->arena, g->making.hash, digest, &g->making.signature, &why)) {
        (void)failed(s, str_printf(s->arena, "signing: %.*s", STR_ARG(why)));
        return failed(s, STR_LIT("DKIM: signing failed: SIGNING"));
    }
    buf_adds(lines, dkim_make_line(s->arena, &g->making, &from, &until));
    return true;
}

static bool
sign_all(struct signer *s, struct dkim_results *shown, struct buf *lines)
{
    struct header_list l = {0};
    header_list_read(s->arena, &l, buf_str(&s->header));
    for (size_t i = 0; i < s->all.n; i++) {
        shown->domain = s->all.v[i].making.domain;
        shown->selector = s->all.v[i].making.selector;
        if (!sign_one(s, &s->all.v[i], &l, lines))
            return false;
    }
    return true;
}

static struct str
names_of(const struct signer *s, struct arena *a)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < s->all.n; i++)
        buf_printf(&b, "%s%.*s:%.*s", i > 0 ? ":" : "", STR_ARG(s->all.v[i].making.domain),
                   STR_ARG(s->all.v[i].making.selector));
    return buf_str(&b);
}

/* What was signed goes out: the header as it was made, or all that a filter wrote. */
static void
send_signed(struct signer *s, struct message_write *w)
{
    if (s->copy < 0) {
        w->header_text = str_dup(s->job->arena, buf_str(&s->header));
        return;
    }
    w->filter = NULL;
    w->flags |= MESSAGE_WRITE_NO_HEADERS;
    w->flags &= ~(unsigned)MESSAGE_WRITE_NO_BODY;
    w->body_fd = s->copy;
    w->body_start = 0;
    w->body_max = -1;
}

static void
close_copy(void *ctx)
{
    close(*(int *)ctx);
}

static void
keep_copy(struct signer *s)
{
    if (s->copy < 0)
        return;
    int *fd = ARENA_NEW(s->job->arena, int);
    *fd = s->copy;
    arena_on_free(s->job->arena, close_copy, fd);
}

/* The set of ARC covers the signatures of DKIM, and goes in front of them. */
static struct str
add_arc(struct signer *s, struct str lines, bool hashed)
{
    struct header_list l = {0};
    if (s->arc == NULL)
        return lines;
    (void)header_list_read(s->arena, &l, str_cat(s->arena, lines, buf_str(&s->header)));
    return str_cat(s->job->arena, smtp_arc_sign(s->arc, &l, hashed), lines);
}

/* Signs; variables show in *shown what is signed for. False: there should be a signature that is not there. */
static bool
sign(struct signer *s, struct message_write *w, struct dkim_results *shown, struct str *lines)
{
    struct buf b = buf_in(s->job->arena, 0);
    bool good = prepare(s, shown);
    bool wanted = good && s->all.n > 0;
    *lines = STR_EMPTY;
    s->arc = smtp_arc_start(s->job, s->arena, &s->opt->arc_sign, s->bodies);
    if (!wanted && s->arc == NULL)
        return good;
    bool hashed = read_message(s, w);
    keep_copy(s);
    if (wanted) {
        good = hashed && sign_all(s, shown, &b);
        if (!good)
            set_strict(s);
    }
    if (!good)
        s->all.n = 0;
    *lines = add_arc(s, good ? buf_str(&b) : STR_EMPTY, hashed);
    if (hashed && lines->n > 0)
        send_signed(s, w);
    return good;
}

bool
smtp_sign(const struct transport_job *job, const struct transport_smtp *opt,
          struct message_write *w, struct smtp_signed *out, struct why *why)
{
    struct dkim_results shown = {.domain = STR_EMPTY};
    struct message *m = job->eval->message;
    *out = (struct smtp_signed){.dkim = STR_NULL};
    if ((opt->dkim_domain.text.n == 0 && opt->arc_sign.text.n == 0) || m == NULL ||
        (w->flags & MESSAGE_WRITE_NO_HEADERS) != 0)
        return true;
    struct arena *own = arena_new(); /* keys go with it */
    struct signer s = {.job = job, .opt = opt, .arena = own, .copy = -1};
    struct dkim_results *outer = m->dkim;
    struct str lines;
    s.bodies = dkim_bodies_new(own);
    m->dkim = &shown;
    bool good = sign(&s, w, &shown, &lines);
    m->dkim = outer;
    if (lines.n > 0)
        w->prefix_text = str_cat(job->arena, lines, w->prefix_text);
    if (s.all.n > 0)
        out->dkim = names_of(&s, job->arena);
    good = good || !s.strict;
    if (!good) {
        note(&s, STR_LIT("DKIM: message could not be signed, and dkim_strict is set. Deferring "
                         "message delivery."));
        *why = (struct why){
            .outcome = OUT_DEFER, .sys_errno = EACCES, .log = str_dup(job->arena, s.fault)};
    }
    arena_free(own);
    return good;
}
