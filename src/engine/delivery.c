/* One attempt to deliver one message; see delivery.h. */
#include "engine/delivery.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/num.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/bounce_settle.h"
#include "engine/debug_log.h"
#include "engine/held_connection.h"
#include "engine/maillog.h"
#include "engine/mua_wrapper.h"
#include "engine/one_time.h"
#include "engine/queue_move.h"
#include "engine/remote_kept.h"
#include "engine/remote_pool.h"
#include "engine/retry_hints.h"
#include "engine/spool_model.h"
#include "engine/system_filter.h"
#include "engine/turned.h"
#include "lookups/lookup.h"
#include "sys/child.h"
#include "transports/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- opening --- */

static enum delivery_end
report_open_fault(struct delivery *d, enum spool_result r, const struct spool_fault *f)
{
    struct engine *e = d->engine;
    switch (r) {
    case SPOOL_BUSY:
        if (maillog_selected(e, LOG_SELECTOR_SKIP_DELIVERY))
            maillog(e, MAILLOG_MAIN, d->id,
                    "Spool file is locked (another process is handling this message)");
        return DELIVERY_BUSY;
    case SPOOL_ABSENT:
        return DELIVERY_ABSENT;
    case SPOOL_BAD:
    case SPOOL_ERROR:
    case SPOOL_OK:
        break;
    }
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%s", f->text);
    return DELIVERY_ERROR;
}

/* $acl_c… and $acl_m… as they were when the message was received. */
static void
load_acl_variables(struct delivery *d)
{
    struct eval *ev = d->engine->eval;
    ev->acl_c = map_new(d->arena, MAP_CASEFUL);
    ev->acl_m = map_new(d->arena, MAP_CASEFUL);
    for (size_t i = 0; i < d->header.acl_variables.n; i++) {
        const struct spool_acl_variable *v = &d->header.acl_variables.v[i];
        struct str *value = ARENA_NEW(d->arena, struct str);
        *value = v->value;
        map_set(v->of_message ? ev->acl_m : ev->acl_c,
                str_printf(d->arena, "%c%.*s", v->of_message ? 'm' : 'c', STR_ARG(v->name)),
                value);
    }
}

static void
load_models(struct delivery *d)
{
    struct stat st;
    d->message = ARENA_NEW(d->arena, struct message);
    d->session = ARENA_NEW(d->arena, struct session);
    d->message->arena = d->session->arena = d->arena;
    spool_model_load(d->arena, &d->header, d->message, d->session);
    d->message->manually_thawed = d->header.manual_thaw;
    for (size_t i = 0; i < d->header.recipients.n; i++) {
        d->message->recipients.v[i].orcpt = d->header.recipients.v[i].orcpt;
        d->message->recipients.v[i].dsn_flags = d->header.recipients.v[i].dsn_flags;
        d->message->recipients.v[i].parent = d->header.recipients.v[i].parent;
    }
    d->message->body_fd = d->entry.body;
    d->message->body_start = d->entry.body_start;
    if (d->lane != NULL) {
        d->message->body_text = d->lane_body;
        d->message->body_size = (int64_t)d->lane_body.n;
    } else if (fstat(d->entry.body, &st) == 0) {
        d->message->body_size = (int64_t)st.st_size - d->entry.body_start;
    }
    d->message->size = d->message->body_size + 1;
    d->message->lines = d->message->body_lines;
    for (size_t i = 0; i < d->header.headers.n; i++) {
        struct str text = d->header.headers.v[i].text;
        if (d->header.headers.v[i].type == HEADER_TYPE_DELETED)
            continue;
        d->message->size += text.n;
        d->message->lines += (int64_t)str_count(text, '\n');
    }
    d->message->queue_name = d->engine->queue;
    d->engine->eval->message = d->message;
    d->engine->eval->session = d->session;
    d->engine->eval->address = NULL;
    debug_log_resume(d->engine, &d->header);
    load_acl_variables(d);
}

