/* Header fields of the message at hand: $h_name: in its forms, $message_headers, $reply_address. */
#include "base/arena.h"
#include "base/load.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/header.h"
#include "sys/charset.h"

#include <string.h>

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
    bool check =
        e->conf != NULL && e->conf->main != NULL && e->conf->main->check_rfc2047_length;
    return check ? 0 : RFC2047_ANY_LENGTH;
}

/* Texts of header fields that were asked for: decoding words is much dearer than finding a text again. Good
 * until a line is added or removed. */
enum {
    TEXTS_MAX = 256, /* names remembered of a form */
    RECENT = 16,     /* a power of two */
};

/* The name as it was asked for, and what by_name holds for it. */
struct recent_text {
    struct str name;
    const struct str *text;
    enum header_form form;
};

struct header_texts {
    const struct header_list *of;
    uint32_t changes;
    struct map *by_name[HEADER_LIST + 1]; /* struct str, p == NULL: no such field */
    struct recent_text recent[RECENT];    /* a comparison is cheaper than a hash without case */
};

static struct recent_text *
recent_slot(struct header_texts *t, enum header_form form, struct str name)
{
    unsigned last = name.n > 0 ? (unsigned char)name.p[name.n - 1] : 0;
    return &t->recent[(name.n + last * 5 + (unsigned)form * 7) & (RECENT - 1)];
}

static inline bool
is_recent(const struct recent_text *r, enum header_form form, struct str name)
{
    return r->text != NULL && r->form == form && r->name.n == name.n &&
           load_same(r->name.p, name.p, name.n);
}

/* When there is nothing of this message yet, or its lines have changed. */
static __attribute__((noinline)) struct header_texts *
begin_texts(struct message *m)
{
    struct header_texts *t = ARENA_NEW(m->arena, struct header_texts);
    t->of = m->headers;
    t->changes = m->headers->changes;
    m->texts = t;
    return t;
}

/* What is remembered of the message as it is now; NULL: nothing yet. */
static inline struct header_texts *
remembered(const struct message *m)
{
    struct header_texts *t = m == NULL ? NULL : m->texts;
    return t != NULL && t->of == m->headers && t->changes == m->headers->changes ? t : NULL;
}

static __attribute__((noinline)) enum vm_status
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
    /* Of all lines only a Received: line can be our own, when it says nothing of the client. */
    if (out->taint != STR_CLEAN || !str_ieqz(name, "received"))
        *out = str_tainted(*out);
    return VM_OK;
}

/* What is remembered of a name, or is found and then remembered; NULL when there is no room for
 * more. */
static __attribute__((noinline)) const struct str *
text_of(struct eval *e, struct vm *vm, struct header_texts *t, enum header_form form,
        struct str name)
{
    struct arena *a = e->message->arena;
    if (t->by_name[form] == NULL)
        t->by_name[form] = map_new(a, MAP_CASELESS);
    struct map *texts = t->by_name[form];
    struct str *text = map_get(texts, name);
    if (text == NULL) {
        struct str found;
        if (map_count(texts) >= TEXTS_MAX)
            return NULL;
        text = ARENA_NEW(a, struct str);
        if (find_text(e, vm, form, name, &found) == VM_OK)
            *text = str_dup(a, found);
        map_set(texts, str_dup(a, name), text);
    }
    struct recent_text *r = recent_slot(t, form, name);
    if (r->text == NULL)
        *r = (struct recent_text){str_dup(a, name), text, form};
    return text;
}

/* A name that was not asked for lately. */
static __attribute__((noinline)) enum vm_status
ask_text(struct eval *e, struct vm *vm, enum header_form form, struct str name, struct str *out)
{
    struct message *m = e->message;
    if (m == NULL || m->headers == NULL || m->arena == NULL)
        return find_text(e, vm, form, name, out);
    struct header_texts *t = remembered(m);
    const struct str *text = text_of(e, vm, t != NULL ? t : begin_texts(m), form, name);
    if (text == NULL)
        return find_text(e, vm, form, name, out);
    *out = *text;
    return str_is_set(*text) ? VM_OK : VM_NO;
}

enum vm_status
vars_header(void *env, struct vm *vm, enum header_form form, struct str name, struct str *out)
{
    struct eval *e = env;
    struct header_texts *t = remembered(e->message);
    if (t != NULL) {
        const struct recent_text *r = recent_slot(t, form, name);
        if (is_recent(r, form, name)) {
            *out = *r->text;
            return str_is_set(*out) ? VM_OK : VM_NO;
        }
    }
    return ask_text(e, vm, form, name, out);
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
    enum vm_status st = vars_header(env, vm, HEADER_RAW, STR_LIT("reply-to"), out);
    *out = str_trim(*out);
    if (st != VM_OK || out->n == 0)
        (void)vars_header(env, vm, HEADER_RAW, STR_LIT("from"), out);
    *out = str_trim(*out);
    return VM_OK;
}
