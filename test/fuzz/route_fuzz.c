/* Fuzz target: any text as a list of hosts, as a routing rule and as the answer of a queryprogram command. Parts lie within the
 * text or are copies that are no longer, and no host item has a port that was not written. */
#include "base/arena.h"
#include "routers/host_items.h"
#include "routers/query_answer.h"
#include "routers/route_rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

static void
check_hosts(struct arena *a, struct str text)
{
    struct host_items items = host_items_read(a, text, HOST_ORDER_SHUFFLE);
    if (items.v.n > HOST_ITEMS_MAX || items.v.n > (size_t)text.n + 1)
        abort();
    for (size_t i = 0; i < items.v.n; i++) {
        const struct host_item *item = &items.v.v[i];
        if (item->name.n > text.n || item->port < 0 || item->port > 999999999)
            abort();
        if (item->port > 0 && str_chr(text, ':', 0) == STR_NPOS &&
            !(text.n > 0 && text.p[0] == '<'))
            abort();
    }
}

static void
check_rule(struct arena *a, struct str text, enum route_rule_form form)
{
    struct route_rule r = route_rule_read(a, text, form);
    if (str_is_set(r.pattern) != (form == ROUTE_RULE_LIST) || r.hosts.n > text.n)
        abort();
    struct str rest = r.options, word;
    size_t sum = 0;
    while (route_rule_option(&rest, &word)) {
        if (word.n == 0)
            abort();
        sum += word.n;
    }
    if (sum > r.options.n)
        abort();
}

static void
check_answer(struct arena *a, struct str text)
{
    struct query_answer q = query_answer_read(a, str_tainted(text));
    if ((size_t)q.word.n + q.text.n > QUERY_ANSWER_MAX || q.kind > QUERY_UNKNOWN)
        abort();
    if (q.kind != QUERY_ACCEPT && (str_is_set(q.transport) || str_is_set(q.data)))
        abort();
    if (str_chr(q.text, '\n', 0) != STR_NPOS || (q.text.n > 0 && !str_is_tainted(q.text)))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct str text = str_from((const char *)data, size);
    check_hosts(a, text);
    check_rule(a, text, ROUTE_RULE_LIST);
    check_rule(a, text, ROUTE_RULE_DATA);
    check_answer(a, text);
    arena_free(a);
    return 0;
}
