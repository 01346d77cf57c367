/* The evaluation of ACLs: verbs, outcomes, messages, and what they leave behind. The world above is a log and a verifier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "acl/acl_machine.h"
#include "base/arena.h"
#include "base/buf.h"
#include "conf/list.h"
#include "conf/vars.h"
#include "mail/header.h"

struct fixture {
    struct arena *arena;
    struct host host;
    struct eval eval;
    struct session session;
    struct message message;
    struct address address;
    struct vm *vm;
    struct acl_up up;
    struct buf log;
    int64_t waited;
    enum outcome verified;
    unsigned asked;
};

static void
take_log(void *ctx, unsigned to, struct str text)
{
    struct fixture *f = ctx;
    buf_printf(&f->log, "%u:%.*s\n", to, STR_ARG(text));
}

static struct str
say_peer(void *ctx, struct arena *a)
{
    (void)ctx;
    (void)a;
    return STR_LIT("U=me");
}

static bool
is_selected(void *ctx, int selector)
{
    (void)ctx;
    (void)selector;
    return true;
}

static void
wait_seconds(void *ctx, int64_t seconds, bool flush)
{
    struct fixture *f = ctx;
    f->waited += seconds + (flush ? 0 : 1000);
}

static void
verify(void *ctx, const struct acl_verify *q, struct acl_verified *out)
{
    struct fixture *f = ctx;
    f->asked++;
    *out = (struct acl_verified){.outcome = f->verified};
    out->why.peer = out->why.log = STR_LIT("no such user");
    out->address_data = q->address;
}

static int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->host =
        (struct host){.header = vars_header, .acl = acl_host_call, .match = list_host_match};
    f->host.vars = vars_all(&f->host.vars_n);
    f->log = buf_in(a, 0);
    f->verified = OUT_OK;
    f->session.arena = f->message.arena = f->address.arena = a;
    f->message.sender = STR_LIT("a@b.example");
    f->message.body_fd = -1;
    f->address.text = STR_LIT("User@example.org");
    f->address.local_part = STR_LIT("user");
    f->address.original_local_part = STR_LIT("User");
    f->address.domain = STR_LIT("example.org");
    f->eval.session = &f->session;
    f->eval.message = &f->message;
    f->eval.address = &f->address;
    f->eval.arena = a;
    f->eval.lists = list_cache_new(a);
    f->vm = vm_new(&f->host, &f->eval);
    f->eval.acls = acl_runner_new(a, &f->eval, f->vm);
    f->up = (struct acl_up){.ctx = f,
                            .peer_ctx = f,
                            .log = take_log,
                            .peer = say_peer,
                            .selected = is_selected,
                            .delay = wait_seconds,
                            .verify = verify};
    acl_runner_set_up(f->eval.acls, &f->up);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    vm_free(f->vm);
    arena_free(f->arena);
    return 0;
}

/* The value of an option, which is expanded before it is looked at. */
static struct acl_answer
run_option(struct fixture *f, enum acl_phase phase, const char *text)
{
    struct acl_answer a;
    struct xstr x = {.text = str_from_cstr(text)};
    acl_run(f->eval.acls, phase, &x, &a);
    return a;
}

/* The text of an ACL as it would stand in the configuration's section. */
static struct acl_answer
run(struct fixture *f, enum acl_phase phase, const char *text)
{
    struct str s = str_printf(f->arena, "\\N%s\\N", text);
    return run_option(f, phase, str_cstr(f->arena, s));
}

static void
assert_answer(struct fixture *f, const char *text, enum acl_result result, const char *message,
              const char *log)
{
    struct acl_answer a = run(f, ACL_PHASE_RCPT, text);
    assert_int_equal(a.result, result);
    if (message != NULL)
        assert_true(str_eqz(a.message, message));
    else
        assert_false(str_is_set(a.message));
    if (log != NULL)
        assert_true(str_eqz(a.log_message, log));
    else
        assert_false(str_is_set(a.log_message));
}

static void
test_verbs(void **state)
{
    struct fixture *f = *state;
    assert_answer(f, "accept", ACL_ACCEPT, NULL, NULL);
    assert_answer(f, "accept message = hi", ACL_ACCEPT, "hi", "hi");
    assert_answer(f, "deny message = no", ACL_DENY, "no", "no");
    assert_answer(f, "deny message = no\nlog_message = why", ACL_DENY, "no", "why");
    assert_answer(f, "defer", ACL_DEFER, NULL, NULL);
    assert_answer(f, "drop message = off", ACL_DROP, "off", "off");
    assert_answer(f, "discard", ACL_DISCARD, NULL, NULL);
    assert_answer(f, "warn", ACL_DENY, NULL, NULL);
    assert_answer(f, "require condition = yes\naccept", ACL_ACCEPT, NULL, NULL);
    assert_answer(f, "require message = need\ncondition = no\naccept", ACL_DENY, "need",
                  "need");
    assert_answer(f, "require condition = no\nmessage = late\naccept", ACL_DENY, NULL, NULL);
    assert_answer(f, "accept condition = no\nendpass\naccept", ACL_ACCEPT, NULL, NULL);
    assert_answer(f, "accept endpass\ncondition = no\naccept", ACL_DENY, NULL, NULL);
    assert_answer(f, "accept endpass\nmessage = end\ncondition = no\naccept", ACL_DENY, "end",
                  "end");
}

