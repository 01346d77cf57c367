/* Keys for signatures; see smtp_key.h. */
#include "transports/smtp_key.h"

#include "conf/eval.h"
#include "sys/file.h"
#include "sys/key_file.h"
#include "sys/tls.h"

#include <errno.h>
#include <unistd.h>

/* By somebody who may read it. -1: it cannot be had, which is logged where it is known why. */
static int
open_for_us(const struct transport_job *job, struct arena *a, struct str path)
{
    struct eval *e = job->eval;
    struct key_file_result why;
    if (job->open_key == NULL)
        return -1;
    int fd = job->open_key(job->open_key_ctx, job->transport->name, path, &why);
    if (fd < 0 && e->log != NULL)
        e->log(e->log_ctx, false,
               str_printf(a, "key %.*s of the %.*s transport is not used: %s", STR_ARG(path),
                          STR_ARG(job->transport->name), key_file_text(&why)));
    return fd;
}

static enum smtp_key_end
read_file(const struct transport_job *job, struct arena *a, struct str path, struct str *pem)
{
    char *name = str_cstr(a, path);
    if (str_is_tainted(path))
        return SMTP_KEY_TAINTED;
    if (name == NULL)
        return SMTP_KEY_NO_FILE;
    int fd = file_open(name);
    if (fd < 0 && errno == EACCES)
        fd = open_for_us(job, a, path);
    if (fd < 0)
        return SMTP_KEY_NO_FILE;
    bool read = file_read_fd(a, fd, SIGN_KEY_FILE_MAX, pem) == FILE_OK;
    close(fd);
    return read ? SMTP_KEY_OK : SMTP_KEY_NO_FILE;
}

enum smtp_key_end
smtp_key_load(const struct transport_job *job, struct arena *a, struct str text,
              struct sign_key **key, struct str *why)
{
    struct eval *e = job->eval;
    struct str pem = text;
    *key = NULL;
    *why = STR_EMPTY;
    enum smtp_key_end end = text.p[0] == '/' ? read_file(job, a, text, &pem) : SMTP_KEY_OK;
    if (end != SMTP_KEY_OK)
        return end;
    struct tls *t = tls_load(&e->tls, e->arena, e->process.plugin_directory, why);
    *key = t == NULL ? NULL : sign_key_private(t, a, pem, why);
    str_wipe(pem);
    return *key != NULL ? SMTP_KEY_OK : SMTP_KEY_BAD;
}
