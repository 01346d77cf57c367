/* Writes a message as a transport delivers it: envelope lines, header lines as they were added, removed and rewritten,
 * the body, through a transport filter if there is one.
 *
 * Everything that can fail in the configuration is done by message_write_prepare, before the first byte goes out. The
 * body is read once, with pread. Source: specification, chapters "Generic options for transports", "Message processing"
 * (adding and removing header lines), "SMTP processing" (outgoing batched SMTP).
 */
#ifndef REMEX_TRANSPORTS_MESSAGE_WRITE_H
#define REMEX_TRANSPORTS_MESSAGE_WRITE_H

#include "base/buf.h"
#include "mail/header.h"
#include "transports/message_sink.h"
#include "transports/transport.h"

enum {
    MESSAGE_WRITE_NO_HEADERS = 1u << 0,  /* body_only */
    MESSAGE_WRITE_NO_BODY = 1u << 1,     /* headers_only */
    MESSAGE_WRITE_RETURN_PATH = 1u << 2, /* Return-path: */
    MESSAGE_WRITE_ENVELOPE_TO = 1u << 3,
    MESSAGE_WRITE_DELIVERY_DATE = 1u << 4,
    MESSAGE_WRITE_CRLF = 1u << 5,
    MESSAGE_WRITE_DOTS =
        1u << 6, /* SMTP: dots doubled, a last newline supplied, a line with a dot at the end */
    MESSAGE_WRITE_BSMTP =
        1u << 7, /* MAIL, RCPT and DATA in front; check_string is that of SMTP then */
    MESSAGE_WRITE_AFFIXES = 1u << 8, /* rcpt_include_affixes */
    MESSAGE_WRITE_NO_BLANK =
        1u << 9, /* no empty line behind the header lines (a piece of another message) */
};

struct message_write {
    struct arena *arena;
    struct vm *vm; /* NULL: nothing is expanded */
    const struct message *message;
    const struct driver_instance *transport; /* NULL: none (-Mvc, bounces) */
    struct address *const *addresses;
    size_t n;
    struct str return_path;
    int body_fd; /* -1: message->body_text */
    off_t body_start;
    int64_t body_max; /* bytes of the body that are written; -1: all */
    unsigned flags;
    struct str check, escape;   /* check_string, escape_string */
    struct xstr prefix, suffix; /* message_prefix, message_suffix */
    int64_t now;                /* for Delivery-date: */
    bool utc;                   /* timezone = UTC */
    /* What headers_rewrite makes of a line; false: nothing. NULL: no rewriting. */
    bool (*rewrite)(void *ctx, struct arena *a, const struct header *h, struct str *out);
    void *rewrite_ctx;
    /* Header lines of other origin that are removed and added too (no addresses): as in struct address. */
    struct str more_remove, more_add;

    /* Of message_write_prepare. */
    struct str prefix_text, suffix_text;
    struct str remove, add; /* names, a colon behind each; lines */
    char **filter;          /* arguments of transport_filter, or NULL */
    int64_t filter_timeout_s;
    /* The header as it was written before, with the empty line: it is not made anew. Unset: it is made. */
    struct str header_text;
};

/* Fills in what the job and the generic options of its transport say. The driver then sets what is its own. */
void message_write_init(struct message_write *w, const struct transport_job *job);
/* A message without a transport: all header lines and the body. */
void message_write_plain(struct message_write *w, struct arena *a, const struct message *m,
                         int body_fd, off_t body_start);
/* Expands the options. OUT_OK, or OUT_DEFER or OUT_ERROR with *why filled in. */
enum outcome message_write_prepare(struct message_write *w, struct why *why);

struct message_written {
    bool ok;
    int64_t bytes; /* all that went to the sink */
    int sys_errno; /* the destination's fault (ETIMEDOUT: it was too slow), or that of the reading */
    bool reading; /* the fault is the body's, not the destination's */
    bool filter_timed_out;
    bool filter_failed;
    int filter_status; /* as waitpid gives it */
};

/* Writes it all and flushes. SIGPIPE must be ignored. */
void message_write(const struct message_write *w, struct message_sink *sink,
                   struct message_written *out);

/* The result of a filter that failed as Exim shows it: its exit status (SPAWN_NO_EXEC: it could not be executed), or the signal
 * with a minus sign. */
int message_written_code(const struct message_written *end);

/* The lines that return_path_add, envelope_to_add and delivery_date_add put in front. */
void message_write_trace(const struct message_write *w, struct buf *out);
/* The header lines as they are delivered, without the empty line. */
void message_write_headers(const struct message_write *w, struct buf *out);

/* An upper bound of the bytes that will be written, for quotas: what is known without writing. */
int64_t message_write_estimate(const struct message_write *w);

/* The address as RCPT names it: of a file or pipe its parent's; affixes as the option says. */
struct str transport_rcpt_address(struct arena *a, const struct address *addr, bool affixes);

#endif
