/* The table of variables, and those that are a field of a model.
 *
 * A row that names a field becomes a function here; computed ones are in vars_*.c. A model that is not
 * there (no message, no address) gives an unset text, a zero or "no".
 */
#include "conf/vars.h"

#include "base/num.h"

#include "conf/eval.h"
#include "conf/model.h"

enum { INT_DIGITS = 20 };

enum vm_status
var_put_int(struct vm *vm, int64_t n, struct str *out)
{
    char digits[INT_DIGITS];
    char *const end = digits + INT_DIGITS;
    char *at = num_write_before(end, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    if (n < 0)
        *--at = '-';
    *out = str_dup(vm_scratch(vm), (struct str){at, (uint32_t)(end - at), STR_CLEAN});
    return VM_OK;
}

/* --- one function a row that names a field --- */

#define GETTER(id)                                                                             \
    static enum vm_status get_##id(void *env, struct vm *vm, struct str rest, struct str *out)

#define VAR_STR(name, id, model, field, doc)                                                   \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = e->model == NULL ? STR_NULL : e->model->field;                                  \
        return VM_OK;                                                                          \
    }
#define VAR_TAINTED(name, id, model, field, doc)                                               \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = e->model == NULL ? STR_NULL : str_tainted(e->model->field);                     \
        return VM_OK;                                                                          \
    }
#define VAR_CERT(name, id, model, field, doc)                                                  \
    VAR_TAINTED(name, id##_pem, model, field, doc)                                             \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = e->model == NULL || e->model->field.n == 0 ? STR_NULL : STR_LIT("<cert>");      \
        return VM_OK;                                                                          \
    }
#define VAR_INT(name, id, model, field, doc)                                                   \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)rest;                                                                            \
        return var_put_int(vm, e->model == NULL ? 0 : e->model->field, out);                   \
    }
#define VAR_FLAG(name, id, model, field, doc)                                                  \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)rest;                                                                            \
        return var_put_int(vm, e->model != NULL && e->model->field, out);                      \
    }
#define VAR_BOOL(name, id, model, field, doc)                                                  \
    GETTER(id)                                                                                 \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = e->model != NULL && e->model->field ? STR_LIT("yes") : STR_LIT("no");           \
        return VM_OK;                                                                          \
    }
#define VAR_TEXT(name, id, text, doc)                                                          \
    GETTER(id)                                                                                 \
    {                                                                                          \
        (void)env;                                                                             \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = STR_LIT(text);                                                                  \
        return VM_OK;                                                                          \
    }
#define VAR_FN(name, function, doc)
#define VAR_MACHINE(name, doc)
#define VAR_FAMILY_OF(name, function, accepts, doc)
#include "conf/vars.def"
#undef VAR_STR
#undef VAR_TAINTED
#undef VAR_CERT
#undef VAR_INT
#undef VAR_FLAG
#undef VAR_BOOL
#undef VAR_TEXT
#undef VAR_FN
#undef VAR_MACHINE
#undef VAR_FAMILY_OF

/* --- names of families --- */

static bool
is_digit_up_to(struct str rest, char low, char high)
{
    return rest.n == 1 && rest.p[0] >= low && rest.p[0] <= high;
}

static bool
is_0_to_9(struct str rest)
{
    return is_digit_up_to(rest, '0', '9');
}

static bool
is_1_to_9(struct str rest)
{
    return is_digit_up_to(rest, '1', '9');
}

static bool
is_1_to_4(struct str rest)
{
    return is_digit_up_to(rest, '1', '4');
}

/* acl_c and acl_m: at least one more character, the first a digit or an underscore. */
static bool
is_acl_name(struct str rest)
{
    return rest.n > 0 && (ascii_digit(rest.p[0]) || rest.p[0] == '_');
}

static bool
is_router_name(struct str rest)
{
    (void)rest;
    return true;
}

/* --- the table --- */

static const struct var rows[] = {
#define VAR_STR(name, id, model, field, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_TAINTED(name, id, model, field, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_CERT(name, id, model, field, doc)                                                  \
    {STR_INIT(name), get_##id, 0, NULL, doc},                                                  \
        {STR_INIT(name ".pem"), get_##id##_pem, VAR_HIDDEN, NULL, doc},
#define VAR_INT(name, id, model, field, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_FLAG(name, id, model, field, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_BOOL(name, id, model, field, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_TEXT(name, id, text, doc) {STR_INIT(name), get_##id, 0, NULL, doc},
#define VAR_FN(name, function, doc) {STR_INIT(name), function, 0, NULL, doc},
#define VAR_MACHINE(name, doc) {STR_INIT(name), NULL, VAR_RUNTIME, NULL, doc},
#define VAR_FAMILY_OF(name, function, accepts, doc)                                            \
    {STR_INIT(name), function, VAR_FAMILY, accepts, doc},
#include "conf/vars.def"
};

const struct var *
vars_all(size_t *n)
{
    *n = sizeof rows / sizeof *rows;
    return rows;
}
