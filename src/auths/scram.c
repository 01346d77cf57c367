/* SCRAM; see scram.h. Names of keys and messages are those of RFC 5802 section 3. */
#include "auths/scram.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/num.h"
#include "sys/saslprep.h"

const struct digest *
scram_digest(struct str mechanism, bool *plus)
{
    static const struct {
        const char *name, *digest;
        bool plus;
    } rows[] = {
        {"SCRAM-SHA-1", "sha1", false},
        {"SCRAM-SHA-1-PLUS", "sha1", true},
        {"SCRAM-SHA-256", "sha2-256", false},
        {"SCRAM-SHA-256-PLUS", "sha2-256", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_ieqz(mechanism, rows[i].name))
            continue;
        *plus = rows[i].plus;
        return digest_find(str_from_cstr(rows[i].digest));
    }
    return NULL;
}

/* --- keys --- */

static struct str
bytes(const struct scram *s, const unsigned char *p)
{
    return str_from((const char *)p, digest_size(s->digest));
}

/* What cannot be prepared is taken as it is: the other side may do so as well. */
static struct str
prepare(struct arena *a, struct str text)
{
    struct str prepared;
    return saslprep(a, text, &prepared) ? prepared : text;
}

static void
salt_password(const struct scram *s, struct str password, struct str salt, int64_t rounds,
              unsigned char out[DIGEST_MAX])
{
    digest_pbkdf2(s->digest, password, salt, (unsigned)rounds, out);
}

static void
derive(const struct scram *s, const unsigned char *salted, unsigned char *client_key,
       unsigned char *stored_key, unsigned char *server_key)
{
    digest_hmac(s->digest, bytes(s, salted), STR_LIT("Client Key"), client_key);
    digest_bytes(s->digest, bytes(s, client_key), stored_key);
    digest_hmac(s->digest, bytes(s, salted), STR_LIT("Server Key"), server_key);
}

static struct str
auth_message(const struct scram *s, struct str final_bare)
{
    return str_printf(s->arena, "%.*s,%.*s,%.*s", STR_ARG(s->first_bare),
                      STR_ARG(s->server_first), STR_ARG(final_bare));
}

/* --- messages --- */

/* Takes "k=value" off the front, up to a comma. False: something else is there. */
static bool
take(struct str *rest, char key, struct str *value)
{
    if (rest->n < 2 || rest->p[0] != key || rest->p[1] != '=')
        return false;
    size_t end = str_chr(*rest, ',', 0);
    end = end == STR_NPOS ? rest->n : end;
    *value = str_sub(*rest, 2, end - 2);
    *rest = str_sub(*rest, end + 1, rest->n);
    return true;
}

/* "=2C" and "=3D" in names; prepared. */
static bool
decode_name(struct arena *a, struct str text, struct str *out)
{
    struct buf b = buf_in(a, 0);
    b.taint = text.taint;
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] != '=') {
            buf_addc(&b, text.p[i]);
            continue;
        }
        struct str code = str_sub(text, i + 1, 2);
        if (!str_eqz(code, "2C") && !str_eqz(code, "3D"))
            return false;
        buf_addc(&b, code.p[0] == '2' ? ',' : '=');
        i += 2;
    }
    struct str name = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return saslprep(a, name, out);
}

static struct str
encode_name(struct arena *a, struct str raw)
{
    struct buf b = buf_in(a, 0);
    struct str name = prepare(a, raw);
    for (uint32_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',')
            buf_addz(&b, "=2C");
        else if (name.p[i] == '=')
            buf_addz(&b, "=3D");
        else
            buf_addc(&b, name.p[i]);
    }
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

static bool
is_message(struct str message)
{
    return message.n > 0 && message.n <= SCRAM_MESSAGE_MAX && !str_has_nul(message);
}

