/* IP addresses and networks as text and as bytes. No names, no sockets.
 *
 * The accepted forms are those of the reference: four plain decimal numbers without leading
 * zeros; RFC 4291 text with an optional dotted tail and an optional scope ("%eth0"), which is
 * read and otherwise ignored.
 */
#ifndef REMEX_MAIL_IP_H
#define REMEX_MAIL_IP_H

#include "base/str.h"

struct arena;

struct ip {
    uint8_t n; /* bytes in use: 4, 16, or 0 for none */
    uint8_t b[16];
};

struct ip_net {
    struct ip ip;
    unsigned bits; /* at most 8 * ip.n */
};

/* The whole value must be an address. False: *out is unchanged. */
bool ip_parse(struct str s, struct ip *out);
/* The same, with what follows the '%' in *scope (STR_NULL when there is none). */
bool ip_parse_scoped(struct str s, struct ip *out, struct str *scope);
/* isip (0), isip4 (4), isip6 (6). */
bool ip_is(struct str s, int version);

enum ip_net_status {
    IP_NET_OK,
    IP_NET_BAD,     /* "..." is not an IP address */
    IP_NET_NO_MASK, /* missing mask value in "..." */
    IP_NET_BIG,     /* mask value too big in "..." */
};

/* "address/bits"; white space before the bits and no bits at all (0) are taken, as the
 * reference does. */
enum ip_net_status ip_net_parse(struct str s, struct ip_net *out);
/* The same, where an address alone is a network of one. */
bool ip_net_parse_host(struct str s, struct ip_net *out);
/* Exim's words for a failed ip_net_parse. */
struct str ip_net_error(struct arena *a, enum ip_net_status st, struct str s);

/* An IPv4-mapped IPv6 address is also in the IPv4 networks of its last four bytes; not the
 * reverse. */
bool ip_in_net(const struct ip *ip, const struct ip_net *net);
/* Zeroes all but the first bits. */
struct ip ip_mask(struct ip ip, unsigned bits);
bool ip_is_mapped(const struct ip *ip);
/* IPv4 becomes IPv4-mapped IPv6; IPv6 stays. */
struct ip ip_to_v6(struct ip ip);
/* IPv4-mapped IPv6 becomes IPv4; others stay. */
void ip_unmap(struct ip *ip);

/* Texts; clean values. */
/* Dotted quad, or the canonical IPv6 form (RFC 5952). */
struct str ip_text(struct arena *a, const struct ip *ip);
/* ${ipv6norm:}: as ip_text, but a dotted tail never and a single zero group is shortened too.
 */
struct str ip_text_norm(struct arena *a, const struct ip *ip);
/* ${ipv6denorm:}: eight groups of four digits; sep ':' or '.'. */
struct str ip_text_full(struct arena *a, const struct ip *ip, char sep);
/* ${reverse_ip:}; an IPv4-mapped address gives the IPv4 form. */
struct str ip_text_reverse(struct arena *a, const struct ip *ip);
/* ${mask:} and, normalised, ${mask_n:}. */
enum ip_mask_form { IP_MASK_DOTS, IP_MASK_NORM };
struct str ip_text_masked(struct arena *a, const struct ip_net *net, enum ip_mask_form form);

#endif
