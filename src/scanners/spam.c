/* The spam condition; see spam.h. */
#include "scanners/spam.h"

#include "base/arena.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "scanners/spamd_answer.h"
#include "scanners/spamd_server.h"
#include "sys/await.h"
#include "sys/entropy.h"

#include <errno.h>
#include <time.h>

enum { ANSWER_MAX = 128 * 1024, MS = 1000, DAY_S = 86400 };

/* --- the request --- */

static void
add_line(struct buf *b, const char *name, struct str value)
{
    if (value.n > 0)
        buf_printf(b, "%s: %.*s\r\n", name, STR_ARG(value));
}

static void
add_spamd(struct buf *b, int64_t size, struct str user)
{
    buf_printf(b, "REPORT SPAMC/1.2\r\nUser: %.*s\r\nContent-length: %lld\r\n\r\n",
               STR_ARG(user), (long long)size);
}

/* Source: rspamd, "Rspamd protocol"; what the reference sends. */
static void
add_rspamd(struct buf *b, int64_t size, const struct scan_job *j)
{
    const struct message *m = j->message->message;
    const struct session *s = j->by.eval->session;
    buf_printf(b, "CHECK RSPAMC/1.3\r\nContent-length: %lld\r\nQueue-Id: %.*s\r\n",
               (long long)size, STR_ARG(m->id));
    buf_printf(b, "From: <%.*s>\r\nRecipient-Number: %zu\r\n", STR_ARG(m->sender),
               m->recipients.n);
    for (size_t i = 0; i < m->recipients.n; i++)
        buf_printf(b, "Rcpt: <%.*s>\r\n", STR_ARG(m->recipients.v[i].address));
    if (s != NULL) {
        add_line(b, "Helo", s->sender_helo_name);
        add_line(b, "Hostname", s->sender_host_name);
        add_line(b, "IP", s->sender_host_address);
        if (s->sender_host_authenticated.n > 0) /* else it may be the name of a local user */
            add_line(b, "User", s->authenticated_id);
    }
    buf_addz(b, "\r\n");
}

static bool
send_request(struct scan_job *j, bool rspamd, struct str user)
{
    struct buf b = buf_in(j->by.arena, 0);
    struct scan_stream st;
    struct str block;
    int64_t size = scan_message_size(j->message, SCAN_MBOX);
    if (rspamd)
        add_rspamd(&b, size, j);
    else
        add_spamd(&b, size, user);
    scan_stream_start(j->by.arena, j->message, SCAN_MBOX, -1, &st);
    int r;
    while ((r = scan_stream_next(&st, &block)) > 0) {
        buf_adds(&b, block);
        if (!scan_socket_send(&j->server, buf_str(&b)))
            return false;
        b.n = 0;
    }
    if (r == 0 && !rspamd) /* which takes the end for a client that has gone */
        scan_socket_shut(&j->server);
    return r == 0;
}

/* --- the verdict --- */

static enum scan_end
judge(struct scan_job *j, bool rspamd, struct str answer, struct scan_spam *out)
{
    struct spamd_answer a;
    bool good = rspamd ? spamd_answer_parse_rspamd(j->by.arena, answer, &a)
                       : spamd_answer_parse(j->by.arena, answer, &a);
    if (!good)
        return scan_defer(j, "cannot parse spamd %.*s output", STR_ARG(j->server.address));
    out->spam = a.score >= a.threshold;
    out->score = spamd_answer_score(j->by.arena, a.score);
    out->score_int = spamd_answer_score_int(j->by.arena, a.score);
    out->bar = spamd_answer_bar(j->by.arena, a.score);
    out->report = a.report;
    out->action = rspamd ? a.action : out->spam ? STR_LIT("reject") : STR_LIT("no action");
    return out->spam ? SCAN_FOUND : SCAN_CLEAN;
}

static enum scan_end
ask(struct scan_job *j, bool rspamd, struct str user, struct scan_spam *out)
{
    struct buf answer = buf_in(j->by.arena, ANSWER_MAX);
    if (!send_request(j, rspamd, user))
        return scan_defer(j, "error writing to spamd %.*s, socket: %s",
                          STR_ARG(j->server.address), scan_socket_reason(errno));
    if (!scan_socket_all(&j->server, &answer))
        return scan_defer(j, "error reading from spamd %.*s, socket: %s",
                          STR_ARG(j->server.address), scan_socket_reason(errno));
    struct str text = buf_str(&answer);
    return judge(j, rspamd, str_is_set(text) ? text : STR_EMPTY, out);
}

/* --- servers --- */

static void
warn(void *ctx, struct str text)
{
    struct scan_job *j = ctx;
    scan_note(j, "spam acl condition: %.*s", STR_ARG(text));
}

static int64_t
second_of_day(struct eval *e)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t local = (int64_t)t.tv_sec + clock_offset(&e->clock, t.tv_sec);
    return local % DAY_S;
}

static bool
connect_server(struct scan_job *j, const struct spamd_server *s)
{
    j->server.deadline_ms = await_now_ms() + s->wait_s * MS;
    return scan_connect_again(j, &s->place, s->retry_s * MS, s->wait_s * MS);
}

enum scan_end
spam_scan(struct scan_job *j, struct str spamd_address, struct str user, struct scan_spam *out)
{
    struct spamd_servers all;
    struct spamd_server one;
    if (str_is_tainted(spamd_address))
        return scan_defer(j, "attempt to use tainted spamd_address: '%.*s'",
                          STR_ARG(scan_said(j, spamd_address)));
    spamd_servers_parse(j->by.arena, spamd_address, &all, warn, j);
    if (all.n == 0)
        return scan_defer(j, "no useable spamd server addresses in spamd_address "
                             "configuration option.");
    int64_t now = second_of_day(j->by.eval);
    while (spamd_servers_next(&all, now, entropy_below, &one)) {
        if (connect_server(j, &one)) {
            enum scan_end end = ask(j, one.rspamd, user, out);
            scan_socket_close(&j->server);
            return end;
        }
        scan_note(j, "spam acl condition: spamd: %.*s", STR_ARG(j->why));
    }
    return scan_defer(j, "all spamd servers failed");
}
