/* From the actions of a filter to the result of a redirection; see filter_actions.h. */
#include "routers/filter_actions.h"

#include "base/buf.h"
#include "conf/model.h"
#include "filter/host_refuse.h"
#include "mail/address.h"
#include "mail/header.h"
#include "routers/filter_cache.h"
#include "routers/redirect.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LOG_MODE = 0600, COUNTERS = 10 };

/* What a run needs beside the job. */
struct work {
    struct filter_job *job;
    struct redirect_result *out;
    struct str log_name; /* of the last logfile command, or unset */
    unsigned log_mode;
    int log_fd;       /* -1: not open */
    struct str error; /* of a log; ends in a fault when the run is over */
};

/* --- what later expansions see --- */

static void
add_header_line(struct message *msg, struct str line)
{
    (void)header_list_add(msg->arena, msg->headers, line, HEADER_AT_END);
}

void
filter_headers_add(struct message *msg, struct str text)
{
    text = str_trim_left(text);
    while (text.n > 0) {
        size_t nl = str_chr(text, '\n', 0);
        while (nl != STR_NPOS && nl + 1 < text.n &&
               (text.p[nl + 1] == ' ' || text.p[nl + 1] == '\t'))
            nl = str_chr(text, '\n', nl + 1);
        add_header_line(msg, str_sub(text, 0, nl));
        text = nl == STR_NPOS ? STR_EMPTY : str_sub(text, nl + 1, text.n);
    }
}

void
filter_headers_remove(struct message *msg, struct str names)
{
    while (names.n > 0) {
        size_t colon = str_chr(names, ':', 0);
        (void)header_list_remove(msg->headers, str_trim(str_sub(names, 0, colon)), 0);
        names = colon == STR_NPOS ? STR_EMPTY : str_sub(names, colon + 1, names.n);
    }
}

void
filter_apply(void *ctx, const struct filter_action *a)
{
    struct eval *e = ctx;
    struct message *msg = e->message;
    switch ((int)a->id) {
    case FILTER_ADD:
        msg->filter_n[a->counter] =
            (int32_t)((uint32_t)msg->filter_n[a->counter] + (uint32_t)a->number);
        break;
    case FILTER_HEADERS_ADD:
        filter_headers_add(msg, a->argv[0]);
        break;
    case FILTER_HEADERS_REMOVE:
        filter_headers_remove(msg, a->argv[0]);
        break;
    case FILTER_HEADERS_CHARSET:
        msg->header_charset = a->argv[0];
        msg->texts = NULL;
        break;
    case FILTER_THISADDRESS:
        if (e->address != NULL)
            e->address->thisaddress = a->argv[0];
        break;
    default:
        break;
    }
}

/* --- logs --- */

static void
log_close(struct work *w)
{
    if (w->log_fd >= 0)
        close(w->log_fd);
    w->log_fd = -1;
}

static bool
log_open(struct work *w)
{
    struct arena *a = w->job->arena;
    const char *path = str_cstr(a, w->log_name);
    if (w->log_fd >= 0)
        return true;
    errno = EINVAL;
    if (path != NULL)
        w->log_fd =
            open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                 (mode_t)w->log_mode);
    if (w->log_fd < 0)
        w->error = str_printf(a, "failed to open filter log file \"%.*s\": %.*s",
                              STR_ARG(w->log_name), STR_ARG(redirect_errno_text(a, errno)));
    return w->log_fd >= 0;
}

static void
log_write_line(struct work *w, struct str text)
{
    struct arena *a = w->job->arena;
    if (w->job->forbid_logwrite)
        w->error = STR_LIT("logwrite command forbidden");
    if (!w->job->logs || str_is_set(w->error))
        return;
    if (!str_is_set(w->log_name)) {
        w->error =
            STR_LIT("attempt to obey \"logwrite\" command without a previous \"logfile\"");
        return;
    }
    struct buf line = buf_in(a, 0);
    buf_adds(&line, text);
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        buf_addc(&line, '\n');
    if (log_open(w) && !file_write_all(w->log_fd, line.p, line.n))
        w->error =
            str_printf(a, "write error while logging in filter file: %s", strerror(errno));
}

