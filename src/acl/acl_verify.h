/* What the files of the condition verify share. For acl_verify*.c only. */
#ifndef REMEX_ACL_ACL_VERIFY_H
#define REMEX_ACL_ACL_VERIFY_H

#include "acl/acl_machine.h"

struct acl_verify_row;

/* A verification under way. */
struct acl_verify_call {
    struct acl_call *c;
    const struct acl_verify_row *row;
    struct str whole;            /* the argument, for messages */
    struct str value;            /* after an equals sign; unset: none */
    struct acl_callout *callout; /* NULL: none is made */
    struct str callout_text;     /* its options as they were written; unset: none is made */
    struct str domain;           /* that follows a slash; unset: none */
    struct str list;             /* likewise; unset: none */
    bool callout_defer_ok, defer_ok, no_details, success_on_redirect, case_insensitive;
    struct acl_quota *quota; /* NULL: no room is asked for */
};

typedef enum acl_test acl_verify_fn(struct acl_verify_call *v);

struct acl_verify_row {
    const char *name;
    uint32_t phases;
    bool value;    /* "=address" may follow */
    bool bare;     /* takes no options */
    bool caseless; /* knows case_insensitive */
    bool domain;   /* its one option is a domain */
    bool list;     /* its one option is a list */
    acl_verify_fn *run;
};

/* acl_callout.c: asks for a callout with the usual options, or with those in text. False: c->log says what is wrong. */
void acl_callout_start(struct acl_verify_call *v);
bool acl_callout_take(struct acl_verify_call *v, struct str text);

/* The text of a parameter without the blanks around its equals sign. */
struct str acl_verify_squeeze(struct arena *a, struct str o);

/* acl_verify_arc.c */
acl_verify_fn acl_verify_arc;

/* acl_verify_csa.c */
acl_verify_fn acl_verify_csa;

/* acl_verify_header.c */
acl_verify_fn acl_verify_header_sender, acl_verify_header_syntax, acl_verify_header_names,
    acl_verify_not_blind;

/* Verifies an address of a header line. */
void acl_verify_ask(struct acl_verify_call *v, struct str address, struct acl_verified *out);

#endif
