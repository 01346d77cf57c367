/* What a test assumes; see context.h.
 *
 * Any caller may claim anything here: tests run with the caller's own power, and nothing is sent. A message
 * is taken as one that is submitted by a program: header lines that are missing are made up.
 */
#include "proc/context.h"

#include "base/buf.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/gecos.h"
#include "engine/message_id.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "mail/header.h"
#include "sys/account.h"
#include "sys/file.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- claims --- */

static void
claim_address(struct mode *m, const char *option, struct str *address, int64_t *port)
{
    struct str given = cli_value(m->cli, option);
    int number;
    if (!str_is_set(given) || !cli_split_address(m->arena, given, address, &number))
        return;
    *port = number;
}

static void
claim(struct mode *m, const char *option, struct str *field)
{
    struct str given = cli_value(m->cli, option);
    if (str_is_set(given))
        *field = given;
}

/* -p protocol:host */
static void
claim_protocol(struct mode *m, struct session *s, struct message *msg)
{
    struct str given = cli_value(m->cli, "-p");
    if (!str_is_set(given))
        return;
    size_t colon = str_chr(given, ':', 0);
    msg->received_protocol = str_sub(given, 0, colon == STR_NPOS ? given.n : colon);
    if (colon != STR_NPOS)
        s->sender_host_name = str_sub(given, colon + 1, given.n);
}

void
context_claims(struct mode *m, struct session *s, struct message *msg)
{
    claim_address(m, "-oMa", &s->sender_host_address, &s->sender_host_port);
    claim_address(m, "-oMi", &s->interface_address, &s->interface_port);
    claim(m, "-oMs", &s->sender_host_name);
    claim(m, "-oMt", &s->sender_ident);
    claim(m, "-oMaa", &s->sender_host_authenticated);
    claim(m, "-oMai", &s->authenticated_id);
    claim(m, "-oMas", &msg->authenticated_sender);
    claim_protocol(m, s, msg);
    claim(m, "-oMr", &msg->received_protocol);
}

/* --- who submits --- */

/* unknown_login, unknown_username: of a caller whom the system does not know. */
static void
name_unknown(struct mode *m, struct submitter *s)
{
    const struct conf_main *c = m->conf->main;
    struct str login;
    if (!str_is_set(c->unknown_login.text))
        return;
    if (vm_expand_x(m->vm, &c->unknown_login, &login) != VM_OK) {
        fprintf(stderr, "%s: failed to expand unknown_login: %.*s\n", m->cli->program,
                STR_ARG(vm_error(m->vm)));
        return;
    }
    s->login = str_dup(m->arena, login);
    s->name = str_is_set(c->unknown_username) ? c->unknown_username : STR_EMPTY;
}

struct submitter
context_submitter(struct mode *m)
{
    struct submitter s = {.login = STR_EMPTY, .name = STR_EMPTY};
    const struct passwd *pw = account_user_of_id(m->arena, m->caller.uid);
    if (pw != NULL) {
        s.login = str_dup(m->arena, str_from_cstr(pw->pw_name));
        s.name = gecos_full_name(m->arena, m->vm, m->conf->main, m->caller.uid);
    } else {
        name_unknown(m, &s);
    }
    struct str given = cli_value(m->cli, "-F");
    if (str_is_set(given))
        s.name = given;
    return s;
}

static struct str
own_address(struct mode *m, const struct submitter *who)
{
    return str_printf(m->arena, "%.*s@%.*s", STR_ARG(who->login),
                      STR_ARG(m->conf->main->qualify_domain));
}

bool
context_parse_sender(struct mode *m, struct str given, struct address_parts *out)
{
    bool literals = m->conf->main->allow_domain_literals;
    bool ok = address_parse(m->arena, given, ADDRESS_LITERAL, out) == ADDRESS_OK;
    if (ok && !literals && out->domain > 0 && out->text.p[out->domain] == '[') {
        out->error = STR_LIT("domain literals not allowed");
        ok = false;
    }
    if (!ok)
        (void)fprintf(stderr, "%s: bad -f address \"%.*s\": %.*s\n", m->cli->program,
                      STR_ARG(given), STR_ARG(out->error));
    return ok;
}

