/* Answers of the appendfile transport, and expansions that may end in one; see appendfile.h. */
#include "transports/appendfile.h"

#include "base/arena.h"
#include "base/buf.h"

__attribute__((format(printf, 4, 0))) static void
answer(struct append *d, enum outcome outcome, int err, const char *fmt, va_list ap)
{
    struct buf text = buf_in(d->arena, 4096);
    buf_vprintf(&text, fmt, ap);
    d->answer->why.outcome = outcome;
    d->answer->why.sys_errno = err;
    d->answer->why.log = buf_str(&text);
}

bool
append_defer(struct append *d, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    answer(d, OUT_DEFER, err, fmt, ap);
    va_end(ap);
    return false;
}

bool
append_defer_frozen(struct append *d, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    answer(d, OUT_DEFER, err, fmt, ap);
    va_end(ap);
    d->answer->freeze = true;
    return false;
}

bool
append_broken(struct append *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    answer(d, OUT_ERROR, WHY_UNKNOWN, fmt, ap);
    va_end(ap);
    return false;
}

bool
append_expand(struct append *d, const struct xstr *option, const char *what, struct str *out)
{
    *out = STR_NULL;
    if (!str_is_set(option->text))
        return true;
    if (vm_expand_x(d->job->vm, option, out) == VM_OK)
        return true;
    struct str error = vm_error(d->job->vm);
    return append_broken(d, "Expansion of \"%.*s\" (%s for %.*s transport) failed: %.*s",
                         STR_ARG(option->text), what, STR_ARG(d->transport->name),
                         STR_ARG(error));
}

bool
append_is_wanted(struct append *d)
{
    return d->job->wanted == NULL || d->job->wanted(d->job->wanted_ctx) ||
           append_defer(d, WHY_UNKNOWN, "delivery to %s is not asked for any more", d->path);
}
