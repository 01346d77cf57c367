/* Numbers among the arguments of functions. The error texts are those of the reference. */
#include "filter/fn_arg.h"

#include "base/arena.h"
#include "base/buf.h"
#include "filter/host.h"

#include <string.h>

/* Like strtol on a whole value: white space, a sign, decimal digits; the empty value is 0. Saturates far
 * above any length. False: something else. */
static bool
read_number(struct str s, int64_t *out)
{
    struct str t = str_trim_left(s);
    bool minus = t.n > 0 && t.p[0] == '-';
    uint32_t i = minus || (t.n > 0 && t.p[0] == '+') ? 1 : 0;
    *out = 0;
    if (i == t.n)
        return s.n == 0;
    int64_t n = 0;
    for (; i < t.n; i++) {
        if (!ascii_digit(t.p[i]))
            return false;
        if (n <= (int64_t)STR_MAX)
            n = n * 10 + (t.p[i] - '0');
    }
    *out = minus ? -n : n;
    return true;
}

enum vm_status
fn_numeric_item(struct vm *vm, const struct fn_numeric *f, const struct str *argv,
                unsigned argc, struct str *out)
{
    struct fn_numbers v = {.count = argc - 1};
    for (unsigned i = 0; i < v.count && i < 2; i++) {
        bool negative = i == 0 && f->negative_first;
        if (!read_number(argv[i], &v.n[i]) || (v.n[i] < 0 && !negative))
            return vm_fail(vm, "\"%.*s\" is not a %snumber (in \"%s\" expansion)",
                           STR_ARG(argv[i]), negative ? "" : "positive ", f->name);
    }
    return f->apply(vm, argv[argc - 1], &v, out);
}

static enum vm_status
bad_suffix(struct vm *vm, const char *name, const struct str *argv, unsigned argc)
{
    struct str rest = fn_join_parts(vm, argv + 1, argc - 1);
    return vm_fail(vm, "non-digit after underscore in \"%s_%.*s\"", name, STR_ARG(rest));
}

/* One part of the suffix: digits, of substr the first perhaps after a minus. A lone part may have no digits, which is 0. */
static bool
read_part(struct str s, bool negative, bool lone, int64_t *out)
{
    struct str digits = negative && s.n > 0 && s.p[0] == '-' ? str_sub(s, 1, s.n) : s;
    if (digits.n == 0) {
        *out = 0;
        return lone;
    }
    return ascii_digit(digits.p[0]) && read_number(s, out);
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
    if (v.count > f->max)
        return bad_suffix(vm, name, argv, argc);
    for (unsigned i = 0; i < v.count; i++) {
        bool negative = i == 0 && f->negative_suffix;
        if (!read_part(argv[i + 1], negative, argc == 2, &v.n[i]))
            return bad_suffix(vm, name, argv, argc);
    }
    return f->apply(vm, argv[0], &v, out);
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

struct str
fn_setting(struct vm *vm, const char *name)
{
    return vm_setting(vm, name);
}

bool
fn_setting_on(struct vm *vm, const char *name)
{
    struct str v = fn_setting(vm, name);
    bool short_enough =
        v.n - 1 < sizeof "true" - 1; /* "false" is what nearly all settings are */
    return short_enough && (str_ieqz(v, "true") || str_ieqz(v, "yes") || str_eqz(v, "1"));
}

bool
fn_setting_off(struct vm *vm, const char *name)
{
    struct str v = fn_setting(vm, name);
    return str_ieqz(v, "false") || str_ieqz(v, "no") || str_eqz(v, "0");
}

enum vm_status
fn_refused(struct vm *vm, const char *what)
{
    return vm_fail(vm, "the use of \"%s\" is not permitted here", what);
}
