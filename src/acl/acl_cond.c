/* Conditions that are lists, regex, and those whose facility is not there yet. */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/list.h"
#include "mail/address.h"
#include "mail/header.h"
#include "sys/regex.h"

#include <errno.h>
#include <unistd.h>

/* --- lists of names --- */

/* Asks a list. *data: what matched, kept; STR_NULL when nothing did. */
static enum acl_test
ask(struct acl_call *c, const struct acl_item *item, struct list_question *q, struct str *data)
{
    struct list_answer a = {.value = STR_NULL};
    q->what = acl_word_row(item->word)->name;
    q->remember = true;
    q->fixed_text = !str_is_tainted(q->list) && q->list.p == item->arg.text.p;
    enum outcome o = list_match(c->r->eval, c->r->vm, q, &a);
    *data = o == OUT_OK && str_is_set(a.value) ? str_dup(c->keep, a.value) : STR_NULL;
    if (o == OUT_DEFER || o == OUT_ERROR)
        return acl_defer(c, "%.*s", STR_ARG(vm_error(c->r->vm)));
    return o == OUT_OK ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}

static const struct address *
recipient(const struct acl_call *c)
{
    return c->r->eval->address;
}

enum acl_test
acl_cond_domains(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    struct str data;
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    q.subject = recipient(c) == NULL ? STR_EMPTY : recipient(c)->domain;
    enum acl_test t = ask(c, item, &q, &data);
    if (e->address != NULL)
        e->address->domain_data = data;
    e->domain_data = data;
    return t;
}

enum acl_test
acl_cond_local_parts(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    struct str data;
    struct list_question q = {.kind = LIST_LOCALPART, .list = arg, .host_name = STR_NULL};
    if (recipient(c) == NULL)
        q.subject = STR_EMPTY;
    else if (str_is_set(
                 recipient(c)->original_local_part)) /* +caseful wants it as it was given */
        q.subject = recipient(c)->original_local_part;
    else
        q.subject = recipient(c)->local_part;
    enum acl_test t = ask(c, item, &q, &data);
    if (e->address != NULL)
        e->address->local_part_data = data;
    e->local_part_data = data;
    return t;
}

enum acl_test
acl_cond_recipients(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct list_question q = {.kind = LIST_ADDRESS, .list = arg, .host_name = STR_NULL};
    q.subject = recipient(c) == NULL ? STR_EMPTY : recipient(c)->text;
    struct str data;
    enum acl_test t = ask(c, item, &q, &data);
    c->r->eval->recipient_data = data;
    return t;
}

static struct str
sender(const struct acl_call *c)
{
    const struct message *m = c->r->eval->message;
    return m == NULL || !str_is_set(m->sender) ? STR_EMPTY : m->sender;
}

enum acl_test
acl_cond_senders(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct list_question q = {.kind = LIST_ADDRESS, .list = arg, .host_name = STR_NULL};
    q.subject = sender(c);
    struct str data;
    enum acl_test t = ask(c, item, &q, &data);
    c->r->eval->sender_data = data;
    return t;
}

/* $domain stays the recipient's. */
enum acl_test
acl_cond_sender_domains(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct str local_part, domain, data;
    address_split(sender(c), &local_part, &domain);
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    q.subject = str_is_set(domain) ? domain : STR_EMPTY;
    q.keep_domain = true;
    return ask(c, item, &q, &data);
}

enum acl_test
acl_cond_hosts(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    struct list_question q = {.kind = LIST_HOST, .list = arg, .host_name = STR_NULL};
    struct str data;
    bool remote = s != NULL && str_is_set(s->sender_host_address);
    q.subject = remote ? s->sender_host_address : STR_EMPTY;
    if (remote && str_is_set(s->sender_host_name))
        q.host_name = str_is_set(s->sender_host_names) ? s->sender_host_names
                                                       : s->sender_host_name;
    enum acl_test t = ask(c, item, &q, &data);
    /* it holds until the next test, in whatever message that is */
    if (str_is_set(data) && s != NULL && s->arena != NULL)
        data = str_dup(s->arena, data);
    c->r->eval->host_data = data;
    return t;
}

/* A text in a list of texts: authenticators, ciphers. */
static enum acl_test
ask_string(struct acl_call *c, const struct acl_item *item, struct str subject, struct str arg)
{
    struct list_question q = {.kind = LIST_LOCALPART, .list = arg, .host_name = STR_NULL};
    struct str data;
    q.subject = subject;
    return ask(c, item, &q, &data);
}

