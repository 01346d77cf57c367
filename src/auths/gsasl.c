/* The gsasl authenticator: PLAIN, LOGIN, CRAM-MD5, EXTERNAL, ANONYMOUS and SCRAM, as the GNU SASL library has them in the reference; here
 * they are our own (scram.h). server_realm, server_hostname and server_service mean nothing to these mechanisms. */
#include "auths/auth_talk.h"
#include "auths/cram_md5.h"
#include "auths/scram.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/model.h"
#include "sys/entropy.h"

struct auth_gsasl {
    struct xstr client_authz;
    bool client_channelbinding;
    struct xstr client_password, client_spassword, client_username;
    bool server_channelbinding;
    struct xstr server_hostname, server_key;
    struct str server_mech;
    struct xstr server_password, server_realm, server_scram_iter, server_scram_salt;
    struct str server_service;
    struct xstr server_skey;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_gsasl, client_authz, NULL, 0,
        "Authorisation name that the client sends."),
    OPT_BOOL(struct auth_gsasl, client_channelbinding, false, 0,
        "Uses a mechanism with channel binding as a client."),
    OPT_XSTR(struct auth_gsasl, client_password, NULL, 0,
        "Password of the client."),
    OPT_XSTR(struct auth_gsasl, client_spassword, NULL, 0,
        "Salted password of the client, in place of the plain one."),
    OPT_XSTR(struct auth_gsasl, client_username, NULL, 0,
        "Name with which the client logs in."),
    OPT_BOOL(struct auth_gsasl, server_channelbinding, false, 0,
        "Uses mechanisms with channel binding as a server."),
    OPT_XSTR(struct auth_gsasl, server_hostname, "$primary_hostname", 0,
        "Host name that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_key, NULL, 0,
        "Stored server key of the user, for SCRAM."),
    OPT_STR(struct auth_gsasl, server_mech, "$public_name", 0,
        "Mechanism of the library to use."),
    OPT_XSTR(struct auth_gsasl, server_password, NULL, 0,
        "Password of the client's user, or a forced failure when there is none."),
    OPT_XSTR(struct auth_gsasl, server_realm, NULL, 0,
        "Realm that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_scram_iter, "4096", 0,
        "Number of iterations for SCRAM."),
    OPT_XSTR(struct auth_gsasl, server_scram_salt, NULL, 0,
        "Salt for SCRAM."),
    OPT_STR(struct auth_gsasl, server_service, "smtp", 0,
        "Service that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_skey, NULL, 0,
        "Stored client key of the user, for SCRAM."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "gsasl authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_gsasl),
};

/* --- what the mechanisms have in common --- */

enum { NONCE_BYTES = 18, SALT_BYTES = 12 };

/* A text option for the client's side. Unset is empty. */
static enum auth_end
expand_own(struct auth_talk *t, const struct xstr *x, struct str *out)
{
    *out = STR_EMPTY;
    return str_is_set(x->text) ? auth_talk_expand(t, x, out) : AUTH_OK;
}

static struct str
mechanism_of(const struct auth_talk *t)
{
    const struct auth_gsasl *own = t->d->own.fields;
    const struct auth_generic *g = t->d->generic.fields;
    bool given = str_is_set(own->server_mech) && !str_eqz(own->server_mech, "$public_name");
    return given ? own->server_mech : g->public_name;
}

static struct str
random_text(struct arena *a, size_t n)
{
    char bytes[32];
    entropy_fill(bytes, n);
    return base64_encode(a, str_from(bytes, n));
}

/* $auth1: who, $auth2: on whose behalf, $auth3: the realm, or the password of PLAIN. */
static void
set_values(struct auth_talk *t, struct str id, struct str authz, struct str third)
{
    auth_talk_clear(t);
    auth_talk_add(t, id);
    auth_talk_add(t, authz);
    auth_talk_add(t, third);
}

