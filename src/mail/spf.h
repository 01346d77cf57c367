/* Sender Policy Framework: what a check came to. Source: RFC 7208, section 2.6; specification, section "SPF". */
#ifndef REMEX_MAIL_SPF_H
#define REMEX_MAIL_SPF_H

#include "base/str.h"

enum spf_result {
    SPF_INVALID, /* there was no check that could come to anything */
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_NONE,
    SPF_TEMPERROR,
    SPF_PERMERROR,
    SPF_RESULTS,
};

/* Texts are tainted, without CR, LF and NUL, and may be empty. */
struct spf_check {
    enum spf_result result;
    bool asked_guess; /* domains without a record were to have one */
    bool guessed;     /* by spf_guess, since the domain has no record */
    struct str
        domain; /* whose record was asked for: the sender's, or else the client's name of HELO */
    bool of_helo;         /* it is that name, since the sender is empty */
    struct str sender;    /* what was checked: the sender, as it was at that time */
    struct str received;  /* a whole Received-SPF line, without its newline */
    struct str comment;   /* for people: what the check came to, and why */
    struct str smtp_text; /* for the client that is refused */
};

/* "pass"; "(invalid)" where there was no check. */
struct str spf_result_name(enum spf_result r);
/* The result of that name, in any case, "err_temp" and "err_perm" of old configurations among them. False: there is none. */
bool spf_result_parse(struct str name, enum spf_result *out);

#endif
