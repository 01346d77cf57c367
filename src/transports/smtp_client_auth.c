/* Authentication to a server; see smtp_client_auth.h. Source: specification, section "Authentication by an Exim client". */
#include "transports/smtp_client_auth.h"

#include "auths/auth_talk.h"
#include "base/arena.h"
#include "base/base64.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "mail/why_errno.h"
#include "sys/digest.h"

enum { MS = 1000, MASKED_MAX = 1024 };

struct attempt {
    struct smtp_client *c;
    const struct transport_job *job;
    struct str command;    /* "AUTH LOGIN" */
    struct str shown;      /* the last line, with asterisks in place of what may be a secret */
    enum reply_end broken; /* how the connection ended */
};

/* --- what authenticators call --- */

static enum auth_end
exchange(struct auth_talk *t, struct str line)
{
    struct attempt *a = t->ctx;
    struct smtp_client *c = a->c;
    int64_t wait_ms = c->opt->command_timeout * MS;
    if (!str_is_set(smtp_client_put(c, t->arena, "%.*s", STR_ARG(line))))
        return AUTH_DEFER;
    (void)smtp_client_flush(c, wait_ms);
    c->broken = false; /* what the server said before it went may still be read */
    enum reply_end got = smtp_client_reply(c, t->arena, wait_ms);
    t->reply = &c->reply;
    if (got != REPLY_READ) {
        a->broken = got;
        return AUTH_BROKEN;
    }
    switch (c->reply.code / 100) {
    case 2:
    case 3:
        return AUTH_OK;
    case 5:
        return AUTH_REFUSED;
    default:
        return AUTH_FAIL;
    }
}

static struct str
masked(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    for (uint32_t i = 0; i < text.n && i < MASKED_MAX; i++)
        buf_addc(&b, '*');
    return b.n > 0 ? buf_str(&b) : STR_EMPTY;
}

static enum auth_end
start(struct auth_talk *t, struct str data)
{
    struct attempt *a = t->ctx;
    a->shown = a->command;
    if (!str_is_set(data))
        return exchange(t, a->command);
    struct str text = data.n == 0 ? STR_LIT("=") : base64_encode(t->arena, data);
    a->shown =
        str_printf(t->arena, "%.*s %.*s", STR_ARG(a->command), STR_ARG(masked(t->arena, text)));
    return exchange(t, str_printf(t->arena, "%.*s %.*s", STR_ARG(a->command), STR_ARG(text)));
}

static enum auth_end
send_data(struct auth_talk *t, struct str data)
{
    struct attempt *a = t->ctx;
    struct str text = base64_encode(t->arena, data);
    a->shown = masked(t->arena, text);
    return exchange(t, text);
}

static void
cancel(struct auth_talk *t)
{
    (void)exchange(t, STR_LIT("*"));
}

static bool
binding(void *ctx, enum auth_binding kind, struct arena *arena, struct str *out)
{
    struct attempt *a = ctx;
    return a->c->secure != NULL &&
           tls_binding(a->c->tls, a->c->secure,
                       kind == AUTH_BINDING_UNIQUE ? TLS_BINDING_UNIQUE : TLS_BINDING_EXPORTER,
                       arena, out);
}

/* --- one authenticator --- */

static bool
is_offered(struct str mechanisms, struct str name)
{
    for (size_t at = 0; at < mechanisms.n;) {
        size_t end = at;
        while (end < mechanisms.n && !ascii_space(mechanisms.p[end]))
            end++;
        if (str_ieq(str_sub(mechanisms, at, end - at), name))
            return true;
        at = end + 1;
    }
    return false;
}

static void
log_line(const struct transport_job *job, bool panic, struct str text)
{
    if (job->eval->log != NULL)
        job->eval->log(job->eval->log_ctx, panic, text);
}

