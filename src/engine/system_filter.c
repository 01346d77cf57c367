/* The system filter; see system_filter.h. */
#include "engine/system_filter.h"

#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/become.h"
#include "engine/maillog.h"
#include "routers/filter_actions.h"
#include "routers/redirect.h"
#include "sys/account.h"
#include "transports/transport.h"

#include <errno.h>
#include <string.h>

enum { CHILD_SECONDS = 300, LOG_TEXT_MAX = 1000 };

/* One run. */
struct work {
    struct delivery *d;
    const struct conf_main *c;
    struct str file;
    int64_t uid, gid;
    bool child; /* in a process of its own, so the header is still as it was */
    struct redirect_result res;
    struct address *parent; /* of the addresses that it sets up */
};

static bool
fault(struct work *w, struct str text)
{
    maillog(w->d->engine, MAILLOG_MAIN | MAILLOG_PANIC, w->d->id,
            "Error in system filter: %.*s", STR_ARG(text));
    return false;
}

/* --- running --- */

/* Of the mail user unless another one is named; it is never root. */
static void
find_user(struct work *w)
{
    const struct engine *e = w->d->engine;
    w->uid = e->mail_uid;
    w->gid = e->mail_gid;
    if (!e->can_become || !w->c->system_filter_user.set || w->c->system_filter_user.id == 0)
        return;
    w->uid = w->c->system_filter_user.id;
    const struct passwd *pw = account_user_of_id(w->d->arena, (uid_t)w->uid);
    if (w->c->system_filter_group.set)
        w->gid = w->c->system_filter_group.id;
    else if (pw != NULL)
        w->gid = pw->pw_gid;
}

static bool
read_file(struct arena *a, struct str name, struct str *text, struct redirect_result *out)
{
    struct checked_file_rules rules = {.max = REDIRECT_FILE_MAX};
    const char *path = str_cstr(a, name);
    unsigned mode = 0;
    errno = EINVAL;
    enum checked_file_end end =
        path == NULL ? CHECKED_FILE_NO_OPEN : checked_file_read(a, path, &rules, text, &mode);
    if (end == CHECKED_FILE_OK)
        return true;
    out->end = REDIRECT_END_TROUBLE;
    if (end == CHECKED_FILE_NO_OPEN && errno == ENOENT)
        out->text = str_printf(a, "%.*s does not exist", STR_ARG(name));
    else
        out->text = redirect_file_text(a, name, end, mode, 0);
    return false;
}

static void
interpret(struct engine *e, struct arena *a, struct str file, struct redirect_result *out)
{
    const struct message *m = e->eval->message;
    struct filter_job job = {
        .arena = a,
        .eval = e->eval,
        .vm = e->vm,
        .name = file,
        .compile = FILTER_SYSTEM,
        .logs = true,
        .run =
            {
                .system = true,
                .error_message = m->sender.n == 0,
                .no_return_path = m->sender.n == 0,
                .first_delivery = m->first_delivery,
                .manually_thawed = m->manually_thawed,
                .local_part = STR_EMPTY,
                .domain = STR_EMPTY,
                .qualify = e->conf->main->qualify_recipient,
            },
    };
    /* no recipient, but $return_path is known */
    struct address nobody = {.return_path = m->sender};
    *out = (struct redirect_result){.end = REDIRECT_END_NONE, .filter = true};
    if (!read_file(a, file, &job.text, out))
        return;
    job.text = str_untaint_by_rule(job.text, "the configuration names the file");
    e->eval->address = &nobody;
    filter_actions_run(&job, out);
    e->eval->address = NULL;
}

void
system_filter_work(struct engine *e, struct arena *a, struct str file, struct buf *out)
{
    struct redirect_result res;
    interpret(e, a, file, &res);
    redirect_result_write(out, &res);
}

static bool
run_in_child(struct work *w)
{
    struct child_result got;
    struct local_job job = {.with_recipients = true};
    const struct become_request rq = {
        .uid = (uid_t)w->uid,
        .gid = (gid_t)w->gid,
        .timeout_s = CHILD_SECONDS,
        .max_answer = REDIRECT_BYTES_MAX,
        .body_fd = w->d->entry.body,
        .runs_programs = true,
        .job = &job,
    };
    w->child = true;
    become_set_context(w->d->engine, &job);
    job.call.kind = LOCAL_JOB_SYSTEM_FILTER;
    job.call.file = w->file;
    become_run(w->d->engine, w->d->arena, &rq, &got);
    return got.end == CHILD_EXITED && got.status == 0 &&
           redirect_result_read(w->d->arena, got.answer, &w->res);
}

static bool
run_filter(struct work *w)
{
    find_user(w);
    if (w->uid == (int64_t)w->d->engine->mail_uid)
        interpret(w->d->engine, w->d->arena, w->file, &w->res);
    else if (!run_in_child(w))
        return fault(w, STR_LIT("its process ended without an answer"));
    bool bad = w->res.end == REDIRECT_END_BAD || w->res.end == REDIRECT_END_BROKEN ||
               w->res.end == REDIRECT_END_TROUBLE;
    return bad ? fault(w, w->res.text) : true;
}