/* -f, with the domain that it may lack. */
static bool
take_sender(struct mode *m, struct message *msg)
{
    struct str given = m->cli->sender;
    struct address_parts p;
    msg->sender = str_tainted(STR_EMPTY);
    if (given.n == 0)
        return true;
    if (!context_parse_sender(m, given, &p))
        return false;
    msg->sender = address_qualify(m->arena, p.text, m->conf->main->qualify_domain);
    return true;
}

/* --- a message from a file --- */

static int64_t
count_lines(struct str s)
{
    int64_t n = 0;
    for (size_t at = str_chr(s, '\n', 0); at != STR_NPOS; at = str_chr(s, '\n', at + 1))
        n++;
    return s.n > 0 && s.p[s.n - 1] != '\n' ? n + 1 : n; /* the newline is supplied */
}

/* A new-style message id: seconds, process, fraction. */
static struct str
make_id(struct mode *m, struct timespec now)
{
    const struct message_id_source source = {
        .now = now,
        .pid = (uint64_t)getpid(),
        .host = MESSAGE_ID_HOST_NONE,
        .form = MESSAGE_ID_NEW,
    };
    struct message_id id = message_id_make(&source);
    return str_dup(m->arena, message_id_str(&id));
}

/* Where remarks about the message go: a test of a filter prints them with its results. */
static FILE *
notes_of(const struct mode *m)
{
    return m->cli->mode == CLI_FILTER || m->cli->mode == CLI_EXPAND ? stdout : stderr;
}

/* "From sender date": the line that some programs put first. Returns what follows it. */
static struct str
take_from_line(struct mode *m, struct message *msg, struct str text)
{
    if (!str_starts(text, "From "))
        return text;
    size_t nl = str_chr(text, '\n', 0);
    struct str line = str_sub(text, 0, nl == STR_NPOS ? text.n : nl);
    struct str rest = str_trim_left(str_sub(line, 5, line.n));
    size_t space = str_chr(rest, ' ', 0);
    if (!str_is_set(m->cli->sender)) {
        (void)fprintf(notes_of(m), "Sender taken from \"From \" line\n");
        msg->sender =
            address_qualify(m->arena, str_sub(rest, 0, space), m->conf->main->qualify_domain);
    }
    return str_sub(text, line.n + 1, text.n);
}

static void
add_line(struct mode *m, struct message *msg, struct str text)
{
    header_list_add(m->arena, msg->headers, text, HEADER_AT_END);
}

static bool
has_header(const struct message *msg, const char *name)
{
    return header_list_find(msg->headers, str_from_cstr(name), 0) != STR_NPOS;
}

/* True if From: names the submitter. */
static bool
is_from_submitter(struct mode *m, const struct message *msg, struct str own)
{
    struct address_parts p;
    size_t at = header_list_find(msg->headers, STR_LIT("From"), 0);
    struct str body = str_trim(header_body(&msg->headers->v[at]));
    if (address_parse(m->arena, body, ADDRESS_LITERAL, &p) != ADDRESS_OK)
        return false;
    struct str given = address_qualify(m->arena, p.text, m->conf->main->qualify_domain);
    return str_ieq(given, own);
}

/* A From: line that is not the submitter's own is followed by who that was, unless the caller is trusted. */
static void
fix_sender(struct mode *m, struct message *msg, const struct submitter *who)
{
    const struct conf_main *c = m->conf->main;
    if (m->trusted || !c->local_from_check || str_is_set(m->cli->sender))
        return;
    if (!c->local_sender_retain)
        (void)header_list_remove(msg->headers, STR_LIT("Sender"), 0);
    struct str own = own_address(m, who);
    if (!has_header(msg, "From") || is_from_submitter(m, msg, own))
        return;
    add_line(m, msg,
             who->name.n > 0 ? str_printf(m->arena, "Sender: %.*s <%.*s>\n", STR_ARG(who->name),
                                          STR_ARG(own))
                             : str_printf(m->arena, "Sender: %.*s\n", STR_ARG(own)));
}

