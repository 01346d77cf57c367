/* Checks of main options that need the whole value, or two of them: errors_reply_to, smtp_ratelimit_*,
 * local_sender_retain. Exim makes them when it has read the main section and gives no line; the native wording does.
 * Nothing here may change a value.
 */
#include "conf/main_check.h"

#include "base/arena.h"
#include "base/diag.h"
#include "base/num.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "mail/address.h"

enum { DH_BITS_MIN = 1024 };

struct check {
    struct arena *arena;
    const struct conf *conf;
    struct diags *diags;
};

static struct span
place_of(const struct check *k, const char *option)
{
    const struct opt_set *set = &k->conf->main_set;
    return opt_where(set, opt_find(set->table, str_from_cstr(option)));
}

static bool
is_set(const struct check *k, const char *option)
{
    const struct opt_set *set = &k->conf->main_set;
    return opt_is_set(set, opt_find(set->table, str_from_cstr(option)));
}

static void
check_reply_to(const struct check *k)
{
    struct str s = k->conf->main->errors_reply_to;
    if (!str_is_set(s))
        return;
    struct address_parts a;
    unsigned flags = k->conf->main->allow_domain_literals ? ADDRESS_LITERAL : 0;
    struct str text;
    enum address_status st = address_parse(k->arena, s, flags, &a);
    if (st != ADDRESS_OK)
        text = str_printf(k->arena, "error in errors_reply_to (%.*s): %.*s", STR_ARG(s),
                          STR_ARG(a.error));
    else if (a.domain == 0)
        text = str_printf(k->arena, "errors_reply_to (%.*s) does not contain a domain",
                          STR_ARG(s));
    else
        return;
    diags_add(k->diags, &(struct diag){.level = DIAG_ERROR,
                                       .at = place_of(k, "errors_reply_to"),
                                       .text = text,
                                       .exim_place = STR_EMPTY});
}

/* Cuts the next of four parts off, without leading white space. The end of the text ends the last one. */
static struct str
take_part(struct str *rest)
{
    size_t comma = str_chr(*rest, ',', 0);
    size_t end = comma == STR_NPOS ? rest->n : comma;
    struct str part = str_trim_left(str_sub(*rest, 0, end));
    *rest = str_sub(*rest, end + 1, rest->n);
    return part;
}

/* A time interval whose last seconds may have a fraction. */
static bool
is_delay(struct str s)
{
    int64_t seconds;
    size_t dot = str_chr(s, '.', 0);
    if (dot == STR_NPOS)
        return s.n > 0 && num_parse_interval(s, &seconds);
    size_t i = dot + 1;
    while (i < s.n && ascii_digit(s.p[i]))
        i++;
    return i + 1 == s.n && s.p[i] == 's' && dot > 0 && ascii_digit(s.p[dot - 1]);
}

/* Digits after an optional minus, and one point when it is not whole. */
static bool
is_number(struct str s, bool whole)
{
    size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    size_t digits = 0, points = 0;
    for (; i < s.n; i++) {
        digits += ascii_digit(s.p[i]);
        points += s.p[i] == '.';
        if (!ascii_digit(s.p[i]) && s.p[i] != '.')
            return false;
    }
    return digits > 0 && points <= (whole ? 0 : 1);
}

/* Number of commands that go free, first delay, factor, longest delay. */
static bool
is_ratelimit(struct str s)
{
    struct str rest = s;
    struct str limit = take_part(&rest);
    struct str delay = take_part(&rest);
    struct str factor = take_part(&rest);
    int64_t seconds;
    struct str longest = str_trim(rest);
    return is_number(limit, true) && is_delay(delay) && is_number(factor, false) &&
           longest.n > 0 && num_parse_interval(longest, &seconds);
}

static void
check_ratelimit(const struct check *k, const char *option, struct str s)
{
    if (!str_is_set(s) || is_ratelimit(s))
        return;
    diags_add(k->diags,
              &(struct diag){
                  .level = DIAG_ERROR,
                  .at = place_of(k, option),
                  .text = str_printf(k->arena, "malformed ratelimit data: %.*s", STR_ARG(s)),
                  .exim_place = STR_EMPTY});
}

void
main_check(const struct conf *c, struct diags *diags)
{
    struct check k = {.arena = arena_new(), .conf = c, .diags = diags};
    const struct conf_main *m = c->main;
    check_ratelimit(&k, "smtp_ratelimit_mail", m->smtp_ratelimit_mail);
    check_ratelimit(&k, "smtp_ratelimit_rcpt", m->smtp_ratelimit_rcpt);
    check_reply_to(&k);
    if (is_set(&k, "tls_dh_max_bits") && m->tls_dh_max_bits < DH_BITS_MIN)
        diags_add(diags, &(struct diag){.level = DIAG_ERROR,
                                        .at = place_of(&k, "tls_dh_max_bits"),
                                        .text = STR_LIT("tls_dh_max_bits is too small, must be "
                                                        "at least 1024 for interop"),
                                        .exim_place = STR_EMPTY});
    if (m->local_from_check && m->local_sender_retain)
        diags_add(diags, &(struct diag){.level = DIAG_ERROR,
                                        .at = place_of(&k, "local_sender_retain"),
                                        .text = STR_LIT("both local_from_check and "
                                                        "local_sender_retain are set; this "
                                                        "combination is not allowed"),
                                        .exim_place = STR_EMPTY});
    arena_free(k.arena);
}
