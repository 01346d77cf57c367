/* The agent, seen from outside: whom it becomes, whom it refuses, who must wait, what its death does. As root only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "engine/answer_record.h"
#include "engine/become_agent.h"
#include "mail/header.h"
#include "proc/agent.h"
#include "proc/wire.h"
#include "sys/await.h"
#include "sys/caps.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 120000 }; /* for what comes soon, save on a machine that is busy */
enum { USER_A = 61234, USER_B = 61235, MAIL_USER = 61236, NEVER_USER = 61237 };

struct world {
    char root[64];
    struct loaded loaded;
    struct arena *a;
    struct engine engine;
    struct key_places keys;
    int door[2]; /* ours, the agent's: open here too, as the master has it */
    pid_t agent;
};

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void
load(struct world *w)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "primary_hostname = host.example\nspool_directory = %s\n"
                   "never_users = %d\n"
                   "begin transports\n"
                   "out:\n driver = smtp\n dkim_private_key = %s/keys/$dkim_selector\n"
                   "box:\n driver = appendfile\n file = %s/$local_part_data\n"
                   "pid:\n driver = appendfile\n file = %s/pid.$pid\n",
                   w->root, NEVER_USER, w->root, w->root, w->root);
    w->loaded = load_text(text);
    if (w->loaded.conf == NULL)
        fail_msg("%s", load_exim_error(&w->loaded));
}

static _Noreturn void
serve(struct world *w)
{
    struct agent g;
    if (!agent_begin(&g, w->a, &w->engine, w->door[1]))
        _exit(1);
    g.keys = w->keys;
    for (;;)
        (void)agent_turn(&g, -1);
}

static void
start_agent(struct world *w)
{
    w->agent = fork();
    assert_true(w->agent >= 0);
    if (w->agent == 0)
        serve(w);
}

static void
begin(struct world *w)
{
    if (geteuid() != 0)
        skip();
    memset(w, 0, sizeof *w);
    strcpy(w->root, "/tmp/remex-agent-XXXXXX");
    assert_non_null(mkdtemp(w->root));
    assert_int_equal(chmod(w->root, 0777), 0);
    load(w);
    w->a = w->loaded.arena;
    key_places_find(w->a, w->loaded.conf, &w->keys);
    struct wiring wired = wire_command_line(w->a, w->loaded.conf);
    w->engine = (struct engine){.arena = w->a,
                                .conf = w->loaded.conf,
                                .eval = wired.eval,
                                .vm = wired.vm,
                                .mail_uid = MAIL_USER,
                                .mail_gid = MAIL_USER,
                                .can_become = true,
                                .calls = &durable_kernel,
                                .queue = STR_EMPTY};
    w->engine.log.file_path = str_printf(w->a, "%s/%%s", w->root);
    assert_true(agent_wire_pair(w->door));
    w->engine.become = become_agent_new(w->a, w->door[0]);
    start_agent(w);
}

