/* Password hashes. Comparisons take the same time wherever the difference is; nothing of the password
 * stays in memory. Source: specification, condition crypteq. */
#include "sys/password.h"

#include "sys/digest.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

/* Longest password that is looked at; libcrypt's own limit is lower. */
enum { PLAIN_MAX = 1024 };

static bool
same(const char *a, size_t a_n, struct str b)
{
    unsigned char difference = 0;
    if (a_n != b.n)
        return false;
    for (size_t i = 0; i < a_n; i++)
        difference |= (unsigned char)((unsigned char)a[i] ^ (unsigned char)b.p[i]);
    return difference == 0;
}

/* --- crypt(3) --- */

struct secret {
    struct crypt_data data;
    char plain[PLAIN_MAX + 1];
    char salt[CRYPT_OUTPUT_SIZE];
};

static bool
copy(char *to, size_t room, struct str s)
{
    if (s.n >= room || str_has_nul(s))
        return false;
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return true;
}

/* NULL for a bad salt. Not crypt_r, which has no way of saying that except by a hash that starts with a star (and
 * which the address sanitizer replaces). */
static const char *
hash(struct secret *k, const char *plain, const char *salt)
{
    return crypt_rn(plain, salt, &k->data, (int)sizeof k->data);
}

static bool
check_crypt(struct secret *k, struct str stored)
{
    const char *made = hash(k, k->plain, k->salt);
    return made != NULL && same(made, strlen(made), stored);
}

/* Two calls: the second half of the password is hashed with a salt from the first hash. */
static bool
check_crypt16(struct secret *k, struct str stored)
{
    char made[CRYPT_OUTPUT_SIZE + 16];
    char second[9];
    if (strlen(k->plain) <= 8)
        return check_crypt(k, stored);
    memcpy(second, k->plain + 8, 8); /* the rest is padded with NULs */
    second[8] = '\0';
    k->plain[8] = '\0';
    const char *first = hash(k, k->plain, k->salt);
    if (first == NULL || strlen(first) < 4)
        return false;
    size_t first_n = strlen(first);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the rest follows */
    memcpy(made, first, first_n);
    const char salt[3] = {first[2], first[3], '\0'};
    const char *last = hash(k, second, salt);
    explicit_bzero(second, sizeof second);
    if (last == NULL || strlen(last) < 2 || strlen(last) > 16)
        return false;
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): compared by length */
    memcpy(made + first_n, last + 2, strlen(last) - 2);
    return same(made, first_n + strlen(last) - 2, stored);
}

static enum password_answer
with_crypt(struct str plain, struct str stored,
           bool (*check)(struct secret *k, struct str stored))
{
    struct secret *k = calloc(1, sizeof *k);
    if (k == NULL)
        return PASSWORD_NO;
    bool good = stored.n > 0 && copy(k->plain, sizeof k->plain, plain) &&
                copy(k->salt, sizeof k->salt, stored) && check(k, stored);
    explicit_bzero(k, sizeof *k);
    free(k);
    return good ? PASSWORD_YES : PASSWORD_NO;
}

static enum password_answer
crypt_kind(struct str plain, struct str stored)
{
    return with_crypt(plain, stored, check_crypt);
}

static enum password_answer
crypt16_kind(struct str plain, struct str stored)
{
    return with_crypt(plain, stored, check_crypt16);
}

/* --- digests --- */

static void
encode64(const unsigned char *p, size_t n, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16;
        v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? p[i + 2] : 0;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digits[v & 63] : '=';
    }
}

static enum password_answer
check_digest(const char *name, struct str plain, struct str stored)
{
    unsigned char bytes[DIGEST_MAX];
    char text[2 * DIGEST_MAX];
    size_t n = digest_bytes(digest_find(str_from_cstr(name)), plain, bytes);
    if (stored.n == (n + 2) / 3 * 4) {
        encode64(bytes, n, text);
        return same(text, stored.n, stored) ? PASSWORD_YES : PASSWORD_NO;
    }
    if (stored.n != 2 * n)
        return PASSWORD_NO;
    digest_hex(bytes, n, DIGEST_LOWER, text);
    char lower[2 * DIGEST_MAX];
    for (size_t i = 0; i < stored.n; i++)
        lower[i] = ascii_lower(stored.p[i]);
    return same(text, stored.n, str_from(lower, stored.n)) ? PASSWORD_YES : PASSWORD_NO;
}

static enum password_answer
md5_kind(struct str plain, struct str stored)
{
    return check_digest("md5", plain, stored);
}

static enum password_answer
sha1_kind(struct str plain, struct str stored)
{
    return check_digest("sha1", plain, stored);
}

static const struct {
    const char *prefix;
    enum password_answer (*check)(struct str plain, struct str stored);
} kinds[] = {
    {"{md5}", md5_kind},
    {"{sha1}", sha1_kind},
    {"{crypt}", crypt_kind},
    {"{crypt16}", crypt16_kind},
};

enum password_answer
password_check(struct str plain, struct str stored)
{
    if (stored.n == 0 || stored.p[0] != '{')
        return crypt_kind(plain, stored);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_istarts(stored, kinds[i].prefix))
            return kinds[i].check(plain, str_sub(stored, strlen(kinds[i].prefix), stored.n));
    }
    return PASSWORD_UNKNOWN;
}
