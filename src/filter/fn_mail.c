/* Functions on addresses, IP addresses, header texts and internationalised names. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/host.h"
#include "filter/vm_state.h"
#include "mail/address.h"
#include "mail/ip.h"
#include "mail/rfc2047.h"
#include "sys/charset.h"
#include "sys/idn.h"

#include <string.h>

enum { REMEMBERED_MAX = 256 };

/* --- addresses --- */

/* The last address that was good: filters and ACLs ask for the parts of one and the same header text. */
struct vm_address {
    unsigned flags;
    struct str from; /* in `given` */
    struct str text; /* in `made` */
    uint32_t domain;
    char given[REMEMBERED_MAX];
    char made[REMEMBERED_MAX];
};

static bool
is_remembered(const struct vm_address *m, struct str s, unsigned flags)
{
    return m != NULL && m->flags == flags && m->from.taint == s.taint && str_eq(m->from, s);
}

static void
remember(struct vm *vm, struct str s, unsigned flags, const struct address_parts *a)
{
    if (s.n > REMEMBERED_MAX || a->text.n > REMEMBERED_MAX)
        return;
    if (vm->address == NULL)
        vm->address = ARENA_NEW(vm->own, struct vm_address);
    struct vm_address *m = vm->address;
    m->flags = flags;
    m->domain = a->domain;
    m->from = (struct str){m->given, s.n, s.taint};
    m->text = (struct str){m->made, a->text.n, a->text.taint};
    memcpy(m->given, s.p, s.n);
    memcpy(m->made, a->text.p, a->text.n);
}

/* Fills in text and domain. */
static bool
parse(struct vm *vm, struct str s, struct address_parts *out)
{
    unsigned flags = 0;
    if (fn_setting_on(vm, "allow_domain_literals"))
        flags |= ADDRESS_LITERAL;
    if (fn_setting_on(vm, "allow_utf8_domains"))
        flags |= ADDRESS_UTF8_DOMAIN;
    if (fn_setting_on(vm, "strip_trailing_dot"))
        flags |= ADDRESS_STRIP_DOT;
    if (fn_setting_on(vm, "strip_excess_angle_brackets"))
        flags |= ADDRESS_STRIP_ANGLES;
    if (is_remembered(vm->address, s, flags)) {
        out->text = str_dup(vm_scratch(vm), vm->address->text);
        out->domain = vm->address->domain;
        return true;
    }
    if (address_parse(vm_scratch(vm), s, flags, out) != ADDRESS_OK)
        return false;
    remember(vm, s, flags, out);
    return true;
}

enum vm_status
fn_oper_address(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct address_parts a;
    *out = parse(vm, *argv, &a) ? a.text : STR_EMPTY;
    return VM_OK;
}

enum vm_status
fn_oper_domain(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct address_parts a;
    bool good = parse(vm, *argv, &a) && a.domain > 0;
    *out = good ? str_sub(a.text, a.domain, a.text.n) : STR_EMPTY;
    return VM_OK;
}

enum vm_status
fn_oper_local_part(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct address_parts a;
    *out = STR_EMPTY;
    if (parse(vm, *argv, &a))
        *out = a.domain > 0 ? str_sub(a.text, 0, a.domain - 1) : a.text;
    return VM_OK;
}

enum vm_status
fn_oper_addresses(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str list = str_trim_left(*argv);
    char sep = ':';
    if (list.n > 0 && list.p[0] == '>') {
        if (list.n == 1)
            return vm_fail(vm, "output separator missing in expanding ${addresses:%.*s}",
                           STR_ARG(list));
        sep = list.p[1];
        list = str_sub(list, 2, list.n);
    }
    struct buf b = buf_in(vm_scratch(vm), 0);
    address_add_all(&b, list, sep);
    *out = buf_str(&b);
    return VM_OK;
}

/* --- IP addresses --- */

static enum vm_status
not_ip(struct vm *vm, struct str s)
{
    return vm_fail(vm, "\"%.*s\" is not an IP address", STR_ARG(s));
}

enum vm_status
fn_oper_ipv6norm(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct ip ip;
    if (!ip_parse(*argv, &ip))
        return not_ip(vm, *argv);
    ip = ip_to_v6(ip);
    *out = ip_text_norm(vm_scratch(vm), &ip);
    return VM_OK;
}

enum vm_status
fn_oper_ipv6denorm(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct ip ip;
    if (!ip_parse(*argv, &ip))
        return not_ip(vm, *argv);
    ip = ip_to_v6(ip);
    *out = ip_text_full(vm_scratch(vm), &ip, ':');
    return VM_OK;
}

