/* Chains of ARC: reading and checking; see arc.h. */
#include "mail/arc.h"

#include "base/arena.h"
#include "base/num.h"
#include "mail/tag_list.h"

static const struct {
    const char *name; /* of the field */
    enum dkim_kind kind;
} kinds[ARC_LINES] = {
    [ARC_RESULTS] = {"ARC-Authentication-Results", DKIM_SIGNATURE /* it is none */},
    [ARC_MESSAGE] = {"ARC-Message-Signature", ARC_MESSAGE_SIGNATURE},
    [ARC_SEALED] = {"ARC-Seal", ARC_SEAL},
};

bool
arc_line_kind(const struct header *h, enum arc_line *kind)
{
    struct str name = str_trim(header_name(h));
    for (enum arc_line k = ARC_RESULTS; k < ARC_LINES; k++) {
        *kind = k;
        if (str_ieqz(name, kinds[k].name))
            return true;
    }
    return false;
}

static unsigned
parse_instance(struct str s)
{
    uint64_t n;
    return num_parse_digits(s, &n) && n <= ARC_SETS_MAX ? (unsigned)n : 0;
}

/* Of a signature. */
static unsigned
tagged_instance(struct str body)
{
    struct tag t;
    uint32_t at = 0;
    for (unsigned n = 0; n < TAG_LIST_MAX && tag_list_next(body, &at, &t) == TAG_FOUND; n++)
        if (str_eqz(t.name, "i"))
            return parse_instance(t.value);
    return 0;
}

unsigned
arc_line_instance(enum arc_line kind, const struct header *h, struct str *results)
{
    struct str body = header_body(h);
    struct tag t;
    uint32_t at = 0;
    if (kind != ARC_RESULTS)
        return tagged_instance(body);
    if (tag_list_next(body, &at, &t) != TAG_FOUND || !str_eqz(t.name, "i"))
        return 0;
    if (results != NULL)
        *results = str_sub(body, at, body.n);
    return parse_instance(t.value);
}

/* --- reading --- */

/* False: *why. */
static bool
take_line(struct arena *a, enum arc_line kind, const struct header *h, struct arc_chain *out,
          struct str *why)
{
    unsigned i = arc_line_instance(kind, h, NULL);
    if (i == 0) {
        *why = str_printf(a, "(%s without a usable i=)", kinds[kind].name);
        return false;
    }
    struct arc_set *set = &out->set[i - 1];
    if (set->line[kind] != NULL) {
        *why = str_printf(a, "(i=%u; several %s)", i, kinds[kind].name);
        return false;
    }
    set->line[kind] = h;
    if (i > out->n)
        out->n = i;
    if (kind == ARC_MESSAGE)
        (void)dkim_signature_read(a, h->text, &set->message);
    else if (kind == ARC_SEALED)
        (void)dkim_signature_read(a, h->text, &set->seal);
    return true;
}

bool
arc_chain_read(struct arena *a, const struct header_list *l, struct arc_chain *out,
               struct str *why)
{
    bool ok = true;
    struct str one;
    *out = (struct arc_chain){.n = 0};
    for (size_t i = 0; l != NULL && i < l->n; i++) {
        enum arc_line kind;
        if (l->v[i].type == HEADER_TYPE_DELETED || !arc_line_kind(&l->v[i], &kind) ||
            take_line(a, kind, &l->v[i], out, &one))
            continue;
        if (ok)
            *why = one;
        ok = false;
    }
    return ok;
}

/* --- checking --- */

static const char *
missing_line(const struct arc_set *set)
{
    for (enum arc_line k = ARC_RESULTS; k < ARC_LINES; k++)
        if (set->line[k] == NULL)
            return kinds[k].name;
    return NULL;
}

static bool
is_empty(const struct arc_set *set)
{
    return set->line[ARC_RESULTS] == NULL && set->line[ARC_MESSAGE] == NULL &&
           set->line[ARC_SEALED] == NULL;
}

/* Sections 4.1.2 and 4.1.3: a seal covers what is fixed, and a message signature no seal. */
static const char *
bad_tags(const struct arc_set *set)
{
    if (dkim_signature_check(&set->message, ARC_MESSAGE_SIGNATURE) != DKIM_FAULT_NONE ||
        tag_value_has(set->message.headers, ':', kinds[ARC_SEALED].name))
        return kinds[ARC_MESSAGE].name;
    if (dkim_signature_check(&set->seal, ARC_SEAL) != DKIM_FAULT_NONE ||
        (set->seal.has & (DKIM_TAG_HEADERS | DKIM_TAG_BODY_HASH)) != 0)
        return kinds[ARC_SEALED].name;
    return NULL;
}

static bool
check_set(struct arena *a, const struct arc_set *set, unsigned i, struct str *why)
{
    const char *name = missing_line(set), *bad;
    if (is_empty(set))
        *why = str_printf(a, "(sequence; expected i=%u)", i);
    else if (name != NULL)
        *why = str_printf(a, "(i=%u; no %s)", i, name);
    else if ((bad = bad_tags(set)) != NULL)
        *why = str_printf(a, "(i=%u; bad %s)", i, bad);
    else if (str_ieqz(set->seal.chain, i == 1 ? "none" : "pass"))
        return true;
    else
        *why = str_ieqz(set->seal.chain, "fail") ? str_printf(a, "(i=%u; cv=fail)", i)
                                                 : str_printf(a, "(i=%u; wrong cv)", i);
    return false;
}

bool
arc_chain_check(struct arena *a, const struct arc_chain *c, struct str *why)
{
    for (unsigned i = 1; i <= c->n; i++)
        if (!check_set(a, &c->set[i - 1], i, why))
            return false;
    return true;
}

bool
arc_chain_is_whole(const struct arc_chain *c, unsigned from, unsigned until)
{
    for (unsigned i = from; i <= until; i++)
        if (i > c->n || missing_line(&c->set[i - 1]) != NULL)
            return false;
    return true;
}

void
arc_seal_feed(const struct arc_chain *c, unsigned from, unsigned instance, struct dkim_sink to)
{
    for (unsigned i = from; i <= instance; i++) {
        const struct arc_set *set = &c->set[i - 1];
        dkim_canon_header(DKIM_CANON_RELAXED, set->line[ARC_RESULTS]->text, to);
        dkim_canon_header(DKIM_CANON_RELAXED, set->line[ARC_MESSAGE]->text, to);
        if (i < instance)
            dkim_canon_header(DKIM_CANON_RELAXED, set->line[ARC_SEALED]->text, to);
        else
            dkim_canon_signature(DKIM_CANON_RELAXED, set->line[ARC_SEALED]->text,
                                 set->seal.b_from, set->seal.b_until, to);
    }
}

struct str
arc_chain_domains(struct arena *a, const struct arc_chain *c)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < c->n; i++) {
        struct str domain = c->set[i].seal.domain;
        if (domain.n == 0 || b.n > 0)
            buf_addc(&b, ':');
        for (uint32_t k = 0; k < domain.n; k++) {
            if (domain.p[k] == ':')
                buf_addc(&b, ':');
            buf_addc(&b, domain.p[k]);
        }
    }
    return str_tainted(buf_str(&b));
}

struct str
arc_state_name(enum arc_state s)
{
    static const struct str names[] = {
        [ARC_UNCHECKED] = STR_INIT(""),
        [ARC_NONE] = STR_INIT("none"),
        [ARC_FAIL] = STR_INIT("fail"),
        [ARC_PASS] = STR_INIT("pass"),
    };
    return names[s];
}
