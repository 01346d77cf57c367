/* The text of an Authentication-Results header line: what is known of who sent a message, and how.
 *
 * Nothing is asked for here: results are those of checks that ACLs have made. Source: RFC 8601; specification, ${authresults.
 */
#ifndef REMEX_PROC_AUTHRESULTS_H
#define REMEX_PROC_AUTHRESULTS_H

#include "filter/host.h"

/* The function of struct host behind ${authresults{id}}; env is a struct eval. */
enum vm_status authresults_host(void *env, struct vm *vm, struct str id, struct str *out);

#endif
