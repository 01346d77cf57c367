/* Commands on messages in the queue; see queue_command.h. The words are Exim's: scripts look for them. */
#include "engine/queue_command.h"

#include "base/buf.h"
#include "conf/list.h"
#include "engine/bounce_settle.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/spool_model.h"
#include "mail/address.h"
#include "mail/header.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- messages --- */

struct work {
    struct engine *engine;
    struct arena *arena;
    struct str id;
    struct spool_entry entry;
    struct spool_header header;
};

/* What is said when the message cannot be had. */
static bool
tell_fault(const struct work *w, enum spool_result r, const struct spool_fault *f)
{
    if (r == SPOOL_BUSY)
        printf("Message %.*s is locked\n", STR_ARG(w->id));
    else if (r == SPOOL_ABSENT)
        printf("Spool data file for %.*s does not exist\n", STR_ARG(w->id));
    else
        printf("Spool read error for %.*s: %s\n", STR_ARG(w->id), f->text);
    return false;
}

/* Locks and reads; what an interrupted delivery noted is part of it. False: told. */
static bool
open_message(struct work *w, struct engine *e, struct str id)
{
    struct spool_place place = engine_place(e);
    struct spool_fault f = {.text = ""};
    struct message_id parsed;
    struct spool_journal_found found;
    *w = (struct work){.engine = e, .arena = arena_new(), .id = id};
    enum spool_result r = SPOOL_ABSENT;
    if (message_id_parse(id, &parsed))
        r = spool_open(&place, e->calls, &parsed, &w->entry, &f);
    if (r == SPOOL_OK) {
        spool_header_init(&w->header);
        r = spool_read(w->arena, &w->entry, &w->header, &f);
        if (r == SPOOL_OK)
            r = spool_journal_read(w->arena, &w->entry, &w->header, &found, &f);
        if (r == SPOOL_OK)
            r = bounce_settle(e, id, &found, &f);
        if (r != SPOOL_OK)
            spool_close(&w->entry);
    }
    if (r == SPOOL_OK)
        return true;
    (void)tell_fault(w, r, &f);
    arena_free(w->arena);
    return false;
}

static bool
close_message(struct work *w, bool ok)
{
    spool_close(&w->entry);
    arena_free(w->arena);
    return ok;
}

/* Writes the changed envelope, logs and says what was done. */
static bool
save(struct work *w, const char *said)
{
    struct spool_fault f;
    if (spool_update(w->arena, &w->entry, &w->header, &f) == SPOOL_OK) {
        printf("Message %.*s %s\n", STR_ARG(w->id), said);
        return true;
    }
    printf("Message %.*s was not changed: %s\n", STR_ARG(w->id), f.text);
    maillog(w->engine, MAILLOG_MAIN | MAILLOG_PANIC, w->id, "failed to update the spool: %s",
            f.text);
    return false;
}

/* "frozen by root"; "recipient <a@b> added by root": what stands before and behind the address. */
static void
note(struct work *w, const char *before, struct str address, const char *behind)
{
    struct str text = str_is_set(address) ? str_printf(w->arena, "%s <%.*s>%s", before,
                                                       STR_ARG(address), behind)
                                          : str_from_cstr(before);
    text =
        str_printf(w->arena, "%.*s by %.*s", STR_ARG(text), STR_ARG(w->engine->caller.login));
    maillog_line(w->engine, MAILLOG_MAIN, w->id, text);
}

/* --- freezing --- */

static bool
freeze(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    struct work w;
    if (!open_message(&w, e, id))
        return false;
    if (w.header.frozen_time != SPOOL_NONE) {
        printf("Message %.*s is already frozen\n", STR_ARG(id));
        return close_message(&w, false);
    }
    w.header.frozen_time = (int64_t)time(NULL);
    w.header.manual_thaw = false;
    bool ok = save(&w, "is now frozen");
    if (ok)
        note(&w, "frozen", STR_NULL, "");
    return close_message(&w, ok);
}

