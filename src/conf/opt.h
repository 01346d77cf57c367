/* The option engine: an option is a row.
 *
 * A struct opt table stands beside the struct that its rows fill. Derived from the rows and never
 * written again: parsing, no_x/not_x, defaults, -bP in all its forms, hiding of secrets, the option
 * macros (_OPT_MAIN_…), the reference, the spelling hint, the fuzz dictionary.
 *
 *     static const struct opt rows[] = {
 *         OPT_XSTR(struct router_redirect, data, NULL, 0, "text that gives the new addresses"),
 *         OPT_TIME(struct conf_main, auto_thaw, 0, 0, "…"),
 *     };
 */
#ifndef REMEX_CONF_OPT_H
#define REMEX_CONF_OPT_H

#include "base/diag.h"
#include "base/vec.h"
#include "filter/expand.h"

#include <sys/types.h>

/* Field types. Every number is an int64_t so that ranges are checked in one place. */
enum opt_type {
    OPT_T_BOOL, /* bool */
    OPT_T_BOOL_VERIFY, /* bool[2], two neighbouring fields that are set together ("verify", "fail_verify");
                       * not printed by -bP */
    OPT_T_INT,       /* int64_t, 32-bit range, K/M/G suffixes read; printed plain */
    OPT_T_SIZE,      /* int64_t, 32-bit range; printed with K/M/G */
    OPT_T_KSIZE,     /* int64_t kilobytes, 64-bit range; printed with K/M/G */
    OPT_T_OCTAL,     /* int64_t, printed with a leading 0 */
    OPT_T_FIXED,     /* int64_t thousandths */
    OPT_T_TIME,      /* int64_t seconds */
    OPT_T_TIME_LIST, /* struct opt_times */
    OPT_T_STR,       /* struct str, not expanded */
    OPT_T_XSTR,      /* struct xstr, expanded at use */
    OPT_T_LIST,      /* struct xstr, a string list */
    OPT_T_DOMAINS,   /* struct xstr, the four list kinds */
    OPT_T_HOSTS,
    OPT_T_ADDRESSES,
    OPT_T_LOCALPARTS,
    OPT_T_UID, /* struct opt_id, a fixed user */
    OPT_T_GID,
    OPT_T_XUID, /* struct opt_id with text that is expanded at use */
    OPT_T_XGID,
    OPT_T_UIDS, /* struct opt_ids */
    OPT_T_GIDS,
    OPT_T_REWRITE, /* struct xstr: rewriting rules of headers_rewrite */
    OPT_T_FUNCTION, /* parsed by a function of its own (log_selector, route_list, headers_add…) */
    OPT_T_XBOOL, /* struct opt_xbool: a bool, or a text with $ that is expanded at use */
    OPT_T_XTIME, /* struct opt_xtime: seconds, or a text with $ that is expanded at use */
};

enum {
    OPT_HIDDEN =
        1u << 0, /* not in -bP save by name, no _OPT_… macro: Exim as usually built lacks it */
    OPT_OBSOLETE = 1u << 1, /* accepted with a warning, no effect */
    OPT_SECRET = 1u << 2,   /* value shown to admins only */
    OPT_NO_EFFECT =
        1u << 3, /* known and checked, but nothing uses it yet: -bV lists it when set */
    OPT_REPEATABLE = 1u << 4, /* a second setting adds (headers_add, headers_remove, set, …) */
    OPT_NO_PRINT_EMPTY = 1u << 5,
    OPT_BARE_SECONDS = 1u << 7, /* of a time: a number without a unit is one of seconds */
    /* Not in the list of plain -bP; printed when asked for by name, and there is a macro. */
    OPT_MODULE = 1u << 6,
};

/* A user or group: fixed (set) or as text to expand. */
struct opt_id {
    bool set;
    bool number;      /* written as one: no group comes with it */
    int64_t id;       /* uid or gid */
    struct xstr text; /* text.p != NULL: expand at use */
};

struct opt_ids {
    const int64_t *v;
    uint32_t n;
};

