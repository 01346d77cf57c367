/* What the files of the SMTP session share. For smtp_*.c only. */
#ifndef REMEX_ENGINE_SMTP_STATE_H
#define REMEX_ENGINE_SMTP_STATE_H

#include "acl/acl_run.h"
#include "base/buf.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/smtp_io.h"
#include "engine/smtp_session.h"

enum smtp_verb_id {
#define VERB(NAME, name, flags, function, doc) SMTP_VERB_##NAME,
#include "engine/smtp_verbs.def"
#undef VERB
    SMTP_VERBS,
    SMTP_VERB_UNKNOWN = SMTP_VERBS,
};

enum { SMTP_HISTORY = 20 };

/* How a session goes on after a command. */
enum smtp_next {
    SMTP_NEXT_COMMAND,
    SMTP_NEXT_CLOSE, /* the session is over as it should be */
    SMTP_NEXT_FAIL,  /* it is over, and that is an error */
};

/* What was offered in answer to EHLO. */
struct smtp_offered {
    bool size, pipelining, chunking, dsn, prdr, smtputf8, eightbit, auth, tls, xclient;
};

/* A message that comes in pieces (BDAT). */
struct smtp_chunks {
    bool on;
    bool last;
    uint64_t left;   /* of the piece under way */
    uint64_t size;   /* of the piece */
    uint64_t total;  /* of all pieces so far */
    bool aborted;    /* RSET, QUIT or an error in between */
    bool in_body;    /* where the message was given up */
    bool only_reset; /* nothing else is listened to until RSET */
    enum smtp_next next;
};

struct smtp_session {
    struct engine *engine;
    const struct conf_main *main;
    const struct smtp_setup *setup;
    struct smtp_io *io;
    bool greeted;          /* the session has begun */
    enum smtp_next next;   /* how it goes on after the last step */
    enum smtp_cause cause; /* why it is to end although the client wants more */
    struct acl_up *up;     /* what ACLs ask */
    /* What expansions show between two steps. */
    struct map *acl_c, *acl_m;
    struct arena *arena; /* of the session */
    struct arena *message_arena;
    struct session *model;
    struct message *message;
    struct address *address; /* the recipient that an ACL looks at; NULL: none yet */
    bool batch, test, local; /* local: no remote host */

    bool helo_seen, esmtp;
    struct str protocol; /* $received_protocol of messages */
    struct str hostname; /* ours, in answers */
    struct smtp_offered offered;
    bool chunking_was_offered; /* on this connection */
    bool *auth_offered; /* by authenticator of the configuration; NULL: none was */
    const struct driver_instance *auth; /* that knows who the client is; NULL: none */
    bool tls_on_connect;                /* TLS since the first byte */
    bool xclient_host; /* who has connected may use XCLIENT, whomever it spoke for since */
    bool proxy_failed; /* a proxy did not say whom it speaks for: only QUIT is left */
    bool mail_seen;    /* a MAIL command was accepted in this session */
    int64_t messages;  /* MAIL commands in all */
    int64_t accepted_messages;

    /* The command at hand. */
    enum smtp_verb_id verb, last_verb;
    struct str line, argument;

    /* The transaction. */
    bool sender_given;
    bool expected;          /* by who syncs the fast lane */
    bool discarded;         /* some recipients were accepted and thrown away */
    bool discard_all;       /* MAIL was */
    struct str discard_why; /* for the log; of its ACL */
    bool too_many;          /* recipients */
    bool rcpt_same;         /* all refusals of RCPT were alike */
    struct str rcpt_refusal;
    struct str address_fault;             /* why the last address was refused */
    int64_t delay_mail_ms, delay_rcpt_ms; /* smtp_ratelimit */
    struct smtp_chunks chunks;
    bool awaits_text;          /* of DATA, which may take its time */
    size_t text_seen;          /* for smtp_io_text */
    bool prdr_done, prdr_some; /* recipients were answered; not all were accepted */

    /* Of ATRN, with commas: what the client names, and what it gets. */
    struct str atrn_wanted, atrn_domains;

    /* Limits. */
    int64_t synprot_errors, unknown_commands, nonmail_commands;
    uint32_t free_used; /* bit by verb: FREE_ONCE has been used */
    int nonmail_host; /* whether smtp_accept_max_nonmail_hosts has the client: -1 not asked yet */
    bool helo_required, helo_verify_required;
    bool unqualified_sender, unqualified_recipient;