static void
finish(struct world *w)
{
    kill(w->agent, SIGKILL);
    waitpid(w->agent, NULL, 0);
    close(w->door[0]);
    close(w->door[1]);
    assert_int_equal(nftw(w->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    load_free(&w->loaded);
}

/* --- jobs --- */

static struct become_request
request(uid_t uid, const struct local_job *job)
{
    return (struct become_request){
        .uid = uid, .gid = uid, .max_answer = 1 << 20, .body_fd = -1, .job = job};
}

/* A command's output without its newline. */
static struct str
command_as(struct world *w, struct become_request rq, struct str *words, size_t n,
           struct child_result *out)
{
    const struct local_job job = {
        .call = {.kind = LOCAL_JOB_COMMAND}, .words = words, .words_n = n};
    rq.job = &job;
    become_run(&w->engine, w->a, &rq, out);
    return str_trim(out->answer);
}

static struct str
id_as(struct world *w, uid_t uid, const char *option, struct child_result *out)
{
    struct str words[] = {STR_LIT("/usr/bin/id"), str_from_cstr(option)};
    return command_as(w, request(uid, NULL), words, 2, out);
}

static int
look_as(struct world *w, struct become_request rq, const char *path)
{
    const struct local_job job = {
        .call = {.kind = LOCAL_JOB_LOOK, .file = str_from_cstr(path)}};
    struct child_result got;
    int error = -1;
    rq.job = &job;
    become_run(&w->engine, w->a, &rq, &got);
    assert_int_equal(got.end, CHILD_EXITED);
    assert_int_equal(got.answer.n, sizeof error);
    memcpy(&error, got.answer.p, sizeof error);
    return error;
}

struct mail {
    struct header_list headers;
    struct message message;
    struct address address, *batch[1];
};

static void
deliver(struct world *w, uid_t uid, const char *transport, const char *box, struct str id,
        struct child_result *out, struct transport_answer *answer)
{
    struct mail m;
    const char *fault;
    memset(&m, 0, sizeof m);
    struct str subject = str_printf(w->a, "Subject: %.*s\n", STR_ARG(id));
    assert_true(header_list_add(w->a, &m.headers, subject, HEADER_AT_END));
    m.message = (struct message){.id = id,
                                 .sender = STR_LIT("s@e"),
                                 .headers = &m.headers,
                                 .body_fd = -1,
                                 .body_text = STR_LIT("body\n"),
                                 .size = 40};
    m.address = (struct address){.text = STR_LIT("u@d"),
                                 .local_part = str_from_cstr(box),
                                 .local_part_data = str_from_cstr(box),
                                 .domain = STR_LIT("d"),
                                 .mode = -1,
                                 .return_path = STR_LIT("s@e")};
    m.batch[0] = &m.address;
    const struct local_job job = {.call = {.kind = LOCAL_JOB_TRANSPORT,
                                           .driver = str_from_cstr(transport),
                                           .return_path = STR_LIT("s@e")},
                                  .message = &m.message,
                                  .view = &m.address,
                                  .addresses = m.batch,
                                  .n = 1};
    struct become_request rq = request(uid, &job);
    rq.max_answer = ANSWER_RECORDS_MAX;
    become_run(&w->engine, w->a, &rq, out);
    assert_int_equal(out->end, CHILD_EXITED);
    if (!answer_record_read(out->answer, answer, 1, &fault))
        fail_msg("%s", fault);
}

static struct str
content(struct world *w, const char *name, struct stat *st)
{
    struct str text = STR_EMPTY;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", w->root, name);
    if (st != NULL)
        assert_int_equal(stat(path, st), 0);
    assert_int_equal(file_read(w->a, path, 1 << 24, &text), FILE_OK);
    return text;
}

static size_t
count(struct str in, struct str what)
{
    size_t n = 0;
    for (size_t at = str_find(in, what, 0); at != STR_NPOS; at = str_find(in, what, at + 1))
        n++;
    return n;
}

/* --- becoming --- */

static void
test_becomes_the_user(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    begin(&w);
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    assert_true(str_eqz(id_as(&w, USER_A, "-ru", &out), "61234"));
    assert_true(str_eqz(id_as(&w, USER_B, "-G", &out), "61235"));
    struct str words[] = {STR_LIT("/bin/pwd")};
    struct become_request rq = request(USER_A, NULL);
    rq.directory = STR_LIT("/usr");
    assert_true(str_eqz(command_as(&w, rq, words, 1, &out), "/usr"));
    rq.directory = STR_LIT("/nowhere");
    (void)command_as(&w, rq, words, 1, &out);
    assert_int_equal(out.end, CHILD_NO_DIRECTORY);
    assert_int_equal(out.sys_errno, ENOENT);
    finish(&w);
}

static void
test_exit_status(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    begin(&w);
    struct str bad[] = {STR_LIT("/bin/sh"), STR_LIT("-c"), STR_LIT("echo x; exit 7")};
    assert_true(str_eqz(command_as(&w, request(USER_A, NULL), bad, 3, &out), "x"));
    assert_true(out.end == CHILD_EXITED && out.status == 7);
    struct str dead[] = {STR_LIT("/bin/sh"), STR_LIT("-c"), STR_LIT("kill -9 $$")};
    (void)command_as(&w, request(USER_A, NULL), dead, 3, &out);
    assert_true(out.end == CHILD_SIGNALLED && out.status == SIGKILL);
    finish(&w);
}

static void
test_sees_what_the_user_sees(void **state)
{
    (void)state;
    struct world w;
    char folder[80], file[96];
    begin(&w);
    (void)snprintf(folder, sizeof folder, "%s/private", w.root);
    (void)snprintf(file, sizeof file, "%s/f", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(chown(folder, USER_A, USER_A), 0);
    assert_int_equal(look_as(&w, request(USER_A, NULL), file), 0);
    assert_int_equal(look_as(&w, request(USER_B, NULL), file), EACCES);
    assert_int_equal(look_as(&w, request(MAIL_USER, NULL), file), EACCES);
    struct become_request all = request(MAIL_USER, NULL);
    all.reads_all = true;
    assert_int_equal(look_as(&w, all, file), 0);
    finish(&w);
}

static void
test_delivers(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    struct transport_answer answer;
    struct stat st;
    begin(&w);
    deliver(&w, USER_A, "box", "a", STR_LIT("1xVNEb-000000079s2-0001"), &out, &answer);
    assert_int_equal(answer.why.outcome, OUT_OK);
    struct str box = content(&w, "a", &st);
    assert_int_equal(st.st_uid, USER_A);
    assert_int_equal(count(box, STR_LIT("\nbody\n")), 1);
    /* who may not write there does not */
    deliver(&w, USER_B, "box", "a", STR_LIT("1xVNEb-000000079s2-0002"), &out, &answer);
    assert_int_equal(answer.why.outcome, OUT_DEFER);
    finish(&w);
}

/* Consecutive deliveries for one user share a process; another user has another one. */
static void
test_shares_a_process(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    struct transport_answer answer;
    size_t mails = 0, files = 0;
    begin(&w);
    for (int i = 0; i < 3; i++) {
        struct str id = str_printf(w.a, "1xVNEb-000000079s2-000%d", i);
        deliver(&w, USER_A, "pid", "x", id, &out, &answer);
        assert_int_equal(answer.why.outcome, OUT_OK);
    }
    deliver(&w, USER_B, "pid", "x", STR_LIT("1xVNEb-000000079s2-0009"), &out, &answer);
    DIR *folder = opendir(w.root);
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        if (strncmp(e->d_name, "pid.", 4) != 0 || strchr(e->d_name + 4, '.') != NULL)
            continue;
        files++;
        mails += count(content(&w, e->d_name, NULL), STR_LIT("\nbody\n"));
    }
    closedir(folder);
    assert_int_equal(files, 2);
    assert_int_equal(mails, 4);
    finish(&w);
}

/* --- powers --- */

static void
test_capabilities(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    char path[64], expected[64];
    struct str text;
    begin(&w);
    (void)id_as(&w, USER_A, "-u", &out); /* it has begun */
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)w.agent);
    assert_int_equal(file_read(w.a, path, 1 << 16, &text), FILE_OK);
    (void)snprintf(expected, sizeof expected, "CapPrm:\t%016llx",
                   (unsigned long long)(caps_of_agent() & caps_permitted()));
    assert_true(str_find(text, str_from_cstr(expected), 0) != STR_NPOS);
    struct str words[] = {STR_LIT("/bin/grep"), STR_LIT("-E"), STR_LIT("CapPrm|NoNewPrivs"),
                          STR_LIT("/proc/self/status")};
    struct become_request rq = request(USER_A, NULL);
    text = command_as(&w, rq, words, 4, &out);
    assert_true(str_eqz(text, "CapPrm:\t0000000000000000\nNoNewPrivs:\t1"));
    rq.runs_programs = true;
    text = command_as(&w, rq, words, 4, &out);
    assert_true(str_eqz(text, "CapPrm:\t0000000000000000\nNoNewPrivs:\t0"));
    finish(&w);
}

