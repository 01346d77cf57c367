/* A client's side of TLS; see tls_socket.h. One connection belongs to one thread. */
#include "plugins/tls/tls_socket.h"

#include "base/arena.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

static void
end(void *connection)
{
    struct connection *c = connection;
    if (c->session != NULL) {
        (void)gnutls_bye(c->session, GNUTLS_SHUT_WR);
        gnutls_deinit(c->session);
    }
    if (c->credentials != NULL)
        gnutls_certificate_free_credentials(c->credentials);
    free(c);
}

/* What a negative result of the library means. */
static int
judge(const struct connection *c, int rc, struct tls_wait *w)
{
    if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED) {
        w->events = gnutls_record_get_direction(c->session) == 0 ? POLLIN : POLLOUT;
        errno = EAGAIN;
        return -1;
    }
    w->why = str_dup(w->arena, str_from_cstr(gnutls_strerror(rc)));
    errno = EPROTO;
    return -1;
}

static int
prepare(struct connection *c, int fd, const char *name)
{
    int rc = gnutls_certificate_allocate_credentials(&c->credentials);
    if (rc >= 0)
        rc = gnutls_init(&c->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (rc >= 0)
        rc = gnutls_set_default_priority(c->session);
    if (rc >= 0)
        rc = gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
    if (rc >= 0 && name != NULL)
        rc = gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, name, strlen(name));
    if (rc >= 0)
        gnutls_transport_set_int(c->session, fd);
    return rc;
}

static void *
start(int fd, const char *name, struct tls_wait *w)
{
    struct connection *c = calloc(1, sizeof *c);
    int rc = c != NULL ? prepare(c, fd, name) : GNUTLS_E_MEMORY_ERROR;
    if (rc >= 0)
        return c;
    w->why = str_dup(w->arena, str_from_cstr(gnutls_strerror(rc)));
    if (c != NULL)
        end(c);
    return NULL;
}

static int
handshake(void *connection, struct tls_wait *w)
{
    struct connection *c = connection;
    int rc = gnutls_handshake(c->session);
    return rc == GNUTLS_E_SUCCESS ? 0 : judge(c, rc, w);
}

static ssize_t
send_some(void *connection, const char *p, size_t n, struct tls_wait *w)
{
    struct connection *c = connection;
    ssize_t r = gnutls_record_send(c->session, p, n);
    return r >= 0 ? r : judge(c, (int)r, w);
}

static ssize_t
receive(void *connection, char *p, size_t n, struct tls_wait *w)
{
    struct connection *c = connection;
    ssize_t r = gnutls_record_recv(c->session, p, n);
    if (r == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return r >= 0 ? r : judge(c, (int)r, w);
}

const struct tls_client tls_socket_client = {
    .start = start,
    .handshake = handshake,
    .send = send_some,
    .receive = receive,
    .end = end,
};
