/* What one process of ours tells another of a connection that it passes on, as texts: what the server can, and what TLS has come to.
 *
 * The reader believes nothing: a text that the writer does not write is refused. What is read points into the text.
 * **source**: held_connection.h and turned.h, which say who tells whom.
 */
#ifndef REMEX_ENGINE_HELD_TEXT_H
#define REMEX_ENGINE_HELD_TEXT_H

#include "base/buf.h"
#include "transports/smtp_command.h"

/* Adds what EHLO has brought, and what MAIL said: a letter each, then numbers. */
void held_text_add_server(struct buf *b, const struct smtp_client *c,
                          const struct smtp_mail *mail);
/* Sets the same in *c and *mail. False: it is no such text, and either may be half set. */
bool held_text_read_server(struct str text, struct smtp_client *c, struct smtp_mail *mail);

/* As whom it speaks. */
struct held_who {
    struct str
        authenticator; /* empty: nobody has authenticated; then the next two are empty too */
    struct str id;     /* client_set_id */
    struct str self;   /* smtp_client_auth_note */
    struct str sender; /* AUTH= of MAIL, not encoded; empty: none */
};
/* A line each. False: they cannot be told. */
bool held_text_add_who(struct buf *b, const struct held_who *who);
/* False: it is no such text. */
bool held_text_read_who(struct str text, struct held_who *who);

/* Facts of TLS, a line each; all empty: there is none. */
struct str held_text_tls(struct arena *a, const struct tls_state *t);
/* *t without certificates, which are of the other process. False: it is no such text. */
bool held_text_read_tls(struct str text, struct tls_state *t);

#endif
