/* Spans of a JSON text. Every function is linear in what it is given. */
#include "filter/json.h"

/* The offset behind the string that starts at `at`, or STR_NPOS when it does not end. */
static size_t
skip_string(struct str s, size_t at)
{
    for (size_t i = at + 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return STR_NPOS;
}

/* The offset of the byte outside strings and nested brackets that closes the level, or of the first comma on
 * it. STR_NPOS: none. */
static size_t
level_end(struct str s, size_t at, bool comma)
{
    size_t depth = 0;
    while (at < s.n) {
        char c = s.p[at];
        if (c == '"') {
            at = skip_string(s, at);
            if (at == STR_NPOS)
                return STR_NPOS;
            continue;
        }
        if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (depth == 0)
                return comma ? STR_NPOS : at;
            depth--;
        } else if (c == ',' && comma && depth == 0) {
            return at;
        }
        at++;
    }
    return STR_NPOS;
}

enum json_status
json_open(struct str text, char bracket, struct str *inside)
{
    struct str s = str_trim_left(text);
    if (s.n == 0 || s.p[0] != bracket)
        return JSON_NO_OPEN;
    size_t end = level_end(s, 1, false);
    if (end == STR_NPOS || s.p[end] != (bracket == '[' ? ']' : '}'))
        return JSON_NO_CLOSE;
    *inside = str_sub(s, 1, end - 1);
    return JSON_OK;
}

bool
json_next(struct str *inside, struct str *element)
{
    struct str s = str_trim_left(*inside);
    size_t end = level_end(s, 0, true);
    if (end == STR_NPOS)
        end = s.n;
    *element = str_sub(s, 0, end);
    *inside = str_sub(s, end + 1, s.n);
    return end > 0;
}

enum json_status
json_unquote(struct str value, struct str *out)
{
    struct str s = str_trim_left(value);
    size_t end = s.n > 0 && s.p[0] == '"' ? skip_string(s, 0) : STR_NPOS;
    if (end == STR_NPOS)
        return JSON_NO_STRING;
    *out = str_sub(s, 1, end - 2);
    return JSON_OK;
}

enum json_status
json_member(struct str element, struct str *key, struct str *value)
{
    if (json_unquote(element, key) != JSON_OK)
        return JSON_NO_KEY;
    size_t end = (size_t)(key->p - element.p) + key->n + 1;
    struct str rest = str_trim_left(str_sub(element, end, element.n));
    if (rest.n == 0 || rest.p[0] != ':')
        return JSON_NO_COLON;
    *value = str_trim_left(str_sub(rest, 1, rest.n));
    return JSON_OK;
}

enum json_status
json_find_member(struct str object, struct str key, struct str *value)
{
    struct str inside;
    struct str element;
    *value = STR_NULL;
    enum json_status st = json_open(object, '{', &inside);
    while (st == JSON_OK && json_next(&inside, &element)) {
        struct str name;
        struct str found;
        st = json_member(element, &name, &found);
        if (st == JSON_OK && str_eq(name, key)) {
            *value = found;
            break;
        }
    }
    return st;
}

enum json_status
json_find_element(struct str array, size_t n, struct str *value)
{
    struct str inside;
    struct str element;
    *value = STR_NULL;
    enum json_status st = json_open(array, '[', &inside);
    for (size_t i = 1; st == JSON_OK && i <= n && json_next(&inside, &element); i++) {
        if (i == n) { /* here the reference trims, unlike for members */
            while (element.n > 0 && ascii_space(element.p[element.n - 1]))
                element.n--;
            *value = element;
        }
    }
    return st;
}
