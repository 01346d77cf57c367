/* Between the files of a job: which fields of which structs go along, a table a struct. Both directions use it. */
#ifndef REMEX_ENGINE_LOCAL_JOB_ROWS_H
#define REMEX_ENGINE_LOCAL_JOB_ROWS_H

#include "engine/local_job.h"
#include "filter/filter_run.h"
#include "mail/header.h"

/* Tags of the records. The call comes first, the end last; an address behind its parent, what belongs to an address behind it. */
enum local_job_tag {
    LOCAL_JOB_TAG_CALL = 1,
    LOCAL_JOB_TAG_MESSAGE,
    LOCAL_JOB_TAG_SESSION,
    LOCAL_JOB_TAG_HEADER,
    LOCAL_JOB_TAG_RECIPIENT,
    LOCAL_JOB_TAG_ADDRESS,
    LOCAL_JOB_TAG_REPLY,
    LOCAL_JOB_TAG_TEXT,
    LOCAL_JOB_TAG_VARIABLE,
    LOCAL_JOB_TAG_PREPARED,
    LOCAL_JOB_TAG_END,
    LOCAL_JOB_TAGS,
};

enum local_job_role {
    LOCAL_JOB_ANCESTOR,
    LOCAL_JOB_TARGET,
    LOCAL_JOB_DUPLICATE, /* of the last target: done when that is */
    LOCAL_JOB_VIEW,
    LOCAL_JOB_ROLES,
};

/* An address with its place among the others. */
struct local_job_address {
    struct address a;
    int64_t parent; /* number of one before, plus one; 0: none */
    unsigned role;
};

/* The reply of the last address; its arguments are texts. */
struct local_job_reply {
    unsigned id, flags;
};

enum local_job_text_of {
    LOCAL_JOB_TEXT_ARGUMENT, /* of the last address's reply */
    LOCAL_JOB_TEXT_PIPE,     /* $0... of the last address's command */
    LOCAL_JOB_TEXT_CAPTURE,  /* $0... */
    LOCAL_JOB_TEXT_WORD,     /* of a command */
    LOCAL_JOB_TEXTS,
};

struct local_job_text {
    unsigned of;
    struct str text;
};

enum local_job_variable_of {
    LOCAL_JOB_VARIABLE_ACL_C,
    LOCAL_JOB_VARIABLE_ACL_M,
    LOCAL_JOB_VARIABLE_ROUTER,
    LOCAL_JOB_VARIABLES,
};

struct local_job_variable {
    unsigned of;
    struct str name, value;
};

/* Of a tag; NULL for PREPARED and END. */
const struct record_rows *local_job_rows(enum local_job_tag tag);

#endif
