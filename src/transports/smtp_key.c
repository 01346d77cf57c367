/* Keys for signatures; see smtp_key.h. */
#include "transports/smtp_key.h"

#include "conf/eval.h"
#include "sys/file.h"
#include "sys/tls.h"

static enum smtp_key_end
read_file(struct arena *a, struct str path, struct str *pem)
{
    char *name = str_cstr(a, path);
    if (str_is_tainted(path))
        return SMTP_KEY_TAINTED;
    bool read = name != NULL && file_read(a, name, SIGN_KEY_FILE_MAX, pem) == FILE_OK;
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
    enum smtp_key_end end = text.p[0] == '/' ? read_file(a, text, &pem) : SMTP_KEY_OK;
    if (end != SMTP_KEY_OK)
        return end;
    struct tls *t = tls_load(&e->tls, e->arena, e->process.plugin_directory, why);
    *key = t == NULL ? NULL : sign_key_private(t, a, pem, why);
    str_wipe(pem);
    return *key != NULL ? SMTP_KEY_OK : SMTP_KEY_BAD;
}