/* What an interrupted attempt noted becomes part of the envelope before anything else is done. */
static enum spool_result
merge_journal(struct delivery *d, struct spool_fault *f)
{
    struct spool_journal_found found;
    enum spool_result r = spool_journal_read(d->arena, &d->entry, &d->header, &found, f);
    if (r == SPOOL_OK)
        r = bounce_settle(d->engine, d->id, &found, f);
    if (r == SPOOL_OK && found.any)
        r = spool_update(d->arena, &d->entry, &d->header, f);
    return r;
}

void
delivery_write_log(struct delivery *d)
{
    if (d->lane != NULL || d->entry.log == NULL)
        return;
    d->entry.log = NULL;
    maillog_message_lines(d->engine, &d->entry, buf_str(&d->log_lines));
}

static void
keep_log(struct delivery *d)
{
    d->log_lines = buf_in(d->arena, 0);
    d->entry.log = &d->log_lines;
}

/* keep_malformed: what nobody can read is thrown away when it is old enough. True: it is gone. */
static bool
remove_malformed(struct delivery *d, const struct message_id *id)
{
    struct spool_fault f = {.text = ""};
    int64_t keep_s = d->engine->conf->main->keep_malformed;
    struct buf age = buf_in(d->arena, 0);
    if ((int64_t)d->started.tv_sec - message_id_time(id) <= keep_s)
        return false;
    num_add_interval(&age, keep_s);
    maillog(d->engine, MAILLOG_MAIN, d->id, "Message removed because older than %.*s",
            STR_ARG(buf_str(&age)));
    maillog_message_remove(d->engine, &d->entry);
    if (spool_remove(&d->entry, &f) == SPOOL_OK)
        return true;
    maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%s", f.text);
    return false;
}

static enum delivery_end
open_message(struct delivery *d)
{
    struct spool_fault f = {.text = ""};
    struct spool_place place = engine_place(d->engine);
    struct message_id id;
    if (!message_id_parse(d->id, &id))
        return DELIVERY_ABSENT;
    enum spool_result r = spool_open(&place, d->engine->calls, &id, &d->entry, &f);
    if (r != SPOOL_OK)
        return report_open_fault(d, r, &f);
    spool_header_init(&d->header);
    r = spool_read(d->arena, &d->entry, &d->header, &f);
    bool malformed = r == SPOOL_BAD;
    if (r == SPOOL_OK)
        r = merge_journal(d, &f);
    if (r != SPOOL_OK) {
        enum delivery_end end = report_open_fault(d, r, &f);
        if (malformed && remove_malformed(d, &id))
            end = DELIVERY_ABSENT;
        spool_close(&d->entry);
        return end;
    }
    if (d->engine->run != NULL)
        keep_log(d);
    return DELIVERY_WAITS;
}

/* --- frozen messages --- */

static void
thaw(struct delivery *d, const char *how)
{
    d->header.frozen_time = SPOOL_NONE;
    d->changed = true;
    maillog(d->engine, MAILLOG_MAIN, d->id, "Unfrozen by %s", how);
}

/* False: a frozen message that stays so. */
static bool
may_deliver(struct delivery *d)
{
    const struct conf_main *c = d->engine->conf->main;
    int64_t now = (int64_t)d->started.tv_sec;
    if (d->header.frozen_time == SPOOL_NONE || d->reason == DELIVERY_GIVE_UP)
        return true;
    if (d->reason == DELIVERY_FORCED) {
        thaw(d, "forced delivery");
        d->header.manual_thaw = d->message->manually_thawed = true;
        return true;
    }
    bool bounce = d->message->sender.n == 0;
    int64_t frozen_s = now - d->header.frozen_time;
    if (c->timeout_frozen_after > 0 && frozen_s >= c->timeout_frozen_after) {
        maillog(d->engine, MAILLOG_MAIN, d->id, "cancelled by timeout_frozen_after");
        d->reason = DELIVERY_GIVE_UP;
        return true;
    }
    if (bounce && now - d->message->received_time >= c->ignore_bounce_errors_after) {
        thaw(d, "errmsg timer");
        return true;
    }
    if (!bounce && c->auto_thaw > 0 && frozen_s > c->auto_thaw) {
        thaw(d, "auto-thaw");
        return true;
    }
    if (maillog_selected(d->engine, LOG_SELECTOR_SKIP_DELIVERY))
        maillog(d->engine, MAILLOG_MAIN, d->id, "Message is frozen");
    return false;
}

