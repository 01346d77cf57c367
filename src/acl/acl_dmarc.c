/* The condition dmarc_status: finds the record of the author's domain, and compares that domain with those that SPF and DKIM vouch for.
 *
 * It is done once a message, by the first condition. Source: RFC 7489, section 6.6; specification, section "DMARC".
 */
#include "acl/acl_dmarc.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/organisation.h"
#include "conf/resolve.h"
#include "mail/address.h"
#include "mail/dkim_result.h"
#include "mail/header.h"
#include "mail/spf.h"
#include "sys/idn.h"

enum { DOMAIN_MAX = 253 };

/* --- the author's domain --- */

/* Letters, digits, hyphens and underscores between dots; *out is in lower case. */
static bool
take_domain(struct arena *a, struct str domain, struct str *out)
{
    const char *error;
    if (utf8_has_8bit(domain) && !idn_domain_to_alabel(a, domain, &domain, &error))
        return false;
    for (size_t i = 0; i < domain.n; i++) {
        char c = domain.p[i];
        bool dot = c == '.';
        if (!dot && !ascii_alnum(c) && c != '-' && c != '_')
            return false;
        if (dot && (i == 0 || domain.p[i - 1] == '.' || i + 1 == domain.n))
            return false;
    }
    *out = str_tainted(str_lower(a, domain));
    return domain.n > 0 && domain.n <= DOMAIN_MAX;
}

/* The one domain of the addresses in a From: line. */
static bool
domain_of_line(struct arena *a, struct str body, struct str *out)
{
    struct address_list l =
        address_list_start(header_unfold(a, body), ADDRESS_GROUP | ADDRESS_UTF8_DOMAIN);
    struct address_parts parts;
    enum address_status st;
    bool found = false;
    while (address_list_next(&l, a, &st, &parts, NULL)) {
        struct str domain;
        if (st == ADDRESS_EMPTY)
            continue;
        if (st == ADDRESS_BAD || parts.domain == 0 ||
            !take_domain(a, str_sub(parts.text, parts.domain, parts.text.n), &domain))
            return false;
        if (found && !str_eq(domain, *out))
            return false;
        *out = domain;
        found = true;
    }
    return found;
}

/* A message with several From: lines, or with authors of several domains, has no domain to go by: a reader would see one of them, and
 * nobody knows which. */
static bool
find_author(struct dmarc_run *r)
{
    const struct header_list *l = r->m->headers;
    size_t i = l == NULL ? STR_NPOS : header_list_find(l, STR_LIT("From"), 0);
    return i != STR_NPOS && header_list_find(l, STR_LIT("From"), i + 1) == STR_NPOS &&
           domain_of_line(r->a, header_body(&l->v[i]), &r->check->from);
}

/* --- the record --- */

bool
acl_dmarc_organisation(struct dmarc_run *r, struct str domain, struct str *out)
{
    struct str why = STR_NULL;
    if (organisation_find(r->c->r->eval, r->a, r->tld_file, domain, out, &why))
        return true;
    acl_log(r->c->r, ACL_LOG_MAIN | ACL_LOG_PANIC, "DMARC: dmarc_tld_file: %.*s", STR_ARG(why));
    return false;
}

enum dmarc_found
acl_dmarc_ask(struct dmarc_run *r, struct str name, struct str *text)
{
    const struct dns_question q = {.name = name, .type = DNS_TXT};
    struct resolve_answer found;
    enum dns_status st = resolve_ask(r->c->r->eval, r->c->r->vm, r->a, &q, &found);
    if (st == DNS_AGAIN || st == DNS_FAILED)
        return DMARC_AGAIN;
    const struct dns_record *one;
    size_t at = 0;
    unsigned n = 0;
    while (st == DNS_FOUND && (one = resolve_next(&found.reply.answer, DNS_TXT, &at)) != NULL) {
        struct str whole = dns_answer_join_texts(r->a, one->bytes);
        if (!dmarc_is_record(whole))
            continue;
        *text = whole;
        n++;
    }
    return n == 0 ? DMARC_ABSENT : n == 1 ? DMARC_FOUND : DMARC_SEVERAL;
}