    enum smtp_verb_id history[SMTP_HISTORY];
    size_t history_n;
    int64_t start_ms;

    /* Batched input. */
    int64_t transaction_line;
    bool batch_failed;

    const char *notquit;       /* $smtp_notquit_reason, when it ends without QUIT */
    struct str sender_checked; /* the sender whose failed verification was told already */
};

typedef enum smtp_next smtp_do_fn(struct smtp_session *s);
#define VERB(NAME, name, flags, function, doc) smtp_do_fn function;
#include "engine/smtp_verbs.def"
#undef VERB

/* --- smtp_start.c --- */
/* Sets a new session up: what is known of the client, and what holds for it. */
void smtp_start(struct smtp_session *s);
/* The connect ACL and the greeting. False: the session is over. */
bool smtp_greet(struct smtp_session *s);

/* --- smtp_session.c --- */
/* The name of a command in capitals. */
struct str smtp_verb_word(enum smtp_verb_id v);
/* Reads the next command into s->line, s->verb and s->argument. */
enum smtp_read smtp_read_command(struct smtp_session *s);
/* Input ended, or the time was up: what is said and logged of it. */
enum smtp_next smtp_lost(struct smtp_session *s, enum smtp_read how);
/* Whether there is input that the client may not have sent yet, by the rules of pipelining; and the end that this makes. */
bool smtp_is_out_of_turn(struct smtp_session *s);
enum smtp_next smtp_refuse_out_of_turn(struct smtp_session *s);
bool smtp_enforces_sync(const struct smtp_session *s);
/* The start of what has come too soon, in quotes. */
struct str smtp_input_ahead(struct smtp_session *s);
/* "C=HELO,MAIL" with a blank in front, or empty. */
struct str smtp_history_text(struct smtp_session *s, struct arena *a);
/* Tells who syncs the fast lane that a message is on its way here, or is not (any more). */
void smtp_expect_message(struct smtp_session *s, bool expected);
/* Gives the message at hand the protocol of the session. */
void smtp_name_protocol(struct smtp_session *s);
/* Forgets the message at hand; the session goes on. */
void smtp_reset(struct smtp_session *s);
/* Whether a host list of the configuration has the client. */
bool smtp_host_in(struct smtp_session *s, const struct xstr *list, const char *name);
/* Likewise a domain list: OUT_OK, OUT_FAIL, OUT_DEFER. */
enum outcome smtp_domain_in(struct smtp_session *s, const struct xstr *list, struct str domain,
                            const char *name);
/* An expanded number of an option; otherwise when it is unset or none. */
int64_t smtp_option_number(struct smtp_session *s, const struct xstr *x, const char *name,
                           int64_t otherwise);
