/* Shared by the files of the filter front end: filter_compile.c, filter_command.c, filter_cond.c, filter_trace.c.
 *
 * A file is read once, from its beginning to its end, and code is emitted on the way. The first reading does not note where
 * things stand; when somebody wants to know (an error, a listing), the file is read again with places, which makes the
 * same code.
 */
#ifndef REMEX_FILTER_FILTER_PARSE_H
#define REMEX_FILTER_FILTER_PARSE_H

#include "filter/expand_parse.h"
#include "filter/filter_code.h"
#include "filter/filter_compile.h"
#include "filter/filter_repeat.h"
#include "filter/filter_word.h"

enum { FILTER_NEST_MAX = 200 }; /* if commands, or parentheses, inside each other */

/* The first value and the words of a test, as they stood in the file before: most filters say the same again and again.
 * What was read then is taken over. */
struct filter_phrase {
    const char *p; /* NULL: nothing */
    uint32_t n;    /* up to the second value */
    uint32_t left_n;
    uint32_t operand;
    unsigned char test;
    bool negated;
    bool
        before_quote; /* what follows had to be looked at: a quoted string goes with any words */
};
enum { FILTER_PHRASES = 64 /* a power of two */ };

/* A file being compiled. A parse function returns false after a syntax error. */
struct filter_parse {
    struct parse expand; /* with the emitter; its text is one argument at a time */
    struct filter_words words;
    struct arena *work; /* of what is needed only while compiling */
    unsigned flags;
    unsigned depth;                 /* of if commands */
    const struct var *this_address; /* NULL: the host has no such variable */
    const char *command_at;         /* the command being compiled */
    struct str command;             /* its word; for conditions STR_NULL */

    VEC(struct filter_operand) operands;
    VEC(struct filter_test_row) tests;
    struct filter_phrase phrases[FILTER_PHRASES];
    struct filter_rules rules;
    bool repeats;         /* they are used */
    uint32_t whole;       /* the RULE in whose place all code is wanted */
    const char *endif_to; /* behind the newest "endif" */

    /* A further reading. */
    bool careful; /* with places; if words.counts, for a syntax error */
    struct str error;
    const char *error_at;
    uint32_t seek; /* the word whose text is sought */
    struct filter_word sought;
    struct str sought_command;
};

/* Notes a syntax error at a place. Always false. */
bool filter_parse_error(struct filter_parse *f, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A word or quoted string; an error if it is broken. */
bool filter_parse_item(struct filter_parse *f, bool brackets, struct filter_word *out);
bool filter_parse_word(struct filter_parse *f, bool brackets, struct filter_word *out);

/* Place in the file of what is emitted next. */
static inline void
filter_at(struct filter_parse *f, const char *p)
{
    if (f->careful)
        emit_at(&f->expand.emit, (size_t)(p - f->words.text));
}
/* The line that error messages name. */
static inline uint32_t
filter_line(const struct filter_parse *f)
{
    return filter_words_line(&f->words);
}
/* True for `$header_name:` and its like, and nothing else. */
bool filter_is_header(struct str text, uint32_t *form, struct str *name);
/* Emits what pushes the expanded text. */
void filter_emit_string(struct filter_parse *f, const struct filter_word *s);
/* The number of the operand that a test's first value is. */
uint32_t filter_operand(struct filter_parse *f, const struct filter_word *left);
struct filter_test_node {
    struct filter_word left, right;
    uint32_t operand; /* what left is */
    unsigned char test;
    bool negated;
};
/* The second value of a test, as its kind wants it. */
struct filter_right {
    struct str text;
    bool expands, plain; /* as in struct filter_test_row */
};
struct filter_right filter_take_right(struct filter_parse *f, unsigned test,
                                      const struct filter_word *s);
/* Emits the instruction of a test; returns its word, whose target is still open. */
uint32_t filter_emit_test(struct filter_parse *f, const struct filter_test_node *t);
/* Pushes an unset value. */
void filter_emit_unset(struct filter_parse *f);
void filter_emit_action(struct filter_parse *f, enum filter_action_id id, unsigned flags);
/* The same with the expanded text as the only argument that is given. */
void filter_emit_action_of(struct filter_parse *f, enum filter_action_id id, unsigned flags,
                           const struct filter_word *text);

/* Jumps to a place that is not known yet are a chain through their operands; 0: none. */
typedef uint32_t filter_jumps;
/* Adds the jump that is word `at`, which becomes op. */
static inline void
filter_jumps_add(struct filter_parse *f, filter_jumps *jumps, uint32_t at, enum op op)
{
    f->expand.emit.ins[at] = (uint32_t)op | *jumps << 8;
    *jumps = at + 1;
}
/* They lead to what is emitted next. */
static inline void
filter_jumps_place(struct filter_parse *f, filter_jumps jumps)
{
    uint32_t *ins = f->expand.emit.ins;
    uint32_t here = emit_here(&f->expand.emit);
    while (jumps != 0) {
        uint32_t *word = &ins[jumps - 1];
        jumps = ins_a(*word);
        *word = (uint32_t)ins_op(*word) | here << 8;
    }
}
/* Emits a jump and adds it. */
static inline void
filter_jumps_emit(struct filter_parse *f, filter_jumps *jumps, enum op op)
{
    uint32_t at = emit_here(&f->expand.emit);
    emit_op(&f->expand.emit, op);
    filter_jumps_add(f, jumps, at, op);
}

/* Commands up to the end of the file, or to the word that ends them inside an if command. */
enum filter_end { FILTER_END_FILE, FILTER_END_ELIF, FILTER_END_ELSE, FILTER_END_ENDIF };
bool filter_parse_commands(struct filter_parse *f, enum filter_end *end);
/* A condition up to "then", which is taken; what comes next runs when it holds, *no are the jumps of when it does not. loops: it has
 * a foranyaddress, and the value of $thisaddress was pushed first. */
bool filter_parse_condition(struct filter_parse *f, filter_jumps *no, bool *loops);

/* --- filter_trace.c: what a test with -v prints about conditions --- */

enum filter_trace_kind {
    FILTER_TRACE_TEST,
    FILTER_TRACE_ASK,
    FILTER_TRACE_ANY,
    FILTER_TRACE_AND,
    FILTER_TRACE_OR
};

/* A condition or a part of one, in words. */
struct filter_trace {
    enum filter_trace_kind kind;
    bool negated;
    unsigned which;                   /* TEST: test and case, ASK: question */
    struct str left, right;           /* TEST: values, ANY: left is the list */
    const struct filter_trace *a, *b; /* parts; ANY: a is the condition */
};
/* Emits the instruction that notes whether it holds, as the flag tells. whole: it is not a part. */
void filter_trace_emit(struct filter_parse *f, const struct filter_trace *t, bool whole);

#endif
