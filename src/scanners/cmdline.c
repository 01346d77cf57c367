/* A program that is run for each message: its output is judged by patterns.
 *
 * The specification speaks of a shell. A line that has nothing for one is run without; /bin/sh is called for pipes, redirections and their kind, which only
 * the configuration can have put there: the path that replaces %s has none of them.
 */
#include "scanners/scanner.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/run.h"

#include <string.h>

static const char for_shell[] = "|&;<>()$`*?[]#~!{}\n";

static bool
needs_shell(struct str line)
{
    char quote = '\0';
    for (uint32_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (quote == '\'')
            quote = c == '\'' ? '\0' : quote;
        else if (strchr("\\$`", c) != NULL)
            return true;
        else if (quote == '"')
            quote = c == '"' ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (strchr(for_shell, c) != NULL)
            return true;
    }
    return false;
}

/* Nothing in it can be special to a shell or to the splitting into words. */
static bool
is_plain_path(struct str path)
{
    for (uint32_t i = 0; i < path.n; i++)
        if (!ascii_alnum(path.p[i]) && strchr("/._-+@%,:=", path.p[i]) == NULL)
            return false;
    return true;
}

/* The line with the directory in place of each %s. */
static struct str
fill_command(struct scan_job *j, struct str line)
{
    struct buf b = buf_in(j->by.arena, 0);
    const struct str mark = STR_LIT("%s");
    for (size_t at = 0; at < line.n;) {
        size_t next = str_find(line, mark, at);
        size_t end = next == STR_NPOS ? line.n : next;
        buf_adds(&b, str_sub(line, at, end - at));
        if (next != STR_NPOS)
            buf_adds(&b, j->message->directory);
        at = end + (next == STR_NPOS ? 0 : mark.n);
    }
    return buf_str(&b);
}

/* argv, ended by NULL. NULL: the reason is set. */
static char **
make_vector(struct scan_job *j, struct str line)
{
    struct arena *a = j->by.arena;
    if (needs_shell(line)) {
        char **argv = ARENA_ARRAY(a, char *, 4);
        argv[0] = str_cstr(a, STR_LIT("/bin/sh"));
        argv[1] = str_cstr(a, STR_LIT("-c"));
        argv[2] = str_cstr(a, line);
        return argv;
    }
    struct str error, *words = ARENA_ARRAY(a, struct str, RUN_WORDS_MAX);
    int n = run_split(a, line, words, RUN_WORDS_MAX, &error);
    if (n < 1) {
        (void)scan_defer(j, "%.*s", STR_ARG(n < 0 ? error : STR_LIT("missing command")));
        return NULL;
    }
    char **argv = ARENA_ARRAY(a, char *, (size_t)n + 1);
    for (int i = 0; i < n; i++)
        argv[i] = str_cstr(a, words[i]);
    return argv;
}

static enum scan_end
judge(struct scan_job *j, const struct scan_patterns *p, const struct run_result *r,
      struct str line)
{
    enum { EXIT_SHIFT = 8 }; /* the status is logged as wait() gives it */
    enum scan_end end = scan_judge_output(j, p, r->output);
    switch (r->end) {
    case RUN_EXITED:
        if (end == SCAN_FOUND || r->status == 0)
            return end;
        return scan_defer(j, "scanner returned error code: %d", r->status << EXIT_SHIFT);
    case RUN_SIGNALLED:
        return scan_defer(j, "scanner returned error code: %d", r->status);
    case RUN_TIMED_OUT:
        return scan_defer(j, "unable to read from scanner (%.*s): Connection timed out",
                          STR_ARG(line));
    case RUN_TOO_MUCH:
    case RUN_NO_PIPE:
    case RUN_NO_FORK:
    case RUN_NO_WAIT:
        break;
    }
    return scan_defer(j, "call scanner (%.*s) failed", STR_ARG(line));
}

static enum scan_end
scan(struct scan_job *j)
{
    enum { OUTPUT_MAX = 1 << 20, LEAST_MS = 1 };
    struct scan_patterns p;
    struct str line = scan_option(j, "");
    if (line.n == 0)
        return scan_defer(j, "missing command line");
    if (!scan_take_patterns(j, &p) || !scan_need_file(j))
        return SCAN_DEFER;
    if (!is_plain_path(j->message->directory))
        return scan_defer(j, "unsafe path: %.*s", STR_ARG(j->message->directory));
    line = fill_command(j, line);
    char **argv = make_vector(j, line);
    if (argv == NULL)
        return SCAN_DEFER;
    int64_t left = j->server.deadline_ms - await_now_ms();
    struct run_request rq = {
        .argv = argv,
        .timeout_ms = left > LEAST_MS ? (int)left : LEAST_MS,
        .max_output = OUTPUT_MAX,
    };
    struct run_result r;
    run_program(j->by.arena, &rq, &r);
    return judge(j, &p, &r, line);
}

const struct scanner_driver scanner_cmdline = {
    "cmdline", "A program: its command, pattern of a finding, pattern of its name.", scan};
