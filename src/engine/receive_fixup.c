/* Header lines that a submitted message lacks or should not have.
 *
 * Source: specification, chapter "Message processing", sections on single header lines.
 */
#include "acl/acl_state.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/strlist.h"
#include "conf/main_options.h"
#include "engine/receive_state.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "mail/rfc2047.h"

/* --- small parts --- */

static const char *
prefix(const struct receiving *r)
{
    return r->resent ? "Resent-" : "";
}

/* Index of the next visible line of that type which belongs to the newest set (Resent- or not). */
static size_t
find(const struct receiving *r, char type, size_t from)
{
    const struct header_list *l = r->m->headers;
    for (size_t i = from; i < l->n; i++) {
        if (l->v[i].type == type && str_istarts(l->v[i].text, "resent-") == r->resent)
            return i;
    }
    return STR_NPOS;
}

static void
add(struct receiving *r, enum header_place place, struct str text)
{
    (void)header_list_add(r->a, r->m->headers, str_tainted(text), place);
}

/* What control = submission says, if the message did not come from here and is treated as if it had; else NULL. */
static const struct acl_submission *
submission(const struct receiving *r)
{
    if (r->rq->local || r->m->acl == NULL || !r->m->acl->submission.on)
        return NULL;
    return &r->m->acl->submission;
}

/* The address that a submitter has: of the login, or by what a submission's control says; empty: unknown. */
struct str
receive_fixup_own_address(const struct receiving *r)
{
    const struct acl_submission *s = submission(r);
    struct str domain = r->e->conf->main->qualify_domain, id = r->s->authenticated_id;
    if (s == NULL)
        return str_tainted(address_qualify(r->a, r->rq->login, domain));
    if (id.n == 0)
        return STR_EMPTY;
    if (str_is_set(s->domain))
        domain = s->domain;
    return str_tainted(domain.n > 0 ? address_qualify(r->a, id, domain) : id);
}

static struct str
own_name(const struct receiving *r)
{
    const struct acl_submission *s = submission(r);
    return s != NULL ? s->name : r->rq->full_name;
}

static struct str
own_mailbox(struct receiving *r)
{
    return receive_mailbox(r->e, r->a, own_name(r), receive_fixup_own_address(r));
}

/* --- phrases --- */

/* What may stand in a phrase without quotes. */
static bool
is_phrase_char(char c)
{
    return ascii_alnum(c) || (c != '\0' && strchr(" \t!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* True if the text needs no quotes: comments may stand in it. */
static bool
is_plain(struct str s)
{
    size_t depth = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        depth += s.p[i] == '(';
        if (depth == 0 && !is_phrase_char(s.p[i]))
            return false;
        depth -= s.p[i] == ')';
    }
    return depth == 0;
}

static bool
is_printable(const struct engine *e, struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool top = c > 127 && e->conf->main->print_topbitchars;
        if (!ascii_print(s.p[i]) && c != '\t' && !top)
            return false;
    }
    return true;
}

/* A run of text without quotes, white space at its ends kept outside. */
static void
add_run(struct buf *b, struct str run)
{
    struct str core = str_trim(run);
    if (core.n == 0 || is_plain(core)) {
        buf_adds(b, run);
        return;
    }
    size_t lead = (size_t)(core.p - run.p);
    buf_adds(b, str_sub(run, 0, lead));
    buf_addc(b, '"');
    buf_adds(b, core);
    if (core.p[core.n - 1] == '\\')
        buf_addc(b, '\\');
    buf_addc(b, '"');
    buf_adds(b, str_sub(run, lead + core.n, run.n));
}

/* Bytes of the quoted string that s begins with, with both quotes; s.n + 1 when the last one is missing. */
static size_t
quoted_length(struct str s)
{
    size_t i = 1;
    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i < s.n ? i + 1 : (size_t)s.n + 1;
}

/* Quotes what needs it; quoted strings that are there stay. */
static struct str
quote_phrase(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    while (s.n > 0) {
        size_t quote = str_chr(s, '"', 0);
        add_run(&b, str_sub(s, 0, quote));
        s = quote == STR_NPOS ? STR_EMPTY : str_sub(s, quote, s.n);
        size_t n = s.n > 0 ? quoted_length(s) : 0;
        buf_adds(&b, str_sub(s, 0, n));
        if (n > s.n)
            buf_addc(&b, '"');
        s = str_sub(s, n, s.n);
    }
    return buf_str(&b);
}

struct str
receive_mailbox(struct engine *e, struct arena *a, struct str name, struct str address)
{
    name = str_trim(name);
    if (name.n == 0)
        return address;
    if (!is_printable(e, name)) {
        struct str charset = e->conf->main->headers_charset;
        name = rfc2047_encode(a, name, charset.n > 0 ? charset : STR_LIT("UTF-8"));
    } else {
        name = quote_phrase(a, name);
    }
    return str_tainted(str_printf(a, "%.*s <%.*s>", STR_ARG(name), STR_ARG(address)));
}

/* --- Message-Id --- */

/* message_id_header_text: what may not be in a message id becomes a hyphen. */
static struct str
id_text(struct receiving *r)
{
    const struct conf_main *c = r->e->conf->main;
    struct str text;
    if (!str_is_set(c->message_id_header_text.text))
        return STR_EMPTY;
    if (vm_expand(r->e->vm, c->message_id_header_text.text, &text) != VM_OK) {
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, r->m->id,
                "expansion of \"%.*s\" (message_id_header_text) failed: %.*s",
                STR_ARG(c->message_id_header_text.text), STR_ARG(vm_error(r->e->vm)));
        return STR_EMPTY;
    }
    if (text.n == 0)
        return STR_EMPTY;
    struct buf b = buf_in(r->a, 0);
    buf_addc(&b, '.');
    for (uint32_t i = 0; i < text.n; i++) {
        char c2 = text.p[i];
        bool good = ascii_print(c2) && c2 != ' ' && strchr("()<>@,;:\\\".[]", c2) == NULL;
        buf_addc(&b, good || c2 == '.' ? c2 : '-');
    }
    return buf_str(&b);
}

