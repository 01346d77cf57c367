/* IP addresses and networks. Hand-written parsers, since inet_pton takes no spans and says
 * nothing of scopes; the forms accepted are those of ip.h and no others. */
#include "mail/ip.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

enum { GROUPS = 8 };

/* One decimal number of a dotted quad at *pos. */
static bool
parse_octet(struct str s, size_t *pos, uint8_t *out)
{
    size_t start = *pos;
    unsigned v = 0;
    while (*pos < s.n && ascii_digit(s.p[*pos]) && *pos - start < 4)
        v = v * 10 + (unsigned)(s.p[(*pos)++] - '0');
    *out = (uint8_t)v;
    size_t n = *pos - start;
    return n >= 1 && n <= 3 && v <= 255 && (n == 1 || s.p[start] != '0');
}

static bool
parse_v4(struct str s, uint8_t out[4])
{
    size_t pos = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && (pos >= s.n || s.p[pos++] != '.'))
            return false;
        if (!parse_octet(s, &pos, &out[i]))
            return false;
    }
    return pos == s.n;
}

/* Groups read so far, and where the double colon stood. */
struct v6 {
    uint8_t b[16];
    unsigned groups;
    int gap; /* -1: none yet */
};

/* One group of 1 to 4 hexadecimal digits at *pos. */
static bool
parse_group(struct str s, size_t *pos, struct v6 *v)
{
    unsigned value = 0;
    unsigned n = 0;
    for (; *pos < s.n && ascii_hex(s.p[*pos]) >= 0; ++*pos, n++) {
        if (n == 4)
            return false;
        value = value << 4 | (unsigned)ascii_hex(s.p[*pos]);
    }
    if (n == 0 || v->groups == GROUPS)
        return false;
    v->b[2 * v->groups] = (uint8_t)(value >> 8);
    v->b[2 * v->groups + 1] = (uint8_t)value;
    v->groups++;
    return true;
}

/* The last group may be a dotted quad, which fills two. */
static bool
parse_tail_v4(struct str rest, struct v6 *v)
{
    if (v->groups > GROUPS - 2 || !parse_v4(rest, v->b + 2 * v->groups))
        return false;
    v->groups += 2;
    return true;
}

/* Spreads the groups round the gap. */
static bool
close_gap(struct v6 *v)
{
    if (v->gap < 0)
        return v->groups == GROUPS;
    if (v->groups == GROUPS)
        return false;
    size_t head = 2 * (size_t)v->gap;
    size_t tail = 2 * v->groups - head;
    memmove(v->b + 16 - tail, v->b + head, tail);
    memset(v->b + head, 0, 16 - head - tail);
    return true;
}

/* After a group: a colon and more, or the end. At the end of a text "::" may stand. */
static bool
parse_separator(struct str s, size_t *pos, struct v6 *v)
{
    if (s.p[*pos] != ':')
        return false;
    ++*pos;
    if (*pos < s.n && s.p[*pos] == ':') {
        if (v->gap >= 0)
            return false;
        v->gap = (int)v->groups;
        ++*pos;
        return true;
    }
    return *pos < s.n;
}

static bool
parse_v6(struct str s, uint8_t out[16])
{
    struct v6 v = {.gap = -1};
    size_t pos = 0;
    if (str_starts(s, "::")) {
        v.gap = 0;
        pos = 2;
    }
    while (pos < s.n) {
        struct str rest = str_sub(s, pos, s.n);
        if (str_chr(rest, ':', 0) == STR_NPOS && str_chr(rest, '.', 0) != STR_NPOS) {
            if (!parse_tail_v4(rest, &v))
                return false;
            break;
        }
        if (!parse_group(s, &pos, &v) || (pos < s.n && !parse_separator(s, &pos, &v)))
            return false;
    }
    if (s.n < 2 || !close_gap(&v))
        return false;
    memcpy(out, v.b, 16);
    return true;
}

