/* Handles and results. See lookup_cache.h for the rules.
 *
 * A file whose times are so fresh that a second change could leave them as they are is opened again at each
 * use until they are old enough: no change may be missed. Nesting keeps a handle that is in use from being
 * closed: while lookups are nested nothing is evicted.
 */
#include "lookups/lookup_cache.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "sys/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* File times advance with the kernel's tick, at most 10 ms; some network file systems are coarser. */
#define FRESH_NS INT64_C(50000000)
/* A file that was held against its handle this recently is taken to be the same: a system call for each of
 * a run of lookups costs more than the lookups. */
#define LOOK_EVERY_NS INT64_C(10000000)

struct file_id {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};

struct result {
    bool found;
    struct str data;
};

struct entry {
    struct lookup_handle h; /* first: a handle is its entry */
    struct file_id id;
    bool watched;        /* id is meant */
    int64_t looked_ns;   /* when it was last held against the file */
    bool fresh;          /* the file's times were too new to tell a later change */
    unsigned busy;       /* lookups further out that are using it */
    struct arena *arena; /* of the entry itself */
    struct arena *results_arena;
    struct map *results;
};

struct loaded {
    const struct lookup_driver *row, *driver;
};

/* A type that was parsed; text is a copy. */
struct parsed {
    struct str text;
    struct lookup_type type;
};

enum { PARSED_N = 64 };

struct lookup_cache {
    struct parsed parsed[PARSED_N];
    VEC(struct entry *) entries; /* most recently used first */
    VEC(struct loaded) loaded;
    struct arena *arena;
    struct arena *shown; /* what variables show of lookups */
    unsigned nesting;
    void (*log)(void *ctx, struct str line);
    void *log_ctx;
};

static void
entry_close(struct entry *e)
{
    if (e->h.driver->close != NULL && e->h.state != NULL)
        e->h.driver->close(e->h.state);
    arena_free(e->results_arena);
    arena_free(e->arena);
}

void
lookup_cache_flush(struct lookup_cache *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->entries.n; i++) {
        if (c->entries.v[i]->busy > 0)
            c->entries.v[kept++] = c->entries.v[i];
        else
            entry_close(c->entries.v[i]);
    }
    c->entries.n = kept;
}

static void
cache_free(void *ctx)
{
    struct lookup_cache *c = ctx;
    for (size_t i = 0; i < c->entries.n; i++)
        entry_close(c->entries.v[i]);
    c->entries.n = 0;
    arena_free(c->shown);
}

struct lookup_cache *
lookup_cache_new(struct arena *a)
{
    struct lookup_cache *c = ARENA_NEW(a, struct lookup_cache);
    c->arena = a;
    arena_on_free(a, cache_free, c);
    return c;
}

void
lookup_cache_log_to(struct lookup_cache *c, void (*log)(void *ctx, struct str line), void *ctx)
{
    c->log = log;
    c->log_ctx = ctx;
}

void
lookup_cache_log(struct lookup_cache *c, struct str line)
{
    if (c->log != NULL) {
        c->log(c->log_ctx, line);
        return;
    }
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32] = "";
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
    (void)fprintf(stderr, "%s %.*s\n", stamp, STR_ARG(line));
}

void
lookup_show_ldap_dn(struct lookup_ctx *x, struct str dn)
{
    struct lookup_cache *c = x->eval->lookups;
    if (c->shown == NULL)
        c->shown = arena_new();
    arena_clear(c->shown);
    x->eval->ldap_dn = str_dup(c->shown, dn);
}

/* Whether the entry keeps something open (dsearch does not). */
static bool
is_open(const struct entry *e)
{
    return e->h.state != NULL && e->h.driver->close != NULL;
}

size_t
lookup_cache_files(const struct lookup_cache *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->entries.n; i++)
        n += is_open(c->entries.v[i]);
    return n;
}

bool
lookup_cache_enter(struct lookup_cache *c, struct lookup_handle *h)
{
    if (c->nesting >= LOOKUP_NESTING_MAX)
        return false;
    c->nesting++;
    ((struct entry *)h)->busy++;
    return true;
}

void
lookup_cache_leave(struct lookup_cache *c, struct lookup_handle *h)
{
    c->nesting--;
    ((struct entry *)h)->busy--;
}

