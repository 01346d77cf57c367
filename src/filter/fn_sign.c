/* Signed addresses (BATV's prvs, SRS) and password checks.
 *
 * A signed address is what a stranger sends: it is taken apart by hand, and every part is checked before it
 * is used. Source: specification, "Bounce address tag validation", "SRS", condition crypteq.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "mail/address.h"
#include "sys/digest.h"
#include "sys/password.h"

#include <assert.h>
#include <time.h>

static int64_t
today(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec / 86400;
}

/* The first n hexadecimal digits of a keyed digest. */
static void
keyed(const char *digest, struct str key, struct str text, size_t n, char *out)
{
    unsigned char bytes[DIGEST_MAX];
    digest_hmac(digest_find(str_from_cstr(digest)), key, text, bytes);
    digest_hex(bytes, n / 2, DIGEST_LOWER, out);
}

/* --- prvs: prvs=KDDDHHHHHH=local@domain --- */

enum {
    PRVS_DAYS = 7,     /* how long a signature lasts */
    PRVS_CYCLE = 1000, /* days are counted modulo this */
    PRVS_HASH = 6,
    PRVS_TAG = 4 + PRVS_HASH, /* key, day, hash */
};

/* key, day and address go into the hash as they stand */
static void
prvs_hash(struct vm *vm, struct str tag, struct str address, struct str secret,
          char hash[PRVS_HASH])
{
    struct str text = str_cat(vm_scratch(vm), tag, address);
    keyed("sha1", secret, text, PRVS_HASH, hash);
}

enum vm_status
fn_item_prvs(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    struct str key = argc > 2 ? argv[2] : STR_LIT("0");
    size_t at = str_rchr(argv[0], '@');
    if (at == STR_NPOS || at == 0 || at + 1 == argv[0].n)
        return vm_fail(vm, "prvs first argument must be a qualified email address");
    if (key.n != 1 || !ascii_digit(key.p[0]))
        return vm_fail(vm, "prvs third argument must be a single digit");
    struct str tag = str_printf(vm_scratch(vm), "%c%03d", key.p[0],
                                (int)((today() + PRVS_DAYS) % PRVS_CYCLE));
    char hash[PRVS_HASH];
    prvs_hash(vm, tag, argv[0], argv[1], hash);
    struct buf b = buf_in(vm_scratch(vm), 0);
    buf_addz(&b, "prvs=");
    buf_adds(&b, tag);
    buf_add(&b, hash, sizeof hash);
    buf_addc(&b, '=');
    buf_adds(&b, argv[0]);
    *out = buf_str(&b);
    return VM_OK;
}

static bool
prvs_parts(struct str s, struct str *tag, struct str *address)
{
    if (!str_istarts(s, "prvs=") || s.n < 5 + PRVS_TAG + 1 || s.p[5 + PRVS_TAG] != '=')
        return false;
    *tag = str_sub(s, 5, PRVS_TAG);
    *address = str_sub(s, 5 + PRVS_TAG + 1, s.n);
    for (uint32_t i = 0; i < tag->n; i++) {
        if (i < 4 ? !ascii_digit(tag->p[i]) : ascii_hex(tag->p[i]) < 0)
            return false;
    }
    size_t at = str_rchr(*address, '@');
    return at != STR_NPOS && at > 0 && at + 1 < address->n &&
           str_chr(*address, '\n', 0) == STR_NPOS;
}

/* Gives the whole signed address to the next step, and its parts to the variables. */
enum vm_status
fn_item_prvscheck_decode(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str tag;
    struct str address;
    struct vm_checked *c = vm_checked(vm);
    *out = STR_EMPTY;
    if (!prvs_parts(argv[0], &tag, &address))
        return VM_NO;
    c->prvs_address = address;
    c->prvs_keynum = str_sub(tag, 0, 1);
    c->prvs_result = STR_NULL;
    *out = argv[0];
    return VM_OK;
}

/* The day on which a signature ends is today or later; near the end of a cycle, early in the next. */
static bool
prvs_fresh(struct str day)
{
    uint64_t end = 0;
    uint64_t now = (uint64_t)(today() % PRVS_CYCLE);
    (void)num_parse_digits(day, &end);
    return end >= now || end + PRVS_CYCLE <= now + PRVS_DAYS;
}

enum vm_status
fn_item_prvscheck_check(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str tag;
    struct str address;
    char hash[PRVS_HASH];
    *out = STR_EMPTY;
    if (!prvs_parts(argv[0], &tag, &address))
        return VM_NO;
    prvs_hash(vm, str_sub(tag, 0, 4), address, argv[1], hash);
    bool good = str_eq(str_sub(tag, 4, PRVS_HASH), str_from(hash, sizeof hash)) &&
                prvs_fresh(str_sub(tag, 1, 3));
    vm_checked(vm)->prvs_result = good ? STR_LIT("1") : STR_NULL;
    *out = address;
    return VM_OK;
}

