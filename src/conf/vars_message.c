/* Variables of the message, the address and the session that are computed, and the families. */
#include "base/buf.h"
#include "base/map.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/address.h"

#include <time.h>
#include <unistd.h>

/* --- families --- */

static enum vm_status
from_map(const struct map *m, struct vm *vm, struct str name, struct str *out)
{
    const struct str *value = m == NULL ? NULL : map_get(m, name);
    (void)vm;
    *out = value == NULL ? STR_NULL : *value;
    return VM_OK;
}

/* $acl_c<rest>: kept under "c<rest>". With strict_acl_vars an unset one is an error. */
static enum vm_status
acl_variable(const struct eval *e, const struct map *m, struct vm *vm, struct str name,
             struct str *out)
{
    (void)from_map(m, vm, name, out);
    bool strict = e->conf != NULL && e->conf->main != NULL && e->conf->main->strict_acl_vars;
    if (!str_is_set(*out) && strict)
        return vm_fail(vm, "unknown variable name \"acl_%.*s\" (strict_acl_vars is set)",
                       STR_ARG(name));
    return VM_OK;
}

enum vm_status
var_acl_c(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    struct str name = str_cat(vm_scratch(vm), STR_LIT("c"), rest);
    return acl_variable(e, e->acl_c, vm, name, out);
}

enum vm_status
var_acl_m(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    struct str name = str_cat(vm_scratch(vm), STR_LIT("m"), rest);
    return acl_variable(e, e->acl_m, vm, name, out);
}

enum vm_status
var_router_var(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    return from_map(e->router_vars, vm, rest, out);
}

static enum vm_status
pick(const struct str *from, struct str rest, char first, struct str *out)
{
    *out = from == NULL ? STR_NULL : from[rest.p[0] - first];
    return VM_OK;
}

enum vm_status
var_acl_arg(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    return pick(e->session == NULL ? NULL : e->session->acl_args, rest, '1', out);
}

enum vm_status
var_auth(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    return pick(e->session == NULL ? NULL : e->session->auth, rest, '1', out);
}

enum vm_status
var_regex(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    return pick(e->session == NULL ? NULL : e->session->regex_caps, rest, '1', out);
}

enum vm_status
var_filter_n(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    return var_put_int(vm, e->message == NULL ? 0 : e->message->filter_n[rest.p[0] - '0'], out);
}

enum vm_status
var_filter_sn(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    return var_put_int(vm, e->message == NULL ? 0 : e->message->filter_sn[rest.p[0] - '0'],
                       out);
}

/* --- what functions of the language leave --- */

#define CHECKED(name, field)                                                                   \
    enum vm_status var_##name(void *env, struct vm *vm, struct str rest, struct str *out)      \
    {                                                                                          \
        (void)env;                                                                             \
        (void)rest;                                                                            \
        *out = vm_checked(vm)->field;                                                          \
        return VM_OK;                                                                          \
    }
CHECKED(prvscheck_address, prvs_address)
CHECKED(prvscheck_keynum, prvs_keynum)
CHECKED(prvscheck_result, prvs_result)

enum vm_status
var_srs_recipient(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    *out = vm_checked(vm)->srs_recipient;
    if (!str_is_set(*out) && e->session != NULL)
        *out = e->session->srs_recipient;
    *out = str_tainted(*out);
    return VM_OK;
}

/* --- the TLS connection at hand: the outgoing one while a message is being sent --- */

static const struct tls_state *
tls_at_hand(void *env)
{
    const struct eval *e = env;
    if (e->session == NULL)
        return NULL;
    return e->session->tls_out_active ? &e->session->tls_out : &e->session->tls_in;
}

#define TLS_TEXT(name, field)                                                                  \
    enum vm_status var_tls_##name(void *env, struct vm *vm, struct str rest, struct str *out)  \
    {                                                                                          \
        const struct tls_state *t = tls_at_hand(env);                                          \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = t == NULL ? STR_NULL : t->field;                                                \
        return VM_OK;                                                                          \
    }
TLS_TEXT(cipher, cipher)
TLS_TEXT(peerdn, peerdn)
TLS_TEXT(sni, sni)

enum vm_status
var_tls_bits(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct tls_state *t = tls_at_hand(env);
    (void)rest;
    return var_put_int(vm, t == NULL ? 0 : t->bits, out);
}

enum vm_status
var_tls_certificate_verified(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct tls_state *t = tls_at_hand(env);
    (void)rest;
    return var_put_int(vm, t == NULL ? 0 : t->verified, out);
}

/* --- the address at hand --- */

/* An id that is not known shows as the largest of its type. */
static enum vm_status
put_id(struct vm *vm, int64_t id, struct str *out)
{
    return var_put_int(vm, id < 0 ? UINT32_MAX : id, out);
}

enum vm_status
var_local_user_uid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return put_id(vm, e->address == NULL ? -1 : e->address->local_uid, out);
}

enum vm_status
var_local_user_gid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return put_id(vm, e->address == NULL ? -1 : e->address->local_gid, out);
}

/* --- the message --- */

enum vm_status
var_originator_uid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return put_id(vm, e->message == NULL ? e->process.caller_uid : e->message->originator_uid,
                  out);
}

enum vm_status
var_originator_gid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return put_id(vm, e->message == NULL ? e->process.caller_gid : e->message->originator_gid,
                  out);
}

enum vm_status
var_received_time(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return var_put_int(vm, e->message == NULL ? 0 : e->message->received_time, out);
}

