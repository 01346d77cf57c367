/* Shared by the files of the filter front end: filter_compile.c, filter_command.c, filter_cond.c. */
#ifndef REMEX_FILTER_FILTER_PARSE_H
#define REMEX_FILTER_FILTER_PARSE_H

#include "filter/expand_parse.h"
#include "filter/filter_compile.h"
#include "filter/filter_word.h"

enum { FILTER_NEST_MAX = 200 }; /* if commands, or parentheses, inside each other */

/* The first value and the words of a test, as they stood in the file before: most filters say the same again and again.
 * What was read then is taken over. */
struct filter_phrase {
    const char *p; /* NULL: nothing */
    uint32_t n;    /* up to the second value */
    uint32_t left_n;
    unsigned which;
    bool negated;
    bool header; /* the value is that of a header field, as below */
    uint32_t form;
    struct str name;
};
enum { FILTER_PHRASES = 32 /* a power of two */, FILTER_PHRASE_MIN = 16 };

/* A file being compiled. A parse function returns false after it has noted a syntax error. */
struct filter_parse {
    struct parse expand; /* with the emitter; its text is one argument at a time */
    struct filter_words words;
    struct arena *work; /* of what is needed only while compiling */
    unsigned flags;
    unsigned depth;                 /* of if commands */
    const struct var *this_address; /* NULL: the host has no such variable */
    size_t command_at;              /* offset of the command being compiled */
    struct str command;             /* its word; for conditions STR_NULL */
    struct str error;
    size_t error_at;

    struct filter_phrase phrases[FILTER_PHRASES];

    /* A second reading, to find the argument that an offset lies in. */
    size_t seek; /* STR_NPOS: none */
    struct filter_word sought;
    struct str sought_command;
};

/* Notes a syntax error at an offset. Always false. */
bool filter_parse_error(struct filter_parse *f, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A word or quoted string; an error if it is broken. */
bool filter_parse_item(struct filter_parse *f, bool brackets, struct filter_word *out);
bool filter_parse_word(struct filter_parse *f, bool brackets, struct filter_word *out);
/* True for `$header_name:` and its like, and nothing else. */
bool filter_is_header(struct str text, uint32_t *form, struct str *name);
/* Emits what pushes the expanded text. */
void filter_emit_string(struct filter_parse *f, const struct filter_word *s);
struct filter_test_node {
    const struct filter_word *left, *right;
    uint32_t test;
    size_t at; /* where its errors are */
    const struct filter_phrase
        *phrase; /* of the left value; NULL: it is not known what it is */
};
/* Emits a test of two expanded texts. */
void filter_emit_match(struct filter_parse *f, const struct filter_test_node *t);
/* Pushes an unset value. */
void filter_emit_unset(struct filter_parse *f);
void filter_emit_action(struct filter_parse *f, enum filter_action_id id, unsigned flags);
/* The same with the expanded text as the only argument that is given. */
void filter_emit_action_of(struct filter_parse *f, enum filter_action_id id, unsigned flags,
                           const struct filter_word *text);

/* Commands up to the end of the file, or to the word that ends them inside an if command. */
enum filter_end { FILTER_END_FILE, FILTER_END_ELIF, FILTER_END_ELSE, FILTER_END_ENDIF };
bool filter_parse_commands(struct filter_parse *f, enum filter_end *end);
/* A condition up to "then", which is taken; leaves the answer in the flag. loops: it has a foranyaddress. If save is set, the
 * value of $thisaddress is pushed first in that case. */
bool filter_parse_condition(struct filter_parse *f, bool *loops);

#endif
