/* Address rewriting: the rewrite section, lists of rules in options, and what they make of an address. Source: specification,
 * chapter "Address rewriting".
 */
#ifndef REMEX_ENGINE_REWRITE_H
#define REMEX_ENGINE_REWRITE_H

#include "base/vec.h"
#include "conf/conf.h"

struct eval;
struct vm;

/* Flags of a rule: where it applies, and how. */
enum {
    REWRITE_SENDER = 1u << 0,
    REWRITE_FROM = 1u << 1,
    REWRITE_TO = 1u << 2,
    REWRITE_CC = 1u << 3,
    REWRITE_BCC = 1u << 4,
    REWRITE_REPLY_TO = 1u << 5,
    REWRITE_ENV_FROM = 1u << 6,
    REWRITE_ENV_TO = 1u << 7,
    REWRITE_SMTP = 1u << 8,     /* S */
    REWRITE_QUIT = 1u << 9,     /* q */
    REWRITE_REPEAT = 1u << 10,  /* R */
    REWRITE_WHOLE = 1u << 11,   /* w */
    REWRITE_QUALIFY = 1u << 12, /* Q */
    REWRITE_HEADERS = (1u << 6) - 1,
    REWRITE_PLACES = (1u << 8) - 1,
};

struct rewrite_rule {
    struct str
        pattern; /* one item of an address list, or a regular expression; expanded at use */
    struct str replacement; /* expanded at use; "*": leave alone and stop */
    unsigned flags;
    struct span where;
};

struct rewrite_rules {
    VEC(struct rewrite_rule) v;
    unsigned flags; /* of all rules together */
};

enum { REWRITE_RULES_MAX = 100000, REWRITE_REPEAT_MAX = 10 };

/* What struct conf.rewrite is made by: a struct rewrite_rules. */
extern const struct section_parser rewrite_section;

/* The rules of headers_rewrite: a colon-separated list of rules for header lines. False: *fault has Exim's words. */
bool rewrite_parse_list(struct arena *a, struct str list, struct rewrite_rules *out,
                        struct str *fault);

enum rewrite_note { REWRITE_FAULT, REWRITE_CHANGE, REWRITE_SYNTAX /* of a header line */ };

struct rewriting {
    const struct rewrite_rules *rules;
    struct eval *eval;
    struct vm *vm;
    /* What goes to the logs: faults (to the panic log too), and changes (address_rewrite). May be NULL. */
    void (*log)(void *ctx, enum rewrite_note kind, struct str text);
    void *log_ctx;
    bool
        utf8_domains; /* header lines: domains may have bytes above 127 (allow_utf8_domains, SMTPUTF8) */
    bool strip_angles; /* header lines: strip_excess_angle_brackets */
};

/* Rewrites one item of a header line ("Me <a@b>", place one of the header flags) or an envelope address. Results live in
 * a. True if something changed. */
bool rewrite_item(const struct rewriting *w, struct arena *a, unsigned place, struct str item,
                  struct str *out);
/* The S rules, on the whole argument of MAIL or RCPT. */
bool rewrite_smtp(const struct rewriting *w, struct arena *a, struct str argument,
                  struct str *out);

#endif
