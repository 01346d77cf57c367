/* Routing rules as text; see the header. */
#include "routers/route_rule.h"

#include "base/escape.h"

/* A word, up to white space or in double quotes. *rest is what follows, without white space in front. */
static struct str
take_word(struct arena *a, struct str *rest)
{
    struct str s = str_trim_left(*rest), word;
    size_t at = 0;
    if (s.n > 0 && s.p[0] == '"') {
        word = escape_quoted_word(a, s, &at);
    } else {
        while (at < s.n && !ascii_space(s.p[at]))
            at++;
        word = str_sub(s, 0, at);
    }
    *rest = str_trim_left(str_sub(s, at, s.n));
    return word;
}

struct route_rule
route_rule_read(struct arena *a, struct str text, enum route_rule_form form)
{
    struct route_rule r = {.pattern = STR_NULL};
    struct str rest = text;
    if (form == ROUTE_RULE_LIST)
        r.pattern = take_word(a, &rest);
    r.hosts = take_word(a, &rest);
    r.options = str_trim(rest);
    return r;
}

bool
route_rule_option(struct str *options, struct str *word)
{
    *options = str_trim_left(*options);
    if (options->n == 0)
        return false;
    size_t at = 0;
    while (at < options->n && !ascii_space(options->p[at]))
        at++;
    *word = str_sub(*options, 0, at);
    *options = str_sub(*options, at, options->n);
    return true;
}
