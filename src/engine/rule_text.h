/* What the lines of the retry and the rewrite section have in common: words with quotes, a pattern that is one
 * item of an address list, faults with a place.
 */
#ifndef REMEX_ENGINE_RULE_TEXT_H
#define REMEX_ENGINE_RULE_TEXT_H

#include "conf/conf.h"

struct eval;
struct vm;

/* A line and how far it was read. */
struct rule_text {
    struct str text;
    size_t at;
};

/* The next byte, or NUL at the end. */
char rule_text_peek(const struct rule_text *t);
void rule_text_skip_space(struct rule_text *t);
/* A word that ends at white space, or a quoted string with its escapes replaced. */
struct str rule_text_word(struct rule_text *t, struct arena *a);
/* A word that ends at white space; quotes are nothing special. */
struct str rule_text_plain_word(struct rule_text *t);

/* A fault in bytes [at, at + n) of a line, in Exim's words. */
void rule_text_fault(struct diags *diags, const struct conf_line *line, size_t at, size_t n,
                     struct str words);

struct rule_match {
    struct eval *eval;
    struct vm *vm;
    struct str pattern; /* expanded here */
    struct str subject;
    bool whole_list; /* pattern is a list, not one item */
    bool rewriting;  /* case of local parts counts, and $0.. are set on a match */
};

/* Expands the pattern and matches the address. When it cannot be done: false and *fault,
 * what to log. */
bool rule_text_match(const struct rule_match *m, struct str *fault);

#endif