/* --- giving up --- */

/* -Mg and timeout_frozen_after: every address that is left fails; nothing is routed. */
static void
give_up(struct delivery *d)
{
    for (size_t i = 0; i < d->message->recipients.n; i++) {
        struct address *a =
            route_envelope_address(d->arena, d->message->recipients.v[i].address, i);
        a->dsn_flags = d->message->recipients.v[i].dsn_flags;
        a->errors_to = d->message->recipients.v[i].errors_to.n > 0
                           ? d->message->recipients.v[i].errors_to
                           : STR_NULL;
        if (spool_tree_has(&d->header.done, a->key))
            continue;
        delivery_answer(d, a, OUT_FAIL, 0, STR_NULL);
        delivery_event_cancelled(d, a, STR_LIT("delivery cancelled by administrator"));
        if (delivery_tells_nobody(d, a))
            delivery_address_done(d, a);
        else
            vec_push(d->arena, &d->failed, a);
    }
}

/* --- the end --- */

/* -H without what was only for this attempt. */
static void
save(struct delivery *d)
{
    struct spool_fault f;
    d->header.headers = *d->message->headers;
    if (spool_update(d->arena, &d->entry, &d->header, &f) != SPOOL_OK)
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to update the spool: %s", f.text);
}

/* move_frozen_messages: no queue run looks at it any more. */
static void
move_away(struct delivery *d)
{
    if (queue_move_frozen(d->engine, &d->entry))
        maillog(d->engine, MAILLOG_MAIN, d->id, "moved from input, msglog to Finput, Fmsglog");
    else
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to move the frozen message: %s", strerror(errno));
}

static enum delivery_end
freeze(struct delivery *d)
{
    struct str bounce = d->header.sender_set_untrusted
                            ? STR_LIT(" (message created with -f <>)")
                            : STR_LIT(" (delivery error message)");
    struct str why = d->freeze_bounce ? bounce : d->freeze_why;
    d->header.frozen_time = (int64_t)d->started.tv_sec;
    d->header.manual_thaw = d->header.first_delivery = false;
    save(d);
    maillog(d->engine, MAILLOG_MAIN, d->id, "Frozen%.*s", STR_ARG(why));
    maillog_message_plain(d->engine, &d->entry,
                          str_printf(d->arena, "*** Frozen%.*s", STR_ARG(why)));
    delivery_tell_frozen(d);
    if (d->engine->conf->main->move_frozen_messages)
        move_away(d);
    return DELIVERY_FROZEN;
}

static bool
remove_files(struct delivery *d)
{
    struct spool_fault f;
    if (d->engine->conf->main->preserve_message_logs)
        delivery_write_log(d);
    d->entry.log = NULL;
    if (spool_remove(&d->entry, &f) != SPOOL_OK) {
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to remove the message: %s", f.text);
        return false;
    }
    maillog_message_remove(d->engine, &d->entry);
    return true;
}

static enum delivery_end
complete(struct delivery *d)
{
    struct engine *e = d->engine;
    if (d->lane != NULL)
        delivery_lane_complete(d);
    else if (!remove_files(d))
        return DELIVERY_ERROR;
    struct buf b = buf_in(d->arena, 0);
    buf_addz(&b, "Completed");
    if (maillog_selected(e, LOG_SELECTOR_QUEUE_TIME_OVERALL)) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        buf_printf(&b, " QT=%.*s",
                   STR_ARG(maillog_duration(d->arena, e, delivery_queue_time(d, now))));
    }
    maillog_line(e, MAILLOG_MAIN, d->id, buf_str(&b));
    delivery_event_complete(e);
    return DELIVERY_DONE;
}

