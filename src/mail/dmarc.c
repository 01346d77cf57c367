/* DMARC; see dmarc.h. */
#include "mail/dmarc.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "mail/address.h"
#include "mail/tag_list.h"

/* --- the record --- */

/* The next tag. What is none is left out, up to the next semicolon. False: at the end. */
static bool
next_tag(struct str record, uint32_t *at, struct tag *out)
{
    enum tag_end end;
    while ((end = tag_list_next(record, at, out)) == TAG_BAD) {
        size_t semicolon = str_chr(record, ';', *at);
        *at = semicolon == STR_NPOS ? record.n : (uint32_t)semicolon + 1;
    }
    return end == TAG_FOUND;
}

static enum dmarc_policy
parse_policy(struct str value)
{
    for (enum dmarc_policy p = DMARC_NONE; p <= DMARC_REJECT; p++)
        if (str_ieq(value, dmarc_policy_name(p)))
            return p;
    return DMARC_UNSAID;
}

/* A scheme and something behind it. */
static bool
is_uri(struct str s)
{
    size_t colon = str_chr(s, ':', 0);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return colon != STR_NPOS && colon > 0 && ascii_alpha(s.p[0]) && colon + 1 < s.n;
}

static void
parse_addresses(struct str value, struct dmarc_addresses *out)
{
    struct str one;
    uint32_t at = 0;
    while (out->n < DMARC_ADDRESSES_MAX && tag_value_next(value, ',', &at, &one))
        if (is_uri(one))
            out->v[out->n++] = one;
}

static void
parse_percent(struct str value, unsigned *out)
{
    uint64_t n;
    if (num_parse_digits(value, &n) && n <= 100)
        *out = (unsigned)n;
}

static void
parse_report(struct str value, unsigned *out)
{
    static const char letters[] = "01ds";
    unsigned bits = 0;
    uint32_t at = 0;
    struct str one;
    while (tag_value_next(value, ':', &at, &one))
        for (unsigned i = 0; letters[i] != '\0'; i++)
            if (one.n == 1 && ascii_lower(one.p[0]) == letters[i])
                bits |= 1u << i;
    if (bits != 0)
        *out = bits;
}

static void
take_tag(const struct tag *t, struct dmarc_record *r)
{
    struct str name = t->name, value = t->value;
    if (str_ieqz(name, "p"))
        r->policy = parse_policy(value);
    else if (str_ieqz(name, "sp"))
        r->subdomains = parse_policy(value);
    else if (str_ieqz(name, "adkim"))
        r->strict_dkim = str_ieqz(value, "s");
    else if (str_ieqz(name, "aspf"))
        r->strict_spf = str_ieqz(value, "s");
    else if (str_ieqz(name, "pct"))
        parse_percent(value, &r->percent);
    else if (str_ieqz(name, "fo"))
        parse_report(value, &r->report);
    else if (str_ieqz(name, "rua"))
        parse_addresses(value, &r->rua);
    else if (str_ieqz(name, "ruf"))
        parse_addresses(value, &r->ruf);
}

bool
dmarc_is_record(struct str text)
{
    struct tag t;
    uint32_t at = 0;
    return text.n <= DMARC_RECORD_MAX && tag_list_next(text, &at, &t) == TAG_FOUND &&
           str_eqz(t.name, "v") && str_eqz(t.value, "DMARC1");
}

bool
dmarc_record_parse(struct str text, struct dmarc_record *out)
{
    struct tag t;
    uint32_t at = 0;
    *out = (struct dmarc_record){.percent = 100, .report = DMARC_REPORT_ALL};
    if (!dmarc_is_record(text))
        return false;
    bool bad_subdomains = false;
    while (next_tag(text, &at, &t)) {
        take_tag(&t, out);
        bad_subdomains |= str_ieqz(t.name, "sp") && out->subdomains == DMARC_UNSAID;
    }
    if (out->policy != DMARC_UNSAID && !bad_subdomains)
        return true;
    /* RFC 7489, section 6.6.3: with somebody to report to it is a policy of "none" */
    out->policy = out->subdomains = DMARC_NONE;
    return out->rua.n > 0;
}

