/* Authentication exchanges; see auth_talk.h. */
#include "auths/auth_talk.h"

#include "base/arena.h"
#include "base/base64.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "filter/vm.h"

void
auth_talk_clear(struct auth_talk *t)
{
    t->values_n = 0;
    for (unsigned i = 0; i < 4; i++)
        t->session->auth[i] = STR_NULL;
}

void
auth_talk_add(struct auth_talk *t, struct str value)
{
    if (t->values_n == AUTH_VALUES)
        return;
    struct str kept = str_tainted(str_dup(t->session->arena, value));
    t->session->auth[t->values_n] = kept;
    t->values[++t->values_n] = kept;
}

void
auth_talk_add_all(struct auth_talk *t, struct str data)
{
    for (size_t at = 0;;) {
        size_t end = str_chr(data, '\0', at);
        end = end == STR_NPOS ? data.n : end;
        auth_talk_add(t, str_sub(data, at, end - at));
        if (end >= data.n)
            return;
        at = end + 1;
    }
}

enum auth_end
auth_talk_expand(struct auth_talk *t, const struct xstr *x, struct str *out)
{
    struct str value;
    *out = STR_EMPTY;
    t->values[0] = STR_EMPTY;
    vm_set_captures(t->vm, t->values, t->values_n > 0 ? t->values_n + 1 : 0);
    switch ((int)vm_expand_x(t->vm, x, &value)) {
    case VM_OK:
        *out = str_dup(t->arena, value);
        return AUTH_OK;
    case VM_FORCED:
        return AUTH_SKIP;
    default:
        t->log = str_dup(t->arena, vm_error(t->vm));
        return AUTH_DEFER;
    }
}

enum auth_end
auth_talk_add_options(struct auth_talk *t, const struct xstr *const *options, size_t n)
{
    struct str value;
    for (size_t i = 0; i < n; i++) {
        if (!str_is_set(options[i]->text))
            continue;
        enum auth_end e = auth_talk_expand(t, options[i], &value);
        if (e != AUTH_OK)
            return e == AUTH_SKIP ? AUTH_FAIL : e;
        auth_talk_add(t, value);
    }
    return AUTH_OK;
}

enum auth_end
auth_talk_condition(struct auth_talk *t, const struct xstr *x)
{
    struct str value;
    if (!str_is_set(x->text))
        return AUTH_OK;
    enum auth_end e = auth_talk_expand(t, x, &value);
    if (e != AUTH_OK)
        return e == AUTH_SKIP ? AUTH_FAIL : e;
    if (value.n == 0 || str_eqz(value, "0") || str_ieqz(value, "no") ||
        str_ieqz(value, "false"))
        return AUTH_FAIL;
    if (str_eqz(value, "1") || str_ieqz(value, "yes") || str_ieqz(value, "true"))
        return AUTH_OK;
    t->text = t->log = value;
    return AUTH_DEFER;
}

enum auth_end
auth_talk_server_condition(struct auth_talk *t)
{
    const struct auth_generic *g = t->d->generic.fields;
    return auth_talk_condition(t, &g->server_condition);
}

bool
auth_talk_decode(struct arena *a, struct str text, struct str *out)
{
    *out = STR_EMPTY;
    if (text.n > AUTH_DATA_MAX / 3 * 4 || !base64_decode(a, text, out, NULL))
        return false;
    *out = out->n > 0 ? str_tainted(*out) : STR_EMPTY;
    return true;
}

bool
auth_talk_wants_more(const struct auth_talk *t)
{
    return t->reply->code / 100 == 3;
}

bool
auth_talk_prompt(struct auth_talk *t, struct str *out)
{
    struct str line = smtp_reply_line(t->reply, 0);
    return auth_talk_decode(t->arena, str_trim(line), out);
}
