/* The queuefile transport: copies the spool files of a message to a folder, where another program takes them.
 *
 * The envelope of the copy has the recipients of this delivery alone: what else becomes of the message is no business of
 * the copy. Both files are on the disk under their names before the delivery counts as done, the envelope last.
 */
#include "filter/expand.h"
#include "sys/durable.h"
#include "sys/file.h"
#include "transports/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_CHUNK = 64 * 1024, FILE_MODE = 0640 };

struct transport_queuefile {
    struct xstr directory;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct transport_queuefile, directory, NULL, 0,
        "Folder to which the spool files of the message are copied."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "queuefile transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_queuefile),
};

/* One copy under way. */
struct copy {
    const struct transport_job *job;
    struct transport_answer *answer;
    struct str path;
    int dir;
};

static bool __attribute__((format(printf, 4, 5)))
say(struct copy *c, enum outcome outcome, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(c->job->arena, fmt, ap);
    va_end(ap);
    c->answer->why = (struct why){.outcome = outcome, .sys_errno = number, .log = text};
    return false;
}

static bool
failed(struct copy *c, const char *what, const char *name)
{
    int fault = errno;
    return say(c, OUT_DEFER, fault, "%.*s transport %s file: %.*s/%s failed with error: %s",
               STR_ARG(c->job->transport->name), what, STR_ARG(c->path), name, strerror(fault));
}

static bool
open_directory(struct copy *c)
{
    const struct transport_queuefile *own = c->job->transport->own.fields;
    struct str name = c->job->transport->name;
    if (!str_is_set(own->directory.text))
        return say(c, OUT_ERROR, 0, "\"directory\" not set for %.*s transport", STR_ARG(name));
    if (vm_expand_x(c->job->vm, &own->directory, &c->path) != VM_OK)
        return say(c, OUT_ERROR, 0, "%.*s transport: expansion of directory failed: %.*s",
                   STR_ARG(name), STR_ARG(vm_error(c->job->vm)));
    c->path = str_dup(c->job->arena, c->path);
    if (str_is_tainted(c->path))
        return say(c, OUT_ERROR, EACCES,
                   "Tainted '%.*s' (directory for %.*s transport) not permitted",
                   STR_ARG(c->path), STR_ARG(name));
    const char *z = str_cstr(c->job->arena, c->path);
    if (z == NULL || z[0] != '/')
        return say(c, OUT_ERROR, 0, "%.*s transport: directory \"%.*s\" is not absolute",
                   STR_ARG(name), STR_ARG(c->path));
    c->dir = open(z, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dir >= 0)
        return true;
    int fault = errno;
    return say(c, OUT_ERROR, fault,
               "%.*s transport accessing directory: %.*s failed with error: %s", STR_ARG(name),
               STR_ARG(c->path), strerror(fault));
}

/* The body file with its first line, from descriptor to descriptor. */
static bool
copy_bytes(int from, int to)
{
    char chunk[READ_CHUNK];
    for (off_t at = 0;;) {
        ssize_t n = pread(from, chunk, sizeof chunk, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (!file_write_all(to, chunk, (size_t)n))
            return false;
        at += n;
    }
}

static bool
copy_body(struct copy *c, const char *temp, const char *name)
{
    int fd =
        openat(c->dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return failed(c, "opening", name);
    bool ok = copy_bytes(c->job->body_fd, fd) && fsync(fd) == 0;
    int fault = errno;
    close(fd);
    errno = fault;
    if (ok && renameat(c->dir, temp, c->dir, name) == 0)
        return true;
    fault = errno;
    (void)unlinkat(c->dir, temp, 0);
    errno = fault;
    return failed(c, "copying", name);
}

/* The envelope comes last: what takes messages out of the folder looks for it. */
static bool
write_header(struct copy *c, const char *temp, const char *name)
{
    struct durable_fault f;
    struct str text;
    if (c->job->envelope == NULL ||
        !c->job->envelope(c->job->envelope_ctx, c->job->arena, &text))
        return say(c, OUT_DEFER, 0, "%.*s transport: the envelope cannot be written",
                   STR_ARG(c->job->transport->name));
    const struct durable_names names = {.temp = temp, .name = name};
    if (durable_write(&durable_kernel, c->dir, names, text, DURABLE_REPLACE, &f))
        return true;
    return say(c, OUT_DEFER, f.sys_errno, "%.*s transport: %s",
               STR_ARG(c->job->transport->name), f.text);
}

static char *
file_name(const struct copy *c, const char *suffix)
{
    return str_cstr(c->job->arena,
                    str_printf(c->job->arena, "%.*s-%s", STR_ARG(c->job->message->id), suffix));
}

static void
copy_files(struct copy *c)
{
    if (copy_body(c, file_name(c, "D.tmp"), file_name(c, "D")) &&
        !write_header(c, file_name(c, "H.tmp"), file_name(c, "H")))
        (void)unlinkat(c->dir, file_name(c, "D"), 0);
}

static void
deliver(const struct transport_job *job, struct transport_answer *answers)
{
    struct copy c = {.job = job, .answer = &answers[0], .dir = -1};
    c.answer->why = (struct why){.outcome = OUT_OK};
    if (open_directory(&c) && !job->dont_deliver)
        copy_files(&c);
    if (c.dir >= 0)
        close(c.dir);
    for (size_t i = 1; i < job->n; i++)
        answers[i].why = answers[0].why;
}

const struct transport_driver transport_queuefile = {
    .base =
        {
            .name = STR_INIT("queuefile"),
            .opts = &opts,
            .check = transport_check,
        },
    .place = TRANSPORT_LOCAL,
    .deliver = deliver,
    .wants_envelope = true,
    .wants_file = true,
};
