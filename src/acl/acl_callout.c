/* The options behind callout= of the condition verify. Source: specification, section "Additional parameters for callouts". */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"

#include <stddef.h>

enum callout_kind {
    CALLOUT_FLAG, /* a word alone */
    CALLOUT_TIME, /* =time */
    CALLOUT_TEXT, /* =address */
};

#define FIELD(f) offsetof(struct acl_callout, f)
static const struct {
    const char *name;
    enum callout_kind kind;
    size_t field;
} options[] = {
    {"connect=", CALLOUT_TIME, FIELD(connect_s)},
    {"hold", CALLOUT_FLAG, FIELD(hold)},
    {"mailfrom=", CALLOUT_TEXT, FIELD(mail_from)},
    {"maxwait=", CALLOUT_TIME, FIELD(maxwait_s)},
    {"no_cache", CALLOUT_FLAG, FIELD(no_cache)},
    {"postmaster_mailfrom=", CALLOUT_TEXT, FIELD(postmaster_from)},
    {"random", CALLOUT_FLAG, FIELD(random)},
    {"use_postmaster", CALLOUT_FLAG, FIELD(use_postmaster)},
    {"use_sender", CALLOUT_FLAG, FIELD(use_sender)},
    {"use_tptsender", CALLOUT_FLAG, FIELD(use_tptsender)},
};
#undef FIELD

/* False: the value is no time. */
static bool
set(struct acl_callout *o, enum callout_kind kind, size_t field, struct str value)
{
    char *at = (char *)o + field;
    switch (kind) {
    case CALLOUT_FLAG:
        *(bool *)(void *)at = true;
        return true;
    case CALLOUT_TIME:
        return num_parse_interval(value, (int64_t *)(void *)at);
    case CALLOUT_TEXT:
        *(struct str *)(void *)at = value;
        return true;
    }
    return false;
}

static bool
take_option(struct acl_verify_call *v, struct str o)
{
    struct acl_callout *c = v->callout;
    if (str_eqz(o, "defer_ok")) {
        v->callout_defer_ok = true;
        return true;
    }
    if (str_eqz(o, "postmaster") || str_eqz(o, "fullpostmaster")) {
        c->postmaster_from = STR_EMPTY;
        c->full_postmaster = o.p[0] == 'f';
        return true;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct str name = str_from_cstr(options[i].name);
        if (options[i].kind == CALLOUT_FLAG ? !str_eq(o, name)
                                            : !str_starts(o, options[i].name))
            continue;
        struct str value = str_trim(str_sub(o, name.n, o.n));
        return set(c, options[i].kind, options[i].field, str_dup(v->c->keep, value));
    }
    return num_parse_interval(o, &c->wait_s);
}

void
acl_callout_start(struct acl_verify_call *v)
{
    if (v->callout != NULL)
        return;
    v->callout = ARENA_NEW(v->c->keep, struct acl_callout);
    *v->callout = (struct acl_callout){.wait_s = -1,
                                       .connect_s = -1,
                                       .maxwait_s = -1,
                                       .postmaster_from = STR_NULL,
                                       .mail_from = STR_NULL};
}

struct str
acl_verify_squeeze(struct arena *a, struct str o)
{
    size_t eq = str_chr(o, '=', 0);
    if (eq == STR_NPOS)
        return o;
    return str_printf(a, "%.*s=%.*s", STR_ARG(str_trim(str_sub(o, 0, eq))),
                      STR_ARG(str_trim(str_sub(o, eq + 1, o.n))));
}

bool
acl_callout_take(struct acl_verify_call *v, struct str text)
{
    struct strlist_split l = strlist_split_start(text, ',');
    struct str o;
    acl_callout_start(v);
    while (strlist_split_next(&l, v->c->keep, &o)) {
        o = acl_verify_squeeze(v->c->keep, str_trim(o));
        if (o.n > 0 && take_option(v, o))
            continue;
        (void)acl_error(v->c, "bad time value in ACL condition \"verify %.*s\"",
                        STR_ARG(v->whole));
        return false;
    }
    const struct acl_callout *c = v->callout;
    if (str_is_set(c->mail_from) && !str_eqz(str_from_cstr(v->row->name), "header_sender"))
        (void)acl_error(v->c,
                        "\"mailfrom\" is allowed as a callout option only for "
                        "verify=header_sender (detected in ACL condition \"%.*s\")",
                        STR_ARG(v->whole));
    else if (c->use_sender && c->use_postmaster)
        (void)acl_error(v->c, "only one of use_sender and use_postmaster can be set for a "
                              "recipient callout");
    else if ((c->use_sender || c->use_postmaster || c->use_tptsender) &&
             !str_eqz(str_from_cstr(v->row->name), "recipient"))
        (void)acl_error(v->c, "use_sender or use_postmaster cannot be used for a sender verify "
                              "callout");
    else
        return true;
    return false;
}
