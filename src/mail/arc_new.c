/* New sets of ARC. Lines are folded once and signed as they are; how they are folded is no part of what is signed (relaxed), but receivers
 * print them. */
#include "mail/arc.h"

#include "base/arena.h"

enum { SIGNATURE_WIDTH = 74, NAMES_WIDTH = 76 };

struct str
arc_new_results(struct arena *a, const struct arc_new *n, struct str results,
                struct str remote_ip)
{
    struct buf b = buf_in(a, 0);
    struct str server = arc_results_server(results);
    results = str_trim(results);
    buf_printf(&b, "ARC-Authentication-Results: i=%u; ", n->instance);
    buf_adds(&b, server);
    if (remote_ip.n > 0)
        buf_printf(&b, "; smtp.remote-ip=%.*s", STR_ARG(remote_ip));
    size_t rest = str_find(results, server, 0);
    if (rest != STR_NPOS)
        buf_adds(&b, str_sub(results, rest + server.n, results.n));
    buf_addc(&b, '\n');
    return str_tainted(buf_str(&b));
}

static void
add_times(struct buf *b, const struct arc_new *n, bool expires)
{
    if (n->created >= 0)
        buf_printf(b, "; t=%lld", (long long)n->created);
    if (expires && n->expires >= 0)
        buf_printf(b, "; x=%lld", (long long)n->expires);
}

/* A list with colons, broken behind them. */
static void
add_names(struct buf *b, struct str names)
{
    size_t width = 8 + strlen("h="); /* of the tab as well */
    for (size_t at = 0; at < names.n;) {
        size_t colon = str_chr(names, ':', at);
        size_t end = colon == STR_NPOS ? names.n : colon + 1;
        if (width + (end - at) > NAMES_WIDTH && at > 0) {
            buf_addz(b, "\n\t ");
            width = 9;
        }
        buf_adds(b, str_sub(names, at, end - at));
        width += end - at;
        at = end;
    }
}

struct str
arc_new_message(struct arena *a, const struct arc_new *n, struct str body_hash,
                struct str names)
{
    struct buf b = buf_in(a, 0);
    buf_printf(&b, "ARC-Message-Signature: i=%u; a=%.*s; c=relaxed; d=%.*s; s=%.*s",
               n->instance, STR_ARG(n->algorithm), STR_ARG(n->domain), STR_ARG(n->selector));
    add_times(&b, n, true);
    buf_printf(&b, ";\n\tbh=%.*s;\n\th=", STR_ARG(body_hash));
    add_names(&b, names);
    buf_addz(&b, ";\n\tb=;\n");
    return str_tainted(buf_str(&b));
}

struct str
arc_new_seal(struct arena *a, const struct arc_new *n)
{
    struct buf b = buf_in(a, 0);
    buf_printf(&b, "ARC-Seal: i=%u; cv=%.*s; a=%.*s; d=%.*s; s=%.*s", n->instance,
               STR_ARG(n->chain), STR_ARG(n->algorithm), STR_ARG(n->domain),
               STR_ARG(n->selector));
    add_times(&b, n, false);
    buf_addz(&b, ";\n\t b=;\n");
    return str_tainted(buf_str(&b));
}

struct str
arc_new_sign(struct arena *a, struct str line, struct str signature)
{
    struct buf b = buf_in(a, 0);
    struct str end = STR_LIT(";\n");
    buf_adds(&b, str_sub(line, 0, line.n - end.n));
    for (size_t at = 0; at < signature.n; at += SIGNATURE_WIDTH) {
        if (at > 0)
            buf_addz(&b, "\n\t  ");
        buf_adds(&b, str_sub(signature, at, SIGNATURE_WIDTH));
    }
    buf_adds(&b, end);
    return buf_str(&b);
}
