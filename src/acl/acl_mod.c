/* Modifiers that act at once: set, logwrite, delay, queue and the like. */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/num.h"
#include "base/strlist.h"
#include "base/utf8.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "mail/dkim_result.h"

enum acl_test
acl_mod_continue(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)c;
    (void)item;
    (void)arg;
    return ACL_TEST_TRUE;
}

enum acl_test
acl_mod_delay(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    int64_t seconds;
    const struct acl_up *up = c->r->up;
    const struct session *s = c->r->eval->session;
    (void)item;
    if (!num_parse_interval(str_trim(arg), &seconds))
        return acl_error(
            c, "syntax error in argument for \"delay\" modifier: \"%.*s\" is not a time value",
            STR_ARG(arg));
    bool flush = s == NULL || s->acl == NULL || !s->acl->no_delay_flush;
    if (up != NULL && up->delay != NULL)
        up->delay(up->peer_ctx, seconds, flush);
    return ACL_TEST_TRUE;
}

/* --- logs --- */

static bool
log_bit(struct str name, unsigned *bits)
{
    static const struct {
        const char *name;
        unsigned bit;
    } rows[] = {{"main", ACL_LOG_MAIN}, {"reject", ACL_LOG_REJECT}, {"panic", ACL_LOG_PANIC}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_eqz(name, rows[i].name))
            continue;
        *bits |= rows[i].bit;
        return true;
    }
    return false;
}

/* A name that is no log is told, and passed over. */
static void
complain(struct acl_call *c, const char *in, struct str name, const char *modifier)
{
    acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
            "unknown log name %s\"%.*s\" in \"%s\" in %.*s ACL", in, STR_ARG(name), modifier,
            STR_ARG(acl_phase_title(c->phase)));
}

enum acl_test
acl_mod_log_reject_target(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct strlist_split s = strlist_split_start(arg, ':');
    struct str name;
    unsigned bits = 0;
    bool good = true;
    (void)item;
    while (strlist_split_next(&s, vm_scratch(c->r->vm), &name)) {
        if (name.n == 0 || log_bit(name, &bits))
            continue;
        complain(c, "", name, "log_reject_target");
        good = false;
    }
    if (bits != 0 || good) /* a slip of the pen does not hide what is refused */
        c->r->answer->log_to = bits;
    return ACL_TEST_TRUE;
}

/* ":main,reject: text": which logs. */
static unsigned
take_targets(struct acl_call *c, struct str *text)
{
    size_t end = str_chr(*text, ':', 1);
    if (text->n == 0 || text->p[0] != ':' || end == STR_NPOS)
        return ACL_LOG_MAIN;
    struct str whole = *text;
    struct strlist_split s = strlist_split_start(str_sub(whole, 1, end - 1), ',');
    struct str name;
    unsigned bits = 0;
    bool good = true;
    while (strlist_split_next(&s, vm_scratch(c->r->vm), &name))
        good = (name.n == 0 || log_bit(name, &bits)) && good;
    if (!good)
        complain(c, "in ", whole, "logwrite");
    *text = str_trim_left(str_sub(whole, end + 1, whole.n));
    return bits;
}

/* What a configuration writes to the logs has its other bytes escaped, also where they are characters. */
static struct str
in_ascii(const struct acl_call *c, struct str text)
{
    const struct conf *conf = c->r->eval->conf;
    struct arena *a = vm_scratch(c->r->vm);
    if (!utf8_has_8bit(text) || (conf != NULL && conf->main->print_topbitchars))
        return text;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x80)
            buf_addc(&b, text.p[i]);
        else
            buf_printf(&b, "\\%03o", (unsigned)(unsigned char)text.p[i]);
    return buf_str(&b);
}

enum acl_test
acl_mod_logwrite(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    unsigned bits = take_targets(c, &arg);
    arg = str_trim_left(arg);
    if (bits != 0)
        acl_log(c->r, bits | ACL_LOG_TABS, "%.*s", STR_ARG(in_ascii(c, arg)));
    return ACL_TEST_TRUE;
}

/* --- variables, queue --- */

static void
set_variable(struct arena *a, struct map **map, struct str name, struct str value)
{
    if (*map == NULL)
        *map = map_new(a, MAP_CASEFUL);
    struct str *slot = ARENA_NEW(a, struct str);
    *slot = str_dup(a, value);
    map_set(*map, str_dup(a, name), slot);
}

/* What the ACL of DKIM says of the signature at hand goes for the message as well. */
static enum acl_test
set_dkim(struct acl_call *c, struct str variable, struct str arg)
{
    struct message *m = c->r->eval->message;
    struct dkim_results *r = m == NULL ? NULL : m->dkim;
    if (r == NULL)
        return ACL_TEST_TRUE;
    bool status = str_eqz(variable, "dkim_verify_status");
    struct str value = str_dup(c->keep, arg);
    *(status ? &r->status : &r->reason) = value;
    if (r->current != NULL)
        *(status ? &r->current->set_status : &r->current->set_reason) = value;
    return ACL_TEST_TRUE;
}

/* acl_c… lives as long as the connection, acl_m… as the message. */
enum acl_test
acl_mod_set(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    if (str_starts(item->variable, "dkim_"))
        return set_dkim(c, item->variable, arg);
    struct str name = str_sub(item->variable, strlen("acl_"), item->variable.n);
    bool session = str_starts(item->variable, "acl_c");
    struct arena *a = session && e->session != NULL && e->session->arena != NULL
                          ? e->session->arena
                          : c->keep;
    set_variable(a, session ? &e->acl_c : &e->acl_m, name, arg);
    return ACL_TEST_TRUE;
}

enum acl_test
acl_mod_queue(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct message *m = c->r->eval->message;
    (void)item;
    if (str_is_tainted(arg))
        return acl_error(c, "Tainted name '%.*s' for queue not permitted", STR_ARG(arg));
    if (str_chr(arg, '/', 0) != STR_NPOS || str_eqz(arg, ".") || str_eqz(arg, ".."))
        return acl_error(c, "Directory separator not permitted in queue name: '%.*s'",
                         STR_ARG(arg));
    if (m != NULL)
        m->queue_name = str_dup(m->arena, arg);
    return ACL_TEST_TRUE;
}
