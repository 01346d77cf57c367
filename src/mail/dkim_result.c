/* Results of DKIM; see dkim_result.h. */
#include "mail/dkim_result.h"

#include "base/buf.h"

static const struct str statuses[] = {
    [DKIM_NONE] = STR_INIT("none"),
    [DKIM_INVALID] = STR_INIT("invalid"),
    [DKIM_FAIL] = STR_INIT("fail"),
    [DKIM_PASS] = STR_INIT("pass"),
};

static const struct {
    struct str name, log, comment;
} reasons[DKIM_REASONS] = {
#define DKIM_REASON(id, name, log, comment) {STR_INIT(name), STR_INIT(log), STR_INIT(comment)},
#include "mail/dkim_reason.def"
#undef DKIM_REASON
};

struct str
dkim_status_name(enum dkim_status status)
{
    return statuses[status];
}

bool
dkim_status_find(struct str name, enum dkim_status *out)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (!str_ieq(statuses[i], name))
            continue;
        *out = (enum dkim_status)i;
        return true;
    }
    return false;
}

struct str
dkim_reason_name(enum dkim_reason reason)
{
    return reasons[reason].name;
}

struct str
dkim_reason_log(enum dkim_reason reason)
{
    return reasons[reason].log;
}

struct str
dkim_reason_comment(enum dkim_reason reason)
{
    return reasons[reason].comment;
}

struct str
dkim_result_status(const struct dkim_result *r)
{
    return str_is_set(r->set_status) ? r->set_status : dkim_status_name(r->status);
}

struct str
dkim_result_reason(const struct dkim_result *r)
{
    return str_is_set(r->set_reason) ? r->set_reason : dkim_reason_name(r->reason);
}

/* --- Authentication-Results: --- */

static void
add_property(struct buf *b, const char *name, struct str value)
{
    if (value.n > 0) {
        buf_printf(b, " header.%s=", name);
        buf_adds(b, value);
    }
}

/* "fail (comment)\n\t\t", as the reference breaks the line. */
static void
add_verdict(struct buf *b, const struct dkim_results *all, const struct dkim_result *r)
{
    struct str comment = dkim_reason_comment(r->reason);
    if (str_is_set(r->set_status) || str_is_set(r->set_reason)) {
        buf_printf(b, "policy (%.*s - %.*s)", STR_ARG(all->status),
                   STR_ARG(dkim_result_reason(r)));
        return;
    }
    if (r->status != DKIM_INVALID)
        buf_adds(b, dkim_status_name(r->status));
    else
        buf_addz(b, r->reason == DKIM_REASON_KEY_UNAVAILABLE ? "tmperror" : "neutral");
    if (comment.n == 0)
        return;
    buf_printf(b, " (%.*s", STR_ARG(comment));
    if (r->reason == DKIM_REASON_KEY_SHORT)
        buf_printf(b, ": %u bits", r->key_bits);
    buf_addz(b, ")\n\t\t");
}

void
dkim_results_describe(struct buf *b, const struct dkim_results *r)
{
    for (size_t i = 0; i < r->all.n; i++) {
        const struct dkim_signature *s = &r->all.v[i].signature;
        buf_addz(b, ";\n\tdkim=");
        add_verdict(b, r, &r->all.v[i]);
        add_property(b, "d", s->domain);
        add_property(b, "i", s->identity);
        add_property(b, "s", s->selector);
        add_property(b, "a", dkim_algorithm_name(s->key_type, s->hash));
    }
}
