/* TLS connections; see sys/tls.h.
 *
 * GnuTLS never waits: its reads and writes are tried once, and who called waits. Certificates are checked when the handshake is over
 * and not in it, so that a peer that is refused learns it by an alert.
 */
#include "plugins/tls/tls_connection.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "plugins/tls/tls_load.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BARREN_MAX = 1000 };

/* --- the descriptors --- */

static ssize_t
read_some(struct tls_connection *c, void *p, size_t n)
{
    if (c->in_is_socket)
        return recv(c->in, p, n, MSG_DONTWAIT);
    struct pollfd f = {.fd = c->in, .events = POLLIN};
    if (poll(&f, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return read(c->in, p, n);
}

static ssize_t
pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
    struct tls_connection *c = ctx;
    if (c->ahead_at == c->ahead_n) {
        if (n >= sizeof c->ahead)
            return read_some(c, p, n);
        ssize_t got = read_some(c, c->ahead, sizeof c->ahead);
        if (got <= 0)
            return got;
        c->ahead_at = 0;
        c->ahead_n = (size_t)got;
    }
    size_t left = c->ahead_n - c->ahead_at;
    n = n < left ? n : left;
    memcpy(p, c->ahead + c->ahead_at, n);
    c->ahead_at += n;
    return (ssize_t)n;
}

static ssize_t
write_some(struct tls_connection *c, const giovec_t *v, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};
    ssize_t sent = sendmsg(c->out, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK)
        return sent;
    return writev(c->out, m.msg_iov, n);
}

/* False with errno: not all of it is sent. */
static bool
send_held(struct tls_connection *c)
{
    while (c->held_n > 0) {
        giovec_t v = {.iov_base = c->held, .iov_len = c->held_n};
        ssize_t sent = write_some(c, &v, 1);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        c->held_n -= (size_t)sent;
        memmove(c->held, c->held + sent, c->held_n);
    }
    return true;
}

static ssize_t
push(gnutls_transport_ptr_t ctx, const giovec_t *v, int n)
{
    struct tls_connection *c = ctx;
    size_t all = 0;
    for (int i = 0; i < n; i++)
        all += v[i].iov_len;
    if (c->holding && all <= TLS_HELD - c->held_n) {
        for (int i = 0; i < n; i++) {
            memcpy(c->held + c->held_n, v[i].iov_base, v[i].iov_len);
            c->held_n += v[i].iov_len;
        }
        return (ssize_t)all;
    }
    return send_held(c) ? write_some(c, v, n) : -1;
}

/* Waiting is the caller's affair. */
static int
pull_ready(gnutls_transport_ptr_t ctx, unsigned ms)
{
    const struct tls_connection *c = ctx;
    struct pollfd f = {.fd = c->in, .events = POLLIN};
    (void)ms;
    return c->ahead_at < c->ahead_n ? 1 : poll(&f, 1, 0);
}

/* --- setting up --- */

static int
set_priority(struct tls_connection *c, const struct tls_setup *s, struct tls_fault *fault)
{
    const char *bad = "", *text = str_cstr(c->arena, s->priority);
    if (text == NULL || s->priority.n == 0)
        text = "NORMAL";
    if (s->tolerant)
        text = str_printf(c->arena, "%s:%%COMPAT", text).p;
    int rc;
    gnutls_priority_t meaning = tls_store_priority(c->store, text, &rc, &bad);
    if (meaning != NULL)
        rc = gnutls_priority_set(c->session, meaning);
    else if (rc == 0)
        rc = gnutls_priority_set_direct(c->session, text, &bad);
    if (rc < 0)
        (void)tls_load_failed(c->arena, fault,
                              str_printf(c->arena,
                                         "gnutls_priority_init(%s) failed at offset %td, "
                                         "\"%.6s..\"",
                                         text, bad - text, bad),
                              rc);
    return rc;
}

