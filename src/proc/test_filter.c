/* -bf and -bF; see test_filter.h. The words are Exim's, since scripts and people compare them.
 *
 * Nothing is delivered or written: the list of actions is printed. The envelope is made up from the caller, -f and
 * -bfd, -bfl, -bfp and -bfs.
 */
#include "proc/test_filter.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "filter/filter_compile.h"
#include "filter/fn_arg.h"
#include "mail/header.h"
#include "proc/context.h"
#include "proc/test_forward.h"
#include "routers/filter_actions.h"
#include "sys/account.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILTER_FILE_MAX = 64 * 1024 * 1024 };

/* A filter file, opened before the message is read. */
struct filter_file {
    struct str name;
    int fd;
    bool system;
};

/* --- the printed list --- */

static const struct {
    const char *label;
    bool raw;
} mail_labels[FILTER_MAIL_ARGUMENTS] = {
    [FILTER_MAIL_CC] = {"cc:", false},
    [FILTER_MAIL_BCC] = {"bcc:", false},
    [FILTER_MAIL_FROM] = {"from:", false},
    [FILTER_MAIL_REPLY_TO] = {"reply_to:", false},
    [FILTER_MAIL_SUBJECT] = {"subject:", false},
    [FILTER_MAIL_EXTRA_HEADERS] = {"extra_headers:", false},
    [FILTER_MAIL_TEXT] = {"text:", false},
    [FILTER_MAIL_FILE] = {"file:", false},
    [FILTER_MAIL_LOG] = {"log:", false},
    [FILTER_MAIL_ONCE] = {"once:", false},
    [FILTER_MAIL_ONCE_REPEAT] = {"once_repeat:", false},
};

static void
print_escaped(const struct mode *m, struct str s)
{
    struct buf b = buf_in(vm_scratch(m->vm), 0);
    fn_add_escaped(&b, s, m->conf->main->print_topbitchars);
    printf("%.*s", STR_ARG(buf_str(&b)));
}

/* "Seen mail", "Mail": what -bf puts in front of a command. */
static void
print_word(const struct filter_action *a, const char *word)
{
    if ((a->flags & FILTER_SEEN) != 0)
        printf("Seen %c", ascii_lower(word[0]));
    else
        printf("%c", word[0]);
    printf("%s", word + 1);
}

static void
print_noerror(const struct filter_action *a)
{
    printf("%s\n", (a->flags & FILTER_NOERROR) != 0 ? " (noerror)" : "");
}

static void
print_delivery(const struct filter_action *a, const char *what)
{
    bool unseen = (a->flags & FILTER_UNSEEN) != 0;
    printf("%s%c%s message to: %.*s", unseen ? "Unseen " : "",
           unseen ? ascii_lower(what[0]) : what[0], what + 1, STR_ARG(a->argv[0]));
    if (a->id == FILTER_DELIVER && str_is_set(a->argv[1]))
        printf(" errors_to %.*s", STR_ARG(a->argv[1]));
    if (a->id == FILTER_SAVE && a->number >= 0)
        printf(" %04o", (unsigned)a->number);
    print_noerror(a);
}

static void
print_mail(const struct mode *m, const struct filter_action *a)
{
    int width = 8 + (int)(a->flags >> FILTER_DEPTH) * 2;
    struct str to = a->argv[FILTER_MAIL_TO];
    if (a->ignored) {
        printf("%s command ignored because return_path is empty\n", filter_action_word(a->id));
        return;
    }
    print_word(a, "Mail to: ");
    printf("%.*s%s", STR_ARG(str_is_set(to) ? to : STR_LIT("<default>")),
           a->id == FILTER_VACATION ? " (vacation)" : "");
    print_noerror(a);
    for (unsigned i = FILTER_MAIL_CC; i < FILTER_MAIL_ARGUMENTS; i++) {
        if (!str_is_set(a->argv[i]))
            continue;
        printf("%*s ", width, mail_labels[i].label);
        print_escaped(m, a->argv[i]);
        printf("%s\n", i == FILTER_MAIL_FILE && (a->flags & FILTER_EXPAND_FILE) != 0
                           ? " (expanded)"
                           : "");
    }
    if ((a->flags & FILTER_RETURN_MESSAGE) != 0)
        printf("Return original message\n");
}

