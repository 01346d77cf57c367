/* The stub resolver; see dns.h. The state that the C library wants lives on the stack of one question, so threads share nothing but the
 * cache. */
#include "sys/dns.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/dns_cache.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUESTION_MAX = 512,
    EDNS_BYTES = 11,
    EDNS_SIZE = 1232, /* of a datagram that is not cut into fragments anywhere */
    EDNS_TYPE = 41,
    EDNS_SECURE = 0x80, /* DO, in the first byte of the flags */
    AT_ADDITIONAL = 11, /* low byte of ARCOUNT in the header */
    SEARCH_MAX = 8,     /* more than the C library reads */
};

struct dns {
    struct dns_cache *cache;
    struct sockaddr_in server;
    bool own_server;
};

/* One question as it goes on. */
struct asking {
    struct dns *d;
    struct arena *arena;
    struct arena *wire; /* bytes of messages, which nobody needs afterwards */
    const struct dns_question *q;
    struct dns_reply *out;
    struct __res_state state;
    bool ready; /* state is */
    int64_t now_s;
};

struct dns *
dns_new(const struct sockaddr_in *server)
{
    struct dns *d = calloc(1, sizeof *d);
    if (d == NULL || (d->cache = dns_cache_new()) == NULL) {
        free(d);
        return NULL;
    }
    d->own_server = server != NULL;
    if (server != NULL)
        d->server = *server;
    return d;
}

void
dns_free(struct dns *d)
{
    if (d == NULL)
        return;
    dns_cache_free(d->cache);
    free(d);
}

static int64_t
seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* --- one exchange --- */

static int
clip(int64_t n, int most)
{
    return n > most ? most : (int)n;
}

static bool
prepare(struct asking *k)
{
    if (k->ready)
        return true;
    if (res_ninit(&k->state) != 0)
        return false;
    k->ready = true;
    if (k->q->retrans_s > 0)
        k->state.retrans = clip(k->q->retrans_s, DNS_RETRANS_MAX_S);
    if (k->q->retry > 0)
        k->state.retry = clip(k->q->retry, DNS_RETRY_MAX);
    if (k->d != NULL && k->d->own_server) {
        k->state.nscount = 1;
        k->state.nsaddr_list[0] = k->d->server;
    }
    return true;
}

static bool
uses_edns(const struct asking *k)
{
    unsigned f = k->q->flags;
    return (f & DNS_NO_EDNS) == 0 &&
           ((f & (DNS_SECURE | DNS_USE_EDNS)) != 0 ||
            (k->state.options & (RES_USE_EDNS0 | RES_USE_DNSSEC)) != 0);
}

/* The OPT record (RFC 6891, section 6.1.2). */
static int
add_edns(const struct asking *k, unsigned char *question, int n)
{
    bool secure = (k->q->flags & DNS_SECURE) != 0 || (k->state.options & RES_USE_DNSSEC) != 0;
    unsigned char opt[EDNS_BYTES] = {
        0, 0, EDNS_TYPE, EDNS_SIZE >> 8, EDNS_SIZE & 0xff, 0, 0, secure ? EDNS_SECURE : 0};
    if (n > QUESTION_MAX - EDNS_BYTES)
        return n;
    memcpy(question + n, opt, sizeof opt);
    question[AT_ADDITIONAL] = 1;
    return n + EDNS_BYTES;
}

/* The bytes of a question; 0: the name cannot be asked for. */
static int
make_question(struct asking *k, const char *name, unsigned char question[QUESTION_MAX])
{
    int n = res_nmkquery(&k->state, ns_o_query, name, ns_c_in, (int)k->q->type, NULL, 0, NULL,
                         question, QUESTION_MAX);
    return n < 0 ? 0 : n;
}

/* Bytes of the answer; empty: there is none. */
static struct str
exchange(struct asking *k, const unsigned char *question, int n)
{
    unsigned char *answer = arena_alloc(k->wire, DNS_MESSAGE_MAX);
    unsigned long options = k->state.options;
    k->state.options &= ~(unsigned long)(RES_USE_EDNS0 | RES_USE_DNSSEC); /* we see to it */
    n = res_nsend(&k->state, question, n, answer, DNS_MESSAGE_MAX);
    k->state.options = options;
    return str_from((const char *)answer, n > 0 ? (size_t)clip(n, DNS_MESSAGE_MAX) : 0);
}

static enum dns_status
status_of(const struct dns_answer *m)
{
    switch (m->rcode) {
    case DNS_RCODE_OK:
        return m->answers.n > 0 ? DNS_FOUND : DNS_NO_DATA;
    case DNS_RCODE_NO_NAME:
        return DNS_NO_NAME;
    case DNS_RCODE_SERVER:
        return DNS_AGAIN;
    default:
        return DNS_FAILED;
    }
}

/* How long an answer is good; 0: not at all. */
static int64_t
ttl_of(enum dns_status st, const struct dns_answer *m)
{
    int64_t ttl = DNS_TTL_MAX_S;
    if (st == DNS_FOUND) {
        for (size_t i = 0; i < m->answers.n; i++)
            if (m->answers.v[i].ttl_s < ttl)
                ttl = m->answers.v[i].ttl_s;
        return ttl;
    }
    for (size_t i = 0; i < m->authority.n; i++) {
        const struct dns_record *r = &m->authority.v[i];
        if (r->type != DNS_SOA)
            continue;
        ttl = r->ttl_s < r->number[4] ? r->ttl_s : r->number[4];
        return ttl > DNS_NEGATIVE_TTL_MAX_S ? DNS_NEGATIVE_TTL_MAX_S : ttl;
    }
    return 0;
}

