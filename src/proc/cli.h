/* The command line as it was understood.
 *
 * Rows of cli.def say which options there are; the parser only takes the line apart and remembers. It
 * decides nothing about privilege and opens no file.
 */
#ifndef REMEX_PROC_CLI_H
#define REMEX_PROC_CLI_H

#include "base/str.h"
#include "base/vec.h"

/* What the process will do. */
enum cli_mode {
    CLI_RECEIVE, /* the default: a message on the standard input */
    CLI_SMTP,
    CLI_BATCH_SMTP,
    CLI_DAEMON,
    CLI_WAIT_DAEMON,
    CLI_QUEUE_RUN,
    CLI_QUEUE_LIST,
    CLI_MESSAGE, /* -M…: something with messages in the queue */
    CLI_ALIASES,
    CLI_ATRN,
    CLI_LOG_TEXT,
    CLI_MALWARE,
    CLI_ROUTE,  /* -bt */
    CLI_VERIFY, /* -bv */
    CLI_FILTER, /* -bf, -bF */
    CLI_FAKE_SMTP,
    CLI_EXPAND,  /* -be, -bem */
    CLI_LISTING, /* -bD */
    CLI_SHOW,    /* -bP */
    CLI_RETRY,   /* -brt */
    CLI_REWRITE, /* -brw */
    CLI_VERSION,
    CLI_HELP,
    CLI_INFO_HELP,
    CLI_INFO_OTHER,
    CLI_INFO_DSCP,
    CLI_INFO_MODULES,
    CLI_INFO_SIEVE,
    CLI_ROLE,  /* a process of the daemon */
    CLI_MODES, /* how many there are */
    CLI_NO_CHANGE,
};

enum cli_style { CLI_NONE, CLI_NEXT, CLI_GLUED, CLI_FULL, CLI_EITHER, CLI_REST, CLI_DOC };

enum cli_group {
    CLI_ANY,
    CLI_INFO,
    CLI_SUBMIT,
    CLI_QUEUE,
    CLI_DAEMON_GROUP,
    CLI_TEST,
    CLI_DEBUG,
    CLI_SPECIAL,
    CLI_COMPAT,
    CLI_INTERNAL,
};

enum cli_privilege {
    CLI_ANYBODY,
    CLI_ADMIN_UNLESS, /* admin, unless an option of the configuration relaxes it */
    CLI_ADMIN,
    CLI_INTERNAL_ONLY, /* used by the program itself */
};

struct cli_row {
    const char *name;
    enum cli_style style;
    enum cli_group group;
    enum cli_privilege privilege;
    int act;
    enum cli_mode mode;
    const char *doc;
};

/* All rows, in the order of cli.def. */
const struct cli_row *cli_rows(size_t *n);

/* One option as given. */
struct cli_setting {
    const struct cli_row *row;
    struct str value; /* STR_NULL when it has none */
};

struct cli_macro {
    struct str name;
    struct str text;
};

/* What -q, -R and -S say. */
struct cli_queue {
    bool two_stage, only_new, force, force_frozen, local_only; /* qq, i, f, ff, l */
    int64_t every_s;                                           /* -q<time>; 0: one run */
    struct str name;                                           /* G<name>; STR_NULL without */
    struct str from, to;          /* message ids; STR_NULL without */
    struct str recipient, sender; /* -R, -S; STR_NULL without */
    bool recipient_regex, sender_regex;
    bool recipient_force, sender_force;
    struct str words; /* as they were written, for the log; STR_EMPTY: a plain -q */
};

/* One -q with a time: queue runs in intervals. */
struct cli_runner {
    int64_t every_s;
    struct str name; /* of the queue; STR_NULL: the default one */
    bool two_stage, only_new, force, force_frozen, local_only;
    struct str word;  /* the option as it was written */
    struct str words; /* flags, for the log */
};

struct cli {
    const char
        *program; /* name for messages: "remex", or "exim" when called by one of Exim's names */
    bool called_as_exim; /* faults of the configuration are worded as Exim does */
    enum cli_mode mode;
    struct str config_list; /* -C; STR_NULL without */
    VEC(struct cli_macro) macros;
    VEC(struct cli_setting) settings; /* every option, in order */
    VEC(struct str) args;             /* what follows the options; tainted */
    struct cli_queue queue;
    VEC(struct cli_runner) runners;
    struct str sender;       /* -f; STR_NULL without; empty for <> */
    struct str message_file; /* -bem; STR_NULL without */
    bool values_only;        /* -n */
    bool verbose;
    bool debug;
    uint64_t debug_selector;
    /* When the line cannot be understood: what to print on the standard error. */
    struct str error;
};

/* False when the line is wrong: cli->error is what to print, the exit status is 1. argv must live on. */
bool cli_parse(struct arena *a, int argc, char **argv, struct cli *cli);

/* The value of the last setting with that name, or STR_NULL. */
struct str cli_value(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);

/* The text of --help. */
void cli_print_help(const struct cli *cli);

/* True if s has the form of a message id, old (16 characters) or new (23). */
bool cli_is_message_id(struct str s);

/* Cuts an address with an optional port ("192.0.2.1.25", "[192.0.2.1]:25", "::1.25"); port 0 when there is none. False:
 * no address. */
bool cli_split_address(struct arena *a, struct str s, struct str *address, int *port);

#endif
