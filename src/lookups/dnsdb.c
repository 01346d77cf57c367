/* dnsdb: records of the DNS. Source: specification, sections "More about dnsdb" to "Multiple dnsdb lookups". */
#include "base/buf.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/csa_find.h"
#include "conf/host_find.h"
#include "lookups/drivers.h"

enum failure_rule { FAILURE_LAX, FAILURE_STRICT, FAILURE_NEVER };
enum secure_rule { SECURE_LAX, SECURE_STRICT, SECURE_NEVER };

struct query;

/* A type as it is written. ask: does more than one plain question. climbs: parents are asked as long as there is nothing. */
struct type_row {
    struct str word;
    enum dns_type type;
    bool climbs;
    enum dns_status (*ask)(struct query *q, struct str name);
    void (*write)(struct query *q, const struct dns_record *r);
};

struct query {
    struct lookup_ctx *c;
    struct arena *arena;
    const struct type_row *type;
    char separator;
    bool fields_joined; /* a field separator was given: no_field_separator if it is none */
    bool no_field_separator;
    char field_separator;
    enum failure_rule failure;
    enum secure_rule secure;
    int64_t retrans_s, retry;
    struct str keys;
    struct buf out;
    bool found;
};

/* --- answers as text --- */

static void
field(struct query *q)
{
    if (!q->no_field_separator)
        buf_addc(&q->out, q->fields_joined ? q->field_separator : ' ');
}

static void
write_address(struct query *q, const struct dns_record *r)
{
    buf_adds(&q->out, ip_text(q->arena, &r->ip));
}

static void
write_name(struct query *q, const struct dns_record *r)
{
    buf_adds(&q->out, r->name);
}

static void
write_numbers(struct query *q, const struct dns_record *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            field(q);
        buf_printf(&q->out, "%u", r->number[i]);
    }
}

static void
write_mx(struct query *q, const struct dns_record *r)
{
    write_numbers(q, r, 1);
    field(q);
    buf_adds(&q->out, r->name);
}

static void
write_srv(struct query *q, const struct dns_record *r)
{
    write_numbers(q, r, 3);
    field(q);
    buf_adds(&q->out, r->name);
}

static void
write_tlsa(struct query *q, const struct dns_record *r)
{
    write_numbers(q, r, 3);
    field(q);
    for (size_t i = 0; i < r->bytes.n; i++)
        buf_printf(&q->out, "%02x", (unsigned char)r->bytes.p[i]);
}

static void
write_soa(struct query *q, const struct dns_record *r)
{
    buf_adds(&q->out, r->name);
    if (!q->fields_joined)
        return;
    field(q);
    buf_adds(&q->out, r->mailbox);
    field(q);
    write_numbers(q, r, 5);
}

/* The first string alone, or all of them. */
static void
write_strings(struct query *q, const struct dns_record *r, bool all, bool separated)
{
    struct str rest = r->bytes, text;
    for (bool first = true; dns_answer_next_text(&rest, &text) && (first || all);
         first = false) {
        if (!first && separated)
            field(q);
        buf_adds(&q->out, text);
    }
}

static void
write_txt(struct query *q, const struct dns_record *r)
{
    write_strings(q, r, q->fields_joined, true);
}

static void
write_spf(struct query *q, const struct dns_record *r)
{
    write_strings(q, r, true, q->fields_joined);
}

/* Another record follows those that are there. */
static void
begin_record(struct query *q)
{
    if (q->found)
        buf_addc(&q->out, q->separator);
    q->found = true;
}

/* --- questions --- */

static enum dns_status
ask_type(struct query *q, struct str name, enum dns_type type, struct resolve_answer *out)
{
    const struct dns_question dq = {.name = name,
                                    .type = type,
                                    .flags = q->secure == SECURE_NEVER ? 0 : DNS_SECURE,
                                    .retrans_s = q->retrans_s,
                                    .retry = q->retry};
    enum dns_status st = resolve_ask(q->c->eval, q->c->vm, q->arena, &dq, out);
    resolve_show(q->c->eval, dq.flags, out->secure);
    if (st == DNS_FOUND && q->secure == SECURE_STRICT && !out->secure)
        return DNS_AGAIN;
    return st;
}

static void
write_all(struct query *q, const struct resolve_answer *a, enum dns_type type)
{
    const struct dns_record *r;
    size_t at = 0;
    while ((r = resolve_next(&a->reply.answer, type, &at)) != NULL) {
        begin_record(q);
        q->type->write(q, r);
    }
}

static enum dns_status
ask_plain(struct query *q, struct str name)
{
    struct resolve_answer a;
    for (;;) {
        enum dns_status st = ask_type(q, name, q->type->type, &a);
        if (st == DNS_FOUND)
            write_all(q, &a, q->type->type);
        size_t dot = str_chr(name, '.', 0);
        bool nothing = st == DNS_NO_DATA || st == DNS_NO_NAME;
        if (!nothing || !q->type->climbs || dot == STR_NPOS)
            return st;
        name = str_sub(name, dot + 1, name.n);
    }
}

