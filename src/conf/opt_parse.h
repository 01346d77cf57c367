/* Option settings: one logical line `[hide] name = value` into the field of its row.
 *
 * The texts of the errors are Exim's. A fault never changes the field. Nothing here knows which
 * section of the file the line stands in.
 */
#ifndef REMEX_CONF_OPT_PARSE_H
#define REMEX_CONF_OPT_PARSE_H

#include "conf/opt.h"

enum { OPT_NAME_MAX = 63 }; /* longer names are cut, as in Exim */

/* What the parsing of a setting may use. */
struct opt_ctx {
    struct arena *arena; /* of the configuration */
    struct diags *diags;
    struct vm *vm; /* for lists of users and groups, which are expanded at once; may be NULL */
    struct user_cache *users; /* sys/user.h; may be NULL */
    /* Checks the rules of an OPT_T_REWRITE value; NULL: not checked. */
    bool (*rewrite)(struct arena *a, struct str text, const struct textmap *map,
                    struct diags *diags);
};

/* A setting whose name has been read. */
struct opt_line {
    struct str text; /* logical line */
    const struct textmap *map;
    bool hide;
    struct str name; /* as written, with no_ */
    size_t name_at;
    size_t rest; /* offset of what follows the name and white space */
};

/* What an OPT_T_FUNCTION row is given. */
struct opt_value {
    const struct opt_ctx *ctx;
    struct str name;           /* of the row */
    struct str text;           /* value, quotes taken off */
    const struct textmap *map; /* of text */
    bool again;                /* the row was set before (OPT_REPEATABLE) */
};

enum opt_result { OPT_DONE, OPT_UNKNOWN, OPT_FAULT };

/* Reads "hide" and the name. The name is empty when the line has none. */
struct opt_line opt_line_scan(struct str text, const struct textmap *map);
/* Sets the option of s that the line names. OPT_UNKNOWN: s has none of that name, nothing was reported. */
enum opt_result opt_parse(const struct opt_ctx *ctx, struct opt_set *s,
                          const struct opt_line *line);

/* Reads a string value that starts at `at` of the line: quoted with escapes, or the rest. False: reported;
 * name goes into the message. *map is the map of the value. */
bool opt_read_string(const struct opt_ctx *ctx, const struct opt_line *line, size_t at,
                     struct str name, struct str *out, const struct textmap **map);

/* Reports a fault in a value (offset at, n bytes underlined). Always false. */
bool opt_fault(const struct opt_value *v, size_t at, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Seconds of a time interval ("1h30m") or -1. */
int64_t opt_read_time(struct str text);
/* The number types other than time: *out, and *used bytes were read from the front of text. */
enum opt_number { OPT_NUMBER_OK, OPT_NUMBER_NONE, OPT_NUMBER_OVERFLOW };
enum opt_number opt_read_number(enum opt_type type, struct str text, int64_t *out,
                                size_t *used);

#endif
