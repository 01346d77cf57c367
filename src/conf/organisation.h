/* Organisational domains: which part of a domain somebody has registered, by the list of public suffixes that dmarc_tld_file names.
 *
 * Source: RFC 7489, section 3.2; specification, section "DMARC".
 */
#ifndef REMEX_CONF_ORGANISATION_H
#define REMEX_CONF_ORGANISATION_H

#include "conf/eval.h"
#include "filter/expand.h"

/* dmarc_tld_file, expanded, in scratch; empty: it is not set, or was forced to fail. False with *why: it does not expand. */
bool organisation_file(struct eval *e, struct vm *vm, struct str *file, struct str *why);
/* The organisational domain of an ASCII domain by that file; *out is in a. False with *why (in a): the file cannot be read. */
bool organisation_find(struct eval *e, struct arena *a, struct str file, struct str domain,
                       struct str *out, struct str *why);
/* Makes what holds the list now, so that contexts of other threads can be given it: it is made at first use otherwise. */
void organisation_prepare(struct eval *e);

#endif
