/* Connections to daemons that look at messages: UNIX or TCP, all of a dialogue within one deadline.
 *
 * What comes from a server is tainted and bounded. Nothing here knows a protocol. Source: specification, "Content scanning at ACL time".
 */
#ifndef REMEX_SCANNERS_SCAN_SOCKET_H
#define REMEX_SCANNERS_SCAN_SOCKET_H

#include "base/buf.h"
#include "sys/line_socket.h"

struct eval;
struct vm;

/* Where a server is. */
struct scan_place {
    struct str path;   /* of a UNIX socket; unset: */
    struct str host;   /* name or address, and */
    int64_t low, high; /* ports, tried in order */
};

/* "/path", "host port" or "host port-port", and what follows in *rest (NULL: nothing may). False: none of them. */
bool scan_place_parse(struct str text, struct scan_place *out, struct str *rest);

struct scan_socket {
    struct line_socket io;
    int64_t deadline_ms; /* of await_now_ms; set before it is opened */
    struct str
        address; /* that was tried last: "[127.0.0.1]:783", or the path; STR_NULL: none */
};

/* Who asks: names are resolved as the configuration wants it; texts are in the arena. */
struct scan_asker {
    struct arena *arena;
    struct eval *eval;
    struct vm *vm;
    int connected; /* a connection that does not block, which stands for a new one in tests; 0: none */
};

/* Connects to one of the addresses and ports. False: *why, as logs show it; s is closed, s->address may be set. */
bool scan_socket_open(const struct scan_asker *by, const struct scan_place *to,
                      struct scan_socket *s, struct str *why);
void scan_socket_close(struct scan_socket *s);

/* False with errno, ETIMEDOUT when the time was up; so for all that follow. */
bool scan_socket_send(struct scan_socket *s, struct str text);
/* No more will be sent. */
void scan_socket_shut(struct scan_socket *s);
/* The next line without its end (LF or CRLF), or what comes before the end of file. errno 0: nothing did; EMSGSIZE: longer than LINE_SOCKET_MAX. Good
 * until the next call. */
bool scan_socket_line(struct scan_socket *s, struct str *line);
/* Exactly n bytes; errno 0: the end came before. */
bool scan_socket_exact(struct scan_socket *s, void *p, size_t n);
/* All up to the end of file; what is beyond the limit of out is not waited for. */
bool scan_socket_all(struct scan_socket *s, struct buf *out);
/* What ends an answer besides the end of file, a NUL and the limit of the buffer. */
enum {
    SCAN_ENDS_WITH_LINE = 1u << 0,
    SCAN_ENDS_IN_SILENCE = 1u << 1, /* behind its first bytes: nothing marks its end */
};
/* Reads an answer, without what ends it. errno 0: the end of file came before its first byte. */
bool scan_socket_answer(struct scan_socket *s, unsigned ends, struct buf *out);

/* "Connection timed out", "EOF" for 0: the reason as logs show it. */
const char *scan_socket_reason(int sys_errno);

#endif