static bool
thaw(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    struct work w;
    if (!open_message(&w, e, id))
        return false;
    if (w.header.frozen_time == SPOOL_NONE) {
        printf("Message %.*s is not frozen\n", STR_ARG(id));
        return close_message(&w, false);
    }
    w.header.frozen_time = SPOOL_NONE;
    w.header.manual_thaw = true;
    bool ok = save(&w, "is no longer frozen");
    if (ok)
        note(&w, "unfrozen", STR_NULL, "");
    return close_message(&w, ok);
}

/* --- recipients and sender --- */

/* A complete address as the envelope has them. False: told. */
static bool
take_address(struct work *w, struct str given, struct str *out)
{
    struct address_parts p;
    enum address_status st = address_parse(w->arena, given, ADDRESS_LITERAL | ADDRESS_NULL, &p);
    if (st == ADDRESS_OK && p.domain > 0) {
        *out = p.text;
        return true;
    }
    if (st == ADDRESS_OK)
        p.error = STR_LIT("it has no domain");
    printf("- error while modifying: bad address %.*s: %.*s\n", STR_ARG(given),
           STR_ARG(p.error));
    return false;
}

static bool
add_recipients(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    bool ok = true;
    if (!open_message(&w, e, id))
        return false;
    for (size_t i = 0; i < n && ok; i++) {
        struct spool_recipient r = {.parent = SPOOL_NONE};
        ok = take_address(&w, args[i], &r.address);
        if (ok)
            vec_push(w.arena, &w.header.recipients, r);
    }
    ok = ok && save(&w, "has been modified");
    for (size_t i = 0; i < n && ok; i++)
        note(&w, "recipient", args[i], " added");
    return close_message(&w, ok);
}

static bool
change_sender(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    struct str sender = STR_EMPTY;
    (void)n;
    if (!open_message(&w, e, id))
        return false;
    bool ok = str_eqz(args[0], "<>") || args[0].n == 0 || take_address(&w, args[0], &sender);
    w.header.sender = sender;
    ok = ok && save(&w, "has been modified");
    if (ok)
        note(&w, "sender address changed to", sender, "");
    return close_message(&w, ok);
}

static bool
mark_one(struct work *w, struct str address)
{
    for (size_t i = 0; i < w->header.recipients.n; i++) {
        if (!str_eq(w->header.recipients.v[i].address, address))
            continue;
        (void)spool_tree_add(w->arena, &w->header.done, w->header.recipients.v[i].address);
        return true;
    }
    printf("- no recipient %.*s found\n", STR_ARG(address));
    return false;
}

static bool
mark_delivered(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    bool ok = true;
    if (!open_message(&w, e, id))
        return false;
    for (size_t i = 0; i < n && ok; i++)
        ok = mark_one(&w, args[i]);
    ok = ok && save(&w, "has been modified");
    for (size_t i = 0; i < n && ok; i++)
        note(&w, "address", args[i], " marked delivered");
    return close_message(&w, ok);
}

static bool
mark_all_delivered(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    (void)args;
    (void)n;
    if (!open_message(&w, e, id))
        return false;
    for (size_t i = 0; i < w.header.recipients.n; i++)
        (void)spool_tree_add(w.arena, &w.header.done, w.header.recipients.v[i].address);
    bool ok = save(&w, "has been modified");
    for (size_t i = 0; i < w.header.recipients.n && ok; i++)
        note(&w, "address", w.header.recipients.v[i].address, " marked delivered");
    return close_message(&w, ok);
}

/* --- removing, moving, giving up --- */

/* A message that cannot be read is removed all the same: its files go one by one. */
static bool
remove_remains(struct engine *e, struct str id)
{
    struct spool_place place = engine_place(e);
    struct message_id parsed;
    bool any = false;
    int dir = message_id_parse(id, &parsed) ? spool_find_directory(&place, &parsed) : -1;
    for (size_t i = 0; dir >= 0 && i < 3; i++) {
        struct spool_name name = spool_file_name(&parsed, "HJD"[i]);
        any = unlinkat(dir, name.text, 0) == 0 || any;
    }
    if (dir >= 0)
        close(dir);
    printf("Message %.*s has been removed or did not exist\n", STR_ARG(id));
    return any;
}

