/* Lookups: the drivers, the type syntax (partial-, *, *@, options), handles and result caches.
 *
 * A driver is one .c file and one line in lookups.def. Handles stay open in struct lookup_cache (at
 * most lookup_open_max); a file that changed is opened again. Results are cached per handle, except
 * where the driver's own index is as fast and sees every change.
 * Source: specification, chapter "File and database lookups".
 */
#ifndef REMEX_LOOKUPS_LOOKUP_H
#define REMEX_LOOKUPS_LOOKUP_H

#include "base/outcome.h"
#include "conf/eval.h"
#include "filter/host.h"
#include "lookups/lookup_cache.h"
#include "lookups/lookup_type.h"

/* Runs it: partial and default keys, caches. file is the file of a single-key type (for sqlite in a
 * list too: text before the query); key_or_query what is looked up.
 * OUT_OK (*data, clean, in vm_scratch), OUT_FAIL not found, OUT_DEFER (the lookup could not be
 * completed), OUT_ERROR (bad use, or the file cannot be opened): vm_error has the text, without a
 * frame such as "lookup of … gave DEFER". Captures are set for partial and default keys.
 * Files and tainted queries are refused or logged by Exim's rules. */
enum outcome lookup_find(struct eval *e, struct vm *vm, const struct lookup_type *t,
                         struct str file, struct str key_or_query, struct str *data);

/* ldapauth: VM_OK when an LDAP server accepts the user and password of the query, VM_NO when it does not (or there is no
 * password), VM_ERROR. Never answered from a cache. */
enum vm_status lookup_ldapauth(struct eval *e, struct vm *vm, struct str query);

/* Loads the plugins of all lookup types that text (of a configuration) names, ldapauth included; what cannot be loaded is
 * left to whoever uses it. For processes that will not be able to later. */
void lookup_preload(struct eval *e, struct vm *vm, struct str text);

/* Host functions. */
enum vm_status lookup_host_type(void *env, struct vm *vm, struct str type,
                                struct host_lookup_type *out);
enum vm_status lookup_host_find(void *env, struct vm *vm, const struct host_lookup *q,
                                struct str *out);
enum vm_status lookup_host_quote(void *env, struct vm *vm, struct str type, struct str in,
                                 struct str opt, struct str *out);

#endif