static void
apply(void *ctx, const struct filter_action *a)
{
    struct work *w = ctx;
    switch ((int)a->id) {
    case FILTER_LOGFILE:
        log_close(w);
        w->log_name = a->argv[0];
        w->log_mode = a->number >= 0 ? (unsigned)a->number & 07777 : LOG_MODE;
        break;
    case FILTER_LOGWRITE:
        log_write_line(w, a->argv[0]);
        break;
    default:
        filter_apply(w->job->eval, a);
        break;
    }
}

/* --- the list --- */

static void
add_child(struct work *w, const struct filter_action *a, enum address_item item,
          struct str text)
{
    struct redirect_child c = {
        .item = item,
        .text = text,
        .mode = -1,
        .ignore_error = (a->flags & FILTER_NOERROR) != 0,
    };
    if (a->id == FILTER_DELIVER)
        c.errors_to = a->argv[1];
    if (a->id == FILTER_SAVE && a->number >= 0)
        c.mode = a->number & 07777;
    if (item == ADDRESS_ITEM_REPLY)
        c.reply = a;
    vec_push(w->job->arena, &w->out->children, c);
}

static void
add_save(struct work *w, const struct filter_action *a)
{
    struct str path = a->argv[0], home = w->job->home;
    if (path.n == 0)
        return;
    if (path.p[0] != '/' && home.n > 0) {
        struct str folder = str_cat(w->job->arena, home, STR_LIT("/"));
        path = str_cat(w->job->arena, folder, path);
    }
    bool folder = path.p[path.n - 1] == '/';
    add_child(w, a, folder ? ADDRESS_ITEM_DIRECTORY : ADDRESS_ITEM_FILE, path);
}

/* The list on one line. */
static struct str
without_newlines(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    buf_adds(&b, s);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\n')
            b.p[i] = ' ';
    return buf_str(&b);
}

/* ">a@b,c@d": the addresses alone; FILTER_BAD_REPLY when that is not what they are. */
static struct str
reply_text(struct arena *a, struct str to)
{
    struct buf b = buf_in(a, 0);
    struct address_list l = address_list_start(to, ADDRESS_GROUP);
    enum address_status st;
    struct address_parts parts;
    buf_addc(&b, '>');
    while (address_list_next(&l, a, &st, &parts, NULL)) {
        if (st == ADDRESS_BAD)
            return STR_LIT(FILTER_BAD_REPLY);
        if (st != ADDRESS_OK)
            continue;
        if (b.n > 1)
            buf_addc(&b, ',');
        buf_adds(&b, parts.text);
    }
    return b.n > 1 ? buf_str(&b) : STR_LIT(FILTER_BAD_REPLY);
}

/* Without "to" the answer goes to who sent the message. */
static void
add_reply(struct work *w, const struct filter_action *a)
{
    struct arena *arena = w->job->arena;
    struct str to = a->argv[FILTER_MAIL_TO];
    struct str *argv = ARENA_ARRAY(arena, struct str, FILTER_MAIL_ARGUMENTS);
    struct filter_action *own = ARENA_NEW(arena, struct filter_action);
    if (a->ignored)
        return;
    if (!str_is_set(to) && vm_expand(w->job->vm, STR_LIT("$reply_address"), &to) != VM_OK)
        to = STR_EMPTY;
    for (size_t i = 0; i < a->argc && i < FILTER_MAIL_ARGUMENTS; i++)
        argv[i] = a->argv[i];
    argv[FILTER_MAIL_TO] = without_newlines(arena, to);
    *own = *a;
    own->argv = argv;
    add_child(w, own, ADDRESS_ITEM_REPLY, reply_text(arena, argv[FILTER_MAIL_TO]));
}

static void
add_edit(struct work *w, const struct filter_action *a)
{
    struct redirect_edit e = {.remove = a->id == FILTER_HEADERS_REMOVE, .text = a->argv[0]};
    vec_push(w->job->arena, &w->out->edits, e);
}

