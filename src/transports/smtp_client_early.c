/* EHLO ahead of the greeting; see smtp_client_early.h. */
#include "transports/smtp_client_early.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "sys/hints.h"

#include <string.h>
#include <time.h>

enum {
    VERSION = 1,
    HEAD = 8,           /* bytes of the time */
    REPLY_MAX = 4 << 10 /* a longer answer is not remembered */
};

static struct str
key_of(struct smtp_client *c)
{
    return str_printf(c->arena, "EHLO:%.*s:%lld%s", STR_ARG(c->host.address),
                      (long long)c->port, c->secure != NULL ? ":tls" : "");
}

bool
smtp_client_early_read(uint16_t version, struct str value, int64_t *seconds, struct str *reply)
{
    if (version != VERSION || value.n <= HEAD || value.n > HEAD + REPLY_MAX)
        return false;
    memcpy(seconds, value.p, HEAD);
    *reply = str_tainted(str_sub(value, HEAD, value.n));
    return *seconds >= 0;
}

static size_t
count_lines(struct str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* False: there is no record, or it is too old. */
static bool
recall(struct smtp_client *c, const struct transport_job *job, struct smtp_reply *out)
{
    struct str value, text;
    int64_t seconds, now = (int64_t)time(NULL);
    if (job->hints == NULL ||
        !hints_get(job->hints, c->arena, HINTS_MISC, key_of(c), VERSION, &value) ||
        !smtp_client_early_read(VERSION, value, &seconds, &text) || seconds > now ||
        now - seconds > job->eval->conf->main->retry_data_expire)
        return false;
    *out = (struct smtp_reply){.code = 250, .text = text, .lines = count_lines(text)};
    return true;
}

static bool
is_wanted(struct smtp_client *c, const struct transport_job *job)
{
    return !c->lmtp && smtp_client_in_list(job, &c->host, &c->opt->hosts_pipe_connect,
                                           "hosts_pipe_connect");
}

bool
smtp_client_early_recall(struct smtp_client *c, const struct transport_job *job)
{
    struct smtp_reply reply;
    struct ehlo peer;
    if (!c->early_allowed || !is_wanted(c, job) || !recall(c, job, &reply))
        return false;
    ehlo_read(&reply, &peer);
    if (!peer.pipelining || !peer.pipe_connect ||
        smtp_client_in_list(job, &c->host, &c->opt->hosts_avoid_pipelining,
                            "hosts_avoid_pipelining") ||
        smtp_client_in_list(job, &c->host, &c->opt->hosts_avoid_esmtp, "hosts_avoid_esmtp"))
        return false;
    c->peer = peer;
    c->early = c->pipelines = c->esmtp = true;
    return true;
}

void
smtp_client_early_forget(struct smtp_client *c, const struct transport_job *job)
{
    if (job->hints != NULL)
        (void)hints_delete(job->hints, HINTS_MISC, key_of(c));
}

static void
keep(struct smtp_client *c, const struct transport_job *job)
{
    int64_t now = (int64_t)time(NULL);
    struct str value = str_cat(job->arena, str_from((const char *)&now, HEAD), c->reply.text);
    (void)hints_put(job->hints, HINTS_MISC, key_of(c), VERSION, value);
}

void
smtp_client_early_keep(struct smtp_client *c, const struct transport_job *job)
{
    struct smtp_reply before;
    if (job->hints == NULL || !is_wanted(c, job))
        return;
    bool good = c->peer.pipe_connect && c->peer.pipelining && c->reply.text.n <= REPLY_MAX;
    if (good)
        keep(c, job);
    else if (recall(c, job, &before))
        smtp_client_early_forget(c, job);
}

/* Everything that a has b has too. Limits and the list of mechanisms are looked at when they are needed. */
static bool
has_all(const struct ehlo *a, const struct ehlo *b)
{
    const bool pairs[][2] = {
        {a->pipelining, b->pipelining},
        {a->pipe_connect, b->pipe_connect},
        {a->chunking, b->chunking},
        {a->prdr, b->prdr},
        {a->dsn, b->dsn},
        {a->smtputf8, b->smtputf8},
        {a->eightbit, b->eightbit},
        {a->starttls, b->starttls},
        {a->ignore_quota, b->ignore_quota},
        {a->size, b->size},
        {a->auth, b->auth},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] && !pairs[i][1])
            return false;
    return true;
}

bool
smtp_client_early_compare(struct smtp_client *c, const struct transport_job *job)
{
    struct ehlo now;
    ehlo_read(&c->reply, &now);
    if (!has_all(&c->peer, &now)) {
        smtp_client_early_forget(c, job);
        return false;
    }
    c->peer = now;
    keep(c, job);
    return true;
}