static void
test_conditions(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        enum acl_result result;
    } rows[] = {
        {"accept domains = example.org", ACL_ACCEPT},
        {"accept domains = other.example", ACL_DENY},
        {"accept !domains = other.example", ACL_ACCEPT},
        {"accept local_parts = USER", ACL_ACCEPT},
        {"accept local_parts = +caseful : user", ACL_DENY},
        {"accept local_parts = +caseful : User", ACL_ACCEPT},
        {"accept senders = *@b.example", ACL_ACCEPT},
        {"accept senders = :", ACL_DENY},
        {"accept sender_domains = b.example", ACL_ACCEPT},
        {"accept recipients = user@example.org", ACL_ACCEPT},
        {"accept hosts = :", ACL_ACCEPT},
        {"accept hosts = 192.0.2.1", ACL_DENY},
        {"accept encrypted = *", ACL_DENY},
        {"accept authenticated = *", ACL_DENY},
        {"accept condition = 0", ACL_DENY},
        {"accept condition =", ACL_DENY},
        {"accept condition = 17", ACL_ACCEPT},
        {"accept condition = true", ACL_ACCEPT},
        {"accept condition = rubbish", ACL_DEFER},
        {"accept condition = ${if eq{a}{b}{x}fail}", ACL_ACCEPT},
        {"accept domains = ${if eq{a}{b}{x}fail}", ACL_DENY},
        {"accept condition = ${if eq", ACL_ERROR},
        {"accept acl = accept", ACL_ACCEPT},
        {"accept acl = deny", ACL_DENY},
        {"accept acl = defer", ACL_DEFER},
        {"accept acl = discard", ACL_DISCARD},
        {"deny acl = discard", ACL_ERROR},
        {"require acl = drop\naccept", ACL_DROP},
        {"accept verify = recipient", ACL_ACCEPT},
        {"accept verify = nothing", ACL_ERROR},
        {"accept regex = x", ACL_ERROR}, /* there is no text yet */
        {"warn condition = rubbish\naccept", ACL_ACCEPT},
        {"accept nonsense = 1", ACL_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (run(f, ACL_PHASE_RCPT, rows[i].text).result != rows[i].result)
            fail_msg("%s", rows[i].text);
}

static void
test_without_an_acl(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_option(f, ACL_PHASE_RCPT, "").result, ACL_DENY);
    assert_int_equal(run_option(f, ACL_PHASE_DATA, "").result, ACL_ACCEPT);
    assert_int_equal(run_option(f, ACL_PHASE_MAIL, "${if eq{a}{b}{x}fail}").result, ACL_ACCEPT);
    assert_true(run_option(f, ACL_PHASE_MAIL, "").is_default);
}

static void
test_verification(void **state)
{
    struct fixture *f = *state;
    f->verified = OUT_FAIL;
    assert_answer(f, "require verify = recipient\naccept", ACL_DENY, "no such user",
                  "no such user");
    assert_answer(f, "deny !verify = recipient\nmessage = <$acl_verify_message>", ACL_DENY,
                  "<no such user>", "no such user");
    assert_answer(f, "deny !verify = recipient\nlog_message = told", ACL_DENY, "no such user",
                  "told: no such user");
    struct acl_answer a = run(f, ACL_PHASE_RCPT, "require verify = sender");
    assert_true(a.sender_unverified && str_eqz(a.message, "Sender verify failed"));
    unsigned asked = f->asked;
    (void)run(f, ACL_PHASE_RCPT, "require verify = sender");
    assert_int_equal(f->asked, asked); /* known for the message */
    f->message.sender = STR_EMPTY;
    assert_int_equal(run(f, ACL_PHASE_RCPT, "accept verify = sender").result, ACL_ACCEPT);
}

static void
test_modifiers(void **state)
{
    struct fixture *f = *state;
    (void)run(f, ACL_PHASE_RCPT,
              "warn set acl_m_x = one\nset acl_c1 = two\n"
              "warn logwrite = $acl_m_x $acl_c1\nlogwrite = :main,reject: both\n"
              "warn delay = 2s\ncontrol = no_delay_flush\ndelay = 1s\n"
              "warn queue = slow\nwarn log_message = once\nwarn log_message = once");
    assert_true(str_eqz(buf_str(&f->log), "129:one two\n131:both\n1:U=me Warning: once\n"));
    assert_int_equal(f->waited, 1003);
    assert_true(str_eqz(f->message.queue_name, "slow"));
    assert_int_equal(run(f, ACL_PHASE_RCPT, "accept queue = a/b").result, ACL_ERROR);
    assert_int_equal(run(f, ACL_PHASE_RCPT, "deny log_reject_target =").log_to, 0);
    assert_int_equal(run(f, ACL_PHASE_RCPT, "deny").log_to, ACL_LOG_MAIN | ACL_LOG_REJECT);
}