/* --- the header --- */

static void
take_header(struct work *w)
{
    struct message *m = w->d->message;
    for (size_t i = 0; w->child && i < w->res.edits.n; i++) {
        const struct redirect_edit *e = &w->res.edits.v[i];
        if (e->remove)
            filter_headers_remove(m, e->text);
        else
            filter_headers_add(m, e->text);
    }
    if (w->res.edits.n > 0) {
        w->d->changed = true;
        m->texts = NULL;
    }
    memcpy(m->filter_sn, w->res.counters, sizeof m->filter_sn);
}

/* --- what it set up --- */

static void
set_parent(struct work *w)
{
    struct address *p = route_envelope_address(w->d->arena, STR_LIT("system-filter"), 0);
    p->domain = w->c->qualify_recipient;
    p->original_local_part = p->local_part;
    p->original_domain = p->domain;
    w->parent = p;
}

struct kind {
    const char *name;
    const struct xstr *option;
};

static struct kind
kind_of(const struct conf_main *c, enum address_item item)
{
    switch (item) {
    case ADDRESS_ITEM_FILE:
        return (struct kind){"system_filter_file_transport", &c->system_filter_file_transport};
    case ADDRESS_ITEM_DIRECTORY:
        return (struct kind){"system_filter_directory_transport",
                             &c->system_filter_directory_transport};
    case ADDRESS_ITEM_PIPE:
        return (struct kind){"system_filter_pipe_transport", &c->system_filter_pipe_transport};
    case ADDRESS_ITEM_REPLY:
    case ADDRESS_ITEM_MAIL:
        break;
    }
    return (struct kind){"system_filter_reply_transport", &c->system_filter_reply_transport};
}

static const struct driver_instance *
find_transport(struct work *w, const struct kind *k, struct str *why)
{
    struct engine *e = w->d->engine;
    struct arena *a = w->d->arena;
    struct str name;
    if (!str_is_set(k->option->text)) {
        *why = str_printf(a, "%s is unset", k->name);
        return NULL;
    }
    if (vm_expand_x(e->vm, k->option, &name) != VM_OK) {
        *why = str_printf(a, "failed to expand \"%.*s\" as a system filter transport name",
                          STR_ARG(k->option->text));
        return NULL;
    }
    const struct driver_instance *t =
        str_is_tainted(name) ? NULL : conf_transport(e->conf, name);
    if (t == NULL)
        *why = str_printf(a, "failed to find \"%.*s\" transport for system filter delivery",
                          STR_ARG(name));
    return t;
}

static void
set_transport(struct work *w, struct address *a)
{
    struct eval *ev = w->d->engine->eval;
    struct kind k = kind_of(w->c, a->item);
    struct str why = STR_NULL;
    a->file =
        a->item == ADDRESS_ITEM_FILE || a->item == ADDRESS_ITEM_DIRECTORY ? a->text : STR_NULL;
    a->pipe = a->item == ADDRESS_ITEM_PIPE ? a->text : STR_NULL;
    ev->address = a; /* the option may look at $address_file */
    a->transport = find_transport(w, &k, &why);
    ev->address = NULL;
    a->local_uid = w->uid;
    a->local_gid = w->gid;
    a->identity_set = true;
    if (a->transport != NULL)
        a->transport_name = a->transport->name;
    else
        delivery_answer(w->d, a, OUT_ERROR, DELIVERY_NO_ERRNO, why);
    if (str_eqz(a->text, FILTER_BAD_REPLY)) {
        a->ignore_error = true;
        delivery_answer(w->d, a, OUT_FAIL, 0, STR_LIT(FILTER_BAD_REPLY_WHY));
    }
}

static void
take_children(struct work *w)
{
    for (size_t i = 0; i < w->res.children.n; i++) {
        const struct redirect_child *c = &w->res.children.v[i];
        struct address *a = ARENA_NEW(w->d->arena, struct address);
        a->arena = w->d->arena;
        a->item = c->item;
        a->mode = c->mode;
        a->text = c->text;
        a->ignore_error = c->ignore_error;
        a->reply = c->reply;
        a->errors_to = c->errors_to;
        a->local_uid = a->local_gid = -1;
        route_adopt(w->parent, a);
        if (a->item != ADDRESS_ITEM_MAIL)
            set_transport(w, a);
        vec_push(w->d->arena, &w->d->generated, a);
    }
}

/* --- the original recipients --- */

/* Puts those that are not done where `outcome` says. */
static void
end_recipients(struct work *w, enum outcome outcome, struct str text)
{
    struct delivery *d = w->d;
    for (size_t i = 0; i < d->message->recipients.n; i++) {
        const struct recipient *r = &d->message->recipients.v[i];
        struct address *a = route_envelope_address(d->arena, r->address, i);
        a->dsn_flags = r->dsn_flags;
        if (r->errors_to.n > 0)
            a->errors_to = r->errors_to;
        if (spool_tree_has(&d->header.done, a->key))
            continue;
        delivery_answer(d, a, outcome, DELIVERY_NO_ERRNO, text);
        if (outcome == OUT_FAIL && delivery_tells_nobody(d, a))
            delivery_address_done(d, a);
        else
            vec_push(d->arena, outcome == OUT_FAIL ? &d->failed : &d->deferred, a);
    }
    d->recipients_apart = true;
}