static bool
is_own(const struct engine *e, const struct spool_header *h)
{
    return e->caller.admin || h->uid == (int64_t)e->caller.uid;
}

/* Events: every recipient that was left, and that the message is done with. */
static void
raise_removed(struct work *w)
{
    struct engine *e = w->engine;
    struct message message = {.arena = w->arena, .body_fd = -1};
    struct session session = {.arena = w->arena};
    struct delivery d = {.engine = e, .arena = w->arena, .id = w->id};
    struct str why = str_printf(w->arena, "message removed by %.*s", STR_ARG(e->caller.login));
    spool_model_load(w->arena, &w->header, &message, &session);
    e->eval->message = &message;
    e->eval->session = &session;
    for (size_t i = 0; i < message.recipients.n; i++) {
        const struct address *a =
            route_envelope_address(w->arena, message.recipients.v[i].address, i);
        if (!spool_tree_has(&w->header.done, a->key))
            delivery_event_cancelled(&d, a, why);
    }
    delivery_event_complete(e);
    list_cache_forget(e->eval->lists);
    e->eval->message = NULL;
    e->eval->session = NULL;
}

static bool
remove_message(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    struct spool_fault f;
    struct message_id parsed;
    struct spool_place place = engine_place(e);
    (void)args;
    (void)n;
    w = (struct work){.engine = e, .arena = arena_new(), .id = id};
    enum spool_result r = message_id_parse(id, &parsed)
                              ? spool_open(&place, e->calls, &parsed, &w.entry, &f)
                              : SPOOL_ABSENT;
    if (r != SPOOL_OK) {
        (void)tell_fault(&w, r, &f);
        bool gone = r != SPOOL_BUSY && e->caller.admin && remove_remains(e, id);
        arena_free(w.arena);
        return gone;
    }
    spool_header_init(&w.header);
    bool readable = spool_read(w.arena, &w.entry, &w.header, &f) == SPOOL_OK;
    struct spool_journal_found found;
    if (spool_journal_read(w.arena, &w.entry, &w.header, &found, &f) == SPOOL_OK &&
        bounce_settle(e, id, &found, &f) != SPOOL_OK) {
        printf("Error while removing %.*s: %s\n", STR_ARG(id), f.text);
        return close_message(&w, false);
    }
    if (!readable ? !e->caller.admin : !is_own(e, &w.header)) {
        printf("Permission denied\n");
        return close_message(&w, false);
    }
    if (spool_remove(&w.entry, &f) != SPOOL_OK) {
        printf("Error while removing %.*s: %s\n", STR_ARG(id), f.text);
        return close_message(&w, false);
    }
    maillog_message_remove(e, &w.entry);
    if (readable)
        raise_removed(&w);
    printf("Message %.*s has been removed\n", STR_ARG(id));
    note(&w, "removed", STR_NULL, "");
    maillog(e, MAILLOG_MAIN, id, "Completed");
    return close_message(&w, true);
}

static bool
give_up(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    maillog(e, MAILLOG_MAIN, id, "cancelled by %.*s", STR_ARG(e->caller.login));
    enum delivery_end end = delivery_run(e, id, DELIVERY_GIVE_UP);
    if (end == DELIVERY_ABSENT)
        printf("Spool data file for %.*s does not exist\n", STR_ARG(id));
    if (end == DELIVERY_BUSY)
        printf("Message %.*s is locked\n", STR_ARG(id));
    return end != DELIVERY_ABSENT && end != DELIVERY_BUSY && end != DELIVERY_ERROR;
}

static bool
deliver(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    (void)delivery_run(e, id, DELIVERY_FORCED);
    return true;
}

static bool
deliver_as_in_queue(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    (void)delivery_run(e, id, DELIVERY_CONTINUED);
    return true;
}

