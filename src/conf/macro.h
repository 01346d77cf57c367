/* Macros of the configuration file.
 *
 * Exim replaces macro after macro, in the order of their definition, in every physical line; a name
 * matches anywhere, even inside a word; what a macro gives is read again for later macros only. The
 * result here is the same, but the line is searched once for all names, and again only after a
 * replacement. Built-in macros come before all others.
 */
#ifndef REMEX_CONF_MACRO_H
#define REMEX_CONF_MACRO_H

#include "base/diag.h"
#include "conf/conf.h"
#include "conf/textmap.h"

enum {
    MACRO_NAME_MAX = 63,
    MACRO_LINE_MAX = 1 << 20,  /* bytes of a line after a replacement */
    MACRO_TOTAL_MAX = 1 << 26, /* bytes that all replacements together may make */
};

struct macro_table;

/* With the macros of -D and the built-in ones of the request. */
struct macro_table *macro_table_new(struct arena *a, const struct conf_request *rq);

enum macro_result {
    MACRO_OK,
    MACRO_DUPLICATE, /* already defined */
    MACRO_UNDEFINED, /* == without an earlier = */
    MACRO_CONTAINS,  /* an earlier macro's name (*other) is a part of the name */
};

/* Defines (or redefines) a macro; ignored when -D set it. Strings are kept, not copied. */
enum macro_result macro_define(struct macro_table *t, struct str name, struct str text,
                               struct span where, bool redefine, struct str *other);

/* A line on its way through the macros. */
struct macro_line {
    struct str text;
    struct textmap_runs runs; /* filled when replaced */
    bool replaced;
};

enum macro_limit {
    MACRO_FITS,
    MACRO_LINE_TOO_LONG, /* more than MACRO_LINE_MAX bytes */
    MACRO_TOO_MUCH,      /* the macros of this configuration are a bomb */
};

/* Replaces macros in line->text from offset `from` on; line->text stands at (line_no, col) of its source. New
 * texts live in a. */
enum macro_limit macro_replace(struct macro_table *t, struct arena *a, struct macro_line *line,
                               size_t from, uint32_t line_no, uint32_t col);

/* False only if macro_replace would find nothing to do in all of the text. t: NULL for a table
 * without user macros. */
bool macro_may_occur(const struct macro_table *t, struct str text);

/* User macros in order of definition. */
size_t macro_count(const struct macro_table *t);
struct macro *macro_at(const struct macro_table *t, size_t i);

/* Calls fn for every built-in macro of a request, in Exim's order of replacement. */
void macro_each_builtin(struct arena *a, const struct conf_request *rq,
                        void (*fn)(void *ctx, struct str name, struct str text), void *ctx);

#endif