static enum delivery_end
finish(struct delivery *d)
{
    if (d->deferred.n == 0 && !d->freeze)
        return complete(d);
    delivery_write_log(d);
    if (one_time_keep(d))
        d->changed = true;
    if (d->freeze)
        return freeze(d);
    /* A queue run may meet thousands of new messages that have to wait: it does not write each of them anew for that. */
    bool marked = !d->changed && d->header.first_delivery && d->engine->run != NULL &&
                  spool_mark_tried(&d->entry, &d->header);
    if (d->header.first_delivery && !marked)
        d->changed = true;
    d->header.first_delivery = false;
    if (d->changed)
        save(d);
    return DELIVERY_WAITS;
}

/* What the evaluations of the caller see: a delivery may be made in the middle of another one (a reply of a filter). */
struct outer_view {
    struct message *message;
    struct session *session;
    struct address *address;
    struct map *acl_c, *acl_m, *router_vars;
};

static struct outer_view
outer_view_of(const struct eval *ev)
{
    return (struct outer_view){ev->message, ev->session, ev->address,
                               ev->acl_c,   ev->acl_m,   ev->router_vars};
}

static void
close_message(struct delivery *d, const struct outer_view *outer)
{
    struct eval *ev = d->engine->eval;
    delivery_write_log(d);
    if (d->journal_open)
        spool_journal_close(&d->journal);
    spool_close(&d->entry);
    if (d->lane != NULL)
        lane_take_close(d->lane);
    list_cache_forget(ev->lists);
    ev->message = outer->message;
    ev->session = outer->session;
    ev->address = outer->address;
    ev->acl_c = outer->acl_c;
    ev->acl_m = outer->acl_m;
    ev->router_vars = outer->router_vars;
}

/* mua_wrapper: all in one go, and however that ends it is the end of the message. */
static enum delivery_end
attempt_as_wrapper(struct delivery *d)
{
    bool good = false;
    delivery_route(d);
    if (mua_wrapper_may_deliver(d)) {
        delivery_remote(d);
        good = mua_wrapper_settle(d);
    }
    enum delivery_end end = complete(d);
    return end == DELIVERY_DONE && !good ? DELIVERY_FAILED : end;
}

static enum delivery_end
attempt(struct delivery *d)
{
    if (!may_deliver(d))
        return DELIVERY_FROZEN;
    if (mua_wrapper_is_on(d) && d->reason != DELIVERY_GIVE_UP)
        return system_filter_run(d) ? attempt_as_wrapper(d) : DELIVERY_WAITS;
    if (d->reason == DELIVERY_GIVE_UP) {
        give_up(d);
    } else if (!system_filter_run(d)) {
        return DELIVERY_WAITS;
    } else {
        delivery_route(d);
        delivery_local(d);
        delivery_remote(d);
        retry_finish(d);
        if (!delivery_lane_leave(d))
            return DELIVERY_ERROR;
    }
    delivery_report_success(d);
    delivery_bounce(d);
    if (d->unsettled)
        return DELIVERY_ERROR; /* the journal says what there is to do the next time */
    if (d->deferred.n > 0)
        delivery_warn(d);
    return finish(d);
}

/* --- memory --- */

enum { FIRST_BLOCK = 24 * 1024 }; /* what a usual delivery needs */

static void
free_spare(void *ctx)
{
    struct engine *e = ctx;
    arena_free(e->spare);
    e->spare = NULL;
}

/* That of the delivery before, if it has one left. */
static struct arena *
take_arena(struct engine *e)
{
    struct arena *a = e->spare;
    e->spare = NULL;
    return a != NULL ? a : arena_new_sized(FIRST_BLOCK);
}

