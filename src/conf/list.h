/* Domain, host, address, and local part lists: is a subject in the set that a list text defines?
 *
 * A list text (after expansion) compiles into an object: literal members in a hash set, patterns as
 * regexes, named lists as shared objects, lookups taken apart. Objects, files and results are cached in a
 * struct list_cache. Nothing here expands text but that of named lists. Source: specification, chapter
 * "Domain, host, address, and local part lists"; what it leaves open is as the reference does it.
 */
#ifndef REMEX_CONF_LIST_H
#define REMEX_CONF_LIST_H

#include "base/outcome.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "filter/host.h"

struct list_cache;

/* Compiled lists, files and results. For one thread, for as long as it likes: bounded at LIST_CACHE_MAX
 * bytes, after which it starts afresh. Freed with the arena. */
struct list_cache *list_cache_new(struct arena *a);
/* Forgets what must not outlive a message: results of named lists, local addresses. */
void list_cache_forget(struct list_cache *c);

enum {
    LIST_CACHE_MAX = 16 * 1024 * 1024,
    LIST_TEXT_MAX = 1024 * 1024,      /* a longer text is compiled for each match */
    LIST_FILE_MAX = 64 * 1024 * 1024, /* a longer file is refused */
    LIST_DEPTH_MAX = 40,              /* lists within lists */
};

struct list_question {
    enum list_kind kind;
    struct str subject; /* domain, address, local part, or IP address (may be empty) */
    /* Hosts: the name, or several separated by newlines; STR_NULL: not known yet. */
    struct str host_name;
    struct str list; /* text after expansion */
    struct str what; /* names the option in messages ("local_parts"); STR_NULL: the list text */
    bool ip_only;    /* hosts: names are never looked up (match_ip) */
    bool caseful;    /* local parts and addresses: case counts from the start */
    bool captures;   /* addresses: set $0.. as patterns of rewriting do */
    /* Domains: $domain stays as it is while named lists expand (sender_domains). */
    bool keep_domain;
    bool remember;   /* results of named lists may be cached until list_cache_forget */
    bool fixed_text; /* list is text of e->conf itself: its address stands for it */
};

struct list_answer {
    /* $domain_data and friends: lookup data, or the element that matched; STR_NULL if none. In
     * vm_scratch(vm). */
    struct str value;
};

/* OUT_OK match, OUT_FAIL no match, OUT_DEFER, OUT_ERROR (vm_error has the text of both). Domain and local
 * part lists (addresses when asked for) set $0.. through vm_set_captures when an item matches. e->lists may
 * be NULL: nothing is cached. */
enum outcome list_match(struct eval *e, struct vm *vm, const struct list_question *q,
                        struct list_answer *a);

/* Host functions (src/proc/wire.c puts them into struct host). list_host_match: on VM_OK the value is also
 * vm_value(vm). Errors are worded as the match_* conditions do. */
enum vm_status list_host_match(void *env, struct vm *vm, const struct host_match *q);
/* ${listnamed:}: the text with lists that it names put in, colon separated, not expanded. */
enum vm_status list_host_named(void *env, struct vm *vm, struct str name, char type,
                               struct str *out);

/* Addresses that are local for @[]: interfaces, by local_interfaces and extra_local_interfaces. */
bool list_is_local_address(struct eval *e, struct vm *vm, struct str ip);

#endif
