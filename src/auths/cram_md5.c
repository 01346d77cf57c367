/* The cram_md5 authenticator: a challenge and a secret that both sides know. */
#include "auths/auth_talk.h"

#include "auths/cram_md5.h"
#include "base/arena.h"
#include "conf/eval.h"
#include "filter/vm.h"
#include "sys/digest.h"
#include "sys/entropy.h"

#include <time.h>

struct auth_cram_md5 {
    struct xstr client_name, client_secret, server_secret;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_cram_md5, client_name, NULL, 0,
        "Name with which the client logs in."),
    OPT_XSTR(struct auth_cram_md5, client_secret, NULL, 0,
        "Secret with which the client answers the challenge."),
    OPT_XSTR(struct auth_cram_md5, server_secret, NULL, 0,
        "Secret of the client's user, or a forced failure when there is none."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "cram_md5 authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_cram_md5),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    if (!driver_sets_generic(d, "public_name"))
        return driver_fault(diags, d, NULL, DRIVER_WORDS_PLAIN,
                            "no public name specified for the %.*s authenticator",
                            STR_ARG(d->name));
    return auth_check(a, d, diags);
}

enum { DIGEST_TEXT = 32 };

/* The digest of the challenge, in hexadecimal. RFC 2195. */
static struct str
answer_to(struct arena *a, struct str challenge, struct str secret)
{
    unsigned char bytes[DIGEST_MAX];
    char text[DIGEST_TEXT];
    digest_hmac(digest_find(STR_LIT("md5")), secret, challenge, bytes);
    digest_hex(bytes, DIGEST_TEXT / 2, DIGEST_LOWER, text);
    return str_dup(a, str_from(text, DIGEST_TEXT));
}

enum auth_end
auth_cram_md5_serve(struct auth_talk *t, const struct xstr *secret_option)
{
    struct str host, answer, secret;
    uint32_t random = 0;
    if (str_is_set(t->initial) && t->initial.n > 0)
        return AUTH_UNEXPECTED;
    if (vm_expand(t->vm, STR_LIT("$primary_hostname"), &host) != VM_OK)
        host = STR_LIT("localhost");
    entropy_fill(&random, sizeof random);
    struct str challenge =
        str_printf(t->arena, "<%lld.%lld%u@%.*s>", (long long)t->eval->process.pid,
                   (long long)time(NULL), (unsigned)random, STR_ARG(host));
    enum auth_end e = t->ask(t, challenge, &answer);
    if (e != AUTH_OK)
        return e;
    size_t blank = str_rchr(answer, ' ');
    auth_talk_add(t, str_trim(str_sub(answer, 0, blank == STR_NPOS ? answer.n : blank)));
    if (blank == STR_NPOS || answer.n - blank - 1 != DIGEST_TEXT)
        return AUTH_FAIL;
    e = auth_talk_expand(t, secret_option, &secret);
    if (e != AUTH_OK)
        return e == AUTH_SKIP ? AUTH_FAIL : e;
    struct str given = str_lower(t->arena, str_sub(answer, blank + 1, DIGEST_TEXT));
    if (!digest_is_same(given.p, answer_to(t->arena, challenge, secret).p, DIGEST_TEXT))
        return AUTH_FAIL;
    return auth_talk_server_condition(t);
}

enum auth_end
auth_cram_md5_ask(struct auth_talk *t, struct str name, struct str secret)
{
    struct str challenge;
    enum auth_end e = t->start(t, STR_NULL);
    if (e != AUTH_OK)
        return e;
    if (!auth_talk_wants_more(t) || !auth_talk_prompt(t, &challenge)) {
        t->log = str_printf(t->arena, "bad challenge: %.*s", STR_ARG(t->reply->text));
        t->cancel(t);
        return AUTH_CANCELLED;
    }
    struct str digest = answer_to(t->arena, challenge, secret);
    return t->send(t, str_printf(t->arena, "%.*s %.*s", STR_ARG(name), STR_ARG(digest)));
}

static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_cram_md5 *own = t->d->own.fields;
    return auth_cram_md5_serve(t, &own->server_secret);
}

static enum auth_end
client(struct auth_talk *t)
{
    const struct auth_cram_md5 *own = t->d->own.fields;
    const struct xstr host = {.text = STR_LIT("$primary_hostname")};
    struct str name, secret;
    enum auth_end e = auth_talk_expand(t, &own->client_secret, &secret);
    if (e == AUTH_OK && str_is_set(own->client_name.text))
        e = auth_talk_expand(t, &own->client_name, &name);
    else if (e == AUTH_OK)
        e = vm_expand(t->vm, host.text, &name) == VM_OK ? AUTH_OK : AUTH_DEFER;
    if (e != AUTH_OK)
        return e;
    return auth_cram_md5_ask(t, str_dup(t->arena, name), secret);
}

const struct auth_driver auth_cram_md5 = {
    .base =
        {
            .name = STR_INIT("cram_md5"),
            .opts = &opts,
            .check = check,
        },
    .server = server,
    .client = client,
};
