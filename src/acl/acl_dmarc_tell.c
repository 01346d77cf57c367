/* What is told about results of DMARC: records for aggregate reports in the file dmarc_history_file, which the tools of OpenDMARC
 * read, and failure reports to the addresses of ruf=, when an ACL has allowed them.
 *
 * Source: specification, section "DMARC"; RFC 7489, sections 7.1 and 7.3; RFC 6591 (the report); numbers of results are those of
 * OpenDMARC's files.
 */
#include "acl/acl_dmarc.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "mail/address.h"
#include "mail/arc.h"
#include "mail/dkim_result.h"
#include "mail/header.h"
#include "mail/ip.h"
#include "mail/spf.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HISTORY_MODE = 0640, HEADERS_MAX = 32768 };

/* --- the history file --- */

/* Results of mechanisms. */
enum {
    RESULT_PASS = 0,
    RESULT_SOFTFAIL = 2,
    RESULT_NEUTRAL = 3,
    RESULT_TEMPERROR = 4,
    RESULT_PERMERROR = 5,
    RESULT_NONE = 6,
    RESULT_FAIL = 7,
    RESULT_UNKNOWN = 11,
};

enum { ALIGNED = 4, NOT_ALIGNED = 5 };
enum { ARC_ALLOWS = 0, ARC_UNUSED = 1, ARC_FORBIDS = 2 };

static int
spf_number(const struct spf_check *spf)
{
    static const int numbers[SPF_RESULTS] = {
        [SPF_INVALID] = RESULT_UNKNOWN,     [SPF_NEUTRAL] = RESULT_NEUTRAL,
        [SPF_PASS] = RESULT_PASS,           [SPF_FAIL] = RESULT_FAIL,
        [SPF_SOFTFAIL] = RESULT_SOFTFAIL,   [SPF_NONE] = RESULT_NONE,
        [SPF_TEMPERROR] = RESULT_TEMPERROR, [SPF_PERMERROR] = RESULT_PERMERROR,
    };
    return spf == NULL ? RESULT_UNKNOWN : numbers[spf->result];
}

/* What the policy came to, and what was done about it. */
static void
verdict_numbers(enum dmarc_verdict v, int *policy, int *action)
{
    static const struct {
        int policy, action;
    } numbers[] = {
        [DMARC_NOT_CHECKED] = {14, 2}, [DMARC_OFF] = {14, 2},
        [DMARC_NO_FROM] = {14, 3},     [DMARC_TEMPERROR] = {14, 3},
        [DMARC_NO_RECORD] = {14, 2},   [DMARC_PASS] = {15, 2},
        [DMARC_FAIL_NONE] = {18, 2},   [DMARC_FAIL_QUARANTINE] = {17, 4},
        [DMARC_FAIL_REJECT] = {16, 0},
    };
    *policy = numbers[v].policy;
    *action = numbers[v].action;
}

/* Policies and modes are numbers of letters there. */
static int
policy_letter(enum dmarc_policy p)
{
    struct str name = dmarc_policy_name(p);
    return name.n > 0 ? name.p[0] : 0;
}

static void
add_record(struct buf *b, const struct dmarc_check *check)
{
    const struct dmarc_record *d = &check->record;
    bool found = check->domain.n > 0;
    for (size_t i = 0; i < d->rua.n; i++)
        buf_printf(b, "rua %.*s\n", STR_ARG(d->rua.v[i]));
    if (d->rua.n == 0)
        buf_addz(b, "rua -\n");
    buf_printf(b, "pct %u\n", found ? d->percent : 0);
    buf_printf(b, "adkim %d\n", !found ? 0 : d->strict_dkim ? 's' : 'r');
    buf_printf(b, "aspf %d\n", !found ? 0 : d->strict_spf ? 's' : 'r');
    buf_printf(b, "p %d\n", found ? policy_letter(d->policy) : 0);
    buf_printf(b, "sp %d\n", found ? policy_letter(d->subdomains) : 0);
}

static int
dkim_number(const struct dkim_result *r)
{
    enum dkim_status status = r->status;
    (void)dkim_status_find(dkim_result_status(r), &status); /* as acl_smtp_dkim left it */
    switch (status) {
    case DKIM_PASS:
        return RESULT_PASS;
    case DKIM_FAIL:
        return RESULT_FAIL;
    case DKIM_INVALID:
        return r->reason == DKIM_REASON_KEY_UNAVAILABLE ? RESULT_TEMPERROR : RESULT_PERMERROR;
    case DKIM_NONE:
        break;
    }
    return RESULT_NONE;
}

