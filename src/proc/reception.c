/* Reception by a child without privilege; see reception.h. */
#include "proc/reception.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/delivery.h"
#include "engine/etrn_turn.h"
#include "engine/maillog.h"
#include "engine/queue_run.h"
#include "engine/turned.h"
#include "proc/role.h"
#include "sys/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUEUE_NAME_MAX = 255 };

/* WORD_HELD: a connection follows, as IPC_HELD. */
enum word_kind { WORD_MESSAGE, WORD_RUN, WORD_HELD };
/* The parent's answer, one byte, once it is done. */
enum { ANSWER_DONE = 0, ANSWER_REFUSED = 1, ANSWER_FAILED = 2 };

/* What the child says: of one message, or that there is to be a queue run. */
struct word {
    unsigned char kind;
    char what[RECEPTION_RUN_MAX + 1]; /* of a run: part of a recipient */
    char id[MESSAGE_ID_NEW_N + 1];
    char queue[QUEUE_NAME_MAX + 1];
    unsigned char when;
    struct lane_ref lane; /* segment "": it has files */
};

/* --- deliveries --- */

/* The caller may wait for the end of our output. */
static void
let_go_of_caller(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i <= 2; i++)
        (void)dup2(fd, i);
    (void)setsid();
}

/* With a lane of its own for what is to be noted. */
static void
deliver_lane(struct engine *e, const struct lane_ref *ref)
{
    struct durable_fault f;
    const struct lane_settings s = {
        .spool = engine_place(e).root, .calls = e->calls, .segment_size = LANE_SEGMENT_NOTES};
    e->lane = lane_open(&s, &f);
    if (e->lane != NULL)
        (void)delivery_run_lane(e, ref);
    else
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%s", f.text);
    lane_close(e->lane);
}

static _Noreturn void
deliver(struct engine *e, const struct word *w)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &dfl, NULL);
    sigaction(SIGALRM, &dfl, NULL);
    if (w->when != RECEPTION_WAIT && !e->verbose)
        let_go_of_caller();
    if (w->queue[0] != '\0')
        e->queue = str_from_cstr(w->queue);
    e->queue_smtp = w->when == RECEPTION_ROUTE;
    e->attended = w->when == RECEPTION_WAIT;
    enum delivery_end end = DELIVERY_DONE;
    if (w->lane.segment[0] != '\0')
        deliver_lane(e, &w->lane);
    else
        end = delivery_run(e, str_from_cstr(w->id), DELIVERY_ARRIVED);
    (void)fflush(stdout);
    _exit(e->conf->main->mua_wrapper && end != DELIVERY_DONE ? 1 : 0);
}

/* ANSWER_FAILED: somebody waits for the delivery, and is to know that it failed. */
static char
start_delivery(struct engine *e, const struct word *w)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    pid_t pid = fork();
    if (pid == 0)
        deliver(e, w);
    held_connection_drop(e);
    int status = 0;
    while (pid > 0 && w->when == RECEPTION_WAIT && waitpid(pid, &status, 0) < 0 &&
           errno == EINTR)
        continue;
    bool told = e->conf->main->mua_wrapper;
    return told && (pid < 0 || status != 0) ? ANSWER_FAILED : ANSWER_DONE;
}

/* --- queue runs for ETRN and ATRN --- */

static _Noreturn void
run_queue(struct engine *e, struct str what)
{
    const struct queue_run q = {
        .recipient = what,
        .words = str_printf(e->arena, "-R %.*s", STR_ARG(what)),
    };
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &dfl, NULL);
    sigaction(SIGALRM, &dfl, NULL);
    let_go_of_caller();
    bool turned = e->held != NULL && str_eq(e->held->id, what) && turned_run(e);
    _exit(turned || queue_run(e, &q) ? 0 : 1);
}

/* Nobody waits for it; its turn ends with it. False: one for the same is under way, or no process can be had. */
static bool
start_run(struct engine *e, struct str what)
{
    struct arena *a = arena_new();
    int turn = -1;
    bool mine = etrn_turn_take(e, a, what, &turn);
    arena_free(a);
    if (!mine)
        return false;
    (void)fflush(stdout);
    (void)fflush(stderr);
    pid_t pid = fork();
    if (pid == 0)
        run_queue(e, what);
    held_connection_drop(e);
    if (turn >= 0)
        close(turn);
    return pid > 0;
}

/* --- the two sides --- */

/* Does what a word says; the answer to it. */
static char
obey(struct engine *e, const struct word *w)
{
    if (w->kind == WORD_RUN)
        return start_run(e, str_from_cstr(w->what)) ? ANSWER_DONE : ANSWER_REFUSED;
    return start_delivery(e, w);
}

