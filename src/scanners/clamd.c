/* ClamAV's daemon: SCAN with a path over a UNIX socket or with the option local, zINSTREAM with the message over TCP.
 *
 * Source: clamd(8); specification, clamd.
 */
#include "scanners/scanner.h"

#include "base/arena.h"
#include "base/num.h"
#include "sys/await.h"
#include "sys/entropy.h"

#include <arpa/inet.h>
#include <errno.h>

enum { SERVERS_MAX = 32, MS = 1000 };

struct server {
    struct scan_place place;
    int64_t retry_ms; /* 0: one attempt */
};

struct servers {
    struct server v[SERVERS_MAX];
    size_t n;
    bool local; /* they see our files */
};

/* --- settings --- */

/* What stands behind a place: "retry=5s". */
static bool
parse_options(struct server *s, struct str rest)
{
    int64_t seconds;
    if (rest.n == 0)
        return true;
    if (!str_starts(rest, "retry=") ||
        !num_parse_interval(str_sub(rest, strlen("retry="), rest.n), &seconds))
        return false;
    s->retry_ms = seconds * MS;
    return true;
}

/* False: the reason is set. */
static bool
parse_one(struct scan_job *j, struct servers *all, struct str item)
{
    struct str rest;
    struct server s = {.retry_ms = 0};
    if (str_eqz(item, "local")) {
        all->local = true;
        return true;
    }
    if (!scan_place_parse(item, &s.place, &rest)) {
        scan_note_trouble(j, str_printf(j->by.arena, "missing port: '%.*s'", STR_ARG(item)));
        return true;
    }
    if (!parse_options(&s, rest)) {
        (void)scan_defer(j, "bad option '%.*s'", STR_ARG(item));
        return false;
    }
    if (all->n < SERVERS_MAX)
        all->v[all->n++] = s;
    return true;
}

/* A UNIX socket is the only server then. */
static bool
parse_servers(struct scan_job *j, struct servers *all)
{
    struct str item = scan_option(j, "/tmp/clamd");
    do {
        bool path = item.n > 0 && item.p[0] == '/';
        if (path && all->n > 0) {
            scan_note_trouble(j,
                              str_printf(j->by.arena, "missing port: '%.*s'", STR_ARG(item)));
            continue;
        }
        if (item.n > 0 && !parse_one(j, all, item))
            return false;
        all->local = all->local || path;
        if (path)
            break;
    } while (strlist_split_next(&j->options, j->by.arena, &item));
    if (all->n == 0)
        (void)scan_defer(j, "no useable server addresses in malware configuration option.");
    return all->n > 0;
}

/* --- connecting --- */

/* One of the servers that are left, at random, within its share of the time. */
static bool
try_one(struct scan_job *j, struct servers *all)
{
    size_t i = (size_t)entropy_below(all->n);
    struct server s = all->v[i];
    int64_t deadline = j->server.deadline_ms, now = await_now_ms();
    int64_t share = (deadline - now) / (int64_t)all->n;
    all->v[i] = all->v[--all->n];
    j->server.deadline_ms = now + share;
    bool ok = scan_connect_again(j, &s.place, s.retry_ms, share);
    j->server.deadline_ms = deadline;
    return ok;
}

static bool
connect_any(struct scan_job *j, struct servers *all)
{
    bool remote = !str_is_set(all->v[0].place.path);
    while (all->n > 0) {
        if (try_one(j, all))
            return true;
        if (remote)
            scan_note_trouble(j, j->why);
    }
    if (remote) {
        j->server.address = STR_NULL;
        (void)scan_defer(j, "all servers failed");
    }
    return false;
}

/* --- the request --- */

static void
put_size(struct buf *b, size_t n)
{
    uint32_t size = htonl((uint32_t)n);
    buf_add(b, (const char *)&size, sizeof size);
}

/* Blocks with their sizes, an empty one at the end; small messages go out at once. */
static bool
send_message(struct scan_job *j)
{
    struct buf b = buf_in(j->by.arena, 0);
    struct scan_stream st;
    struct str block;
    int r;
    buf_add(&b, "zINSTREAM", sizeof "zINSTREAM");
    scan_stream_start(j->by.arena, j->message, SCAN_MBOX, -1, &st);
    while ((r = scan_stream_next(&st, &block)) > 0) {
        put_size(&b, block.n);
        buf_adds(&b, block);
        if (block.n < SCAN_BLOCK_MAX)
            continue;
        if (!scan_socket_send(&j->server, buf_str(&b)))
            return false;
        b.n = 0;
    }
    put_size(&b, 0);
    return r == 0 && scan_socket_send(&j->server, buf_str(&b));
}

static bool
send_request(struct scan_job *j, bool local)
{
    if (!local)
        return send_message(j);
    return scan_socket_send(&j->server,
                            str_printf(j->by.arena, "SCAN %.*s\n", STR_ARG(j->message->path)));
}

/* --- the answer --- */

/* "path: OK", "path: NAME FOUND", "path: reason ERROR"; the path may be "stream". */
static enum scan_end
judge(struct scan_job *j, struct str answer)
{
    const struct str found = STR_LIT("FOUND"), error = STR_LIT("ERROR");
    answer = str_trim(answer);
    struct str path = j->message->path;
    size_t from =
        str_is_set(path) && answer.n > path.n && str_eq(str_sub(answer, 0, path.n), path)
            ? path.n
            : 0;
    size_t colon = str_chr(answer, ':', from);
    struct str said = scan_said(j, answer);
    if (colon == STR_NPOS)
        return scan_defer(j, "ClamAV returned malformed result (missing colon): %.*s",
                          STR_ARG(said));
    struct str result = str_trim(str_sub(answer, colon + 1, answer.n));
    if (str_eqz(result, "OK"))
        return SCAN_CLEAN;
    if (str_ends(result, error))
        return scan_defer(j, "ClamAV returned: %.*s", STR_ARG(said));
    if (!str_ends(result, found))
        return scan_defer(j, "unparseable response from ClamAV: {%.*s}", STR_ARG(said));
    return scan_found(j, str_sub(result, 0, result.n - found.n));
}

/* When sending fails the daemon may have said why: the message is larger than it takes. */
static enum scan_end
ask(struct scan_job *j, bool local)
{
    struct buf answer = buf_in(j->by.arena, SCAN_ANSWER_MAX);
    bool sent = send_request(j, local);
    int fault = errno;
    if (!scan_socket_answer(&j->server, SCAN_ENDS_WITH_LINE, &answer))
        return sent
                   ? scan_defer(j, "unable to read from socket (%s)", scan_socket_reason(errno))
                   : scan_defer(j, "unable to send to socket (%s)", scan_socket_reason(fault));
    return judge(j, buf_str(&answer));
}

static enum scan_end
scan(struct scan_job *j)
{
    struct servers all = {.n = 0};
    if (!parse_servers(j, &all) || (all.local && !scan_need_file(j)) || !connect_any(j, &all))
        return SCAN_DEFER;
    enum scan_end end = ask(j, all.local);
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_clamd = {
    "clamd",
    "ClamAV's daemon: over a UNIX socket the path of the message, over TCP the message.", scan};
