/* The inside of lists: for the files list*.c only. */
#ifndef REMEX_CONF_LIST_STATE_H
#define REMEX_CONF_LIST_STATE_H

#include "conf/conf.h"
#include "conf/list.h"
#include "mail/ip.h"
#include "sys/iface.h"

struct regex;
struct regex_ctx;

enum item_kind {
    ITEM_LITERAL, /* only while compiling: goes into the set */
    ITEM_EMPTY,   /* the empty sender, or no host */
    ITEM_ANY,
    ITEM_NEVER, /* can match nothing (10.0.0.0/33) */
    ITEM_SUFFIX,
    ITEM_REGEX,
    ITEM_SELF,  /* @ */
    ITEM_LOCAL, /* @[] */
    ITEM_MX,
    ITEM_LOOKUP,
    ITEM_NAMED,
    ITEM_FILE,
    ITEM_CASEFUL,
    ITEM_UNKNOWN_INCLUDE,
    ITEM_UNKNOWN_IGNORE,
    ITEM_DEFER_INCLUDE,
    ITEM_DEFER_IGNORE,
    ITEM_NET,       /* hosts: address or network */
    ITEM_MALFORMED, /* hosts: digits and dots that are no address */
    ITEM_FORWARD,   /* hosts: a name to find addresses for */
    ITEM_NAME,      /* hosts: compared with the host's name as it is */
    ITEM_ADDRESS,   /* addresses: local part and domain apart */
    ITEM_CHAIN,     /* addresses: @@lookup */
};

/* One item that is not a plain literal. Lives as long as its list; the fields at the end are filled in
 * at first use. */
struct list_item {
    enum item_kind kind;
    bool negate;
    bool bare;       /* ITEM_ADDRESS: the pattern has no @ */
    uint32_t pos;    /* place in the list, literals counted */
    struct str text; /* without the exclamation mark */
    struct str arg;  /* suffix, list name, lookup type, local part */
    struct str data; /* file or query of a lookup, text of /ignore= */
    int mask;        /* net<mask>-lookup; -1: none. ITEM_MX: enum host_resolve_kind */
    bool net;        /* net- was there */
    struct ip_net in;
    const struct list *sub;    /* domain part; text of a named list */
    const struct regex *re[2]; /* caseful, caseless */
    const struct named_list *named;
    bool fixed; /* the text of that has nothing to expand */
};

/* A literal member. text is the item, key the part that is compared. */
struct list_literal {
    struct str text;
    struct str key;
    struct str folded; /* in lower case */
    uint32_t pos;
    uint32_t next; /* index + 1 of the next with the same folded key */
    bool negate;
    bool caseful;
};

struct list_set {
    const struct list_literal *v;
    uint32_t n;
    uint32_t slots;        /* a power of two */
    const uint32_t *index; /* number + 1 of the first literal of a folded key; 0: free */
};

struct list {
    enum list_kind kind;
    struct arena *arena;
    struct list_item *items;
    uint32_t n;
    uint32_t count; /* places, literals counted */
    struct list_set set;
    bool ends_negated;
    bool from_file;
    bool kept;            /* lives in the cache */
    struct str text;      /* if so: what it was made from, */
    struct list *similar; /* and the next whose text has the same fingerprint */
};

struct list_result {
    const struct named_list *named;
    struct str subject;
    bool caseful;
    bool used;
    bool matched;
    struct str value;
};

enum { LIST_RESULTS = 64 };

struct list_file {
    struct arena *arena;
    uint64_t dev, inode, size;
    int64_t mtime_ns, read_ns;
    const struct list *list;
};

struct list_cache {
    struct arena *arena;        /* compiled lists */
    struct arena *short_;       /* what list_cache_forget clears */
    struct map *texts[4];       /* fingerprint -> struct list, a chain */
    const struct list *last[4]; /* found by text most recently */
    struct map *fixed[4];       /* bytes of the text's address -> struct list */
    struct map *files[4];       /* path -> struct list_file */
    size_t file_bytes;
    const struct conf *conf;
    struct list_result *results;
    struct iface_addresses *local; /* of this host; NULL: to be looked for */
    struct arena *local_arena;     /* what local is in */
    int64_t local_until_ms;        /* so long what was found last is good */
    bool full;
    unsigned depth;
};

/* One list_match, or the domain part of one. */
struct list_run {
    struct eval *e;
    struct vm *vm;
    const struct list_question *q;
    struct list_cache *cache;
    enum list_kind kind;
    struct str subject; /* as given; a domain of an address in lower case */
    struct str lower;
    struct str domain; /* addresses: of lower */
    struct str exact;  /* what literals are compared with when case counts */
    struct str exact_domain;
    bool caseful;
    bool captures; /* items set $0.. */
    unsigned depth;
    struct str value;
    /* hosts */
    struct ip ip;
    struct str names; /* separated by newlines */
    bool names_known;
    struct str why_unknown; /* after STEP_UNKNOWN */
};

