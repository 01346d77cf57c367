/* One connection to an SMTP or LMTP server, from connecting to QUIT: it owns the descriptor and all that is read from it.
 *
 * A connection may outlive the message it was made for: texts that must last are in its own arena. What happens on it is either
 * said per recipient (smtp_transaction.c) or in a struct smtp_end for all of them. Nothing here knows retry times or other hosts.
 * Source: specification, chapter "The smtp transport", section "Errors in outgoing SMTP"; RFC 5321, 2920, 3030.
 */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_H

#include "base/buf.h"
#include "conf/event.h"
#include "conf/tls_state.h"
#include "mail/ehlo.h"
#include "sys/connect.h"
#include "transports/message_sink.h"
#include "transports/reply_reader.h"
#include "transports/smtp.h"

struct smtp_client {
    struct arena *arena; /* of the connection */
    const struct transport_smtp *opt;
    struct host_target host; /* whom we talk to, with an address */
    int64_t port;
    struct str own_address; /* our end */
    int64_t own_port;
    struct str proxy_address, proxy_bound; /* a SOCKS proxy, and its own end; unset: none */
    int64_t proxy_port, proxy_bound_port;
    int fd;
    struct reply_reader reader;
    struct smtp_reply reply; /* the last one */
    struct buf out;          /* commands that wait to be sent */
    int64_t idle_ms;         /* longest wait for one write */
    bool lmtp;
    bool esmtp; /* EHLO or LHLO was understood */
    struct ehlo peer;
    bool pipelines;            /* PIPELINING is offered and wanted */
    bool early_allowed, early; /* EHLO may go, and went, ahead of the greeting */
    unsigned
        owed; /* answers that are still to be read before all others: bits of enum smtp_owed */
    bool tls_asked;         /* STARTTLS went with it */
    enum connect_fast fast; /* what TCP fast open has brought */
    struct str hello;       /* the EHLO that is not answered yet */
    int64_t sent;           /* transactions that went over it */
    bool needs_reset;       /* the last transaction was left unfinished: RSET before the next */
    bool broken;            /* no more can be said, QUIT neither */
    bool clear;             /* TLS is not to be started */
    bool relayed;           /* whoever has the other end of the descriptor speaks TLS */
    bool
        dane; /* there are TLSA records that DNSSEC secured: TLS must begin, and satisfy one of those of use (if any) */
    const struct tlsa *tlsa;
    size_t tlsa_n;
    struct str tlsa_name; /* of the host, under which they stand */
    int64_t tlsa_usages;  /* bits 1 << usage of them */
    bool
        dane_by_domain; /* the certificate has the name of the mail domain, not of the host: good for this domain alone */
    struct eval *eval;  /* of this process, for its log */
    struct tls *tls;
    struct tls_connection *secure; /* NULL: bytes go in the clear */
    char *record;                  /* of TLS: where small pieces are gathered */
    struct str tls_fault;          /* why TLS broke; unset: it did not */
    struct tls_state tls_state;    /* texts in arena */
    struct hints *hints;           /* where a ticket for the next session goes; NULL: nowhere */
    struct str ticket_key;
    struct str server_name; /* host_name_extract: which of the servers at this address it is */
    bool auth_tried, authenticated;
    bool auth_common;              /* one of the server's mechanisms is ours as well */
    struct str auth_name, auth_id; /* the authenticator that did it; client_set_id */
    struct str auth_self;          /* smtp_client_auth_note */
    bool downconvert;              /* addresses of the envelope at hand go out with A-labels */
};

/* What became of a connection or a transaction as a whole. */
enum smtp_fate {
    SMTP_ANSWERED,      /* all recipients have an answer of their own */
    SMTP_HOST_DEFER,    /* the host is not well: another may do */
    SMTP_HOST_FAIL,     /* the host wants nothing of us */
    SMTP_MESSAGE_DEFER, /* the host does not take this message now */
    SMTP_MESSAGE_FAIL,  /* nor later */
    SMTP_SETUP_DEFER,   /* our own fault, of the configuration */
};

struct smtp_end {
    enum smtp_fate fate;
    struct why why;  /* for all recipients without an answer of their own */
    bool bad_ticket; /* an earlier session could not be resumed: another try begins a new one */
    bool
        stale; /* a connection that carried messages takes no more, or what was known of the server is no longer true: another one may do */
    bool tls_failed; /* TLS is to blame: without it the host may do */
    bool quiet;      /* the line of the address says it all */
    bool
        doubtful; /* the message was sent whole and has no answer: the host may have taken it */
    bool
        connecting; /* it happened before there was a connection: no host is named to anybody */
    struct str command; /* that was refused while greeting; unset: it was none */
    struct str reply;   /* the refusal as the server said it */
};

