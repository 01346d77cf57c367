/* Fuzz target: any text as an Exim filter, compiled, listed and run. Nothing outside the machine is reached: variables and
 * lists are there, files, commands and sockets are not. */
#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "filter/filter_compile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

static void
apply(void *ctx, const struct filter_action *action)
{
    struct eval *e = ctx;
    if (action->id == FILTER_THISADDRESS)
        e->address->thisaddress = action->argv[0];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct eval *e = ARENA_NEW(a, struct eval);
    struct address address = {.arena = a};
    struct host host = {
        .header = vars_header,
        .match = list_host_match,
        .named_list = list_host_named,
        .setting = vars_setting,
    };
    host.vars = vars_all(&host.vars_n);
    e->arena = a;
    e->address = &address;
    e->lists = list_cache_new(a);
    struct vm *vm = vm_new(&host, e);
    vm_set_budget(vm, (struct vm_budget){.steps = 20000, .memory = 1024 * 1024});
    char *exact = malloc(size + 1); /* so that a byte too far is noticed */
    if (exact == NULL)
        __builtin_trap();
    if (size > 0)
        memcpy(exact, data, size);
    exact[size] = '\0';
    struct str text = str_from(exact, size);
    struct buf listing = buf_in(a, 0);
    struct diag diag;
    for (unsigned flags = 0; flags <= FILTER_TRACE_CONDITIONS;
         flags += FILTER_TRACE_CONDITIONS) {
        struct filter_run run = {
            .arena = a,
            .local_part = STR_LIT("user"),
            .domain = STR_LIT("example.org"),
            .qualify = STR_LIT("example.org"),
            .ctx = e,
            .apply = apply,
        };
        const struct filter_program *p =
            filter_compile(a, vm, STR_LIT("fuzz"), text, flags | FILTER_SYSTEM);
        filter_list(&listing, a, vm, p);
        enum vm_status st = filter_run(vm, p, &run, &diag);
        if (st == VM_NO || st == VM_FORCED)
            __builtin_trap();
        if (st == VM_OK && str_is_set(filter_syntax_error(p)))
            __builtin_trap();
    }
    vm_free(vm);
    arena_free(a);
    free(exact);
    return 0;
}