static bool
tell(struct reception *r, const struct word *w)
{
    char answer = ANSWER_REFUSED;
    if (r->parent < 0) {
        answer = obey(r->engine, w);
    } else {
        ssize_t n;
        do {
            n = send(r->parent, w, sizeof *w, MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        while (n > 0 && recv(r->parent, &answer, 1, 0) < 0 && errno == EINTR)
            continue;
    }
    r->failed = r->failed || answer == ANSWER_FAILED;
    return answer == ANSWER_DONE;
}

bool
reception_run_queue(struct reception *r, struct str what)
{
    struct word w = {.kind = WORD_RUN};
    if (what.n == 0 || what.n > RECEPTION_RUN_MAX || str_has_nul(what))
        return false;
    memcpy(w.what, what.p, what.n);
    return tell(r, &w);
}

void
reception_held(struct reception *r, const struct held_connection *h)
{
    const struct word w = {.kind = WORD_HELD};
    ssize_t n;
    if (r->parent < 0) {
        held_connection_drop(r->engine);
        r->engine->held = held_connection_keep(h);
        return;
    }
    do {
        n = send(r->parent, &w, sizeof w, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n == sizeof w)
        role_pass_held(r->parent, IPC_HELD, h);
    else
        close(h->fd);
}

void
reception_deliver(struct reception *r, struct str id, struct str queue,
                  enum reception_delivery when)
{
    struct word w = {.when = (unsigned char)when};
    if (when == RECEPTION_QUEUE || id.n > MESSAGE_ID_NEW_N || queue.n > QUEUE_NAME_MAX)
        return;
    if (r->tell != NULL) {
        r->tell(r->tell_ctx, id, queue, when);
        return;
    }
    memcpy(w.id, id.p, id.n);
    if (queue.n > 0)
        memcpy(w.queue, queue.p, queue.n);
    (void)tell(r, &w);
}

void
reception_deliver_lane(struct reception *r, const struct lane_ref *ref,
                       enum reception_delivery when)
{
    struct word w = {.when = (unsigned char)when, .lane = *ref};
    if (when != RECEPTION_QUEUE)
        (void)tell(r, &w);
}

/* A name that is one step of a path. */
static bool
is_queue_name(const char *name)
{
    return strchr(name, '/') == NULL && name[0] != '.';
}

static bool
is_good(const struct word *w, ssize_t n)
{
    if (n == sizeof *w && w->kind == WORD_RUN)
        return w->what[0] != '\0' && memchr(w->what, '\0', sizeof w->what) != NULL;
    if (n != sizeof *w || w->kind != WORD_MESSAGE ||
        memchr(w->id, '\0', sizeof w->id) == NULL ||
        memchr(w->queue, '\0', sizeof w->queue) == NULL)
        return false;
    if (w->lane.segment[0] != '\0'
            ? memchr(w->lane.segment, '\0', sizeof w->lane.segment) == NULL
            : !message_id_parse(str_from_cstr(w->id), NULL))
        return false;
    return is_queue_name(w->queue) && (w->when == RECEPTION_BACKGROUND ||
                                       w->when == RECEPTION_WAIT || w->when == RECEPTION_ROUTE);
}

/* The connection that was announced. False: something else came. */
static bool
take_held(struct engine *e, int fd)
{
    struct ipc_message msg;
    if (ipc_receive(&ipc_protocol, fd, IPC_KIND_SESSION, IPC_KIND_SMTP, &msg) != IPC_OK)
        return false;
    const struct held_connection h = role_held_of(&msg);
    if (msg.type != IPC_HELD) /* no other row has a descriptor in this direction */
        return false;
    held_connection_drop(e);
    e->held = held_connection_keep(&h);
    return true;
}

/* Serves the child until it closes its side. Anything odd that it says ends the service. */
static void
serve(struct engine *e, int fd)
{
    struct word w;
    for (;;) {
        ssize_t n = recv(fd, &w, sizeof w, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == sizeof w && w.kind == WORD_HELD) {
            if (!take_held(e, fd))
                return;
            continue;
        }
        if (!is_good(&w, n))
            return;
        char answer = obey(e, &w);
        if (send(fd, &answer, 1, MSG_NOSIGNAL) != 1)
            return;
    }
}

static int
exit_status(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static _Noreturn void
live(struct engine *e, int fd, int (*run)(struct reception *r, void *ctx), void *ctx)
{
    struct reception r = {.engine = e, .parent = fd};
    e->can_become = false;
    if (!priv_become_user(e->mail_uid, e->mail_gid, NULL)) {
        (void)fprintf(stderr, "unable to give up privilege: %s\n", strerror(errno));
        _exit(1);
    }
    int status = run(&r, ctx);
    if (fflush(stdout) != 0)
        status = status != 0 ? status : 1;
    _exit(status);
}

int
reception_run(struct engine *e, int (*run)(struct reception *r, void *ctx), void *ctx)
{
    struct reception r = {.engine = e, .parent = -1};
    int fds[2];
    if (!e->can_become)
        return run(&r, ctx);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        (void)fprintf(stderr, "cannot make a socket pair: %s\n", strerror(errno));
        return 1;
    }
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        live(e, fds[1], run, ctx);
    }
    close(fds[1]);
    if (pid < 0) {
        (void)fprintf(stderr, "cannot start a process: %s\n", strerror(errno));
        close(fds[0]);
        return 1;
    }
    serve(e, fds[0]);
    close(fds[0]);
    return exit_status(pid);
}
