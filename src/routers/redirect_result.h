/* What a redirection list or a filter comes to, and its form on the way from the process that is the user.
 *
 * The form is a row of records, each a tag, a length and typed fields. The reader takes it from a stranger: every length is
 * checked, counts and sizes are bounded, texts that become addresses are parsed again by who uses them.
 */
#ifndef REMEX_ROUTERS_REDIRECT_RESULT_H
#define REMEX_ROUTERS_REDIRECT_RESULT_H

#include "base/buf.h"
#include "base/vec.h"
#include "conf/model.h"
#include "filter/filter_run.h"

enum {
    REDIRECT_CHILDREN_MAX = 1000000, /* new addresses of one redirection */
    REDIRECT_FAULTS_MAX =
        1000, /* syntax errors that are told; further ones are counted as such */
    REDIRECT_EDITS_MAX = 65536, /* header lines added or removed by a system filter */
    REDIRECT_BYTES_MAX = 128 * 1024 * 1024,
};

enum redirect_end {
    REDIRECT_END_NONE,  /* nothing came out of it: the router declines */
    REDIRECT_END_ITEMS, /* children */
    REDIRECT_END_SEEN,  /* a filter handled it all: children, perhaps none ("seen finish") */
    REDIRECT_END_BLACKHOLE, /* :blackhole: */
    REDIRECT_END_DEFER,     /* text; children of a filter are delivered all the same */
    REDIRECT_END_FAIL,
    REDIRECT_END_FREEZE,
    REDIRECT_END_ABSENT, /* there is no such file, and that is all right */
    REDIRECT_END_BAD, /* a fault of the list or filter: text, framed by the user of the result */
    REDIRECT_END_BROKEN, /* the same, found by a filter itself: skip_syntax_errors passes over it */
    REDIRECT_END_TROUBLE, /* a fault on the way to it: text as it stands */
    REDIRECT_ENDS,
};

/* One new address. */
struct redirect_child {
    enum address_item item;
    bool own_domain; /* "\local": qualified with the domain of the parent */
    bool ignore_error;
    int64_t mode; /* of a file; -1 */
    struct str text;
    struct str errors_to;              /* or unset */
    const struct filter_action *reply; /* ADDRESS_ITEM_REPLY */
};

/* A syntax error that was passed over, or the one of a filter. */
struct redirect_fault {
    struct str text;  /* "domain missing or malformed" */
    struct str given; /* the item, or unset */
};

/* A change of the header by a system filter, in order. */
struct redirect_edit {
    bool remove;
    struct str text; /* lines, or names */
};

struct redirect_result {
    enum redirect_end end;
    bool filter; /* it was a filter, else a list */
    int64_t sys_errno;
    struct str text;
    VEC(struct redirect_child) children;
    VEC(struct redirect_fault) faults;
    VEC(struct redirect_edit) edits;
    int64_t counters[10]; /* $n0 to $n9 */
};

/* Appends the records. Too much for the bounds becomes a fault in their place. */
void redirect_result_write(struct buf *out, const struct redirect_result *r);
/* Reads them back; texts are copied into a. False: not what redirect_result_write writes, *out is then empty. */
bool redirect_result_read(struct arena *a, struct str bytes, struct redirect_result *out);

#endif
