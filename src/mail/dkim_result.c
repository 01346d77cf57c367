/* Results of DKIM; see dkim_result.h. */
#include "mail/dkim_result.h"

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
