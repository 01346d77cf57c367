/* The MAIL and RCPT commands of a client, with the parameters that a server understands. */
#ifndef REMEX_TRANSPORTS_SMTP_COMMAND_H
#define REMEX_TRANSPORTS_SMTP_COMMAND_H

#include "transports/smtp_client.h"

struct smtp_mail {
    bool no_size; /* how long the message is going to be is not known, or nobody's business */
    bool prdr;    /* answers for each recipient are asked for */
    bool smtputf8;
    bool dsn;        /* DSN parameters are passed on */
    struct str auth; /* of AUTH=, not encoded; empty: none */
};

/* MAIL without its end. */
struct str smtp_command_mail(const struct smtp_client *c, const struct transport_job *job,
                             const struct smtp_mail *m);
/* RCPT without its end. Parameters begin at *parameters. */
struct str smtp_command_rcpt(const struct smtp_client *c, const struct transport_job *job,
                             const struct address *to, size_t *parameters);

/* What AUTH= of MAIL says: authenticated_sender, else who the message came from; STR_NULL unless we have authenticated or it is forced.
 * False: it cannot be expanded (vm_error). */
bool smtp_command_auth(const struct smtp_client *c, const struct transport_job *job,
                       struct str *auth);

/* An address as it goes over the connection. */
struct str smtp_command_address(const struct smtp_client *c, struct arena *a,
                                struct str address);

#endif
