/* What the command of a queryprogram router answers: one line, a word and what belongs to it. Source: specification, chapter
 * "The queryprogram router".
 */
#ifndef REMEX_ROUTERS_QUERY_ANSWER_H
#define REMEX_ROUTERS_QUERY_ANSWER_H

#include "base/str.h"

struct arena;

enum query_answer_kind {
    QUERY_ACCEPT,
    QUERY_DECLINE,
    QUERY_FAIL,
    QUERY_DEFER,
    QUERY_FREEZE,
    QUERY_PASS,
    QUERY_REDIRECT,
    QUERY_UNKNOWN,
};

enum { QUERY_ANSWER_MAX = 1023 }; /* bytes of the line; what is beyond is cut off */

struct query_answer {
    enum query_answer_kind kind;
    struct str word; /* as it was written */
    struct str text; /* the rest, trimmed: a message, or new addresses */
    /* Of accept; unset without. */
    struct str transport, hosts, lookup, data;
};

/* Values keep the mark of the output. */
struct query_answer query_answer_read(struct arena *a, struct str output);

#endif