static struct str
id_domain(struct receiving *r)
{
    const struct conf_main *c = r->e->conf->main;
    struct str text;
    if (!str_is_set(c->message_id_header_domain.text))
        return c->primary_hostname;
    if (vm_expand(r->e->vm, c->message_id_header_domain.text, &text) != VM_OK) {
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, r->m->id,
                "expansion of \"%.*s\" (message_id_header_domain) failed: %.*s",
                STR_ARG(c->message_id_header_domain.text), STR_ARG(vm_error(r->e->vm)));
        return c->primary_hostname;
    }
    if (text.n == 0)
        return c->primary_hostname;
    struct buf b = buf_in(r->a, 0);
    for (uint32_t i = 0; i < text.n; i++)
        buf_addc(&b, ascii_alnum(text.p[i]) || text.p[i] == '.' ? text.p[i] : '-');
    return buf_str(&b);
}

static void
add_message_id(struct receiving *r)
{
    if (find(r, HEADER_TYPE_MESSAGE_ID, 0) != STR_NPOS)
        return;
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    struct str text = id_text(r), domain = id_domain(r);
    add(r, r->resent ? HEADER_AT_TOP : HEADER_AT_END,
        str_printf(r->a, "%sMessage-Id: <E%.*s%.*s@%.*s>\n", prefix(r), STR_ARG(r->m->id),
                   STR_ARG(text), STR_ARG(domain)));
    vm_release(r->e->vm, mark);
    r->own_message_id = true;
}

/* --- Date --- */

static struct str
date_text(struct receiving *r, time_t when)
{
    char date[CLOCK_TEXT_MAX];
    struct timespec t = {.tv_sec = when};
    clock_format(&r->e->eval->clock, CLOCK_FULL, t, date);
    return str_dup(r->a, str_from_cstr(date));
}

static bool
has_date(const struct receiving *r)
{
    struct str name = r->resent ? STR_LIT("Resent-Date") : STR_LIT("Date");
    return header_list_find(r->m->headers, name, 0) != STR_NPOS;
}

static void
add_date(struct receiving *r)
{
    if (!has_date(r))
        add(r, r->resent ? HEADER_AT_TOP : HEADER_AT_END,
            str_printf(r->a, "%sDate: %.*s\n", prefix(r),
                       STR_ARG(date_text(r, r->started.tv_sec))));
}

/* --- From and Sender --- */

/* True if the message is the submitter's own and not just brought by somebody who is trusted. */
static bool
is_submitters(const struct receiving *r)
{
    return r->rq->own || !r->sender_given || !r->e->caller.trusted;
}

/* A submission says who sent it by its envelope, else by who was authenticated. */
static struct str
submission_from(struct receiving *r)
{
    return r->m->sender.n > 0 ? receive_mailbox(r->e, r->a, own_name(r), r->m->sender)
                              : own_mailbox(r);
}

