/* A run of a filter: the actions that it sets up, and what the caller must tell and do meanwhile.
 *
 * The machine only appends to the list. What later expansions of the same filter can see (counters, header lines,
 * $thisaddress) the caller does at once, in `apply`; deliveries, files and messages it does when the list is
 * complete, as far as its own restrictions allow.
 */
#ifndef REMEX_FILTER_FILTER_RUN_H
#define REMEX_FILTER_FILTER_RUN_H

#include "base/vec.h"
#include "filter/vm.h"

enum filter_action_id {
#define FILTER_ACTION(name, word, args, doc) FILTER_##name,
#include "filter/filter_action.def"
#undef FILTER_ACTION
    FILTER_ACTIONS,
};

enum filter_test {
#define FILTER_TEST(name, word, short_form, doc) FILTER_TEST_##name,
#include "filter/filter_test.def"
#undef FILTER_TEST
    FILTER_TESTS,
};
enum { FILTER_TEST_CASE = 8 }; /* added to a test that heeds the case of letters */

enum filter_ask {
#define FILTER_ASK(name, word, doc) FILTER_ASK_##name,
#include "filter/filter_ask.def"
#undef FILTER_ASK
    FILTER_ASKS,
};

enum { FILTER_ARGS_MAX = 12 }; /* addresses behind personal, arguments of mail */

enum filter_flags {
    FILTER_SEEN = 1u << 0,
    FILTER_UNSEEN = 1u << 1,
    FILTER_NOERROR = 1u << 2,
    FILTER_EXPAND_FILE = 1u << 3,    /* mail: the file is expanded line by line */
    FILTER_RETURN_MESSAGE = 1u << 4, /* mail: with the message that came in */
    FILTER_DEPTH = 8, /* bits from here: depth of if commands, for the test's output */
};

/* Arguments of mail and vacation. */
enum filter_mail_argument {
    FILTER_MAIL_TO,
    FILTER_MAIL_CC,
    FILTER_MAIL_BCC,
    FILTER_MAIL_FROM,
    FILTER_MAIL_REPLY_TO,
    FILTER_MAIL_SUBJECT,
    FILTER_MAIL_EXTRA_HEADERS,
    FILTER_MAIL_TEXT,
    FILTER_MAIL_FILE,
    FILTER_MAIL_LOG,
    FILTER_MAIL_ONCE,
    FILTER_MAIL_ONCE_REPEAT,
    FILTER_MAIL_ARGUMENTS,
};

/* One action with its arguments, expanded; an argument that was not given has p == NULL. */
struct filter_action {
    enum filter_action_id id;
    unsigned flags;
    bool ignored;     /* a mail command in answer to a bounce */
    bool holds;       /* TRACE: the condition */
    int32_t number;   /* ADD: what is added; SAVE, LOGFILE: mode, -1 without */
    unsigned counter; /* ADD: 0 to 9 */
    unsigned argc;
    const struct str *argv;
};

struct filter_value;

struct filter_run {
    /* Set by the caller. */
    struct arena *arena; /* of the list and its texts */
    bool system;         /* a system filter: errors_to may name anybody */
    bool error_message;  /* the message is a bounce */
    bool no_return_path; /* mail commands do nothing */
    bool first_delivery;
    bool manually_thawed;
    struct str local_part, domain, prefix, suffix; /* the user: of personal and errors_to */
    struct str qualify;                            /* domain of addresses that have none */
    void *ctx;
    /* Does what later expansions must see (ADD, HEADERS_*, THISADDRESS); others need nothing. May be NULL. */
    void (*apply)(void *ctx, const struct filter_action *action);

    /* Results. */
    VEC(struct filter_action) actions;
    bool delivered;              /* a significant delivery, or "seen finish" */
    enum filter_action_id ended; /* FAIL, FREEZE or DEFER, else FILTER_ACTIONS */
    bool trace;                  /* notes are taken; set by filter_run */
    bool own_error;              /* the error text is not that of an expansion */
    struct filter_value *values; /* of operands, while it runs; filter_test.c */
    uint32_t values_n;
    VEC(struct str)
    notes; /* -v: lines about arguments of tests, addresses of loops, conditions */
};

/* The row's word and number of arguments. */
const char *filter_action_word(enum filter_action_id id);
unsigned filter_action_args(enum filter_action_id id);
const char *filter_test_word(unsigned test); /* filter_test.c */
const char *filter_ask_word(enum filter_ask ask);

/* Instructions of the machine, called by vm_run: VM_OK, or the way the run ends. */
enum vm_status filter_run_action(struct vm *vm, uint32_t operand, const struct str *argv,
                                 unsigned argc);
enum vm_status filter_run_ask(struct vm *vm, uint32_t ask, const struct str *argv,
                              unsigned argc);
/* $thisaddress of a loop. */
void filter_run_this_address(struct vm *vm, struct str address);

/* True if the message is personal: argv are further addresses of the user. filter_personal.c. */
bool filter_is_personal(struct vm *vm, const struct filter_run *run, const struct str *argv,
                        unsigned argc);

#endif
