/* Fuzz target: any text as a list, as the content of a file of items, as @@ data, and as a subject.
 *
 * The first byte chooses the kind; the subject ends at the first newline, the list follows. Files are never
 * opened (a list with a slash is marked, so that they are refused); names come from nowhere.
 */
#include "base/arena.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/list_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

static enum vm_status
lookup_type(void *env, struct vm *vm, struct str type, struct host_lookup_type *out)
{
    (void)env;
    *out = (struct host_lookup_type){.query_style = type.n > 0 && type.p[0] == 'q'};
    return type.n == 0 ? vm_fail(vm, "unknown lookup type \"\"") : VM_OK;
}

/* Finds the key in the text of the query or file: data that the list itself gave. */
static enum vm_status
lookup(void *env, struct vm *vm, const struct host_lookup *q, struct str *out)
{
    (void)env;
    *out = q->file;
    if (q->file.n % 5 == 4)
        return vm_defer(vm, "deferred");
    return q->file.n % 3 == 2 ? VM_NO : VM_OK;
}

static enum vm_status
resolve(void *env, struct vm *vm, const struct host_resolve *q, struct str *out)
{
    (void)env;
    (void)vm;
    *out = STR_LIT("10.0.0.1\nhost.example\n");
    return q->subject.n % 2 == 0 ? VM_OK : VM_NO;
}

static void
check_lines(struct arena *a, enum list_kind kind, struct str text)
{
    struct str next;
    const struct list *l = list_compile_lines(a, kind, text);
    if (l->n + l->set.n != l->count)
        __builtin_trap();
    (void)list_compile_patterns(a, kind, text, &next);
}

static void
ask(struct eval *e, struct vm *vm, uint8_t how, struct str subject, struct str list)
{
    struct list_question q = {.kind = (enum list_kind)(how & 3),
                              .subject = subject,
                              .list = list,
                              .ip_only = (how & 4) != 0,
                              .caseful = (how & 8) != 0,
                              .captures = (how & 16) != 0,
                              .remember = (how & 32) != 0};
    struct list_answer first, second;
    vm_reset_state(vm);
    enum outcome o = list_match(e, vm, &q, &first);
    vm_reset_state(vm);
    if (o != list_match(e, vm, &q, &second) || !str_eq(first.value, second.value))
        __builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct conf *conf = ARENA_NEW(a, struct conf);
    struct eval e = {.conf = conf, .arena = a, .lists = list_cache_new(a)};
    struct host host = {.lookup_type = lookup_type, .lookup = lookup, .resolve = resolve};
    struct vm *vm = vm_new(&host, &e);
    struct str text = str_dup(a, str_from((const char *)data + 1, size - 1));
    size_t nl = str_chr(text, '\n', 0);
    struct str subject = str_sub(text, 0, nl == STR_NPOS ? 0 : nl);
    struct str list = nl == STR_NPOS ? text : str_sub(text, nl + 1, text.n);
    struct named_list named = {.name = STR_LIT("n"), .text.text = list};
    for (size_t i = 0; i < 4; i++) {
        conf->lists[i] = map_new(a, MAP_CASEFUL);
        map_set(conf->lists[i], named.name, &named);
    }
    if (str_chr(list, '/', 0) == STR_NPOS)
        ask(&e, vm, data[0], subject, STR_LIT("+n"));
    else
        list = str_tainted(list);
    ask(&e, vm, data[0], subject, list);
    check_lines(a, (enum list_kind)(data[0] & 3), list);
    vm_free(vm);
    arena_free(a);
    return 0;
}
