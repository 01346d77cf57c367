/* The daemon's start; see daemon_start.h. */
#include "proc/daemon_start.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "proc/key_notice.h"
#include "proc/version.h"
#include "sys/peer_address.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool
daemon_start_find(struct mode *m, struct interfaces *out, struct str *error)
{
    return interfaces_find(m->arena, m->conf->main, cli_value(m->cli, "-oX"),
                           cli_has(m->cli, "-tls-on-connect"), out, error);
}

/* --- opening --- */

/* What one address needs. */
struct opening {
    struct mode *m;
    struct engine *e;
    bool patient;
    struct str error;
};

/* A machine without IPv6 listens for IPv4 alone. */
static enum listen_step
open_once(struct interface *i)
{
    enum listen_step step = listen_open(&i->at, &i->fd);
    if (step != LISTEN_OK && errno == EAFNOSUPPORT && i->at.family == LISTEN_BOTH) {
        i->at.family = LISTEN_IPV4;
        step = listen_open(&i->at, &i->fd);
    }
    return step;
}

static bool
fail(struct opening *o, const struct interface *i, enum listen_step step)
{
    struct str where = interfaces_address(o->m->arena, i);
    const char *why = strerror(errno);
    if (step == LISTEN_BIND)
        o->error = str_printf(o->m->arena,
                              "socket bind() to port %d for address %.*s failed: %s: daemon "
                              "abandoned",
                              i->at.port, STR_ARG(where), why);
    else
        o->error = str_printf(o->m->arena, "%s() failed on interface %.*s: %s",
                              step == LISTEN_LISTEN ? "listen" : "socket", STR_ARG(where), why);
    return false;
}

static void
log_retry(struct opening *o, const struct interface *i, int64_t left)
{
    const struct conf_main *c = o->m->conf->main;
    const char *why = strerror(errno);
    struct buf time = buf_in(o->m->arena, 0);
    num_add_interval(&time, c->daemon_startup_sleep);
    maillog(o->e, MAILLOG_MAIN, STR_NULL,
            "socket bind() to port %d for address %.*s failed: %s: waiting %.*s before trying "
            "again (%lld more %s)",
            i->at.port, STR_ARG(interfaces_address(o->m->arena, i)), why,
            STR_ARG(buf_str(&time)), (long long)left, left == 1 ? "try" : "tries");
}

static bool
open_one(struct opening *o, struct interface *i)
{
    const struct conf_main *c = o->m->conf->main;
    int64_t left = o->patient ? c->daemon_startup_retries : 0;
    for (;;) {
        enum listen_step step = open_once(i);
        if (step == LISTEN_OK)
            return true;
        if (step != LISTEN_BIND || left <= 0)
            return fail(o, i, step);
        log_retry(o, i, left--);
        sleep((unsigned)c->daemon_startup_sleep);
    }
}

static bool
keep_open(struct interface *i, struct interfaces *before)
{
    for (size_t k = 0; before != NULL && k < before->v.n; k++) {
        struct interface *old = &before->v.v[k];
        if (!interfaces_same(i, old) || old->keep)
            continue;
        i->fd = old->fd;
        i->keep = old->keep = true;
        return true;
    }
    return false;
}

static void
undo(struct interfaces *all, struct interfaces *before)
{
    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i].fd >= 0 && !all->v.v[i].keep)
            close(all->v.v[i].fd);
        all->v.v[i].fd = -1;
    }
    for (size_t i = 0; before != NULL && i < before->v.n; i++)
        before->v.v[i].keep = false;
}

bool
daemon_start_open(struct mode *m, struct engine *e, struct interfaces *all,
                  struct interfaces *before, struct str *error)
{
    struct opening o = {.m = m, .e = e, .patient = before == NULL, .error = STR_NULL};
    for (size_t i = 0; i < all->v.n; i++) {
        if (keep_open(&all->v.v[i], before) || open_one(&o, &all->v.v[i])) {
            listen_set_nodelay(all->v.v[i].fd, m->conf->main->tcp_nodelay);
            continue;
        }
        undo(all, before);
        *error = o.error;
        return false;
    }
    return true;
}