static void
add_from(struct receiving *r)
{
    struct str text;
    if (submission(r) != NULL)
        text = submission_from(r);
    else if (r->rq->own && r->m->originator_uid == (int64_t)r->e->mail_uid)
        text = receive_fixup_own_address(r); /* nobody's name */
    else if (r->rq->own)
        text = own_mailbox(r);
    else if (!is_submitters(r))
        text = r->m->sender.n == 0
                   ? STR_EMPTY
                   : receive_mailbox(r->e, r->a, r->rq->claimed_name, r->m->sender);
    else if (r->sender_untrusted && r->m->sender.n > 0)
        text = receive_mailbox(r->e, r->a, r->rq->full_name, r->m->sender);
    else
        text = own_mailbox(r);
    if (text.n > 0)
        add(r, HEADER_AT_END, str_printf(r->a, "%sFrom: %.*s\n", prefix(r), STR_ARG(text)));
}

/* A From: line of just the login name becomes a proper one. */
static void
complete_from(struct receiving *r)
{
    struct header_list *l = r->m->headers;
    for (size_t i = 0; !r->rq->smtp && i < l->n; i++) {
        if (l->v[i].type != HEADER_TYPE_FROM ||
            !str_ieq(str_trim(header_body(&l->v[i])), r->rq->login))
            continue;
        struct str box =
            receive_mailbox(r->e, r->a, r->rq->full_name, receive_fixup_own_address(r));
        struct str text =
            str_printf(r->a, "%.*s: %.*s\n", STR_ARG(header_name(&l->v[i])), STR_ARG(box));
        (void)header_list_replace(r->a, l, i, str_tainted(text));
    }
}

/* Takes off one item of local_from_prefix or local_from_suffix if the local part has one: an asterisk at the outer end
 * stands for anything. */
static struct str
without_affix(struct receiving *r, struct str local_part, struct str list, bool suffix)
{
    struct strlist_split l = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&l, r->a, &item)) {
        bool any = item.n > 0 && item.p[suffix ? item.n - 1 : 0] == '*';
        struct str fixed = str_sub(item, any && !suffix ? 1 : 0, item.n - (any ? 1u : 0u));
        if (fixed.n == 0 || fixed.n > local_part.n)
            continue;
        size_t last = local_part.n - fixed.n, at = suffix && !any ? last : 0;
        size_t end = suffix || any ? last : 0;
        for (; at <= end; at++) {
            if (!str_ieq(str_sub(local_part, at, fixed.n), fixed))
                continue;
            return suffix ? str_sub(local_part, 0, at)
                          : str_sub(local_part, at + fixed.n, local_part.n);
        }
    }
    return local_part;
}

/* The local part itself, perhaps between a prefix and a suffix that are allowed. */
static bool
is_own_local_part(struct receiving *r, struct str local_part, struct str own)
{
    const struct conf_main *c = r->e->conf->main;
    if (str_ieq(local_part, own))
        return true;
    struct str inner = without_affix(r, local_part, c->local_from_prefix, false);
    return str_ieq(without_affix(r, inner, c->local_from_suffix, true), own);
}

/* True if a From: line names the submitter and nobody else. */
static bool
is_from_submitter(struct receiving *r, const struct header *h)
{
    const struct conf_main *c = r->e->conf->main;
    struct address_parts p;
    struct str local_part, domain, own, own_domain;
    if (address_parse(r->a, header_body(h), ADDRESS_LITERAL, &p) != ADDRESS_OK)
        return false;
    address_split(address_qualify(r->a, p.text, c->qualify_domain), &local_part, &domain);
    address_split(receive_fixup_own_address(r), &own, &own_domain);
    return str_ieq(domain, own_domain) && is_own_local_part(r, local_part, own);
}

static bool
keeps_sender(const struct receiving *r)
{
    const struct acl_submission *s = submission(r);
    return s != NULL ? s->sender_retain : r->e->conf->main->local_sender_retain;
}

static bool
checks_from(const struct receiving *r)
{
    const struct acl_submission *s = submission(r);
    if (s != NULL)
        return !s->sender_retain && receive_fixup_own_address(r).n > 0;
    return r->e->conf->main->local_from_check;
}

/* A submission's envelope has the address of its sender. */
static void
fix_envelope(struct receiving *r)
{
    if (submission(r) != NULL && checks_from(r) && r->m->sender.n > 0)
        r->m->sender = receive_fixup_own_address(r);
}

