/* Messages that are text and nothing else; see plain_mail.h. */
#include "mail/plain_mail.h"

/* Header fields after which the body may be something else. */
static const char *const fields[] = {"content-", "mime-version:", "encoding:", "x-sun-",
                                     "resent-content-"};

/* How a line of the body begins that is not just text: uuencode, yEnc, BinHex, the header or the boundary of a part, a message inside, a
 * program or an archive as it is. */
static const char *const starts[] = {"begin",     "=ybegin",      "(this file",  "--",
                                     "content-",  "mime-",        "from:",       "from ",
                                     "received:", "return-path:", "message-id:", "subject:",
                                     "\x50\x4b",  "mz",           "%pdf",        "<"};

static bool
begins(struct str line, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_istarts(line, words[i]))
            return true;
    return false;
}

/* The line at an offset without its end; *next: the one behind it. */
static struct str
line_at(struct str text, size_t at, size_t *next)
{
    size_t end = str_chr(text, '\n', at);
    *next = end == STR_NPOS ? text.n : end + 1;
    struct str line = str_sub(text, at, (end == STR_NPOS ? text.n : end) - at);
    return line.n > 0 && line.p[line.n - 1] == '\r' ? str_sub(line, 0, line.n - 1) : line;
}

/* Text as people write it. */
static bool
is_text(struct str line)
{
    for (uint32_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

size_t
plain_mail_body(struct str text)
{
    size_t at = 0, body = STR_NPOS;
    while (at < text.n) {
        size_t next;
        struct str line = line_at(text, at, &next);
        if (!is_text(line))
            return STR_NPOS;
        if (body != STR_NPOS) {
            if (begins(str_trim_left(line), starts, sizeof starts / sizeof starts[0]))
                return STR_NPOS;
        } else if (line.n == 0) {
            body = next;
        } else if (begins(line, fields, sizeof fields / sizeof fields[0])) {
            return STR_NPOS;
        }
        at = next;
    }
    return body != STR_NPOS ? body : text.n;
}
