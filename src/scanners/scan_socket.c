/* Connections to daemons; see scan_socket.h. */
#include "scanners/scan_socket.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/host_find.h"
#include "sys/await.h"
#include "sys/connect.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { SILENCE_MS = 100, PIECE = 4096, PORT_MAX = 65535 };

/* --- where --- */

static bool
parse_port(struct str text, int64_t *port)
{
    uint64_t n;
    *port = 0;
    if (!num_parse_digits(text, &n) || n < 1 || n > PORT_MAX)
        return false;
    *port = (int64_t)n;
    return true;
}

static bool
parse_ports(struct str text, struct scan_place *out)
{
    size_t dash = str_chr(text, '-', 0);
    if (dash == STR_NPOS)
        return parse_port(text, &out->low) && parse_port(text, &out->high);
    return parse_port(str_sub(text, 0, dash), &out->low) &&
           parse_port(str_sub(text, dash + 1, text.n), &out->high) && out->low <= out->high;
}

bool
scan_place_parse(struct str text, struct scan_place *out, struct str *rest)
{
    *out = (struct scan_place){.path = STR_NULL, .host = STR_NULL};
    struct str first = str_take_word(&text);
    if (first.n == 0)
        return false;
    if (first.p[0] == '/') {
        out->path = first;
    } else {
        out->host = first;
        if (!parse_ports(str_take_word(&text), out))
            return false;
    }
    if (rest != NULL)
        *rest = text;
    return rest != NULL || text.n == 0;
}

/* --- connecting --- */

static int64_t
time_left(const struct scan_socket *s)
{
    int64_t left = s->deadline_ms - await_now_ms();
    return left > 0 ? left : 0;
}

static bool
open_local(const struct scan_asker *by, struct str path, struct scan_socket *s, struct str *why)
{
    s->address = str_dup(by->arena, path);
    if (line_socket_open(by->arena, &s->io, path, time_left(s)))
        return true;
    *why = str_printf(by->arena, "unable to connect to UNIX socket (%.*s): %s", STR_ARG(path),
                      strerror(errno));
    return false;
}

/* The addresses of the host. */
static void
find_host(const struct scan_asker *by, struct str host, struct host_targets *out)
{
    struct ip ip;
    struct host_find q = {.eval = by->eval,
                          .vm = by->vm,
                          .arena = by->arena,
                          .host = {.name = host, .preference = -1},
                          .out = out};
    if (!ip_parse(host, &ip))
        (void)host_find_by_name(&q);
    else
        vec_push(by->arena, out, ((struct host_target){.name = host, .address = host}));
}

static bool
open_remote(const struct scan_asker *by, const struct scan_place *to, struct scan_socket *s,
            int *fault)
{
    struct host_targets found = {.n = 0};
    struct ip ip;
    find_host(by, to->host, &found);
    *fault = found.n > 0 ? ECONNREFUSED : 0;
    for (int64_t port = to->low; port <= to->high; port++) {
        for (size_t i = 0; i < found.n; i++) {
            int64_t left = time_left(s);
            if (left == 0 || !ip_parse(found.v[i].address, &ip)) {
                *fault = ETIMEDOUT;
                return false;
            }
            s->address = str_printf(by->arena, "[%.*s]:%lld", STR_ARG(found.v[i].address),
                                    (long long)port);
            struct connect_request rq = {
                .to = ip, .port = port, .timeout_ms = left, .dscp = -1};
            struct connected c;
            bool ok = connect_tcp(&rq, &c);
            *fault = c.sys_errno;
            if (ok) {
                line_socket_start(by->arena, &s->io, c.fd, left);
                return true;
            }
        }
    }
    return false;
}

bool
scan_socket_open(const struct scan_asker *by, const struct scan_place *to,
                 struct scan_socket *s, struct str *why)
{
    int fault;
    s->io = (struct line_socket){.fd = -1};
    s->address = STR_NULL;
    if (by->connected > 0) {
        line_socket_start(by->arena, &s->io, by->connected, time_left(s));
        return true;
    }
    if (str_is_set(to->path))
        return open_local(by, to->path, s, why);
    if (open_remote(by, to, s, &fault))
        return true;
    *why = fault == 0
               ? str_printf(by->arena, "no IP address found for host %.*s", STR_ARG(to->host))
               : str_printf(by->arena, "failed to connect to any address for %.*s: %s",
                            STR_ARG(to->host), strerror(fault));
    return false;
}

void
scan_socket_close(struct scan_socket *s)
{
    line_socket_close(&s->io);
}

/* --- what goes through it --- */

bool
scan_socket_send(struct scan_socket *s, struct str text)
{
    s->io.timeout_ms = time_left(s);
    return line_socket_send(&s->io, text);
}

void
scan_socket_shut(struct scan_socket *s)
{
    (void)shutdown(s->io.fd, SHUT_WR);
}

bool
scan_socket_line(struct scan_socket *s, struct str *line)
{
    s->io.timeout_ms = time_left(s);
    if (line_socket_read(&s->io, line)) {
        if (line->n > 0 && line->p[line->n - 1] == '\r')
            line->n--;
        return true;
    }
    if (errno != 0 || s->io.at == s->io.end)
        return false;
    *line = str_tainted(str_from(s->io.text + s->io.at, s->io.end - s->io.at));
    s->io.at = s->io.end;
    return true;
}

bool
scan_socket_exact(struct scan_socket *s, void *p, size_t n)
{
    for (size_t have = 0; have < n;) {
        s->io.timeout_ms = time_left(s);
        ssize_t got = line_socket_some(&s->io, (char *)p + have, n - have);
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

bool
scan_socket_all(struct scan_socket *s, struct buf *out)
{
    char piece[PIECE];
    for (;;) {
        s->io.timeout_ms = time_left(s);
        ssize_t got = line_socket_some(&s->io, piece, sizeof piece);
        if (got <= 0)
            return got == 0;
        size_t room = out->limit - out->n;
        buf_adds(out, str_tainted(str_from(piece, (size_t)got < room ? (size_t)got : room)));
        if ((size_t)got >= room)
            return true;
    }
}

/* Adds a piece up to what ends the answer. True: it is complete. */
static bool
add_piece(struct buf *out, struct str piece, unsigned ends)
{
    size_t end = str_chr(piece, '\0', 0);
    size_t line = (ends & SCAN_ENDS_WITH_LINE) != 0 ? str_chr(piece, '\n', 0) : STR_NPOS;
    end = end < line ? end : line;
    size_t room = out->limit - out->n, n = end < piece.n ? end : piece.n;
    buf_adds(out, str_sub(piece, 0, n < room ? n : room));
    return end != STR_NPOS || out->n == out->limit;
}

bool
scan_socket_answer(struct scan_socket *s, unsigned ends, struct buf *out)
{
    char piece[PIECE];
    for (;;) {
        bool waits = (ends & SCAN_ENDS_IN_SILENCE) == 0 || out->n == 0;
        int64_t left = time_left(s);
        s->io.timeout_ms = waits || left < SILENCE_MS ? left : SILENCE_MS;
        ssize_t got = line_socket_some(&s->io, piece, sizeof piece);
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return out->n > 0 && (got == 0 || !waits);
        if (add_piece(out, str_tainted(str_from(piece, (size_t)got)), ends))
            return true;
    }
}

const char *
scan_socket_reason(int sys_errno)
{
    return sys_errno == 0 ? "EOF" : strerror(sys_errno);
}
