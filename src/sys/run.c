/* Runs another program; see run.h.
 *
 * There is no shell anywhere: a command line is split here and nothing in it is special.
 */
#include "sys/run.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/await.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
reap(pid_t pid, int64_t deadline, struct run_result *out)
{
    int status = 0;
    switch (await_end(pid, deadline, &status)) {
    case AWAIT_NO_WAIT:
        out->end = RUN_NO_WAIT;
        return;
    case AWAIT_TIMED_OUT:
        out->end = RUN_TIMED_OUT;
        return;
    case AWAIT_ENDED:
        break;
    }
    if (WIFEXITED(status)) {
        out->end = RUN_EXITED;
        out->status = WEXITSTATUS(status);
    } else {
        out->end = RUN_SIGNALLED;
        out->status = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
}

void
run_program(struct arena *a, const struct run_request *rq, struct run_result *out)
{
    int pipe_fd[2], in;
    *out = (struct run_result){.end = RUN_NO_PIPE, .output = STR_EMPTY};
    if (pipe2(pipe_fd, O_CLOEXEC) != 0)
        return;
    in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (in < 0)
        goto out;
    int64_t deadline = rq->timeout_ms > 0 ? await_now_ms() + rq->timeout_ms : 0;
    const struct spawn_request start = {
        .argv = rq->argv,
        .environ = rq->environ,
        .directory = rq->directory,
        .in = in,
        .out = pipe_fd[1],
    };
    pid_t pid = spawn_program(&start);
    if (pid < 0) {
        out->end = RUN_NO_FORK;
        goto out;
    }
    close(pipe_fd[1]);
    pipe_fd[1] = -1;
    struct buf text = buf_in(a, rq->max_output);
    bool whole = await_collect(pipe_fd[0], deadline, rq->end_when_cut, &text);
    if (!whole)
        kill(-pid, SIGKILL);
    reap(pid, deadline, out);
    if (!whole && out->end == RUN_SIGNALLED) /* by us, before it was looked at */
        out->end = RUN_TIMED_OUT;
    out->cut = text.overflow;
    if (out->cut && rq->end_when_cut)
        out->end = RUN_TOO_MUCH;
    out->output = str_tainted(buf_str(&text));
out:
    if (in >= 0)
        close(in);
    if (pipe_fd[1] >= 0)
        close(pipe_fd[1]);
    close(pipe_fd[0]);
}

/* --- words --- */

/* The character after a backslash in a double-quoted word. */
static char
escaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* A word that begins at *at with the quote q; leaves *at after the closing one (or at the end). */
static struct str
quoted_word(struct arena *a, struct str line, size_t *at, char q)
{
    struct buf w = buf_in(a, 0);
    size_t i = *at + 1;
    for (; i < line.n && line.p[i] != q; i++) {
        if (q == '"' && line.p[i] == '\\' && i + 1 < line.n)
            buf_addc(&w, escaped(line.p[++i]));
        else
            buf_addc(&w, line.p[i]);
    }
    *at = i < line.n ? i + 1 : i;
    struct str s = buf_str(&w);
    s.taint = line.taint;
    return s.p != NULL ? s : (struct str){"", 0, line.taint};
}

int
run_split(struct arena *a, struct str line, struct str *words, int max, struct str *error)
{
    int n = 0;
    for (size_t i = 0;;) {
        while (i < line.n && ascii_space(line.p[i]))
            i++;
        if (i >= line.n)
            return n;
        if (n == max) {
            *error = str_printf(a, "Too many arguments to command \"%.*s\"", STR_ARG(line));
            return -1;
        }
        if (line.p[i] == '"' || line.p[i] == '\'') {
            words[n++] = quoted_word(a, line, &i, line.p[i]);
            continue;
        }
        size_t from = i;
        while (i < line.n && !ascii_space(line.p[i]))
            i++;
        words[n++] = str_sub(line, from, i - from);
    }
}