/* Of the author's domain, or else of its organisation. False: *verdict says why there is none. */
static bool
find_record(struct dmarc_run *r)
{
    struct dmarc_check *check = r->check;
    struct str domain = check->from, text = STR_NULL;
    enum dmarc_found found = acl_dmarc_ask(r, str_cat(r->a, STR_LIT("_dmarc."), domain), &text);
    if (found == DMARC_ABSENT && !str_eq(r->organisation, domain)) {
        domain = r->organisation;
        found = acl_dmarc_ask(r, str_cat(r->a, STR_LIT("_dmarc."), domain), &text);
    }
    check->verdict = found == DMARC_AGAIN ? DMARC_TEMPERROR : DMARC_NO_RECORD;
    if (found != DMARC_FOUND || !dmarc_record_parse(text, &check->record))
        return false;
    check->domain = domain;
    check->policy = dmarc_policy_for(&check->record, !str_eq(domain, check->from));
    return true;
}

/* --- what it is compared with --- */

static bool
is_aligned(struct dmarc_run *r, bool strict, struct str domain, bool *aligned)
{
    struct str organisation;
    if (!acl_dmarc_organisation(r, domain, &organisation))
        return false;
    *aligned |= dmarc_is_aligned(strict, r->check->from, r->organisation, domain, organisation);
    return true;
}

/* A result that was guessed is nothing that the domain has said. */
static bool
align_spf(struct dmarc_run *r)
{
    const struct spf_check *spf = r->m->spf;
    if (spf == NULL || spf->result != SPF_PASS || spf->guessed || spf->domain.n == 0)
        return true;
    return is_aligned(r, r->check->record.strict_spf, spf->domain, &r->check->aligned_spf);
}

static bool
align_dkim(struct dmarc_run *r)
{
    const struct dkim_results *dkim = r->m->dkim;
    for (size_t i = 0; dkim != NULL && !dkim->disabled && i < dkim->all.n; i++) {
        const struct dkim_result *one = &dkim->all.v[i];
        if (str_eqz(dkim_result_status(one), "pass") && /* as acl_smtp_dkim left it */
            !is_aligned(r, r->check->record.strict_dkim, one->signature.domain,
                        &r->check->aligned_dkim))
            return false;
    }
    return true;
}

static bool
align(struct dmarc_run *r)
{
    return align_spf(r) && align_dkim(r);
}

static void
judge(struct dmarc_run *r)
{
    struct dmarc_check *check = r->check;
    bool pass = check->aligned_spf || check->aligned_dkim;
    unsigned lot = (unsigned)(str_hash(r->m->id) % 100);
    check->verdict = pass ? DMARC_PASS : dmarc_fail(check->policy, check->record.percent, lot);
}

/* --- the condition --- */

/* It is for messages of strangers, and needs its file. */
static bool
is_off(struct dmarc_run *r)
{
    const struct session *s = r->c->r->eval->session;
    struct str why = STR_NULL;
    if ((r->m->acl != NULL && r->m->acl->dmarc_disable_verify) || s == NULL ||
        s->sender_host_address.n == 0 || s->sender_host_authenticated.n > 0)
        return true;
    if (!organisation_file(r->c->r->eval, r->c->r->vm, &r->tld_file, &why))
        acl_log(r->c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
                "DMARC: failed to expand dmarc_tld_file: %.*s", STR_ARG(why));
    r->tld_file = str_dup(r->a, r->tld_file);
    return r->tld_file.n == 0;
}

static void
check(struct dmarc_run *r)
{
    if (is_off(r)) {
        r->check->verdict = DMARC_OFF;
    } else if (!find_author(r)) {
        r->check->verdict = DMARC_NO_FROM;
    } else if (!acl_dmarc_organisation(r, r->check->from, &r->organisation)) {
        r->check->verdict = DMARC_TEMPERROR;
    } else if (find_record(r)) {
        if (align(r))
            judge(r);
        else
            r->check->verdict = DMARC_TEMPERROR;
        acl_dmarc_note(r);
        acl_dmarc_report(r);
    } else if (r->check->verdict == DMARC_NO_RECORD) {
        acl_dmarc_note(r);
    }
}

enum acl_test
acl_cond_dmarc_status(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct message *m = c->r->eval->message;
    if (m == NULL)
        return ACL_TEST_FALSE;
    if (m->dmarc == NULL) {
        struct dmarc_run r = {.c = c, .m = m, .a = m->arena};
        m->dmarc = r.check = ARENA_NEW(m->arena, struct dmarc_check);
        check(&r);
    }
    return acl_ask_text(c, item, dmarc_verdict_status(m->dmarc->verdict), arg);
}