/* client_condition. The manual's own example, "${if !eq{$tls_out_cipher}{}}", comes to nothing where it is false. */
static bool
is_wanted(const struct transport_job *job, const struct driver_instance *d)
{
    const struct auth_generic *g = d->generic.fields;
    struct str value;
    if (!str_is_set(g->client_condition.text))
        return true;
    enum vm_status st = vm_expand_x(job->vm, &g->client_condition, &value);
    if (st != VM_OK && st != VM_FORCED)
        log_line(job, true,
                 str_printf(job->arena,
                            "failed to expand condition \"%.*s\" for %.*s client "
                            "authenticator: %.*s",
                            STR_ARG(g->client_condition.text), STR_ARG(d->name),
                            STR_ARG(vm_error(job->vm))));
    return st == VM_OK && value.n > 0 && !str_eqz(value, "0") && !str_ieqz(value, "no") &&
           !str_ieqz(value, "false");
}

/* auth:fail, whose action may word the log line. */
static void
tell_failure(struct attempt *a, struct auth_talk *t, const char *how, struct str text)
{
    const struct transport_job *job = a->job;
    struct session *s = job->session;
    struct str before = s->sender_host_authenticated;
    s->sender_host_authenticated = t->d->name;
    struct str own = smtp_client_event(job, &(struct event){.name = "auth:fail", .data = text});
    s->sender_host_authenticated = before;
    if (!str_is_set(own))
        own = str_printf(job->arena, "%.*s authenticator %s H=%.*s [%.*s] %.*s",
                         STR_ARG(t->d->name), how, STR_ARG(a->c->host.name),
                         STR_ARG(a->c->host.address), STR_ARG(text));
    log_line(job, false, own);
}

static void
succeed(struct attempt *a, struct auth_talk *t)
{
    const struct auth_generic *g = t->d->generic.fields;
    struct smtp_client *c = a->c;
    struct str id;
    c->authenticated = true;
    c->auth_name = t->d->name;
    if (str_is_set(g->client_set_id.text) &&
        auth_talk_expand(t, &g->client_set_id, &id) == AUTH_OK && id.n > 0)
        c->auth_id = str_dup(c->arena, id);
}

/* What the attempt means for the connection. True: it goes on. */
static bool
judge(struct attempt *a, struct auth_talk *t, enum auth_end result, struct smtp_end *end)
{
    struct smtp_client *c = a->c;
    const struct transport_job *job = a->job;
    switch ((int)result) {
    case AUTH_OK:
        succeed(a, t);
        return true;
    case AUTH_SKIP:
        return true;
    case AUTH_REFUSED:
        tell_failure(a, t, "failed", c->reply.text);
        return true;
    case AUTH_CANCELLED:
        tell_failure(a, t, "cancelled authentication", t->log);
        return true;
    case AUTH_DEFER:
        end->fate = SMTP_HOST_DEFER;
        end->why = (struct why){.outcome = OUT_DEFER,
                                .sys_errno = WHY_AUTH_PROBLEM,
                                .log = str_dup(job->arena, t->log)};
        end->quiet = true;
        return false;
    default:
        end->fate = SMTP_HOST_DEFER;
        end->why = smtp_client_why(
            c, job->arena, result == AUTH_BROKEN ? a->broken : REPLY_READ, a->shown, 0, 0);
        end->why.outcome = OUT_DEFER;
        return false;
    }
}

static struct auth_talk
talk_of(const struct transport_job *job, const struct driver_instance *d)
{
    struct auth_talk t = {
        .arena = job->arena,
        .eval = job->eval,
        .vm = job->vm,
        .session = job->session,
        .d = d,
        .text = STR_EMPTY,
        .log = STR_EMPTY,
        .initial = STR_NULL,
    };
    auth_talk_clear(&t);
    return t;
}

static bool
try_one(struct smtp_client *c, const struct transport_job *job, const struct driver_instance *d,
        struct smtp_end *end)
{
    const struct auth_generic *g = d->generic.fields;
    struct attempt a = {.c = c, .job = job, .shown = STR_EMPTY};
    a.command =
        str_printf(job->arena, "AUTH %.*s", STR_ARG(str_upper(job->arena, g->public_name)));
    struct auth_talk t = talk_of(job, d);
    t.binding = binding;
    t.ctx = &a;
    t.start = start;
    t.send = send_data;
    t.cancel = cancel;
    t.reply = &c->reply;
    return judge(&a, &t, auth_driver_of(d)->client(&t), end);
}

