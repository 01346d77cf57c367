/* Regular expressions (PCRE2) with limits on every match. */
#ifndef REMEX_SYS_REGEX_H
#define REMEX_SYS_REGEX_H

#include "base/str.h"

struct arena;
struct regex;
struct regex_ctx;

enum {
    REGEX_CASELESS = 1u << 0,
    REGEX_UTF = 1u << 1,
    REGEX_ANCHORED = 1u << 2,
};

/* Compiles into memory that the arena frees. NULL on a bad pattern: *error (in a) and *at say why and
 * where. A pattern longer than 64 KiB is refused. A struct regex may be shared by threads. */
struct regex *regex_compile(struct arena *a, struct str pattern, unsigned flags,
                            struct str *error, size_t *at);

/* What one thread needs to match: match data and limits; freed with the arena. */
struct regex_ctx *regex_ctx_new(struct arena *a);

/* Matches; fills caps[0..] ($0 and groups, unset ones empty) up to max. Returns the number of captures
 * (at least 1), 0 for no match, -1 when a limit was hit or the subject is not valid for the
 * pattern. The captures point into the subject and carry its mark. */
int regex_match(const struct regex *re, struct regex_ctx *ctx, struct str subject,
                struct str *caps, unsigned max);
/* The same from an offset (for repeated matches; not at an empty match there when not_empty). */
int regex_match_from(const struct regex *re, struct regex_ctx *ctx, struct str subject,
                     size_t from, bool not_empty, struct str *caps, unsigned max);

#endif