/* a+: all addresses. */
static enum dns_status
ask_addresses(struct query *q, struct str name)
{
    static const enum dns_type both[] = {DNS_AAAA, DNS_A};
    enum dns_status worst = DNS_FOUND;
    for (size_t i = 0; i < 2; i++) {
        struct resolve_answer a;
        enum dns_status st = ask_type(q, name, both[i], &a);
        if (st == DNS_FOUND)
            write_all(q, &a, both[i]);
        if (st == DNS_AGAIN || st == DNS_FAILED)
            worst = st;
    }
    return worst;
}

static enum dns_status
ask_ptr(struct query *q, struct str name)
{
    struct ip ip;
    return ask_plain(q, ip_parse(name, &ip) ? host_find_reverse(q->arena, &ip) : name);
}

/* SPF statements among TXT records. */
static enum dns_status
ask_spf(struct query *q, struct str name)
{
    struct resolve_answer a;
    const struct dns_record *r;
    size_t at = 0;
    enum dns_status st = ask_type(q, name, DNS_TXT, &a);
    bool before = q->found, any = false;
    while (st == DNS_FOUND && (r = resolve_next(&a.reply.answer, DNS_TXT, &at)) != NULL) {
        struct str rest = r->bytes, text;
        if (!dns_answer_next_text(&rest, &text) || !str_istarts(text, "v=spf1"))
            continue;
        begin_record(q);
        q->type->write(q, r);
        any = true;
    }
    q->found = before || any;
    return st == DNS_FOUND && !any ? DNS_NO_DATA : st;
}

static enum dns_status
ask_csa(struct query *q, struct str name)
{
    struct csa_found found;
    enum csa_verdict v = csa_find(q->c->eval, q->c->vm, q->arena, name, &found);
    if (v == CSA_AGAIN || v == CSA_NONE)
        return v == CSA_AGAIN ? DNS_AGAIN : DNS_NO_NAME;
    begin_record(q);
    buf_printf(&q->out, "%c %.*s", csa_letter(v), STR_ARG(found.target));
    return DNS_FOUND;
}

static const struct type_row types[] = {
    {.word = STR_INIT("txt"),
     .type = DNS_TXT,
     .ask = ask_plain,
     .write = write_txt}, /* without a word */
    {.word = STR_INIT("a"), .type = DNS_A, .ask = ask_plain, .write = write_address},
    {.word = STR_INIT("a+"), .type = DNS_A, .ask = ask_addresses, .write = write_address},
    {.word = STR_INIT("aaaa"), .type = DNS_AAAA, .ask = ask_plain, .write = write_address},
    {.word = STR_INIT("cname"), .type = DNS_CNAME, .ask = ask_plain, .write = write_name},
    {.word = STR_INIT("csa"), .type = DNS_SRV, .ask = ask_csa, .write = NULL},
    {.word = STR_INIT("mx"), .type = DNS_MX, .ask = ask_plain, .write = write_mx},
    {.word = STR_INIT("mxh"), .type = DNS_MX, .ask = ask_plain, .write = write_name},
    {.word = STR_INIT("ns"), .type = DNS_NS, .ask = ask_plain, .write = write_name},
    {.word = STR_INIT("ptr"), .type = DNS_PTR, .ask = ask_ptr, .write = write_name},
    {.word = STR_INIT("soa"),
     .type = DNS_SOA,
     .climbs = true,
     .ask = ask_plain,
     .write = write_soa},
    {.word = STR_INIT("spf"), .type = DNS_TXT, .ask = ask_spf, .write = write_spf},
    {.word = STR_INIT("srv"), .type = DNS_SRV, .ask = ask_plain, .write = write_srv},
    {.word = STR_INIT("tlsa"), .type = DNS_TLSA, .ask = ask_plain, .write = write_tlsa},
    {.word = STR_INIT("zns"),
     .type = DNS_NS,
     .climbs = true,
     .ask = ask_plain,
     .write = write_name},
};

static const struct type_row *
find_type(struct str word)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_ieq(types[i].word, word))
            return &types[i];
    return NULL;
}

/* --- the text --- */

/* ">x", ">x,y", ">x;" */
static void
take_separators(struct query *q, struct str *rest)
{
    *rest = str_trim_left(*rest);
    if (rest->n < 2 || rest->p[0] != '>')
        return;
    q->separator = rest->p[1];
    *rest = str_sub(*rest, 2, rest->n);
    if (rest->n > 1 && rest->p[0] == ',') {
        q->fields_joined = true;
        q->field_separator = rest->p[1];
        *rest = str_sub(*rest, 2, rest->n);
    } else if (rest->n > 0 && rest->p[0] == ';') {
        q->fields_joined = q->no_field_separator = true;
        *rest = str_sub(*rest, 1, rest->n);
    }
    *rest = str_trim_left(*rest);
}

