/* Ident queries; see ident.h. */
#include "engine/ident.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "sys/await.h"
#include "sys/connect.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the answer --- */

/* Cuts what is before the next separator off the text. False: there is none. */
static bool
cut(struct str *text, char separator, struct str *part)
{
    size_t at = str_chr(*text, separator, 0);
    if (at == STR_NPOS)
        return false;
    *part = str_trim(str_sub(*text, 0, at));
    *text = str_sub(*text, at + 1, text->n);
    return true;
}

static bool
is_port(struct str text, int64_t port)
{
    uint64_t n;
    return num_parse_digits(text, &n) && n == (uint64_t)port;
}

/* The first word: what follows could look like fields of a log line. */
static bool
take_user(struct str text, struct str *user)
{
    uint32_t n = 0;
    text = str_trim(text);
    while (n < text.n && n < IDENT_USER_MAX && text.p[n] > ' ' && text.p[n] < 0x7f)
        n++;
    *user = str_tainted(str_sub(text, 0, n));
    return n > 0;
}

bool
ident_read(struct str line, int64_t client_port, int64_t own_port, struct str *user)
{
    struct str client, own, kind, system;
    return line.n <= IDENT_LINE_MAX && cut(&line, ',', &client) && cut(&line, ':', &own) &&
           is_port(client, client_port) && is_port(own, own_port) && cut(&line, ':', &kind) &&
           str_ieqz(kind, "USERID") && cut(&line, ':', &system) && take_user(line, user);
}

/* --- the query --- */

/* Reads a line until the deadline. */
static bool
read_line(int fd, int64_t deadline_ms, struct buf *b)
{
    char block[IDENT_LINE_MAX];
    for (;;) {
        int64_t left_ms = deadline_ms - await_now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            return false;
        ssize_t n = recv(fd, block, sizeof block, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        char *end = memchr(block, '\n', (size_t)n);
        buf_add(b, block, end != NULL ? (size_t)(end - block) : (size_t)n);
        if (end != NULL || b->n > IDENT_LINE_MAX)
            return end != NULL;
    }
}

static bool
talk(struct arena *a, const struct session *s, int fd, int64_t deadline_ms, struct str *user)
{
    struct str query = str_printf(a, "%lld , %lld\r\n", (long long)s->sender_host_port,
                                  (long long)s->interface_port);
    struct buf b = buf_in(a, 0);
    return send(fd, query.p, query.n, MSG_NOSIGNAL) == (ssize_t)query.n &&
           read_line(fd, deadline_ms, &b) &&
           ident_read(str_trim(buf_str(&b)), s->sender_host_port, s->interface_port, user);
}

void
ident_ask(struct engine *e, struct session *s)
{
    const struct conf_main *m = e->conf->main;
    int64_t wait_ms = m->rfc1413_query_timeout * 1000, deadline_ms = await_now_ms() + wait_ms;
    struct connect_request rq = {.port = m->rfc1413_port, .timeout_ms = wait_ms, .dscp = -1};
    struct connected c;
    if (wait_ms <= 0 || s->sender_host_port <= 0 || s->interface_port <= 0 ||
        !ip_parse(s->sender_host_address, &rq.to) || !ip_parse(s->interface_address, &rq.from))
        return;
    if (!connect_tcp(&rq, &c)) {
        if (c.sys_errno == ETIMEDOUT && maillog_selected(e, LOG_SELECTOR_IDENT_TIMEOUT))
            maillog(e, MAILLOG_MAIN, STR_NULL, "ident connection to %.*s timed out",
                    STR_ARG(s->sender_host_address));
        return;
    }
    struct arena *a = arena_new();
    struct str user;
    if (talk(a, s, c.fd, deadline_ms, &user))
        s->sender_ident = str_dup(s->arena, user);
    close(c.fd);
    arena_free(a);
}
