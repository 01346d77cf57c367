/* One message over a connection: MAIL, RCPT, DATA or BDAT, and what each answer means for each recipient. */
#ifndef REMEX_TRANSPORTS_SMTP_TRANSACTION_H
#define REMEX_TRANSPORTS_SMTP_TRANSACTION_H

#include "transports/smtp_command.h"

/* Whose turn it was in a run of transactions with one host. */
struct smtp_turns {
    bool
        *open; /* the recipient needs a host: it is neither delivered to nor refused for good */
    bool *taken; /* it had its turn with this host */
};

/* Sends the message to those recipients of the job that are open and not taken, at most max of them (0: no limit); a server that takes no
 * more in one transaction (452 behind an accepted one) leaves the rest for the next. Answers are filled in for all that were
 * taken. end->fate is SMTP_ANSWERED, or end->why is the answer of those that got none of their own (and is in their answers as well). */
void smtp_transaction(struct smtp_client *c, const struct transport_job *job,
                      const struct smtp_turns *turns, size_t max,
                      struct transport_answer *answers, struct smtp_end *end);

/* Goes on behind an envelope that was accepted for all recipients of the job, with DATA; mail: what MAIL said. All of them are taken by
 * it; answers as above. */
void smtp_transaction_finish(struct smtp_client *c, const struct transport_job *job,
                             const struct smtp_turns *turns, const struct smtp_mail *mail,
                             struct transport_answer *answers, struct smtp_end *end);

/* RSET where a transaction was left unfinished. False: the connection is no good for another message; *end has the reason. */
bool smtp_transaction_reset(struct smtp_client *c, struct arena *a, struct smtp_end *end);

#endif
