/* Items of host lists; see the header. */
#include "routers/host_items.h"

#include "base/strlist.h"
#include "mail/ip.h"
#include "sys/entropy.h"

enum { PORT_DIGITS_MAX = 9 };

/* Takes ":digits" off the end. */
static bool
take_port(struct str *name, int64_t *port)
{
    size_t colon = str_rchr(*name, ':');
    if (colon == STR_NPOS || colon + 1 == name->n || name->n - colon - 1 > PORT_DIGITS_MAX)
        return false;
    int64_t n = 0;
    for (size_t i = colon + 1; i < name->n; i++) {
        if (!ascii_digit(name->p[i]))
            return false;
        n = n * 10 + (name->p[i] - '0');
    }
    *port = n;
    *name = str_sub(*name, 0, colon);
    return true;
}

static struct host_item
read_item(struct str text)
{
    struct host_item item = {.name = text, .preference = -1};
    struct ip ip;
    if (ip_parse(text, &ip))
        return item;
    bool has_port = take_port(&item.name, &item.port);
    size_t n = item.name.n;
    if (has_port && n > 2 && item.name.p[0] == '[' && item.name.p[n - 1] == ']')
        item.name = str_sub(item.name, 1, n - 2);
    if (n > 3 && str_ieqz(str_sub(item.name, n - 3, 3), "/mx")) {
        item.mx = true;
        item.name = str_sub(item.name, 0, n - 3);
    }
    return item;
}

/* Each order of v[from, n) is as likely as any other. */
static void
shuffle(struct host_items *items, size_t from)
{
    for (size_t i = from; i < items->v.n; i++)
        items->v.v[i].preference = -2 - (int64_t)from;
    for (size_t i = items->v.n; i > from + 1; i--) {
        size_t j = from + entropy_below(i - from);
        struct host_item swap = items->v.v[i - 1];
        items->v.v[i - 1] = items->v.v[j];
        items->v.v[j] = swap;
    }
}

struct host_items
host_items_read(struct arena *a, struct str list, enum host_order order)
{
    struct host_items items = {.v = {NULL, 0, 0}};
    struct strlist_split split = strlist_split_start(list, ':');
    struct str text;
    size_t group = 0;
    while (items.v.n < HOST_ITEMS_MAX && strlist_split_next(&split, a, &text)) {
        if (!str_eqz(text, "+")) {
            vec_push(a, &items.v, read_item(text));
            continue;
        }
        if (order == HOST_ORDER_SHUFFLE)
            shuffle(&items, group);
        group = items.v.n;
    }
    if (order == HOST_ORDER_SHUFFLE)
        shuffle(&items, group);
    return items;
}
