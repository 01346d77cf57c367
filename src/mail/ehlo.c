/* The answer to EHLO; see ehlo.h. */
#include "mail/ehlo.h"

#include <stddef.h>

static const struct {
    const char *word;
    size_t offset;
} flags[] = {
    {"PIPELINING", offsetof(struct ehlo, pipelining)},
    {"PIPECONNECT", offsetof(struct ehlo, pipe_connect)},
    {"CHUNKING", offsetof(struct ehlo, chunking)},
    {"PRDR", offsetof(struct ehlo, prdr)},
    {"DSN", offsetof(struct ehlo, dsn)},
    {"SMTPUTF8", offsetof(struct ehlo, smtputf8)},
    {"8BITMIME", offsetof(struct ehlo, eightbit)},
    {"STARTTLS", offsetof(struct ehlo, starttls)},
    {"IGNOREQUOTA", offsetof(struct ehlo, ignore_quota)},
    {"SIZE", offsetof(struct ehlo, size)},
    {"AUTH", offsetof(struct ehlo, auth)},
    {"LIMITS", offsetof(struct ehlo, limits)},
};

static const struct {
    const char *word;
    size_t offset;
} limits[] = {
    {"MAILMAX=", offsetof(struct ehlo, mail_max)},
    {"RCPTMAX=", offsetof(struct ehlo, rcpt_max)},
    {"RCPTDOMAINMAX=", offsetof(struct ehlo, rcpt_domain_max)},
};

/* Digits, clipped; 0 when there are none. */
static int64_t
read_number(struct str s, int64_t max)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n && ascii_digit(s.p[i]); i++) {
        n = n * 10 + (s.p[i] - '0');
        if (n > max)
            return max;
    }
    return n;
}

static void
read_limits(struct str rest, struct ehlo *out)
{
    while (rest.n > 0) {
        struct str word = str_take_word(&rest);
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            size_t n = strlen(limits[i].word);
            if (str_istarts(word, limits[i].word))
                *(int64_t *)((char *)out + limits[i].offset) =
                    read_number(str_sub(word, n, word.n), EHLO_LIMIT_MAX);
        }
    }
}

static void
read_line(struct str line, struct ehlo *out)
{
    struct str word = str_take_word(&line);
    if (str_istarts(word, "AUTH=")) { /* as servers wrote it before there was a standard */
        line = str_sub(word, 5, word.n);
        word = str_sub(word, 0, 4);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (str_ieqz(word, flags[i].word))
            *(bool *)((char *)out + flags[i].offset) = true;
    if (str_ieqz(word, "SIZE"))
        out->size_max = read_number(line, INT64_MAX / 100);
    else if (str_ieqz(word, "AUTH"))
        out->auth_mechanisms = line;
    else if (str_ieqz(word, "LIMITS"))
        read_limits(line, out);
}

void
ehlo_read(const struct smtp_reply *reply, struct ehlo *out)
{
    *out = (struct ehlo){.auth_mechanisms = STR_NULL};
    for (size_t i = 1; i < reply->lines; i++)
        read_line(smtp_reply_line(reply, i), out);
}