/* The part that says whether the client binds, with both of its commas. */
static bool
read_gs2(struct scram *s, struct str *rest)
{
    struct str all = *rest, value;
    if (take(rest, 'p', &value)) {
        if (!s->plus || !str_eq(value, s->binding_name))
            return false;
    } else if (rest->n > 1 && (rest->p[0] == 'n' || rest->p[0] == 'y') && rest->p[1] == ',') {
        /* A client that could bind, and believes that we cannot, was lied to if we can. */
        if (s->plus || (rest->p[0] == 'y' && s->could_bind))
            return false;
        *rest = str_sub(*rest, 2, rest->n);
    } else {
        return false;
    }
    s->authz = STR_EMPTY;
    if (rest->n > 0 && rest->p[0] != ',') {
        if (!take(rest, 'a', &value) || !decode_name(s->arena, value, &s->authz))
            return false;
    } else {
        *rest = str_sub(*rest, 1, rest->n);
    }
    s->gs2 = str_dup(s->arena, str_sub(all, 0, all.n - rest->n));
    return true;
}

/* What c= holds. */
static struct str
binding_input(const struct scram *s)
{
    struct str all = s->plus ? str_cat(s->arena, s->gs2, s->binding_data) : s->gs2;
    return base64_encode(s->arena, all);
}

/* --- server --- */

bool
scram_server_begin(struct scram *s, struct str message)
{
    struct str rest = message, name, nonce;
    if (!is_message(message) || !read_gs2(s, &rest))
        return false;
    s->first_bare = str_dup(s->arena, rest);
    if (!take(&rest, 'n', &name) || !decode_name(s->arena, name, &s->user) || s->user.n == 0 ||
        !take(&rest, 'r', &nonce) || nonce.n == 0)
        return false;
    s->whole_nonce = str_cat(s->arena, nonce, s->nonce);
    return true;
}

void
scram_server_password(struct scram *s, struct str password, struct str salt, int64_t rounds)
{
    unsigned char client_key[DIGEST_MAX];
    struct str prepared = prepare(s->arena, password);
    s->unprepared = str_eq(prepared, password) ? STR_NULL : password;
    s->salt = salt;
    s->rounds = rounds;
    salt_password(s, prepared, salt, rounds, s->salted);
    derive(s, s->salted, client_key, s->stored_key, s->server_key);
}

void
scram_server_keys(struct scram *s, struct str stored_key, struct str server_key)
{
    memcpy(s->stored_key, stored_key.p, digest_size(s->digest));
    memcpy(s->server_key, server_key.p, digest_size(s->digest));
}

struct str
scram_server_first(struct scram *s, struct str salt, int64_t rounds)
{
    s->server_first = str_printf(s->arena, "r=%.*s,s=%.*s,i=%lld", STR_ARG(s->whole_nonce),
                                 STR_ARG(base64_encode(s->arena, salt)), (long long)rounds);
    return s->server_first;
}

/* The client has the key that is stored. */
static bool
is_proof(const struct scram *s, struct str whole, struct str proof)
{
    unsigned char signature[DIGEST_MAX], key[DIGEST_MAX], hash[DIGEST_MAX];
    size_t n = digest_size(s->digest);
    digest_hmac(s->digest, bytes(s, s->stored_key), whole, signature);
    for (size_t i = 0; i < n; i++)
        key[i] = signature[i] ^ (unsigned char)proof.p[i];
    digest_bytes(s->digest, bytes(s, key), hash);
    return digest_is_same(hash, s->stored_key, n);
}

/* Clients that prepare nothing have computed with the password as it is. */
static bool
is_unprepared_proof(struct scram *s, struct str whole, struct str proof)
{
    unsigned char client_key[DIGEST_MAX];
    if (!str_is_set(s->unprepared))
        return false;
    salt_password(s, s->unprepared, s->salt, s->rounds, s->salted);
    derive(s, s->salted, client_key, s->stored_key, s->server_key);
    return is_proof(s, whole, proof);
}

