/* Fuzz target: any arguments to any function of the language. The first byte chooses the function, the second
 * the number of arguments; NUL bytes that follow a backslash would be usual text, so 0xfe separates. The host
 * offers nothing, so files, users and networks are out of reach. */
#include "base/arena.h"
#include "filter/fn.h"
#include "filter/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, SEPARATOR = 0xfe };

/* Password hashes take as long as a stranger's salt says. */
static bool
skipped(const struct fn *fn)
{
    return fn->call == NULL || str_eqz(fn->name, "crypteq");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct host host = {.vars = NULL};
    struct str argv[FN_ARGS_MAX];
    size_t rows;
    if (size < 2 || size > TEXT_MAX)
        return 0;
    const struct fn *fn = fn_all(&rows);
    fn += data[0] % rows;
    if (skipped(fn))
        return 0;
    unsigned argc = 0;
    unsigned want = fn->min + data[1] % (fn->max - fn->min + 1u);
    struct str rest = str_from((const char *)data + 2, size - 2);
    while (argc < want) {
        size_t end = str_chr(rest, (char)SEPARATOR, 0);
        argv[argc] = str_sub(rest, 0, end);
        if (argv[argc].p == NULL)
            argv[argc] = STR_EMPTY;
        rest = end == STR_NPOS ? str_sub(rest, rest.n, 0) : str_sub(rest, end + 1, rest.n);
        argc++;
    }
    struct vm *vm = vm_new(&host, NULL);
    struct str out = STR_EMPTY;
    vm_set_budget(vm, (struct vm_budget){.steps = 100000, .memory = 4 << 20});
    (void)fn->call(vm, argv, argc, &out);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < out.n; i++) /* every byte of the result is there */
        sum += (unsigned char)out.p[i];
    vm_free(vm);
    return sum == UINT32_MAX;
}
