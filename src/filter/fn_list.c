/* Functions on lists: counting, picking, quoting, membership, and the list matches of the host. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/host.h"

enum vm_status
fn_oper_listcount(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = fn_number(vm, (int64_t)strlist_count(*argv, ':'));
    return VM_OK;
}

static const struct {
    char letter;
    const char *name; /* in error texts */
} list_types[] = {
    {'a', "address "},
    {'d', "domain "},
    {'h', "host "},
    {'l', "localpart "},
};

enum vm_status
fn_oper_listnamed(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    const struct host *h = vm_host(vm);
    const char *name = argc > 1 ? NULL : "";
    struct str list = str_starts(argv[0], "+") ? str_sub(argv[0], 1, argv[0].n) : argv[0];
    char type = argc > 1 && argv[1].n > 0 ? argv[1].p[0] : '\0';
    for (size_t i = 0; i < sizeof list_types / sizeof *list_types; i++) {
        if (list_types[i].letter == type)
            name = list_types[i].name;
    }
    if (name == NULL)
        return vm_fail(vm, "bad suffix on \"list\" operator");
    enum vm_status st = VM_NO;
    if (h->named_list != NULL)
        st = h->named_list(vm_env(vm), vm, list, type, out);
    if (st == VM_NO)
        return vm_fail(vm, "\"%.*s\" is not a %snamed list", STR_ARG(list), name);
    return st;
}

/* ${listextract: the number wraps at 32 bits, as in the reference; the front end has checked its form. */
static bool
item_number(struct str s, int32_t *out)
{
    struct str t = str_trim(s);
    uint32_t i = t.n > 0 && t.p[0] == '-' ? 1 : 0;
    uint32_t n = 0;
    for (uint32_t k = i; k < t.n; k++) {
        if (!ascii_digit(t.p[k]))
            return false;
        n = n * 10 + (uint32_t)(t.p[k] - '0');
    }
    *out = (int32_t)(i > 0 ? 0 - n : n);
    return t.n > 0;
}

enum vm_status
fn_item_listextract(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    int32_t number;
    if (str_trim(argv[0]).n == 0)
        return vm_fail(vm, "first argument of \"listextract\" must not be empty");
    if (!item_number(argv[0], &number))
        return vm_fail(vm, "first argument of \"listextract\" must be numeric");
    int64_t n = number;
    if (n < 0)
        n += 1 + (int64_t)strlist_count(argv[1], ':');
    struct strlist_split s = strlist_split_start(argv[1], ':');
    struct str item;
    for (int64_t i = 1; i <= n && strlist_split_next(&s, vm_scratch(vm), &item); i++) {
        if (i == n) {
            *out = item;
            return VM_OK;
        }
    }
    return VM_NO;
}

enum vm_status
fn_item_listquote(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    char sep = argv[0].n > 0 ? argv[0].p[0] : '\0';
    *out = argv[1];
    if (argv[1].n == 0)
        *out = STR_LIT(" ");
    if (argv[0].n == 0 || argv[1].n == 0 || str_chr(argv[1], sep, 0) == STR_NPOS)
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    strlist_append(&b, argv[1], sep, true);
    *out = buf_str(&b);
    return VM_OK;
}

/* --- conditions --- */

static enum vm_status
find(struct vm *vm, const struct str *argv, bool (*same)(struct str a, struct str b))
{
    struct strlist_split s = strlist_split_start(argv[1], ':');
    struct str item;
    while (strlist_split_next(&s, vm_scratch(vm), &item)) {
        if (same(item, argv[0])) {
            vm_set_value(vm, item);
            return VM_OK;
        }
    }
    return VM_NO;
}

enum vm_status
fn_cond_inlist(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    return find(vm, argv, str_eq);
}

enum vm_status
fn_cond_inlisti(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    return find(vm, argv, str_ieq);
}

static enum vm_status
match(struct vm *vm, const char *name, enum list_kind kind, const struct str *argv)
{
    const struct host *h = vm_host(vm);
    const struct host_match q = {
        .kind = kind, .subject = argv[0], .list = argv[1], .ip_only = kind == LIST_HOST};
    return h->match != NULL ? h->match(vm_env(vm), vm, &q) : fn_refused(vm, name);
}

enum vm_status
fn_cond_match_address(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    return match(vm, "match_address", LIST_ADDRESS, argv);
}

enum vm_status
fn_cond_match_domain(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    return match(vm, "match_domain", LIST_DOMAIN, argv);
}

enum vm_status
fn_cond_match_local_part(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    return match(vm, "match_local_part", LIST_LOCALPART, argv);
}

enum vm_status
fn_cond_match_ip(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    if (argv[0].n > 0 && fn_cond_isip(vm, argv, argc, out) != VM_OK)
        return vm_fail(vm, "\"%.*s\" is not an IP address", STR_ARG(argv[0]));
    return match(vm, "match_ip", LIST_HOST, argv);
}