/* --- SRS0=HHHH=TT=domain=local --- */

enum { SRS_HASH = 4, SRS_DAYS = 10, SRS_CYCLE = 1024 };

static const char srs_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Over the address in lower case. */
static void
srs_hash(struct vm *vm, struct str secret, struct str address, char hash[SRS_HASH])
{
    keyed("md5", secret, str_lower(vm_scratch(vm), address), SRS_HASH, hash);
}

enum vm_status
fn_item_srs_encode(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct address_parts a;
    *out = STR_EMPTY;
    if (argv[1].n == 0)
        return VM_OK;
    if (address_parse(vm_scratch(vm), argv[1], 0, &a) != ADDRESS_OK)
        return vm_fail(vm, "%.*s", STR_ARG(a.error));
    char hash[SRS_HASH];
    unsigned day = (unsigned)(today() % SRS_CYCLE);
    srs_hash(vm, argv[0], a.text, hash);
    struct str local = a.domain > 0 ? str_sub(a.text, 0, a.domain - 1) : a.text;
    struct buf b = buf_in(vm_scratch(vm), 0);
    if (str_starts(local, "\"")) { /* the quotes move to the front */
        buf_addc(&b, '"');
        local = str_sub(local, 1, local.n);
    }
    buf_addz(&b, "SRS0=");
    buf_add(&b, hash, sizeof hash);
    buf_addc(&b, '=');
    buf_addc(&b, srs_digits[day >> 5]);
    buf_addc(&b, srs_digits[day & 31]);
    buf_addc(&b, '=');
    if (a.domain > 0)
        buf_adds(&b, str_sub(a.text, a.domain, a.text.n));
    buf_addc(&b, '=');
    buf_adds(&b, local);
    buf_addc(&b, '@');
    buf_adds(&b, argv[2]);
    *out = buf_str(&b);
    return VM_OK;
}

struct srs {
    struct str hash;
    struct str day;
    struct str domain;
    struct str local;
};

/* The part up to the next '='. */
static bool
take(struct str *s, struct str *part)
{
    size_t at = str_chr(*s, '=', 0);
    if (at == STR_NPOS)
        return false;
    *part = str_sub(*s, 0, at);
    *s = str_sub(*s, at + 1, s->n);
    return true;
}

static bool
srs_parts(struct str s, struct srs *out)
{
    if (!str_istarts(s, "SRS0=") || str_chr(s, '\n', 0) != STR_NPOS)
        return false;
    s = str_sub(s, 5, s.n);
    if (!take(&s, &out->hash) || !take(&s, &out->day) || !take(&s, &out->domain))
        return false;
    out->local = s;
    if (out->hash.n == 0 || out->day.n != 2)
        return false;
    assert(out->day.p != NULL);
    for (int i = 0; i < 2; i++) {
        char c = ascii_lower(out->day.p[i]);
        if (!ascii_alpha(c) && !(c >= '2' && c <= '7'))
            return false;
    }
    return true;
}

/* Made today or up to ten days ago. Upper-case digits are not taken here, as in the reference. */
static bool
srs_fresh(struct str day)
{
    size_t high = str_chr(STR_LIT(srs_digits), day.p[0], 0);
    size_t low = str_chr(STR_LIT(srs_digits), day.p[1], 0);
    if (high == STR_NPOS || low == STR_NPOS)
        return false;
    int64_t age = (today() - (int64_t)(high << 5 | low)) % SRS_CYCLE;
    return age >= 0 && age <= SRS_DAYS;
}

enum vm_status
fn_cond_inbound_srs(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    struct srs s;
    if (!srs_parts(argv[0], &s))
        return VM_NO;
    struct buf b = buf_in(vm_scratch(vm), 0);
    if (s.local.n > 0)
        buf_adds(&b, address_quote_local_part(vm_scratch(vm), s.local));
    buf_addc(&b, '@');
    buf_adds(&b, s.domain);
    struct str address = str_lower(vm_scratch(vm), buf_str(&b));
    if (argv[1].n > 0) { /* without a secret only the form is checked */
        char hash[SRS_HASH];
        srs_hash(vm, argv[1], address, hash);
        if (!str_eq(s.hash, str_from(hash, sizeof hash)) || !srs_fresh(s.day))
            return VM_NO;
    }
    vm_checked(vm)->srs_recipient = address;
    return VM_OK;
}

/* --- passwords --- */

enum vm_status
fn_cond_crypteq(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    switch (password_check(argv[0], argv[1])) {
    case PASSWORD_YES:
        return VM_OK;
    case PASSWORD_NO:
        return VM_NO;
    case PASSWORD_UNKNOWN:
        break;
    }
    return vm_fail(vm, "unknown encryption mechanism in \"%.*s\"", STR_ARG(argv[1]));
}
