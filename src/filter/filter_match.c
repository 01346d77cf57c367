/* Finding texts and patterns; see filter_match.h.
 *
 * Most patterns in filters are plain words with a backslash before some dots. Compiling such a one costs as much as
 * searching several messages for it, so it is searched for as a text. The answer and $0 are the same.
 */
#include "filter/filter_match.h"

#include "sys/regex.h"

enum { PLAIN_MAX = 256 };

/* The next place of either case of a letter (or of another byte) at or after p. */
static const char *
next_first(const char *p, const char *end, char first, bool heed_case)
{
    char other = heed_case                     ? first
                 : ascii_upper(first) == first ? ascii_lower(first)
                                               : ascii_upper(first);
    const char *a = memchr(p, first, (size_t)(end - p));
    if (other == first || a == p)
        return a;
    const char *b = memchr(p, other, (size_t)((a != NULL ? a : end) - p));
    return b != NULL ? b : a;
}

size_t
filter_match_find(struct str s, struct str needle, bool heed_case)
{
    if (needle.n == 0)
        return 0;
    if (needle.n > s.n)
        return STR_NPOS;
    const char *end = s.p + (s.n - needle.n) + 1;
    for (const char *p = s.p; p < end; p++) {
        p = next_first(p, end, needle.p[0], heed_case);
        if (p == NULL)
            return STR_NPOS;
        struct str part = {p, needle.n, STR_CLEAN};
        if (heed_case ? str_eq(part, needle) : str_ieq(part, needle))
            return (size_t)(p - s.p);
    }
    return STR_NPOS;
}

bool
filter_match_plain(struct arena *a, struct str pattern, struct str *text)
{
    static const bool special[256] = {
        ['\0'] = true, ['^'] = true, ['$'] = true, ['.'] = true, ['['] = true,
        [']'] = true,  ['|'] = true, ['('] = true, [')'] = true, ['?'] = true,
        ['*'] = true,  ['+'] = true, ['{'] = true, ['}'] = true,
    };
    char to[PLAIN_MAX];
    size_t n = 0;
    if (pattern.n > PLAIN_MAX)
        return false;
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '\\') {
            if (++i == pattern.n || ascii_alnum(pattern.p[i]) || !ascii_print(pattern.p[i]))
                return false;
            c = pattern.p[i];
        } else if (special[(unsigned char)c]) {
            return false;
        }
        to[n++] = c;
    }
    *text = n == pattern.n ? pattern : str_dup(a, str_from(to, n));
    return true;
}

enum vm_status
filter_match_text(struct vm *vm, struct str subject, struct str text, bool heed_case)
{
    size_t at = filter_match_find(subject, text, heed_case);
    if (at == STR_NPOS)
        return VM_NO;
    struct str found = str_sub(subject, at, text.n);
    vm_set_captures(vm, &found, 1);
    return VM_OK;
}

enum vm_status
filter_match_pattern(struct vm *vm, struct str subject, struct str pattern, bool heed_case)
{
    struct str text;
    struct str why = STR_EMPTY;
    size_t at = 0;
    if (filter_match_plain(vm_scratch(vm), pattern, &text))
        return filter_match_text(vm, subject, text, heed_case);
    const struct regex *re = vm_regex(vm, pattern, heed_case ? 0 : REGEX_CASELESS, &why, &at);
    if (re == NULL)
        return vm_fail(vm,
                       "error while compiling regular expression \"%.*s\": %.*s at offset %zu",
                       STR_ARG(pattern), STR_ARG(why), at);
    return vm_regex_match(vm, re, subject);
}