/* Of messages that are written in somebody's name, that user counts. */
static bool
is_trusted(const struct receiving *r)
{
    return r->rq->own ? receive_is_trusted_user(r->e, r->m->originator_uid)
                      : r->e->caller.trusted;
}

static void
fix_sender(struct receiving *r)
{
    struct header_list *l = r->m->headers;
    if (submission(r) == NULL && is_trusted(r))
        return;
    for (size_t i = find(r, HEADER_TYPE_SENDER, 0); i != STR_NPOS && !keeps_sender(r);
         i = find(r, HEADER_TYPE_SENDER, i + 1))
        l->v[i].type = HEADER_TYPE_DELETED;
    if (!checks_from(r))
        return;
    for (size_t i = find(r, HEADER_TYPE_FROM, 0); i != STR_NPOS;
         i = find(r, HEADER_TYPE_FROM, i + 1)) {
        if (is_from_submitter(r, &l->v[i]))
            continue;
        add(r, HEADER_AT_END,
            str_printf(r->a, "%sSender: %.*s\n", prefix(r), STR_ARG(own_mailbox(r))));
        break;
    }
    if (!r->rq->own)
        fix_envelope(r);
}

/* Which Message-Id: counts depends on whether there are Resent- lines. */
static void
settle_message_ids(struct receiving *r)
{
    struct header_list *l = r->m->headers;
    for (size_t i = 0; r->resent && i < l->n; i++) {
        if (l->v[i].type == HEADER_TYPE_MESSAGE_ID && !str_istarts(l->v[i].text, "resent-"))
            l->v[i].type = HEADER_TYPE_OTHER;
    }
}

bool
receive_fixup(struct receiving *r)
{
    settle_message_ids(r);
    bool suppressed =
        r->rq->suppress_fixups || (r->m->acl != NULL && r->m->acl->suppress_local_fixups);
    bool fix = submission(r) != NULL || (r->rq->local && !suppressed);
    if (fix) {
        add_message_id(r);
        receive_rewrite_recipients(r);
        complete_from(r);
        if (find(r, HEADER_TYPE_FROM, 0) == STR_NPOS)
            add_from(r);
        fix_sender(r);
    } else {
        receive_rewrite_recipients(r);
    }
    receive_rewrite_sender(r);
    receive_rewrite_headers(r);
    if (str_is_set(r->e->eval->fatal)) { /* a list that cannot be read; it was logged */
        r->e->eval->fatal = STR_NULL;
        return receive_refuse(r, RECEIVE_FAULT_CONFIG, 451, STR_NULL, STR_NULL);
    }
    if (fix)
        add_date(r);
    return receive_fixup_received(r, r->started.tv_sec);
}

/* --- Received --- */

static bool
expand_received(struct receiving *r, struct str *text)
{
    struct str setting = r->e->conf->main->received_header_text.text;
    struct message *m = r->m;
    m->received_for = m->recipients.n == 1 ? m->recipients.v[0].address : STR_NULL;
    enum vm_status st = vm_expand(r->e->vm, setting, text);
    m->received_for = STR_NULL;
    if (st == VM_OK)
        return true;
    if (st == VM_FORCED) {
        *text = STR_EMPTY;
        return true;
    }
    struct str why = vm_error(r->e->vm);
    return receive_refuse(
        r, RECEIVE_FAULT_CONFIG, 451, STR_NULL,
        str_printf(r->a, "Expansion of \"%.*s\" (received_header_text) failed: %.*s",
                   STR_ARG(setting), STR_ARG(why)));
}

size_t
receive_fixup_find_received(const struct receiving *r)
{
    const struct header_list *l = r->m->headers;
    for (size_t i = 0; str_is_set(r->received) && i < l->n; i++) {
        if (l->v[i].text.p == r->received.p)
            return i;
    }
    return STR_NPOS;
}

bool
receive_fixup_received(struct receiving *r, time_t when)
{
    struct header_list *l = r->m->headers;
    struct str text;
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    bool ok = expand_received(r, &text);
    if (ok && text.n > 0) {
        struct str line =
            str_printf(r->a, "%.*s;\n\t%.*s\n", STR_ARG(text), STR_ARG(date_text(r, when)));
        line.taint = text.taint;
        size_t at = receive_fixup_find_received(r);
        if (at == STR_NPOS && header_list_insert(r->a, l, 0, line)) {
            r->received = l->v[0].text;
            r->m->received_count++;
        } else if (at != STR_NPOS) {
            l->v[at].text = r->received = line;
            l->changes++;
        }
    }
    vm_release(r->e->vm, mark);
    return ok;
}
