/* Domain, host, address, local-part and string lists.
 *
 * A list text (after expansion) compiles into an object: literal members in a hash set, patterns as
 * regexes, named lists as shared objects, lookups as prepared queries. Objects and results are cached as the
 * specification's chapter "Domain, host, address, and local part lists" says.
 */
#ifndef REMEX_CONF_LIST_H
#define REMEX_CONF_LIST_H

#include "base/strlist.h" /* splitting and appending */
#include "conf/eval.h"
#include "filter/host.h"

struct list_cache;

struct list_cache *list_cache_new(struct arena *a);

/* --- matching --- */

struct list_question {
    enum list_kind kind;
    struct str subject;    /* domain, address, local part, or IP address */
    struct str host_name;  /* hosts: name if known, or STR_NULL (then it is looked up if needed) */
    struct str list;       /* expanded text */
    bool ip_only;
    bool caseful;          /* subject keeps its case */
};

struct list_answer {
    struct str value;      /* $domain_data and friends: lookup data or the matched item; STR_NULL if none */
};

/* OUT_OK match, OUT_FAIL no match, OUT_DEFER, OUT_ERROR (vm_error has the text). Sets captures for regexes and
 * wildcards through vm_set_captures. */
#include "base/outcome.h"
enum outcome list_match(struct eval *e, struct vm *vm, const struct list_question *q,
                        struct list_answer *a);

/* Host functions (src/proc/wire.c puts them into struct host). */
enum vm_status list_host_match(void *env, struct vm *vm, const struct host_match *q);
enum vm_status list_host_named(void *env, struct vm *vm, struct str name, char type,
                               struct str *out);

#endif
