/* Functions on numbers: arithmetic, bases, intervals, comparisons, truth values. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "sys/entropy.h"

static enum vm_status
bad_integer(struct vm *vm, enum num_status st, struct str s)
{
    struct str text = num_int_error(vm_scratch(vm), st, s);
    return vm_fail(vm, "%.*s", STR_ARG(text));
}

/* --- arithmetic --- */

static enum vm_status
evaluate(struct vm *vm, struct str s, enum num_eval_base base, struct str *out)
{
    int64_t n;
    struct num_eval_error e;
    if (!num_eval(s, base, &n, &e))
        return vm_fail(vm, "error in expression evaluation: %s (after processing \"%.*s\")",
                       e.text, STR_ARG(str_sub(s, 0, e.at)));
    *out = fn_number(vm, n);
    return VM_OK;
}

enum vm_status
fn_oper_eval(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    return evaluate(vm, *argv, NUM_EVAL_ANY, out);
}

enum vm_status
fn_oper_eval10(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    return evaluate(vm, *argv, NUM_EVAL_DECIMAL, out);
}

enum vm_status
fn_oper_randint(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    int64_t bound;
    enum num_status st = argv->n == 0 ? NUM_NONE : num_parse_int(*argv, &bound);
    if (st != NUM_OK)
        return bad_integer(vm, st, *argv);
    if (bound < 0)
        return vm_fail(vm, "non-negative integer expected but \"%.*s\" found", STR_ARG(*argv));
    *out = fn_number(vm, (int64_t)entropy_below((uint64_t)bound));
    return VM_OK;
}

/* --- bases --- */

static enum vm_status
not_a_number(struct vm *vm, const char *oper, struct str s, const char *kind)
{
    return vm_fail(vm, "argument for %s operator is \"%.*s\", which is not a %s number", oper,
                   STR_ARG(s), kind);
}

enum vm_status
fn_oper_base32(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint64_t n;
    if (!num_parse_unsigned(*argv, &n))
        return not_a_number(vm, "base32", *argv, "decimal");
    char *digits = arena_alloc(vm_scratch(vm), NUM_BASE32_MAX);
    *out = str_from(digits, num_base32(n, digits));
    return VM_OK;
}

enum vm_status
fn_oper_base32d(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint64_t n;
    if (!num_base32_parse(*argv, &n))
        return not_a_number(vm, "base32d", *argv, "base 32");
    *out = fn_number(vm, (int64_t)n);
    return VM_OK;
}

enum vm_status
fn_oper_base62(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint64_t n;
    if (!num_parse_unsigned(*argv, &n))
        return not_a_number(vm, "base62", *argv, "decimal");
    char *digits = arena_alloc(vm_scratch(vm), NUM_BASE62_DIGITS);
    num_base62(n, digits);
    *out = str_from(digits, NUM_BASE62_DIGITS);
    return VM_OK;
}

enum vm_status
fn_oper_base62d(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint64_t n;
    if (!num_base62_parse(*argv, &n))
        return not_a_number(vm, "base62d", *argv, "base 62");
    *out = fn_number(vm, (int64_t)n);
    return VM_OK;
}

/* --- intervals --- */

enum vm_status
fn_oper_time_eval(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    int64_t seconds;
    if (!num_parse_interval(*argv, &seconds))
        return vm_fail(vm,
                       "string \"%.*s\" is not an Exim time interval in \"time_eval\" operator",
                       STR_ARG(*argv));
    *out = fn_number(vm, seconds);
    return VM_OK;
}

enum vm_status
fn_oper_time_interval(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint64_t n;
    bool sign = argv->n > 0 && !ascii_digit(argv->p[0]);
    if (sign || !num_parse_unsigned(*argv, &n))
        return vm_fail(vm,
                       "string \"%.*s\" is not a positive number in \"time_interval\" operator",
                       STR_ARG(*argv));
    struct buf b = buf_in(vm_scratch(vm), 0);
    num_add_interval(&b, (int32_t)(uint32_t)n); /* the reference's numbers have 32 bits here */
    *out = buf_str(&b);
    return VM_OK;
}

/* --- conditions --- */

/* Sets *order to the sign of a - b. */
static enum vm_status
compare(struct vm *vm, const struct str *argv, int *order)
{
    int64_t n[2];
    for (int i = 0; i < 2; i++) {
        enum num_status st = num_parse_int(argv[i], &n[i]);
        if (st != NUM_OK)
            return bad_integer(vm, st, argv[i]);
    }
    *order = (n[0] > n[1]) - (n[0] < n[1]);
    return VM_OK;
}

enum vm_status
fn_cond_number_eq(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    int order = 0;
    enum vm_status st = compare(vm, argv, &order);
    return st != VM_OK ? st : order == 0 ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_number_lt(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    int order = 0;
    enum vm_status st = compare(vm, argv, &order);
    return st != VM_OK ? st : order < 0 ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_number_le(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    int order = 0;
    enum vm_status st = compare(vm, argv, &order);
    return st != VM_OK ? st : order <= 0 ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_number_gt(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    int order = 0;
    enum vm_status st = compare(vm, argv, &order);
    return st != VM_OK ? st : order > 0 ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_number_ge(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    int order = 0;
    enum vm_status st = compare(vm, argv, &order);
    return st != VM_OK ? st : order >= 0 ? VM_OK : VM_NO;
}

/* Digits after an optional minus: *zero tells whether all are 0. */
static bool
is_integer(struct str s, bool *zero)
{
    uint32_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    if (i == s.n)
        return false;
    *zero = true;
    for (; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
        *zero = *zero && s.p[i] == '0';
    }
    return true;
}

enum vm_status
fn_cond_bool(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    struct str s = str_trim(*argv);
    bool zero;
    if (s.n == 0 || str_ieqz(s, "no") || str_ieqz(s, "false"))
        return VM_NO;
    if (str_ieqz(s, "yes") || str_ieqz(s, "true"))
        return VM_OK;
    if (is_integer(s, &zero))
        return zero ? VM_NO : VM_OK;
    return vm_fail(vm, "unrecognised boolean value \"%.*s\"", STR_ARG(s));
}

enum vm_status
fn_cond_bool_lax(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)vm;
    (void)argc;
    (void)out;
    struct str s = str_trim(*argv);
    bool no = s.n == 0 || str_eqz(s, "0") || str_ieqz(s, "no") || str_ieqz(s, "false");
    return no ? VM_NO : VM_OK;
}
