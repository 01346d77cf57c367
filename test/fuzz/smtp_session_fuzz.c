/* A whole SMTP session, with ACLs, DATA and BDAT, XCLIENT and the PROXY protocol, into a spool in a private folder: the first byte says how the
 * session runs, what comes before the input, and whether the bytes come at once or in pieces (a byte PIECE ends one), and the end is a disconnect. Answers have the form of answers, a session that has ended leaves nothing open, and no message is in the
 * spool that was not acknowledged.
 */
#include "../unit/session_fixture.h"

#include "engine/message_id.h"
#include "engine/smtp_session.h"
#include "engine/spool.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 65536,
    OUTPUT_MAX = 1 << 20,
    PIECE = 0xfe,
    PIECE_MAX = 1000,
    PIECES_MAX = 100
};

/* How the session runs; the first two bits: which head. */
enum {
    FROM_HOST = 1 << 2,
    TESTING = 1 << 3,
    IN_PIECES = 1 << 4,
    PIPELINED =
        1 << 5, /* nobody has to wait for answers, and hosts may say for whom they speak */
    PROXIED = 1 << 6, /* and have to */
};

/* Before the common part. */
static const char *const openings[] = {
    "", "smtp_enforce_sync = false\nhosts_xclient = *\nchunking_advertise_hosts = *\n",
    "smtp_enforce_sync = false\nhosts_xclient = *\nhosts_proxy = *\n"};
enum { OPENINGS = sizeof openings / sizeof openings[0] };

static const char conf_text[] =
    "primary_hostname = mx.example.org\nqualify_domain = example.org\n"
    "message_size_limit = 20000\nrecipients_max = "
    "20\n"
    "dsn_advertise_hosts = *\nprdr_enable\nsmtp_max_synprot_errors = 50\n"
    "smtp_max_unknown_commands = 50\nsmtp_accept_max_nonmail = 200\nkeep_environment =\n"
    "acl_smtp_connect = accept\nacl_smtp_helo = helo\nacl_smtp_mail = mail\nacl_smtp_rcpt = "
    "rcpt\n"
    "acl_smtp_data = text\nacl_smtp_vrfy = accept\nacl_smtp_expn = accept\nacl_smtp_etrn = "
    "accept\n"
    "acl_smtp_predata = accept\nacl_smtp_quit = accept\nacl_smtp_notquit = warn\n"
    "begin acl\n"
    "helo:\n  deny condition = ${if eq{$sender_helo_name}{bad}}\n  accept\n"
    "mail:\n  discard senders = gone@*\n  accept\n"
    "rcpt:\n  warn set acl_m_x = $local_part\n       add_header = X-L: $acl_m_x\n"
    "  deny local_parts = no\n       message = 551 5.1.1 not\\nhere\n"
    "  drop local_parts = drop\n  discard local_parts = gone\n"
    "  warn local_parts = fake\n       control = fakereject\n"
    "  accept verify = recipient\n  accept\n"
    "text:\n  require verify = header_syntax\n  require verify = not_blind\n  accept\n"
    "begin routers\nr:\n  driver = accept\n  transport = t\n"
    "begin transports\nt:\n  driver = appendfile\n  file = /dev/null\n  user = nobody\n";

struct run {
    struct engine *engine;
    size_t accepted;
};

/* The configuration is read once: that takes much longer than a session. */
static void
make_engine(struct arena *a, size_t which, struct engine *e)
{
    static const struct conf *conf[OPENINGS];
    if (conf[which] == NULL) {
        struct arena *kept = arena_new(); /* to the end of the process */
        struct str spool = str_printf(kept, "/tmp/remex-smtp-fuzz.%d", (int)getpid());
        struct str text = str_printf(kept, "%s%s", openings[which], conf_text);
        conf[which] = session_conf(kept, spool, str_cstr(kept, text));
    }
    session_engine(a, conf[which], e);
}

