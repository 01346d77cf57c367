/* Debugging output; see debug.h.
 *
 * The form is remex's own: `topic: text`, for a person to follow. Control characters are shown as escapes, so
 * that a stranger's bytes cannot act on a terminal.
 */
#include "conf/debug.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    bool by_default;
} topics[DEBUG_BITS] = {
    [DEBUG_ACL] = {"acl", true},
    [DEBUG_AUTH] = {"auth", true},
    [DEBUG_DELIVER] = {"deliver", true},
    [DEBUG_DNS] = {"dns", true},
    [DEBUG_DNSBL] = {"dnsbl", true},
    [DEBUG_EXEC] = {"exec", true},
    [DEBUG_EXPAND] = {"expand", false},
    [DEBUG_FILTER] = {"filter", false},
    [DEBUG_HINTS_LOOKUP] = {"hints_lookup", true},
    [DEBUG_HOST_LOOKUP] = {"host_lookup", true},
    [DEBUG_IDENT] = {"ident", true},
    [DEBUG_INTERFACE] = {"interface", false},
    [DEBUG_LISTS] = {"lists", true},
    [DEBUG_LOAD] = {"load", false},
    [DEBUG_LOCAL_SCAN] = {"local_scan", true},
    [DEBUG_LOOKUP] = {"lookup", true},
    [DEBUG_MEMORY] = {"memory", false},
    [DEBUG_NOUTF8] = {"noutf8", false},
    [DEBUG_PID] = {"pid", false},
    [DEBUG_PROCESS_INFO] = {"process_info", true},
    [DEBUG_QUEUE_RUN] = {"queue_run", true},
    [DEBUG_RECEIVE] = {"receive", true},
    [DEBUG_RESOLVER] = {"resolver", false},
    [DEBUG_RETRY] = {"retry", true},
    [DEBUG_REWRITE] = {"rewrite", true},
    [DEBUG_ROUTE] = {"route", true},
    [DEBUG_TIMESTAMP] = {"timestamp", false},
    [DEBUG_TLS] = {"tls", true},
    [DEBUG_TRANSPORT] = {"transport", true},
    [DEBUG_UID] = {"uid", true},
    [DEBUG_VERIFY] = {"verify", true},
};

uint64_t
debug_default(void)
{
    uint64_t s = 0;
    for (int i = 0; i < DEBUG_BITS; i++) {
        if (topics[i].by_default)
            s |= DEBUG_BIT(i);
    }
    return s;
}

static uint64_t
all_topics(void)
{
    return DEBUG_BIT(DEBUG_BITS) - 1;
}

/* 0 when unknown. */
static uint64_t
topic_bits(struct str name)
{
    if (str_eqz(name, "all"))
        return all_topics();
    for (int i = 0; i < DEBUG_BITS; i++) {
        if (str_eqz(name, topics[i].name))
            return DEBUG_BIT(i);
    }
    return 0;
}

bool
debug_select(struct str text, uint64_t *selector, struct str *bad)
{
    text = str_trim(text);
    if (text.n > 1 && text.p[0] == '=' && text.n < 24) {
        char digits[24] = {0};
        memcpy(digits, text.p + 1, text.n - 1);
        *selector = strtoull(digits, NULL, 0) & all_topics();
        return true;
    }
    for (size_t at = 0; at < text.n;) {
        char sign = text.p[at];
        size_t end = at + 1;
        while (end < text.n && text.p[end] != '+' && text.p[end] != '-' &&
               !ascii_space(text.p[end]))
            end++;
        uint64_t bits = topic_bits(str_sub(text, at + 1, end - at - 1));
        if ((sign != '+' && sign != '-') || bits == 0) {
            *bad = str_sub(text, at, end - at);
            return false;
        }
        *selector = sign == '+' ? *selector | bits : *selector & ~bits;
        for (at = end; at < text.n && ascii_space(text.p[at]);)
            at++;
    }
    return true;
}

void
debug_prefix(struct buf *b, uint64_t selector)
{
    if ((selector & DEBUG_BIT(DEBUG_TIMESTAMP)) != 0) {
        struct tm tm;
        time_t now = time(NULL);
        localtime_r(&now, &tm);
        buf_printf(b, "%02d:%02d:%02d ", tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
    if ((selector & DEBUG_BIT(DEBUG_PID)) != 0)
        buf_printf(b, "%5ld ", (long)getpid());
}

void
debug_line(uint64_t selector, const char *topic, struct str text)
{
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    debug_prefix(&b, selector);
    buf_printf(&b, "%s: ", topic);
    for (uint32_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            buf_printf(&b, "\\x%02x", c);
        else
            buf_addc(&b, (char)c);
    }
    (void)fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&b)));
    arena_free(a);
}