/* --- all of them --- */

static bool
is_asked_for(const struct smtp_client *c, const struct transport_job *job)
{
    const struct transport_smtp *o = c->opt;
    return smtp_client_in_list(job, &c->host, &o->hosts_require_auth, "hosts_require_auth") ||
           smtp_client_in_list(job, &c->host, &o->hosts_try_auth, "hosts_try_auth");
}

bool
smtp_client_auth(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    const struct conf *conf = job->eval->conf;
    if (!c->esmtp || !c->peer.auth || !is_asked_for(c, job))
        return true;
    if (!smtp_client_settle(c, job, end))
        return false;
    struct str offered = str_dup(c->arena, c->peer.auth_mechanisms);
    c->auth_tried = true;
    for (size_t i = 0; i < conf->auths.n && !c->authenticated; i++) {
        const struct driver_instance *d = conf->auths.v[i];
        const struct auth_generic *g = d->generic.fields;
        if (auth_driver_of(d)->client == NULL || !auth_is_client(d) ||
            !is_offered(offered, g->public_name) || !is_wanted(job, d))
            continue;
        c->auth_common = true;
        if (!try_one(c, job, d, end))
            return false;
    }
    return true;
}

/* --- one that is over --- */

static bool
add_item(struct digest_stream *s, struct str text)
{
    uint32_t n = text.n;
    digest_add(s, (const char *)&n, sizeof n);
    digest_add(s, text.p, text.n);
    return true;
}

/* An option of the client's side. */
static bool
add_option(struct digest_stream *s, struct auth_talk *t, const struct opt *o,
           const void *fields)
{
    struct str text;
    const struct xstr *x =
        (const struct xstr *)(const void *)((const char *)fields + o->offset);
    if (o->type != OPT_T_XSTR || !str_starts(o->name, "client_") || !str_is_set(x->text))
        return true;
    return auth_talk_expand(t, x, &text) == AUTH_OK && add_item(s, o->name) &&
           add_item(s, text);
}

static bool
add_options(struct digest_stream *s, struct auth_talk *t, const struct opt_set *set)
{
    for (size_t i = 0; i < set->table->n; i++)
        if (!add_option(s, t, &set->table->rows[i], set->fields))
            return false;
    return true;
}

static struct str
self_of(const struct transport_job *job, const struct driver_instance *d)
{
    unsigned char sum[DIGEST_MAX];
    char text[2 * DIGEST_MAX];
    struct auth_talk t = talk_of(job, d);
    struct digest_stream *s = digest_start(job->arena, digest_find(STR_LIT("sha256")));
    if (!add_item(s, d->name) || !add_options(s, &t, &d->generic) ||
        !add_options(s, &t, &d->own))
        return STR_NULL;
    size_t n = digest_end(s, sum);
    digest_hex(sum, n, DIGEST_LOWER, text);
    return str_dup(job->arena, str_from(text, 2 * n));
}

void
smtp_client_auth_note(struct smtp_client *c, const struct transport_job *job)
{
    c->auth_self = STR_NULL;
    if (!c->authenticated)
        return;
    struct str self = self_of(job, conf_auth(job->eval->conf, c->auth_name));
    if (str_is_set(self))
        c->auth_self = str_dup(c->arena, self);
}

bool
smtp_client_auth_suits(const struct smtp_client *c, const struct transport_job *job,
                       struct str authenticator, struct str self)
{
    const struct driver_instance *d = conf_auth(job->eval->conf, authenticator);
    return d != NULL && auth_driver_of(d)->client != NULL && auth_is_client(d) &&
           is_asked_for(c, job) && is_wanted(job, d) && str_eq(self_of(job, d), self);
}