/* Programs of a pipe may be set-uid: that goes on working, and only where programs are run. */
static void
test_set_uid_program(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    struct str bytes;
    begin(&w);
    assert_int_equal(file_read(w.a, "/usr/bin/id", 1 << 24, &bytes), FILE_OK);
    struct str path = str_printf(w.a, "%s/id", w.root);
    int fd = open(str_cstr(w.a, path), O_CREAT | O_WRONLY, 0700);
    assert_true(fd >= 0 && file_write_all(fd, bytes.p, bytes.n));
    close(fd);
    assert_int_equal(chmod(str_cstr(w.a, path), 04755), 0);
    struct str words[] = {path, STR_LIT("-u")};
    struct become_request rq = request(USER_A, NULL);
    assert_true(str_eqz(command_as(&w, rq, words, 2, &out), "61234"));
    rq.runs_programs = true;
    assert_true(str_eqz(command_as(&w, rq, words, 2, &out), "0"));
    finish(&w);
}

/* --- refusals --- */

static void
assert_refused(struct world *w, struct become_request rq)
{
    struct child_result out;
    struct str words[] = {STR_LIT("/usr/bin/id")};
    (void)command_as(w, rq, words, 1, &out);
    assert_int_equal(out.end, CHILD_NOT_BECOME);
    assert_int_equal(out.sys_errno, EPERM);
    assert_int_equal(out.answer.n, 0);
}

