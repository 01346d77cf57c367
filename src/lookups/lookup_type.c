/* The table of lookup types and the syntax of a type: what may stand before and after its name.
 * Texts of errors are Exim's. Everything here is constant; there is nothing to lock. */
#include "lookups/lookup_type.h"

#include "lookups/drivers.h"
#include "lookups/quote.h"

#include <string.h>

static const struct lookup_driver *const built_in[] = {
#define LOOKUP(n, object) &(object),
#define LOOKUP_PLUGIN(n, plug, fl, q, d)
#include "lookups/lookups.def"
#undef LOOKUP
#undef LOOKUP_PLUGIN
};

/* Names and flags of the drivers whose functions are in plugins. */
static const struct lookup_driver in_plugins[] = {
#define LOOKUP(n, object)
#define LOOKUP_PLUGIN(n, plug, fl, q, d)                                                       \
    {.name = STR_INIT(n), .flags = (fl), .quote = (q), .plugin = (plug), .doc = (d)},
#include "lookups/lookups.def"
#undef LOOKUP
#undef LOOKUP_PLUGIN
};

enum {
    BUILT_IN_N = sizeof built_in / sizeof built_in[0],
    IN_PLUGINS_N = sizeof in_plugins / sizeof in_plugins[0],
    COMPONENTS_MAX = 1000, /* of partial<n>: more than any domain has */
};

const struct lookup_driver *
lookup_type_driver_at(size_t i)
{
    if (i < BUILT_IN_N)
        return built_in[i];
    i -= BUILT_IN_N;
    return i < IN_PLUGINS_N ? &in_plugins[i] : NULL;
}

const struct lookup_driver *
lookup_type_driver(struct str name)
{
    const struct lookup_driver *d;
    for (size_t i = 0; (d = lookup_type_driver_at(i)) != NULL; i++)
        if (str_eq(d->name, name))
            return d;
    return NULL;
}

uint32_t
lookup_type_quoter(const struct lookup_driver *d)
{
    const struct lookup_driver *other;
    for (uint32_t i = 0; (other = lookup_type_driver_at(i)) != NULL; i++)
        if (other->quote == d->quote)
            return i;
    return 0;
}

static bool
is_punctuation(char c)
{
    return ascii_print(c) && c != ' ' && !ascii_alnum(c);
}

/* "(affix)" or "-" at p; false when neither. */
static bool
parse_affix(struct str text, size_t *at, struct str *affix)
{
    size_t i = *at;
    *affix = STR_LIT("*.");
    if (i < text.n && text.p[i] == '-') {
        *at = i + 1;
        return true;
    }
    if (i >= text.n || text.p[i] != '(')
        return false;
    size_t from = ++i;
    while (i < text.n && text.p[i] != ')' && is_punctuation(text.p[i]))
        i++;
    if (i >= text.n || text.p[i] != ')')
        return false;
    *affix = str_sub(text, from, i - from);
    *at = i + 1;
    return true;
}

/* "partial", an optional number, then the affix. Without a number at least two components stay. */
static bool
parse_partial(struct str text, size_t *at, struct lookup_type *out)
{
    size_t i = sizeof "partial" - 1;
    out->partial = 2;
    if (i < text.n && ascii_digit(text.p[i])) {
        out->partial = 0;
        for (; i < text.n && ascii_digit(text.p[i]); i++)
            if (out->partial < COMPONENTS_MAX)
                out->partial = out->partial * 10 + (text.p[i] - '0');
    }
    *at = i;
    return parse_affix(text, at, &out->affix);
}

/* The driver, the stars and the options of what follows "partial…". */
static void
parse_rest(struct str rest, struct lookup_type *out)
{
    size_t name_n = 0;
    while (name_n < rest.n && rest.p[name_n] != '*' && rest.p[name_n] != ',')
        name_n++;
    size_t comma = str_chr(rest, ',', name_n);
    out->star = name_n < rest.n && rest.p[name_n] == '*';
    out->star_at = out->star && name_n + 1 < rest.n && rest.p[name_n + 1] == '@';
    out->options = comma == STR_NPOS ? STR_EMPTY : str_sub(rest, comma + 1, rest.n);
    out->text = rest;
    out->driver = lookup_type_driver(str_sub(rest, 0, name_n));
}

enum vm_status
lookup_type_parse(struct vm *vm, struct str text, struct lookup_type *out)
{
    size_t at = 0;
    *out = (struct lookup_type){.partial = -1, .affix = STR_EMPTY};
    if (text.n == 0 || text.p[0] == '*' || text.p[0] == ',')
        return vm_fail(vm, "missing lookup type");
    if (str_starts(text, "partial") && !parse_partial(text, &at, out))
        return vm_fail(vm, "format error in lookup type \"%.*s\"", STR_ARG(text));
    struct str rest = str_sub(text, at, text.n);
    parse_rest(rest, out);
    if (out->driver == NULL) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '*' && rest.p[n] != ',')
            n++;
        return vm_fail(vm, "unknown lookup type \"%.*s\"", (int)n, rest.p);
    }
    if ((out->driver->flags & LOOKUP_QUERY) != 0) {
        if (out->partial >= 0)
            return vm_fail(vm, "\"partial\" is not permitted for lookup type \"%.*s\"",
                           STR_ARG(rest));
        if (out->star)
            return vm_fail(vm,
                           "defaults using \"*\" or \"*@\" are not permitted for lookup type "
                           "\"%.*s\"",
                           STR_ARG(rest));
        if (out->driver->quote != NULL)
            out->quoter = lookup_type_quoter(out->driver);
    }
    return VM_OK;
}

struct str
lookup_option(struct str options, const char *name)
{
    size_t name_n = strlen(name);
    while (options.n > 0) {
        size_t comma = str_chr(options, ',', 0);
        struct str one = comma == STR_NPOS ? options : str_sub(options, 0, comma);
        if (one.n > name_n && one.p[name_n] == '=' && memcmp(one.p, name, name_n) == 0)
            return str_sub(one, name_n + 1, one.n);
        options = comma == STR_NPOS ? STR_EMPTY : str_sub(options, comma + 1, options.n);
    }
    return STR_NULL;
}
