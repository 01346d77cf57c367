/* An authentication exchange, as drivers see it: whom they talk to, in which role, and how strings of their options are expanded.
 *
 * Drivers know neither sessions nor connections: what is said goes through the functions that the caller sets. What a peer says is
 * decoded, capped (AUTH_DATA_MAX) and tainted before a driver sees it. Source: specification, chapters "SMTP authentication" and those
 * of the drivers; RFC 4954.
 */
#ifndef REMEX_AUTHS_AUTH_TALK_H
#define REMEX_AUTHS_AUTH_TALK_H

#include "auths/auth.h"
#include "filter/expand.h"
#include "mail/smtp_reply.h"

struct eval;
struct vm;
struct session;

enum {
    AUTH_DATA_MAX = 12 * 1024, /* bytes of one item, decoded */
    AUTH_VALUES = 3,           /* $auth1 to $auth3 */
    AUTH_ROUNDS_MAX = 16,      /* prompts of one exchange */
};

/* What ties an exchange to the TLS connection that it goes over. */
enum auth_binding { AUTH_BINDING_UNIQUE, AUTH_BINDING_EXPORTER };

struct auth_talk {
    struct arena *arena; /* of the exchange */
    struct eval *eval;
    struct vm *vm;
    struct session *session;
    const struct driver_instance *d;
    struct str values[AUTH_VALUES + 1]; /* from 1 on: $auth1…, and $1… */
    unsigned values_n;
    /* False: there is no such binding. May be NULL. */
    bool (*binding)(void *ctx, enum auth_binding kind, struct arena *a, struct str *out);
    void *ctx;
    struct str text; /* of AUTH_DEFER: told to the client; may be empty */
    struct str log;  /* the same for the log alone */

    /* As a server. initial: what came with the command, decoded; unset: nothing. */
    struct str initial;
    bool secured; /* TLS, or the client is on this host */
    /* Sends a prompt and reads the answer to it. AUTH_OK: *answer. */
    enum auth_end (*ask)(struct auth_talk *t, struct str prompt, struct str *answer);
    /* The same with a prompt that is not encoded. */
    enum auth_end (*ask_plainly)(struct auth_talk *t, struct str prompt, struct str *answer);

    /* As a client. Sends "AUTH MECHANISM data", or data alone (not encoded yet), and reads the reply. AUTH_OK: it was 2xx or 3xx. */
    enum auth_end (*start)(struct auth_talk *t, struct str data); /* unset: no data */
    enum auth_end (*send)(struct auth_talk *t, struct str data);
    /* "*": no more of this. */
    void (*cancel)(struct auth_talk *t);
    const struct smtp_reply *reply; /* the last one */
};

/* Puts a value into $auth<values_n + 1>; more than three are passed over. */
void auth_talk_add(struct auth_talk *t, struct str value);
/* Puts values as separated by NULs. */
void auth_talk_add_all(struct auth_talk *t, struct str data);
/* Forgets them. */
void auth_talk_clear(struct auth_talk *t);
/* Expands an option with the values as $auth1…; in the arena of the exchange. AUTH_SKIP: forced failure, AUTH_DEFER: t->log. */
enum auth_end auth_talk_expand(struct auth_talk *t, const struct xstr *x, struct str *out);
/* Adds n options, expanded; one that is not set is passed over, a forced failure is AUTH_FAIL. Otherwise as auth_talk_expand. */
enum auth_end auth_talk_add_options(struct auth_talk *t, const struct xstr *const *options,
                                    size_t n);
/* Judges by a condition: AUTH_OK, AUTH_FAIL, AUTH_DEFER. Unset is AUTH_OK. */
enum auth_end auth_talk_condition(struct auth_talk *t, const struct xstr *x);
/* server_condition */
enum auth_end auth_talk_server_condition(struct auth_talk *t);
/* The prompt in the last reply, decoded. False: it is no base64. */
bool auth_talk_prompt(struct auth_talk *t, struct str *out);
/* The last reply asks for more. */
bool auth_talk_wants_more(const struct auth_talk *t);

/* Decodes what a peer said. False: no base64, or too long. */
bool auth_talk_decode(struct arena *a, struct str text, struct str *out);

#endif
