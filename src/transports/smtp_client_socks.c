/* Connections through proxies; see smtp_client_socks.h. */
#include "transports/smtp_client_socks.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "sys/await.h"
#include "sys/entropy.h"
#include "sys/socks.h"

#include <unistd.h>

enum { MS = 1000, PROXIES_MAX = 32, NUMBER_MAX = 1000000, DEFAULT_PORT = 1080, DEFAULT_S = 5 };

struct proxy {
    struct ip ip;
    struct str address;
    struct str auth, name, pass;
    int64_t port, timeout_s, priority, weight;
};

struct proxies {
    struct arena *arena;
    struct proxy v[PROXIES_MAX]; /* those that are still to be tried */
    size_t n;
    struct str fault; /* of the last one that was tried, or of the list */
};

/* --- the list --- */

static const struct {
    const char *name;
    size_t offset;
    int64_t high; /* 0: a text */
} options[] = {
    {"auth", offsetof(struct proxy, auth), 0},
    {"name", offsetof(struct proxy, name), 0},
    {"pass", offsetof(struct proxy, pass), 0},
    {"port", offsetof(struct proxy, port), 65535},
    {"tmo", offsetof(struct proxy, timeout_s), NUMBER_MAX},
    {"pri", offsetof(struct proxy, priority), NUMBER_MAX},
    {"weight", offsetof(struct proxy, weight), NUMBER_MAX},
};

static bool
bad(struct proxies *p, const char *what, struct str text)
{
    p->fault = str_printf(p->arena, "%s \"%.*s\" in socks_proxy", what, STR_ARG(text));
    return false;
}

static bool
read_option(struct proxies *p, struct proxy *x, struct str text)
{
    size_t at = str_chr(text, '=', 0);
    struct str name = str_sub(text, 0, at == STR_NPOS ? text.n : at);
    struct str value = at == STR_NPOS ? STR_EMPTY : str_sub(text, at + 1, text.n);
    uint64_t number;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char *field = (char *)x + options[i].offset;
        if (!str_eqz(name, options[i].name))
            continue;
        if (options[i].high == 0) {
            *(struct str *)(void *)field = value;
            return true;
        }
        if (!num_parse_digits(value, &number) || number > (uint64_t)options[i].high)
            return bad(p, "bad number", text);
        *(int64_t *)(void *)field = (int64_t)number;
        return true;
    }
    return bad(p, "unknown option", name); /* a value may be secret */
}

static bool
check(struct proxies *p, const struct proxy *x)
{
    if (!str_eqz(x->auth, "none") && !str_eqz(x->auth, "name"))
        return bad(p, "unknown kind of authentication", x->auth);
    if (x->name.n > SOCKS_WORD_MAX || x->pass.n > SOCKS_WORD_MAX)
        return bad(p, "name or password too long for", x->address);
    return x->port > 0 || bad(p, "no port for", x->address);
}

static bool
read_proxy(struct proxies *p, struct str text)
{
    struct strlist_split s = strlist_split_start(text, ' ');
    struct str item;
    if (p->n == PROXIES_MAX)
        return bad(p, "too many proxies before", text);
    struct proxy *x = &p->v[p->n];
    *x = (struct proxy){.auth = STR_LIT("none"),
                        .name = STR_EMPTY,
                        .pass = STR_EMPTY,
                        .port = DEFAULT_PORT,
                        .timeout_s = DEFAULT_S,
                        .priority = 1,
                        .weight = 1};
    if (!strlist_split_next(&s, p->arena, &x->address) || !ip_parse(x->address, &x->ip))
        return bad(p, "no IP address", x->address);
    while (strlist_split_next(&s, p->arena, &item))
        if (item.n > 0 && !read_option(p, x, item))
            return false;
    p->n++;
    return check(p, x);
}

/* False: p->fault. With no proxies and true: none are to be used. */
static bool
read_all(struct proxies *p, struct smtp_client *c, const struct transport_job *job)
{
    struct str text, item;
    p->n = 0;
    if (!str_is_set(c->opt->socks_proxy.text))
        return true;
    enum vm_status st = vm_expand_x(job->vm, &c->opt->socks_proxy, &text);
    if (st == VM_FORCED)
        return true;
    if (st != VM_OK) {
        p->fault = str_printf(p->arena, "failed to expand socks_proxy: %.*s",
                              STR_ARG(vm_error(job->vm)));
        return false;
    }
    struct strlist_split s = strlist_split_start(str_dup(p->arena, str_trim(text)), ':');
    while (strlist_split_next(&s, p->arena, &item))
        if (item.n > 0 && !read_proxy(p, item))
            return false;
    return true;
}

