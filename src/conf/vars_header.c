/* Header fields of the message at hand: $h_name: in its forms, $message_headers, $reply_address. */
#include "base/arena.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/header.h"
#include "sys/charset.h"

static const struct header_list *
headers_of(void *env)
{
    const struct eval *e = env;
    return e->message == NULL ? NULL : e->message->headers;
}

/* The character set that decoded words become: the message's own, or the setting. */
static struct str
charset_of(void *env)
{
    const struct eval *e = env;
    if (e->message != NULL && str_is_set(e->message->header_charset))
        return e->message->header_charset;
    if (e->conf != NULL && e->conf->main != NULL)
        return e->conf->main->headers_charset;
    return STR_EMPTY;
}

static unsigned
decode_flags(void *env)
{
    const struct eval *e = env;
    bool check = e->conf != NULL && e->conf->main != NULL &&
                 e->conf->main->check_rfc2047_length;
    return check ? 0 : RFC2047_ANY_LENGTH;
}

/* Texts of header fields that were asked for: decoding words is much dearer than finding a text again. Good
 * until a line is added or removed. */
struct header_texts {
    const struct header_list *of;
    uint32_t changes;
    struct map *by_name[HEADER_LIST + 1]; /* struct str, p == NULL: no such field */
};

enum { TEXTS_MAX = 256 }; /* names remembered of a form */

static struct map *
remembered(struct message *m, enum header_form form)
{
    struct header_texts *t = m->texts;
    if (m->arena == NULL)
        return NULL;
    if (t == NULL || t->of != m->headers || t->changes != m->headers->changes) {
        t = ARENA_NEW(m->arena, struct header_texts);
        t->of = m->headers;
        t->changes = m->headers->changes;
        m->texts = t;
    }
    if (t->by_name[form] == NULL)
        t->by_name[form] = map_new(m->arena, MAP_CASELESS);
    return t->by_name[form];
}

static enum vm_status
find_text(void *env, struct vm *vm, enum header_form form, struct str name, struct str *out)
{
    static const enum header_view view[] = {
        [HEADER_COOKED] = HEADER_VIEW_COOKED,
        [HEADER_RAW] = HEADER_VIEW_RAW,
        [HEADER_BYTES] = HEADER_VIEW_BYTES,
        [HEADER_LIST] = HEADER_VIEW_LIST,
    };
    const struct header_list *l = headers_of(env);
    if (l == NULL)
        return VM_NO;
    struct charset_target target = charset_target(charset_of(env));
    if (!header_list_text(vm_scratch(vm), l, name, view[form], &target, decode_flags(env), out))
        return VM_NO;
    *out = str_tainted(*out);
    return VM_OK;
}

enum vm_status
vars_header(void *env, struct vm *vm, enum header_form form, struct str name, struct str *out)
{
    struct eval *e = env;
    struct message *m = e->message;
    struct map *texts = m == NULL || m->headers == NULL ? NULL : remembered(m, form);
    const struct str *known = texts == NULL ? NULL : map_get(texts, name);
    if (known != NULL) {
        *out = *known;
        return str_is_set(*known) ? VM_OK : VM_NO;
    }
    enum vm_status st = find_text(env, vm, form, name, out);
    if (texts != NULL && map_count(texts) < TEXTS_MAX) {
        struct str *kept = ARENA_NEW(m->arena, struct str);
        *kept = st == VM_OK ? str_dup(m->arena, *out) : STR_NULL;
        map_set(texts, str_dup(m->arena, name), kept);
    }
    return st;
}

static enum vm_status
put_all(void *env, struct vm *vm, enum header_view view, struct str *out)
{
    const struct header_list *l = headers_of(env);
    if (l != NULL)
        *out = str_tainted(header_list_all(vm_scratch(vm), l, view, decode_flags(env)));
    return VM_OK;
}

enum vm_status
var_message_headers(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_all(env, vm, HEADER_VIEW_BYTES, out);
}

enum vm_status
var_message_headers_raw(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_all(env, vm, HEADER_VIEW_RAW, out);
}

/* Reply-To: if it is there and not empty, else From:. */
enum vm_status
var_reply_address(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    enum vm_status st = vars_header(env, vm, HEADER_COOKED, STR_LIT("reply-to"), out);
    if (st != VM_OK || out->n == 0)
        (void)vars_header(env, vm, HEADER_COOKED, STR_LIT("from"), out);
    return VM_OK;
}