static void
print_quoted(const struct mode *m, const struct filter_action *a, const char *word)
{
    print_word(a, word);
    printf(" \"");
    print_escaped(m, a->argv[0]);
    printf("\"\n");
}

static void
print_action(const struct mode *m, const struct filter_action *a)
{
    switch (a->id) {
    case FILTER_DELIVER:
        print_delivery(a, "Deliver");
        break;
    case FILTER_SAVE:
        print_delivery(a, "Save");
        break;
    case FILTER_PIPE:
        print_delivery(a, "Pipe");
        break;
    case FILTER_MAIL:
    case FILTER_VACATION:
        print_mail(m, a);
        break;
    case FILTER_FINISH:
        print_word(a, "Finish");
        printf("\n");
        break;
    case FILTER_FAIL:
    case FILTER_FREEZE:
    case FILTER_DEFER: {
        const char *word = filter_action_word(a->id);
        printf("%c%s text \"", ascii_upper(word[0]), word + 1);
        print_escaped(m, a->argv[0]);
        printf("\"\n");
        break;
    }
    case FILTER_ADD:
        printf("Add %d to n%u\n", a->number, a->counter);
        break;
    case FILTER_HEADERS_ADD:
        print_quoted(m, a, "Headers add");
        break;
    case FILTER_HEADERS_REMOVE:
        print_quoted(m, a, "Headers remove");
        break;
    case FILTER_HEADERS_CHARSET:
        print_quoted(m, a, "Headers charset");
        break;
    case FILTER_LOGFILE:
        print_word(a, "Logfile");
        printf(" %.*s\n", STR_ARG(a->argv[0]));
        break;
    case FILTER_LOGWRITE:
        print_quoted(m, a, "Logwrite");
        break;
    case FILTER_TESTPRINT:
        printf("Testprint: ");
        print_escaped(m, a->argv[0]);
        printf("\n");
        break;
    case FILTER_THISADDRESS:
    case FILTER_TRACE:
    case FILTER_ACTIONS:
        break;
    }
}

/* --- the envelope --- */

static void
option(const struct mode *m, const char *name, struct str *field)
{
    struct str given = cli_value(m->cli, name);
    if (str_is_set(given))
        *field = given;
}

static void
fill_address(struct mode *m)
{
    struct address *a = ARENA_NEW(m->arena, struct address);
    const struct passwd *pw = account_user_of_id(m->arena, m->caller.uid);
    a->arena = m->arena;
    a->local_part = a->home = STR_EMPTY;
    a->prefix = a->suffix = STR_EMPTY;
    a->local_uid = m->caller.uid;
    a->local_gid = m->caller.gid;
    if (pw != NULL) {
        a->local_part = str_dup(m->arena, str_from_cstr(pw->pw_name));
        a->home = str_dup(m->arena, str_from_cstr(pw->pw_dir));
    }
    a->domain = m->conf->main->qualify_recipient;
    option(m, "-bfl", &a->local_part);
    option(m, "-bfd", &a->domain);
    option(m, "-bfp", &a->prefix);
    option(m, "-bfs", &a->suffix);
    a->original_local_part = a->local_part;
    a->original_domain = a->domain;
    m->eval->address = a;
}

/* Prints and removes the Return-path: line that a delivered message has. */
static void
take_return_path(struct mode *m)
{
    struct message *msg = m->eval->message;
    size_t at = header_list_find(msg->headers, STR_LIT("Return-path"), 0);
    struct str path = msg->sender;
    if (at == STR_NPOS) {
        printf("Return-path copied from sender\n");
    } else {
        path = context_return_path(&msg->headers->v[at]);
        (void)header_list_remove(msg->headers, STR_LIT("Return-path"), 0);
        printf("Return-path taken from \"Return-path:\" header line\n");
        printf("Return-path = %.*s\n", STR_ARG(path.n > 0 ? path : STR_LIT("<>")));
    }
    m->eval->address->return_path = str_is_set(path) ? path : STR_EMPTY;
}