static void
test_controls(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "accept control = freeze/no_tell\ncontrol = queue_only\n"
                               "control = submission/sender_retain/domain=d.e/name=A/B\n"
                               "control = fakedefer/try later\ncontrol = no_enforce_sync\n"
                               "control = caseful_local_part";
    assert_int_equal(run(f, ACL_PHASE_RCPT, text).result, ACL_ACCEPT);
    const struct acl_message *m = f->message.acl;
    assert_true(m->freeze && !m->freeze_tell && m->queue_only);
    assert_true(m->submission.on && m->submission.sender_retain);
    assert_true(str_eqz(m->submission.domain, "d.e") && str_eqz(m->submission.name, "A/B"));
    assert_true(m->fake_code == 450 && str_eqz(m->fake_text, "try later"));
    assert_true(f->session.acl->sync_set && !f->session.acl->enforce_sync);
    assert_true(str_eqz(f->address.local_part, "User"));
    assert_int_equal(run(f, ACL_PHASE_RCPT, "accept control = freeze/x").result, ACL_ERROR);
    assert_int_equal(run(f, ACL_PHASE_CONNECT, "accept control = freeze").result, ACL_ERROR);
    assert_int_equal(run(f, ACL_PHASE_RCPT, "accept control = what").result, ACL_ERROR);
}

static void
test_header_lines(void **state)
{
    struct fixture *f = *state;
    f->message.headers = ARENA_NEW(f->arena, struct header_list);
    (void)header_list_add(f->arena, f->message.headers, STR_LIT("Received: r\n"),
                          HEADER_AT_END);
    (void)header_list_add(f->arena, f->message.headers, STR_LIT("X-Old: o\n"), HEADER_AT_END);
    (void)run(f, ACL_PHASE_RCPT,
              "warn add_header = X-A: 1\\n\\tmore\nadd_header = X-A: 1\\n\\tmore\n"
              "add_header = :at_start:X-S: s\nadd_header = :after_received:X-R: r\n"
              "add_header = bad line\nremove_header = x-old : x-none");
    assert_true(str_eqz(f->session.headers_added,
                        "X-A: 1\n\n\tmore\nX-S: s\nX-R: r\nX-ACL-Warn: bad line"));
    acl_apply_headers(&f->message, &f->session);
    static const char *const want[] = {"X-S: s\n",         "Received: r\n",
                                       "X-R: r\n",         NULL,
                                       "X-A: 1\n\tmore\n", "X-ACL-Warn: bad line\n"};
    assert_int_equal(f->message.headers->n, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct header *h = &f->message.headers->v[i];
        if (want[i] == NULL)
            assert_int_equal(h->type, HEADER_TYPE_DELETED);
        else
            assert_true(str_eqz(h->text, want[i]));
    }
    assert_false(str_is_set(f->session.headers_added));
}

/* The item and the condition of the language. */
static void
test_in_expansions(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *want; /* NULL: not a value */
    } rows[] = {
        {"<${acl{accept message=yes}}>", "<yes>"},
        {"<${acl{deny message=no}}>", "<no>"},
        {"<${acl{deny}}>", "<>"},
        {"${acl{defer}}", NULL},
        {"${acl{nonsense x}}", NULL},
        {"${if acl{{accept}}{y}{n}}", "y"},
        {"${if acl{{deny message=m}}{y}{n$value}}", "nm"},
    };
    struct str out;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum vm_status st = vm_expand(f->vm, str_from_cstr(rows[i].text), &out);
        assert_int_equal(st == VM_OK, rows[i].want != NULL);
        if (st == VM_OK)
            assert_true(str_eqz(out, rows[i].want));
    }
}

static void
test_strangers_do_not_write_acls(void **state)
{
    struct fixture *f = *state;
    f->message.sender = str_tainted(STR_LIT("accept"));
    assert_int_equal(run_option(f, ACL_PHASE_RCPT, "$sender_address").result, ACL_ERROR);
    assert_int_equal(run(f, ACL_PHASE_RCPT, "accept acl = $sender_address").result, ACL_ERROR);
}

static void
test_arguments_in_quotes(void **state)
{
    struct fixture *f = *state;
    const char *text =
        "accept acl = \"accept logwrite = <\\\\$acl_arg1><\\\\$acl_arg2><\\\\$acl_arg3>"
        "<\\\\$acl_arg4><\\\\$acl_arg5>\" \"two  words\" \"\" \"a\\\"b\" c\"d";
    assert_int_equal(run(f, ACL_PHASE_RCPT, text).result, ACL_ACCEPT);
    assert_non_null(
        strstr(str_cstr(f->arena, buf_str(&f->log)), ":<two  words><><a\"b><c\"d><>\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arguments_in_quotes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verbs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_an_acl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verification, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modifiers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_controls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_header_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_expansions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers_do_not_write_acls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
