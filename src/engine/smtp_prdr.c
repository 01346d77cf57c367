/* PRDR: an answer for each recipient once the text is there. Source: specification, "The SMTP PRDR ACL"; draft-hall-prdr. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "engine/maillog.h"
#include "engine/policy.h"

static const struct {
    const char *code, *word;
} answers[] = {
    [ACL_ACCEPT] = {"250", "acceptance"},
    [ACL_DISCARD] = {"250", "acceptance"},
    [ACL_DENY] = {"550", "refusal"},
    [ACL_DROP] = {"550", "refusal"},
    [ACL_DEFER] = {"450", "temporarily refused"},
    [ACL_ERROR] = {"550", "refusal"},
};

static enum acl_result
ask(struct smtp_session *s, struct str address)
{
    struct acl_answer a;
    smtp_set_recipient(s, address);
    enum acl_result r = policy_run(s->engine, ACL_PHASE_PRDR, &a);
    s->engine->eval->address = NULL;
    struct str text =
        str_printf(s->message_arena, "PRDR R=<%.*s> %s", STR_ARG(address), answers[r].word);
    struct str why = str_is_set(a.log_message) ? a.log_message : a.message;
    smtp_answer_text(s, answers[r].code, str_is_set(a.message) ? a.message : text);
    if (str_is_set(why))
        maillog(s->engine, MAILLOG_MAIN, s->message->id, "PRDR %.*s %.*s", STR_ARG(address),
                STR_ARG(why));
    else
        maillog_line(s->engine, MAILLOG_MAIN, s->message->id, text);
    return r;
}

/* Recipients that are not accepted are taken out of the message. False: nobody is left, and nobody was told to wait. */
bool
smtp_prdr(void *ctx)
{
    struct smtp_session *s = ctx;
    struct message *m = s->message;
    size_t kept = 0, accepted = 0, later = 0;
    s->model->prdr =
        s->model->prdr && m->recipients.n > 1; /* with one recipient it is not done */
    if (!s->model->prdr)
        return true;
    smtp_answer(s, "353 PRDR content analysis beginning");
    size_t n = m->recipients.n;
    for (size_t i = 0; i < n; i++) {
        enum acl_result r = ask(s, m->recipients.v[i].address);
        accepted += r == ACL_ACCEPT || r == ACL_DISCARD;
        later += r == ACL_DEFER;
        if (r == ACL_ACCEPT)
            m->recipients.v[kept++] = m->recipients.v[i];
    }
    m->recipients.n = kept;
    s->prdr_done = true;
    s->prdr_some = kept < n;
    if (kept == 0)
        acl_message_of(m)->discarded_by = STR_LIT("PRDR ACL");
    return accepted > 0 || later > 0;
}
