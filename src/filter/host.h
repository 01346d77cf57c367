/* The one way up: what the language machine may ask of the program around it.
 *
 * Each process kind fills in one table (src/proc/wire.c). A NULL entry is a refused capability: the machine
 * answers with an error that names it. env is the context of the process kind (struct eval in
 * conf/eval.h for all of them). Functions that return enum vm_status set the text with
 * vm_fail/vm_defer when they return VM_ERROR/VM_DEFER. Values returned live in vm_scratch(vm) or longer.
 */
#ifndef REMEX_FILTER_HOST_H
#define REMEX_FILTER_HOST_H

#include "base/str.h"
#include "filter/vm.h"

/* One variable, a row of vars.def (src/conf). get: VM_OK and *out (STR_NULL when unset). For a family
 * (`$acl_c<x>`, `$n0`…) name is the prefix and rest is what follows it; otherwise rest is empty. */
struct var {
    struct str name;
    enum vm_status (*get)(void *env, struct vm *vm, struct str rest, struct str *out);
    unsigned flags; /* VAR_* */
    /* families only: true if `rest` makes a name of the family */
    bool (*accepts)(struct str rest);
    const char *doc;
};

enum {
    VAR_FAMILY = 1u << 0, /* name is a prefix */
    VAR_RUNTIME =
        1u << 1, /* value comes from the machine ($value, $item, $runrc), not from get */
    VAR_HIDDEN = 1u << 2, /* its name cannot be written: for the front end only */
};

enum list_kind { LIST_DOMAIN, LIST_HOST, LIST_ADDRESS, LIST_LOCALPART };

/* A question to a list. */
struct host_match {
    enum list_kind kind;
    struct str subject;
    struct str list; /* text after expansion */
    bool ip_only;    /* match_ip: no host names are looked up */
};

/* What `type` in ${lookup means; filled in by host->lookup_type when the string is compiled. */
struct host_lookup_type {
    bool query_style; /* no {key} before the type; the braces after it hold the query */
    bool file_query;  /* query style with a file name in front (sqlite) */
};

struct host_lookup {
    struct str type; /* as written, with partial-, *, *@ and ,options */
    struct str key;  /* single-key style */
    struct str file; /* single-key style: file; query style: the query */
    bool query_style;
    bool for_list; /* text of a deferral without the frame that ${lookup gives it */
};

/* Wildcard parts of a partial lookup become $1, $2 (through vm_set_captures). */

/* What only a resolver knows. */
enum host_resolve_kind {
    RESOLVE_ADDRESSES, /* of the host name subject: texts, separated by newlines */
    RESOLVE_NAMES,     /* of the IP address subject, verified: separated by newlines */
    RESOLVE_MX_ANY,    /* has the domain subject an MX that points to this host? */
    RESOLVE_MX_PRIMARY,
    RESOLVE_MX_SECONDARY,
};

struct host_resolve {
    enum host_resolve_kind kind;
    struct str subject;
    struct str ignore; /* RESOLVE_MX_*: host list of addresses to pass over, or STR_NULL */
};

enum header_form { HEADER_COOKED, HEADER_RAW, HEADER_BYTES, HEADER_LIST };

struct host_run {
    struct str
        command; /* whole command line, before splitting and (without preexpand) expansion */
    bool preexpanded; /* `${run,preexpand`: the command was expanded as a whole */
};

struct host_socket {
    struct str where; /* inet:host:port or a path */
    struct str request;
    struct str
        options;    /* `5s`, `shutdown=no`, `tls=yes`, `cache=yes`, `sni=..`, comma separated */
    struct str eol; /* what replaces a newline in the answer; STR_NULL: newlines stay */
};

struct host {
    const struct var *vars; /* sorted by name */
    size_t vars_n;

    enum vm_status (*header)(void *env, struct vm *vm, enum header_form form, struct str name,
                             struct str *out); /* VM_NO: no such header */
    enum vm_status (*match)(void *env, struct vm *vm, const struct host_match *q);
    /* Plain text of a named list; type is 'd' 'h' 'a' 'l' or 0 for any. VM_NO: none. */
    enum vm_status (*named_list)(void *env, struct vm *vm, struct str name, char type,
                                 struct str *out);
    /* VM_OK and *out, or VM_ERROR (unknown type, bad options) with the text. */
    enum vm_status (*lookup_type)(void *env, struct vm *vm, struct str type,
                                  struct host_lookup_type *out);
    /* VM_OK *out is the data; VM_NO not found; VM_DEFER; VM_ERROR. */
    enum vm_status (*lookup)(void *env, struct vm *vm, const struct host_lookup *q,
                             struct str *out);
    /* ${quote_TYPE:}; opt is STR_NULL or what follows a further underscore. VM_NO: type unknown. */
    enum vm_status (*quote)(void *env, struct vm *vm, struct str type, struct str in,
                            struct str opt, struct str *out);
    enum vm_status (*acl)(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                          struct str *out); /* argv[0] is the name; VM_OK accept, VM_NO deny */
    enum vm_status (*run)(void *env, struct vm *vm, const struct host_run *q, struct str *out);
    enum vm_status (*readfile)(void *env, struct vm *vm, struct str path, struct str eol,
                               struct str *out);
    enum vm_status (*readsocket)(void *env, struct vm *vm, const struct host_socket *q,
                                 struct str *out); /* VM_NO: could not, vm_error has why */
    enum vm_status (*exists)(void *env, struct vm *vm, struct str path);
    enum vm_status (*stat)(void *env, struct vm *vm, struct str path, struct str *out);
    enum vm_status (*getenv)(void *env, struct vm *vm, struct str name, struct str *out);
    enum vm_status (*perl)(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                           struct str *out);
    enum vm_status (*dlfunc)(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                             struct str *out);
    enum vm_status (*certextract)(void *env, struct vm *vm, struct str field, struct str cert,
                                  struct str *out); /* cert: PEM text */
    /* pam, radius, ldapauth, saslauthd: which names it. */
    enum vm_status (*authenticate)(void *env, struct vm *vm, struct str which,
                                   const struct str *argv, unsigned argc);
    enum vm_status (*authresults)(void *env, struct vm *vm, struct str id, struct str *out);
    /* first_delivery, queue_running. */
    enum vm_status (*delivering)(void *env, struct vm *vm, struct str which);
    /* Settings that functions need. */
    struct str (*setting)(void *env, const char *name); /* headers_charset, primary_hostname… */
    /* VM_NO: there is none. NULL: lists ask the system's resolver for names and addresses; MX defers. */
    enum vm_status (*resolve)(void *env, struct vm *vm, const struct host_resolve *q,
                              struct str *out);
    /* A line for the main log, and for the panic log too. NULL: dropped. */
    void (*log)(void *env, bool panic, struct str text);
};

/* The row of a variable or family; *rest is what follows a family prefix. NULL: unknown. */
const struct var *host_var(const struct host *h, struct str name, struct str *rest);

#endif
