/* Texts about connections that go from one process to another. The first byte says which: what the server can (0), TLS (1), domains (2), as whom (3).
 * What is read is written again as the same bytes, or as bytes that are read as the same; what is not is refused. */
#include "engine/held_text.h"

#include "base/arena.h"
#include "engine/turned.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool good)
{
    if (!good)
        abort();
}

static void
try_server(struct arena *a, struct str in)
{
    struct smtp_client *one = ARENA_NEW(a, struct smtp_client),
                       *two = ARENA_NEW(a, struct smtp_client);
    struct smtp_mail mail = {.auth = STR_NULL}, again = {.auth = STR_NULL};
    struct buf first = buf_in(a, 0), second = buf_in(a, 0);
    if (!held_text_read_server(in, one, &mail))
        return;
    held_text_add_server(&first, one, &mail);
    require(held_text_read_server(buf_str(&first), two, &again));
    held_text_add_server(&second, two, &again);
    require(str_eq(buf_str(&first), buf_str(&second)));
    require(one->peer.size_max >= 0 && one->peer.rcpt_max >= 0 && one->secure == NULL);
}

static void
try_tls(struct arena *a, struct str in)
{
    struct tls_state one, two;
    if (!held_text_read_tls(in, &one))
        return;
    struct str text = held_text_tls(a, &one);
    require(held_text_read_tls(text, &two) && str_eq(text, held_text_tls(a, &two)));
    require(one.bits >= 0 && one.bits <= INT32_MAX && !str_is_set(one.peercert));
    require(str_chr(one.cipher, '\n', 0) == STR_NPOS &&
            str_chr(one.version, '\n', 0) == STR_NPOS);
}

static void
try_domains(struct arena *a, struct str in)
{
    struct str some = turned_domains_that_travel(in);
    require(some.n <= HELD_TEXT_MAX && str_eq(some, str_sub(in, 0, some.n)));
    require(some.n == in.n || some.n == 0 || in.p[some.n] == ',');
    struct str pattern = turned_pattern(a, some);
    require(str_starts(pattern, "@(") && str_ends(pattern, STR_LIT(")")));
    for (struct str rest = some; rest.n > 0;)
        require(turned_has_domain(some, str_trim(str_take_until(&rest, ','))));
}

static void
try_who(struct arena *a, struct str in)
{
    struct held_who who;
    struct buf b = buf_in(a, 0);
    if (!held_text_read_who(in, &who))
        return;
    require(held_text_add_who(&b, &who) == !str_has_nul(in));
    require(str_has_nul(in) || str_eq(buf_str(&b), in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    struct arena *a = arena_new();
    struct str in = str_from((const char *)data + 1, size - 1);
    if (data[0] % 4 == 0)
        try_server(a, in);
    else if (data[0] % 4 == 1)
        try_tls(a, in);
    else if (data[0] % 4 == 2)
        try_domains(a, in);
    else
        try_who(a, in);
    arena_free(a);
    return 0;
}