/* --- which of them --- */

/* Takes one out: of the highest priority, and among those by chance, the more likely the greater the weight. */
static struct proxy
choose(struct proxies *p)
{
    int64_t highest = -1;
    uint64_t all = 0, sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].priority > highest)
            highest = p->v[i].priority;
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].priority == highest)
            all += (uint64_t)p->v[i].weight;
    uint64_t chance = entropy_below(all);
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].priority != highest)
            continue;
        at = i;
        sum += (uint64_t)p->v[i].weight;
        if (chance < sum)
            break;
    }
    struct proxy x = p->v[at];
    p->v[at] = p->v[--p->n];
    return x;
}

/* --- one of them --- */

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* False: p->fault, and *number when the host is to blame, or time was up. */
static bool
try_one(struct proxies *p, const struct proxy *x, const struct connect_request *rq,
        int64_t deadline_ms, struct connected *out, struct socks_answer *answer)
{
    struct connect_request to = *rq;
    int64_t own_ms = await_now_ms() + x->timeout_s * MS;
    struct socks_request ask = {
        .to = rq->to,
        .port = rq->port,
        .by_name = str_eqz(x->auth, "name"),
        .name = x->name,
        .pass = x->pass,
        .deadline_ms = deadline_ms > 0 ? least(own_ms, deadline_ms) : own_ms,
    };
    to.to = x->ip;
    to.port = x->port;
    to.fast_open = false;
    to.timeout_ms = ask.deadline_ms - await_now_ms();
    if (to.from.n != to.to.n)
        to.from.n = 0;
    *answer = (struct socks_answer){.end = SOCKS_TIMED_OUT};
    if (to.timeout_ms > 0 && connect_tcp(&to, out)) {
        if (socks_connect(out->fd, &ask, answer))
            return true;
        close(out->fd);
    }
    p->fault = str_printf(
        p->arena, "SOCKS proxy [%.*s]:%lld: %s", STR_ARG(x->address), (long long)x->port,
        out->fd < 0 && to.timeout_ms > 0 ? "cannot be connected to" : socks_words(answer));
    out->fd = -1;
    return false;
}

static void
note(struct smtp_client *c, const struct proxy *x, const struct socks_answer *a)
{
    c->proxy_address = str_dup(c->arena, x->address);
    c->proxy_port = x->port;
    c->proxy_bound = a->bound.n > 0 ? ip_text(c->arena, &a->bound) : STR_EMPTY;
    c->proxy_bound_port = a->bound_port;
}

enum smtp_socks
smtp_client_socks(struct smtp_client *c, const struct transport_job *job,
                  const struct connect_request *rq, struct connected *out, struct smtp_end *end)
{
    struct proxies *p = ARENA_NEW(job->arena, struct proxies);
    struct why why = {.outcome = OUT_DEFER, .sys_errno = WHY_UNKNOWN};
    int64_t deadline = rq->timeout_ms > 0 ? await_now_ms() + rq->timeout_ms : 0;
    p->arena = job->arena;
    *out = (struct connected){.fd = -1};
    if (!read_all(p, c, job)) {
        why.log = p->fault;
        (void)smtp_client_say(end, SMTP_SETUP_DEFER, why);
        return SMTP_SOCKS_FAILED;
    }
    if (p->n == 0)
        return SMTP_SOCKS_NONE;
    while (p->n > 0) {
        struct socks_answer answer;
        struct proxy x = choose(p);
        if (try_one(p, &x, rq, deadline, out, &answer)) {
            note(c, &x, &answer);
            return SMTP_SOCKS_CONNECTED;
        }
        why.sys_errno = socks_errno(&answer);
        if (why.sys_errno != 0)
            break; /* another proxy would find the host as it is, too */
    }
    why.log = p->fault;
    if (why.sys_errno == 0)
        why.sys_errno = WHY_UNKNOWN;
    (void)smtp_client_say(end, SMTP_HOST_DEFER, why);
    return SMTP_SOCKS_FAILED;
}

void
smtp_client_socks_show(const struct smtp_client *c, const struct transport_job *job)
{
    struct session *s = job->session;
    bool through = str_is_set(c->proxy_address);
    if (s->proxy ? !s->proxy_out : !through)
        return;
    s->proxy = s->proxy_out = through;
    s->proxy_local = through ? str_dup(s->arena, c->proxy_address) : STR_NULL;
    s->proxy_external = through ? str_dup(s->arena, c->proxy_bound) : STR_NULL;
    s->proxy_local_port = through ? c->proxy_port : 0;
    s->proxy_external_port = through ? c->proxy_bound_port : 0;
}
