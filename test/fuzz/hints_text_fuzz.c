/* Hints as text: any bytes may be in the store. A record is shown by lines that end; one that tells its age can be read; a retry record that is
 * written anew is the same. */
#include "proc/hints_text.h"

#include "base/arena.h"
#include "engine/retry_hints.h"

#include <stdlib.h>

enum { HEAD = 3, KEY_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(struct arena *a, struct str value)
{
    struct retry_record r, again;
    if (!retry_record_read(value, &r))
        return;
    struct str made = retry_record_make(a, &r);
    if (!retry_record_read(made, &again) || again.first_failed != r.first_failed ||
        again.last_try != r.last_try || again.next_try != r.next_try ||
        again.number != r.number || again.detail != r.detail || again.expired != r.expired ||
        str_cmp(str_sub(r.text, 0, again.text.n), again.text) != 0)
        abort();
}

/* The first three bytes: kind, version, length of the key, which comes before the value. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD || size > HEAD + KEY_MAX + HINTS_VALUE_MAX)
        return 0;
    struct str rest = str_from((const char *)data + HEAD, size - HEAD);
    size_t key_n = data[2] % KEY_MAX < rest.n ? data[2] % KEY_MAX : rest.n;
    struct hints_item i = {.kind = (enum hints_kind)(data[0] % HINTS_KINDS),
                           .version = data[1],
                           .key = str_sub(rest, 0, key_n),
                           .value = str_sub(rest, key_n, rest.n)};
    if (i.kind == HINTS_WAIT)
        return 0;
    struct arena *a = arena_new();
    struct buf dump = buf_in(a, 0), fields = buf_in(a, 0);
    int64_t age;
    hints_text_dump(&dump, &i, true);
    bool known = hints_text_fields(&fields, &i, true);
    struct str shown = buf_str(&dump);
    if (shown.n == 0 || shown.p[shown.n - 1] != '\n')
        abort();
    if (hints_text_age(&i, &age) != known || known != (buf_str(&fields).n > 0))
        abort();
    if (i.kind == HINTS_RETRY)
        round_trip(a, i.value);
    arena_free(a);
    return 0;
}