static int
set_alpn(struct tls_connection *c, const struct tls_setup *s)
{
    gnutls_datum_t names[TLS_LIST_MAX];
    struct strlist_split split = strlist_split_start(s->alpn, ':');
    struct str name;
    unsigned n = 0;
    while (n < TLS_LIST_MAX && strlist_split_next(&split, c->arena, &name)) {
        if (name.n == 0 || name.n > UINT8_MAX)
            continue;
        name = str_dup(c->arena, name);
        names[n++] = (gnutls_datum_t){(unsigned char *)(uintptr_t)name.p, name.n};
    }
    if (n == 0)
        return 0;
    /* A client that offers other protocols alone is none of ours. */
    unsigned flags = c->role == TLS_SERVER ? (unsigned)GNUTLS_ALPN_MANDATORY : 0u;
    return gnutls_alpn_set_protocols(c->session, names, n, flags);
}

static struct tls_want
want_of(struct tls_connection *c)
{
    const struct tls_setup *s = c->setup;
    return (struct tls_want){
        .arena = c->arena,
        .files = &c->files,
        .role = c->role,
        .trust = s->check != TLS_CHECK_NONE && !tls_dane_is_usable(s->tlsa, s->tlsa_n),
        .pkcs11 = s->pkcs11,
    };
}

/* Takes the credentials that c->files name. False: *fault; those before stay. */
static bool
use_credentials(struct tls_connection *c, struct tls_fault *fault)
{
    struct tls_want w = want_of(c);
    struct tls_fault told = {.where = STR_EMPTY, .text = STR_NULL};
    struct tls_entry *e = tls_store_get(c->store, &w, &told);
    if (e == NULL) {
        *fault = told;
        return false;
    }
    if (str_is_set(told.text) && c->setup->notice != NULL)
        c->setup->notice(c->setup->ctx, told.where, told.text);
    tls_store_release(c->store, c->entry);
    c->entry = e;
    int rc =
        gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, tls_entry_credentials(e));
    return rc >= 0 || tls_load_failed(c->arena, fault, STR_LIT("gnutls_credentials_set"), rc);
}

/* A server has read the client's hello: its name for us may mean other certificates. */
static int
hello(gnutls_session_t session)
{
    struct tls_connection *c = gnutls_session_get_ptr(session);
    char name[256];
    size_t n = sizeof name;
    unsigned type;
    struct tls_fault fault;
    if (gnutls_server_name_get(session, name, &n, &type, 0) < 0 || type != GNUTLS_NAME_DNS)
        return 0;
    if (n > 0 && name[n - 1] == '\0')
        n--;
    c->sni = str_tainted(str_dup(c->arena, str_from(name, n)));
    if (c->setup->named == NULL || !c->setup->named(c->setup->ctx, c->sni, &c->files))
        return 0;
    return use_credentials(c, &fault) ? 0 : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

/* Extensions of a client's hello that variables tell of: RFC 6066, 5077, 8446 section 4.2. */
enum { EXT_STATUS = 5, EXT_TICKET = 35, EXT_KEY = 41, EXT_KEY_MODES = 45 };

static int
note_extension(void *ctx, unsigned number, const unsigned char *p, unsigned n)
{
    struct tls_connection *c = ctx;
    (void)p;
    if (number == EXT_STATUS)
        c->asked_ocsp = true;
    if (!c->resume)
        return 0;
    if (number == EXT_TICKET || number == EXT_KEY_MODES)
        c->resumption |= TLS_RESUME_CLIENT_REQUEST;
    if (number == EXT_KEY || (number == EXT_TICKET && n > 0))
        c->resumption |= TLS_RESUME_CLIENT_SESSION;
    return 0;
}

/* What goes to and fro that $tls_in_resumption and $tls_in_ocsp tell of. */
static int
note_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
             const gnutls_datum_t *message)
{
    struct tls_connection *c = gnutls_session_get_ptr(session);
    (void)when;
    if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET && incoming == 0)
        c->resumption |= TLS_RESUME_TICKET;
    else if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && incoming != 0)
        (void)gnutls_ext_raw_parse(c, note_extension, message,
                                   GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    return 0;
}