/* What a submitted message gets. */
static void
add_missing(struct mode *m, struct message *msg, const struct submitter *who,
            struct timespec now)
{
    const struct conf_main *c = m->conf->main;
    if (!has_header(msg, "Message-Id"))
        add_line(m, msg,
                 str_printf(m->arena, "Message-Id: <E%.*s@%.*s>\n", STR_ARG(msg->id),
                            STR_ARG(c->primary_hostname)));
    if (!has_header(msg, "From") && str_is_set(m->cli->sender)) {
        if (msg->sender.n > 0)
            add_line(m, msg, str_printf(m->arena, "From: %.*s\n", STR_ARG(msg->sender)));
    } else if (!has_header(msg, "From")) {
        struct str text =
            who->name.n > 0
                ? str_printf(m->arena, "From: %.*s <%.*s@%.*s>\n", STR_ARG(who->name),
                             STR_ARG(who->login), STR_ARG(c->qualify_domain))
                : str_printf(m->arena, "From: %.*s@%.*s\n", STR_ARG(who->login),
                             STR_ARG(c->qualify_domain));
        add_line(m, msg, text);
    }
    fix_sender(m, msg, who);
    if (!has_header(msg, "Date")) {
        struct clock clock = {.utc = false};
        char date[CLOCK_TEXT_MAX];
        clock_format(&clock, CLOCK_FULL, now, date);
        add_line(m, msg, str_printf(m->arena, "Date: %s\n", date));
    }
}

/* -t: every address of To:, Cc: and Bcc:, the last of which is not kept. */
static void
extract_recipients(struct mode *m, struct message *msg)
{
    static const char *const names[] = {"To", "Cc", "Bcc"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t at = header_list_find(msg->headers, str_from_cstr(names[i]), 0);
        for (; at != STR_NPOS;
             at = header_list_find(msg->headers, str_from_cstr(names[i]), at + 1)) {
            struct str body = header_body(&msg->headers->v[at]);
            struct address_list l = address_list_start(body, ADDRESS_GROUP | ADDRESS_LITERAL);
            enum address_status st;
            struct address_parts p;
            while (address_list_next(&l, m->arena, &st, &p, NULL)) {
                struct recipient r = {.errors_to = STR_NULL};
                r.address = address_qualify(m->arena, p.text, m->conf->main->qualify_recipient);
                if (st == ADDRESS_OK)
                    vec_push(m->arena, &msg->recipients, r);
            }
        }
    }
    header_list_remove(msg->headers, STR_LIT("Bcc"), 0);
}

struct str
context_return_path(const struct header *h)
{
    struct str path = str_trim(header_body(h));
    if (path.n > 1 && path.p[0] == '<' && path.p[path.n - 1] == '>')
        path = str_sub(path, 1, path.n - 2);
    return path;
}

/* -bem: a delivered message says what its return path was; the line is taken off. */
static void
take_return_path(struct mode *m, struct message *msg)
{
    size_t at = header_list_find(msg->headers, STR_LIT("Return-path"), 0);
    if (at == STR_NPOS)
        return;
    if (m->eval->address == NULL) {
        m->eval->address = ARENA_NEW(m->arena, struct address);
        m->eval->address->local_uid = m->eval->address->local_gid = -1;
    }
    for (; at != STR_NPOS;
         at = header_list_find(msg->headers, STR_LIT("Return-path"), at + 1)) {
        m->eval->address->return_path = str_tainted(context_return_path(&msg->headers->v[at]));
        (void)fprintf(stdout, "Return-path taken from \"Return-path:\" header line\n");
    }
    header_list_remove(msg->headers, STR_LIT("Return-path"), 0);
}