static void
print_envelope(struct mode *m)
{
    const struct address *a = m->eval->address;
    struct str sender = m->eval->message->sender;
    take_return_path(m);
    printf("Sender      = %.*s\n", STR_ARG(sender.n > 0 ? sender : STR_LIT("<>")));
    printf("Recipient   = %.*s%.*s%.*s@%.*s\n", STR_ARG(a->prefix), STR_ARG(a->local_part),
           STR_ARG(a->suffix), STR_ARG(a->domain));
    if (a->prefix.n > 0)
        printf("Prefix    = %.*s\n", STR_ARG(a->prefix));
    if (a->suffix.n > 0)
        printf("Suffix    = %.*s\n", STR_ARG(a->suffix));
}

/* A message that does not come by -i ends with a line that is only a dot. */
static struct str
until_dot(const struct mode *m, struct str text)
{
    if (cli_has(m->cli, "-i") || cli_has(m->cli, "-oi") || cli_has(m->cli, "-ti") ||
        cli_has(m->cli, "-oitrue"))
        return text;
    for (size_t at = 0; at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        size_t end = nl == STR_NPOS ? text.n : nl;
        if (end - at == 1 && text.p[at] == '.')
            return str_sub(text, 0, at);
        at = end + 1;
    }
    return text;
}

static bool
read_message(struct mode *m)
{
    struct str text = STR_EMPTY;
    if (!context_fill(m))
        return false;
    if (file_read_fd(m->arena, STDIN_FILENO, CONTEXT_MESSAGE_MAX, &text) == FILE_NO_READ) {
        fprintf(stderr, "%s: cannot read the message: %s\n", m->cli->program, strerror(errno));
        return false;
    }
    context_take_message(m, until_dot(m, text));
    fill_address(m);
    print_envelope(m);
    return true;
}

/* --- running --- */

static struct filter_run *
new_run(struct mode *m, const struct filter_file *file)
{
    const struct address *a = m->eval->address;
    struct filter_run *run = ARENA_NEW(m->arena, struct filter_run);
    run->arena = m->arena;
    run->system = file->system;
    run->error_message = m->eval->message->sender.n == 0;
    run->no_return_path = a->return_path.n == 0;
    run->first_delivery = true;
    run->local_part = a->local_part;
    run->domain = a->domain;
    run->prefix = a->prefix;
    run->suffix = a->suffix;
    run->qualify = m->conf->main->qualify_domain;
    run->ctx = m->eval;
    run->apply = filter_apply;
    return run;
}

static void
print_result(const struct filter_run *run)
{
    if (run->ended != FILTER_ACTIONS)
        printf("Filtering ended by \"%s\".\n", filter_action_word(run->ended));
    else if (run->delivered)
        printf("Filtering set up at least one significant delivery or other action.\n"
               "No other deliveries will occur.\n");
    else
        printf("Filtering did not set up a significant delivery.\n"
               "Normal delivery will occur.\n");
}

static void
print_error(struct mode *m, const struct diag *diag)
{
    struct buf b = buf_in(vm_scratch(m->vm), 0);
    printf("Filter error: %.*s\n", STR_ARG(vm_error(m->vm)));
    if (m->cli->called_as_exim || diag->at.source == NULL)
        return;
    diag_render(&b, diag);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&b)));
}

static int
run_exim_filter(struct mode *m, const struct filter_file *file, struct str text)
{
    struct filter_run *run = new_run(m, file);
    unsigned flags =
        (file->system ? FILTER_SYSTEM : 0u) | (m->cli->verbose ? FILTER_TRACE_CONDITIONS : 0u);
    struct diag diag;
    printf("Testing Exim filter file \"%.*s\"\n\n", STR_ARG(file->name));
    const struct filter_program *p = filter_compile(m->arena, m->vm, file->name, text, flags);
    enum vm_status st = filter_run(m->vm, p, run, &diag);
    for (size_t i = 0; i < run->notes.n; i++)
        fprintf(stderr, "%.*s", STR_ARG(run->notes.v[i]));
    for (size_t i = 0; i < run->actions.n; i++)
        print_action(m, &run->actions.v[i]);
    if (st == VM_OK)
        print_result(run);
    else
        print_error(m, &diag);
    return st == VM_OK ? 0 : 1;
}

