/* What TLS costs with GnuTLS alone: a server that says just enough SMTP for STARTTLS, a connection after the other, credentials
 * and priorities made once. Used by test/bench/tls.py as the floor beneath the daemon's figures.
 *
 * usage: tls_floor CERTIFICATE KEY [tickets]    prints the port that it listens on
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 1024 };

struct server {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key; /* size 0: no tickets */
};

struct peer {
    int fd;
    gnutls_session_t tls; /* NULL: in the clear */
};

static void
must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "tls_floor: %s: %s\n", what, gnutls_strerror(rc));
    exit(1);
}

static bool
put(struct peer *p, const char *text)
{
    size_t n = strlen(text);
    ssize_t sent = p->tls != NULL ? gnutls_record_send(p->tls, text, n)
                                  : send(p->fd, text, n, MSG_NOSIGNAL);
    return sent == (ssize_t)n;
}

/* A command, which comes in one piece from our client. */
static bool
get(struct peer *p, char line[LINE])
{
    ssize_t n;
    do
        n = p->tls != NULL ? gnutls_record_recv(p->tls, line, LINE - 1)
                           : recv(p->fd, line, LINE - 1, 0);
    while (p->tls != NULL && n < 0 && gnutls_error_is_fatal((int)n) == 0);
    if (n <= 0)
        return false;
    line[n] = '\0';
    return true;
}

static bool
start_tls(const struct server *s, struct peer *p)
{
    bool tickets = s->ticket_key.size > 0;
    int rc;
    must(gnutls_init(&p->tls, GNUTLS_SERVER | (tickets ? 0u : (unsigned)GNUTLS_NO_TICKETS)),
         "gnutls_init");
    must(gnutls_priority_set(p->tls, s->priority), "gnutls_priority_set");
    must(gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, s->credentials), "credentials");
    if (tickets)
        must(gnutls_session_ticket_enable_server(p->tls, &s->ticket_key), "tickets");
    gnutls_transport_set_int(p->tls, p->fd);
    do
        rc = gnutls_handshake(p->tls);
    while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
    return rc >= 0;
}

/* As much as there is to say; true: the peer goes on. */
static bool
answer(const struct server *s, struct peer *p, const char *line)
{
    if (strncmp(line, "EHLO", 4) == 0)
        return put(p, p->tls != NULL ? "250 floor.example\r\n"
                                     : "250-floor.example\r\n250 STARTTLS\r\n");
    if (strncmp(line, "STARTTLS", 8) == 0)
        return put(p, "220 TLS go ahead\r\n") && start_tls(s, p);
    (void)put(p, "221 floor.example closing connection\r\n");
    return false;
}

static void
serve(const struct server *s, int fd)
{
    struct peer p = {.fd = fd, .tls = NULL};
    char line[LINE];
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (put(&p, "220 floor.example ESMTP\r\n"))
        while (get(&p, line) && answer(s, &p, line))
            continue;
    if (p.tls != NULL) {
        (void)gnutls_bye(p.tls, GNUTLS_SHUT_WR);
        gnutls_deinit(p.tls);
    }
    close(fd);
}

static int
listen_somewhere(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        perror("tls_floor");
        exit(1);
    }
    printf("%d\n", ntohs(a.sin_port));
    (void)fflush(stdout);
    return fd;
}

int
main(int argc, char **argv)
{
    struct server s = {.ticket_key = {NULL, 0}};
    if (argc < 3) {
        (void)fputs("usage: tls_floor CERTIFICATE KEY [tickets]\n", stderr);
        return 2;
    }
    must(gnutls_certificate_allocate_credentials(&s.credentials), "credentials");
    must(gnutls_certificate_set_x509_key_file(s.credentials, argv[1], argv[2],
                                              GNUTLS_X509_FMT_PEM),
         argv[1]);
    must(gnutls_certificate_set_known_dh_params(s.credentials, GNUTLS_SEC_PARAM_MEDIUM), "dh");
    must(gnutls_priority_init(&s.priority, "NORMAL", NULL), "priority");
    if (argc > 3)
        must(gnutls_session_ticket_key_generate(&s.ticket_key), "key of tickets");
    int fd = listen_somewhere();
    for (;;) {
        int peer = accept(fd, NULL, NULL);
        if (peer >= 0)
            serve(&s, peer);
    }
}
