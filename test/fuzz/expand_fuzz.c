/* Fuzz target: any text as an expansion string and as a condition. Nothing outside the machine is
 * reached: lists and variables are there, files, commands and sockets are not. */
#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "conf/vars.h"
#include "filter/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct eval *e = ARENA_NEW(a, struct eval);
    struct host host = {
        .header = vars_header,
        .match = list_host_match,
        .named_list = list_host_named,
        .setting = vars_setting,
    };
    host.vars = vars_all(&host.vars_n);
    e->arena = a;
    e->lists = list_cache_new(a);
    struct vm *vm = vm_new(&host, e);
    vm_set_budget(vm, (struct vm_budget){.steps = 20000, .memory = 1024 * 1024});
    struct str text = str_dup(a, str_from((const char *)data, size));
    struct str out;
    struct buf listing = buf_in(a, 0);
    code_list(&listing, expand_compile(a, vm, text, NULL, NULL));
    if (vm_expand(vm, text, &out) == VM_OK && out.n > 0 && out.p == NULL)
        __builtin_trap();
    (void)vm_condition(vm, text);
    vm_free(vm);
    arena_free(a);
    return 0;
}
