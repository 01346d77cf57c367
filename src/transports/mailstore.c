/* Mailstore format; see mailstore.h. */
#include "transports/mailstore.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "transports/append_new.h"
#include "transports/append_quota.h"
#include "transports/append_write.h"
#include "transports/message_write.h"

#include <fcntl.h>
#include <unistd.h>

/* The text with a newline at its end; a forced failure and an unset option are nothing. */
static bool
add_text(struct append *d, const struct xstr *option, const char *what, struct buf *out)
{
    struct str text;
    if (!str_is_set(option->text))
        return true;
    enum vm_status st = vm_expand_x(d->job->vm, option, &text);
    if (st != VM_OK && st != VM_FORCED) {
        struct str error = vm_error(d->job->vm);
        return append_broken(d, "Expansion of \"%.*s\" (%s for %.*s transport) failed: %.*s",
                             STR_ARG(option->text), what, STR_ARG(d->transport->name),
                             STR_ARG(error));
    }
    if (st != VM_OK)
        return true;
    buf_adds(out, text);
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        buf_addc(out, '\n');
    return true;
}

static bool
make_envelope(struct append *d, struct str *text)
{
    struct buf out = buf_in(d->arena, 0);
    bool affixes =
        ((const struct transport_generic *)d->transport->generic.fields)->rcpt_include_affixes;
    if (!add_text(d, &d->opt->mailstore_prefix, "mailstore prefix", &out))
        return false;
    buf_printf(&out, "%.*s\n", STR_ARG(d->job->return_path));
    for (size_t i = 0; i < d->job->n; i++) {
        struct str to = transport_rcpt_address(d->arena, d->job->addresses[i], affixes);
        buf_printf(&out, "%.*s\n", STR_ARG(to));
    }
    if (!add_text(d, &d->opt->mailstore_suffix, "mailstore suffix", &out))
        return false;
    *text = buf_str(&out);
    return true;
}

static bool
write_envelope(struct append *d, const char *name, struct str text)
{
    int fd = append_new_open(d, name);
    if (fd < 0)
        return false;
    bool ok = append_write_text(d, fd, name, text) &&
              (d->calls->sync(fd) == 0 || append_write_failed(d, name));
    if (d->calls->close_fd(fd) != 0 && ok)
        ok = append_write_failed(d, name);
    if (!ok)
        (void)d->calls->unlink_at(AT_FDCWD, name);
    return ok;
}

static char *
with_suffix(struct append *d, const char *base, const char *suffix)
{
    return str_cstr(d->arena, str_printf(d->arena, "%s%s", base, suffix));
}

bool
mailstore_deliver(struct append *d)
{
    char pid[NUM_BASE62_DIGITS];
    struct str envelope;
    num_base62((uint64_t)getpid(), pid);
    struct str base_name = str_printf(d->arena, "%s/%.*s-%.*s", d->path,
                                      STR_ARG(d->job->message->id), (int)sizeof pid, pid);
    const char *base = base_name.p;
    char *temp = with_suffix(d, base, ".tmp"), *message = with_suffix(d, base, ".msg");
    d->job->addresses[0]->mailstore_basename = base_name;
    if (!append_quota_fits(d, message, 0) || !make_envelope(d, &envelope) ||
        !write_envelope(d, temp, envelope))
        return false;
    int fd = append_new_open(d, message);
    bool ok = fd >= 0 && append_new_write(d, fd, message);
    if (!ok)
        (void)d->calls->unlink_at(AT_FDCWD, temp);
    else if (!append_new_rename(d, temp, with_suffix(d, base, ".env"))) {
        (void)d->calls->unlink_at(AT_FDCWD, message);
        ok = false;
    }
    return ok;
}