/* --- showing --- */

static bool
copy_file(int dir, const char *name, struct str id)
{
    char block[65536];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        printf("Failed to open input file for %s: %s\n", name, strerror(errno));
        return false;
    }
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0)
        (void)fwrite(block, 1, (size_t)n, stdout);
    close(fd);
    (void)id;
    return n == 0;
}

static bool
show_file(struct engine *e, struct str id, char suffix)
{
    struct spool_place place = engine_place(e);
    struct message_id parsed;
    int dir = message_id_parse(id, &parsed) ? spool_find_directory(&place, &parsed) : -1;
    struct spool_name name = spool_file_name(&parsed, suffix);
    if (dir < 0) {
        printf("Failed to open input file for %s: %s\n", name.text, strerror(ENOENT));
        return false;
    }
    bool ok = copy_file(dir, name.text, id);
    close(dir);
    return ok;
}

static bool
show_body(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    return show_file(e, id, 'D');
}

static bool
show_header(struct engine *e, struct str id, const struct str *args, size_t n)
{
    (void)args;
    (void)n;
    return show_file(e, id, 'H');
}

static bool
show_log(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct spool_place place = engine_place(e);
    struct message_id parsed;
    (void)args;
    (void)n;
    struct arena *a = arena_new();
    int fd = -1;
    if (message_id_parse(id, &parsed)) {
        const struct spool_entry whole = {.id = parsed},
                                 split = {.id = parsed, .sub = spool_subdirectory(&parsed)};
        const char *path = maillog_message_path(a, e, place.split ? &split : &whole);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            fd = open(maillog_message_path(a, e, place.split ? &whole : &split),
                      O_RDONLY | O_CLOEXEC);
    }
    struct str text;
    bool ok = fd >= 0 && file_read_fd(a, fd, STR_MAX, &text) == FILE_OK;
    if (ok)
        (void)fwrite(text.p, 1, text.n, stdout);
    else
        printf("Failed to open msglog file for %.*s: %s\n", STR_ARG(id), strerror(errno));
    if (fd >= 0)
        close(fd);
    arena_free(a);
    return ok;
}

/* The message as it would be sent. */
static bool
show_message(struct engine *e, struct str id, const struct str *args, size_t n)
{
    struct work w;
    char block[65536];
    (void)args;
    (void)n;
    if (!open_message(&w, e, id))
        return false;
    for (size_t i = 0; i < w.header.headers.n; i++) {
        const struct header *h = &w.header.headers.v[i];
        if (h->type != HEADER_TYPE_DELETED)
            (void)fwrite(h->text.p, 1, h->text.n, stdout);
    }
    putchar('\n');
    off_t at = w.entry.body_start;
    ssize_t got;
    while ((got = pread(w.entry.body, block, sizeof block, at)) > 0) {
        (void)fwrite(block, 1, (size_t)got, stdout);
        at += got;
    }
    return close_message(&w, got == 0);
}

/* --- the table --- */

/* clang-format off */
static const struct queue_command commands[] = {
    {"-M",    false, 0, false, deliver},
    {"-Mc",   false, 0, false, deliver_as_in_queue},
    {"-Mar",  true,  1, false, add_recipients},
    {"-Mes",  true,  1, false, change_sender},
    {"-Mf",   false, 0, false, freeze},
    {"-Mg",   false, 0, false, give_up},
    {"-Mmad", false, 0, false, mark_all_delivered},
    {"-Mmd",  true,  1, false, mark_delivered},
    {"-Mrm",  false, 0, true,  remove_message},
    {"-Mt",   false, 0, false, thaw},
    {"-Mvb",  false, 0, false, show_body},
    {"-Mvc",  false, 0, false, show_message},
    {"-Mvh",  false, 0, false, show_header},
    {"-Mvl",  false, 0, false, show_log},
};
/* clang-format on */

const struct queue_command *
queue_command_find(struct str option)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (str_eqz(option, commands[i].option))
            return &commands[i];
    return NULL;
}