static void
add_action(struct work *w, const struct filter_action *a)
{
    switch ((int)a->id) {
    case FILTER_DELIVER:
        add_child(w, a, ADDRESS_ITEM_MAIL, a->argv[0]);
        break;
    case FILTER_SAVE:
        add_save(w, a);
        break;
    case FILTER_PIPE:
        add_child(w, a, ADDRESS_ITEM_PIPE, str_cat(w->job->arena, STR_LIT("|"), a->argv[0]));
        break;
    case FILTER_MAIL:
    case FILTER_VACATION:
        add_reply(w, a);
        break;
    case FILTER_HEADERS_ADD:
    case FILTER_HEADERS_REMOVE:
        add_edit(w, a);
        break;
    default:
        break;
    }
}

static enum redirect_end
end_of(const struct filter_run *run)
{
    switch ((int)run->ended) {
    case FILTER_FAIL:
        return REDIRECT_END_FAIL;
    case FILTER_FREEZE:
        return REDIRECT_END_FREEZE;
    case FILTER_DEFER:
        return REDIRECT_END_DEFER;
    default:
        return run->delivered ? REDIRECT_END_SEEN : REDIRECT_END_NONE;
    }
}

static void
take_list(struct work *w)
{
    const struct filter_run *run = &w->job->run;
    w->out->end = end_of(run);
    w->out->text = STR_EMPTY;
    for (size_t i = 0; i < run->actions.n; i++)
        add_action(w, &run->actions.v[i]);
    if (run->ended != FILTER_ACTIONS && run->actions.n > 0) {
        struct str text = run->actions.v[run->actions.n - 1].argv[0];
        w->out->text = str_is_set(text) ? text : STR_EMPTY;
    }
}

/* --- the machine --- */

static const struct filter_program *
compile(struct filter_job *job)
{
    struct eval *e = job->eval;
    if (e->filters == NULL)
        e->filters = filter_cache_new(e->arena);
    return filter_cache_compile(e->filters, job->vm, job->name, job->text, job->compile);
}

/* What a filter of a user changes in the message is gone when it has run. */
struct kept {
    int64_t counters[COUNTERS];
    struct str charset;
    struct str this_address;
};

static struct kept
keep(struct eval *e)
{
    struct kept k = {.charset = e->message->header_charset};
    memcpy(k.counters, e->message->filter_n, sizeof k.counters);
    memset(e->message->filter_n, 0, sizeof k.counters);
    if (e->address != NULL)
        k.this_address = e->address->thisaddress;
    return k;
}

static void
restore(struct eval *e, const struct kept *k)
{
    memcpy(e->message->filter_n, k->counters, sizeof k->counters);
    if (!str_eq(e->message->header_charset, k->charset))
        e->message->texts = NULL;
    e->message->header_charset = k->charset;
    if (e->address != NULL)
        e->address->thisaddress = k->this_address;
}

static void
run_program(struct work *w)
{
    struct filter_job *job = w->job;
    job->run.arena = job->arena;
    job->run.ctx = w;
    job->run.apply = apply;
    enum vm_status st = filter_run(job->vm, compile(job), &job->run, NULL);
    if (st != VM_OK)
        redirect_say(w->out, job->arena, REDIRECT_END_BROKEN, "%.*s",
                     STR_ARG(vm_error(job->vm)));
    else if (str_is_set(w->error))
        redirect_say(w->out, job->arena, REDIRECT_END_BROKEN, "%.*s", STR_ARG(w->error));
    else
        take_list(w);
}

void
filter_actions_run(struct filter_job *job, struct redirect_result *out)
{
    struct work w = {.job = job, .out = out, .log_fd = -1};
    const struct host *full = vm_host(job->vm);
    struct kept kept = keep(job->eval);
    *out = (struct redirect_result){.end = REDIRECT_END_NONE, .filter = true};
    (void)vm_set_host(job->vm, host_refuse(job->arena, full, job->refuse));
    run_program(&w);
    (void)vm_set_host(job->vm, full);
    log_close(&w);
    memcpy(out->counters, job->eval->message->filter_n, sizeof out->counters);
    restore(job->eval, &kept);
}