static enum auth_end
first_data(struct auth_talk *t, struct str *data)
{
    *data = t->initial;
    return str_is_set(*data) ? AUTH_OK : t->ask(t, STR_EMPTY, data);
}

/* --- mechanisms of a server --- */

/* Needed where nothing else decides. */
static enum auth_end
decide(struct auth_talk *t)
{
    const struct auth_generic *g = t->d->generic.fields;
    return str_is_set(g->server_condition.text) ? auth_talk_server_condition(t) : AUTH_FAIL;
}

static enum auth_end
serve_plain(struct auth_talk *t)
{
    struct str data, part[3] = {STR_EMPTY, STR_EMPTY, STR_EMPTY};
    enum auth_end e = first_data(t, &data);
    if (e != AUTH_OK)
        return e;
    for (size_t i = 0, at = 0; i < 3; i++) {
        size_t end = str_chr(data, '\0', at);
        end = end == STR_NPOS ? data.n : end;
        part[i] = str_sub(data, at, end - at);
        at = end + 1;
    }
    set_values(t, part[1], part[0], part[2]);
    return decide(t);
}

static enum auth_end
serve_login(struct auth_talk *t)
{
    struct str user = t->initial, password;
    enum auth_end e = str_is_set(user) ? AUTH_OK : t->ask(t, STR_LIT("User Name"), &user);
    if (e == AUTH_OK)
        e = t->ask(t, STR_LIT("Password"), &password);
    if (e != AUTH_OK)
        return e;
    set_values(t, user, STR_EMPTY, password);
    return decide(t);
}

static enum auth_end
serve_name(struct auth_talk *t)
{
    struct str data;
    enum auth_end e = first_data(t, &data);
    if (e != AUTH_OK)
        return e;
    auth_talk_clear(t);
    auth_talk_add(t, data);
    return decide(t);
}

static enum auth_end
serve_cram(struct auth_talk *t)
{
    const struct auth_gsasl *own = t->d->own.fields;
    return auth_cram_md5_serve(t, &own->server_password);
}

/* --- SCRAM --- */

/* TLS 1.3 has an exporter, earlier versions a value of their own. */
static bool
find_binding(struct auth_talk *t, struct scram *s)
{
    if (t->binding == NULL)
        return false;
    if (t->binding(t->ctx, AUTH_BINDING_EXPORTER, t->arena, &s->binding_data)) {
        s->binding_name = STR_LIT("tls-exporter");
        return true;
    }
    s->binding_name = STR_LIT("tls-unique");
    return t->binding(t->ctx, AUTH_BINDING_UNIQUE, t->arena, &s->binding_data);
}

/* A key that is kept in place of the password; unset, or of the wrong length: the password counts. */
static bool
expand_key(struct auth_talk *t, const struct xstr *x, size_t n, struct str *key)
{
    struct str text;
    return str_is_set(x->text) && auth_talk_expand(t, x, &text) == AUTH_OK &&
           base64_decode(t->arena, text, key, NULL) && key->n == n;
}

static enum auth_end
learn_secret(struct auth_talk *t, struct scram *s, struct str salt, int64_t rounds)
{
    const struct auth_gsasl *own = t->d->own.fields;
    struct str stored_key, server_key, password;
    size_t n = digest_size(s->digest);
    if (expand_key(t, &own->server_skey, n, &stored_key) &&
        expand_key(t, &own->server_key, n, &server_key)) {
        scram_server_keys(s, stored_key, server_key);
        return AUTH_OK;
    }
    if (!str_is_set(own->server_password.text))
        return AUTH_FAIL;
    enum auth_end e = auth_talk_expand(t, &own->server_password, &password);
    if (e == AUTH_OK)
        scram_server_password(s, password, salt, rounds);
    return e == AUTH_OK ? e : AUTH_DEFER;
}

