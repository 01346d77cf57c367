/* Signatures in header lines; see dkim_signature.h. */
#include "mail/dkim_signature.h"

#include "base/arena.h"
#include "base/base64.h"
#include "mail/tag_list.h"

#include <stddef.h>

/* --- values --- */

/* Decimal digits, at most 12: sections 3.5 (t=, x=) and, for l=, more than any message has. */
static bool
read_number(struct str s, int64_t *out)
{
    int64_t n = 0;
    if (s.n == 0 || s.n > 12)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
        n = n * 10 + (s.p[i] - '0');
    }
    *out = n;
    return true;
}

/* White space in it is folding. */
static bool
read_bytes(struct arena *a, struct str s, struct str *out)
{
    if (s.n > 0 && s.n <= DKIM_SIGNATURE_MAX * 2 && base64_decode(a, s, out, NULL) &&
        out->n > 0 && out->n <= DKIM_SIGNATURE_MAX)
        return true;
    *out = STR_NULL; /* nothing of what was too long stays */
    return false;
}

/* "header/body"; the body's is simple when it is not said. */
static bool
read_canon(struct dkim_signature *s, struct str value)
{
    size_t slash = str_chr(value, '/', 0);
    struct str body =
        slash == STR_NPOS ? STR_LIT("simple") : str_sub(value, slash + 1, value.n);
    return dkim_canon_find(str_trim(str_sub(value, 0, slash)), &s->canon_headers) &&
           dkim_canon_find(str_trim(body), &s->canon_body);
}

/* --- tags --- */

enum form { FORM_TEXT, FORM_NEEDED_TEXT, FORM_NUMBER, FORM_BYTES, FORM_CANON };

static const struct row {
    const char *name;
    enum dkim_tag tag;
    enum form form;
    size_t offset; /* of the text, the number or the bytes */
} rows[] = {
#define ROW(name, tag, form, member)                                                           \
    {                                                                                          \
        name, DKIM_TAG_##tag, FORM_##form, offsetof(struct dkim_signature, member)             \
    }
    ROW("v", VERSION, TEXT, version),
    ROW("a", ALGORITHM, NEEDED_TEXT, algorithm),
    ROW("b", SIGNATURE, BYTES, signature),
    ROW("bh", BODY_HASH, BYTES, body_hash),
    ROW("c", CANON, CANON, canon_headers),
    ROW("d", DOMAIN, NEEDED_TEXT, domain),
    ROW("h", HEADERS, NEEDED_TEXT, headers),
    ROW("i", IDENTITY, TEXT, identity),
    ROW("l", BODY_LENGTH, NUMBER, body_length),
    ROW("q", QUERY, TEXT, query),
    ROW("s", SELECTOR, NEEDED_TEXT, selector),
    ROW("t", CREATED, NUMBER, created),
    ROW("x", EXPIRES, NUMBER, expires),
    ROW("z", COPIED, TEXT, copied),
    ROW("cv", CHAIN, TEXT, chain),
#undef ROW
};

static bool
read_value(struct arena *a, const struct row *row, struct str value, struct dkim_signature *s)
{
    void *to = (char *)s + row->offset;
    switch (row->form) {
    case FORM_NEEDED_TEXT:
    case FORM_TEXT:
        *(struct str *)to = value;
        return row->form == FORM_TEXT || value.n > 0;
    case FORM_NUMBER:
        return read_number(value, to);
    case FORM_BYTES:
        return read_bytes(a, value, to);
    case FORM_CANON:
        break;
    }
    return read_canon(s, value);
}

static const struct row *
find_row(struct str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eqz(name, rows[i].name))
            return &rows[i];
    return NULL;
}

bool
dkim_signature_read(struct arena *a, struct str line, struct dkim_signature *out)
{
    size_t colon = str_chr(line, ':', 0);
    *out =
        (struct dkim_signature){.line = line, .body_length = -1, .created = -1, .expires = -1};
    if (colon == STR_NPOS || line.n > DKIM_LINE_MAX)
        return false;
    struct str list = str_sub(line, colon + 1, line.n);
    uint32_t at = 0, behind = (uint32_t)colon + 1;
    struct tag t;
    enum tag_end end = TAG_OVER;
    for (unsigned n = 0; (end = tag_list_next(list, &at, &t)) == TAG_FOUND; n++) {
        const struct row *row = find_row(t.name);
        if (n == TAG_LIST_MAX) {
            out->ill_formed = true;
            break;
        }
        if (row == NULL)
            continue; /* "unrecognized tags MUST be ignored" */
        if (((out->has | out->bad) & row->tag) != 0) {
            out->ill_formed = true;
            continue;
        }
        if (row->tag == DKIM_TAG_SIGNATURE) {
            out->b_from = behind + t.from;
            out->b_until = behind + t.until;
        }
        *(read_value(a, row, t.value, out) ? &out->has : &out->bad) |= row->tag;
    }
    out->ill_formed = out->ill_formed || end == TAG_BAD;
    out->algorithm_known = dkim_algorithm_find(out->algorithm, &out->key_type, &out->hash);
    return true;
}

/* --- what a kind needs --- */

static const unsigned needed[] = {
    [DKIM_SIGNATURE] = DKIM_TAG_VERSION | DKIM_TAG_ALGORITHM | DKIM_TAG_SIGNATURE |
                       DKIM_TAG_DOMAIN | DKIM_TAG_HEADERS | DKIM_TAG_SELECTOR,
    [ARC_MESSAGE_SIGNATURE] = DKIM_TAG_ALGORITHM | DKIM_TAG_SIGNATURE | DKIM_TAG_DOMAIN |
                              DKIM_TAG_HEADERS | DKIM_TAG_SELECTOR | DKIM_TAG_IDENTITY,
    [ARC_SEAL] = DKIM_TAG_ALGORITHM | DKIM_TAG_SIGNATURE | DKIM_TAG_DOMAIN | DKIM_TAG_SELECTOR |
                 DKIM_TAG_IDENTITY | DKIM_TAG_CHAIN,
};

/* True if the domain of an identity, "[local part]@domain", is d= or below it. */
static bool
identity_fits(struct str identity, struct str domain)
{
    size_t at = str_rchr(identity, '@');
    struct str own = str_sub(identity, at + 1, identity.n);
    if (at == STR_NPOS || !str_iends(own, domain))
        return false;
    return own.n == domain.n || own.p[own.n - domain.n - 1] == '.';
}

enum dkim_fault
dkim_signature_check(const struct dkim_signature *s, enum dkim_kind kind)
{
    if (s->ill_formed || (s->bad & ~(unsigned)DKIM_TAG_BODY_HASH) != 0 ||
        (s->has & needed[kind]) != needed[kind])
        return DKIM_FAULT_TAGS;
    if (kind == DKIM_SIGNATURE && !str_eqz(s->version, "1"))
        return DKIM_FAULT_VERSION;
    if (!s->algorithm_known)
        return DKIM_FAULT_ALGORITHM;
    if ((s->has & DKIM_TAG_QUERY) != 0 && !tag_value_has(s->query, ':', "dns/txt") &&
        !tag_value_has(s->query, ':', "dns"))
        return DKIM_FAULT_QUERY;
    if (kind == DKIM_SIGNATURE && (s->has & DKIM_TAG_IDENTITY) != 0 &&
        !identity_fits(s->identity, s->domain))
        return DKIM_FAULT_IDENTITY;
    return DKIM_FAULT_NONE;
}