static void
test_refuses_users(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    begin(&w);
    assert_refused(&w, request(0, NULL));
    assert_refused(&w, request(NEVER_USER, NULL));
    assert_refused(&w, request((uid_t)-1, NULL));
    struct become_request rq = request(USER_A, NULL);
    rq.login = STR_LIT("root"); /* root's groups */
    assert_refused(&w, rq);
    rq = request(USER_A, NULL);
    rq.gid = 0;
    assert_refused(&w, rq);
    rq = request(USER_A, NULL);
    rq.reads_all = true; /* not the mail user */
    assert_refused(&w, rq);
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    assert_true(count(content(&w, "main", NULL), STR_LIT("agent: refused")) == 4);
    finish(&w);
}

/* A peer of its own at the agent. */
static int
raw_peer(struct world *w)
{
    int pair[2];
    assert_true(agent_wire_pair(pair));
    struct agent_packet p = {.head = {.type = AGENT_CONNECT}, .fds = 1, .fd = {pair[1]}};
    assert_true(agent_wire_send(w->door[0], &p));
    close(pair[1]);
    return pair[0];
}

/* A packet with the descriptors of a job; what is written in its form is not checked here. */
static void
send_raw(int to, const void *bytes, size_t n, size_t fds)
{
    int pipe_fd[2];
    assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } c = {.align = {.cmsg_level = SOL_SOCKET,
                     .cmsg_type = SCM_RIGHTS,
                     .cmsg_len = CMSG_LEN(fds * sizeof(int))}};
    for (size_t i = 0; i < fds; i++)
        memcpy(CMSG_DATA(&c.align) + i * sizeof(int), &pipe_fd[1], sizeof(int));
    struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (fds > 0) {
        m.msg_control = c.bytes;
        m.msg_controllen = CMSG_SPACE(fds * sizeof(int));
    }
    assert_int_equal(sendmsg(to, &m, MSG_NOSIGNAL), (ssize_t)n);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static bool
is_closed(int fd)
{
    char c;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

static void
assert_forged(struct world *w, const struct agent_head *h, size_t n, size_t fds)
{
    int fd = raw_peer(w);
    send_raw(fd, h, n, fds);
    assert_true(is_closed(fd));
    close(fd);
}

static struct agent_head
good_head(void)
{
    return (struct agent_head){.type = AGENT_JOB, .uid = USER_A, .gid = USER_A};
}

static void
test_forged_packets(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    const size_t least = offsetof(struct agent_head, path) + 1;
    static const char long_one[sizeof(struct agent_head) + 1] = {AGENT_JOB};
    begin(&w);
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    struct agent_head h = good_head();
    h.uid = 0;
    assert_forged(&w, &h, least, 3);
    h.uid = NEVER_USER;
    assert_forged(&w, &h, least, 3);
    h = good_head();
    h.type = 9;
    assert_forged(&w, &h, least, 3);
    h = good_head();
    h.flags = 8;
    assert_forged(&w, &h, least, 3);
    h = good_head();
    assert_forged(&w, &h, least, 2);     /* descriptors missing */
    assert_forged(&w, &h, least, 5);     /* too many */
    assert_forged(&w, &h, least - 1, 3); /* too short */
    h.timeout_ms = -1;
    assert_forged(&w, &h, least, 3);
    h = good_head();
    h.name_n = 4; /* but there is none */
    assert_forged(&w, &h, least, 3);
    memset(h.name, 'x', sizeof h.name);
    h.name_n = AGENT_NAME_MAX;
    assert_forged(&w, &h, least, 3);
    h = good_head();
    h.path_n = AGENT_PATH_MAX;
    memset(h.path, '/', sizeof h.path);
    assert_forged(&w, &h, sizeof h, 3);
    int fd = raw_peer(&w);
    send_raw(fd, long_one, sizeof long_one, 3);
    assert_true(is_closed(fd));
    close(fd);
    /* Who asked before is still served, over its own socket. */
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    finish(&w);
}

/* The longest directory and the longest name that fit, and one more. */
static void
test_caps_of_the_form(void **state)
{
    (void)state;
    for (size_t n = AGENT_PATH_MAX - 2; n <= AGENT_PATH_MAX; n++) {
        struct agent_packet p = {.head = good_head(), .fds = AGENT_FD_BODY};
        memset(p.head.path, '/', sizeof p.head.path);
        if (n < AGENT_PATH_MAX)
            p.head.path[n] = '\0';
        p.head.path_n = (uint32_t)n;
        size_t size = offsetof(struct agent_head, path) + n + 1;
        assert_int_equal(agent_wire_check(&p, size), n < AGENT_PATH_MAX);
    }
    for (size_t n = AGENT_NAME_MAX - 2; n <= AGENT_NAME_MAX; n++) {
        struct agent_packet p = {.head = good_head(), .fds = AGENT_FD_BODY};
        memset(p.head.name, 'x', sizeof p.head.name);
        if (n < AGENT_NAME_MAX)
            p.head.name[n] = '\0';
        p.head.name_n = (uint32_t)n;
        assert_int_equal(agent_wire_check(&p, offsetof(struct agent_head, path) + 1),
                         n < AGENT_NAME_MAX);
    }
}

/* --- keys --- */

static int
key_as(struct world *w, const char *transport, const char *file, struct key_file_result *why)
{
    const struct become_key key = {.transport = str_from_cstr(transport),
                                   .path = str_printf(w->a, "%s/keys/%s", w->root, file)};
    return w->engine.become->open_key(w->engine.become, &w->engine, &key, why);
}

static void
make_key(struct world *w)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/keys", w->root);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chmod(w->root, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/keys/x", w->root);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && file_write_all(fd, "secret", 6));
    close(fd);
}