/* A packet a piece: the session reads one at a time. */
static int
pieces(const char *head, const uint8_t *p, size_t n)
{
    int ends[2], count = 0;
    session_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    if (head[0] != '\0')
        session_require(send(ends[0], head, strlen(head), 0) > 0);
    for (size_t i = 0; i < n && count < PIECES_MAX; count++) {
        const uint8_t *end = memchr(p + i, PIECE, n - i);
        size_t piece = end == NULL ? n - i : (size_t)(end - (p + i));
        piece = piece < PIECE_MAX ? piece : PIECE_MAX;
        if (piece > 0)
            session_require(send(ends[0], p + i, piece, 0) == (ssize_t)piece);
        i += piece + (end != NULL && end == p + i + piece);
    }
    close(ends[0]);
    return ends[1];
}

static int
whole(const char *head, const uint8_t *p, size_t n)
{
    int in = memfd_create("in", MFD_CLOEXEC);
    session_require(in >= 0);
    session_require(write(in, head, strlen(head)) == (ssize_t)strlen(head));
    session_require(write(in, p, n) == (ssize_t)n);
    (void)lseek(in, 0, SEEK_SET);
    return in;
}

/* What was acknowledged is there, and goes. */
static void
accepted(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    (void)e;
    struct run *r = ctx;
    struct spool_place place = engine_place(r->engine);
    struct message_id mid;
    struct spool_entry entry;
    struct spool_fault f;
    (void)queue;
    (void)due;
    r->accepted++;
    session_require(message_id_parse(id, &mid));
    session_require(spool_open(&place, r->engine->calls, &mid, &entry, &f) == SPOOL_OK);
    session_require(spool_remove(&entry, &f) == SPOOL_OK);
    spool_close(&entry);
}

/* Three digits, then a blank or a hyphen, then text without control characters save tabs; CRLF. */
static void
check_answers(int fd)
{
    static char text[OUTPUT_MAX];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    session_require(n >= 0);
    text[n] = '\0';
    for (char *line = text, *end; *line != '\0' && (end = strstr(line, "\r\n")) != NULL;
         line = end + 2) {
        while (strncmp(line, "\n**** SMTP testing", 18) == 0) /* of the test of a session */
            line = strstr(line, "!\n\n") + 3;
        if (line > end)
            break;
        session_require(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
    }
}

/* Nothing of a message is left but what was held back (more than the limit for one connection). */
static void
clean_spool(struct engine *e)
{
    struct spool_place place = engine_place(e);
    int dir = spool_open_directory(&place, 0, false);
    DIR *d = dir < 0 ? NULL : fdopendir(dir);
    for (struct dirent *f; d != NULL && (f = readdir(d)) != NULL;) {
        size_t n = strlen(f->d_name);
        if (f->d_name[0] == '.')
            continue;
        session_require(n > 2 && (strcmp(f->d_name + n - 2, "-H") == 0 ||
                                  strcmp(f->d_name + n - 2, "-D") == 0));
        (void)unlinkat(dirfd(d), f->d_name, 0);
    }
    if (d != NULL)
        (void)closedir(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const heads[] = {
        "", "EHLO x\r\n", "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n",
        "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n"};
    if (size < 1 || size > INPUT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct engine e;
    struct run r = {.engine = &e};
    unsigned how = data[0];
    make_engine(a, (how & PROXIED) != 0 ? 2 : (how & PIPELINED) != 0, &e);
    int out = memfd_create("out", MFD_CLOEXEC);
    int in = ((how & IN_PIECES) != 0 ? pieces : whole)(heads[how & 3], data + 1, size - 1);
    session_require(out >= 0);
    struct session *s = ARENA_NEW(a, struct session);
    s->arena = a;
    s->interface_port = -1;
    s->sender_ident = e.caller.login;
    if ((how & FROM_HOST) != 0)
        s->sender_host_address = STR_LIT("192.0.2.1");
    const struct smtp_setup setup = {.kind = (how & TESTING) != 0 ? SMTP_KIND_TEST
                                                                  : SMTP_KIND_INTERACTIVE,
                                     .in = in,
                                     .out = out,
                                     .timeout_s = -1,
                                     .protocol = STR_NULL,
                                     .authenticated_sender = STR_NULL,
                                     .accepted = accepted,
                                     .ctx = &r};
    e.eval->session = s;
    int status = smtp_session_run(&e, &setup);
    session_require(status == 0 || status == 1);
    session_require(e.eval->message == NULL && e.eval->address == NULL);
    check_answers(out);
    clean_spool(&e);
    close(in);
    close(out);
    arena_free(a);
    return 0;
}
