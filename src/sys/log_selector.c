/* The words of log_selector; see the header and log_selector.def. */
#include "sys/log_selector.h"

#include <stddef.h>

/* clang-format off */
static const struct log_selector_row rows[] = {
#define LOG_SELECTOR(NAME, name, on, doc) {STR_INIT(#name), on, doc},
#include "sys/log_selector.def"
#undef LOG_SELECTOR
};
/* clang-format on */

const struct log_selector_row *
log_selector_row(enum log_selector s)
{
    return &rows[s];
}

uint64_t
log_selector_default(void)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < LOG_SELECTORS; i++)
        if (rows[i].on)
            bits |= UINT64_C(1) << i;
    return bits;
}

bool
log_selector_has(uint64_t bits, enum log_selector s)
{
    return (bits >> s & 1) != 0;
}

/* The bits of a word, 0 when there is no such word. */
static uint64_t
word_bits(struct str word)
{
    if (str_eqz(word, "all"))
        return UINT64_MAX;
    if (str_eqz(word, "rejected_headers")) /* as it was once called */
        return UINT64_C(1) << LOG_SELECTOR_REJECTED_HEADER;
    for (unsigned i = 0; i < LOG_SELECTORS; i++)
        if (str_eq(rows[i].name, word))
            return UINT64_C(1) << i;
    return 0;
}

static size_t
skip_space(struct str s, size_t at)
{
    while (at < s.n && ascii_space(s.p[at]))
        at++;
    return at;
}

static size_t
word_end(struct str s, size_t at)
{
    while (at < s.n && (ascii_alnum(s.p[at]) || s.p[at] == '_'))
        at++;
    return at;
}

bool
log_selector_apply(struct str setting, uint64_t *bits, const char **error, struct str *wrong)
{
    if (setting.n > 0 && setting.p[0] == '=')
        return true; /* numbers, from before there were words; they mean nothing now */
    uint64_t b = *bits;
    for (size_t at = skip_space(setting, 0); at < setting.n; at = skip_space(setting, at)) {
        char sign = setting.p[at];
        if (sign != '+' && sign != '-') {
            *error = "malformed log_selector setting: + or - expected but found";
            *wrong = str_sub(setting, at, setting.n);
            return false;
        }
        size_t end = word_end(setting, at + 1);
        uint64_t word = word_bits(str_sub(setting, at + 1, end - at - 1));
        if (word == 0) {
            *error = "unknown log_selector setting:";
            *wrong = str_sub(setting, at, end - at);
            return false;
        }
        b = sign == '+' ? b | word : b & ~word;
        at = end;
    }
    *bits = b;
    return true;
}
