/* Regular expressions on PCRE2.
 *
 * A pattern is compiled once; code for the processor is made at the JIT_AFTERth use, since it costs as
 * much as some tens of matches. Every match has a step and a depth limit: a pattern of a user
 * against a text of a stranger may not run away.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "sys/regex.h"

#include "base/arena.h"

#include <pcre2.h>
#include <stdatomic.h>

enum {
    PATTERN_MAX = 64 * 1024,
    GROUPS_MAX = 100,
    JIT_AFTER = 16,
    MATCH_LIMIT = 5000000,
    DEPTH_LIMIT = 20000,
    HEAP_LIMIT_KB = 32 * 1024,
};

struct regex {
    pcre2_code *code;
    bool utf;         /* subjects must be checked, which only pcre2_match does */
    bool head_only;   /* nothing can match but at the start of a subject */
    atomic_uint uses; /* up to JIT_AFTER */
    atomic_bool fast; /* there is code for the processor */
};

struct regex_ctx {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static void
free_code(void *p)
{
    pcre2_code_free(p);
}

static void
free_ctx(void *p)
{
    struct regex_ctx *c = p;
    pcre2_match_data_free(c->data);
    pcre2_match_context_free(c->limits);
}

static struct str
error_text(struct arena *a, int code)
{
    PCRE2_UCHAR8 text[256];
    if (pcre2_get_error_message(code, text, sizeof text) < 0)
        return STR_LIT("unknown error");
    return str_printf(a, "%s", (const char *)text);
}

/* True of a pattern that begins with a circumflex which holds for all of it: one that is not
 * repeated, without an alternative anywhere. Never a wrong yes. */
static bool
begins_at_head(struct str pattern, uint32_t options)
{
    if (pattern.n < 2 || pattern.p[0] != '^' || (options & PCRE2_MULTILINE) != 0)
        return false;
    char c = pattern.p[1];
    return (options & PCRE2_ANCHORED) != 0 && c != '*' && c != '+' && c != '?' && c != '{' &&
           str_chr(pattern, '|', 1) == STR_NPOS;
}

struct regex *
regex_compile(struct arena *a, struct str pattern, unsigned flags, struct str *error,
              size_t *at)
{
    if (pattern.n > PATTERN_MAX) {
        *error = STR_LIT("the pattern is too long");
        *at = PATTERN_MAX;
        return NULL;
    }
    uint32_t options = 0;
    if ((flags & REGEX_CASELESS) != 0)
        options |= PCRE2_CASELESS;
    if ((flags & REGEX_UTF) != 0)
        options |= PCRE2_UTF;
    if ((flags & REGEX_ANCHORED) != 0)
        options |= PCRE2_ANCHORED;
    int code;
    PCRE2_SIZE offset;
    const char *text = pattern.p != NULL ? pattern.p : "";
    pcre2_code *re = pcre2_compile((PCRE2_SPTR8)text, pattern.n, options, &code, &offset, NULL);
    if (re == NULL) {
        *error = error_text(a, code);
        *at = offset;
        return NULL;
    }
    struct regex *r = ARENA_NEW(a, struct regex);
    uint32_t all = 0;
    /* the pattern may say (*UTF) itself */
    (void)pcre2_pattern_info(re, PCRE2_INFO_ALLOPTIONS, &all);
    r->code = re;
    r->utf = (all & PCRE2_UTF) != 0;
    r->head_only = begins_at_head(pattern, all);
    arena_on_free(a, free_code, re);
    return r;
}

struct regex_ctx *
regex_ctx_new(struct arena *a)
{
    struct regex_ctx *c = ARENA_NEW(a, struct regex_ctx);
    c->data = pcre2_match_data_create(GROUPS_MAX, NULL);
    c->limits = pcre2_match_context_create(NULL);
    if (c->data == NULL || c->limits == NULL)
        return c;
    (void)pcre2_set_match_limit(c->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(c->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(c->limits, HEAP_LIMIT_KB);
    arena_on_free(a, free_ctx, c);
    return c;
}

static int
fill_captures(const struct regex_ctx *ctx, int found, struct str subject, struct str *caps,
              unsigned max)
{
    const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(ctx->data);
    unsigned n = found == 0 ? GROUPS_MAX : (unsigned)found;
    if (n > max)
        n = max;
    for (unsigned i = 0; i < n; i++, ov += 2) {
        /* a group that took no part has no place, \K can put the start behind the end */
        bool set = ov[0] <= ov[1] && ov[1] <= subject.n;
        caps[i].p = set ? subject.p + ov[0] : "";
        caps[i].n = set ? (uint32_t)(ov[1] - ov[0]) : 0;
        caps[i].taint = subject.taint;
    }
    return (int)n;
}

/* Counts a use, and makes code for the processor when it is worth it. The counter is the one
 * thing that changes in a shared pattern; the library locks inside. */
static void
note_use(struct regex *re)
{
    if (atomic_fetch_add_explicit(&re->uses, 1, memory_order_relaxed) == JIT_AFTER &&
        pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0)
        atomic_store_explicit(&re->fast, true, memory_order_release);
}

int
regex_match_from(const struct regex *re, struct regex_ctx *ctx, struct str subject, size_t from,
                 bool not_empty, struct str *caps, unsigned max)
{
    if (ctx->data == NULL || ctx->limits == NULL)
        return -1;
    if (from > 0 && re->head_only)
        return 0;
    struct regex *shared = (struct regex *)(uintptr_t)re;
    if (atomic_load_explicit(&shared->uses, memory_order_relaxed) <= JIT_AFTER)
        note_use(shared);
    PCRE2_SPTR8 text = (PCRE2_SPTR8)(subject.p != NULL ? subject.p : "");
    int found;
    if (!not_empty && !re->utf && from <= subject.n &&
        atomic_load_explicit(&shared->fast, memory_order_acquire))
        found = pcre2_jit_match(re->code, text, subject.n, from, 0, ctx->data, ctx->limits);
    else
        found = pcre2_match(re->code, text, subject.n, from,
                            not_empty ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0, ctx->data,
                            ctx->limits);
    if (found == PCRE2_ERROR_NOMATCH)
        return 0;
    if (found < 0)
        return -1;
    return fill_captures(ctx, found, subject, caps, max);
}

int
regex_match(const struct regex *re, struct regex_ctx *ctx, struct str subject, struct str *caps,
            unsigned max)
{
    return regex_match_from(re, ctx, subject, 0, false, caps, max);
}