static enum auth_end
expand_salt(struct auth_talk *t, struct str *salt, int64_t *rounds)
{
    const struct auth_gsasl *own = t->d->own.fields;
    struct str text;
    uint64_t n;
    enum auth_end e = expand_own(t, &own->server_scram_iter, &text);
    if (e == AUTH_OK && num_parse_digits(text, &n) && n > 0 && n <= SCRAM_ROUNDS_MAX)
        *rounds = (int64_t)n;
    if (e == AUTH_OK)
        e = expand_own(t, &own->server_scram_salt, &text);
    if (e != AUTH_OK)
        return AUTH_DEFER;
    if (text.n == 0 || !base64_decode(t->arena, text, salt, NULL) || salt->n == 0)
        *salt = str_sub(random_text(t->arena, SALT_BYTES), 0, SALT_BYTES);
    return AUTH_OK;
}

static enum auth_end
serve_scram(struct auth_talk *t, struct scram *s)
{
    struct str data, salt, last;
    int64_t rounds = SCRAM_ROUNDS;
    enum auth_end e = first_data(t, &data);
    if (e != AUTH_OK)
        return e;
    if (!scram_server_begin(s, data))
        return AUTH_FAIL;
    set_values(t, s->user, s->authz, STR_EMPTY);
    e = expand_salt(t, &salt, &rounds);
    if (e == AUTH_OK)
        e = learn_secret(t, s, salt, rounds);
    if (e == AUTH_OK)
        e = t->ask(t, scram_server_first(s, salt, rounds), &data);
    if (e != AUTH_OK)
        return e;
    if (!scram_server_finish(s, data, &last))
        return AUTH_FAIL;
    e = t->ask(t, last, &data);
    return e == AUTH_OK ? auth_talk_server_condition(t) : e;
}

/* False: binding is wanted, and there is none. */
static bool
make_scram(struct auth_talk *t, bool binds, struct scram *s)
{
    *s = (struct scram){.arena = t->arena, .authz = STR_EMPTY, .binding_data = STR_EMPTY};
    s->digest = scram_digest(mechanism_of(t), &s->plus);
    s->nonce = random_text(t->arena, NONCE_BYTES);
    return !s->plus || (binds && find_binding(t, s));
}

/* --- client --- */

struct login {
    struct str user, password, authz;
};

static enum auth_end
expand_login(struct auth_talk *t, struct login *l)
{
    const struct auth_gsasl *own = t->d->own.fields;
    enum auth_end e = expand_own(t, &own->client_username, &l->user);
    if (e == AUTH_OK)
        e = expand_own(t, &own->client_password, &l->password);
    if (e == AUTH_OK)
        e = expand_own(t, &own->client_authz, &l->authz);
    return e;
}

static enum auth_end
ask_plain(struct auth_talk *t, const struct login *l)
{
    struct buf b = buf_in(t->arena, 0);
    buf_adds(&b, l->authz);
    buf_addc(&b, '\0');
    buf_adds(&b, l->user);
    buf_addc(&b, '\0');
    buf_adds(&b, l->password);
    return t->start(t, buf_str(&b));
}

static enum auth_end
ask_login(struct auth_talk *t, const struct login *l)
{
    enum auth_end e = t->start(t, STR_NULL);
    if (e == AUTH_OK && auth_talk_wants_more(t))
        e = t->send(t, l->user);
    if (e == AUTH_OK && auth_talk_wants_more(t))
        e = t->send(t, l->password);
    return e;
}

static enum auth_end
ask_cram(struct auth_talk *t, const struct login *l)
{
    return auth_cram_md5_ask(t, l->user, l->password);
}

static enum auth_end
ask_name(struct auth_talk *t, const struct login *l)
{
    return t->start(t, l->authz.n > 0 ? l->authz : l->user);
}

static enum auth_end
give_up(struct auth_talk *t, const char *why)
{
    t->log = str_from_cstr(why);
    t->cancel(t);
    return AUTH_CANCELLED;
}

