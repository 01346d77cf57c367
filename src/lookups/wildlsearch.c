/* wildlsearch and nwildlsearch: as lsearch, but the keys are patterns, tried in the order of the file.
 *
 * A key may be "*suffix", "^regex", "type;file" (another lookup with the same key), each negated by
 * "!", or a literal, all in any case. wildlsearch expands each key first, at each lookup. Captures of a
 * regular expression do not survive, since a cached result could not set them again.
 */
#include "base/arena.h"
#include "base/vec.h"
#include "lookups/drivers.h"
#include "lookups/linefile.h"
#include "lookups/lookup.h"
#include "sys/regex.h"

struct wild_key {
    struct str key; /* with quoting resolved */
    uint32_t line;
    bool expand;
};

struct wildlsearch {
    struct linefile file;
    struct arena *arena;
    VEC(struct wild_key) keys;
};

static void *
wildlsearch_open(struct lookup_ctx *c, const char *file)
{
    struct linefile f;
    struct line_entry e;
    if (!linefile_load(c, file, &f))
        return NULL;
    struct arena *a = arena_new();
    struct wildlsearch *l = ARENA_NEW(a, struct wildlsearch);
    l->arena = a;
    l->file = f;
    for (size_t at = 0; linefile_next(&l->file, &at, &e);) {
        struct wild_key k = {linefile_key(a, &e), e.at, false};
        k.expand = str_chr(k.key, '$', 0) != STR_NPOS || str_chr(k.key, '\\', 0) != STR_NPOS;
        vec_push(a, &l->keys, k);
    }
    return l;
}

static void
wild_close(void *handle)
{
    struct wildlsearch *l = handle;
    linefile_free(&l->file);
    arena_free(l->arena);
}

/* --- one pattern --- */

static enum outcome
match_regex(struct lookup_ctx *c, struct str pattern, struct str key)
{
    struct str why = STR_NULL;
    size_t at = 0;
    const struct regex *re = vm_regex(c->vm, pattern, REGEX_CASELESS, &why, &at);
    if (re == NULL) {
        vm_defer(c->vm, "regular expression error: %.*s at offset %zu while compiling %.*s",
                 STR_ARG(why), at, STR_ARG(pattern));
        return OUT_DEFER;
    }
    switch (vm_regex_match(c->vm, re, key)) {
    case VM_OK:
        vm_set_captures(c->vm, NULL, 0);
        return OUT_OK;
    case VM_NO:
        return OUT_FAIL;
    case VM_FORCED:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return OUT_DEFER;
}

/* "type;file": the data it finds does not matter. */
static enum outcome
match_lookup(struct lookup_ctx *c, struct str pattern, size_t semicolon, struct str key)
{
    struct lookup_type t;
    struct str file = str_trim_left(str_sub(pattern, semicolon + 1, pattern.n));
    struct str data;
    if (lookup_type_parse(c->vm, str_sub(pattern, 0, semicolon), &t) != VM_OK)
        return OUT_DEFER;
    bool query = (t.driver->flags & LOOKUP_QUERY) != 0;
    enum outcome o =
        lookup_find(c->eval, c->vm, &t, query ? STR_EMPTY : file, query ? file : key, &data);
    return o == OUT_ERROR ? OUT_DEFER : o;
}

static enum outcome
match_pattern(struct lookup_ctx *c, struct str pattern, struct str key)
{
    if (pattern.n > 0 && pattern.p[0] == '^')
        return match_regex(c, pattern, key);
    if (pattern.n > 0 && pattern.p[0] == '*')
        return str_iends(key, str_sub(pattern, 1, pattern.n)) ? OUT_OK : OUT_FAIL;
    size_t semicolon = str_chr(pattern, ';', 0);
    if (semicolon != STR_NPOS)
        return match_lookup(c, pattern, semicolon, key);
    return str_ieq(pattern, key) ? OUT_OK : OUT_FAIL;
}

static enum outcome
match_key(struct lookup_ctx *c, struct str pattern, struct str key)
{
    bool negated = pattern.n > 0 && pattern.p[0] == '!';
    if (negated)
        pattern = str_trim_left(str_sub(pattern, 1, pattern.n));
    enum outcome o = match_pattern(c, pattern, key);
    if (negated && (o == OUT_OK || o == OUT_FAIL))
        return o == OUT_OK ? OUT_FAIL : OUT_OK;
    return o;
}

/* The pattern to use: expanded for wildlsearch. VM_NO: the expansion was forced to fail, no match. */
static enum vm_status
expand_key(struct lookup_ctx *c, struct str key, struct str *pattern)
{
    enum vm_status st = vm_expand(c->vm, key, pattern);
    if (st == VM_OK)
        return VM_OK;
    if (st == VM_FORCED)
        return VM_NO;
    struct str why = str_dup(vm_scratch(c->vm), vm_error(c->vm));
    lookup_cache_log(c->eval->lookups,
                     str_printf(vm_scratch(c->vm),
                                "failed to expand \"%.*s\" while checking a list: %.*s",
                                STR_ARG(key), STR_ARG(why)));
    return vm_defer(c->vm, "%s", "");
}

static enum outcome
wild_find(struct lookup_ctx *c, struct wildlsearch *l, struct str key, bool expand,
          struct str *data)
{
    for (size_t i = 0; i < l->keys.n; i++) {
        const struct wild_key *k = &l->keys.v[i];
        struct str pattern = k->key;
        enum vm_status st = expand && k->expand ? expand_key(c, k->key, &pattern) : VM_OK;
        enum outcome o = st == VM_OK   ? match_key(c, pattern, key)
                         : st == VM_NO ? OUT_FAIL
                                       : OUT_DEFER;
        if (o == OUT_FAIL)
            continue;
        if (o != OUT_OK)
            return o;
        struct line_entry e;
        size_t at = k->line;
        (void)linefile_next(&l->file, &at, &e);
        bool full = str_eqz(lookup_option(c->options, "ret"), "full");
        *data = linefile_data(vm_scratch(c->vm), &l->file, &e, full);
        vm_set_captures(c->vm, NULL, 0);
        return OUT_OK;
    }
    return OUT_FAIL;
}

static enum outcome
wildlsearch_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
                 struct str *data)
{
    (void)file;
    return wild_find(c, handle, key, true, data);
}

static enum outcome
nwildlsearch_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
                  struct str *data)
{
    (void)file;
    return wild_find(c, handle, key, false, data);
}

const struct lookup_driver lookup_wildlsearch = {
    .name = STR_INIT("wildlsearch"),
    .open = wildlsearch_open,
    .find = wildlsearch_find,
    .close = wild_close,
    .doc = "text file whose keys are expanded and used as patterns",
};

const struct lookup_driver lookup_nwildlsearch = {
    .name = STR_INIT("nwildlsearch"),
    .open = wildlsearch_open,
    .find = nwildlsearch_find,
    .close = wild_close,
    .doc = "text file whose keys are patterns",
};