static int
run_filter(struct mode *m, const struct filter_file *file)
{
    struct str text = STR_EMPTY;
    if (file_read_fd(m->arena, file->fd, FILTER_FILE_MAX, &text) != FILE_OK) {
        fflush(stdout);
        fprintf(stderr, "%s: error while reading %.*s: %s\n", m->cli->program,
                STR_ARG(file->name), strerror(errno));
        return 1;
    }
    switch (filter_kind(text)) {
    case FILTER_KIND_EXIM:
        return run_exim_filter(m, file, text);
    case FILTER_KIND_SIEVE:
        printf("Testing Sieve filter file \"%.*s\"\n\n", STR_ARG(file->name));
        fprintf(stderr, "%s: Sieve filters come in a later version\n", m->cli->program);
        return 1;
    case FILTER_KIND_NONE:
        break;
    }
    printf("Testing forward file file \"%.*s\"\n\n", STR_ARG(file->name));
    return test_forward_run(m, text);
}

static bool
open_filter(struct mode *m, const char *name, struct filter_file *file)
{
    file->name = cli_value(m->cli, name);
    file->fd = -1;
    if (!str_is_set(file->name))
        return true;
    const char *path = str_cstr(m->arena, file->name);
    errno = ENOENT;
    file->fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file->fd < 0)
        fprintf(stderr, "%s: failed to open %.*s: %s\n", m->cli->program, STR_ARG(file->name),
                strerror(errno));
    return file->fd >= 0;
}

/* The counters of the system filter are what users' filters see as $sn0 to $sn9. */
static void
hand_counters_over(struct message *msg)
{
    memcpy(msg->filter_sn, msg->filter_n, sizeof msg->filter_sn);
    memset(msg->filter_n, 0, sizeof msg->filter_n);
}

int
test_filter_run(struct mode *m)
{
    struct filter_file system = {.system = true}, user = {.system = false};
    if (!open_filter(m, "-bF", &system) || !open_filter(m, "-bf", &user))
        return 1;
    if (chdir("/") != 0 ||
        !read_message(m)) /* where filters run, as far as they may rely on it */
        return 1;
    struct message *msg = m->eval->message;
    int rc = 0;
    if (system.fd >= 0) {
        struct recipient r = {.errors_to = STR_NULL};
        r.address = str_printf(m->arena, "%.*s@%.*s", STR_ARG(m->eval->address->local_part),
                               STR_ARG(m->eval->address->domain));
        vec_push(m->arena, &msg->recipients, r);
        rc = run_filter(m, &system);
        msg->recipients.n = 0;
    }
    if (system.fd >= 0 && user.fd >= 0)
        hand_counters_over(msg);
    if (user.fd >= 0 && rc == 0)
        rc = run_filter(m, &user);
    return rc;
}

int
test_filter_list(struct mode *m)
{
    struct str text = STR_EMPTY;
    struct str name = m->cli->args.v[1];
    const char *path = str_cstr(m->arena, name);
    bool system = str_eqz(m->cli->args.v[0], "-bF");
    errno = ENOENT;
    if (path == NULL || file_read(m->arena, path, FILTER_FILE_MAX, &text) != FILE_OK) {
        fprintf(stderr, "%s: failed to open %.*s: %s\n", m->cli->program, STR_ARG(name),
                strerror(errno));
        return 1;
    }
    const struct filter_program *p =
        filter_compile(m->arena, m->vm, name, text, system ? FILTER_SYSTEM : 0u);
    struct buf b = buf_in(m->arena, 0);
    filter_list(&b, m->arena, m->vm, p);
    printf("%.*s", STR_ARG(buf_str(&b)));
    return str_is_set(filter_syntax_error(p)) ? 1 : 0;
}
