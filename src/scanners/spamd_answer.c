/* Answers of spamd and rspamd; see spamd_answer.h.
 *
 * Source: spamd's PROTOCOL file; rspamd, "Rspamd protocol", legacy RSPAMC answers.
 */
#include "scanners/spamd_answer.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"

enum { ROUND = 50, TENTH = 100, ONE = 1000, BAR_MAX = 50 };

/* --- pieces --- */

/* The next line without its end (LF or CRLF). False: there is none. */
static bool
take_line(struct str *text, struct str *line)
{
    if (text->n == 0)
        return false;
    *line = str_take_until(text, '\n');
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static struct str
take_part(struct str *rest, char separator)
{
    return str_trim(str_take_until(rest, separator));
}

/* "-4.5" */
static bool
parse_number(struct str s, int64_t *thousandths)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    if (minus)
        s = str_sub(s, 1, s.n);
    if (s.n == 0 || !ascii_digit(s.p[0]) || num_parse_fixed(s, thousandths) != NUM_OK)
        return false;
    *thousandths = minus ? -*thousandths : *thousandths;
    return true;
}

/* "4.5 / 5.0", perhaps with more behind another slash. */
static bool
parse_scores(struct str s, struct spamd_answer *out)
{
    struct str score = take_part(&s, '/'), threshold = take_part(&s, '/');
    return parse_number(score, &out->score) && parse_number(threshold, &out->threshold);
}

/* "SPAMD/1.1 0 EX_OK": the code is 0. */
static bool
is_success(struct str line, const char *protocol)
{
    struct str name = take_part(&line, ' ');
    return str_starts(name, protocol) && str_eqz(take_part(&line, ' '), "0");
}

static struct str
report_text(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    struct str line;
    bool first = true;
    while (text.n > 0 && ascii_space(text.p[text.n - 1]))
        text.n--;
    while (take_line(&text, &line)) {
        if (!first)
            buf_addz(&b, "\n ");
        buf_adds(&b, line);
        first = false;
    }
    struct str s = buf_str(&b);
    return str_tainted(str_is_set(s) ? s : STR_EMPTY);
}

/* --- answers --- */

bool
spamd_answer_parse(struct arena *a, struct str text, struct spamd_answer *out)
{
    struct str line;
    bool found = false;
    *out = (struct spamd_answer){.action = STR_EMPTY};
    if (!take_line(&text, &line) || !is_success(line, "SPAMD/"))
        return false;
    while (take_line(&text, &line) && line.n > 0) {
        struct str name = take_part(&line, ':');
        if (!str_ieqz(name, "Spam"))
            continue;
        (void)take_part(&line, ';'); /* what it thinks of the score */
        found = parse_scores(line, out);
    }
    out->report = report_text(a, text);
    return found;
}

bool
spamd_answer_parse_rspamd(struct arena *a, struct str text, struct spamd_answer *out)
{
    struct str line;
    *out = (struct spamd_answer){.action = STR_EMPTY};
    if (!take_line(&text, &line) || !is_success(line, "RSPAMD/"))
        return false;
    do {
        if (!take_line(&text, &line))
            return false;
    } while (!str_istarts(line, "Metric:"));
    (void)take_part(&line, ';');
    (void)take_part(&line, ';');
    if (!parse_scores(line, out))
        return false;
    out->report = report_text(a, text);
    while (take_line(&text, &line) && line.n > 0)
        if (str_ieqz(take_part(&line, ':'), "Action"))
            out->action = str_tainted(str_dup(a, str_trim(line)));
    return true;
}

/* --- variables --- */

struct str
spamd_answer_score(struct arena *a, int64_t score)
{
    int64_t size = score < 0 ? -score : score, tenths = (size + ROUND) / TENTH;
    return str_printf(a, "%s%lld.%lld", score < 0 && tenths > 0 ? "-" : "",
                      (long long)(tenths / 10), (long long)(tenths % 10));
}

struct str
spamd_answer_score_int(struct arena *a, int64_t score)
{
    return str_printf(a, "%lld", (long long)(score / TENTH));
}

struct str
spamd_answer_bar(struct arena *a, int64_t score)
{
    char bar[BAR_MAX];
    int64_t n = (score < 0 ? -score : score) / ONE;
    size_t length = n < BAR_MAX ? (size_t)n : BAR_MAX;
    if (length == 0)
        return STR_LIT("/");
    memset(bar, score < 0 ? '-' : '+', length);
    return str_dup(a, str_from(bar, length));
}
