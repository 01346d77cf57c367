/* The sessions of an smtp process on threads (engine/smtp_pool.h): what they ask of the process. */
#ifndef REMEX_PROC_SMTP_THREADS_H
#define REMEX_PROC_SMTP_THREADS_H

#include "proc/role_smtp.h"

/* NULL: not possible, which was logged. In memory of the role; s must live longer. */
struct smtp_threads *smtp_threads_new(struct smtp_role *s);
/* Takes the connection over; its seat is given back when it ends. False: not possible; the socket is closed. */
bool smtp_threads_add(struct smtp_threads *t, const struct smtp_connection *c);
/* Sessions that have not ended. */
size_t smtp_threads_count(struct smtp_threads *t);
/* The queue process has answered ETRN. */
void smtp_threads_answer(struct smtp_threads *t, uint64_t ticket, bool started);

/* After the last session: what is left in the fast lane is the queue process's affair. */
void smtp_threads_close_lane(struct smtp_threads *t);

#endif
