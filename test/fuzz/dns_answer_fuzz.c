/* Answers of the DNS: a message that is read gives no more than it holds, and reading it again gives the same. */
#include "mail/dns_answer.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4 * DNS_NAME_MAX }; /* of a name with escapes */

static void
check(const struct dns_record *r)
{
    struct str rest = r->bytes, text;
    if (r->owner.n > TEXT_MAX || r->name.n > TEXT_MAX || r->mailbox.n > TEXT_MAX ||
        r->ttl_s > 0x7fffffff)
        abort();
    if (str_has_nul(r->owner) || str_has_nul(r->name))
        abort();
    if (r->type == DNS_TXT && rest.n > 0)
        while (dns_answer_next_text(&rest, &text))
            continue;
    if (r->type == DNS_TXT && rest.n > 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct dns_answer m, again;
    struct str wire = str_from((const char *)data, size);
    bool ok = dns_answer_read(a, wire, &m);
    if (ok != dns_answer_read(a, wire, &again) || m.answers.n != again.answers.n ||
        m.answers.n > DNS_RECORDS_MAX || m.authority.n > DNS_RECORDS_MAX ||
        m.answers.n * 11 > size)
        abort();
    for (size_t i = 0; i < m.answers.n; i++)
        check(&m.answers.v[i]);
    for (size_t i = 0; i < m.authority.n; i++)
        check(&m.authority.v[i]);
    arena_free(a);
    return 0;
}