static void
leave_arena(struct engine *e, struct arena *a)
{
    if (e->run == NULL || e->spare != NULL) {
        arena_free(a);
        return;
    }
    if (!e->keeps_spare)
        arena_on_free(e->arena, free_spare, e);
    e->keeps_spare = true;
    arena_clear(a);
    e->spare = a;
}

static enum delivery_end
run_one(struct engine *e, struct str id, enum delivery_reason reason,
        const struct lane_ref *ref)
{
    struct arena *a = take_arena(e);
    struct delivery *d = ARENA_NEW(a, struct delivery);
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    const struct outer_view outer = outer_view_of(e->eval);
    d->engine = e;
    d->arena = a;
    d->reason = reason;
    d->id = str_dup(a, id);
    clock_gettime(CLOCK_REALTIME, &d->started);
    enum delivery_end end = ref == NULL ? open_message(d) : delivery_lane_open(d, ref);
    if (end == DELIVERY_WAITS) {
        load_models(d);
        debug_log_say(e, DEBUG_DELIVER, "delivering %.*s", STR_ARG(d->id));
        end = attempt(d);
        debug_log_say(e, DEBUG_DELIVER, "end of delivering %.*s", STR_ARG(d->id));
        close_message(d, &outer);
    }
    vm_release(e->vm, mark);
    leave_arena(e, a);
    return end;
}

/* Those that deliver what waits for the hosts of a message, beside this process. */
static void
await_lingering(struct engine *e)
{
    for (size_t i = 0; i < e->lingering.n; i++)
        child_await(e->lingering.v[i]);
    e->lingering.n = 0;
}

/* Over a connection that was kept go the messages that wait for its host. */
static enum delivery_end
run_waiting(struct engine *e, enum delivery_end end)
{
    if (e->kept == NULL && e->lingering.n == 0)
        return end;
    struct arena *a = arena_new();
    struct str next = STR_EMPTY;
    while (e->kept != NULL && str_is_set(next = remote_kept_next(e, a, next)))
        (void)run_one(e, next, DELIVERY_CONTINUED, NULL);
    arena_free(a);
    await_lingering(e);
    return end;
}

void
delivery_run_kept(struct engine *e)
{
    (void)run_waiting(e, DELIVERY_DONE);
}

void
delivery_run_idle(struct engine *e)
{
    struct remote_kept k;
    while (remote_pool_expire(e, &k)) {
        k.shared = false; /* this time it is closed */
        e->kept = ARENA_NEW(k.client->arena, struct remote_kept);
        *e->kept = k;
        (void)run_waiting(e, DELIVERY_DONE);
    }
}

enum delivery_end
delivery_run(struct engine *e, struct str id, enum delivery_reason reason)
{
    return run_waiting(e, run_one(e, id, reason, NULL));
}

enum delivery_end
delivery_run_lane(struct engine *e, const struct lane_ref *ref)
{
    return run_waiting(e, run_one(e, STR_EMPTY, DELIVERY_ARRIVED, ref));
}

/* --- reports --- */

/* Nothing of ours is shared with it but the log: it must not keep a terminal or a pipe open. */
static void
leave_standard_files(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    close(null);
}

void
delivery_start_other(struct delivery *d, struct str id)
{
    struct engine *e = d->engine;
    if (e->queue_reports || e->conf->main->queue_only)
        return;
    pid_t pid = fork();
    if (pid > 0 && (e->queue_run || e->attended))
        vec_push(e->arena, &e->lingering, pid);
    if (pid > 0)
        return;
    if (pid < 0) {
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, id, "failed to start the delivery: %s",
                strerror(errno));
        return;
    }
    if (!e->verbose)
        leave_standard_files();
    spool_close(&d->entry);
    remote_kept_abandon(e);
    held_connection_drop(e);
    turned_abandon(e);
    e->queue_run = e->eval->queue_running = e->forced = e->local_only = false;
    e->first_stage = e->queue_smtp = false;
    e->lingering.n = 0;
    (void)delivery_run(e, id, DELIVERY_ARRIVED);
    _exit(0);
}
