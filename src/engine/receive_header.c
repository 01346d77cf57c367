/* The header of a message on its way in: which lines there are, and which of them stay.
 *
 * Source: specification, chapter "Message processing", option -t.
 */
#include "base/arena.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/receive_state.h"
#include "filter/expand.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "sys/regex.h"

/* --- the line that some programs put first --- */

/* The sender that a "From " line gives, or unset when it does not parse. */
static struct str
from_line_sender(struct receiving *r)
{
    const struct conf_main *c = r->e->conf->main;
    struct str text;
    struct address_parts p;
    if (vm_expand(r->e->vm, c->uucp_from_sender.text, &text) != VM_OK) {
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "expansion of \"%.*s\" failed after matching \"From \" line: %.*s",
                STR_ARG(c->uucp_from_sender.text), STR_ARG(vm_error(r->e->vm)));
        return STR_NULL;
    }
    if (address_parse(r->a, text, ADDRESS_LITERAL | ADDRESS_NULL, &p) != ADDRESS_OK)
        return STR_NULL;
    return str_tainted(str_dup(r->a, p.domain > 0 || p.text.n == 0
                                         ? p.text
                                         : address_qualify(r->a, p.text, c->qualify_domain)));
}

bool
receive_may_send_as(struct engine *e, struct str address)
{
    struct list_answer answer;
    struct list_question q = {
        .kind = LIST_ADDRESS, .subject = address, .what = STR_LIT("untrusted_set_sender")};
    const struct xstr *setting = &e->conf->main->untrusted_set_sender;
    if (!str_is_set(setting->text))
        return false;
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    bool yes = vm_expand_x(e->vm, setting, &q.list) == VM_OK &&
               list_match(e->eval, e->vm, &q, &answer) == OUT_OK;
    vm_release(e->vm, mark);
    return yes;
}

/* The sender of a "From " line counts when the caller may set it. */
static void
set_sender(struct receiving *r, struct str sender)
{
    bool trusted = r->e->caller.trusted;
    if (!str_is_set(sender))
        return;
    if (!trusted && sender.n > 0 && !receive_may_send_as(r->e, sender))
        return;
    r->m->sender = sender;
    r->sender_given = true;
    r->sender_untrusted = !trusted;
    if (trusted)
        r->m->authenticated_sender = STR_NULL;
}

static bool
is_from_line(struct receiving *r, struct str line)
{
    const struct conf_main *c = r->e->conf->main;
    struct str why;
    size_t at;
    if (!r->rq->from_line || !str_starts(line, "From ") || c->uucp_from_pattern.n == 0)
        return false;
    const struct regex *re = vm_regex(r->e->vm, c->uucp_from_pattern, 0, &why, &at);
    return re != NULL && vm_regex_match(r->e->vm, re, line) == VM_OK;
}

/* True if the line was one; it is not kept. */
static bool
take_from_line(struct receiving *r, struct str line)
{
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    bool is = is_from_line(r, line);
    if (is && r->rq->from_line_sets)
        set_sender(r, from_line_sender(r));
    vm_release(r->e->vm, mark);
    return is;
}

/* --- lines that should not be in transit --- */

static bool
is_unwanted(const struct receiving *r, const struct header *h)
{
    const struct conf_main *c = r->e->conf->main;
    const struct {
        const char *name;
        bool remove;
    } rows[] = {
        {"return-path", c->return_path_remove},
        {"delivery-date", c->delivery_date_remove},
        {"envelope-to", c->envelope_to_remove},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_ieqz(header_name(h), rows[i].name))
            return rows[i].remove;
    }
    return false;
}

static void
judge_line(struct receiving *r, struct header *h)
{
    if (str_istarts(h->text, "resent-"))
        r->resent = true;
    if (h->type == HEADER_TYPE_RECEIVED)
        r->m->received_count++;
    if (is_unwanted(r, h))
        h->type = HEADER_TYPE_DELETED;
}

enum receive_text_end
receive_header_read(struct receiving *r)
{
    struct header_list *l = r->m->headers;
    bool first = true; /* nothing of the message yet: "From " lines may come, one is usual */
    for (;;) {
        struct str line;
        enum receive_text_end end = receive_text_line(&r->text, r->a, &line);
        r->partial = line;
        if (end == RECEIVE_TEXT_LINE_END && header_list_add(r->a, l, line, HEADER_AT_END))
            l->v[l->n - 1].type = HEADER_TYPE_OTHER; /* logs show it */
        if (end != RECEIVE_TEXT_MORE)
            return end;
        if (first && take_from_line(r, line)) {
            first = r->rq->smtp;
            continue;
        }
        first = false;
        if (!header_list_add(r->a, l, line, HEADER_AT_END)) {
            r->body_first = line;
            return RECEIVE_TEXT_BODY;
        }
        judge_line(r, &l->v[l->n - 1]);
    }
}

/* --- -t --- */

static bool
names_recipients(const struct receiving *r, const struct header *h)
{
    bool right =
        h->type == HEADER_TYPE_TO || h->type == HEADER_TYPE_CC || h->type == HEADER_TYPE_BCC;
    return right && str_istarts(h->text, "resent-") == r->resent;
}

static bool
is_removed(const struct receiving *r, struct str address)
{
    for (size_t i = 0; i < r->removed.n; i++) {
        if (str_ieq(r->removed.v[i], address))
            return true;
    }
    return false;
}

static void
add_bad(struct receiving *r, struct str item, struct str reason)
{
    struct receive_bad_address bad = {.address = str_trim(item), .reason = reason};
    vec_push(r->a, &r->out->bad, bad);
}

static void
add_recipient(struct receiving *r, struct str given)
{
    struct str domain = r->e->conf->main->qualify_recipient;
    struct recipient one = {.address = str_tainted(address_qualify(r->a, given, domain))};
    if (is_removed(r, one.address)) {
        r->all_removed = true;
        return;
    }
    vec_push(r->a, &r->m->recipients, one);
    vec_push(r->a, &r->to, given);
}

static void
take_line(struct receiving *r, const struct header *h)
{
    struct str body = header_body(h);
    struct address_list l = address_list_start(body, ADDRESS_GROUP | ADDRESS_LITERAL);
    enum address_status st;
    struct address_parts p;
    struct str item;
    while (address_list_next(&l, r->a, &st, &p, &item)) {
        if (st == ADDRESS_OK)
            add_recipient(r, p.text);
        else if (st == ADDRESS_BAD) /* shown with all that follows it, as the reference does */
            add_bad(r, str_sub(body, (size_t)(item.p - body.p), body.n), p.error);
    }
}

void
receive_header_recipients(struct receiving *r)
{
    struct header_list *l = r->m->headers;
    if (r->e->conf->main->extract_addresses_remove_arguments) {
        for (size_t i = 0; i < r->m->recipients.n; i++)
            vec_push(r->a, &r->removed, r->m->recipients.v[i].address);
        r->m->recipients.n = 0;
        r->to.n = 0;
    }
    for (size_t i = 0; i < l->n; i++) {
        if (!names_recipients(r, &l->v[i]))
            continue;
        take_line(r, &l->v[i]);
        if (l->v[i].type == HEADER_TYPE_BCC)
            l->v[i].type = HEADER_TYPE_DELETED;
    }
}
