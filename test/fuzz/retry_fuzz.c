/* Fuzz target: any text as a retry section. A rule that was accepted has only good steps, and what -brt shows of its
 * error is read back as the same error. */
#include "base/arena.h"
#include "base/buf.h"
#include "engine/retry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384, LINES_MAX = 256 };

static void
check_rule(struct arena *a, const struct retry_rule *r)
{
    struct buf out = buf_in(a, 0), name = buf_in(a, 0);
    retry_rule_add(&out, r);
    for (size_t i = 0; i < r->steps.n; i++) {
        if (r->steps.v[i].cutoff_s <= 0 || r->steps.v[i].interval_s <= 0)
            abort();
    }
    struct retry_error again;
    struct str fault;
    retry_error_add(&name, &r->error);
    if (!retry_error_parse(a, buf_str(&name), &again, &fault))
        abort();
    if (again.kind != RETRY_ANY &&
        (again.kind != r->error.kind || again.host != r->error.host ||
         again.unread_s != r->error.unread_s))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct conf_line *lines = ARENA_ARRAY(a, struct conf_line, LINES_MAX);
    struct str text = str_from((const char *)data, size);
    size_t n = 0;
    for (size_t at = 0; at < text.n && n < LINES_MAX;) {
        size_t end = str_chr(text, '\n', at);
        end = end == STR_NPOS ? text.n : end;
        lines[n] = (struct conf_line){.text = str_trim(str_sub(text, at, end - at)),
                                      .line = (uint32_t)n + 1};
        n += lines[n].text.n > 0 ? 1 : 0;
        at = end + 1;
    }
    void *result = NULL;
    bool ok = retry_section.parse(a, lines, n, d, &result);
    if (ok != (diags_total(d) == 0))
        abort();
    const struct retry_rules *rules = result;
    for (size_t i = 0; rules != NULL && i < rules->v.n; i++)
        check_rule(a, &rules->v.v[i]);
    arena_free(a);
    return 0;
}
