/* Questions to the stub resolver; see dns_query.h. */
#include "sys/dns_query.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/ip.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum { ANSWER_MAX = 65535, NAME_MAX_BYTES = 255 };

static const int types[] = {
    [DNS_QUERY_A] = ns_t_a,
    [DNS_QUERY_AAAA] = ns_t_aaaa,
    [DNS_QUERY_TXT] = ns_t_txt,
};

/* The strings of a TXT record, each with its length in front. */
static struct str
txt_text(struct arena *a, const unsigned char *p, size_t n)
{
    struct buf b = buf_in(a, 0);
    while (n > 0) {
        size_t len = p[0];
        if (len > n - 1)
            break;
        buf_add(&b, (const char *)p + 1, len);
        p += len + 1;
        n -= len + 1;
    }
    return buf_str(&b);
}

static bool
record_text(struct arena *a, enum dns_query_type type, const ns_rr *rr, struct str *out)
{
    struct ip ip = {.n = type == DNS_QUERY_A ? 4 : 16};
    size_t n = ns_rr_rdlen(*rr);
    if (type == DNS_QUERY_TXT) {
        *out = str_tainted(txt_text(a, ns_rr_rdata(*rr), n));
        return true;
    }
    if (n != ip.n)
        return false;
    memcpy(ip.b, ns_rr_rdata(*rr), n);
    *out = str_tainted(ip_text(a, &ip));
    return true;
}

static enum dns_query_status
take_records(struct arena *a, enum dns_query_type type, const unsigned char *answer, int n,
             struct dns_query_answer *out)
{
    ns_msg m;
    ns_rr rr;
    struct str text;
    if (ns_initparse(answer, n, &m) != 0)
        return DNS_QUERY_AGAIN;
    int count = ns_msg_count(m, ns_s_an);
    for (int i = 0; i < count && out->records.n < DNS_QUERY_MAX; i++) {
        if (ns_parserr(&m, ns_s_an, i, &rr) != 0)
            return DNS_QUERY_AGAIN;
        if ((int)ns_rr_type(rr) == types[type] && record_text(a, type, &rr, &text))
            vec_push(a, &out->records, text);
    }
    return out->records.n > 0 ? DNS_QUERY_FOUND : DNS_QUERY_NONE;
}

enum dns_query_status
dns_query(struct arena *a, enum dns_query_type type, struct str name,
          struct dns_query_answer *out)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    memset(out, 0, sizeof *out);
    const char *z = str_cstr(a, name);
    if (z == NULL || name.n == 0 || name.n > NAME_MAX_BYTES)
        return DNS_QUERY_BAD;
    if (res_ninit(&state) != 0)
        return DNS_QUERY_AGAIN;
    unsigned char *answer = arena_alloc(a, ANSWER_MAX);
    int n = res_nquery(&state, z, ns_c_in, types[type], answer, ANSWER_MAX);
    int error = state.res_h_errno;
    res_nclose(&state);
    if (n > ANSWER_MAX)
        n = ANSWER_MAX;
    if (n >= 0)
        return take_records(a, type, answer, n, out);
    return error == HOST_NOT_FOUND || error == NO_DATA ? DNS_QUERY_NONE : DNS_QUERY_AGAIN;
}