static int
set_server(struct tls_connection *c, const struct tls_setup *s)
{
    static const gnutls_certificate_request_t requests[] = {
        [TLS_CHECK_NONE] = GNUTLS_CERT_IGNORE,
        [TLS_CHECK_TRY] = GNUTLS_CERT_REQUEST,
        [TLS_CHECK_REQUIRE] = GNUTLS_CERT_REQUIRE,
    };
    gnutls_certificate_server_set_request(c->session, requests[s->check]);
    gnutls_handshake_set_post_client_hello_function(c->session, hello);
    gnutls_handshake_set_hook_function(c->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST,
                                       note_message);
    const gnutls_datum_t *key = s->resume ? tls_store_ticket_key(c->store) : NULL;
    return key != NULL ? gnutls_session_ticket_enable_server(c->session, key) : 0;
}

static int
set_client(struct tls_connection *c, const struct tls_setup *s)
{
    int rc = 0;
    if (s->sni.n > 0)
        rc = gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, s->sni.p, s->sni.n);
    if (rc >= 0 && s->dh_bits > 0)
        gnutls_dh_set_prime_bits(c->session, (unsigned)s->dh_bits);
    c->asked_ocsp = s->ocsp_request || s->ocsp_require;
    if (rc >= 0 && c->asked_ocsp)
        rc = gnutls_ocsp_status_request_enable_client(c->session, NULL, 0, NULL);
    if (rc < 0 || !s->resume)
        return rc;
    rc = gnutls_session_ticket_enable_client(c->session);
    c->resumption = TLS_RESUME_CLIENT_REQUEST;
    if (rc >= 0 && s->ticket.n > 0 && s->ticket.n <= TLS_TICKET_MAX &&
        gnutls_session_set_data(c->session, s->ticket.p, s->ticket.n) >= 0)
        c->resumption |= TLS_RESUME_CLIENT_SESSION;
    return rc;
}

static bool
set_session(struct tls_connection *c, const struct tls_setup *s, struct tls_fault *fault)
{
    unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
    flags |= s->role == TLS_SERVER ? (unsigned)GNUTLS_SERVER : (unsigned)GNUTLS_CLIENT;
    if (!s->resume)
        flags |= GNUTLS_NO_TICKETS;
    if (s->early)
        flags |= GNUTLS_ENABLE_EARLY_START;
    if (s->role == TLS_CLIENT)
        flags |= GNUTLS_NO_EXTENSIONS; /* those that are wanted are asked for below */
    int rc = gnutls_init(&c->session, flags);
    if (rc < 0)
        return tls_load_failed(c->arena, fault, STR_LIT("gnutls_init"), rc);
    gnutls_session_set_ptr(c->session, c);
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_pull_function(c->session, pull);
    gnutls_transport_set_pull_timeout_function(c->session, pull_ready);
    gnutls_transport_set_vec_push_function(c->session, push);
    gnutls_handshake_set_timeout(c->session, 0);
    if (!use_credentials(c, fault) || set_priority(c, s, fault) < 0)
        return false;
    rc = set_alpn(c, s);
    if (rc >= 0)
        rc = s->role == TLS_SERVER ? set_server(c, s) : set_client(c, s);
    return rc >= 0 || tls_load_failed(c->arena, fault, STR_LIT("gnutls_init"), rc);
}

static void
close_connection(struct tls_connection *c, bool goodbye)
{
    if (c->session != NULL) {
        if (goodbye && c->shaken)
            (void)gnutls_bye(c->session, GNUTLS_SHUT_WR);
        gnutls_deinit(c->session);
    }
    tls_store_release(c->store, c->entry);
    free(c->held);
    free(c);
}