/* A slot is filled once and never again: types in use point into its text. */
enum vm_status
lookup_cache_type(struct lookup_cache *c, struct vm *vm, struct str text,
                  struct lookup_type *out)
{
    if (text.n == 0 || str_is_tainted(text))
        return lookup_type_parse(vm, text, out);
    unsigned mix =
        text.n * 31 + (unsigned char)text.p[text.n - 1] * 7 + (unsigned char)text.p[text.n / 2];
    struct parsed *slot = &c->parsed[mix % PARSED_N];
    if (slot->text.n == text.n && memcmp(slot->text.p, text.p, text.n) == 0) {
        *out = slot->type;
        return VM_OK;
    }
    enum vm_status st = lookup_type_parse(vm, text, out);
    if (st != VM_OK || slot->text.n != 0)
        return st;
    slot->text = str_dup(c->arena, text);
    return lookup_type_parse(vm, slot->text, &slot->type);
}

/* --- plugins --- */

static const struct lookup_driver *
find_in_plugin(const struct plugin *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct lookup_driver *d = p->objects[i];
        if (str_eq(d->name, name))
            return d;
    }
    return NULL;
}

const struct lookup_driver *
lookup_cache_driver(struct lookup_cache *c, struct lookup_ctx *x, const struct lookup_driver *d)
{
    if (d->plugin == NULL)
        return d;
    for (size_t i = 0; i < c->loaded.n; i++)
        if (c->loaded.v[i].row == d)
            return c->loaded.v[i].driver;
    struct str why = STR_NULL;
    const struct plugin *p = plugin_load(vm_scratch(x->vm), x->eval->process.plugin_directory,
                                         d->plugin, PLUGIN_KIND_LOOKUP, &why);
    const struct lookup_driver *real = p != NULL ? find_in_plugin(p, d->name) : NULL;
    if (real == NULL) {
        vm_fail(x->vm, "lookup type \"%.*s\" is not available: %.*s", STR_ARG(d->name),
                STR_ARG(p != NULL ? STR_LIT("its plugin does not have it") : why));
        return NULL;
    }
    vec_push(c->arena, &c->loaded, ((struct loaded){d, real}));
    return real;
}

/* --- handles --- */

