/* SPF, by libspf2: loaded by the inspect process alone, see sys/spf_plugin.h.
 *
 * The library asks the DNS through a layer of its own that calls back; it opens no socket and no file. What a check may ask for is bounded
 * here as well, since the library's own limits count mechanisms. Nothing of a check outlives it. Source: RFC 7208; spf_dns.h.
 */
#include "sys/spf_plugin.h"

#include "sys/plugin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTIONS_MAX =
        150,         /* of a check: ten mechanisms of ten hosts each, and what is around them */
    TEXT_MAX = 4000, /* bytes of a TXT record; a longer one of SPF counts as one with errors */
    RECORDS_MAX = 100, /* of an answer */
};

/* A check under way: what the layer's hook points to. */
struct checking {
    const struct spf_plugin_check *c;
    unsigned questions;
};

/* --- the DNS --- */

static const char version[] = "v=spf1";
static const char unreadable[] =
    "v=spf1 ="; /* stands for what is too long: a permanent error */

/* Other TXT records are none of the library's business. */
static bool
is_statement(const char *text)
{
    return strncasecmp(text, version, sizeof version - 1) == 0;
}

static struct str
shortened(struct str record, ns_type type)
{
    bool large = type == ns_t_txt && record.n > TEXT_MAX;
    return large && strncasecmp(record.p, version, sizeof version - 1) == 0
               ? str_from_cstr(unreadable)
               : record;
}

static bool
is_text(struct str record)
{
    return record.n > 0 && record.n <= TEXT_MAX && memchr(record.p, '\0', record.n) == NULL;
}

/* Takes exp= out. A domain's own text for who is refused is never read: the site's stands in the answer, and the library's reader of such texts has
 * overflowed. */
static void
drop_explanation(char *text)
{
    for (char *at = text; (at = strcasestr(at, " exp=")) != NULL;)
        for (at++; *at != '\0' && *at != ' '; at++)
            *at = ' ';
}

/* False: no memory. What cannot be a record of the type is passed over. */
static bool
add_record(SPF_dns_rr_t *rr, ns_type type, struct str record)
{
    struct in6_addr address; /* room for both kinds */
    const char *text = strndup(record.p, record.n);
    int family = type == ns_t_aaaa ? AF_INET6 : AF_INET;
    bool is_address = type == ns_t_a || type == ns_t_aaaa;
    size_t n = is_address ? (type == ns_t_a ? sizeof(struct in_addr) : sizeof address)
                          : (size_t)record.n + 1;
    bool good = text != NULL && is_text(record) &&
                (!is_address || inet_pton(family, text, &address) == 1) &&
                (type != ns_t_txt || is_statement(text));
    bool room = !good || SPF_dns_rr_buf_realloc(rr, rr->num_rr, n) == SPF_E_SUCCESS;
    if (good && room) {
        char *to = (char *)rr->rr[rr->num_rr++];
        memcpy(to, is_address ? (const char *)&address : text, n);
        if (type == ns_t_txt) {
            memcpy(to, version, sizeof version - 1); /* the library knows small letters only */
            drop_explanation(to);
        }
    }
    free((char *)(uintptr_t)text);
    return room;
}

static SPF_dns_rr_t *
look_up(SPF_dns_server_t *server, const char *domain, ns_type type, int cached)
{
    struct checking *k = server->hook;
    struct spf_plugin_records records = {.n = 0};
    SPF_dns_rr_t *rr = SPF_dns_rr_new_init(server, domain, type, 0, NO_DATA);
    (void)cached;
    if (rr == NULL || type == ns_t_spf) /* obsolete: RFC 7208, section 3.1 */
        return rr;
    rr->herrno = TRY_AGAIN;
    if (++k->questions > QUESTIONS_MAX)
        return rr;
    switch (k->c->ask(k->c->ctx, type, domain, &records)) {
    case SPF_DNS_FOUND:
        rr->herrno = NETDB_SUCCESS;
        for (size_t i = 0; i < records.n && i < RECORDS_MAX; i++)
            if (!add_record(rr, type, shortened(records.v[i], type)))
                break;
        if (rr->num_rr == 0)
            rr->herrno = NO_DATA;
        break;
    case SPF_DNS_NONE:
        rr->herrno = HOST_NOT_FOUND;
        break;
    case SPF_DNS_FAILED:
        break;
    }
    return rr;
}

/* --- results --- */