static struct tls_connection *
open_connection(void *shared, const struct tls_setup *s, struct tls_fault *fault)
{
    struct tls_connection *c = calloc(1, sizeof *c);
    char *held = malloc(TLS_HELD);
    int type;
    socklen_t n = sizeof type;
    *fault = (struct tls_fault){.where = STR_EMPTY, .text = STR_LIT("no memory")};
    if (c == NULL || held == NULL) {
        free(c);
        free(held);
        return NULL;
    }
    c->held = held;
    c->store = shared;
    c->setup = s;
    c->arena = s->arena;
    c->role = s->role;
    c->in = s->in;
    c->out = s->out;
    c->in_is_socket = getsockopt(s->in, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
    c->files = s->credentials;
    c->resume = s->resume;
    c->sni = s->role == TLS_CLIENT ? s->sni : STR_NULL;
    if (set_session(c, s, fault))
        return c;
    close_connection(c, false);
    return NULL;
}

/* GnuTLS stopped after a message that brought no bytes (a ticket, half of a record), and there is more that came with it, of which the
 * descriptor does not tell. *barren counts these; a peer that has nothing else to say is given up. */
static bool
goes_on(const struct tls_connection *c, ssize_t *rc, unsigned *barren)
{
    if (*rc != GNUTLS_E_AGAIN || c->ahead_at == c->ahead_n)
        return false;
    if (++*barren < BARREN_MAX)
        return true;
    *rc = GNUTLS_E_TOO_MANY_EMPTY_PACKETS;
    return false;
}

/* --- handshake --- */

static bool
must_wait(const struct tls_connection *c, ssize_t rc, struct tls_fault *fault)
{
    if (rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED)
        return false;
    fault->events = gnutls_record_get_direction(c->session) == 0 ? POLLIN : POLLOUT;
    errno = EAGAIN;
    return true;
}

/* Tells the peer, and says it here. */
static int
refuse(struct tls_connection *c, struct tls_fault *fault, gnutls_alert_description_t alert,
       const char *where, const char *text)
{
    (void)gnutls_alert_send(c->session, GNUTLS_AL_FATAL, alert);
    fault->where = str_from_cstr(where);
    fault->text = str_from_cstr(text);
    errno = EPROTO;
    return -1;
}

static int
finish(struct tls_connection *c, struct tls_fault *fault)
{
    gnutls_datum_t chosen;
    c->shaken = true;
    free(c->held);
    c->held = NULL;
    if (c->setup->alpn_required && gnutls_alpn_get_selected_protocol(c->session, &chosen) != 0)
        return refuse(c, fault, GNUTLS_A_NO_APPLICATION_PROTOCOL, "handshake",
                      "ALPN required but not negotiated");
    if (tls_verify(c, fault)) {
        c->setup = NULL;
        return 0;
    }
    (void)gnutls_alert_send(c->session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
    errno = EPROTO;
    return -1;
}

/* What GnuTLS has to say then goes out at once: one packet, and one turn of the peer. */
static int
advance(struct tls_connection *c)
{
    ssize_t rc;
    unsigned barren = 0;
    c->holding = true;
    do
        rc = gnutls_handshake(c->session);
    while (goes_on(c, &rc, &barren) ||
           (rc < 0 && rc != GNUTLS_E_AGAIN && gnutls_error_is_fatal((int)rc) == 0));
    c->holding = false;
    return (int)rc;
}

static int
handshake(struct tls_connection *c, struct tls_fault *fault)
{
    int rc = c->agreed ? 0 : advance(c);
    c->agreed = rc >= 0;
    if (!send_held(c)) {
        if (errno == EAGAIN) {
            fault->events = POLLOUT;
            return -1;
        }
        rc = GNUTLS_E_PUSH_ERROR;
        c->held_n = 0;
    }
    if (rc >= 0)
        return finish(c, fault);
    if (must_wait(c, rc, fault))
        return -1;
    if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED && rc != GNUTLS_E_PREMATURE_TERMINATION)
        (void)gnutls_alert_send_appropriate(c->session, rc);
    (void)tls_load_failed(c->arena, fault, STR_LIT("gnutls_handshake"), rc);
    errno = EPROTO;
    return -1;
}

/* --- bytes --- */

static ssize_t
broken(const struct tls_connection *c, ssize_t rc, const char *where, struct tls_fault *fault)
{
    if (must_wait(c, rc, fault))
        return -1;
    fault->where = str_from_cstr(where);
    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char *name = gnutls_alert_get_name(gnutls_alert_get(c->session));
        fault->text = str_printf(c->arena, "A TLS fatal alert has been received: %s",
                                 name != NULL ? name : "unknown");
    } else {
        fault->text = str_from_cstr(gnutls_strerror((int)rc));
    }
    errno = EPROTO;
    return -1;
}

