/* DrWeb: numbers of 32 bits in network order, over a UNIX socket (the path of the message) or TCP (the message). */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <errno.h>

enum {
    CMD_SCAN_FILE = 1,
    FLAGS = 0x80001, /* give the names of viruses, it is mail */
    FOUND_MAX = 1000,
    NAME_MAX_BYTES = 64 * 1024,
    CODE_READ_ERROR = 1u << 0,
    CODE_NO_MEMORY = 1u << 2,
    CODE_TIME_OUT = 1u << 9,
    CODE_BAD_CALL = 1u << 10,
};

static void
put(struct buf *b, uint32_t n)
{
    n = htonl(n);
    buf_add(b, (const char *)&n, sizeof n);
}

static bool
get(struct scan_job *j, uint32_t *n)
{
    if (!scan_socket_exact(&j->server, n, sizeof *n))
        return false;
    *n = ntohl(*n);
    return true;
}

/* --- the request --- */

static bool
send_path(struct scan_job *j)
{
    struct buf b = buf_in(j->by.arena, 0);
    put(&b, CMD_SCAN_FILE);
    put(&b, FLAGS);
    put(&b, j->message->path.n);
    buf_adds(&b, j->message->path);
    put(&b, 0);
    return scan_socket_send(&j->server, buf_str(&b));
}

static bool
send_message(struct scan_job *j)
{
    struct buf b = buf_in(j->by.arena, 0);
    struct scan_stream st;
    struct str block;
    put(&b, CMD_SCAN_FILE);
    put(&b, FLAGS);
    put(&b, 0); /* no path */
    put(&b, (uint32_t)scan_message_size(j->message, SCAN_MBOX));
    if (!scan_socket_send(&j->server, buf_str(&b)))
        return false;
    scan_stream_start(j->by.arena, j->message, SCAN_MBOX, -1, &st);
    int r;
    while ((r = scan_stream_next(&st, &block)) > 0)
        if (!scan_socket_send(&j->server, block))
            return false;
    return r == 0;
}

/* --- the answer --- */

static const char *
fault_of(uint32_t code)
{
    return (code & CODE_READ_ERROR) != 0  ? "read error"
           : (code & CODE_NO_MEMORY) != 0 ? "no memory"
           : (code & CODE_TIME_OUT) != 0  ? "timeout"
           : (code & CODE_BAD_CALL) != 0  ? "wrong command"
                                          : NULL;
}

/* "x.eml infected with NAME", or the name alone. */
static struct str
name_of(struct str text)
{
    const struct str mark = STR_LIT("infected with ");
    size_t nul = str_chr(text, '\0', 0), at = str_find(text, mark, 0);
    if (nul != STR_NPOS)
        text = str_sub(text, 0, nul);
    return str_trim(at != STR_NPOS && at < text.n ? str_sub(text, at + mark.n, text.n) : text);
}

/* The names, with commas between them. */
static enum scan_end
take_names(struct scan_job *j, uint32_t n)
{
    struct buf names = buf_in(j->by.arena, SCAN_NAME_MAX);
    for (uint32_t i = 0; i < n && i < FOUND_MAX; i++) {
        uint32_t length;
        if (!get(j, &length) || length > NAME_MAX_BYTES)
            return scan_defer(j, "cannot read report size");
        char *text = arena_alloc(j->by.arena, length);
        if (!scan_socket_exact(&j->server, text, length))
            return scan_defer(j, "cannot read report string");
        if (i > 0)
            buf_addz(&names, ", ");
        buf_adds(&names, name_of(str_tainted(str_from(text, length))));
    }
    return scan_found(j, buf_str(&names));
}

static enum scan_end
judge(struct scan_job *j)
{
    uint32_t code, n;
    if (!get(j, &code))
        return scan_defer(j, "unable to read return code");
    if (!get(j, &n))
        return scan_defer(j, "unable to read the number of viruses");
    const char *fault = fault_of(code);
    if (n > 0)
        return take_names(j, n);
    return fault != NULL ? scan_defer(j, "drweb daemon retcode 0x%x (%s)", code, fault)
                         : SCAN_CLEAN;
}

static enum scan_end
scan(struct scan_job *j)
{
    struct scan_place to;
    if (!scan_take_place(j, "/usr/local/drweb/run/drwebd.sock", &to))
        return SCAN_DEFER;
    bool local = str_is_set(to.path);
    if (!local && scan_message_size(j->message, SCAN_MBOX) > INT32_MAX)
        return scan_defer(j, "message is too large");
    if ((local && !scan_need_file(j)) || !scan_connect(j, &to))
        return SCAN_DEFER;
    bool sent = local ? send_path(j) : send_message(j);
    enum scan_end end =
        sent ? judge(j)
             : scan_defer(j, "unable to send to socket (%s)", scan_socket_reason(errno));
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_drweb = {
    "drweb", "DrWeb: over a UNIX socket the path of the message, over TCP the message.", scan};