bool
dmarc_mailto(struct arena *a, struct str uri, struct str *address)
{
    struct buf b = buf_in(a, uri.n);
    struct str local_part, domain;
    if (!str_istarts(uri, "mailto:"))
        return false;
    uri = str_sub(uri, strlen("mailto:"), uri.n);
    size_t end = str_chr(uri, '?', 0);
    uri = str_sub(uri, 0, end == STR_NPOS ? uri.n : end);
    size_t limit = str_rchr(uri, '!');
    uri = str_sub(uri, 0, limit == STR_NPOS ? uri.n : limit);
    for (size_t i = 0; i < uri.n; i++) {
        if (uri.p[i] != '%') {
            buf_addc(&b, uri.p[i]);
            continue;
        }
        int high = i + 2 < uri.n ? ascii_hex(uri.p[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex(uri.p[i + 2]) : -1;
        if (low < 0)
            return false;
        buf_addc(&b, (char)(high << 4 | low));
        i += 2;
    }
    struct address_parts parts;
    if (address_parse(a, buf_str(&b), 0, &parts) != ADDRESS_OK)
        return false;
    *address = parts.text;
    address->taint = uri.taint;
    address_split(*address, &local_part, &domain);
    return local_part.n > 0 && domain.n > 0;
}

struct str
dmarc_policy_name(enum dmarc_policy p)
{
    static const struct str names[] = {
        [DMARC_UNSAID] = STR_INIT(""),
        [DMARC_NONE] = STR_INIT("none"),
        [DMARC_QUARANTINE] = STR_INIT("quarantine"),
        [DMARC_REJECT] = STR_INIT("reject"),
    };
    return names[p];
}

/* --- what it means --- */

bool
dmarc_is_aligned(bool strict, struct str from, struct str from_organisation, struct str other,
                 struct str other_organisation)
{
    if (from.n == 0 || other.n == 0)
        return false;
    return str_ieq(from, other) || (!strict && from_organisation.n > 0 &&
                                    str_ieq(from_organisation, other_organisation));
}

enum dmarc_policy
dmarc_policy_for(const struct dmarc_record *r, bool subdomain)
{
    return subdomain && r->subdomains != DMARC_UNSAID ? r->subdomains : r->policy;
}

enum dmarc_verdict
dmarc_fail(enum dmarc_policy p, unsigned percent, unsigned lot)
{
    if (lot >= percent && p > DMARC_NONE)
        p--;
    switch (p) {
    case DMARC_REJECT:
        return DMARC_FAIL_REJECT;
    case DMARC_QUARANTINE:
        return DMARC_FAIL_QUARANTINE;
    case DMARC_UNSAID:
    case DMARC_NONE:
        break;
    }
    return DMARC_FAIL_NONE;
}

static const struct {
    struct str status, text, result;
} verdicts[] = {
    [DMARC_NOT_CHECKED] = {{"", 0, STR_CLEAN}, {"", 0, STR_CLEAN}, {NULL, 0, STR_CLEAN}},
    [DMARC_OFF] = {STR_INIT("off"), {"", 0, STR_CLEAN}, {NULL, 0, STR_CLEAN}},
    [DMARC_NO_FROM] = {STR_INIT("nofrom"), STR_INIT("No From: domain found"),
                       STR_INIT("temperror")},
    [DMARC_TEMPERROR] = {STR_INIT("temperror"), STR_INIT("Temporary error"),
                         STR_INIT("temperror")},
    [DMARC_NO_RECORD] = {STR_INIT("norecord"), STR_INIT("No DMARC record"), STR_INIT("none")},
    [DMARC_PASS] = {STR_INIT("accept"), STR_INIT("Accept"), STR_INIT("pass")},
    [DMARC_FAIL_NONE] = {STR_INIT("none"), STR_INIT("None, Accept"), STR_INIT("none")},
    [DMARC_FAIL_QUARANTINE] = {STR_INIT("quarantine"), STR_INIT("Quarantine"),
                               STR_INIT("fail")},
    [DMARC_FAIL_REJECT] = {STR_INIT("reject"), STR_INIT("Reject"), STR_INIT("fail")},
};

struct str
dmarc_verdict_status(enum dmarc_verdict v)
{
    return verdicts[v].status;
}

struct str
dmarc_verdict_text(enum dmarc_verdict v)
{
    return verdicts[v].text;
}

struct str
dmarc_verdict_result(enum dmarc_verdict v)
{
    return verdicts[v].result;
}