/* A text of a signature stands for itself only where no line can come of it. */
static bool
is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_print(text.p[i]) || text.p[i] == ' ')
            return false;
    return text.n > 0;
}

static void
add_dkim(struct buf *b, const struct dkim_results *dkim)
{
    for (size_t i = 0; dkim != NULL && !dkim->disabled && i < dkim->all.n; i++) {
        const struct dkim_result *one = &dkim->all.v[i];
        struct str domain = one->signature.domain, selector = one->signature.selector;
        if (is_plain(domain) && is_plain(selector))
            buf_printf(b, "dkim %.*s %.*s %d\n", STR_ARG(domain), STR_ARG(selector),
                       dkim_number(one));
    }
}

/* Who sealed the message, and where it came from then: a list that is nearly JSON. */
static void
add_arc(struct buf *b, const struct arc_check *arc)
{
    static const struct {
        int result, policy;
    } numbers[] = {
        [ARC_UNCHECKED] = {RESULT_UNKNOWN, ARC_UNUSED},
        [ARC_NONE] = {RESULT_UNKNOWN, ARC_UNUSED},
        [ARC_FAIL] = {RESULT_FAIL, ARC_FORBIDS},
        [ARC_PASS] = {RESULT_PASS, ARC_ALLOWS},
    };
    enum arc_state state = arc != NULL ? arc->state : ARC_UNCHECKED;
    buf_printf(b, "arc %d\narc_policy %d json[", numbers[state].result, numbers[state].policy);
    for (unsigned i = 1; state == ARC_PASS && i <= arc->chain->n; i++) {
        const struct arc_set *set = &arc->chain->set[i - 1];
        struct str results = STR_EMPTY;
        (void)arc_line_instance(ARC_RESULTS, set->line[ARC_RESULTS], &results);
        buf_printf(b, "%s (\"i\":%u, \"d\":\"%.*s\", \"s\":\"%.*s\"", i > 1 ? "," : "", i,
                   STR_ARG(set->seal.domain), STR_ARG(set->seal.selector));
        struct str ip = arc_results_property(results, "smtp.remote-ip");
        struct ip address;
        if (ip_parse(ip, &address))
            buf_printf(b, ", \"ip\":\"%.*s\"", STR_ARG(ip));
        buf_addc(b, ')');
    }
    buf_addz(b, " ]\n");
}

static struct str
sender_domain(const struct message *m)
{
    struct str local_part, domain;
    address_split(str_is_set(m->sender) ? m->sender : STR_EMPTY, &local_part, &domain);
    return domain;
}

static struct str
history_text(const struct dmarc_run *r)
{
    const struct eval *e = r->c->r->eval;
    const struct dmarc_check *check = r->check;
    struct buf b = buf_in(r->a, 0);
    int policy, action;
    verdict_numbers(check->verdict, &policy, &action);
    buf_printf(&b, "job %.*s\nreporter %.*s\n", STR_ARG(r->m->id),
               STR_ARG(e->conf->main->primary_hostname));
    buf_printf(&b, "received %lld\nipaddr %.*s\n", (long long)time(NULL),
               STR_ARG(e->session->sender_host_address));
    buf_printf(&b, "from %.*s\nmfrom %.*s\nspf %d\n", STR_ARG(check->from),
               STR_ARG(sender_domain(r->m)), spf_number(r->m->spf));
    add_dkim(&b, r->m->dkim);
    buf_printf(&b, "pdomain %.*s\npolicy %d\n",
               STR_ARG(check->domain.n > 0 ? check->domain : check->from), policy);
    add_record(&b, check);
    buf_printf(&b, "align_dkim %d\n", check->aligned_dkim ? ALIGNED : NOT_ALIGNED);
    buf_printf(&b, "align_spf %d\n", check->aligned_spf ? ALIGNED : NOT_ALIGNED);
    buf_printf(&b, "action %d\n", action);
    add_arc(&b, r->m->arc);
    return buf_str(&b);
}