bool
scram_server_finish(struct scram *s, struct str message, struct str *last)
{
    struct str rest = message, channel, nonce, proof;
    size_t p = str_find(message, STR_LIT(",p="), 0);
    if (!is_message(message) || p == STR_NPOS || !take(&rest, 'c', &channel) ||
        !take(&rest, 'r', &nonce) || !str_eq(channel, binding_input(s)) ||
        !str_eq(nonce, s->whole_nonce) ||
        !base64_decode(s->arena, str_sub(message, p + 3, message.n), &proof, NULL) ||
        proof.n != digest_size(s->digest))
        return false;
    struct str whole = auth_message(s, str_sub(message, 0, p));
    if (!is_proof(s, whole, proof) && !is_unprepared_proof(s, whole, proof))
        return false;
    digest_hmac(s->digest, bytes(s, s->server_key), whole, s->signature);
    *last = str_printf(s->arena, "v=%.*s",
                       STR_ARG(base64_encode(s->arena, bytes(s, s->signature))));
    return true;
}

/* --- client --- */

struct str
scram_client_first(struct scram *s)
{
    struct buf b = buf_in(s->arena, 0);
    if (s->plus)
        buf_printf(&b, "p=%.*s,", STR_ARG(s->binding_name));
    else
        buf_addz(&b, s->could_bind ? "y," : "n,");
    if (s->authz.n > 0)
        buf_printf(&b, "a=%.*s", STR_ARG(encode_name(s->arena, s->authz)));
    buf_addc(&b, ',');
    s->gs2 = str_dup(s->arena, buf_str(&b));
    s->first_bare = str_printf(s->arena, "n=%.*s,r=%.*s",
                               STR_ARG(encode_name(s->arena, s->user)), STR_ARG(s->nonce));
    return str_cat(s->arena, s->gs2, s->first_bare);
}

bool
scram_client_begin(struct scram *s, struct str message, struct str *salt, int64_t *rounds)
{
    struct str rest = message, nonce, text, number;
    uint64_t n;
    if (!is_message(message) || !take(&rest, 'r', &nonce) || nonce.n <= s->nonce.n ||
        !str_eq(str_sub(nonce, 0, s->nonce.n), s->nonce) || !take(&rest, 's', &text) ||
        !take(&rest, 'i', &number) || !base64_decode(s->arena, text, salt, NULL) ||
        salt->n == 0 || !num_parse_digits(number, &n) || n == 0 || n > SCRAM_ROUNDS_MAX)
        return false;
    s->server_first = str_dup(s->arena, message);
    s->whole_nonce = str_dup(s->arena, nonce);
    *rounds = (int64_t)n;
    return true;
}

void
scram_client_password(struct scram *s, struct str password, struct str salt, int64_t rounds)
{
    salt_password(s, prepare(s->arena, password), salt, rounds, s->salted);
}

void
scram_client_salted(struct scram *s, struct str salted)
{
    memcpy(s->salted, salted.p, digest_size(s->digest));
}

struct str
scram_client_final(struct scram *s)
{
    unsigned char client_key[DIGEST_MAX], signature[DIGEST_MAX];
    size_t n = digest_size(s->digest);
    struct str bare = str_printf(s->arena, "c=%.*s,r=%.*s", STR_ARG(binding_input(s)),
                                 STR_ARG(s->whole_nonce));
    struct str whole = auth_message(s, bare);
    derive(s, s->salted, client_key, s->stored_key, s->server_key);
    digest_hmac(s->digest, bytes(s, s->stored_key), whole, signature);
    for (size_t i = 0; i < n; i++)
        client_key[i] ^= signature[i];
    digest_hmac(s->digest, bytes(s, s->server_key), whole, s->signature);
    return str_printf(s->arena, "%.*s,p=%.*s", STR_ARG(bare),
                      STR_ARG(base64_encode(s->arena, bytes(s, client_key))));
}

bool
scram_client_finish(const struct scram *s, struct str message)
{
    struct str rest = message, text, signature;
    return is_message(message) && take(&rest, 'v', &text) &&
           base64_decode(s->arena, text, &signature, NULL) &&
           signature.n == digest_size(s->digest) &&
           digest_is_same(signature.p, s->signature, signature.n);
}