static void
assert_opens(struct world *w)
{
    struct key_file_result why;
    char text[16];
    int fd = key_as(w, "out", "x", &why);
    assert_true(fd >= 0 && why.end == KEY_FILE_OK);
    assert_int_equal(read(fd, text, sizeof text), 6);
    assert_memory_equal(text, "secret", 6);
    close(fd);
}

static void
test_opens_keys(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    struct key_file_result why;
    begin(&w);
    make_key(&w);
    assert_opens(&w);
    assert_int_equal(key_as(&w, "out", "y", &why), -1);
    assert_true(why.end == KEY_FILE_NO_OPEN && why.sys_errno == ENOENT);
    assert_int_equal(key_as(&w, "out", "../keys/x", &why), -1);
    assert_int_equal(why.end, KEY_FILE_BAD_PATH);
    assert_int_equal(key_as(&w, "box", "x", &why), -1);
    assert_int_equal(why.end, KEY_FILE_NOT_NAMED);
    assert_int_equal(key_as(&w, "out", "../main", &why), -1);
    assert_int_equal(why.end, KEY_FILE_BAD_PATH);
    const struct become_key far = {.transport = STR_LIT("out"), .path = STR_LIT("/etc/passwd")};
    assert_int_equal(w.engine.become->open_key(w.engine.become, &w.engine, &far, &why), -1);
    assert_int_equal(why.end, KEY_FILE_NOT_NAMED);
    /* jobs and keys go over the same socket */
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    assert_opens(&w);
    finish(&w);
}

/* The next agent answers, and while there is none the question waits. */
static void
test_keys_of_the_next_agent(void **state)
{
    (void)state;
    struct world w;
    struct key_file_result why;
    begin(&w);
    make_key(&w);
    assert_opens(&w);
    kill(w.agent, SIGKILL);
    waitpid(w.agent, NULL, 0);
    start_agent(&w);
    assert_opens(&w);
    kill(w.agent, SIGKILL);
    waitpid(w.agent, NULL, 0);
    pid_t late = fork();
    assert_true(late >= 0);
    if (late == 0) {
        (void)poll(NULL, 0, 200);
        serve(&w);
    }
    w.agent = late;
    assert_opens(&w);
    close(w.door[1]); /* nobody will come any more */
    kill(w.agent, SIGKILL);
    waitpid(w.agent, NULL, 0);
    assert_int_equal(key_as(&w, "out", "x", &why), -1);
    assert_int_equal(why.end, KEY_FILE_NO_ANSWER);
    w.door[1] = -1;
    start_agent(&w);
    finish(&w);
}

