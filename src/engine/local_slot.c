/* max_parallel; see local_slot.h. */
#include "engine/local_slot.h"

#include "base/num.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "mail/why_errno.h"
#include "sys/file_lock.h"
#include "transports/transport.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the locks, the same for all queues. */
static int
open_folder(struct delivery *d)
{
    const struct spool_place place = {.root = engine_place(d->engine).root};
    return spool_open_db(&place);
}

/* The descriptor of the slot of that name if nobody has it, or -1; *error when the file cannot be used at all. */
static int
try_slot(int folder, struct str text, bool *error)
{
    char name[256];
    *error = true;
    if (text.n >= sizeof name)
        return -1;
    memcpy(name, text.p, text.n);
    name[text.n] = '\0';
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    *error = false;
    if (file_lock_head(fd, 1) == FILE_LOCK_OK)
        return fd;
    close(fd);
    return -1;
}

static enum outcome
limit_of(struct delivery *d, const struct address *a, int64_t *limit, struct why *why)
{
    const struct driver_instance *transport = a->transport;
    const struct transport_generic *g = transport->generic.fields;
    struct vm *vm = d->engine->vm;
    struct str value;
    *limit = 0;
    if (!str_is_set(g->max_parallel.text))
        return OUT_OK;
    struct str fault;
    if (vm_expand_x(vm, &g->max_parallel, &value) != VM_OK)
        fault = vm_error(vm);
    else if (num_parse_option(d->arena, value, limit, &fault))
        return OUT_OK;
    maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
            "Failed to expand max_parallel option in %.*s transport (%.*s): %.*s",
            STR_ARG(transport->name), STR_ARG(a->text), STR_ARG(fault));
    *why = (struct why){
        .outcome = OUT_ERROR, .sys_errno = WHY_UNKNOWN, .log = str_dup(d->arena, fault)};
    return OUT_ERROR;
}

enum outcome
local_slot_take(struct delivery *d, const struct address *a, int *slot, struct why *why)
{
    int64_t limit;
    *slot = -1;
    enum outcome o = limit_of(d, a, &limit, why);
    if (o != OUT_OK || limit <= 0)
        return o;
    bool error = true;
    int folder = open_folder(d);
    for (int64_t i = 0; folder >= 0 && i < limit && i < LOCAL_SLOTS_MAX && *slot < 0; i++)
        *slot = try_slot(folder,
                         str_printf(d->arena, "parallel-%.*s-%lld", STR_ARG(a->transport->name),
                                    (long long)i),
                         &error);
    if (folder >= 0)
        close(folder);
    if (*slot >= 0)
        return OUT_OK;
    *why = (struct why){
        .outcome = OUT_DEFER,
        .sys_errno = WHY_CONCURRENCY,
        .log = error ? STR_LIT("no place for the locks of max_parallel")
                     : STR_LIT("concurrency limit reached for transport"),
    };
    return OUT_DEFER;
}

bool
local_slot_serialize(struct delivery *d, struct str host, int *slot)
{
    bool error = true;
    int folder = open_folder(d);
    struct str name = str_lower(d->arena, str_printf(d->arena, "host-%.*s", STR_ARG(host)));
    *slot =
        folder < 0 || str_chr(name, '/', 0) != STR_NPOS ? -1 : try_slot(folder, name, &error);
    if (folder >= 0)
        close(folder);
    return *slot >= 0;
}
