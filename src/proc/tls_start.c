/* TLS of a process that is about to be jailed; see tls_start.h. */
#include "proc/tls_start.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "filter/expand.h"
#include "sys/tls.h"

static struct tls *
load(struct engine *e)
{
    struct str why = STR_NULL;
    struct eval *v = e->eval;
    struct tls *t = tls_load(&v->tls, e->arena, v->process.plugin_directory, &why);
    if (t == NULL)
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "TLS is not available: %.*s",
                STR_ARG(why));
    return t;
}

static bool
is_plain(const struct xstr *x)
{
    return !str_is_set(x->text) || expand_is_literal(x->text);
}

void
tls_start_server(struct engine *e, int vault)
{
    const struct conf_main *c = e->conf->main;
    struct tls *t = load(e); /* also without TLS: DKIM has its keys there */
    if (c->tls_advertise_hosts.text.n == 0 && c->tls_on_connect_ports.text.n == 0)
        return;
    if (t != NULL && vault >= 0)
        tls_share(t, vault);
    if (t == NULL || !is_plain(&c->tls_certificate) || !is_plain(&c->tls_privatekey) ||
        !is_plain(&c->tls_ocsp_file) || !is_plain(&c->tls_dhparam))
        return;
    struct arena *a = arena_new();
    const struct tls_credentials files = {
        .certificates = str_trim(c->tls_certificate.text),
        .keys = str_trim(c->tls_privatekey.text),
        .stapled = str_trim(c->tls_ocsp_file.text),
        .dh = str_trim(c->tls_dhparam.text),
        .self = c->primary_hostname,
    };
    tls_prepare(t, a, &files);
    arena_free(a);
}

void
tls_start_client(struct engine *e)
{
    const struct conf *c = e->conf;
    for (size_t i = 0; i < c->transports.n; i++)
        if (str_eqz(c->transports.v[i]->driver->name, "smtp")) {
            (void)load(e);
            return;
        }
}
