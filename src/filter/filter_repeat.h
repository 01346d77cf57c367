/* Rules that are made like an earlier one: the same words with other texts in it; see filter_repeat.c. For the files
 * filter_*.c only. */
#ifndef REMEX_FILTER_FILTER_REPEAT_H
#define REMEX_FILTER_FILTER_REPEAT_H

#include "filter/filter_word.h"

struct filter_parse;

enum {
    FILTER_SLOTS = 8, /* of one rule */
    FILTER_RULE_CONSTS = 16,
    FILTER_RULE_TEXT = 2000, /* bytes */
    FILTER_RULES = 64,       /* a power of two */
    FILTER_RULE_WAYS = 4,    /* rules that begin in the same way */
};
static const uint32_t FILTER_NO_TEST = UINT32_MAX;

/* A text that may differ: the second value of a test in quotes, or the argument of an action. */
struct filter_slot {
    uint32_t at; /* bytes between the text before (or the start of the rule) and this one */
    uint32_t n;  /* bytes of the text in the file */
    uint32_t constant; /* from the rule's first */
    uint32_t test;     /* whose second value it is, or FILTER_NO_TEST */
    bool quoted;
    bool pattern; /* of a test that matches one */
};

/* A rule as it was compiled: where its text and its code are. */
struct filter_rule {
    const char *p; /* NULL: nothing */
    uint32_t tail; /* bytes behind the last text, up to the one behind "endif" */
    uint32_t slots_n;
    struct filter_slot slots[FILTER_SLOTS];
    uint32_t word;
    uint32_t constant, constants_n;
};

struct filter_rules {
    struct filter_rule *v[FILTER_RULES][FILTER_RULE_WAYS]; /* NULL: none yet */
    unsigned char next[FILTER_RULES];                      /* which is overwritten next */
    /* The rule that is being compiled. */
    bool fits;
    const char *from;   /* its start */
    const char *passed; /* behind its last slot */
    struct filter_rule now;
};

/* Takes if commands that are made like earlier ones. False: the next one is not, and nothing was taken. */
bool filter_repeat(struct filter_parse *f);
/* An if command starts at `from` whose parts are noted, until filter_repeat_end. */
void filter_repeat_start(struct filter_parse *f, const char *from);
/* It ended at `to`, where its "endif" ends. True: it is remembered, and a RULEEND must come next. */
bool filter_repeat_end(struct filter_parse *f, const char *to);
/* A text of it became a constant, perhaps a test's second value. */
void filter_repeat_note(struct filter_parse *f, const struct filter_word *s, uint32_t constant,
                        uint32_t test);

#endif