/* "<<for the log>>for the bounce". */
static void
split_text(struct str text, struct str *log, struct str *bounce)
{
    size_t end = str_starts(text, "<<") ? str_find(text, STR_LIT(">>"), 2) : STR_NPOS;
    *log = *bounce = text;
    if (end == STR_NPOS)
        return;
    *log = str_sub(text, 2, end - 2);
    *bounce = str_trim_left(str_sub(text, end + 2, text.n));
}

/* ": text", shortened, or nothing. */
static struct str
log_text(struct work *w, struct str text)
{
    if (text.n == 0)
        return STR_EMPTY;
    bool cut = text.n > LOG_TEXT_MAX;
    return str_printf(w->d->arena, ": %.*s%s", STR_ARG(str_sub(text, 0, LOG_TEXT_MAX)),
                      cut ? " ... (truncated)" : "");
}

static void
defer(struct work *w)
{
    struct delivery *d = w->d;
    maillog(d->engine, MAILLOG_MAIN, d->id, "Delivery deferred by system filter");
    maillog_message_plain(d->engine, &d->entry, STR_LIT("Delivery deferred by system filter"));
    end_recipients(w, OUT_DEFER, STR_NULL);
}

static void
fail(struct work *w)
{
    struct delivery *d = w->d;
    struct str log, bounce;
    split_text(w->res.text, &log, &bounce);
    maillog(d->engine, MAILLOG_MAIN | MAILLOG_TABS, d->id, "cancelled by system filter%.*s",
            STR_ARG(log_text(w, log)));
    end_recipients(w, OUT_FAIL, bounce.n > 0 ? bounce : STR_LIT("delivery cancelled"));
}

/* What freeze_tell is told: lines end with a blank, as people's scripts know it. */
static struct str
tell_text(struct work *w)
{
    struct buf b = buf_in(w->d->arena, 0);
    struct str text = w->res.text;
    buf_addz(&b, " by the system filter.");
    for (size_t i = 0; i < text.n; i++) {
        buf_addz(&b, i == 0 ? "\n" : text.p[i] == '\n' ? " " : "");
        buf_addc(&b, text.p[i]);
    }
    buf_addz(&b, text.n > 0 ? "." : "");
    return buf_str(&b);
}

/* Not for a message that an admin user let go on. */
static void
freeze(struct work *w)
{
    struct delivery *d = w->d;
    if (d->header.manual_thaw)
        return;
    d->freeze = true;
    d->freeze_why =
        str_printf(d->arena, " by the system filter%.*s", STR_ARG(log_text(w, w->res.text)));
    d->freeze_tell = tell_text(w);
    end_recipients(w, OUT_DEFER, STR_NULL);
}

static void
replace(struct work *w)
{
    struct delivery *d = w->d;
    d->recipients_apart = true;
    maillog(d->engine, MAILLOG_MAIN, d->id, "%s",
            d->generated.n > 0 ? "original recipients ignored (system filter)"
                               : "=> discarded (system filter)");
}

static void
take_end(struct work *w)
{
    switch (w->res.end) {
    case REDIRECT_END_DEFER:
        defer(w);
        break;
    case REDIRECT_END_FAIL:
        fail(w);
        break;
    case REDIRECT_END_FREEZE:
        freeze(w);
        break;
    case REDIRECT_END_SEEN:
        replace(w);
        break;
    case REDIRECT_END_NONE:
    case REDIRECT_END_ITEMS:
    case REDIRECT_END_BLACKHOLE:
    case REDIRECT_END_ABSENT:
    case REDIRECT_END_BAD:
    case REDIRECT_END_BROKEN:
    case REDIRECT_END_TROUBLE:
    case REDIRECT_ENDS:
        break;
    }
}

bool
system_filter_run(struct delivery *d)
{
    struct engine *e = d->engine;
    struct work w = {.d = d, .c = e->conf->main};
    if (!str_is_set(w.c->system_filter.text))
        return true;
    enum vm_status st = vm_expand_x(e->vm, &w.c->system_filter, &w.file);
    if (st == VM_FORCED)
        return true;
    if (st != VM_OK)
        return fault(&w,
                     str_printf(d->arena, "failed to expand \"%.*s\": %.*s",
                                STR_ARG(w.c->system_filter.text), STR_ARG(vm_error(e->vm))));
    w.file = str_dup(d->arena, w.file);
    if (w.file.n == 0 || w.file.p[0] != '/')
        return fault(&w,
                     str_printf(d->arena, "\"%.*s\" is not an absolute path", STR_ARG(w.file)));
    if (!run_filter(&w))
        return false;
    set_parent(&w);
    take_header(&w);
    take_children(&w);
    take_end(&w);
    return true;
}
