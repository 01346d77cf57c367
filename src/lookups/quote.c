/* Quoting for query-style lookups: one small function a language, most of them a table of bytes.
 * The mark of the result is that of the text; the engine turns a taint into STR_QUOTED.
 * Source: specification, sections "Quoting lookup data", "LDAP quoting", "SQL lookups". */
#include "lookups/quote.h"

#include "base/buf.h"

#include <string.h>

/* Bytes of `set` are written as `lead` and the byte of `as` at the same place. */
static struct str
map_bytes(struct vm *vm, struct str in, const char *set, const char *lead, const char *as)
{
    struct buf b = buf_in(vm_scratch(vm), 0);
    for (uint32_t i = 0; i < in.n; i++) {
        const char *hit = in.p[i] != '\0' ? strchr(set, in.p[i]) : NULL;
        if (hit == NULL) {
            buf_addc(&b, in.p[i]);
        } else {
            /* A quote that is doubled is its own lead. */
            buf_addc(&b, lead[hit - set]);
            buf_addc(&b, as[hit - set]);
        }
    }
    struct str out = buf_str(&b);
    out.taint = in.taint;
    return out;
}

enum vm_status
quote_plain(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    (void)vm;
    *out = in;
    return str_is_set(opt) ? VM_NO : VM_OK;
}

enum vm_status
quote_sqlite(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, "'", "'", "'");
    return VM_OK;
}

enum vm_status
quote_ibase(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, "'", "'", "'");
    return VM_OK;
}

enum vm_status
quote_mysql(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, "\n\t\r\b'\"\\", "\\\\\\\\\\\\\\", "ntrb'\"\\");
    return VM_OK;
}

enum vm_status
quote_pgsql(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, "\n\t\r\b'\"\\", "\\\\\\\\'\\\\", "ntrb'\"\\");
    return VM_OK;
}

enum vm_status
quote_redis(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, " \t\n\v\f\r\\", "\\\\\\\\\\\\\\", " \t\n\v\f\r\\");
    return VM_OK;
}

enum vm_status
quote_nisplus(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    if (str_is_set(opt))
        return VM_NO;
    *out = map_bytes(vm, in, "\"", "\"", "\"");
    return VM_OK;
}

static void
add_url(struct buf *b, char c)
{
    if (ascii_alnum(c) || (c != '\0' && strchr("!$'-._()*+", c) != NULL))
        buf_addc(b, c);
    else
        buf_printf(b, "%%%02X", (unsigned char)c);
}

/* RFC 2254: in a filter * ( ) \ are written as hexadecimal. */
static void
quote_filter(struct buf *b, struct str in)
{
    for (uint32_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '*' || c == '(' || c == ')' || c == '\\' || c == '\0')
            buf_printf(b, "%%5C%02X", (unsigned char)c);
        else
            add_url(b, c);
    }
}

/* RFC 2253: in a distinguished name some characters, leading spaces and #, and trailing spaces get a
 * backslash. */
static void
quote_dn(struct buf *b, struct str in)
{
    uint32_t first = 0, last = in.n;
    while (first < in.n && (in.p[first] == ' ' || in.p[first] == '#'))
        first++;
    while (last > first && in.p[last - 1] == ' ')
        last--;
    for (uint32_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        bool edge = i < first || i >= last;
        if (edge || (c != '\0' && strchr(",+\"\\<>;", c) != NULL))
            buf_addz(b, "%5C");
        add_url(b, c);
    }
}

enum vm_status
quote_ldap(struct vm *vm, struct str in, struct str opt, struct str *out)
{
    struct buf b = buf_in(vm_scratch(vm), 0);
    if (!str_is_set(opt))
        quote_filter(&b, in);
    else if (str_eqz(opt, "dn"))
        quote_dn(&b, in);
    else
        return VM_NO;
    *out = buf_str(&b);
    out->taint = in.taint;
    return VM_OK;
}