static enum dns_status
read_answer(struct asking *k, struct str wire)
{
    if (wire.n == 0 || !dns_answer_read(k->arena, wire, &k->out->answer)) {
        memset(&k->out->answer, 0, sizeof k->out->answer);
        return DNS_AGAIN;
    }
    return status_of(&k->out->answer);
}

static enum dns_status
send_question(struct asking *k, const char *name, struct str key)
{
    unsigned char question[QUESTION_MAX];
    bool edns = uses_edns(k);
    int n = make_question(k, name, question);
    if (n == 0)
        return DNS_NO_NAME;
    struct str wire = exchange(k, question, edns ? add_edns(k, question, n) : n);
    enum dns_status st = read_answer(k, wire);
    if (edns && k->out->answer.rcode == DNS_RCODE_FORMAT) { /* an old server */
        wire = exchange(k, question, make_question(k, name, question));
        st = read_answer(k, wire);
    }
    bool failure = st == DNS_AGAIN || st == DNS_FAILED;
    k->out->ttl_s = failure ? DNS_FAILURE_TTL_S : ttl_of(st, &k->out->answer);
    int64_t now = seconds_now();
    if (k->d != NULL)
        dns_cache_keep(k->d->cache, key, wire, now, now + k->out->ttl_s);
    return st;
}

/* --- names --- */

static struct str
key_of(const struct asking *k, struct str name)
{
    const struct dns_question *q = k->q;
    unsigned flags = q->flags & (DNS_SECURE | DNS_NO_EDNS | DNS_USE_EDNS);
    return str_printf(k->wire, "%u %u %.*s", (unsigned)q->type, flags,
                      STR_ARG(str_lower(k->wire, name)));
}

/* One name as it is. */
static enum dns_status
ask_name(struct asking *k, struct str name)
{
    int64_t until;
    struct str wire, key = key_of(k, name);
    const char *z = str_cstr(k->wire, name);
    k->out->name = name;
    if (k->d != NULL && dns_cache_find(k->d->cache, k->wire, key, k->now_s, &wire, &until)) {
        k->out->ttl_s = until - k->now_s;
        return read_answer(k, wire);
    }
    if (z == NULL)
        return DNS_NO_NAME;
    return prepare(k) ? send_question(k, z, key) : DNS_AGAIN;
}

/* The domains of the search list that apply. */
static size_t
completions(const struct asking *k, bool dotted, struct str out[SEARCH_MAX])
{
    size_t n = 0;
    unsigned wanted = dotted ? DNS_SEARCH_PARENTS : DNS_QUALIFY_SINGLE;
    size_t most = (k->q->flags & DNS_SEARCH_PARENTS) != 0 ? SEARCH_MAX : 1;
    if ((k->q->flags & wanted) == 0)
        return 0;
    while (n < most && k->state.dnsrch[n] != NULL) {
        out[n] = str_from_cstr(k->state.dnsrch[n]);
        n++;
    }
    return n;
}

static bool
ends_search(enum dns_status st)
{
    return st == DNS_FOUND || st == DNS_AGAIN || st == DNS_FAILED;
}

/* In the order of the C library: as it is first when it has dots enough, else at the end. */
static enum dns_status
search(struct asking *k, size_t dots)
{
    struct str domains[SEARCH_MAX];
    struct str name = k->q->name;
    bool first = dots >= k->state.ndots, no_data = false;
    enum dns_status st = first ? ask_name(k, name) : DNS_NO_NAME;
    if (first && ends_search(st))
        return st;
    struct dns_reply as_is = *k->out;
    enum dns_status before = st;
    size_t n = completions(k, dots > 0, domains);
    for (size_t i = 0; i < n; i++) {
        st = ask_name(k, str_tainted(str_printf(k->arena, "%.*s.%.*s", STR_ARG(name),
                                                STR_ARG(domains[i]))));
        if (ends_search(st))
            return st;
        no_data = no_data || st == DNS_NO_DATA;
    }
    if (!first)
        before = ask_name(k, name);
    else
        *k->out = as_is;
    return before == DNS_NO_NAME && no_data ? DNS_NO_DATA : before;
}

static size_t
count_dots(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '.';
    return n;
}

enum dns_status
dns_ask(struct dns *d, struct arena *a, const struct dns_question *q, struct dns_reply *out)
{
    struct asking k = {.d = d, .arena = a, .q = q, .out = out, .now_s = seconds_now()};
    enum dns_status st = DNS_NO_NAME;
    memset(out, 0, sizeof *out);
    out->name = q->name;
    if (q->name.n == 0 || q->name.n >= 4 * (size_t)DNS_NAME_MAX)
        return st;
    k.wire = arena_new_sized(DNS_MESSAGE_MAX + QUESTION_MAX);
    size_t dots = count_dots(q->name);
    bool completed = (q->flags & (dots > 0 ? (unsigned)DNS_SEARCH_PARENTS
                                           : (unsigned)DNS_QUALIFY_SINGLE)) != 0;
    if (!completed || q->name.p[q->name.n - 1] == '.')
        st = ask_name(&k, q->name);
    else
        st = prepare(&k) ? search(&k, dots) : DNS_AGAIN;
    if (k.ready)
        res_nclose(&k.state);
    arena_free(k.wire);
    return st;
}