static enum spf_result
result_of(SPF_result_t r)
{
    switch (r) {
    case SPF_RESULT_NEUTRAL:
        return SPF_NEUTRAL;
    case SPF_RESULT_PASS:
        return SPF_PASS;
    case SPF_RESULT_FAIL:
        return SPF_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return SPF_SOFTFAIL;
    case SPF_RESULT_NONE:
        return SPF_NONE;
    case SPF_RESULT_TEMPERROR:
        return SPF_TEMPERROR;
    case SPF_RESULT_PERMERROR:
        return SPF_PERMERROR;
    case SPF_RESULT_INVALID:
        break;
    }
    return SPF_INVALID;
}

/* One line; what is too long is cut. */
static void
copy(char out[SPF_PLUGIN_TEXT], const char *in)
{
    size_t n = 0;
    for (; in != NULL && in[n] != '\0' && n + 1 < SPF_PLUGIN_TEXT; n++)
        out[n] = (unsigned char)in[n] < ' ' || in[n] == 0x7f ? ' ' : in[n];
    out[n] = '\0';
}

/* Where the library gives up without a result (the DNS does not know the domain's record now, or the record has errors) there is one: RFC 7208,
 * sections 2.6.6 and 2.6.7. */
static void
complete(SPF_response_t *r, SPF_errcode_t e)
{
    bool passing = e == SPF_E_DNS_ERROR || e == SPF_E_NO_MEMORY || e == SPF_E_INTERNAL_ERROR;
    if (SPF_response_result(r) == SPF_RESULT_INVALID && e != SPF_E_SUCCESS &&
        e != SPF_E_NOT_CONFIG)
        (void)SPF_i_done(r, passing ? SPF_RESULT_TEMPERROR : SPF_RESULT_PERMERROR,
                         SPF_REASON_FAILURE, e);
}

static void
take_response(SPF_response_t *r, SPF_errcode_t e, struct spf_plugin_answer *out)
{
    complete(r, e);
    out->result = result_of(SPF_response_result(r));
    copy(out->received, SPF_response_get_received_spf(r));
    copy(out->comment, SPF_response_get_header_comment(r));
    copy(out->smtp_text, SPF_response_get_smtp_comment(r));
}

/* --- a check --- */

static bool
set_client(SPF_request_t *rq, const char *ip)
{
    return strchr(ip, ':') != NULL ? SPF_request_set_ipv6_str(rq, ip) == SPF_E_SUCCESS
                                   : SPF_request_set_ipv4_str(rq, ip) == SPF_E_SUCCESS;
}

static void
set_texts(SPF_server_t *server, const struct spf_plugin_check *c)
{
    SPF_response_t *errors = NULL;
    SPF_server_set_rec_dom(server, c->receiver);
    if (c->explanation[0] != '\0')
        (void)SPF_server_set_explanation(server, c->explanation, &errors);
    if (errors != NULL)
        SPF_response_free(errors);
}

static void
ask_library(SPF_request_t *rq, const struct spf_plugin_check *c, struct spf_plugin_answer *out)
{
    SPF_response_t *r = NULL;
    if (!set_client(rq, c->ip) ||
        (c->helo[0] != '\0' && SPF_request_set_helo_dom(rq, c->helo) != SPF_E_SUCCESS))
        return;
    /* an empty sender stands for postmaster of the HELO name */
    if (c->sender[0] != '\0' && SPF_request_set_env_from(rq, c->sender) != 0)
        return;
    SPF_errcode_t e = SPF_request_query_mailfrom(rq, &r);
    if (r != NULL && c->guess[0] != '\0' && SPF_response_result(r) == SPF_RESULT_NONE) {
        SPF_response_free(r);
        r = NULL;
        e = SPF_request_query_fallback(rq, &r, c->guess);
        out->guessed = r != NULL;
    }
    if (r == NULL)
        return;
    take_response(r, e, out);
    SPF_response_free(r);
}

static void
check(const struct spf_plugin_check *c, struct spf_plugin_answer *out)
{
    struct checking k = {.c = c};
    SPF_dns_server_t dns = {.lookup = look_up, .name = "remex", .hook = &k};
    SPF_server_t *server = SPF_server_new_dns(&dns, 0);
    SPF_request_t *rq = server != NULL ? SPF_request_new(server) : NULL;
    memset(out, 0, sizeof *out);
    if (rq != NULL) {
        set_texts(server, c);
        ask_library(rq, c, out);
        SPF_request_free(rq);
    }
    if (server != NULL)
        SPF_server_free(server);
}

static const struct spf_plugin spf = {.check = check};

static const void *const objects[] = {&spf};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "spf",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
