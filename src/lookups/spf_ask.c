/* Asks the inspect process about a sender; see spf_ask.h. */
#include "lookups/spf_ask.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/resolve.h"
#include "filter/expand.h"
#include "filter/host.h"
#include "mail/address.h"
#include "sys/inspect.h"
#include "sys/spf_plugin.h"

#include <unistd.h>

enum { QUESTIONS_MAX = 500 /* more than the plugin has; it may have been taken over */ };

struct asking {
    struct eval *eval;
    struct vm *vm;
    struct inspect_job job;
    unsigned questions;
};

static void
log_line(struct asking *k, struct str text)
{
    const struct host *h = vm_host(k->vm);
    if (k->eval->log != NULL)
        k->eval->log(k->eval->log_ctx, false, text);
    else if (h != NULL && h->log != NULL)
        h->log(vm_env(k->vm), false, text);
}

/* --- the DNS --- */

static struct str
bytes_of_text(struct arena *a, const struct dns_record *r)
{
    struct buf b = buf_in(a, 0);
    struct str rest = r->bytes, text;
    while (dns_answer_next_text(&rest, &text))
        buf_adds(&b, text);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\0')
            b.p[i] = '\1'; /* as wrong, and a text that messages may hold */
    return buf_str(&b);
}

/* What the plugin gets of a record. */
static struct str
bytes_of(struct arena *a, const struct dns_record *r)
{
    if (r->type == DNS_A || r->type == DNS_AAAA)
        return ip_text(a, &r->ip);
    if (r->type == DNS_TXT)
        return bytes_of_text(a, r);
    return r->name;
}

/* In as many messages as it takes. */
static bool
send_record(struct asking *k, struct str bytes)
{
    do {
        size_t n = bytes.n < IPC_TEXT_MAX ? bytes.n : IPC_TEXT_MAX;
        const struct ipc_field f[] = {{.number = n < bytes.n}, {.text = str_sub(bytes, 0, n)}};
        if (!inspect_say(&k->job, INSPECT_RECORD, f, -1))
            return false;
        bytes = str_sub(bytes, n, bytes.n);
    } while (bytes.n > 0);
    return true;
}

static bool
send_records(struct asking *k, struct arena *a, const struct dns_answer *m, enum dns_type type)
{
    const struct dns_record *r;
    size_t at = 0, n = 0, total = 0;
    while (n < INSPECT_RECORDS_MAX && (r = resolve_next(m, type, &at)) != NULL) {
        struct str bytes = bytes_of(a, r);
        total += bytes.n;
        if (total > INSPECT_ANSWER_MAX)
            break;
        n++;
        if (!send_record(k, bytes))
            return false;
    }
    return true;
}

static enum spf_plugin_dns
status_of(enum dns_status st)
{
    switch (st) {
    case DNS_FOUND:
        return SPF_DNS_FOUND;
    case DNS_NO_DATA:
    case DNS_NO_NAME:
        return SPF_DNS_NONE;
    case DNS_AGAIN:
    case DNS_FAILED:
        break;
    }
    return SPF_DNS_FAILED;
}

static bool
is_type(uint64_t n)
{
    return n == DNS_A || n == DNS_AAAA || n == DNS_MX || n == DNS_PTR || n == DNS_TXT;
}

/* False with job.why. */
static bool
answer_question(struct asking *k, const struct ipc_message *msg)
{
    struct arena *a = arena_new();
    struct resolve_answer reply;
    enum spf_plugin_dns st = SPF_DNS_NONE;
    bool ok = true;
    if (++k->questions <= QUESTIONS_MAX && is_type(msg->f[0].number)) {
        struct str name = msg->f[1].text;
        while (name.n > 0 && name.p[name.n - 1] == '.')
            name.n--;
        const struct dns_question q = {.name = name, .type = (enum dns_type)msg->f[0].number};
        st = status_of(resolve_ask(k->eval, k->vm, a, &q, &reply));
        if (st == SPF_DNS_FOUND)
            ok = send_records(k, a, &reply.reply.answer, q.type);
    }
    const struct ipc_field f[] = {{.number = st}};
    ok = ok && inspect_say(&k->job, INSPECT_ANSWER, f, -1);
    arena_free(a);
    return ok;
}

/* --- the check --- */

