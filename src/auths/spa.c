/* The spa authenticator: Microsoft's Secure Password Authentication (NTLM). Source: specification, its chapter; MS-SMTPNTLM. */
#include "auths/auth_talk.h"
#include "auths/ntlm_proof.h"
#include "base/arena.h"
#include "filter/vm.h"
#include "sys/entropy.h"

#include <time.h>

struct auth_spa {
    struct xstr client_domain, client_password, client_username, server_password;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_spa, client_domain, NULL, 0,
        "Windows domain that the client names."),
    OPT_XSTR(struct auth_spa, client_password, NULL, 0,
        "Password of the client."),
    OPT_XSTR(struct auth_spa, client_username, NULL, 0,
        "Name with which the client logs in."),
    OPT_XSTR(struct auth_spa, server_password, NULL, 0,
        "Password of the client's user, or a forced failure when there is none."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "spa authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_spa),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    const struct auth_spa *own = d->own.fields;
    bool ok = true;
    if (str_is_set(own->client_username.text) != str_is_set(own->client_password.text))
        ok = driver_fault(diags, d, NULL, DRIVER_WORDS_FOR,
                          "one of client_username and client_password cannot be set without "
                          "the other");
    return auth_check(a, d, diags) && ok;
}

/* --- server --- */

/* Names of Windows have no more. */
enum { COMPUTER_MAX = 15 };

/* The first label of the host's name, in capitals. */
static struct str
computer_name(struct auth_talk *t)
{
    struct str host;
    if (vm_expand(t->vm, STR_LIT("$primary_hostname"), &host) != VM_OK)
        return STR_EMPTY;
    size_t dot = str_chr(host, '.', 0);
    dot = dot < COMPUTER_MAX ? dot : COMPUTER_MAX;
    return str_upper(t->arena, str_sub(host, 0, dot));
}

/* The client's first message: it says nothing that is needed here, so it may be anything. */
static enum auth_end
take_request(struct auth_talk *t)
{
    struct str request;
    if (str_is_set(t->initial) && t->initial.n > 0)
        return AUTH_OK;
    return t->ask_plainly(t, STR_LIT("NTLM supported"), &request);
}

static enum auth_end
serve(struct auth_talk *t, const struct auth_spa *own)
{
    struct ntlm_challenge c = {.target = ntlm_target(t->arena, computer_name(t))};
    struct ntlm_response r;
    struct str answer, password;
    enum auth_end e = take_request(t);
    if (e != AUTH_OK)
        return e;
    entropy_fill(c.nonce, sizeof c.nonce);
    e = t->ask(t, ntlm_write_challenge(t->arena, &c), &answer);
    if (e != AUTH_OK)
        return e;
    if (!ntlm_read_response(t->arena, answer, &r))
        return AUTH_FAIL;
    auth_talk_add(t, r.user);
    e = auth_talk_expand(t, &own->server_password, &password);
    if (e != AUTH_OK)
        return e == AUTH_SKIP ? AUTH_FAIL : e;
    if (!ntlm_proof_holds(t->arena, &c, &r, password))
        return AUTH_FAIL;
    return auth_talk_server_condition(t);
}

/* What is no base 64 is a wrong answer as any other, to this mechanism. */
static enum auth_end
server(struct auth_talk *t)
{
    enum auth_end e = serve(t, t->d->own.fields);
    return e == AUTH_BASE64 ? AUTH_FAIL : e;
}

/* --- client --- */

static enum auth_end
expand_login(struct auth_talk *t, struct ntlm_response *r, struct str *password)
{
    const struct auth_spa *own = t->d->own.fields;
    enum auth_end e = auth_talk_expand(t, &own->client_username, &r->user);
    if (e == AUTH_OK)
        e = auth_talk_expand(t, &own->client_password, password);
    if (e == AUTH_OK && str_is_set(own->client_domain.text))
        e = auth_talk_expand(t, &own->client_domain, &r->domain);
    return e;
}

static enum auth_end
give_up(struct auth_talk *t, const char *why)
{
    t->log = str_from_cstr(why);
    t->cancel(t);
    return AUTH_CANCELLED;
}

static enum auth_end
answer(struct auth_talk *t, struct ntlm_response *r, struct str password)
{
    struct ntlm_challenge c;
    struct ntlm_salt salt = {.time = ntlm_proof_time(time(NULL))};
    struct str prompt, text;
    if (!auth_talk_wants_more(t) || !auth_talk_prompt(t, &prompt) ||
        !ntlm_read_challenge(prompt, &c))
        return give_up(t, "bad challenge of the server");
    entropy_fill(salt.nonce, sizeof salt.nonce);
    r->unicode = c.unicode;
    if (!ntlm_proof_make(t->arena, &c, &salt, password, r) ||
        !ntlm_write_response(t->arena, r, &text))
        return give_up(t, "name or password is not UTF-8, or is too long");
    return t->send(t, text);
}

static enum auth_end
client(struct auth_talk *t)
{
    struct ntlm_response r = {.user = STR_EMPTY, .domain = STR_EMPTY};
    struct str password;
    enum auth_end e = expand_login(t, &r, &password);
    if (e == AUTH_OK)
        e = t->start(t, STR_NULL);
    if (e == AUTH_OK && auth_talk_wants_more(t))
        e = t->send(t, ntlm_write_request(t->arena));
    return e == AUTH_OK ? answer(t, &r, password) : e;
}

const struct auth_driver auth_spa = {
    .base =
        {
            .name = STR_INIT("spa"),
            .opts = &opts,
            .check = check,
        },
    .server = server,
    .client = client,
};
