/* Fuzz target: any text as JSON. Every span must lie within the text. */
#include "filter/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct str whole, struct str part)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void
walk(struct str text, char bracket)
{
    struct str rest;
    struct str one;
    struct str key;
    struct str value;
    if (json_open(text, bracket, &rest) != JSON_OK)
        return;
    inside(text, rest);
    for (size_t i = 1; json_next(&rest, &one); i++) {
        inside(text, one);
        if (json_unquote(one, &value) == JSON_OK)
            inside(one, value);
        if (json_member(one, &key, &value) != JSON_OK)
            continue;
        inside(one, key);
        inside(one, value);
        if (bracket == '{' && i < 4 && json_find_member(text, key, &value) == JSON_OK)
            inside(text, value);
    }
    if (json_find_element(text, 2, &value) == JSON_OK)
        inside(text, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    walk(text, '[');
    walk(text, '{');
    return 0;
}