static ssize_t
receive(struct tls_connection *c, char *p, size_t n, struct tls_fault *fault)
{
    ssize_t got;
    unsigned barren = 0;
    do
        got = gnutls_record_recv(c->session, p, n);
    while (goes_on(c, &got, &barren) ||
           (got < 0 && got != GNUTLS_E_AGAIN && got != GNUTLS_E_INTERRUPTED &&
            got != GNUTLS_E_REHANDSHAKE && gnutls_error_is_fatal((int)got) == 0));
    return got >= 0 ? got : broken(c, got, "recv", fault);
}

static ssize_t
send_some(struct tls_connection *c, const char *p, size_t n, struct tls_fault *fault)
{
    ssize_t sent = gnutls_record_send(c->session, p, n);
    return sent >= 0 ? sent : broken(c, sent, "send", fault);
}

static size_t
pending(const struct tls_connection *c)
{
    return gnutls_record_check_pending(c->session) + (c->ahead_n - c->ahead_at);
}

/* --- what else there is to ask --- */

static bool
binding(struct tls_connection *c, enum tls_binding kind, struct arena *a, struct str *out)
{
    gnutls_datum_t d = {NULL, 0};
    /* Before TLS 1.3 GnuTLS has both, peers mean the older one: RFC 5802 section 6, 9266 section 4. */
    if (kind == TLS_BINDING_EXPORTER && gnutls_protocol_get_version(c->session) < GNUTLS_TLS1_3)
        return false;
    int rc = gnutls_session_channel_binding(
        c->session, kind == TLS_BINDING_UNIQUE ? GNUTLS_CB_TLS_UNIQUE : GNUTLS_CB_TLS_EXPORTER,
        &d);
    if (rc < 0)
        return false;
    *out = str_dup(a, str_from((const char *)d.data, d.size));
    gnutls_free(d.data);
    return true;
}

static bool
ticket(struct tls_connection *c, struct arena *a, struct str *out)
{
    gnutls_datum_t d = {NULL, 0};
    if (!c->resume || gnutls_session_get_data2(c->session, &d) < 0)
        return false;
    bool ok = d.size > 0 && d.size <= TLS_TICKET_MAX;
    if (ok)
        *out = str_dup(a, str_from((const char *)d.data, d.size));
    gnutls_free(d.data);
    return ok;
}

static void
prepare_files(void *shared, struct arena *a, const struct tls_credentials *files)
{
    struct tls_fault fault;
    const struct tls_want w = {.arena = a, .files = files, .role = TLS_SERVER};
    tls_store_release(shared, tls_store_get(shared, &w, &fault));
    (void)tls_store_ticket_key(shared);
}

static void *
start(void)
{
    return tls_store_new();
}

static void
share(void *shared, int vault)
{
    tls_store_share(shared, vault);
}

const struct tls_library tls_connection_library = {
    .start = start,
    .share = share,
    .open = open_connection,
    .handshake = handshake,
    .receive = receive,
    .send = send_some,
    .pending = pending,
    .facts = tls_facts_read,
    .binding = binding,
    .ticket = ticket,
    .close = close_connection,
    .prepare = prepare_files,
};
