/* iplsearch: as lsearch, with IP addresses and networks as keys; the first one that covers counts.
 *
 * The keys are parsed once, when the file is opened, into an array that is searched in order. What is not an
 * address is kept out of it (it can never match), save the key "*" of a default.
 * Masks are read as Exim reads them: none after a slash is 0, one beyond the family's length is the host.
 */
#include "base/arena.h"
#include "base/vec.h"
#include "lookups/drivers.h"
#include "lookups/linefile.h"

#include <arpa/inet.h>
#include <string.h>

/* An address; IPv4 in the first word, in host order of bits: most significant first. */
struct ip {
    uint64_t hi, lo;
    bool v6;
};

struct network {
    struct ip ip, mask;
    uint32_t line;
};

struct iplsearch {
    struct linefile file;
    struct arena *arena;
    VEC(struct network) networks;
    uint32_t star; /* line of the key "*" + 1, 0: none */
};

static uint64_t
load_be(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* An address without mask; a scope (%eth0) is dropped. */
static bool
parse_ip(struct str s, struct ip *out)
{
    char z[INET6_ADDRSTRLEN + 1];
    unsigned char raw[16];
    size_t scope = str_chr(s, '%', 0);
    if (scope != STR_NPOS)
        s = str_sub(s, 0, scope);
    if (s.n == 0 || s.n >= sizeof z || str_has_nul(s))
        return false;
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    if (scope == STR_NPOS && inet_pton(AF_INET, z, raw) == 1) {
        *out = (struct ip){load_be(raw, 4) << 32, 0, false};
        return true;
    }
    if (inet_pton(AF_INET6, z, raw) != 1)
        return false;
    *out = (struct ip){load_be(raw, 8), load_be(raw + 8, 8), true};
    return true;
}

static uint64_t
ones(unsigned n)
{
    return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

static struct ip
make_mask(unsigned bits, bool v6)
{
    if (bits > (v6 ? 128u : 32u))
        bits = v6 ? 128 : 32;
    return (struct ip){ones(bits > 64 ? 64 : bits), ones(bits > 64 ? bits - 64 : 0), v6};
}

/* What follows the slash: optional spaces and digits only. */
static bool
parse_bits(struct str s, unsigned *bits)
{
    s = str_trim_left(s);
    *bits = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
        if (*bits < 1000)
            *bits = *bits * 10 + (unsigned)(s.p[i] - '0');
    }
    return true;
}

static bool
parse_network(struct str key, struct network *out)
{
    unsigned bits = 128;
    size_t slash = str_chr(key, '/', 0);
    if (slash != STR_NPOS && !parse_bits(str_sub(key, slash + 1, key.n), &bits))
        return false;
    if (!parse_ip(slash == STR_NPOS ? key : str_sub(key, 0, slash), &out->ip))
        return false;
    out->mask = make_mask(bits, out->ip.v6);
    return true;
}

static void
index_file(struct iplsearch *l)
{
    struct line_entry e;
    for (size_t at = 0; linefile_next(&l->file, &at, &e);) {
        struct network n;
        struct str key = linefile_key(l->arena, &e);
        if (l->star == 0 && str_eqz(key, "*"))
            l->star = e.at + 1;
        if (!parse_network(key, &n))
            continue;
        n.line = e.at;
        vec_push(l->arena, &l->networks, n);
    }
}

static void *
iplsearch_open(struct lookup_ctx *c, const char *file)
{
    struct linefile f;
    if (!linefile_load(c, file, &f))
        return NULL;
    struct arena *a = arena_new();
    struct iplsearch *l = ARENA_NEW(a, struct iplsearch);
    l->arena = a;
    l->file = f;
    index_file(l);
    return l;
}

static void
iplsearch_close(void *handle)
{
    struct iplsearch *l = handle;
    linefile_free(&l->file);
    arena_free(l->arena);
}

/* An IPv4 address mapped into IPv6 is looked up as what it is. */
static void
unmap(struct ip *ip)
{
    if (ip->v6 && ip->hi == 0 && ip->lo >> 32 == 0xffff)
        *ip = (struct ip){ip->lo << 32, 0, false};
}

/* The line of the first network that covers ip, + 1, or 0. */
static uint32_t
search(const struct iplsearch *l, struct ip ip)
{
    for (size_t i = 0; i < l->networks.n; i++) {
        const struct network *n = &l->networks.v[i];
        if (n->ip.v6 == ip.v6 && ((n->ip.hi ^ ip.hi) & n->mask.hi) == 0 &&
            ((n->ip.lo ^ ip.lo) & n->mask.lo) == 0)
            return n->line + 1;
    }
    return 0;
}

static enum outcome
iplsearch_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
               struct str *data)
{
    (void)file;
    struct iplsearch *l = handle;
    struct line_entry e;
    struct ip ip;
    uint32_t line = l->star;
    if (!str_eqz(key, "*")) {
        if (!parse_ip(key, &ip)) {
            vm_defer(c->vm,
                     "\"%.*s\" is not a valid iplsearch key (an IP address, with optional CIDR "
                     "mask, is wanted): in a host list, use net-iplsearch as the search type",
                     STR_ARG(key));
            return OUT_DEFER;
        }
        unmap(&ip);
        line = search(l, ip);
    }
    if (line == 0)
        return OUT_FAIL;
    size_t at = line - 1;
    (void)linefile_next(&l->file, &at, &e);
    bool full = str_eqz(lookup_option(c->options, "ret"), "full");
    *data = linefile_data(vm_scratch(c->vm), &l->file, &e, full);
    return OUT_OK;
}

const struct lookup_driver lookup_iplsearch = {
    .name = STR_INIT("iplsearch"),
    .open = iplsearch_open,
    .find = iplsearch_find,
    .close = iplsearch_close,
    .doc = "text file with IP addresses and networks as keys",
};
