/* Avast: a dialogue with three-digit codes over a UNIX socket or TCP. */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <errno.h>

enum { LINES_MAX = 10000 };

struct dialogue {
    struct scan_job *j;
    bool pass_unscanned;
    bool silent; /* the scanner does not answer any more */
    struct str name;
};

/* The next line; what is wrong with it becomes the reason. */
static bool
next_line(struct dialogue *d, struct str *line)
{
    if (scan_socket_line(&d->j->server, line))
        return true;
    d->silent = true;
    if (errno == ETIMEDOUT)
        (void)scan_defer(d->j, "timeout from scanner");
    else
        (void)scan_defer(d->j, "unable to read from socket (%s)", scan_socket_reason(errno));
    return false;
}

static bool
send_line(struct dialogue *d, struct str text)
{
    if (scan_socket_send(&d->j->server, str_cat(d->j->by.arena, text, STR_LIT("\n"))))
        return true;
    d->silent = true;
    (void)scan_defer(d->j, "unable to write to socket (%s)", scan_socket_reason(errno));
    return false;
}

/* "0 NAME" or "Error 42110 TEXT", where a backslash is in front of each space. */
static struct str
name_of(struct dialogue *d, struct str text)
{
    struct buf b = buf_in(d->j->by.arena, SCAN_NAME_MAX);
    size_t from = str_starts(text, "Error ") ? str_chr(text, ' ', strlen("Error "))
                                             : str_chr(text, ' ', 0);
    text = str_sub(text, from == STR_NPOS ? 0 : from + 1, text.n);
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' && i + 1 < text.n)
            i++;
        buf_addc(&b, text.p[i]);
    }
    return str_tainted(buf_str(&b));
}

/* A line about one file: "path [+]", "path [L]0.0 0 NAME", "path [E]0.0 Error 13 TEXT", with tabs. False: something else. */
static bool
take_finding(struct dialogue *d, struct str line)
{
    size_t tab = str_chr(line, '\t', 0);
    struct str mark = str_sub(line, tab == STR_NPOS ? line.n : tab + 1, line.n);
    if (str_starts(mark, "[+]"))
        return true;
    bool error = str_starts(mark, "[E]");
    if (!error && !str_starts(mark, "[L]"))
        return false;
    size_t next = str_chr(mark, '\t', 0);
    if (error && d->pass_unscanned)
        scan_note(d->j, "internal scanner error (ignored): %.*s",
                  STR_ARG(scan_said(d->j, line)));
    else if (!str_is_set(d->name))
        d->name = name_of(d, str_sub(mark, next == STR_NPOS ? mark.n : next + 1, mark.n));
    return true;
}

/* The answer to a command: "210 ...", its lines, "200 ..."; what the lines mean to `take`, NULL: nothing. */
static bool
read_answer(struct dialogue *d, bool (*take)(struct dialogue *d, struct str line))
{
    struct str line;
    bool lines = false;
    for (int i = 0; i < LINES_MAX; i++) {
        if (!next_line(d, &line))
            return false;
        if (str_starts(line, "200"))
            return true;
        bool begins = str_starts(line, "210");
        if (!begins && (!lines || (take != NULL && !take(d, line)))) {
            (void)scan_defer(d->j, "%.*s", STR_ARG(scan_said(d->j, line)));
            return false;
        }
        lines = true;
    }
    (void)scan_defer(d->j, "answer without an end");
    return false;
}

/* Options of the scanner; the one that is ours is taken out. */
static bool
send_options(struct dialogue *d)
{
    struct str item;
    while (strlist_split_next(&d->j->options, d->j->by.arena, &item)) {
        if (str_eqz(item, "pass_unscanned"))
            d->pass_unscanned = true;
        else if (item.n > 0 && (!send_line(d, item) || !read_answer(d, NULL)))
            return false;
    }
    return true;
}

static enum scan_end
ask(struct dialogue *d)
{
    struct str line;
    if (!next_line(d, &line))
        return SCAN_DEFER;
    if (!str_starts(line, "220"))
        return scan_defer(d->j, "%.*s", STR_ARG(scan_said(d->j, line)));
    struct str command = str_cat(d->j->by.arena, STR_LIT("SCAN "), d->j->message->directory);
    if (!send_options(d) || !send_line(d, command) || !read_answer(d, take_finding))
        return SCAN_DEFER;
    return str_is_set(d->name) ? scan_found(d->j, d->name) : SCAN_CLEAN;
}

static enum scan_end
scan(struct scan_job *j)
{
    struct dialogue d = {.j = j, .name = STR_NULL};
    struct scan_place to;
    if (!scan_take_place(j, "/var/run/avast/scan.sock", &to) || !scan_need_file(j) ||
        !scan_connect(j, &to))
        return SCAN_DEFER;
    enum scan_end end = ask(&d);
    if (!d.silent)
        (void)scan_socket_send(&j->server, STR_LIT("QUIT\n"));
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_avast = {
    "avast", "Avast, over a UNIX socket or TCP: the directory of the message.", scan};
