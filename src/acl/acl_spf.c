/* The conditions spf and spf_guess: what SPF says of the sender, asked once a message. Source: specification, section "SPF". */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "lookups/spf_ask.h"

/* Of the session's client and the message's sender. */
static const struct spf_check *
ask(struct acl_call *c, bool guess)
{
    struct eval *e = c->r->eval;
    const struct session *s = e->session;
    struct message *m = e->message;
    const struct spf_question q = {
        .ip = s != NULL && str_is_set(s->sender_host_address) ? s->sender_host_address
                                                              : STR_EMPTY,
        .helo = s != NULL && str_is_set(s->sender_helo_name) ? s->sender_helo_name : STR_EMPTY,
        .sender = m != NULL && str_is_set(m->sender) ? m->sender : STR_EMPTY,
        .guess = guess,
    };
    if (m != NULL && m->spf != NULL && m->spf->asked_guess == guess &&
        str_eq(m->spf->sender, q.sender))
        return m->spf;
    struct spf_check *r = ARENA_NEW(c->keep, struct spf_check);
    spf_ask(e, c->r->vm, c->keep, &q, r);
    r->asked_guess = guess;
    if (m != NULL)
        m->spf = r;
    return r;
}

/* One of the list: a result, any with *, all others with ! in front. */
static bool
matches(struct str item, enum spf_result result)
{
    enum spf_result wanted;
    bool inverted = item.n > 0 && item.p[0] == '!';
    if (inverted)
        item = str_trim(str_sub(item, 1, item.n));
    bool same = str_eqz(item, "*") || (spf_result_parse(item, &wanted) && wanted == result);
    return item.n > 0 && same != inverted;
}

static enum acl_test
test(struct acl_call *c, struct str list, bool guess)
{
    const struct spf_check *r = ask(c, guess);
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&s, vm_scratch(c->r->vm), &item))
        if (matches(item, r->result))
            return ACL_TEST_TRUE;
    return ACL_TEST_FALSE;
}

enum acl_test
acl_cond_spf(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    return test(c, arg, false);
}

enum acl_test
acl_cond_spf_guess(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    return test(c, arg, true);
}
