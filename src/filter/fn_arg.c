/* Numbers among the arguments of functions. The error texts are those of the reference. */
#include "filter/fn_arg.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

/* Decimal digits with an optional sign, saturating far above any length. False: something else. */
static bool
read_number(struct str s, bool negative, int64_t *out)
{
    uint32_t i = 0;
    bool minus = s.n > 0 && s.p[0] == '-';
    if (minus && !negative)
        return false;
    if (minus || (s.n > 0 && s.p[0] == '+'))
        i++;
    int64_t n = 0;
    for (; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
        if (n <= (int64_t)STR_MAX)
            n = n * 10 + (s.p[i] - '0');
    }
    *out = minus ? -n : n;
    return true;
}

static enum vm_status
apply(struct vm *vm, const struct fn_numeric *f, struct str s, const struct fn_numbers *v,
      struct str *out)
{
    return f->apply != NULL ? f->apply(s, v, out) : f->apply_vm(vm, s, v, out);
}

enum vm_status
fn_numeric_item(struct vm *vm, const struct fn_numeric *f, const struct str *argv, unsigned argc,
                struct str *out)
{
    struct fn_numbers v = {.count = argc - 1};
    unsigned given = 0;
    for (unsigned i = 0; i < argc - 1 && i < 2; i++) {
        bool negative = i == 0 && f->negative_first;
        if (argv[i].n == 0 && argc > 2)
            continue; /* an empty argument is as good as none */
        if (!read_number(argv[i], negative, &v.n[i]))
            return vm_fail(vm, "\"%.*s\" is not a %snumber (in \"%s\" expansion)",
                           STR_ARG(argv[i]), negative ? "" : "positive ", f->name);
        given = i + 1;
    }
    (void)given;
    return apply(vm, f, argv[argc - 1], &v, out);
}

static enum vm_status
bad_suffix(struct vm *vm, const char *name, const struct str *argv, unsigned argc)
{
    struct str rest = fn_join_parts(vm, argv + 1, argc - 1);
    return vm_fail(vm, "non-digit after underscore in \"%s_%.*s\"", name, STR_ARG(rest));
}

enum vm_status
fn_numeric_operator(struct vm *vm, const struct fn_numeric *f, const char *name,
                    const struct str *argv, unsigned argc, struct str *out)
{
    struct fn_numbers v = {.count = argc - 1};
    if (argc < 2 && strcmp(name, f->name) == 0)
        return vm_fail(vm, "Not enough arguments for '%s' (min is 2)", name);
    if (argc < 2)
        return vm_fail(vm, "missing values after %s", name);
    if (argc - 1 > f->max)
        return bad_suffix(vm, name, argv, argc);
    for (unsigned i = 1; i < argc; i++) {
        bool negative = i == 1 && f->negative_first;
        bool plus = argv[i].n > 0 && argv[i].p[0] == '+';
        if (argv[i].n == 0 || plus || !read_number(argv[i], negative, &v.n[i - 1]))
            return bad_suffix(vm, name, argv, argc);
    }
    return apply(vm, f, argv[0], &v, out);
}

struct str
fn_number(struct vm *vm, int64_t n)
{
    char *end = (char *)arena_alloc(vm_scratch(vm), 20) + 20;
    char *p = end;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        *--p = '-';
    return str_from(p, (size_t)(end - p));
}

struct str
fn_join_parts(struct vm *vm, const struct str *parts, unsigned n)
{
    struct buf b = buf_in(vm_scratch(vm), 0);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(&b, '_');
        buf_adds(&b, parts[i]);
    }
    return buf_str(&b);
}

enum vm_status
fn_refused(struct vm *vm, const char *what)
{
    return vm_fail(vm, "the use of \"%s\" is not permitted here", what);
}
