/* The plaintext authenticator: PLAIN, LOGIN and other mechanisms without cryptography. */
#include "auths/auth_talk.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "filter/vm.h"

struct auth_plaintext {
    bool client_ignore_invalid_base64;
    struct xstr client_send, server_prompts;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct auth_plaintext, client_ignore_invalid_base64, false, 0,
        "Puts up with prompts that are not valid base64."),
    OPT_XSTR(struct auth_plaintext, client_send, NULL, 0,
        "What the client sends, one item a prompt; ^ stands for a NUL."),
    OPT_LIST(struct auth_plaintext, server_prompts, NULL, 0,
        "Prompts that the server sends, one after the other."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "plaintext authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_plaintext),
};

/* --- server --- */

/* Prompts for which there is no data yet. */
static enum auth_end
ask_for_rest(struct auth_talk *t, struct str prompts)
{
    struct strlist_split s = strlist_split_start(prompts, ':');
    struct str prompt, data;
    for (unsigned n = 1; n <= AUTH_ROUNDS_MAX && t->values_n < AUTH_VALUES; n++) {
        if (!strlist_split_next(&s, t->arena, &prompt))
            break;
        if (n <= t->values_n)
            continue;
        enum auth_end e = t->ask(t, prompt, &data);
        if (e != AUTH_OK)
            return e;
        auth_talk_add_all(t, data);
    }
    return AUTH_OK;
}

static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_plaintext *own = t->d->own.fields;
    struct str prompts = STR_EMPTY;
    if (str_is_set(own->server_prompts.text)) {
        enum auth_end e = auth_talk_expand(t, &own->server_prompts, &prompts);
        if (e != AUTH_OK)
            return AUTH_DEFER;
    }
    if (str_is_set(t->initial))
        auth_talk_add_all(t, t->initial);
    enum auth_end e = ask_for_rest(t, prompts);
    return e == AUTH_OK ? auth_talk_server_condition(t) : e;
}

/* --- client --- */

/* A circumflex stands for a NUL, two of them for one. */
static struct str
with_nuls(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    for (uint32_t i = 0; i < text.n; i++) {
        bool twice = text.p[i] == '^' && i + 1 < text.n && text.p[i + 1] == '^';
        buf_addc(&b, text.p[i] == '^' && !twice ? '\0' : text.p[i]);
        i += twice;
    }
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

/* One item, expanded with the prompts so far. */
static enum auth_end
expand_item(struct auth_talk *t, struct str item, struct str *out)
{
    struct str value;
    vm_set_captures(t->vm, t->values, t->values_n > 0 ? t->values_n + 1 : 0);
    switch ((int)vm_expand(t->vm, item, &value)) {
    case VM_OK:
        *out = with_nuls(t->arena, value);
        return AUTH_OK;
    case VM_FORCED:
        return AUTH_SKIP;
    default:
        t->log =
            str_printf(t->arena, "expansion of \"%.*s\" failed in %.*s authenticator: %.*s",
                       STR_ARG(item), STR_ARG(t->d->name), STR_ARG(vm_error(t->vm)));
        return AUTH_DEFER;
    }
}

/* Keeps the prompt as the next $auth. */
static enum auth_end
keep_prompt(struct auth_talk *t)
{
    const struct auth_plaintext *own = t->d->own.fields;
    struct str prompt;
    if (!auth_talk_prompt(t, &prompt)) {
        if (!own->client_ignore_invalid_base64) {
            t->log = str_printf(t->arena, "Invalid base64 string in server response \"%.*s\"",
                                STR_ARG(t->reply->text));
            t->cancel(t);
            return AUTH_CANCELLED;
        }
        prompt = STR_EMPTY;
    }
    auth_talk_add(t, prompt);
    return AUTH_OK;
}

static enum auth_end
client(struct auth_talk *t)
{
    const struct auth_plaintext *own = t->d->own.fields;
    struct strlist_split s = strlist_split_start(own->client_send.text, ':');
    struct str item, data;
    enum auth_end e;
    for (unsigned n = 0; n < AUTH_ROUNDS_MAX; n++) {
        if (!strlist_split_next(&s, t->arena, &item)) {
            t->log = str_printf(t->arena, "Too few items in client_send in %.*s authenticator",
                                STR_ARG(t->d->name));
            t->cancel(t);
            return AUTH_DEFER;
        }
        e = expand_item(t, item, &data);
        if (e == AUTH_OK)
            e = n > 0 ? t->send(t, data) : t->start(t, data.n > 0 ? data : STR_NULL);
        else if (n > 0)
            t->cancel(t);
        if (e != AUTH_OK || !auth_talk_wants_more(t))
            return e;
        e = keep_prompt(t);
        if (e != AUTH_OK)
            return e;
    }
    t->cancel(t);
    return AUTH_FAIL;
}

const struct auth_driver auth_plaintext = {
    .base =
        {
            .name = STR_INIT("plaintext"),
            .opts = &opts,
            .check = auth_check,
        },
    .server = server,
    .client = client,
};
