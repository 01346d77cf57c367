/* The message and the session that tests of the command line speak of: what -f, -oM… and -bem say. */
#ifndef REMEX_PROC_CONTEXT_H
#define REMEX_PROC_CONTEXT_H

#include "proc/mode.h"

struct header;
struct address_parts;
struct message;
struct session;

enum { CONTEXT_MESSAGE_MAX = 64 * 1024 * 1024 };

/* Fills m->eval->session and ->message. False: a value is wrong or the message cannot be read; it was reported. */
bool context_fill(struct mode *m);

/* The address that -f gives. False: it is none, which was reported. */
bool context_parse_sender(struct mode *m, struct str given, struct address_parts *out);

/* Makes text, a submitted message, the one that context_fill left empty: it is completed as such messages are, what is odd
 * about it is told on the standard error. */
void context_take_message(struct mode *m, struct str text);

/* Puts in what -oM… and -p say. */
void context_claims(struct mode *m, struct session *s, struct message *msg);

/* What a Return-path: line says: its body without the angle brackets, not copied. */
struct str context_return_path(const struct header *h);

/* Who calls: login name (empty when there is none) and full name, -F and gecos_name considered. */
struct submitter {
    struct str login;
    struct str name; /* may be empty */
};
struct submitter context_submitter(struct mode *m);

#endif
