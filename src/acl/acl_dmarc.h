/* What the condition dmarc_status and what is told about its result share. For acl_dmarc*.c only. */
#ifndef REMEX_ACL_ACL_DMARC_H
#define REMEX_ACL_ACL_DMARC_H

#include "acl/acl_machine.h"
#include "mail/dmarc.h"

struct dmarc_run {
    struct acl_call *c;
    struct message *m;
    struct arena *a; /* of the message */
    struct dmarc_check *check;
    struct str tld_file;
    struct str organisation; /* of the author's domain */
};

/* acl_dmarc.c: the TXT record of a name that is one of DMARC. */
enum dmarc_found { DMARC_FOUND, DMARC_ABSENT, DMARC_SEVERAL, DMARC_AGAIN };
enum dmarc_found acl_dmarc_ask(struct dmarc_run *r, struct str name, struct str *text);
/* The organisational domain of another domain; false: that is not to be had, which was logged. */
bool acl_dmarc_organisation(struct dmarc_run *r, struct str domain, struct str *out);

/* acl_dmarc_tell.c: a record in the history file; a failure report to who asks for it. */
void acl_dmarc_note(struct dmarc_run *r);
void acl_dmarc_report(struct dmarc_run *r);

#endif
