/* Whether a connection is served; see smtp_admit.h.
 *
 * Source: specification, the options named there. Texts and log lines are Exim's.
 */
#include "proc/smtp_admit.h"

#include "base/num.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "sys/limits.h"
#include "sys/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WHY_MAX = 200,
    FILES_SPARE = 1024, /* threads, with what each may have open */
};

/* A line to a client that is not served; it may not hold us up. */
static void
turn_away(const struct smtp_connection *c, const char *text)
{
    (void)send(c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(c->fd);
}

static struct str
peer_of(const struct engine *e)
{
    return peer_text(e->eval->session->arena, e, false);
}

/* False, always. */
static bool refuse(struct smtp_role *s, const struct smtp_connection *c, const char *answer,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static bool
refuse(struct smtp_role *s, const struct smtp_connection *c, const char *answer,
       const char *fmt, ...)
{
    struct engine *e = s->role->e;
    char why[WHY_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (maillog_selected(e, LOG_SELECTOR_CONNECTION_REJECT))
        maillog(e, MAILLOG_MAIN, STR_NULL, "Connection from %.*s refused: %s",
                STR_ARG(peer_of(e)), why);
    turn_away(c, answer);
    return false;
}

/* Likewise, where only smtp_reserve_hosts may come. */
static bool refuse_unreserved(struct smtp_role *s, const struct smtp_connection *c,
                              const char *answer, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static bool
refuse_unreserved(struct smtp_role *s, const struct smtp_connection *c, const char *answer,
                  const char *fmt, ...)
{
    struct engine *e = s->role->e;
    char why[WHY_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    maillog(e, MAILLOG_MAIN, STR_NULL,
            "temporarily refused connection from %.*s: not in reserve list%s",
            STR_ARG(peer_of(e)), why);
    struct str text =
        str_printf(e->eval->session->arena, "421 %.*s: %s; please try again later\r\n",
                   STR_ARG(e->conf->main->primary_hostname), answer);
    turn_away(c, str_cstr(e->eval->session->arena, text));
    return false;
}

/* smtp_accept_max_per_host, expanded for the client; 0: any number. */
static int64_t
most_of_host(struct smtp_role *s)
{
    struct engine *e = s->role->e;
    const struct xstr *x = &e->conf->main->smtp_accept_max_per_host;
    struct str text;
    int64_t n = 0;
    if (!str_is_set(x->text))
        return 0;
    enum vm_status st = vm_expand_x(e->vm, x, &text);
    if (st == VM_OK && num_parse_int(str_trim(text), &n) == NUM_OK)
        return n;
    if (st == VM_ERROR || st == VM_DEFER)
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "expansion of smtp_accept_max_per_host failed for %.*s: %.*s",
                STR_ARG(peer_of(e)), STR_ARG(vm_error(e->vm)));
    return 0;
}

static bool
is_reserved_for(struct engine *e)
{
    const struct conf_main *c = e->conf->main;
    struct list_answer answer;
    const struct list_question q = {
        .kind = LIST_HOST,
        .subject = e->eval->session->sender_host_address,
        .list = c->smtp_reserve_hosts.text,
        .what = STR_LIT("smtp_reserve_hosts"),
    };
    return str_is_set(c->smtp_reserve_hosts.text) &&
           list_match(e->eval, e->vm, &q, &answer) == OUT_OK;
}

/* The last places are for smtp_reserve_hosts. */
static bool
has_place(struct smtp_role *s, const struct smtp_connection *c)
{
    struct engine *e = s->role->e;
    const struct conf_main *m = e->conf->main;
    if (m->smtp_accept_max <= 0 || m->smtp_accept_reserve <= 0 ||
        c->connected + m->smtp_accept_reserve <= m->smtp_accept_max || is_reserved_for(e))
        return true;
    return refuse_unreserved(s, c, "Too many concurrent SMTP connections",
                             ": connected=%u max=%lld reserve=%lld", c->connected,
                             (long long)m->smtp_accept_max, (long long)m->smtp_accept_reserve);
}

/* And so is a busy machine. */
static bool
is_quiet(struct smtp_role *s, const struct smtp_connection *c)
{
    const struct conf_main *m = s->role->e->conf->main;
    int64_t load = m->smtp_load_reserve >= 0 ? machine_load_average() : -1;
    if (m->smtp_load_reserve < 0 || load <= m->smtp_load_reserve || is_reserved_for(s->role->e))
        return true;
    if (!str_is_set(m->smtp_reserve_hosts.text))
        return refuse(s, c, "421 Too much load; please try again later.\r\n",
                      "load average = %.2f", (double)load / 1000);
    return refuse_unreserved(s, c, "Too much load", " and load average = %.2f",
                             (double)load / 1000);
}

/* Descriptors are given out from below: some stay for the files of sessions. */
static bool
has_files(const struct smtp_connection *c)
{
    unsigned all = limits_files(), spare = all / 4 < FILES_SPARE ? all / 4 : FILES_SPARE;
    return (unsigned)c->fd < all - spare;
}

static bool
is_welcome(struct smtp_role *s, const struct smtp_connection *c)
{
    const struct conf_main *m = s->role->e->conf->main;
    if (c->seat < 0 || !has_files(c) ||
        (m->smtp_accept_max > 0 && c->connected > m->smtp_accept_max))
        return refuse(s, c,
                      "421 Too many concurrent SMTP connections; please try again later.\r\n",
                      "too many connections");
    int64_t most = most_of_host(s);
    if (most > 0 && seats_of_host(s->seats, &c->ip) > (uint64_t)most)
        return refuse(s, c,
                      "421 Too many concurrent SMTP connections from this IP address; please "
                      "try again later.\r\n",
                      "too many connections from that IP address");
    return is_quiet(s, c) && has_place(s, c);
}

bool
smtp_admit(struct smtp_role *s, struct smtp_connection *c)
{
    c->seat = seats_take(s->seats, s->owner, &c->ip, &c->connected);
    if (is_welcome(s, c))
        return true;
    seats_leave(s->seats, s->owner, c->seat);
    return false;
}

bool
smtp_admit_is_crowded(struct engine *e, unsigned connected, struct str id)
{
    int64_t most = e->conf->main->smtp_accept_queue;
    if (most <= 0 || connected <= most)
        return false;
    maillog(e, MAILLOG_MAIN, id, "no immediate delivery: too many connections (%u, max %lld)",
            connected, (long long)most);
    return true;
}
