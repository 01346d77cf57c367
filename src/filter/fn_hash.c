/* Hashes: Exim's textual and numeric ones, message digests, keyed digests.
 *
 * A certificate (the PEM text of a $tls_*cert variable) is digested as what it stands for, its DER form.
 */
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "sys/digest.h"

#include <string.h>

/* --- ${hash --- */

/* As the reference has it: t before s. */
static const char letters[] = "abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
enum { LETTERS = sizeof letters - 1, LETTERS_DEFAULT = 26 };

static unsigned char
rotate(unsigned char c, unsigned by)
{
    by &= 7;
    return (unsigned char)(c << by | c >> (8 - by));
}

/* The first n bytes; each later one is rotated by its value and place and joined to one of them, round and
 * round. */
static struct str
text_hash(struct vm *vm, struct str s, size_t n, size_t m)
{
    char *p = arena_alloc(vm_scratch(vm), n);
    size_t j = 0;
    memcpy(p, s.p, n);
    for (uint32_t i = (uint32_t)n; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        p[j] = (char)((unsigned char)p[j] ^ rotate(c, c + i));
        j = j + 1 < n ? j + 1 : 0;
    }
    for (j = 0; j < n; j++)
        p[j] = letters[(unsigned char)p[j] % m];
    return str_from(p, n);
}

static enum vm_status
hash(struct vm *vm, struct str s, const struct fn_numbers *v, struct str *out)
{
    int64_t n = v->n[0];
    int64_t m = v->count > 1 ? v->n[1] : LETTERS_DEFAULT;
    if (m > LETTERS)
        return vm_fail(vm, "hash count \"%lld\" too big", (long long)m);
    if (n < 0)
        return vm_fail(vm, "\"%lld\" is not a positive number (in \"hash\" expansion)",
                       (long long)n);
    if (n >= s.n) {
        *out = s;
        return VM_OK;
    }
    *out = STR_EMPTY;
    if (n == 0)
        return VM_OK;
    if (m == 0)
        return vm_fail(vm, "\"0\" is not a positive number (in \"hash\" expansion)");
    *out = text_hash(vm, s, (size_t)n, (size_t)m);
    return VM_OK;
}

static const struct fn_numeric hash_item = {"hash", 2, true, false, hash};

enum vm_status
fn_item_hash(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_item(vm, &hash_item, argv, argc, out);
}

enum vm_status
fn_oper_hash(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &hash_item, "hash", argv, argc, out);
}

enum vm_status
fn_oper_h(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &hash_item, "h", argv, argc, out);
}

/* --- ${nhash --- */

/* Weights of the bytes in turn. */
static const unsigned char weights[] = {113, 109, 107, 103, 101, 97, 89, 83, 79, 73,
                                        71,  67,  61,  59,  53,  47, 43, 41, 37, 31,
                                        29,  23,  19,  17,  13,  11, 7,  5,  3};

static enum vm_status
nhash(struct vm *vm, struct str s, const struct fn_numbers *v, struct str *out)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s.n; i++)
        sum += weights[i % sizeof weights] * (uint32_t)(unsigned char)s.p[i];
    uint32_t n = (uint32_t)v->n[0];
    uint32_t m = v->count > 1 ? (uint32_t)v->n[1] : 1;
    if (n * m == 0)
        return vm_fail(vm, "\"0\" is not a positive number (in \"nhash\" expansion)");
    sum %= n * m;
    *out = fn_number(vm, sum / m);
    if (v->count > 1)
        *out = str_printf(vm_scratch(vm), "%u/%u", sum / m, sum % m);
    return VM_OK;
}

static const struct fn_numeric nhash_item = {"nhash", 2, true, false, nhash};

enum vm_status
fn_item_nhash(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_item(vm, &nhash_item, argv, argc, out);
}

enum vm_status
fn_oper_nhash(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &nhash_item, "nhash", argv, argc, out);
}

