/* Paths in texts of the configuration; see path_scan.h. */
#include "conf/path_scan.h"

static bool
is_path_char(char c)
{
    return ascii_alnum(c) || (c != '\0' && strchr("_./+@%-", c) != NULL);
}

static bool
is_start(struct str text, size_t i)
{
    return text.p[i] == '/' &&
           (i == 0 || (!is_path_char(text.p[i - 1]) && text.p[i - 1] != '}'));
}

bool
path_scan_next(struct path_scan *s)
{
    while (s->at < s->text.n) {
        size_t from = s->at, end = from;
        while (is_start(s->text, from) && end < s->text.n && is_path_char(s->text.p[end]))
            end++;
        s->at = (end > from ? end : from) + 1;
        if (end - from <= 1)
            continue;
        s->path = str_sub(s->text, from, end - from);
        s->begins = end < s->text.n && s->text.p[end] == '$';
        return true;
    }
    return false;
}