enum vm_status
fn_oper_mask(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    struct ip_net net;
    enum ip_net_status st = ip_net_parse(argv[0], &net);
    if (st != IP_NET_OK) {
        struct str text = ip_net_error(vm_scratch(vm), st, argv[0]);
        return vm_fail(vm, "%.*s", STR_ARG(text));
    }
    bool norm = argc > 1 && str_eqz(argv[1], "n");
    *out = ip_text_masked(vm_scratch(vm), &net, norm ? IP_MASK_NORM : IP_MASK_DOTS);
    return VM_OK;
}

/* Without the slash and the digits that may stand at the end of an address. */
static struct str
without_mask(struct str s)
{
    uint32_t end = s.n;
    while (end > 0 && ascii_digit(s.p[end - 1]))
        end--;
    bool mask = end > 0 && s.p[end - 1] == '/' && str_chr(s, '%', 0) == STR_NPOS;
    return mask ? str_sub(s, 0, end - 1) : s;
}

enum vm_status
fn_oper_reverse_ip(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct ip ip;
    if (!ip_parse(without_mask(*argv), &ip))
        return vm_fail(vm, "reverse_ip() not given an IP address [%.*s]", STR_ARG(*argv));
    *out = ip_text_reverse(vm_scratch(vm), &ip);
    return VM_OK;
}

enum vm_status
fn_cond_isip(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)vm;
    (void)argc;
    (void)out;
    return ip_is(*argv, 0) ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_isip4(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)vm;
    (void)argc;
    (void)out;
    return ip_is(*argv, 4) ? VM_OK : VM_NO;
}

enum vm_status
fn_cond_isip6(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)vm;
    (void)argc;
    (void)out;
    return ip_is(*argv, 6) ? VM_OK : VM_NO;
}

/* --- header texts --- */

enum vm_status
fn_oper_rfc2047(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str charset = fn_setting(vm, "headers_charset");
    *out = rfc2047_encode(vm_scratch(vm), *argv, charset.n > 0 ? charset : STR_LIT("UTF-8"));
    return VM_OK;
}

enum vm_status
fn_oper_rfc2047d(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str charset = fn_setting(vm, "headers_charset");
    struct charset_target to = charset_target(charset.n > 0 ? charset : STR_LIT("UTF-8"));
    struct str error = STR_NULL;
    bool any = fn_setting_off(vm, "check_rfc2047_length");
    struct str s =
        rfc2047_decode(vm_scratch(vm), *argv, &to, any ? RFC2047_ANY_LENGTH : 0, &error);
    if (str_is_set(error))
        return vm_fail(vm, "%.*s", STR_ARG(error));
    *out = s;
    return VM_OK;
}

enum vm_status
fn_oper_headerwrap(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    uint64_t v[2] = {HEADERWRAP_COLS, HEADERWRAP_LIMIT};
    for (unsigned i = 1; i < argc && i <= 2; i++) {
        if (!num_parse_digits(argv[i], &v[i - 1]))
            return vm_fail(vm, "bad suffix on \"headerwrap\" operator");
    }
    *out = rfc2047_wrap(vm_scratch(vm), argv[0], (size_t)v[0], (size_t)v[1]);
    return VM_OK;
}

/* --- internationalised names --- */

typedef bool idn_conversion(struct arena *a, struct str s, struct str *out, const char **error);

static enum vm_status
convert(struct vm *vm, struct str s, idn_conversion *how, const char *from, const char *to,
        struct str *out)
{
    const char *error = "";
    if (how(vm_scratch(vm), s, out, &error))
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    fn_add_escaped(&b, s, false);
    struct str shown = buf_str(&b);
    return vm_fail(vm, "error converting %s (%.*s) to %s: %s", from, STR_ARG(shown), to, error);
}

enum vm_status
fn_oper_utf8_domain_to_alabel(struct vm *vm, const struct str *argv, unsigned argc,
                              struct str *out)
{
    (void)argc;
    return convert(vm, *argv, idn_domain_to_alabel, "utf8", "alabel", out);
}

enum vm_status
fn_oper_utf8_domain_from_alabel(struct vm *vm, const struct str *argv, unsigned argc,
                                struct str *out)
{
    (void)argc;
    return convert(vm, *argv, idn_domain_from_alabel, "alabel", "utf8", out);
}

enum vm_status
fn_oper_utf8_localpart_to_alabel(struct vm *vm, const struct str *argv, unsigned argc,
                                 struct str *out)
{
    (void)argc;
    return convert(vm, *argv, idn_localpart_to_alabel, "utf8", "alabel", out);
}

enum vm_status
fn_oper_utf8_localpart_from_alabel(struct vm *vm, const struct str *argv, unsigned argc,
                                   struct str *out)
{
    (void)argc;
    return convert(vm, *argv, idn_localpart_from_alabel, "alabel", "utf8", out);
}