/* Which host, and how. */
struct smtp_target {
    const struct host_target *host;
    int64_t port;
    struct ip from; /* n == 0: any */
    int dscp;
    int64_t connect_s, command_s;    /* time limits; 0: as the transport says */
    bool clear;                      /* without TLS, although it is offered */
    const struct tls_state *relayed; /* of a descriptor: TLS is at its other end; else NULL */
    bool early; /* who asks for it reads what the server owes (smtp_client_settle) */
};

/* Connects and greets; $sending_ip_address and $sending_port are set as soon as they are known, and helo_data is expanded then.
 * NULL: *end says why. The caller closes it. */
struct smtp_client *smtp_client_open(const struct transport_job *job,
                                     const struct smtp_target *target, struct smtp_end *end);
/* The same over a descriptor that is connected already, which it takes. */
struct smtp_client *smtp_client_attach(const struct transport_job *job,
                                       const struct smtp_target *target, int fd,
                                       struct smtp_end *end);
/* The same over one on which another process has greeted already: nothing is said, and what it learned of the server is for the caller to
 * fill in. */
struct smtp_client *smtp_client_resume(const struct transport_job *job,
                                       const struct smtp_target *target, int fd);
/* Says QUIT if the connection is still good, and frees it. NULL is allowed. job: of the delivery at hand, for the event; NULL: there is
 * none. */
void smtp_client_close(struct smtp_client *c, const struct transport_job *job);

/* Says QUIT if it can be said at once, waits for no answer, and frees it. */
void smtp_client_leave(struct smtp_client *c);
/* True if nothing has come over it since the last reply, nor its end. */
bool smtp_client_is_quiet(const struct smtp_client *c);
/* For a connection that was made for another message: variables of this one show it. */
void smtp_client_adopt(struct smtp_client *c, const struct transport_job *job);
/* True if the message may go to the host without TLS, after that has failed. */
bool smtp_client_may_go_clear(const struct transport_job *job,
                              const struct smtp_target *target);

/* True if the host of this connection is in the list of an option (hosts_…). *defer: it cannot be told. */
bool smtp_client_in_list(const struct transport_job *job, const struct host_target *host,
                         const struct xstr *list, const char *name);

/* The same for what the host must be or do: if it cannot be told, it must. */
bool smtp_client_requires(const struct transport_job *job, const struct host_target *host,
                          const struct xstr *list, const char *name);

/* Sends what waits and reads the answers to it that are owed (hosts_pipe_connect): before any other answer is. False: *end says why; if
 * it is stale, a connection that is made without `early` may do. */
bool smtp_client_settle(struct smtp_client *c, const struct transport_job *job,
                        struct smtp_end *end);

/* --- between the files of the client --- */

/* Fills *end, with the outcome that goes with the fate. Always false. */
bool smtp_client_say(struct smtp_end *end, enum smtp_fate fate, struct why why);
/* Raises an event that may forbid what follows. False: it does, *end. */
bool smtp_client_allows(struct smtp_client *c, const struct transport_job *job,
                        const char *name, struct str data, struct smtp_end *end);

/* Adds a command to what waits to be sent. False: it has a CR, LF or NUL in it. Returns its text without the end. */
struct str smtp_client_put(struct smtp_client *c, struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Sends what waits. False: the connection is broken (a reply may still be there to be read). */
bool smtp_client_flush(struct smtp_client *c, int64_t timeout_ms);
/* The next reply, into c->reply (texts in a). */
enum reply_end smtp_client_reply(struct smtp_client *c, struct arena *a, int64_t timeout_ms);
/* A sink that writes to the connection. */
struct message_sink smtp_client_sink(struct smtp_client *c, struct arena *a, int64_t idle_ms);

/* The transport has an event_action: else there is no need to put anything together for it. */
bool smtp_client_has_event(const struct transport_job *job);
/* Expands event_action of the transport. What it comes to, STR_NULL for nothing. */
struct str smtp_client_event(const struct transport_job *job, const struct event *event);

/* What a server said as log lines have it: in one line, and not too long. In a. */
struct str smtp_client_line(struct arena *a, struct str text);

/* Puts both ends of the connection into an answer. */
void smtp_client_ends(const struct smtp_client *c, struct arena *a,
                      struct transport_answer *answer);

/* What a reply that is no success, or the lack of one, means: number for the log ("defer (-45)") when it is a 4xx reply, the text, code
 * and host. command: what it is in answer to; bytes: of the message sent before it, for a timeout, or 0. */
struct why smtp_client_why(struct smtp_client *c, struct arena *a, enum reply_end end,
                           struct str command, int number, int64_t bytes);

#endif
