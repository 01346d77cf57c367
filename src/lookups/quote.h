/* ${quote_TYPE:}: the quoting of each lookup language. All are safe to call without their server. */
#ifndef REMEX_LOOKUPS_QUOTE_H
#define REMEX_LOOKUPS_QUOTE_H

#include "filter/vm.h"

/* Quotes in; opt is STR_NULL or what followed a further underscore (`dn` of quote_ldap_dn). VM_OK with *out
 * carrying in's mark, or VM_NO when opt is not known. */
typedef enum vm_status quote_function(struct vm *vm, struct str in, struct str opt,
                                      struct str *out);

quote_function quote_sqlite, quote_mysql, quote_pgsql, quote_ibase, quote_redis, quote_nisplus;
quote_function quote_ldap, quote_plain;

#endif
