/* Tells faults of the configuration; see report.h. Nothing here decides whether something is a fault. */
#include "proc/report.h"

#include "base/buf.h"
#include "conf/conf.h"
#include "proc/cli.h"

#include <stdio.h>

void
report_diags(const struct diags *d)
{
    struct arena *a = arena_new();
    struct buf out = buf_in(a, 0);
    for (size_t i = 0; i < diags_total(d); i++)
        diag_render(&out, diags_at(d, i));
    struct str text = buf_str(&out);
    if (text.n > 0)
        (void)fwrite(text.p, 1, text.n, stderr);
    arena_free(a);
}

const struct diag *
report_first_error(const struct diags *d)
{
    for (size_t i = 0; i < diags_total(d); i++) {
        if (diags_at(d, i)->level == DIAG_ERROR)
            return diags_at(d, i);
    }
    return NULL;
}

struct str
report_exim_text(struct arena *a, const struct diag *one)
{
    struct buf b = buf_in(a, 0);
    conf_print_exim(&b, one);
    struct str text = buf_str(&b);
    return str_sub(text, 0, text.n > 0 ? text.n - 1 : 0);
}

/* The lines of a text, for a writer that takes single lines only. */
static size_t
split_lines(struct str text, struct str *lines, size_t max)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n && n < max;) {
        size_t end = str_chr(text, '\n', at);
        end = end == STR_NPOS ? text.n : end;
        lines[n++] = str_sub(text, at, end - at);
        at = end + 1;
    }
    return n;
}

int
report_bad_config(struct arena *a, const struct cli *cli, const struct diags *d,
                  const struct log_settings *log)
{
    const struct diag *first = report_first_error(d);
    if (first == NULL || !cli->called_as_exim) {
        report_diags(d);
        if (first == NULL)
            return 1;
    }
    struct str text = report_exim_text(a, first);
    if (cli->called_as_exim) {
        struct str stamp = log_stamp(a, time(NULL), log->zone);
        (void)fprintf(stderr, "%.*s%.*s\n", STR_ARG(stamp), STR_ARG(text));
    }
    enum { LINES_MAX = 32 };
    struct str lines[LINES_MAX], ignored;
    size_t n = split_lines(text, lines, LINES_MAX);
    log_write(a, log, LOGFILE_PANIC, lines, n, &ignored);
    return 1;
}
