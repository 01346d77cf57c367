/* A configuration as it was read: main options, named lists, ACLs, driver instances, rules.
 *
 * Lives in one arena per generation and is read-only once conf_read has returned.
 */
#ifndef REMEX_CONF_CONF_H
#define REMEX_CONF_CONF_H

#include "base/diag.h"
#include "base/map.h"
#include "conf/opt.h"
#include "conf/source.h"
#include "filter/host.h"

struct conf_main; /* conf/main_options.h */
struct driver_instance;
struct conf;

/* A kind of driver as the reader needs it; rows of routers.def, transports.def, auths.def. */
struct driver {
    struct str name;              /* "redirect" */
    const struct opt_table *opts; /* its private options */
    /* Checks an instance after its last option; may add errors. NULL: nothing to check. */
    bool (*check)(struct arena *a, struct driver_instance *d, struct diags *diags);
    const char *shown; /* in -bV, when that says more: "appendfile/maildir"; NULL: name */
};

struct driver_class {
    const char *what; /* "router", "transport", "authenticator" */
    const struct opt_table *generic;
    const struct driver *const *drivers;
    size_t n;
    /* Checks what the instances say of each other, once all of the file was read. May be NULL. */
    bool (*check_all)(const struct conf *c, struct diags *diags);
};

struct driver_instance {
    struct str name;
    const struct driver_class *cls;
    const struct driver *driver;
    struct opt_set generic;
    struct opt_set own;
    struct span where;
    bool hide; /* unused by Exim for whole drivers; kept for symmetry of -bP */
};

struct named_list {
    struct str name;
    enum list_kind kind;
    struct xstr text;
    bool cache; /* domainlist_cache and friends */
    bool hide;
    struct span where;
};

struct macro {
    struct str name;
    struct str text;
    bool builtin;
    bool from_command_line;
    struct span where;
};

/* A line of a section as the reader hands it to whoever parses the section (ACLs, retry, rewrite). */
struct conf_line {
    struct str text; /* logical line, macros replaced, trimmed */
    const struct textmap *map;
    uint32_t line; /* line number as Exim reports it: of the last physical line */
};

/* The parser of a section above this layer. One object a section, see conf_request. */
struct section_parser {
    const char *name; /* "acl", "retry", "rewrite" */
    /* Parses all lines of the section; *result is kept in struct conf. Errors go to diags; an error in Exim's
     * words is fatal for the load as there. */
    bool (*parse)(struct arena *a, const struct conf_line *lines, size_t n, struct diags *diags,
                  void **result);
};

/* A macro that is there without a definition: _HAVE_*, _LOG_*, _ACL_* and the like. Those of options and drivers
 * (_OPT_*, _DRIVER_*) are made from the tables. */
struct conf_builtin {
    const char *name; /* begins with an underscore and a capital letter */
    const char *text; /* "y" */
};

struct conf_request {
    const char *const *files; /* candidates, the first that exists is read */
    size_t files_n;
    struct source *source;          /* a text that is at hand: read in place of files, if set */
    const struct source_set *given; /* if set, includes come from here, never from a file */
    size_t max_files;               /* of main and included files; 0: 10,000 */
    struct source_owner owner;      /* of the main file */
    const struct conf_builtin *builtins;
    size_t builtins_n;
    const struct macro *macros; /* -D */
    size_t macros_n;
    const struct driver_class *routers, *transports, *auths;
    const struct section_parser *acl, *retry, *rewrite;
    const struct opt_table *main_opts;
    /* Checks the main options together, before the next section is read; NULL: unchecked. */
    bool (*main_check)(const struct opt_set *main, struct diags *diags);
    bool keep_text;   /* for -bP config */
    struct vm *vm;    /* expansions needed while reading (may be NULL in tests) */
    size_t max_bytes; /* of all files together; 0: 64 MiB */
    /* Checks an OPT_T_REWRITE value (headers_rewrite); NULL: unchecked. */
    bool (*headers_rewrite)(struct arena *a, struct str text, const struct textmap *map,
                            struct diags *diags);
    /* Called for each macro that is replaced in a line (-d shows them); may be NULL. */
    void (*macro_used)(const struct macro *m);
    /* Where to keep what is being read, so that an error can be logged where the file says; may be NULL. */
    struct conf **partial;
};

/* A line for -bP config: logical, macros replaced, white space as Exim prints it. */
struct conf_text {
    struct str text;
    bool mark; /* `# N "file"` */
};

struct conf {
    struct arena *arena;
    struct str file; /* the file that was read, $config_file */
    struct conf_main *main;
    struct opt_set main_set;
    struct map *lists[4]; /* name -> struct named_list, by enum list_kind */
    VEC(struct driver_instance *) routers;
    VEC(struct driver_instance *) transports;
    VEC(struct driver_instance *) auths;
    void *acls, *retry, *rewrite; /* what the section parsers made */
    struct str local_scan_text;
    VEC(struct macro *) macros;         /* in order of definition */
    VEC(struct conf_text) text;         /* lines for -bP config, when kept */
    VEC(const struct source *) sources; /* files that were read, the main one first */
    /* Rows flagged OPT_NO_EFFECT that the file sets, for -bV. */
    VEC(struct span) no_effect_where;
    VEC(struct str) no_effect;
};

/* Reads and checks a configuration into a. NULL when there was an error (diags has it); warnings may be
 * there in any case. Source: specification, chapter "The Exim run time configuration file". */
struct conf *conf_read(struct arena *a, const struct conf_request *rq, struct diags *diags);

/* What can be checked when everything has been read: the check_all of each class, and a warning for transports that
 * nobody defined. conf_read calls it. False: errors. */
bool conf_check(const struct conf *c, struct diags *diags);

/* The error as Exim words it, with a newline: "Exim configuration error in line N of FILE:\n  text". */
void conf_print_exim(struct buf *out, const struct diag *d);
/* -bP config. terse (-n): no indents and empty lines; without secrets what follows hide, and macros, is
 * replaced. version is $exim_version. */
void conf_print_text(struct buf *out, const struct conf *c, struct str version, bool secrets,
                     bool terse);

/* Instance by name or NULL. */
struct driver_instance *conf_router(const struct conf *c, struct str name);
struct driver_instance *conf_transport(const struct conf *c, struct str name);
struct driver_instance *conf_auth(const struct conf *c, struct str name);

#endif
