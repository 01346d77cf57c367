/* ETRN: a queue run for what waits for the client, or a command of the configuration that nobody waits for. Source: specification,
 * section "The ETRN command"; options smtp_etrn_command, smtp_etrn_serialize; RFC 1985.
 */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "engine/etrn_turn.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "sys/run.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* --- the command --- */

struct etrn_command {
    char **argv;
    struct str whole; /* its words, for logs */
};

/* Splits and expands. $domain is what the client named. */
static bool
expand_command(struct smtp_session *s, struct etrn_command *c, struct str *error)
{
    struct arena *a = s->message_arena;
    struct str words[RUN_WORDS_MAX];
    struct buf whole = buf_in(a, 0);
    int n = run_split(a, s->main->smtp_etrn_command.text, words, RUN_WORDS_MAX, error);
    if (n <= 0)
        return false;
    c->argv = ARENA_ARRAY(a, char *, (size_t)n + 1);
    for (int i = 0; i < n; i++) {
        struct str word;
        if (vm_expand(s->engine->vm, words[i], &word) != VM_OK) {
            *error = vm_error(s->engine->vm);
            return false;
        }
        if (i == 0 && str_is_tainted(word)) {
            *error = STR_LIT("the name of the command is tainted");
            return false;
        }
        const char *z = str_cstr(a, word);
        if (z == NULL) {
            *error = STR_LIT("a NUL in an argument");
            return false;
        }
        c->argv[i] = (char *)(uintptr_t)z; /* ours */
        buf_printf(&whole, "%s%.*s", i > 0 ? " " : "", STR_ARG(word));
    }
    c->whole = buf_str(&whole);
    return true;
}

static void
start_command(struct smtp_session *s, const struct etrn_command *c, int slot)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const struct spawn_request rq = {
        .argv = c->argv, .environ = environ, .in = null, .out = null};
    if (null < 0 || access(c->argv[0], X_OK) != 0 || !spawn_detached(&rq, slot))
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                 "exec of process for ETRN failed: \"%.*s\": %s", STR_ARG(c->whole),
                 strerror(errno));
    if (null >= 0)
        close(null);
}

/* The ACL may have said in which words. */
static enum smtp_next
accepted(struct smtp_session *s, const struct acl_answer *a)
{
    if (str_is_set(a->message))
        smtp_answer_text(s, "250", a->message);
    else
        smtp_answer(s, "250 OK");
    return SMTP_NEXT_COMMAND;
}

static enum smtp_next
run_command(struct smtp_session *s, const struct acl_answer *a)
{
    struct eval *e = s->engine->eval;
    struct address view = {.arena = s->message_arena, .local_uid = -1, .local_gid = -1};
    struct etrn_command c;
    struct str error = STR_EMPTY;
    int slot = -1;
    view.domain = str_tainted(s->argument);
    e->address = &view;
    bool good = expand_command(s, &c, &error);
    e->address = NULL;
    if (!good) {
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                 "failed to set up ETRN command \"%.*s\": %.*s",
                 STR_ARG(s->main->smtp_etrn_command.text), STR_ARG(error));
        smtp_answer(s, "458 Internal failure");
        return SMTP_NEXT_COMMAND;
    }
    if (!etrn_turn_take(s->engine, s->message_arena, s->argument, &slot)) {
        smtp_answer(s, "458 Already processing %.*s", STR_ARG(s->argument));
        return SMTP_NEXT_COMMAND;
    }
    start_command(s, &c, slot);
    if (slot >= 0)
        close(slot);
    return accepted(s, a);
}

/* --- the verb --- */

enum smtp_next
smtp_do_etrn(struct smtp_session *s)
{
    struct acl_answer a;
    if (s->sender_given)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                           STR_LIT("ETRN is not permitted inside a transaction"));
    if (maillog_selected(s->engine, LOG_SELECTOR_ETRN))
        smtp_log(s, MAILLOG_MAIN, "ETRN %.*s received from %.*s", STR_ARG(s->argument),
                 STR_ARG(smtp_peer(s, false)));
    if (policy_run(s->engine, ACL_PHASE_ETRN, &a) != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_ETRN, &a);
    bool command = str_is_set(s->main->smtp_etrn_command.text);
    if (!command && (s->argument.n == 0 || s->argument.p[0] != '#'))
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL,
                           STR_LIT("argument must begin with #"));
    if (!command && s->argument.n == 1) /* it would be a run for all mail of all others */
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL,
                           STR_LIT("something must follow the #"));
    if (s->test)
        return accepted(s, &a);
    if (command)
        return run_command(s, &a);
    struct str key = str_sub(s->argument, 1, s->argument.n);
    if (s->setup->etrn == NULL)
        smtp_answer(s, "458 Unable to start queue run");
    else if (s->setup->etrn(s->setup->ctx, key))
        return accepted(s, &a);
    else
        smtp_answer(s, "458 Already processing %.*s", STR_ARG(key));
    return SMTP_NEXT_COMMAND;
}