/* The salted password may be known. */
static void
use_password(struct auth_talk *t, struct scram *s, const struct login *l, struct str salt,
             int64_t rounds)
{
    const struct auth_gsasl *own = t->d->own.fields;
    struct str text, salted;
    set_values(t, l->user, str_printf(t->arena, "%lld", (long long)rounds),
               base64_encode(t->arena, salt));
    if (expand_own(t, &own->client_spassword, &text) == AUTH_OK &&
        hex_decode(t->arena, text, &salted, NULL) && salted.n == digest_size(s->digest))
        scram_client_salted(s, salted);
    else
        scram_client_password(s, l->password, salt, rounds);
    t->session->auth[3] = str_dup(
        t->session->arena,
        hex_encode(t->arena, str_from((const char *)s->salted, digest_size(s->digest))));
}

static enum auth_end
ask_scram(struct auth_talk *t, struct scram *s, const struct login *l)
{
    struct str prompt, salt;
    int64_t rounds;
    s->user = l->user;
    s->authz = l->authz;
    enum auth_end e = t->start(t, scram_client_first(s));
    if (e != AUTH_OK)
        return e;
    if (!auth_talk_wants_more(t) || !auth_talk_prompt(t, &prompt) ||
        !scram_client_begin(s, prompt, &salt, &rounds))
        return give_up(t, "bad first message of the server");
    use_password(t, s, l, salt, rounds);
    e = t->send(t, scram_client_final(s));
    if (e != AUTH_OK)
        return e;
    if (!auth_talk_prompt(t, &prompt) || !scram_client_finish(s, prompt))
        return auth_talk_wants_more(t) ? give_up(t, "the server does not know the password")
                                       : AUTH_FAIL;
    return auth_talk_wants_more(t) ? t->send(t, STR_EMPTY) : AUTH_OK;
}

/* --- all of them --- */

/* What each mechanism does in either role; SCRAM's are those of scram_digest. */
static const struct mechanism {
    const char *name;
    enum auth_end (*serve)(struct auth_talk *t);
    enum auth_end (*ask)(struct auth_talk *t, const struct login *l);
} mechanisms[] = {
    {"PLAIN", serve_plain, ask_plain},   {"LOGIN", serve_login, ask_login},
    {"CRAM-MD5", serve_cram, ask_cram},  {"EXTERNAL", serve_name, ask_name},
    {"ANONYMOUS", serve_name, ask_name},
};

static const struct mechanism *
find_mechanism(struct str name)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (str_ieqz(name, mechanisms[i].name))
            return &mechanisms[i];
    return NULL;
}

static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_gsasl *own = t->d->own.fields;
    struct str mechanism = mechanism_of(t);
    struct scram s;
    bool plus;
    const struct mechanism *m = find_mechanism(mechanism);
    if (m != NULL)
        return m->serve(t);
    if (scram_digest(mechanism, &plus) == NULL) {
        t->log = str_printf(t->arena, "mechanism %.*s is not available", STR_ARG(mechanism));
        return AUTH_DEFER;
    }
    return make_scram(t, own->server_channelbinding, &s) ? serve_scram(t, &s) : AUTH_FAIL;
}

static enum auth_end
client(struct auth_talk *t)
{
    const struct auth_gsasl *own = t->d->own.fields;
    struct str mechanism = mechanism_of(t);
    struct login l;
    struct scram s;
    bool plus;
    enum auth_end e = expand_login(t, &l);
    if (e != AUTH_OK)
        return e;
    const struct mechanism *m = find_mechanism(mechanism);
    if (m != NULL)
        return m->ask(t, &l);
    if (scram_digest(mechanism, &plus) == NULL ||
        !make_scram(t, own->client_channelbinding, &s))
        return AUTH_SKIP;
    return ask_scram(t, &s, &l);
}

const struct auth_driver auth_gsasl = {
    .base =
        {
            .name = STR_INIT("gsasl"),
            .opts = &opts,
            .check = auth_check,
        },
    .server = server,
    .client = client,
};