/* One line, whoever wrote it. */
static struct str
one_line(struct arena *a, struct str text)
{
    char *p = arena_alloc(a, (size_t)text.n + 1);
    for (uint32_t i = 0; i < text.n; i++)
        p[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i];
    return str_tainted(str_from(p, text.n));
}

static bool
take_result(struct asking *k, const struct ipc_message *msg, struct spf_check *out)
{
    struct arena *a = k->job.arena;
    uint64_t n = msg->f[0].number;
    bool guessed = (n & INSPECT_GUESSED) != 0;
    n &= ~(uint64_t)INSPECT_GUESSED;
    if (n >= SPF_RESULTS) {
        k->job.why = STR_LIT("inspect process sent what is no message");
        return false;
    }
    out->result = (enum spf_result)n;
    out->guessed = guessed;
    out->received = one_line(a, msg->f[1].text);
    out->comment = one_line(a, msg->f[2].text);
    out->smtp_text = one_line(a, msg->f[3].text);
    return true;
}

static bool
send_check(struct asking *k, const struct spf_question *q)
{
    const struct conf_main *m = k->eval->conf->main;
    struct str explanation = STR_EMPTY;
    if (vm_expand_x(k->vm, &m->spf_smtp_comment_template, &explanation) != VM_OK ||
        !str_is_set(explanation) || explanation.n > IPC_TEXT_MAX || str_has_nul(explanation))
        explanation = STR_EMPTY;
    struct str guess = q->guess && m->spf_guess.n <= IPC_TEXT_MAX ? m->spf_guess : STR_EMPTY;
    const struct ipc_field who[] = {
        {.text = q->ip}, {.text = q->helo}, {.text = q->sender}, {.text = m->primary_hostname}};
    const struct ipc_field texts[] = {{.text = explanation}, {.text = guess}};
    return inspect_say(&k->job, INSPECT_SPF, who, -1) &&
           inspect_say(&k->job, INSPECT_SPF_TEXTS, texts, -1);
}

/* False with job.why. */
static bool
check(struct asking *k, const struct spf_question *q, struct spf_check *out)
{
    struct ipc_message msg;
    if (!send_check(k, q))
        return false;
    while (inspect_hear(&k->job, &msg)) {
        if (msg.type == INSPECT_SPF_RESULT)
            return take_result(k, &msg, out);
        bool asked = msg.type == INSPECT_QUESTION;
        if (msg.fd >= 0)
            close(msg.fd);
        if (!asked) {
            k->job.why = STR_LIT("inspect process sent what is no message");
            return false;
        }
        if (!answer_question(k, &msg))
            return false;
    }
    return false;
}

/* Nothing can be checked of these. */
static bool
is_unfit(const struct spf_question *q)
{
    return q->ip.n == 0 || str_has_nul(q->helo) || str_has_nul(q->sender) ||
           q->helo.n > IPC_TEXT_MAX || q->sender.n > IPC_TEXT_MAX;
}

static void
set_subject(struct arena *a, const struct spf_question *q, struct spf_check *out)
{
    struct str local_part, domain = STR_NULL;
    if (q->sender.n > 0)
        address_split(q->sender, &local_part, &domain);
    out->of_helo = q->sender.n == 0;
    out->sender = str_tainted(str_dup(a, q->sender));
    out->domain = str_tainted(str_dup(a, str_is_set(domain) ? domain : q->helo));
}

void
spf_ask(struct eval *e, struct vm *vm, struct arena *a, const struct spf_question *q,
        struct spf_check *out)
{
    struct asking k = {.eval = e, .vm = vm, .job = {.arena = a, .socket = -1}};
    *out = (struct spf_check){.result = SPF_INVALID,
                              .received = STR_EMPTY,
                              .comment = STR_EMPTY,
                              .smtp_text = STR_EMPTY};
    set_subject(a, q, out);
    if (is_unfit(q) || e->conf == NULL)
        return;
    if (inspect_open(e->inspect, INSPECT_LIBRARY_SPF, STR_EMPTY, SPF_ASK_LIMIT_MS, &k.job) &&
        check(&k, q, out)) {
        inspect_close(&k.job);
        return;
    }
    inspect_close(&k.job);
    out->result = SPF_TEMPERROR;
    out->comment = str_dup(a, k.job.why);
    log_line(&k, str_printf(a, "SPF of <%.*s> could not be checked: %.*s", STR_ARG(q->sender),
                            STR_ARG(k.job.why)));
}