/* One write, so that records of several processes do not mix. */
static bool
append(struct arena *a, struct str path, struct str text)
{
    const char *name = str_cstr(a, path);
    int fd =
        name == NULL ? -1 : open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, HISTORY_MODE);
    if (fd < 0)
        return false;
    bool ok = file_write_all(fd, text.p, text.n);
    return close(fd) == 0 && ok;
}

void
acl_dmarc_note(struct dmarc_run *r)
{
    struct acl_runner *run = r->c->r;
    const struct xstr *option = &run->eval->conf->main->dmarc_history_file;
    struct str path;
    if (!str_is_set(option->text))
        return;
    enum vm_status st = vm_expand_x(run->vm, option, &path);
    if (st == VM_FORCED || (st == VM_OK && path.n == 0))
        return;
    if (st != VM_OK)
        acl_log(run, ACL_LOG_MAIN | ACL_LOG_PANIC,
                "DMARC: failed to expand dmarc_history_file: %.*s", STR_ARG(vm_error(run->vm)));
    else if (str_is_tainted(path))
        acl_log(run, ACL_LOG_MAIN | ACL_LOG_PANIC,
                "DMARC: the file name \"%.*s\" of dmarc_history_file is tainted",
                STR_ARG(path));
    else if (!append(r->a, path, history_text(r)))
        acl_log(run, ACL_LOG_MAIN | ACL_LOG_PANIC, "DMARC: cannot write to %.*s: %s",
                STR_ARG(path), strerror(errno));
}

/* --- failure reports --- */

static bool
has_bad_signature(const struct dkim_results *dkim)
{
    for (size_t i = 0; dkim != NULL && !dkim->disabled && i < dkim->all.n; i++)
        if (dkim->all.v[i].status != DKIM_PASS)
            return true;
    return false;
}

/* fo=. What `d` and `s` ask is whether a signature or SPF is bad whatever it is aligned with. */
static bool
is_wanted(const struct dmarc_run *r)
{
    const struct dmarc_check *check = r->check;
    const struct spf_check *spf = r->m->spf;
    unsigned when = check->record.report;
    if ((when & DMARC_REPORT_ALL) != 0 && !check->aligned_spf && !check->aligned_dkim)
        return true;
    if ((when & DMARC_REPORT_ANY) != 0 && !(check->aligned_spf && check->aligned_dkim))
        return true;
    if ((when & DMARC_REPORT_DKIM) != 0 && has_bad_signature(r->m->dkim))
        return true;
    return (when & DMARC_REPORT_SPF) != 0 && spf != NULL &&
           (spf->result == SPF_FAIL || spf->result == SPF_SOFTFAIL);
}

/* Another organisation has to agree to be told: RFC 7489, section 7.1. */
static bool
may_be_told(struct dmarc_run *r, struct str domain)
{
    struct str organisation, text;
    if (!acl_dmarc_organisation(r, domain, &organisation))
        return false;
    if (str_ieq(organisation, r->organisation))
        return true;
    struct str name = str_printf(r->a, "%.*s._report._dmarc.%.*s", STR_ARG(r->check->domain),
                                 STR_ARG(domain));
    return acl_dmarc_ask(r, str_tainted(name), &text) == DMARC_FOUND;
}

static void
find_addresses(struct dmarc_run *r, struct acl_letter *out)
{
    const struct dmarc_addresses *ruf = &r->check->record.ruf;
    struct str address, local_part, domain;
    for (size_t i = 0; i < ruf->n; i++) {
        if (!dmarc_mailto(r->a, ruf->v[i], &address))
            continue;
        address_split(address, &local_part, &domain);
        if (may_be_told(r, domain))
            vec_push(r->a, &out->recipients, address);
    }
}

/* dmarc_forensic_sender, or else dsn_from without a return path. */
static void
find_sender(struct dmarc_run *r, struct acl_letter *out, struct str *from)
{
    struct acl_runner *run = r->c->r;
    const struct conf_main *main = run->eval->conf->main;
    struct address_parts parts;
    out->sender = STR_EMPTY;
    if (str_is_set(main->dmarc_forensic_sender.text) &&
        vm_expand_x(run->vm, &main->dmarc_forensic_sender, from) == VM_OK && from->n > 0 &&
        str_chr(*from, '\n', 0) == STR_NPOS) {
        *from = str_dup(r->a, *from);
        if (address_parse(r->a, *from, 0, &parts) == ADDRESS_OK)
            out->sender = parts.text;
        return;
    }
    if (vm_expand_x(run->vm, &main->dsn_from, from) == VM_OK)
        *from = str_dup(r->a, *from);
    else
        *from = str_printf(r->a, "Mail Delivery System <Mailer-Daemon@%.*s>",
                           STR_ARG(main->qualify_domain));
}

