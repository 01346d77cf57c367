/* local_part_prefix and local_part_suffix. Source: specification, chapter "Generic options for routers". */
#include "engine/route_step.h"

#include "base/strlist.h"

/* Length of the prefix that the pattern takes off s, and in *wild that of the part that its asterisk stands for. 0: none. */
static size_t
prefix_length(struct str s, struct str pattern, size_t *wild)
{
    *wild = 0;
    if (pattern.n == 0 || pattern.p[0] != '*')
        return str_sub(s, 0, pattern.n).n == pattern.n &&
                       str_ieq(str_sub(s, 0, pattern.n), pattern)
                   ? pattern.n
                   : 0;
    struct str fixed = str_sub(pattern, 1, pattern.n);
    /* The longest: the last place where the fixed part occurs. */
    for (size_t at = s.n; fixed.n > 0 && at-- > 0;) {
        if (at + fixed.n <= s.n && str_ieq(str_sub(s, at, fixed.n), fixed)) {
            *wild = at;
            return at + fixed.n;
        }
    }
    return 0;
}

/* The same from the end: the asterisk is the last character of the pattern. */
static size_t
suffix_length(struct str s, struct str pattern, size_t *wild)
{
    *wild = 0;
    if (pattern.n == 0 || pattern.p[pattern.n - 1] != '*')
        return str_iends(s, pattern) ? pattern.n : 0;
    struct str fixed = str_sub(pattern, 0, pattern.n - 1);
    for (size_t at = 0; fixed.n > 0 && at + fixed.n <= s.n; at++) {
        if (str_ieq(str_sub(s, at, fixed.n), fixed)) {
            *wild = s.n - at - fixed.n;
            return s.n - at;
        }
    }
    return 0;
}

static size_t
first_length(struct route_step *s, struct str list, size_t *wild,
             size_t (*length)(struct str, struct str, size_t *))
{
    struct strlist_split split = strlist_split_start(list, ':');
    struct str pattern;
    while (strlist_split_next(&split, s->r->arena, &pattern)) {
        size_t n = length(s->a->local_part, pattern, wild);
        if (n > 0)
            return n;
    }
    return 0;
}

/* An affix was chosen from the configuration's list unless part of it was wild. */
static struct str
affix(struct str part, size_t wild)
{
    return wild == 0 ? str_untaint_by_rule(part, "affix of the configuration") : part;
}

static enum outcome
take_prefix(struct route_step *s)
{
    size_t wild;
    struct address *a = s->a;
    size_t n = first_length(s, s->g->local_part_prefix.text, &wild, prefix_length);
    if (n == 0)
        return s->g->local_part_prefix_optional ? OUT_OK : OUT_DECLINE;
    a->prefix = affix(str_sub(a->local_part, 0, n), wild);
    a->prefix_v = wild > 0 ? str_sub(a->local_part, 0, wild) : STR_NULL;
    a->local_part = str_sub(a->local_part, n, a->local_part.n);
    return OUT_OK;
}

static enum outcome
take_suffix(struct route_step *s)
{
    size_t wild;
    struct address *a = s->a;
    size_t n = first_length(s, s->g->local_part_suffix.text, &wild, suffix_length);
    if (n == 0)
        return s->g->local_part_suffix_optional ? OUT_OK : OUT_DECLINE;
    a->suffix = affix(str_sub(a->local_part, a->local_part.n - n, n), wild);
    a->suffix_v = wild > 0 ? str_sub(a->local_part, a->local_part.n - wild, wild) : STR_NULL;
    a->local_part = str_sub(a->local_part, 0, a->local_part.n - n);
    return OUT_OK;
}

enum outcome
route_affix(struct route_step *s)
{
    enum outcome o = OUT_OK;
    if (route_has(&s->g->local_part_prefix))
        o = take_prefix(s);
    if (o == OUT_OK && route_has(&s->g->local_part_suffix))
        o = take_suffix(s);
    return o;
}