static bool
bad(struct query *q, const char *what)
{
    vm_defer(q->c->vm, "%s", what);
    return false;
}

/* Index of the word in words, or -1. */
static int
which(struct str word, const char *const words[3])
{
    for (int i = 0; i < 3; i++)
        if (str_ieqz(word, words[i]))
            return i;
    return -1;
}

/* One modifier without its comma. */
static bool
take_modifier(struct query *q, struct str m)
{
    static const char *const failures[] = {"lax", "strict", "never"};
    uint64_t n;
    int i;
    if (str_istarts(m, "defer_")) {
        i = which(str_sub(m, strlen("defer_"), m.n), failures);
        q->failure = (enum failure_rule)i;
        return i >= 0 || bad(q, "unsupported dnsdb defer behaviour");
    }
    if (str_istarts(m, "dnssec_")) {
        i = which(str_sub(m, strlen("dnssec_"), m.n), failures);
        q->secure = (enum secure_rule)i;
        return i >= 0 || bad(q, "unsupported dnsdb dnssec behaviour");
    }
    if (str_istarts(m, "retrans_"))
        return num_parse_interval(str_sub(m, strlen("retrans_"), m.n), &q->retrans_s) ||
               bad(q, "unsupported dnsdb timeout value");
    if (!num_parse_digits(str_sub(m, strlen("retry_"), m.n), &n) || n > DNS_RETRY_MAX)
        return bad(q, "dnsdb modifier syntax error");
    q->retry = (int64_t)n;
    return true;
}

static bool
is_modifier(struct str s)
{
    static const char *const starts[] = {"defer_", "dnssec_", "retrans_", "retry_"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_istarts(s, starts[i]))
            return true;
    return false;
}

static bool
take_modifiers(struct query *q, struct str *rest)
{
    while (is_modifier(*rest)) {
        size_t comma = str_chr(*rest, ',', 0);
        if (comma == STR_NPOS)
            return bad(q, "dnsdb modifier syntax error");
        if (!take_modifier(q, str_trim(str_sub(*rest, 0, comma))))
            return false;
        *rest = str_trim_left(str_sub(*rest, comma + 1, rest->n));
    }
    return true;
}

/* "type =", else TXT. */
static bool
take_type(struct query *q, struct str *rest)
{
    size_t equals = str_chr(*rest, '=', 0);
    q->type = &types[0];
    if (equals == STR_NPOS)
        return true;
    q->type = find_type(str_trim(str_sub(*rest, 0, equals)));
    *rest = str_trim_left(str_sub(*rest, equals + 1, rest->n));
    return q->type != NULL || bad(q, "unsupported DNS record type");
}

/* --- the lookup --- */

/* False: the whole lookup defers. */
static bool
ask_one(struct query *q, struct str name, bool *deferred)
{
    enum dns_status st = q->type->ask(q, name);
    if (st != DNS_AGAIN && st != DNS_FAILED)
        return true;
    *deferred = *deferred || q->failure == FAILURE_LAX;
    return q->failure != FAILURE_STRICT;
}

/* All keys. A PTR key that is one IPv6 address is no list. */
static bool
ask_all(struct query *q, bool *deferred)
{
    struct ip ip;
    struct str name;
    if (q->type->type == DNS_PTR && ip_parse(str_trim(q->keys), &ip))
        return ask_one(q, str_trim(q->keys), deferred);
    struct strlist_split split = strlist_split_start(q->keys, ':');
    while (strlist_split_next(&split, q->arena, &name))
        if (name.n > 0 && !ask_one(q, name, deferred))
            return false;
    return true;
}

static enum outcome
dnsdb_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    struct query q = {.c = c, .arena = vm_scratch(c->vm), .separator = '\n'};
    bool deferred = false;
    (void)handle, (void)file;
    q.out = buf_in(q.arena, 0);
    c->no_cache = true; /* the resolver knows for how long an answer is good */
    take_separators(&q, &key);
    if (!take_modifiers(&q, &key) || !take_type(&q, &key))
        return OUT_DEFER;
    q.keys = key;
    if (!ask_all(&q, &deferred) || (deferred && !q.found)) {
        vm_defer(c->vm, "%s", "");
        return OUT_DEFER;
    }
    *data = str_tainted(buf_str(&q.out));
    return q.found ? OUT_OK : OUT_FAIL;
}

const struct lookup_driver lookup_dnsdb = {
    .name = STR_INIT("dnsdb"),
    .flags = LOOKUP_QUERY | LOOKUP_TAINT_OK | LOOKUP_TAINTED_DATA | LOOKUP_NO_RESULTS,
    .find = dnsdb_find,
    .doc = "records of the domain name system",
};