static void
add_headers(const struct dmarc_run *r, struct buf *b)
{
    const struct header_list *l = r->m->headers;
    size_t start = b->n;
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].type == HEADER_TYPE_DELETED)
            continue;
        if (b->n - start + l->v[i].text.n > HEADERS_MAX)
            return;
        buf_adds(b, l->v[i].text);
    }
}

/* For people, then for programs, then the header of the message. */
static void
add_parts(const struct dmarc_run *r, const char *boundary, struct buf *b)
{
    const struct dmarc_check *check = r->check;
    const struct eval *e = r->c->r->eval;
    struct str host = e->conf->main->primary_hostname, ip = e->session->sender_host_address;
    struct str result = dmarc_verdict_result(check->verdict);
    struct str policy = dmarc_policy_name(check->policy);
    struct spf_check none = {.result = SPF_INVALID};
    const struct spf_check *spf = r->m->spf != NULL ? r->m->spf : &none;
    buf_printf(b,
               "--%s\n\nThis is a report about a message from %.*s that says it is of the "
               "domain\n%.*s, and for which DMARC gave: %.*s (policy: %.*s).\n\n",
               boundary, STR_ARG(ip), STR_ARG(check->from), STR_ARG(result), STR_ARG(policy));
    buf_printf(b,
               "--%s\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n"
               "User-Agent: remex\nVersion: 1\nOriginal-Mail-From: <%.*s>\nSource-IP: %.*s\n"
               "Reported-Domain: %.*s\nAuth-Failure: dmarc\n",
               boundary, STR_ARG(r->m->sender), STR_ARG(ip), STR_ARG(check->from));
    buf_printf(b, "Identity-Alignment: %s\n",
               check->aligned_spf && check->aligned_dkim ? "spf, dkim"
               : check->aligned_spf                      ? "spf"
               : check->aligned_dkim                     ? "dkim"
                                                         : "none");
    buf_printf(b, "Authentication-Results: %.*s; dmarc=%.*s header.from=%.*s", STR_ARG(host),
               STR_ARG(result), STR_ARG(check->from));
    if (spf->result != SPF_INVALID)
        buf_printf(b, "; spf=%.*s smtp.%s=%.*s", STR_ARG(spf_result_name(spf->result)),
                   spf->of_helo ? "helo" : "mailfrom", STR_ARG(spf->domain));
    buf_printf(b, "\n\n--%s\nContent-Type: text/rfc822-headers\n\n", boundary);
    add_headers(r, b);
    buf_printf(b, "\n--%s--\n", boundary);
}

void
acl_dmarc_report(struct dmarc_run *r)
{
    struct acl_message *acl = r->m->acl;
    struct acl_letter letter = {.text = STR_NULL};
    struct str from;
    if (acl == NULL || !acl->dmarc_enable_forensic || !is_wanted(r))
        return;
    find_addresses(r, &letter);
    if (letter.recipients.n == 0)
        return;
    find_sender(r, &letter, &from);
    struct buf b = buf_in(r->a, 0);
    const char *boundary = str_cstr(r->a, str_printf(r->a, "%.*s-dmarc", STR_ARG(r->m->id)));
    buf_printf(&b, "Auto-Submitted: auto-generated\nFrom: %.*s\nTo: ", STR_ARG(from));
    for (size_t i = 0; i < letter.recipients.n; i++)
        buf_printf(&b, "%s%.*s", i > 0 ? ",\n  " : "", STR_ARG(letter.recipients.v[i]));
    buf_printf(&b,
               "\nSubject: DMARC failure report for %.*s\nMIME-Version: 1.0\n"
               "Content-Type: multipart/report; report-type=feedback-report;\n"
               "  boundary=\"%s\"\n\n",
               STR_ARG(r->check->from), boundary);
    add_parts(r, boundary, &b);
    letter.text = buf_str(&b);
    vec_push(r->a, &acl->letters, letter);
}
