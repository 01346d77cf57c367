/* Fuzz target: the first line is an address, the others are a rewrite section, which is then applied to it. */
#include "base/arena.h"
#include "engine/rewrite.h"
#include "filter/host.h"
#include "mail/address.h"
#include "proc/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, LINES_MAX = 16 };

static void
apply(struct arena *a, const struct rewrite_rules *rules, struct str item)
{
    struct wiring w = wire_command_line(a, NULL);
    /* Nothing outside the program. */
    struct host bare = {.vars = vm_host(w.vm)->vars,
                        .vars_n = vm_host(w.vm)->vars_n,
                        .match = vm_host(w.vm)->match};
    struct vm *vm = vm_new(&bare, w.eval);
    vm_set_budget(vm, (struct vm_budget){.steps = 20000, .memory = 4 << 20});
    struct rewriting r = {.rules = rules, .eval = w.eval, .vm = vm};
    struct str out;
    for (unsigned place = 1; place <= REWRITE_ENV_TO; place <<= 1) {
        struct address_parts p;
        bool changed = rewrite_item(&r, a, place, item, &out);
        if (changed && place == REWRITE_ENV_TO &&
            address_parse(a, out, ADDRESS_LITERAL, &p) == ADDRESS_BAD)
            abort();
    }
    rewrite_smtp(&r, a, item, &out);
    vm_free(vm);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct conf_line lines[LINES_MAX];
    struct str text = str_from((const char *)data, size), item = STR_EMPTY;
    size_t n = 0;
    bool first = true;
    for (size_t at = 0; at < text.n && n < LINES_MAX;) {
        size_t end = str_chr(text, '\n', at);
        end = end == STR_NPOS ? text.n : end;
        struct str line = str_trim(str_sub(text, at, end - at));
        at = end + 1;
        if (first)
            item = line;
        else if (line.n > 0)
            lines[n++] = (struct conf_line){.text = line, .line = 1};
        first = false;
    }
    void *result = NULL;
    rewrite_section.parse(a, lines, n, d, &result);
    if (result != NULL)
        apply(a, result, item);
    arena_free(a);
    return 0;
}
