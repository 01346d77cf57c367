/* Settings in front of an LDAP URL; see ldap_query.h. */
#include "plugins/ldap/ldap_query.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/escape.h"

#include <limits.h>

/* One setting being read. */
struct setting {
    struct arena *arena;
    struct ldap_query *query;
    struct str value;
    struct str *why;
};

typedef bool setting_fn(struct setting *s);

/* Digits at the front, as atoi has it: nothing else is looked at. */
static int
leading_number(struct str s)
{
    int64_t v = 0;
    for (uint32_t i = 0; i < s.n && ascii_digit(s.p[i]); i++) {
        v = v * 10 + (s.p[i] - '0');
        if (v > INT_MAX)
            return INT_MAX;
    }
    return (int)v;
}

/* %XX becomes its byte; a percent sign without two digits stays. */
static struct str
remove_url_quoting(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    b.taint = s.taint;
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && ascii_hex(s.p[i + 1]) >= 0 &&
            ascii_hex(s.p[i + 2]) >= 0) {
            buf_addc(&b, (char)(ascii_hex(s.p[i + 1]) * 16 + ascii_hex(s.p[i + 2])));
            i += 2;
        } else {
            buf_addc(&b, s.p[i]);
        }
    }
    struct str out = buf_str(&b);
    return str_is_set(out) ? out : STR_EMPTY;
}

static bool
set_user(struct setting *s)
{
    s->query->user = remove_url_quoting(s->arena, s->value);
    return true;
}

static bool
set_pass(struct setting *s)
{
    s->query->pass = s->value;
    return true;
}

static bool
set_servers(struct setting *s)
{
    s->query->servers = s->value;
    return true;
}

static bool
set_size(struct setting *s)
{
    s->query->size = leading_number(s->value);
    return true;
}

static bool
set_time(struct setting *s)
{
    s->query->time_s = leading_number(s->value);
    return true;
}

static bool
set_wait(struct setting *s)
{
    s->query->wait_s = leading_number(s->value);
    return true;
}

/* An unknown word means never, as in Exim. */
static bool
set_dereference(struct setting *s)
{
    static const char *const words[] = {
        [LDAP_QUERY_NEVER] = "never",
        [LDAP_QUERY_SEARCHING] = "searching",
        [LDAP_QUERY_FINDING] = "finding",
        [LDAP_QUERY_ALWAYS] = "always",
    };
    s->query->dereference = LDAP_QUERY_NEVER;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_ieqz(s->value, words[i]))
            s->query->dereference = (enum ldap_deref)i;
    return true;
}

static bool
set_referrals(struct setting *s)
{
    s->query->no_referrals = str_eqz(s->value, "nofollow");
    if (s->query->no_referrals || str_eqz(s->value, "follow"))
        return true;
    *s->why = STR_LIT("LDAP option REFERRALS is not \"follow\" or \"nofollow\"");
    return false;
}

static const struct {
    const char *name;
    setting_fn *set;
} settings[] = {
    {"user", set_user},           {"pass", set_pass},
    {"servers", set_servers},     {"size", set_size},
    {"time", set_time},           {"connect", set_wait},
    {"nettime", set_wait},        {"dereference", set_dereference},
    {"referrals", set_referrals},
};

static struct str
take_value(struct arena *a, struct str text, size_t *at)
{
    if (*at < text.n && text.p[*at] == '"')
        return escape_quoted_word(a, text, at);
    size_t from = *at;
    while (*at < text.n && !ascii_space(text.p[*at]))
        ++*at;
    return str_sub(text, from, *at - from);
}

static void
skip_space(struct str text, size_t *at)
{
    while (*at < text.n && ascii_space(text.p[*at]))
        ++*at;
}

static bool
take_setting(struct setting *s, struct str text, size_t *at)
{
    size_t from = *at;
    while (*at < text.n && text.p[*at] != '=' && !ascii_space(text.p[*at]))
        ++*at;
    skip_space(text, at);
    if (*at == text.n || text.p[*at] != '=') {
        *s->why = STR_LIT("malformed parameter setting precedes LDAP URL");
        return false;
    }
    struct str name = str_sub(text, from, *at - from);
    ++*at;
    s->value = take_value(s->arena, text, at);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (str_ieqz(name, settings[i].name))
            return settings[i].set(s);
    *s->why =
        str_printf(s->arena, "unknown parameter \"%.*s=\" precedes LDAP URL", STR_ARG(name));
    return false;
}

bool
ldap_query_parse(struct arena *a, struct str text, struct ldap_query *out, struct str *why)
{
    struct setting s = {.arena = a, .query = out, .why = why};
    size_t at = 0;
    *out = (struct ldap_query){.user = STR_NULL, .pass = STR_NULL, .servers = STR_NULL};
    skip_space(text, &at);
    while (!str_istarts(str_sub(text, at, text.n), "ldap")) {
        if (!take_setting(&s, text, &at))
            return false;
        skip_space(text, &at);
    }
    out->url = str_trim(str_sub(text, at, text.n));
    return true;
}

bool
ldap_query_check_url(struct arena *a, struct str url, struct str *why)
{
    enum { SHOWN = 16 };
    static const char *const schemes[] = {"ldap://", "ldaps://", "ldapi://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_istarts(url, schemes[i]))
            return true;
    *why = str_printf(a,
                      "LDAP URL does not start with \"ldap://\", \"ldaps://\", or \"ldapi://\" "
                      "(it starts with \"%.*s...\")",
                      STR_ARG(str_sub(url, 0, SHOWN)));
    return false;
}