/* How the test of one item ended. */
enum step {
    STEP_NO,
    STEP_YES,
    STEP_UNKNOWN, /* a name or address cannot be found: +include_unknown, +ignore_unknown */
    STEP_DEFER,   /* +include_defer, +ignore_defer */
    STEP_STOP,    /* temporary, whatever the list says */
    STEP_ERROR,
};

/* How a walk over the items of a list ended. */
enum verdict {
    VERDICT_YES, /* an item matched */
    VERDICT_NOT, /* a negated item matched */
    VERDICT_END, /* none did */
    VERDICT_IN,  /* in the set, by +include_unknown or +include_defer */
    VERDICT_OUT, /* not in the set: something is unknown */
    VERDICT_DEFER,
    VERDICT_ERROR,
};

/* What the + options of a host list ask for, as the walk goes on; lines of a file are under them too. */
enum policy { POLICY_FAIL, POLICY_INCLUDE, POLICY_IGNORE };

struct walk {
    enum policy unknown, defer;
    bool ends_negated;
    const struct list_literal *literal; /* the next one that matches */
};

/* --- list_compile.c --- */

/* Never fails; what is wrong with an item shows when it is reached. */
struct list *list_compile(struct arena *a, enum list_kind kind, struct str text);
/* The whole text as the one item (domain of an address pattern); leading ! and space are read. */
struct list *list_compile_one(struct arena *a, enum list_kind kind, struct str text);
/* Content of a file. */
struct list *list_compile_lines(struct arena *a, enum list_kind kind, struct str content);
/* Items of @@ data: patterns only, nothing indirect. *next: the key after > in the last item. */
struct list *list_compile_patterns(struct arena *a, enum list_kind kind, struct str text,
                                   struct str *next);

/* --- list_set.c --- */

struct list_set list_set_new(struct arena *a, struct list_literal *v, size_t n);
/* The first literal at or after place `from` whose folded key is that, and where case counts the key is
 * exact. NULL: none. */
const struct list_literal *list_set_find(const struct list_set *s, struct str folded,
                                         struct str exact, bool caseful, uint32_t from);
/* In lower case; the same bytes when they are already. */
struct str list_fold(struct arena *a, struct str s);

/* --- list_cache.c --- */

/* Round one list_match. */
void list_cache_enter(struct list_run *r);
void list_cache_leave(struct list_run *r);
/* After something was added. */
void list_cache_grown(struct list_cache *c);
/* The compiled form of a text, cached when it can be. */
const struct list *list_for_text(struct list_run *r, enum list_kind kind, struct str text);
/* The same for the whole question, whose text may be known by its address. */
const struct list *list_for_question(struct list_run *r, const struct list_question *q);

/* --- list.c --- */

/* The whole answer, with the rule that a list whose last item is negative includes all the rest. */
enum outcome list_run(struct list_run *r, const struct list *l);
/* The walk alone. */
enum verdict list_walk(struct list_run *r, struct walk *w, const struct list *l);
void list_log(struct list_run *r, bool panic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Sets $0.. if this list is one that does. */
void list_capture(struct list_run *r, const struct str *caps, unsigned n);
/* A comparison is made: what $0.. had is void. Host lists leave it. */
void list_clear_captures(struct list_run *r);
/* $0 is the subject, in lower case unless case counts. */
void list_capture_subject(struct list_run *r);

/* --- list_string.c: items of domain lists and local part lists, and what all kinds share --- */

enum step list_string_step(struct list_run *r, struct list_item *item, const struct list *l);
enum step list_regex_step(struct list_run *r, struct list_item *item, const struct list *l,
                          struct str subject);
/* False, with an error set, when the type is not known. */
bool list_lookup_is_query(struct list_run *r, struct str type, bool *query);
enum step list_lookup_step(struct list_run *r, const struct list_item *item, struct str key,
                           struct str type, struct str *data);
enum step list_named_step(struct list_run *r, struct list_item *item, const struct list *l);

/* --- list_file.c --- */

/* As if the lines stood in the list: VERDICT_END when none matches. *ends_negated: the last line is
 * negative. */
enum verdict list_file_walk(struct list_run *r, const struct walk *w,
                            const struct list_item *item, const struct list *l,
                            bool *ends_negated);

/* --- list_host.c --- */

enum step list_host_step(struct list_run *r, struct list_item *item, const struct list *l);

/* --- list_local.c --- */

const struct iface_addresses *list_local_addresses(struct list_run *r);
bool list_is_local_ip(struct list_run *r, const struct ip *ip);
bool list_is_local(struct list_run *r, struct str address);

/* --- list_mx.c --- */

enum step list_mx_step(struct list_run *r, const struct list_item *item);

/* --- list_address.c --- */

enum step list_address_step(struct list_run *r, struct list_item *item, const struct list *l);

#endif