enum vm_status
fn_oper_nh(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &nhash_item, "nh", argv, argc, out);
}

/* --- digests --- */

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----\n";
static const char pem_end[] = "\n-----END CERTIFICATE-----";

/* True if the value is one certificate in PEM form; then *body is its base 64 text. */
static bool
is_certificate(struct str s, struct str *body)
{
    if (!str_starts(s, pem_begin))
        return false;
    struct str end = STR_INIT(pem_end);
    size_t at = str_find(s, end, sizeof pem_begin - 2);
    if (at == STR_NPOS || str_trim(str_sub(s, at + end.n, s.n)).n > 0)
        return false;
    *body = str_sub(s, sizeof pem_begin - 1, at - (sizeof pem_begin - 1));
    return true;
}

static struct str
certificate_or_text(struct vm *vm, struct str s)
{
    struct str body;
    struct str der;
    if (is_certificate(s, &body) && base64_decode(vm_scratch(vm), body, &der, NULL))
        return der;
    return s;
}

static struct str
hex(struct vm *vm, const unsigned char *bytes, size_t n, enum digest_case form)
{
    char *p = arena_alloc(vm_scratch(vm), 2 * n);
    digest_hex(bytes, n, form, p);
    return str_from(p, 2 * n);
}

static struct str
digest(struct vm *vm, const char *name, struct str s, enum digest_case form)
{
    unsigned char bytes[DIGEST_MAX];
    size_t n = digest_bytes(digest_find(str_from_cstr(name)), s, bytes);
    return hex(vm, bytes, n, form);
}

enum vm_status
fn_oper_md5(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    /* The fingerprint of a certificate has upper-case digits, as with the other digests. */
    struct str s = certificate_or_text(vm, *argv);
    *out = digest(vm, "md5", s, s.p == argv->p ? DIGEST_LOWER : DIGEST_UPPER);
    return VM_OK;
}

enum vm_status
fn_oper_sha1(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = digest(vm, "sha1", certificate_or_text(vm, *argv), DIGEST_UPPER);
    return VM_OK;
}

/* sha2_256 and its kind: the family, a hyphen, the suffix. */
static enum vm_status
family(struct vm *vm, const char *name, const struct str *argv, unsigned argc, struct str *out)
{
    struct str bits = argc > 1 ? fn_join_parts(vm, argv + 1, argc - 1) : STR_LIT("256");
    struct str full = str_printf(vm_scratch(vm), "%s-%.*s", name, STR_ARG(bits));
    const struct digest *d = digest_find(full);
    bool refused = strcmp(name, "sha2") == 0 && str_eqz(bits, "224"); /* not in Exim's family */
    if (d == NULL || refused)
        return vm_fail(vm, "unrecognised %s variant", name);
    unsigned char bytes[DIGEST_MAX];
    *out = hex(vm, bytes, digest_bytes(d, argv[0], bytes), DIGEST_UPPER);
    return VM_OK;
}

enum vm_status
fn_oper_sha256(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    if (argc > 1)
        return family(vm, "sha2", argv, argc, out);
    *out = digest(vm, "sha256", certificate_or_text(vm, *argv), DIGEST_UPPER);
    return VM_OK;
}

enum vm_status
fn_oper_sha2(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return family(vm, "sha2", argv, argc, out);
}

enum vm_status
fn_oper_sha3(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return family(vm, "sha3", argv, argc, out);
}

enum vm_status
fn_oper_base64(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = base64_encode(vm_scratch(vm), certificate_or_text(vm, *argv));
    return VM_OK;
}

enum vm_status
fn_item_hmac(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct digest *d = digest_find(argv[0]);
    if (d == NULL)
        return vm_fail(vm, "hmac algorithm \"%.*s\" is not recognised", STR_ARG(argv[0]));
    unsigned char bytes[DIGEST_MAX];
    *out = hex(vm, bytes, digest_hmac(d, argv[1], argv[2], bytes), DIGEST_LOWER);
    return VM_OK;
}
