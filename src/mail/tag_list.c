/* Tag lists; see tag_list.h. */
#include "mail/tag_list.h"

static bool
name_char(char c, bool first)
{
    return ascii_alpha(c) || (!first && (ascii_digit(c) || c == '_'));
}

static uint32_t
skip_space(struct str s, uint32_t at)
{
    while (at < s.n && ascii_space(s.p[at]))
        at++;
    return at;
}

static uint32_t
skip_empty(struct str s, uint32_t at)
{
    while (at < s.n && (ascii_space(s.p[at]) || s.p[at] == ';'))
        at++;
    return at;
}

enum tag_end
tag_list_next(struct str list, uint32_t *at, struct tag *out)
{
    uint32_t i = skip_empty(list, *at), start = i;
    *at = i;
    if (i == list.n)
        return TAG_OVER;
    while (i < list.n && name_char(list.p[i], i == start))
        i++;
    *out = (struct tag){.name = str_sub(list, start, i - start)};
    i = skip_space(list, i);
    if (out->name.n == 0 || i == list.n || list.p[i] != '=') {
        *at = i;
        return TAG_BAD;
    }
    out->from = i + 1;
    size_t end = str_chr(list, ';', out->from);
    out->until = end == STR_NPOS ? list.n : (uint32_t)end;
    out->value = str_trim(str_sub(list, out->from, out->until - out->from));
    *at = end == STR_NPOS ? list.n : out->until + 1;
    return TAG_FOUND;
}

bool
tag_value_next(struct str value, char separator, uint32_t *at, struct str *item)
{
    if (*at > value.n || value.n == 0)
        return false;
    size_t end = str_chr(value, separator, *at);
    if (end == STR_NPOS)
        end = value.n;
    *item = str_trim(str_sub(value, *at, end - *at));
    *at = (uint32_t)end + 1;
    return true;
}

bool
tag_value_has(struct str value, char separator, const char *item)
{
    struct str one;
    for (uint32_t at = 0; tag_value_next(value, separator, &at, &one);)
        if (str_ieqz(one, item))
            return true;
    return false;
}