/* Takes a scope off the end; false when it has a byte that no interface name has. */
static bool
cut_scope(struct str *s, struct str *scope)
{
    *scope = STR_NULL;
    size_t at = str_chr(*s, '%', 0);
    if (at == STR_NPOS)
        return true;
    *scope = str_sub(*s, at + 1, s->n);
    *s = str_sub(*s, 0, at);
    for (size_t i = 0; i < scope->n; i++)
        if (!ascii_print(scope->p[i]) || scope->p[i] == ' ' || scope->p[i] == '/')
            return false;
    return true;
}

bool
ip_parse_scoped(struct str s, struct ip *out, struct str *scope)
{
    struct ip ip = {0};
    *scope = STR_NULL;
    if (str_chr(s, ':', 0) == STR_NPOS) {
        ip.n = 4;
        if (!parse_v4(s, ip.b))
            return false;
    } else {
        ip.n = 16;
        if (!cut_scope(&s, scope) || !parse_v6(s, ip.b))
            return false;
    }
    *out = ip;
    return true;
}

bool
ip_parse(struct str s, struct ip *out)
{
    struct str scope;
    return ip_parse_scoped(s, out, &scope);
}

bool
ip_is(struct str s, int version)
{
    struct ip ip;
    return ip_parse(s, &ip) && (version == 0 || ip.n == (version == 4 ? 4 : 16));
}

/* --- networks --- */

/* Bits after the slash; 1000 when there are too many digits to matter, -1 when they are no
 * number. */
static int
parse_bits(struct str s)
{
    int bits = 0;
    s = str_trim_left(s);
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return -1;
        bits = bits >= 1000 ? 1000 : bits * 10 + (s.p[i] - '0');
    }
    return bits;
}

enum ip_net_status
ip_net_parse(struct str s, struct ip_net *out)
{
    struct ip_net net;
    size_t slash = str_chr(s, '/', 0);
    struct str address = str_sub(s, 0, slash);
    if (!ip_parse(address, &net.ip))
        return IP_NET_BAD;
    if (slash == STR_NPOS)
        return IP_NET_NO_MASK;
    int bits = parse_bits(str_sub(s, slash + 1, s.n));
    if (bits < 0 || str_chr(address, '%', 0) != STR_NPOS)
        return IP_NET_BAD;
    bool big = bits > 8 * net.ip.n;
    net.bits = big ? 8u * net.ip.n : (unsigned)bits;
    *out = net;
    if (big)
        return IP_NET_BIG;
    return IP_NET_OK;
}

bool
ip_net_parse_host(struct str s, struct ip_net *out)
{
    enum ip_net_status st = ip_net_parse(s, out);
    if (st == IP_NET_BIG) /* in a list, all bits: nothing but the address itself */
        return true;
    if (st != IP_NET_NO_MASK)
        return st == IP_NET_OK;
    if (!ip_parse(s, &out->ip))
        return false;
    out->bits = 8u * out->ip.n;
    return true;
}

struct str
ip_net_error(struct arena *a, enum ip_net_status st, struct str s)
{
    struct buf b = buf_in(a, 0);
    if (st == IP_NET_NO_MASK)
        buf_addz(&b, "missing mask value in ");
    if (st == IP_NET_BIG)
        buf_addz(&b, "mask value too big in ");
    buf_addc(&b, '"');
    buf_adds(&b, s);
    buf_addz(&b, st == IP_NET_BAD ? "\" is not an IP address" : "\"");
    return buf_str(&b);
}

static bool
bits_equal(const uint8_t *x, const uint8_t *y, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(x, y, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}

bool
ip_is_mapped(const struct ip *ip)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return ip->n == 16 && memcmp(ip->b, prefix, sizeof prefix) == 0;
}

bool
ip_in_net(const struct ip *ip, const struct ip_net *net)
{
    if (ip->n == net->ip.n)
        return ip->n != 0 && bits_equal(ip->b, net->ip.b, net->bits);
    return net->ip.n == 4 && ip_is_mapped(ip) && bits_equal(ip->b + 12, net->ip.b, net->bits);
}

