/* Lists of redirection: the right-hand sides of alias files and traditional .forward files.
 *
 * Items are separated by commas and newlines. One that is wholly in double quotes is meant without them. The list is cut
 * here and each item is said to be what it is; nothing is looked up, opened or permitted. Source: specification, chapter "The
 * redirect router", sections 22.4 to 22.6.
 */
#ifndef REMEX_MAIL_REDIRECT_LIST_H
#define REMEX_MAIL_REDIRECT_LIST_H

#include "base/str.h"

struct arena;

enum redirect_item_kind {
    REDIRECT_ADDRESS, /* text: local-part or local-part@domain */
    REDIRECT_LOCAL,   /* "\local": text is the local part, meant in the domain of the parent */
    REDIRECT_FILE,    /* text: the path */
    REDIRECT_PIPE,    /* text: "|command" */
    REDIRECT_INCLUDE, /* text: the path, which need not be absolute */
    REDIRECT_BLACKHOLE,
    REDIRECT_DEFER, /* text: what stands behind it to the end of the line, commas and all */
    REDIRECT_FAIL,
    REDIRECT_UNKNOWN,
    REDIRECT_EMPTY, /* nothing but comments */
    REDIRECT_BAD,   /* text: Exim's words for the syntax error */
};

struct redirect_item {
    enum redirect_item_kind kind;
    struct str text;
    struct str given; /* the item as it stands there, for messages */
};

struct redirect_list {
    struct str rest;
    size_t line;    /* bytes of rest that are known to be of one line */
    unsigned flags; /* ADDRESS_* of mail/address.h */
};

struct redirect_list redirect_list_start(struct str text, unsigned flags);
/* The next item; false at the end. Texts are part of the list or live in a. */
bool redirect_list_next(struct redirect_list *l, struct arena *a, struct redirect_item *out);

/* True if a text behind :fail: or :defer: begins with an SMTP code and a space ("550 5.1.1 text"). *code is it, *enhanced
 * the extended code or STR_NULL, *rest the text. */
bool redirect_text_code(struct str text, int *code, struct str *enhanced, struct str *rest);

#endif
