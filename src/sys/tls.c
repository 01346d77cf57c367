/* TLS of SMTP connections; see tls.h. */
#include "sys/tls.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/plugin.h"

#include <errno.h>
#include <poll.h>

enum { OBJECT = 2, KEYS_OBJECT }; /* of the plugin */

struct tls *
tls_load(struct tls **slot, struct arena *a, struct str plugin_directory, struct str *why)
{
    if (*slot != NULL)
        return *slot;
    const struct plugin *p = plugin_load(a, plugin_directory, "tls", PLUGIN_KIND_OTHER, why);
    if (p == NULL || p->n <= KEYS_OBJECT)
        return NULL;
    struct tls *t = ARENA_NEW(a, struct tls);
    t->library = p->objects[OBJECT];
    t->keys = p->objects[KEYS_OBJECT];
    t->shared = t->library->start();
    *why = STR_LIT("no memory for TLS");
    if (t->shared != NULL)
        *slot = t;
    return *slot;
}

void
tls_share(struct tls *t, int vault)
{
    t->library->share(t->shared, vault);
}

void
tls_prepare(struct tls *t, struct arena *a, const struct tls_credentials *files)
{
    t->library->prepare(t->shared, a, files);
}

struct tls_connection *
tls_open(struct tls *t, const struct tls_setup *s, struct tls_fault *fault)
{
    return t->library->open(t->shared, s, fault);
}

bool
tls_handshake(struct tls *t, struct tls_connection *c, int in, int out, int64_t deadline_ms,
              struct tls_fault *fault)
{
    while (t->library->handshake(c, fault) != 0) {
        if (errno != EAGAIN)
            return false;
        int64_t left = deadline_ms > 0 ? deadline_ms - await_now_ms() : -1;
        struct pollfd p = {.fd = (fault->events & POLLIN) != 0 ? in : out,
                           .events = fault->events};
        int n = 0;
        if (deadline_ms == 0 || left > 0)
            n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        fault->where = STR_EMPTY;
        fault->text = STR_LIT("timed out");
        errno = ETIMEDOUT;
        return false;
    }
    return true;
}

ssize_t
tls_receive(struct tls *t, struct tls_connection *c, char *p, size_t n, struct tls_fault *fault)
{
    return t->library->receive(c, p, n, fault);
}

ssize_t
tls_send(struct tls *t, struct tls_connection *c, const char *p, size_t n,
         struct tls_fault *fault)
{
    return t->library->send(c, p, n, fault);
}

size_t
tls_pending(struct tls *t, const struct tls_connection *c)
{
    return t->library->pending(c);
}

void
tls_facts(struct tls *t, struct tls_connection *c, struct arena *a, struct tls_facts *out)
{
    t->library->facts(c, a, out);
}

bool
tls_binding(struct tls *t, struct tls_connection *c, enum tls_binding kind, struct arena *a,
            struct str *out)
{
    return t->library->binding(c, kind, a, out);
}

bool
tls_ticket(struct tls *t, struct tls_connection *c, struct arena *a, struct str *out)
{
    return t->library->ticket(c, a, out);
}

void
tls_close(struct tls *t, struct tls_connection *c, bool goodbye)
{
    if (c != NULL)
        t->library->close(c, goodbye);
}