struct ip
ip_mask(struct ip ip, unsigned bits)
{
    for (unsigned i = 0; i < ip.n; i++, bits -= bits < 8 ? bits : 8)
        if (bits < 8)
            ip.b[i] = (uint8_t)(ip.b[i] & (0xff00u >> bits));
    return ip;
}

struct ip
ip_to_v6(struct ip ip)
{
    if (ip.n != 4)
        return ip;
    struct ip v6 = {.n = 16, .b = {[10] = 0xff, [11] = 0xff}};
    memcpy(v6.b + 12, ip.b, 4);
    return v6;
}

void
ip_unmap(struct ip *ip)
{
    if (!ip_is_mapped(ip))
        return;
    memmove(ip->b, ip->b + 12, 4);
    ip->n = 4;
}

/* --- texts --- */

static unsigned
group_at(const struct ip *ip, unsigned i)
{
    return (unsigned)ip->b[2 * i] << 8 | ip->b[2 * i + 1];
}

/* The longest run of at least `least` zero groups, the first of equals; 0 groups when none. */
static unsigned
longest_zeros(const struct ip *ip, unsigned least, unsigned *start)
{
    unsigned best = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned n = 0;
        while (i + n < GROUPS && group_at(ip, i + n) == 0)
            n++;
        if (n >= least && n > best) {
            best = n;
            *start = i;
        }
        i += n;
    }
    return best;
}

static void
add_v4(struct buf *b, const uint8_t p[4])
{
    buf_printf(b, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
}

static void
add_v6(struct buf *b, const struct ip *ip, unsigned least)
{
    unsigned start = GROUPS;
    unsigned zeros = longest_zeros(ip, least, &start);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == start) {
            buf_addz(b, "::");
            i += zeros - 1;
            continue;
        }
        buf_printf(b, i > 0 && i != start + zeros ? ":%x" : "%x", group_at(ip, i));
    }
}

struct str
ip_text(struct arena *a, const struct ip *ip)
{
    struct buf b = buf_in(a, 0);
    if (ip->n == 4) {
        add_v4(&b, ip->b);
    } else if (ip_is_mapped(ip)) {
        buf_addz(&b, "::ffff:");
        add_v4(&b, ip->b + 12);
    } else {
        add_v6(&b, ip, 2);
    }
    return buf_str(&b);
}

struct str
ip_text_norm(struct arena *a, const struct ip *ip)
{
    struct buf b = buf_in(a, 0);
    struct ip v6 = ip_to_v6(*ip);
    add_v6(&b, &v6, 1);
    return buf_str(&b);
}

static void
add_full(struct buf *b, const struct ip *ip, char sep)
{
    struct ip v6 = ip_to_v6(*ip);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i > 0)
            buf_addc(b, sep);
        buf_printf(b, "%04x", group_at(&v6, i));
    }
}

struct str
ip_text_full(struct arena *a, const struct ip *ip, char sep)
{
    struct buf b = buf_in(a, 0);
    add_full(&b, ip, sep);
    return buf_str(&b);
}

struct str
ip_text_reverse(struct arena *a, const struct ip *ip)
{
    struct buf b = buf_in(a, 0);
    if (ip->n == 4 || ip_is_mapped(ip)) {
        const uint8_t *p = ip->b + ip->n - 4;
        const uint8_t reversed[4] = {p[3], p[2], p[1], p[0]};
        add_v4(&b, reversed);
        return buf_str(&b);
    }
    for (unsigned i = 16; i-- > 0;)
        buf_printf(&b, i > 0 ? "%x.%x." : "%x.%x", ip->b[i] & 15u, ip->b[i] >> 4);
    return buf_str(&b);
}

struct str
ip_text_masked(struct arena *a, const struct ip_net *net, enum ip_mask_form form)
{
    struct buf b = buf_in(a, 0);
    struct ip ip = ip_mask(net->ip, net->bits);
    if (ip.n == 4)
        add_v4(&b, ip.b);
    else if (form == IP_MASK_DOTS)
        add_full(&b, &ip, '.');
    else
        add_v6(&b, &ip, 1);
    buf_printf(&b, "/%u", net->bits);
    return buf_str(&b);
}