/* Logs a transaction that ends before its message does. */
void smtp_incomplete(struct smtp_session *s, const char *how);
/* The start of one, told by who accepted it. */
void smtp_log_accepted(struct smtp_session *s);
/* "SMTP connection from …", by selector; what follows the peer. */
void smtp_log_connection(struct smtp_session *s, const char *what);
/* Waits so long, unless the peer goes away. */
void smtp_wait(struct smtp_session *s, int64_t ms);
/* " D=5s" */
struct str smtp_duration(struct smtp_session *s, struct arena *a);
/* The peer, for log lines: with H= and U=, or plain. */
struct str smtp_peer(struct smtp_session *s, bool fields);
void smtp_log(struct smtp_session *s, unsigned to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- smtp_answer.c --- */
/* One line, or several (code repeated, text split at newlines). */
void smtp_answer(struct smtp_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A text of an ACL that may begin with a code of its own; code is what it would be by default ("250"). enhanced codes are
 * repeated on every line. */
void smtp_answer_text(struct smtp_session *s, const char *code, struct str text);
/* Lines that are to be followed by more of the same answer. */
void smtp_answer_more(struct smtp_session *s, const char *code, struct str text);
/* A whole answer; no code is looked for in the text. */
void smtp_answer_lines(struct smtp_session *s, const char *code, struct str text);
enum smtp_error { SMTP_ERROR_SYNTAX, SMTP_ERROR_PROTOCOL };
/* Refuses a command for its form: logged by selector, counted. data: what is wrong, or unset. code 0: the answer has been given. */
enum smtp_next smtp_refuse(struct smtp_session *s, enum smtp_error kind, int code,
                           struct str data, struct str text);
/* Logs an error of form by selector and raises smtp:fail. */
void smtp_note_error(struct smtp_session *s, enum smtp_error kind, struct str text);
/* Raises smtp:fail, and ends the session of a client that talks out of turn. */
enum smtp_next smtp_out_of_sync(struct smtp_session *s);
/* Counts an error that has been answered and logged. */
enum smtp_next smtp_count_error(struct smtp_session *s);
/* An answer that ends batched input; otherwise given and the session goes on. */
enum smtp_next smtp_reject(struct smtp_session *s, int code, const char *text);
/* Refusals have one line, for clients that cannot do with more: control = no_multiline_responses. */
bool smtp_single_lines(const struct smtp_session *s);
/* The text of a refusal's answer, without codes. */
struct str smtp_acl_words(const struct smtp_session *s, const struct acl_answer *a);
/* What an ACL's refusal means: log lines, the answer, perhaps the end. */
enum smtp_next smtp_acl_refusal(struct smtp_session *s, enum acl_phase phase,
                                const struct acl_answer *a);
/* The same without the log line. */
enum smtp_next smtp_acl_answer(struct smtp_session *s, enum acl_phase phase,
                               const struct acl_answer *a);
/* Batched input: tells the error on stdout and stderr. */
enum smtp_next smtp_batch_error(struct smtp_session *s, const char *text, bool with_command);

/* --- smtp_data.c --- */
/* Takes the message whose text follows, or is there. */
enum smtp_next smtp_take_data(struct smtp_session *s);
/* A message whose end will not come. */
void smtp_log_lost(struct smtp_session *s, bool in_body);
/* --- smtp_tls.c --- */
/* Whether STARTTLS is offered to the client. */
bool smtp_tls_offers(struct smtp_session *s);
/* TLS from the first byte on. False: logged, and the session is over. */
bool smtp_tls_begin(struct smtp_session *s);
/* Logs why TLS broke, if it did. */
void smtp_tls_log_loss(struct smtp_session *s);
/* --- smtp_auth.c --- */
/* Who the client is counts no more. */
void smtp_auth_forget(struct smtp_session *s);
/* TLS has begun: an authenticator of the kind tls may know who the client is. False: the session is over. */
bool smtp_auth_by_tls(struct smtp_session *s);
/* The line of EHLO, with a newline in front, or nothing. */
void smtp_auth_offer(struct smtp_session *s, struct buf *b);
/* --- smtp_helo.c --- */
/* Names the protocol after what the session is now. */
void smtp_set_protocol(struct smtp_session *s);
enum outcome smtp_verify_helo(struct smtp_session *s);
/* --- smtp_rcpt.c --- */
/* Makes an address the one that conditions and variables mean, until eval's address is taken away. */
void smtp_set_recipient(struct smtp_session *s, struct str text);

/* --- smtp_proxy.c --- */
/* Lets a proxy of hosts_proxy say whom it speaks for, who is the peer from then on. Before the first answer. */
void smtp_proxy(struct smtp_session *s);
/* Gives a session another peer; port 0: unknown. Names of the one before are forgotten. The address is as it is logged. */
void smtp_proxy_set_peer(struct smtp_session *s, struct str address, int64_t port);

/* --- smtp_atrn.c --- */
/* The condition atrn_domains, for struct acl_up. */
enum outcome smtp_atrn_domains(void *ctx, struct str list);

/* --- smtp_prdr.c --- */
/* For receive_request: asks the ACL about each recipient, and answers. */
bool smtp_prdr(void *ctx);

/* --- smtp_address.c --- */
/* Takes the address of MAIL or RCPT out of s->argument, without what follows it, rewritten by S rules. SMTP_NEXT_COMMAND with
 * *good false: it has been refused. */
struct str smtp_take_address(struct smtp_session *s, struct str argument, bool sender,
                             bool *good, enum smtp_next *next);
/* Cuts the last " NAME=VALUE" (or " NAME") off the argument; false when there is none. */
bool smtp_take_parameter(struct str *argument, struct str *name, struct str *value);

#endif