/* --- sockets that are there --- */

static bool
take_open(struct arena *a, int fd, struct interfaces *out)
{
    struct peer_address own;
    if (!listen_is(fd) || !peer_address_own(a, fd, &own))
        return false;
    struct interface one = {.fd = fd, .at = {.port = own.port, .scope = STR_EMPTY}};
    if (!ip_parse(own.text, &one.at.ip))
        return false;
    bool v6 = one.at.ip.n == 16, any = true;
    for (size_t i = 0; i < one.at.ip.n; i++)
        any = any && one.at.ip.b[i] == 0;
    one.at.family = v6 ? LISTEN_IPV6 : LISTEN_IPV4;
    if (any)
        one.at.ip.n = 0;
    vec_push(a, &out->v, one);
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

bool
daemon_start_inherit(struct arena *a, const struct master_setup *s, struct interfaces *out)
{
    *out = (struct interfaces){.v = {0}};
    if (s->waits) {
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, SERVICE_FD);
        return fd >= 0 && take_open(a, fd, out);
    }
    int n = s->mode->service.sockets;
    for (int i = 0; i < n; i++) {
        if (!take_open(a, SERVICE_FD + i, out))
            return false;
    }
    return n > 0;
}

/* --- what it is --- */

static struct str
queue_runs(struct arena *a, const struct cli *cli)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < cli->runners.n; i++) {
        const struct cli_runner *r = &cli->runners.v[i];
        buf_printf(&b, "%s", i > 0 ? ", " : "");
        if (r->words.n > 0)
            buf_adds(&b, r->words);
        else
            buf_addz(&b, "-q");
        if (str_is_set(r->name))
            buf_printf(&b, "G%.*s/", STR_ARG(r->name));
        num_add_interval(&b, r->every_s);
    }
    return b.n > 0 ? buf_str(&b) : STR_LIT("no queue runs");
}

static struct str
wait_text(struct arena *a, int64_t seconds)
{
    return seconds <= 0 ? STR_LIT("with no wait timeout")
                        : str_printf(a, "terminating after %lld seconds", (long long)seconds);
}

static struct str
what_it_does(struct arena *a, const struct master_setup *s)
{
    if (s->waits)
        return str_printf(a, "launched with listening socket, %.*s",
                          STR_ARG(wait_text(a, s->wait_s)));
    struct str runs = queue_runs(a, s->mode->cli);
    if (!s->listens)
        return str_printf(a, "%.*s, not listening for SMTP", STR_ARG(runs));
    return str_printf(a, "%.*s, listening for %.*s", STR_ARG(runs),
                      STR_ARG(interfaces_text(a, &s->interfaces)));
}

void
daemon_start_log(const struct master_setup *s)
{
    struct arena *a = arena_new();
    const struct conf_main *c = s->mode->conf->main;
    if (s->listens && c->tls_advertise_hosts.text.n > 0 && c->tls_certificate.text.n == 0)
        maillog_pair(
            s->engine,
            STR_LIT("Warning: No server certificate defined; will use a selfsigned one."),
            STR_LIT(" Suggested action: either install a certificate or change "
                    "tls_advertise_hosts option"));
    key_notice_log(s->engine);
    maillog(s->engine, MAILLOG_MAIN, STR_NULL, "%s %s daemon started: pid=%d, %.*s",
            s->mode->cli->program, VERSION_REMEX, (int)getpid(), STR_ARG(what_it_does(a, s)));
    arena_free(a);
}

void
daemon_start_log_wait(const struct master_setup *s)
{
    maillog(s->engine, MAILLOG_MAIN, STR_NULL,
            "%s %s daemon terminating, inetd wait timeout reached.", s->mode->cli->program,
            VERSION_REMEX);
}

struct str
daemon_start_state(const struct master_setup *s)
{
    struct arena *a = s->mode->arena;
    return str_printf(a, "daemon(%s): %.*s", VERSION_REMEX, STR_ARG(what_it_does(a, s)));
}