struct opt_xbool {
    bool on;          /* when text.text.p is NULL */
    struct xstr text; /* printed by -bP as `name = text` */
};

struct opt_xtime {
    int64_t s; /* when text.text.p is NULL */
    struct xstr text;
};

struct opt_times {
    const int64_t *v; /* seconds */
    uint32_t n;
};

struct opt;
struct opt_value; /* what stood in the file: opt_parse.h */

struct opt {
    struct str name;
    enum opt_type type;
    unsigned flags;
    size_t offset;
    int64_t number;   /* default of number types and bool */
    const char *text; /* default of text types, NULL = unset */
    const char *doc;
    /* OPT_T_FUNCTION only: parse and print; see opt_parse.h. */
    bool (*parse)(const struct opt_value *v, void *field);
    void (*print)(struct buf *out, const struct opt *o, const void *field);
};

struct opt_table {
    const char *what;       /* "main", "router", "redirect router", … for messages */
    const struct opt *rows; /* sorted by name */
    size_t n;
    size_t size; /* of the struct that they fill */
};

/* Where a row was set. */
struct opt_place {
    int row;
    struct span at;
};

/* One filled struct: the fields, and which rows the file set. */
struct opt_set {
    const struct opt_table *table;
    void *fields;
    uint64_t *set;  /* bit i: rows[i] was set by the file */
    uint64_t *hide; /* bit i: value shown to admins only; all instances of a driver share one */
    VEC(struct opt_place) places; /* of the rows that were set */
};

/* Row macros: they do not compile when the field has another type. */
#define OPT_FIELD(S, f, T)                                                                     \
    /* NOLINTNEXTLINE(bugprone-macro-parentheses): a type has no parentheses there */          \
    (offsetof(S, f) + 0 * sizeof(char[_Generic(((S *)0)->f, T : 1, default : -1)]))
