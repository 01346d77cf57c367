/* What a process that has become a user is to do, and all that it needs for it: as a value, and as bytes.
 *
 * Who delivers writes the job; the child reads it when it is the user already, so that no process with privilege looks into it. The
 * configuration is not part of it: the child has the same one in memory and finds drivers by their names. The body of the message
 * is a descriptor beside the job. The reader takes the bytes from a stranger: bounds and counts are those of local_job_rows.c and
 * of the enum below, references lead backwards only, and anything unknown makes the whole worthless.
 */
#ifndef REMEX_ENGINE_LOCAL_JOB_H
#define REMEX_ENGINE_LOCAL_JOB_H

#include "base/buf.h"
#include "base/record.h"
#include "base/vec.h"
#include "conf/model.h"

enum local_job_kind {
    LOCAL_JOB_TRANSPORT = 1, /* run a local transport: answer_record.h */
    LOCAL_JOB_ROOM,          /* ask it whether there is room for the message: the same */
    LOCAL_JOB_REDIRECT,      /* read a list or filter: redirect_result.h */
    LOCAL_JOB_SYSTEM_FILTER, /* the same of the system filter */
    LOCAL_JOB_LOOK,          /* is there a file, may it be read: an errno (int) */
    LOCAL_JOB_COMMAND,       /* become a command: what it writes */
    LOCAL_JOB_KINDS,
};

enum {
    LOCAL_JOB_BYTES_MAX = 256 * 1024 * 1024,
    LOCAL_JOB_ADDRESSES_MAX = 100000, /* with their ancestors */
    LOCAL_JOB_TEXTS_MAX = 100000,     /* words of a command, captures, arguments of replies */
    LOCAL_JOB_PREPARED_MAX = 64 * 1024,
};

/* What kinds differ in; fields that mean nothing to a kind are unset. */
struct local_job_call {
    unsigned kind;     /* enum local_job_kind */
    struct str driver; /* name of the transport or router */
    struct str file;   /* to read, or to look at */
    struct str text;   /* of a list or filter that is no file */
    struct str qualify, home, directory, return_path, envelope;
    bool dont_deliver, shadow, return_to_nobody, logs;
    bool access;        /* LOOK: readable, and not only there */
    bool has_envelope;  /* envelope can be written */
    bool queue_running; /* as in struct eval, as are the next */
    struct str domain_data, local_part_data, sender_data, host_data, recipient_data;
    int64_t deliverer; /* TRANSPORT: engine_deliverer */
    int64_t uid,
        gid; /* as whom the driver was called: those of the router, not of the process */
};

struct local_job {
    struct local_job_call call;
    struct message *message; /* NULL: none */
    bool
        with_recipients; /* else only their number goes along: others' are not the user's business */
    struct session *session;
    struct address *view; /* what variables show; NULL: none */
    struct address **addresses;
    size_t n;
    struct map *acl_c, *acl_m, *router_vars; /* name -> struct str *, or NULL */
    const struct str *captures;              /* $0... */
    size_t captures_n;
    const struct str *words; /* of a command */
    size_t words_n;
    const struct record_rows *prepared_rows; /* of what the driver's prepare function left */
    const void *prepared;                    /* NULL: nothing */
    struct str prepared_record; /* the same as it was read: a record's body, or unset */
};

/* Appends the job. False: a value is beyond its bound, or the buffer's limit was. */
bool local_job_write(struct buf *out, const struct local_job *job);
/* Reads it into memory of a; texts are parts of `bytes`. The maps are new. False with *fault (static text). */
bool local_job_read(struct arena *a, struct str bytes, struct local_job *job,
                    const char **fault);

#endif
