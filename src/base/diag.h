/* Diagnostics for whoever writes configuration and filters.
 *
 *     file:line:col: error: text
 *         the source line
 *           ^~~~
 *     file:line: note: macro ADMIN expanded here
 *
 * Code that finds a fault adds a diag and goes on where it can; only the caller at the top prints.
 * A text that was assembled (continuation lines joined, macros replaced, quotes taken off) carries
 * a textmap, which leads each byte back to the place in a file that it came from.
 */
#ifndef REMEX_BASE_DIAG_H
#define REMEX_BASE_DIAG_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct arena;
struct buf;

/* One text that was read: a file, the command line, a string handed over. */
struct source {
    struct str name; /* as shown to the user */
    struct str text; /* whole content if kept, to quote the line; else STR_NULL */
    const struct source *included_from;
    uint32_t included_line;
};

/* A place. line and col count from 1; col 0 means the whole line. */
struct span {
    const struct source *source;
    uint32_t line;
    uint32_t col;
    uint32_t n;       /* bytes underlined, 0 means one caret */
    struct str macro; /* name of the macro whose text this is, or STR_NULL */
    uint32_t
        last_line; /* last physical line of the logical line, the one Exim names; 0: line */
};

/* A run of an assembled text that lies consecutively in a source. */
struct textmap_run {
    uint32_t at; /* offset in the assembled text where the run starts */
    uint32_t line;
    uint32_t col;
    bool fixed; /* all bytes of the run stand for the one place line:col (text of a macro) */
    struct str macro;
};

/* Where an assembled text came from: runs sorted by `at`, the first at 0. */
struct textmap {
    const struct source *source;
    const struct textmap_run *runs;
    uint32_t n;
    uint32_t last_line; /* see struct span */
};

/* The place of bytes [at, at + n) of the assembled text. m may be NULL: then no place. */
struct span textmap_span(const struct textmap *m, size_t at, size_t n);

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
    enum diag_level level;
    struct span at;  /* at.source may be NULL */
    struct str text; /* what remex says */
    struct str exim; /* the same fault in Exim's words, without the place; may be STR_NULL */
    struct str hint; /* "did you mean ...", may be STR_NULL */
    struct str code; /* text the caret points into when there is no source, or STR_NULL */
    struct str
        exim_place; /* what Exim puts between "configuration error" and the colon when that is not
                            * " in line N of FILE": "" or " for r router"; STR_NULL: the line */
};

struct diags;

/* At most max errors are kept (the architecture says 20); 0 means 20. */
struct diags *diags_new(struct arena *a, size_t max);
/* Adds one; strings are copied. Dropped silently when max is reached (diags_full tells). */
void diags_add(struct diags *d, const struct diag *one);
/* Shorthand: an error at a place, text formatted; exim's wording the same text. */
void diags_error(struct diags *d, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diags_warn(struct diags *d, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
size_t diags_count(const struct diags *d, enum diag_level level);
bool diags_full(const struct diags *d);
/* The i-th in order of arrival. */
const struct diag *diags_at(const struct diags *d, size_t i);
size_t diags_total(const struct diags *d);

/* Appends the long form: place, text, source line, caret, notes for macro and include, hint. */
void diag_render(struct buf *out, const struct diag *one);

/* The nearest of n names within a third of the length in edit distance, or STR_NULL. */
struct str diag_nearest(struct str wrong, const struct str *names, size_t n);

PLUGIN_API_END

#endif