#define OPT_ROW(S, f, T, tag, num, txt, fl, d)                                                 \
    {                                                                                          \
        .name = STR_INIT(#f), .type = (tag), .flags = (fl), .offset = OPT_FIELD(S, f, T),      \
        .number = (num), .text = (txt), .doc = (d)                                             \
    }
#define OPT_BOOL(S, f, def, fl, d) OPT_ROW(S, f, bool, OPT_T_BOOL, def, NULL, fl, d)
#define OPT_INT(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_INT, def, NULL, fl, d)
#define OPT_SIZE(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_SIZE, def, NULL, fl, d)
#define OPT_KSIZE(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_KSIZE, def, NULL, fl, d)
#define OPT_OCTAL(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_OCTAL, def, NULL, fl, d)
#define OPT_FIXED(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_FIXED, def, NULL, fl, d)
#define OPT_TIME(S, f, def, fl, d) OPT_ROW(S, f, int64_t, OPT_T_TIME, def, NULL, fl, d)
#define OPT_TIME_LIST(S, f, def, fl, d)                                                        \
    OPT_ROW(S, f, struct opt_times, OPT_T_TIME_LIST, 0, def, fl, d)
#define OPT_STR(S, f, def, fl, d) OPT_ROW(S, f, struct str, OPT_T_STR, 0, def, fl, d)
#define OPT_XSTR(S, f, def, fl, d) OPT_ROW(S, f, struct xstr, OPT_T_XSTR, 0, def, fl, d)
#define OPT_LIST(S, f, def, fl, d) OPT_ROW(S, f, struct xstr, OPT_T_LIST, 0, def, fl, d)
#define OPT_DOMAINS(S, f, def, fl, d) OPT_ROW(S, f, struct xstr, OPT_T_DOMAINS, 0, def, fl, d)
#define OPT_HOSTS(S, f, def, fl, d) OPT_ROW(S, f, struct xstr, OPT_T_HOSTS, 0, def, fl, d)
#define OPT_ADDRESSES(S, f, def, fl, d)                                                        \
    OPT_ROW(S, f, struct xstr, OPT_T_ADDRESSES, 0, def, fl, d)
#define OPT_LOCALPARTS(S, f, def, fl, d)                                                       \
    OPT_ROW(S, f, struct xstr, OPT_T_LOCALPARTS, 0, def, fl, d)
#define OPT_UID(S, f, def, fl, d) OPT_ROW(S, f, struct opt_id, OPT_T_UID, 0, def, fl, d)
#define OPT_GID(S, f, def, fl, d) OPT_ROW(S, f, struct opt_id, OPT_T_GID, 0, def, fl, d)
#define OPT_XUID(S, f, def, fl, d) OPT_ROW(S, f, struct opt_id, OPT_T_XUID, 0, def, fl, d)
#define OPT_XGID(S, f, def, fl, d) OPT_ROW(S, f, struct opt_id, OPT_T_XGID, 0, def, fl, d)
#define OPT_XBOOL(S, f, def, fl, d)                                                            \
    OPT_ROW(S, f, struct opt_xbool, OPT_T_XBOOL, def, NULL, fl, d)
#define OPT_XTIME(S, f, def, fl, d)                                                            \
    OPT_ROW(S, f, struct opt_xtime, OPT_T_XTIME, def, NULL, fl, d)
#define OPT_REWRITE(S, f, def, fl, d) OPT_ROW(S, f, struct xstr, OPT_T_REWRITE, 0, def, fl, d)
/* A name that sets the two-element bool array f. */
#define OPT_BOOL_VERIFY(S, optname, f, fl, d)                                                  \
    {                                                                                          \
        .name = STR_INIT(optname), .type = OPT_T_BOOL_VERIFY, .flags = (fl),                   \
        .offset = offsetof(S, f) + 0 * sizeof(char[sizeof(((S *)0)->f) == 2 ? 1 : -1]),        \
        .doc = (d)                                                                             \
    }
/* A row under another name than its field has (synonyms). */
#define OPT_ALIAS(S, optname, f, T, tag, num, txt, fl, d)                                      \
    {                                                                                          \
        .name = STR_INIT(optname), .type = (tag), .flags = (fl), .offset = OPT_FIELD(S, f, T), \
        .number = (num), .text = (txt), .doc = (d)                                             \
    }
#define OPT_UIDS(S, f, def, fl, d) OPT_ROW(S, f, struct opt_ids, OPT_T_UIDS, 0, def, fl, d)
#define OPT_GIDS(S, f, def, fl, d) OPT_ROW(S, f, struct opt_ids, OPT_T_GIDS, 0, def, fl, d)

/* Index of the row with that name, or -1. */
int opt_find(const struct opt_table *t, struct str name);
/* A fresh struct with defaults, in the arena. */
struct opt_set opt_new(struct arena *a, const struct opt_table *t);
bool opt_is_set(const struct opt_set *s, int row);
bool opt_is_hidden(const struct opt_set *s, int row);
/* Where the file set the row; no place when it did not. */
struct span opt_where(const struct opt_set *s, int row);
/* The name of the row that is nearest to a misspelt one (a prefix no_ or not_ is kept), or STR_NULL. */
struct str opt_nearest(struct arena *a, const struct opt_table *t, struct str wrong);

/* Appends the option as -bP prints it, with a newline: `name = value`, `name`, `no_name`; with
 * OPT_SHOW_VALUE (-n -bP) the value alone. show_secret false: `name = <value not displayable>` for
 * what is hidden. The functions of OPT_T_FUNCTION rows append the value only, without newline. */
enum opt_show { OPT_SHOW_FULL, OPT_SHOW_VALUE };
void opt_print(struct buf *out, const struct opt_set *s, int row, bool show_secret,
               enum opt_show how);
/* All rows that plain -bP shows, in order. */
void opt_print_all(struct buf *out, const struct opt_set *s, bool show_secret,
                   enum opt_show how);
/* A text as -bP shows it: control and top-bit characters escaped. */
void opt_print_text(struct buf *out, struct str text);
/* 1w2d3h4m5s. */
void opt_print_time(struct buf *out, int64_t seconds);

#endif