/* The line that ended the header block although it was no header line is not part of the body. */
static struct str
body_after(struct str text, size_t header_n)
{
    struct str rest = str_sub(text, header_n, text.n);
    size_t line = header_n; /* where the last line read begins */
    if (line > 0 && text.p[line - 1] == '\n')
        line--;
    bool newline = line < header_n;
    if (line > 0 && text.p[line - 1] == '\r')
        line--;
    bool ended = newline && (line == 0 || text.p[line - 1] == '\n');
    if (ended || rest.n == 0)
        return rest;
    size_t nl = str_chr(rest, '\n', 0);
    return nl == STR_NPOS ? STR_EMPTY : str_sub(rest, nl + 1, rest.n);
}

static void
take_message(struct mode *m, struct message *msg, const struct submitter *who, struct str text)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    msg->id = make_id(m, now);
    msg->received_time = now.tv_sec;
    msg->received_time_us = now.tv_nsec / 1000;
    msg->size = text.n;
    msg->lines = count_lines(text);
    msg->headers = ARENA_NEW(m->arena, struct header_list);
    struct str rest = take_from_line(m, msg, text);
    size_t n = header_list_read(m->arena, msg->headers, rest);
    if (msg->headers->n == 0)
        (void)fprintf(notes_of(m), "Warning: no message headers read\n");
    msg->received_count = 1; /* the line that reception would add */
    for (size_t i = 0; i < msg->headers->n; i++)
        msg->received_count += msg->headers->v[i].type == HEADER_TYPE_RECEIVED;
    msg->body_text = body_after(rest, n);
    msg->body_size = msg->body_text.n;
    msg->body_lines = count_lines(msg->body_text);
    if (m->cli->mode == CLI_EXPAND)
        take_return_path(m, msg);
    (void)fflush(stdout); /* what follows may write past stdio */
    if (cli_has(m->cli, "-t") || cli_has(m->cli, "-ti"))
        extract_recipients(m, msg);
    add_missing(m, msg, who, now);
}

static bool
read_message(struct mode *m, struct message *msg, const struct submitter *who)
{
    struct str text = STR_EMPTY;
    const char *path = str_cstr(m->arena, m->cli->message_file);
    errno = ENOENT;
    if (path == NULL || file_read(m->arena, path, CONTEXT_MESSAGE_MAX, &text) == FILE_NO_OPEN) {
        (void)fprintf(stderr, "%s: failed to open %.*s: %s\n", m->cli->program,
                      STR_ARG(m->cli->message_file), strerror(errno));
        return false;
    }
    take_message(m, msg, who, text);
    return true;
}

void
context_take_message(struct mode *m, struct str text)
{
    struct submitter who = context_submitter(m);
    take_message(m, m->eval->message, &who, text);
}

bool
context_fill(struct mode *m)
{
    struct session *s = ARENA_NEW(m->arena, struct session);
    struct message *msg = ARENA_NEW(m->arena, struct message);
    s->arena = msg->arena = m->arena;
    msg->body_fd = -1;
    msg->originator_uid = m->caller.uid;
    msg->originator_gid = m->caller.gid;
    struct submitter who = context_submitter(m);
    s->sender_ident = who.login;
    s->interface_port = -1;
    if (!str_is_set(m->cli->sender)) {
        s->authenticated_id = who.login;
        msg->authenticated_sender = own_address(m, &who);
    }
    context_claims(m, s, msg);
    if (str_is_set(m->cli->sender)) {
        if (!take_sender(m, msg))
            return false;
    } else if (who.login.n > 0) {
        msg->sender = own_address(m, &who);
    }
    m->eval->session = s;
    m->eval->message = msg;
    return !str_is_set(m->cli->message_file) || read_message(m, msg, &who);
}