enum vm_status
var_message_age(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    int64_t age = 0;
    if (e->message != NULL && e->message->received_time > 0)
        age = (int64_t)time(NULL) - e->message->received_time;
    return var_put_int(vm, age < 0 ? 0 : age, out);
}

enum vm_status
var_mime_part_count(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    return var_put_int(vm, e->message == NULL ? -1 : e->message->mime.count - 1, out);
}

/* Without a message there is no queue to look into yet. */
enum vm_status
var_queue_size(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)vm;
    (void)rest;
    *out = STR_NULL;
    return VM_OK;
}

enum vm_status
var_return_path(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->address == NULL ? STR_NULL : e->address->return_path;
    if (!str_is_set(*out) && e->message != NULL && e->address != NULL)
        *out = e->message->sender;
    return VM_OK;
}

enum vm_status
var_sender_data(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->sender_data;
    return VM_OK;
}

/* Of a router's hosts, or else of an ACL's. */
enum vm_status
var_host_data(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    bool routed = e->address != NULL && str_is_set(e->address->host_data);
    *out = routed ? e->address->host_data : e->host_data;
    return VM_OK;
}

enum vm_status
var_recipient_data(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->recipient_data;
    return VM_OK;
}

enum vm_status
var_ldap_dn(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->ldap_dn;
    return VM_OK;
}

enum vm_status
var_lookup_dnssec(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->lookup_dnssec;
    return VM_OK;
}

/* The envelope sender with its parts; without a domain the whole is the local part. */
static void
split_sender(void *env, struct str *local_part, struct str *domain)
{
    const struct eval *e = env;
    *local_part = STR_NULL;
    *domain = STR_NULL;
    if (e->message != NULL && str_is_set(e->message->sender))
        address_split(e->message->sender, local_part, domain);
    *local_part = str_tainted(*local_part);
    *domain = str_tainted(*domain);
}

enum vm_status
var_sender_address_local_part(void *env, struct vm *vm, struct str rest, struct str *out)
{
    struct str domain;
    (void)vm;
    (void)rest;
    split_sender(env, out, &domain);
    return VM_OK;
}

enum vm_status
var_sender_address_domain(void *env, struct vm *vm, struct str rest, struct str *out)
{
    struct str local_part;
    (void)vm;
    (void)rest;
    split_sender(env, &local_part, out);
    return VM_OK;
}

enum vm_status
var_recipients_count(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    const struct message *m = e->message;
    return var_put_int(vm, m == NULL ? 0 : (int64_t)m->recipients.n + m->recipients_hidden,
                       out);
}

static enum vm_status
join_recipients(void *env, struct vm *vm, const char *between, struct str *out)
{
    const struct eval *e = env;
    if (e->message == NULL || e->message->recipients.n == 0)
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    for (size_t i = 0; i < e->message->recipients.n; i++) {
        if (i > 0)
            buf_addz(&b, between);
        buf_adds(&b, e->message->recipients.v[i].address);
    }
    *out = str_tainted(buf_str(&b));
    return VM_OK;
}

enum vm_status
var_recipients(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return join_recipients(env, vm, ", ", out);
}

enum vm_status
var_recipients_list(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)rest;
    struct buf b = buf_in(vm_scratch(vm), 0);
    for (size_t i = 0; e->message != NULL && i < e->message->recipients.n; i++)
        strlist_append(&b, e->message->recipients.v[i].address, ':', i == 0);
    *out = str_tainted(buf_str(&b));
    return VM_OK;
}

/* --- the body --- */

enum { BODY_VISIBLE_MAX = 1024 * 1024 };

/* Part of the body, at most `most` bytes from its start or end. */
static struct str
body_part(struct vm *vm, const struct message *m, size_t most, bool at_end)
{
    size_t size = m->body_fd < 0 ? m->body_text.n : (size_t)m->body_size;
    size_t n = size < most ? size : most;
    size_t from = at_end ? size - n : 0;
    if (m->body_fd < 0)
        return str_tainted(str_sub(m->body_text, from, n));
    char *p = arena_alloc(vm_scratch(vm), n + 1);
    ssize_t got = pread(m->body_fd, p, n, (off_t)(m->body_start + (int64_t)from));
    return str_tainted(str_from(p, got < 0 ? 0 : (size_t)got));
}

/* Newlines show as spaces unless message_body_newlines, NULs always do. */
static struct str
visible(struct vm *vm, struct str body, bool keep_newlines)
{
    struct str s = str_dup(vm_scratch(vm), body);
    char *p = (char *)(uintptr_t)s.p; /* our own copy */
    for (size_t i = 0; i < s.n; i++) {
        if (p[i] == '\0' || (p[i] == '\n' && !keep_newlines))
            p[i] = ' ';
    }
    return s;
}

static enum vm_status
put_body(void *env, struct vm *vm, bool at_end, struct str *out)
{
    const struct eval *e = env;
    if (e->message == NULL)
        return VM_OK;
    const struct conf_main *m = e->conf == NULL ? NULL : e->conf->main;
    int64_t most = m == NULL ? 500 : m->message_body_visible;
    if (most < 0)
        most = 0;
    size_t cap = most > BODY_VISIBLE_MAX ? BODY_VISIBLE_MAX : (size_t)most;
    *out = visible(vm, body_part(vm, e->message, cap, at_end),
                   m != NULL && m->message_body_newlines);
    return VM_OK;
}

enum vm_status
var_message_body(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_body(env, vm, false, out);
}

enum vm_status
var_message_body_end(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_body(env, vm, true, out);
}