static struct agent_packet
key_packet(void)
{
    return (struct agent_packet){
        .head = {.type = AGENT_KEY, .name_n = 3, .name = "out", .path_n = 2, .path = "/x"},
        .fds = 1};
}

/* Size of the head with a path of so many bytes. */
static size_t
size_with(size_t n)
{
    return offsetof(struct agent_head, path) + n + 1;
}

static void
test_form_of_keys(void **state)
{
    (void)state;
    struct agent_packet p = key_packet();
    assert_true(agent_wire_check(&p, size_with(2)));
    for (p.fds = 0; p.fds <= AGENT_FDS; p.fds++)
        assert_int_equal(agent_wire_check(&p, size_with(2)), p.fds == 1);
    p = key_packet();
    p.head.path[0] = 'x';
    assert_false(agent_wire_check(&p, size_with(2)));
    p = key_packet();
    p.head.path_n = 0;
    memset(p.head.path, 0, 2);
    assert_false(agent_wire_check(&p, size_with(0)));
    p = key_packet();
    p.head.name_n = 0;
    memset(p.head.name, 0, 3);
    assert_false(agent_wire_check(&p, size_with(2)));
    p = key_packet();
    p.head.end = 1;
    assert_false(agent_wire_check(&p, size_with(2)));
    for (size_t n = AGENT_PATH_MAX - 2; n <= AGENT_PATH_MAX; n++) {
        p = key_packet();
        memset(p.head.path, '/', sizeof p.head.path);
        if (n < AGENT_PATH_MAX)
            p.head.path[n] = '\0';
        p.head.path_n = (uint32_t)n;
        assert_int_equal(agent_wire_check(&p, size_with(n)), n < AGENT_PATH_MAX);
    }
    for (size_t n = AGENT_NAME_MAX - 2; n <= AGENT_NAME_MAX; n++) {
        p = key_packet();
        memset(p.head.name, 'x', sizeof p.head.name);
        if (n < AGENT_NAME_MAX)
            p.head.name[n] = '\0';
        p.head.name_n = (uint32_t)n;
        assert_int_equal(agent_wire_check(&p, size_with(2)), n < AGENT_NAME_MAX);
    }
}

static void
test_form_of_answers(void **state)
{
    (void)state;
    for (uint32_t end = 0; end <= KEY_FILE_ENDS; end++)
        for (size_t fds = 0; fds <= AGENT_FDS; fds++) {
            const struct agent_packet p = {.head = {.type = AGENT_OPENED, .end = end},
                                           .fds = fds};
            assert_int_equal(agent_wire_check(&p, size_with(0)),
                             end < KEY_FILE_ENDS && fds == (end == KEY_FILE_OK));
        }
    struct agent_packet p = key_packet();
    p.head.type = AGENT_OPENED;
    assert_false(agent_wire_check(&p, size_with(2)));
}

/* What is no socket to answer to, and an answer in place of a question. */
static void
test_forged_questions(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    make_key(&w);
    struct agent_packet p = key_packet();
    assert_forged(&w, &p.head, size_with(2), 1); /* a pipe */
    p.head.path[0] = 'x';
    assert_forged(&w, &p.head, size_with(2), 1);
    const struct agent_head answer = {.type = AGENT_OPENED, .end = KEY_FILE_LINK};
    assert_forged(&w, &answer, size_with(0), 0);
    const struct agent_head opened = {.type = AGENT_OPENED, .end = KEY_FILE_OK};
    assert_forged(&w, &opened, size_with(0), 1);
    assert_opens(&w);
    finish(&w);
}

/* --- waiting --- */

static void
test_time_limit(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    begin(&w);
    struct become_request rq = request(USER_A, NULL);
    struct str words[] = {STR_LIT("/bin/sleep"), STR_LIT("600")};
    rq.timeout_s = 1;
    (void)command_as(&w, rq, words, 2, &out);
    assert_int_equal(out.end, CHILD_TIMED_OUT); /* not CHILD_EXITED, after its ten minutes */
    assert_true(str_eqz(id_as(&w, USER_A, "-u", &out), "61234"));
    finish(&w);
}

static size_t
children_of_agent(const struct world *w)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)w->agent,
                   (int)w->agent);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 ? count(str_from(text, (size_t)n), STR_LIT(" ")) : 0;
}

