/* A hostile server: what it says to a client that delivers a message to three recipients, over SMTP or LMTP (the first byte). Every
 * recipient has an answer, nobody is delivered to without a 2xx answer at the end, and no text of the server gets into a log line with
 * an end of line in it. */
#include "../unit/session_fixture.h"

#include "mail/header.h"
#include "proc/wire.h"
#include "transports/smtp_transaction.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536, RECIPIENTS = 3 };

static const char conf_text[] =
    "primary_hostname = host.example\nqualify_domain = host.example\nkeep_environment =\n"
    "begin transports\n"
    "s:\n  driver = smtp\n  command_timeout = 1s\n  data_timeout = 1s\n  final_timeout = 1s\n"
    "  helo_data = me\n  authenticated_sender = a+b\n  authenticated_sender_force\n"
    "l:\n  driver = smtp\n  protocol = lmtp\n  command_timeout = 1s\n  data_timeout = 1s\n"
    "  final_timeout = 1s\n  helo_data = me\n  lmtp_ignore_quota\n";

static bool
is_line(struct str s)
{
    return str_chr(s, '\n', 0) == STR_NPOS && str_chr(s, '\r', 0) == STR_NPOS;
}

static void
check(const struct transport_answer *answers, const bool *open)
{
    for (size_t i = 0; i < RECIPIENTS; i++) {
        const struct transport_answer *t = &answers[i];
        bool settled = t->why.outcome == OUT_OK || t->why.outcome == OUT_FAIL;
        session_require(open[i] == !settled);
        session_require(is_line(t->why.log) && is_line(t->confirmation));
        session_require(t->why.outcome != OUT_OK || t->why.smtp_code / 100 == 2);
        session_require(t->why.outcome == OUT_OK || str_is_set(t->why.log));
    }
}

static void
converse(const struct transport_job *job, int fd)
{
    struct host_target host = {
        .name = STR_LIT("peer"), .address = STR_LIT("192.0.2.1"), .preference = -1};
    const struct smtp_target target = {.host = &host, .port = 25, .dscp = -1};
    struct transport_answer answers[RECIPIENTS];
    struct smtp_end end;
    bool open[RECIPIENTS] = {true, true, true}, taken[RECIPIENTS] = {false};
    const struct smtp_turns turns = {.open = open, .taken = taken};
    struct smtp_client *c = smtp_client_attach(job, &target, fd, &end);
    if (c == NULL) {
        session_require(end.fate != SMTP_ANSWERED && is_line(end.why.log));
        return;
    }
    for (size_t i = 0; i < RECIPIENTS; i++)
        answers[i] = (struct transport_answer){
            .why = {.outcome = OUT_DEFER, .log = STR_LIT("not tried")}};
    for (unsigned n = 0; n < RECIPIENTS && !c->broken; n++) {
        if (!smtp_transaction_reset(c, job->arena, &end))
            break;
        smtp_transaction(c, job, &turns, 2, answers, &end);
    }
    check(answers, open);
    smtp_client_close(c, job);
}

static void
run(struct arena *a, const struct conf *conf, bool lmtp, struct str said)
{
    struct engine e;
    session_engine(a, conf, &e);
    struct header_list headers = {0};
    session_require(header_list_add(a, &headers, STR_LIT("Subject: x\n"), HEADER_AT_END));
    struct message message = {.arena = a,
                              .headers = &headers,
                              .body_fd = -1,
                              .size = 32,
                              .body_text = STR_LIT("one\n.two\n"),
                              .sender = STR_LIT("s@e")};
    struct session session = {.arena = a};
    struct address address[RECIPIENTS], *addresses[RECIPIENTS];
    for (size_t i = 0; i < RECIPIENTS; i++) {
        address[i] = (struct address){.arena = a,
                                      .text = STR_LIT("u@d"),
                                      .dsn_flags = 14,
                                      .local_part = STR_LIT("u"),
                                      .domain = STR_LIT("d")};
        addresses[i] = &address[i];
    }
    e.eval->message = &message;
    e.eval->session = &session;
    e.eval->address = &address[0];
    const struct transport_job job = {
        .arena = a,
        .eval = e.eval,
        .vm = e.vm,
        .message = &message,
        .session = &session,
        .transport = conf_transport(conf, lmtp ? STR_LIT("l") : STR_LIT("s")),
        .addresses = addresses,
        .n = RECIPIENTS,
        .body_fd = -1,
        .return_path = STR_LIT("s@e")};
    int pair[2];
    session_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
                    0);
    ssize_t n = write(pair[1], said.p, said.n);
    session_require(n >= 0 || said.n == 0);
    shutdown(pair[1], SHUT_WR);
    converse(&job, pair[0]);
    close(pair[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    struct arena *a = arena_new();
    const struct conf *conf = session_conf(a, STR_LIT("/tmp/remex-client-fuzz"), conf_text);
    run(a, conf, (data[0] & 1) != 0, str_from((const char *)data + 1, size - 1));
    arena_free(a);
    return 0;
}
