/* What a peer says in a SASL exchange: base 64 of AUTH, the messages of SCRAM and NTLM in both roles. The first byte chooses who listens. A
 * proof is never accepted without the password. */
#include "auths/auth_talk.h"
#include "auths/ntlm_proof.h"
#include "auths/scram.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scram
side(struct arena *a, bool plus)
{
    struct scram s = {.arena = a,
                      .user = STR_LIT("user"),
                      .authz = STR_EMPTY,
                      .nonce = STR_LIT("nonce"),
                      .binding_name = STR_LIT("tls-exporter"),
                      .binding_data = STR_LIT("0123456789")};
    s.digest =
        scram_digest(plus ? STR_LIT("SCRAM-SHA-256-PLUS") : STR_LIT("SCRAM-SHA-1"), &s.plus);
    return s;
}

/* Two messages with a newline between. */
static void
as_server(struct arena *a, struct str in, bool plus)
{
    struct scram s = side(a, plus);
    size_t nl = str_chr(in, '\n', 0);
    struct str first = str_sub(in, 0, nl == STR_NPOS ? in.n : nl), last;
    if (!scram_server_begin(&s, first))
        return;
    if (s.user.n == 0 || str_has_nul(s.user))
        abort();
    scram_server_password(&s, STR_LIT("a password that nobody guesses"), STR_LIT("salt"), 1);
    (void)scram_server_first(&s, STR_LIT("salt"), 1);
    if (nl != STR_NPOS && scram_server_finish(&s, str_sub(in, nl + 1, in.n), &last))
        abort();
}

static void
as_client(struct arena *a, struct str in, bool plus)
{
    struct scram s = side(a, plus);
    size_t nl = str_chr(in, '\n', 0);
    struct str salt;
    int64_t rounds = 0;
    (void)scram_client_first(&s);
    if (!scram_client_begin(&s, str_sub(in, 0, nl == STR_NPOS ? in.n : nl), &salt, &rounds))
        return;
    if (rounds < 1 || rounds > SCRAM_ROUNDS_MAX)
        abort();
    scram_client_password(&s, STR_LIT("a password that nobody guesses"), salt, 1);
    (void)scram_client_final(&s);
    if (nl != STR_NPOS && scram_client_finish(&s, str_sub(in, nl + 1, in.n)))
        abort();
}

static const struct str password = STR_INIT("a password that nobody guesses");

static void
as_ntlm_server(struct arena *a, struct str in)
{
    struct ntlm_challenge c = {.nonce = "nobody", .target = STR_EMPTY};
    struct ntlm_response r, back;
    struct str again;
    if (!ntlm_read_response(a, in, &r))
        return;
    if (str_has_nul(r.user) || r.user.n > NTLM_NAME_MAX ||
        ntlm_proof_holds(a, &c, &r, password))
        abort();
    if (ntlm_write_response(a, &r, &again) &&
        (!ntlm_read_response(a, again, &back) || !str_eq(back.user, r.user) ||
         !str_eq(back.domain, r.domain) || !str_eq(back.nt, r.nt)))
        abort();
}

/* What is proven to any server holds. */
static void
as_ntlm_client(struct arena *a, struct str in)
{
    static const struct ntlm_salt salt = {"nonce", 1};
    struct ntlm_challenge c;
    struct ntlm_response r = {.user = STR_LIT("user"), .domain = STR_EMPTY};
    if (!ntlm_read_challenge(in, &c))
        return;
    if (!ntlm_proof_make(a, &c, &salt, password, &r) || !ntlm_proof_holds(a, &c, &r, password))
        abort();
}

/* The first byte's top bit, so that what was found before it was there means the same. */
enum { NTLM = 0x80 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 32768)
        return 0;
    struct arena *a = arena_new();
    struct str in = str_tainted(str_from((const char *)data + 1, size - 1)), out;
    if ((data[0] & NTLM) != 0 && data[0] % 2 == 0)
        as_ntlm_server(a, in);
    else if ((data[0] & NTLM) != 0)
        as_ntlm_client(a, in);
    else if (data[0] % 3 == 0)
        as_server(a, in, data[0] % 2 == 0);
    else if (data[0] % 3 == 1)
        as_client(a, in, data[0] % 2 == 0);
    else if (auth_talk_decode(a, in, &out) &&
             (out.n > AUTH_DATA_MAX || (out.n > 0 && !str_is_tainted(out))))
        abort();
    arena_free(a);
    return 0;
}