static int64_t
ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static struct file_id
id_of(const struct stat *st)
{
    return (struct file_id){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool
id_same(const struct file_id *a, const struct file_id *b)
{
    return a->ino == b->ino && a->dev == b->dev && a->size == b->size &&
           ns_of(a->mtime) == ns_of(b->mtime) && ns_of(a->ctime) == ns_of(b->ctime);
}

/* Records what the file is before it is opened: a change after that shows at the next use. */
static void
entry_watch(struct entry *e)
{
    struct stat st;
    struct timespec now;
    if (stat(e->h.file, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return; /* open will say what is wrong */
    e->watched = true;
    e->id = id_of(&st);
    int64_t newest =
        ns_of(st.st_mtim) > ns_of(st.st_ctim) ? ns_of(st.st_mtim) : ns_of(st.st_ctim);
    e->fresh = ns_of(now) - newest < FRESH_NS;
}

/* A cheap clock: good to a few milliseconds, no system call. */
static int64_t
coarse_ns(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC_COARSE, &t) == 0 ? ns_of(t) : 0;
}

static bool
entry_valid(struct entry *e, struct lookup_ctx *x)
{
    if (e->h.driver->check != NULL)
        return e->h.driver->check(x, e->h.state, e->h.file);
    if (e->h.name.n == 0)
        return true;
    struct stat st;
    int64_t now_ns = coarse_ns();
    if (!e->fresh && e->watched && now_ns - e->looked_ns < LOOK_EVERY_NS)
        return true;
    if (e->fresh || !e->watched || stat(e->h.file, &st) != 0)
        return false;
    e->looked_ns = now_ns;
    struct file_id now = id_of(&st);
    return id_same(&now, &e->id);
}

static size_t
open_max(const struct lookup_ctx *x)
{
    const struct conf *conf = x->eval->conf;
    int64_t n =
        conf != NULL && conf->main != NULL ? conf->main->lookup_open_max : LOOKUP_OPEN_MAX;
    return n > 0 ? (size_t)n : 1;
}

static void
entry_remove(struct lookup_cache *c, size_t i)
{
    entry_close(c->entries.v[i]);
    memmove(&c->entries.v[i], &c->entries.v[i + 1],
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): the items are pointers */
            (c->entries.n - i - 1) * sizeof c->entries.v[0]);
    c->entries.n--;
}

/* Makes room for one more open file. */
static void
evict(struct lookup_cache *c, size_t max)
{
    size_t files = lookup_cache_files(c);
    for (size_t i = c->entries.n; i-- > 0 && files >= max;) {
        const struct entry *e = c->entries.v[i];
        if (!is_open(e) || e->busy > 0)
            continue;
        entry_remove(c, i);
        files--;
    }
}

static struct entry *
entry_new(struct lookup_ctx *x, const struct lookup_driver *d, struct str file)
{
    struct arena *a = arena_new();
    struct entry *e = ARENA_NEW(a, struct entry);
    e->arena = a;
    e->h.driver = d;
    e->h.name = str_dup(a, file);
    e->h.file = e->h.name.p;
    if (d->open == NULL)
        return e;
    if (d->check == NULL)
        entry_watch(e);
    e->h.state = d->open(x, e->h.file);
    if (e->h.state != NULL)
        return e;
    arena_free(a);
    return NULL;
}

static void
move_to_front(struct lookup_cache *c, size_t i)
{
    struct entry *e = c->entries.v[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): the items are pointers */
    memmove(&c->entries.v[1], &c->entries.v[0], i * sizeof c->entries.v[0]);
    c->entries.v[0] = e;
}

struct lookup_handle *
lookup_cache_open(struct lookup_cache *c, struct lookup_ctx *x, const struct lookup_driver *d,
                  struct str file)
{
    for (size_t i = 0; i < c->entries.n; i++) {
        struct entry *e = c->entries.v[i];
        if (e->h.driver != d || !str_eq(e->h.name, file))
            continue;
        if (e->busy == 0 && !entry_valid(e, x)) {
            entry_remove(c, i);
            break;
        }
        if (i > 0)
            move_to_front(c, i);
        return &e->h;
    }
    if (d->close != NULL && file.n > 0)
        evict(c, open_max(x));
    struct entry *e = entry_new(x, d, file);
    if (e == NULL)
        return NULL;
    vec_push(c->arena, &c->entries, e);
    move_to_front(c, c->entries.n - 1);
    return &e->h;
}

/* --- results --- */

static struct str
result_key(struct arena *a, struct str options, struct str key)
{
    struct buf b = buf_in(a, 0);
    buf_adds(&b, options);
    buf_addc(&b, '\0');
    buf_adds(&b, key);
    return buf_str(&b);
}

bool
lookup_cache_result(struct lookup_ctx *x, struct lookup_handle *h, struct str key, bool *found,
                    struct str *data)
{
    const struct entry *e = (const struct entry *)h;
    if (e->results == NULL)
        return false;
    struct arena *scratch = vm_scratch(x->vm);
    struct arena_mark mark = arena_mark(scratch);
    const struct result *r = map_get(e->results, result_key(scratch, x->options, key));
    arena_reset(scratch, mark);
    if (r == NULL)
        return false;
    *found = r->found;
    *data = r->data;
    return true;
}

void
lookup_cache_keep(struct lookup_ctx *x, struct lookup_handle *h, struct str key, bool found,
                  struct str data)
{
    struct entry *e = (struct entry *)h;
    size_t size = sizeof(struct result) + x->options.n + (size_t)key.n + data.n;
    if (size > LOOKUP_RESULTS_MAX)
        return;
    if (e->results_arena == NULL)
        e->results_arena = arena_new();
    if (e->results != NULL && arena_used(e->results_arena) + size > LOOKUP_RESULTS_MAX) {
        arena_clear(e->results_arena);
        e->results = NULL;
    }
    struct arena *a = e->results_arena;
    if (e->results == NULL)
        e->results = map_new(a, MAP_CASEFUL);
    struct result *r = ARENA_NEW(a, struct result);
    r->found = found;
    r->data = str_dup(a, data);
    map_set(e->results, result_key(a, x->options, key), r);
}
