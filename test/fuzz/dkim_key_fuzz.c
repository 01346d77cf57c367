/* Key records: what is read lies within the record, and only a record that has a key is good. */
#include "mail/dkim_key.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str part, struct str record)
{
    bool within = part.n == 0 || (part.p >= record.p && part.p + part.n <= record.p + record.n);
    if (!within && !str_eqz(part, "*") && !str_eqz(part, "rsa"))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str record = str_from((const char *)data, size);
    struct dkim_key k;
    enum dkim_key_end end = dkim_key_read(a, record, &k);
    check(k.type_name, record);
    check(k.services, record);
    check(k.granularity, record);
    check(k.notes, record);
    if ((end == DKIM_KEY_LONG) != (size > DKIM_KEY_RECORD_MAX) ||
        (end == DKIM_KEY_OK && k.bytes.n == 0) || (end == DKIM_KEY_REVOKED && k.bytes.n > 0))
        abort();
    (void)dkim_key_is_for_mail(&k);
    struct str name =
        dkim_key_domain(a, str_sub(record, 0, size / 2), str_sub(record, size / 2, size));
    if (str_is_set(name) && (name.n > 253 || str_has_nul(name)))
        abort();
    arena_free(a);
    return 0;
}