/* One user's processes all hang, more than there may be: another user does not notice. */
static void
test_nobody_holds_the_others(void **state)
{
    (void)state;
    struct world w;
    struct child_result out;
    enum { HANGING = AGENT_USER_CHILDREN_MAX + 4 };
    pid_t clients[HANGING];
    begin(&w);
    for (int i = 0; i < HANGING; i++) {
        clients[i] = fork();
        assert_true(clients[i] >= 0);
        if (clients[i] == 0) {
            /* until the test has removed its folder */
            struct str text = str_printf(w.a, "while [ -d %s ]; do sleep 1; done", w.root);
            struct str words[] = {STR_LIT("/bin/sh"), STR_LIT("-c"), text};
            w.engine.become = become_agent_new(w.a, w.door[0]);
            (void)command_as(&w, request(USER_A, NULL), words, 3, &out);
            _exit(0);
        }
    }
    int64_t until = await_now_ms() + PATIENCE_MS;
    while (children_of_agent(&w) < AGENT_USER_CHILDREN_MAX && await_now_ms() < until)
        (void)poll(NULL, 0, 20);
    assert_int_equal(children_of_agent(&w), AGENT_USER_CHILDREN_MAX);
    assert_true(str_eqz(id_as(&w, USER_B, "-u", &out), "61235"));
    for (int i = 0; i < HANGING; i++) {
        assert_int_equal(waitpid(clients[i], NULL, WNOHANG), 0); /* they wait still */
        kill(clients[i], SIGKILL);
        waitpid(clients[i], NULL, 0);
    }
    finish(&w);
}

/* --- its death --- */

/* Kills the agent again and again, and starts another one at the same door; says when it has done so. */
static _Noreturn void
keep_killing(struct world *w, int times, int done)
{
    for (int i = 0; i < times; i++) {
        (void)poll(NULL, 0, 3 + i * 7 % 23);
        kill(w->agent, SIGKILL);
        waitpid(w->agent, NULL, 0);
        start_agent(w);
    }
    (void)file_write_all(done, "x", 1);
    waitpid(w->agent, NULL, 0);
    _exit(0);
}

static void
test_killed_under_load(void **state)
{
    (void)state;
    enum { KILLS = 100, USERS = 3 };
    struct world w;
    struct child_result out;
    struct transport_answer answer;
    static const char *const boxes[USERS] = {"a", "b", "c"};
    begin(&w);
    kill(w.agent, SIGKILL);
    waitpid(w.agent, NULL, 0);
    int done[2];
    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    pid_t killer = fork();
    assert_true(killer >= 0);
    if (killer == 0) {
        setpgid(0, 0);
        start_agent(&w);
        keep_killing(&w, KILLS, done[1]);
    }
    int n = 0;
    struct pollfd over = {.fd = done[0], .events = POLLIN};
    for (; poll(&over, 1, 0) == 0 || n < KILLS / 2; n++) {
        struct str id = str_printf(w.a, "1xVNEb-000000%05d-0001", n);
        deliver(&w, (uid_t)(USER_A + n % USERS), "box", boxes[n % USERS], id, &out, &answer);
        if (answer.why.outcome != OUT_OK)
            fail_msg("%.*s", STR_ARG(answer.why.log));
    }
    kill(-killer, SIGKILL);
    waitpid(killer, NULL, 0);
    w.agent = killer;
    for (int i = 0; i < n; i++) {
        struct str line = str_printf(w.a, "\nSubject: 1xVNEb-000000%05d-0001\n", i);
        if (count(content(&w, boxes[i % USERS], NULL), line) != 1)
            fail_msg("message %d is there %zu times", i,
                     count(content(&w, boxes[i % USERS], NULL), line));
    }
    close(done[0]);
    close(done[1]);
    finish(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_becomes_the_user),
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_sees_what_the_user_sees),
        cmocka_unit_test(test_delivers),
        cmocka_unit_test(test_shares_a_process),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_set_uid_program),
        cmocka_unit_test(test_refuses_users),
        cmocka_unit_test(test_forged_packets),
        cmocka_unit_test(test_caps_of_the_form),
        cmocka_unit_test(test_opens_keys),
        cmocka_unit_test(test_keys_of_the_next_agent),
        cmocka_unit_test(test_form_of_keys),
        cmocka_unit_test(test_form_of_answers),
        cmocka_unit_test(test_forged_questions),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_nobody_holds_the_others),
        cmocka_unit_test(test_killed_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