enum acl_test
acl_cond_authenticated(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    if (s == NULL || !str_is_set(s->sender_host_authenticated))
        return ACL_TEST_FALSE;
    return ask_string(c, item, s->sender_host_authenticated, arg);
}

enum acl_test
acl_cond_encrypted(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    if (s == NULL || !str_is_set(s->tls_in.cipher))
        return ACL_TEST_FALSE;
    return str_eqz(arg, "*") ? ACL_TEST_TRUE : ask_string(c, item, s->tls_in.cipher, arg);
}

/* --- regex --- */

enum { REGEX_BLOCK = 64 * 1024 }; /* a longer line is matched in pieces */

struct regexes {
    const struct regex **v;
    struct str *texts;
    size_t n;
};

static bool
compile_all(struct acl_call *c, struct str list, struct regexes *out)
{
    struct vm *vm = c->r->vm;
    struct arena *a = vm_scratch(vm);
    size_t most = strlist_count(list, ':');
    out->v = ARENA_ARRAY(a, const struct regex *, most + 1);
    out->texts = ARENA_ARRAY(a, struct str, most + 1);
    struct strlist_split s = strlist_split_start(list, ':');
    struct str one, why;
    size_t at;
    while (out->n < most && strlist_split_next(&s, a, &one)) {
        if (one.n == 0)
            continue;
        const struct regex *re = vm_regex(vm, one, 0, &why, &at);
        if (re == NULL) {
            acl_log(c->r, ACL_LOG_MAIN,
                    "regex acl condition warning - error in regex '%.*s': %.*s at offset %zu, "
                    "skipped.",
                    STR_ARG(one), STR_ARG(why), at);
            continue;
        }
        out->v[out->n] = re;
        out->texts[out->n++] = one;
    }
    return out->n > 0;
}

static bool
match_line(struct acl_call *c, const struct regexes *res, struct str line)
{
    struct session *s = c->r->eval->session;
    const struct str *caps;
    for (size_t i = 0; i < res->n; i++) {
        if (vm_regex_match(c->r->vm, res->v[i], line) != VM_OK)
            continue;
        unsigned n = vm_captures(c->r->vm, &caps);
        if (s == NULL)
            return true;
        s->regex_match = str_dup(c->keep, res->texts[i]);
        for (unsigned k = 0; k < 9; k++)
            s->regex_caps[k] = k + 1 < n ? str_dup(c->keep, caps[k + 1]) : STR_NULL;
        return true;
    }
    return false;
}

static bool
match_text(struct acl_call *c, const struct regexes *res, struct str text)
{
    for (size_t at = 0; at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        nl = nl == STR_NPOS ? text.n : nl;
        if (match_line(c, res, str_sub(text, at, nl - at)))
            return true;
        at = nl + 1;
    }
    return false;
}

/* The body, a block at a time; a line that a block cuts is read again with the next one. */
static enum acl_test
match_body(struct acl_call *c, const struct regexes *res, const struct message *m)
{
    char *block = arena_alloc(vm_scratch(c->r->vm), REGEX_BLOCK);
    int64_t at = 0;
    while (at < m->body_size) {
        ssize_t got = pread(m->body_fd, block, REGEX_BLOCK, (off_t)(m->body_start + at));
        if (got < 0)
            return acl_defer(c, "regex: failed to read the message: %s", strerror(errno));
        if (got == 0)
            break;
        struct str text = str_tainted(str_from(block, (size_t)got));
        size_t end = str_rchr(text, '\n');
        if (end != STR_NPOS)
            text = str_sub(text, 0, end + 1);
        if (match_text(c, res, text))
            return ACL_TEST_TRUE;
        at += text.n;
    }
    return ACL_TEST_FALSE;
}

/* Header lines, then the body, line by line. */
enum acl_test
acl_cond_regex(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct message *m = c->r->eval->message;
    struct regexes res = {.n = 0};
    (void)item;
    if (m == NULL || !compile_all(c, arg, &res))
        return ACL_TEST_FALSE;
    for (size_t i = 0; m->headers != NULL && i < m->headers->n; i++)
        if (m->headers->v[i].type != HEADER_TYPE_DELETED &&
            match_text(c, &res, m->headers->v[i].text))
            return ACL_TEST_TRUE;
    if (m->body_fd >= 0)
        return match_body(c, &res, m);
    return match_text(c, &res, m->body_text) ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}

/* --- what comes later --- */

enum acl_test
acl_cond_later(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)arg;
    return acl_error(c, "ACL condition \"%.*s\" is not available in this version of remex",
                     STR_ARG(acl_word_row(item->word)->name));
}
