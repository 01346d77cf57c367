/* A dialogue in lines over a UNIX socket or another that is connected, each step within its time. For servers that answer in more than one line.
 */
#ifndef REMEX_SYS_LINE_SOCKET_H
#define REMEX_SYS_LINE_SOCKET_H

#include "base/str.h"

#include <sys/types.h>

struct arena;

enum { LINE_SOCKET_MAX = 16 * 1024 }; /* bytes of a line with its end */

struct line_socket {
    int fd; /* -1: none */
    char *text;
    size_t at, end;
    int64_t timeout_ms;
};

/* Connects; memory for lines is in a. False with errno. */
bool line_socket_open(struct arena *a, struct line_socket *s, struct str path,
                      int64_t timeout_ms);
/* The same over a connected socket that does not block, or -1; it is owned from now on. */
void line_socket_start(struct arena *a, struct line_socket *s, int fd, int64_t timeout_ms);
/* False with errno. */
bool line_socket_send(struct line_socket *s, struct str text);
/* The next line without its end, tainted; it lives until the next call. False with errno (0: the end, EMSGSIZE: too long). */
bool line_socket_read(struct line_socket *s, struct str *line);
/* Bytes as they come, at most n: 0 at the end, -1 with errno. */
ssize_t line_socket_some(struct line_socket *s, char *p, size_t n);
void line_socket_close(struct line_socket *s);

#endif
