/* What the ACL says of DKIM signatures, and what the log is told; see dkim_verify.h. */
#include "base/arena.h"
#include "base/strlist.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/dkim_verify.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "filter/vm.h"

#include <inttypes.h>

/* --- the log --- */

static void
add_tag(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "%s=%.*s", name, STR_ARG(value.n > 0 ? value : STR_LIT("<UNSET>")));
}

static void
add_number(struct buf *b, const char *name, int64_t n)
{
    if (n >= 0)
        buf_printf(b, " %s=%" PRId64, name, n);
}

/* "[verification failed - …]". */
static void
add_verdict(struct buf *b, const struct dkim_result *r)
{
    static const char *const words[] = {[DKIM_NONE] = "not verified",
                                        [DKIM_INVALID] = "invalid",
                                        [DKIM_FAIL] = "verification failed",
                                        [DKIM_PASS] = "verification succeeded"};
    struct str reason = dkim_reason_log(r->reason);
    if (str_is_set(r->set_status) || str_is_set(r->set_reason))
        buf_printf(b, " [%.*s - %.*s]", STR_ARG(dkim_result_status(r)),
                   STR_ARG(dkim_result_reason(r)));
    else if (r->status == DKIM_INVALID || r->status == DKIM_FAIL)
        buf_printf(b, " [%s - %.*s]", words[r->status], STR_ARG(reason));
    else
        buf_printf(b, " [%s]", words[r->status]);
}

static void
log_result(struct dkim_check *c, const struct dkim_result *r)
{
    const struct dkim_signature *s = &r->signature;
    struct buf b = buf_in(c->a, 0);
    if (str_eqz(dkim_result_status(r), "pass"))
        c->results->passed = s->domain;
    if (!maillog_selected(c->e, LOG_SELECTOR_DKIM_VERBOSE))
        return;
    add_tag(&b, "DKIM: d", s->domain);
    add_tag(&b, " s", s->selector);
    buf_printf(&b, " c=%.*s/%.*s a=%.*s b=%" PRIu32, STR_ARG(dkim_canon_name(s->canon_headers)),
               STR_ARG(dkim_canon_name(s->canon_body)),
               STR_ARG(dkim_algorithm_name(s->key_type, s->hash)), s->signature.n * 8);
    if (s->identity.n > 0)
        buf_printf(&b, " i=%.*s", STR_ARG(s->identity));
    add_number(&b, "t", s->created);
    add_number(&b, "x", s->expires);
    add_number(&b, "l", s->body_length);
    add_verdict(&b, r);
    maillog_line(c->e, MAILLOG_MAIN, c->m->id, buf_str(&b));
}

/* --- the ACL --- */

/* What has become of the runs so far. */
struct runs {
    struct dkim_check *c;
    struct buf statuses;
    struct acl_answer *answer;
};

static void
show(struct dkim_results *out, struct dkim_result *r)
{
    out->current = r;
    out->status = r == NULL ? STR_LIT("none") : dkim_result_status(r);
    out->reason = r == NULL ? STR_EMPTY : dkim_result_reason(r);
    if (r == NULL)
        return;
    out->domain = r->signature.domain;
    out->selector = r->signature.selector;
    out->key_bits = r->key_bits;
}

/* One run: of a signature, or for a signer who has none (NULL). */
static enum acl_result
run(struct runs *s, struct dkim_result *r)
{
    struct dkim_check *c = s->c;
    show(c->results, r);
    enum acl_result result = policy_run(c->e, ACL_PHASE_DKIM, s->answer);
    strlist_append(&s->statuses, c->results->status, ':', s->statuses.n == 0);
    if (r != NULL)
        log_result(c, r);
    return result;
}

static bool
is_of(const struct dkim_result *r, struct str signer)
{
    const struct dkim_signature *s = &r->signature;
    return str_ieq(str_chr(signer, '@', 0) != STR_NPOS ? s->identity : s->domain, signer);
}

static enum acl_result
run_for(struct runs *s, struct str signer)
{
    struct dkim_results *out = s->c->results;
    bool found = false;
    out->cur_signer = signer;
    for (size_t i = 0; i < out->all.n; i++) {
        struct dkim_result *r = &out->all.v[i];
        if (!is_of(r, signer))
            continue;
        found = true;
        if (r->status == DKIM_NONE) /* dkim_verify_minimal: another one was good */
            continue;
        enum acl_result result = run(s, r);
        if (result != ACL_ACCEPT)
            return result;
    }
    return found ? ACL_ACCEPT : run(s, NULL);
}

struct strs {
    struct str *v;
    size_t n, cap;
};

/* dkim_verify_signers, without those that come again. None: it does not expand. */
static struct strs
signers_of(struct dkim_check *c)
{
    struct strs list = {0};
    struct str text, item;
    enum vm_status st = vm_expand_x(c->e->vm, &c->e->conf->main->dkim_verify_signers, &text);
    if (st != VM_OK) {
        if (st != VM_FORCED)
            maillog(c->e, MAILLOG_MAIN | MAILLOG_PANIC, c->m->id,
                    "expansion of dkim_verify_signers option failed: %.*s",
                    STR_ARG(vm_error(c->e->vm)));
        return list;
    }
    struct strlist_split s = strlist_split_start(str_dup(c->a, text), ':');
    while (list.n < DKIM_SIGNERS_MAX && strlist_split_next(&s, c->a, &item)) {
        size_t i = 0;
        while (i < list.n && !str_eq(list.v[i], item))
            i++;
        if (item.n > 0 && i == list.n)
            vec_push(c->a, &list, item);
    }
    return list;
}

static enum acl_result
run_all(struct dkim_check *c, struct strs signers, struct acl_answer *out)
{
    struct runs s = {.c = c, .statuses = buf_in(c->a, 0), .answer = out};
    for (size_t i = 0; i < signers.n; i++) {
        enum acl_result result = run_for(&s, signers.v[i]);
        if (result != ACL_ACCEPT)
            return result;
    }
    c->results->status = buf_str(&s.statuses);
    return ACL_ACCEPT;
}

enum acl_result
dkim_check_judge(struct dkim_check *c, struct acl_answer *out)
{
    struct dkim_results *results = c->results;
    struct strs signers = {0};
    struct arena_mark mark = arena_mark(vm_scratch(c->e->vm));
    *out = (struct acl_answer){.result = ACL_ACCEPT};
    if (!results->disabled && policy_has(c->e, ACL_PHASE_DKIM))
        signers = signers_of(c);
    if (signers.n > 0)
        (void)run_all(c, signers, out);
    else
        for (size_t i = 0; i < results->all.n; i++)
            log_result(c, &results->all.v[i]);
    vm_release(c->e->vm, mark);
    return out->result;
}
