/* The header of the PROXY protocol; see proxy_header.h. */
#include "mail/proxy_header.h"

#include "base/num.h"

#include <string.h>

enum {
    V2_FIXED = 16,
    V2_COMMAND_LOCAL = 0x20,
    V2_COMMAND_PROXY = 0x21,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_UNSPECIFIED = 0x00,
    PORT_MAX = 65535,
};

static const struct str v1_start = STR_INIT("PROXY ");
static const struct str v2_start = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

/* PROXY_DONE: in begins with it; PROXY_MORE: as far as it goes. */
static enum proxy_status
begins(struct str in, struct str with)
{
    size_t n = in.n < with.n ? in.n : with.n;
    if (memcmp(in.p, with.p, n) != 0)
        return PROXY_BAD;
    return n < with.n ? PROXY_MORE : PROXY_DONE;
}

/* --- version 1 --- */

static bool
take_port(struct str word, int *port)
{
    uint64_t n;
    if (!num_parse_digits(word, &n) || n > PORT_MAX || (word.n > 1 && word.p[0] == '0'))
        return false;
    *port = (int)n;
    return true;
}

static enum proxy_status
parse_words(struct str line, struct proxy_header *out)
{
    struct str family = str_take_until(&line, ' ');
    if (str_eqz(family, "UNKNOWN")) /* whatever follows */
        return PROXY_DONE;
    unsigned bytes = str_eqz(family, "TCP4") ? 4 : str_eqz(family, "TCP6") ? 16 : 0;
    struct str from = str_take_until(&line, ' '), to = str_take_until(&line, ' ');
    struct str from_port = str_take_until(&line, ' ');
    if (bytes == 0 || !ip_parse(from, &out->from) || !ip_parse(to, &out->to) ||
        out->from.n != bytes || out->to.n != bytes || !take_port(from_port, &out->from_port) ||
        !take_port(line, &out->to_port))
        return PROXY_BAD;
    out->proxied = true;
    return PROXY_DONE;
}

static enum proxy_status
parse_v1(struct str in, struct proxy_header *out)
{
    struct str head = str_sub(in, 0, PROXY_V1_MAX);
    size_t lf = str_chr(head, '\n', 0);
    if (lf == STR_NPOS)
        return in.n < PROXY_V1_MAX ? PROXY_MORE : PROXY_BAD;
    if (head.p[lf - 1] != '\r')
        return PROXY_BAD;
    out->n = lf + 1;
    return parse_words(str_sub(head, v1_start.n, lf - 1 - v1_start.n), out);
}

/* --- version 2 --- */

static unsigned
number(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static enum proxy_status
take_ends(struct str ends, uint8_t bytes, struct proxy_header *out)
{
    if (ends.n < 2 * (size_t)bytes + 4)
        return PROXY_BAD;
    out->from.n = out->to.n = bytes;
    memcpy(out->from.b, ends.p, bytes);
    memcpy(out->to.b, ends.p + bytes, bytes);
    out->from_port = (int)number(ends.p + 2 * bytes);
    out->to_port = (int)number(ends.p + 2 * bytes + 2);
    out->proxied = true;
    return PROXY_DONE;
}

static enum proxy_status
parse_v2(struct str in, struct proxy_header *out)
{
    if (in.n < V2_FIXED)
        return PROXY_MORE;
    unsigned command = (unsigned char)in.p[12], family = (unsigned char)in.p[13];
    size_t n = number(in.p + 14);
    if ((command != V2_COMMAND_LOCAL && command != V2_COMMAND_PROXY) ||
        n > PROXY_V2_MAX - V2_FIXED)
        return PROXY_BAD;
    if (in.n < V2_FIXED + n)
        return PROXY_MORE;
    out->n = V2_FIXED + n;
    struct str ends = str_sub(in, V2_FIXED, n);
    if (command == V2_COMMAND_LOCAL || family == V2_UNSPECIFIED)
        return PROXY_DONE;
    if (family == V2_TCP4)
        return take_ends(ends, 4, out);
    return family == V2_TCP6 ? take_ends(ends, 16, out) : PROXY_BAD;
}

enum proxy_status
proxy_header_parse(struct str in, struct proxy_header *out)
{
    *out = (struct proxy_header){.proxied = false};
    if (in.n == 0)
        return PROXY_MORE;
    bool v1 = in.p[0] == v1_start.p[0];
    enum proxy_status st = begins(in, v1 ? v1_start : v2_start);
    if (st != PROXY_DONE)
        return st;
    return v1 ? parse_v1(in, out) : parse_v2(in, out);
}
