/* One delivery by appendfile within the test's own process: a configuration in a text, a message, a private folder. Needs cmocka
 * and conf_load_fixture.h to be included. */
#ifndef TEST_APPEND_FIXTURE_H
#define TEST_APPEND_FIXTURE_H

#include "mail/header.h"
#include "mail/why_errno.h"
#include "proc/wire.h"
#include "sys/file.h"
#include "transports/appendfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

struct append_case {
    struct loaded loaded;
    struct wiring w;
    struct header_list headers;
    struct message message;
    struct address address;
    struct address *addresses[1];
    struct transport_job job;
    struct transport_answer answer;
};

static char append_root[] = "/tmp/remex_append_XXXXXX";

static int
append_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int
append_setup(void **state)
{
    (void)state;
    return mkdtemp(append_root) == NULL;
}

static int
append_teardown(void **state)
{
    (void)state;
    return nftw(append_root, append_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* An empty folder again. */
static inline void
append_clean(void)
{
    assert_int_equal(append_teardown(NULL), 0);
    assert_int_equal(mkdir(append_root, 0755), 0);
}

static inline char *
append_at(struct append_case *c, const char *name)
{
    return str_cstr(c->loaded.arena, str_printf(c->loaded.arena, "%s/%s", append_root, name));
}

/* Every message has an id of its own. */
static inline struct str
append_new_id(struct arena *a)
{
    static int last;
    return str_printf(a, "1xVNEb-%011d-0001", ++last);
}

/* The options of a transport t, with %R for the folder; the message is small. */
static inline void
append_begin(struct append_case *c, const char *options)
{
    struct arena *scratch = arena_new();
    struct buf text = buf_in(scratch, 0);
    buf_addz(&text,
             "primary_hostname = host.example\nbegin transports\nt:\n  driver = appendfile\n");
    for (const char *p = options; *p != '\0'; p++) {
        bool folder = p[0] == '%' && p[1] == 'R';
        if (folder)
            buf_addz(&text, append_root);
        else
            buf_addc(&text, *p);
        p += folder;
    }
    memset(c, 0, sizeof *c);
    c->loaded = load_text(buf_str(&text).p);
    if (c->loaded.conf == NULL)
        fail_msg("%s", load_exim_error(&c->loaded));
    arena_free(scratch);
    struct arena *a = c->loaded.arena;
    c->w = wire_command_line(a, c->loaded.conf);
    assert_true(header_list_add(a, &c->headers, STR_LIT("Subject: x\n"), HEADER_AT_END));
    assert_true(header_list_add(a, &c->headers, STR_LIT("To: u@d\n"), HEADER_AT_END));
    c->message = (struct message){.arena = a,
                                  .id = append_new_id(a),
                                  .sender = STR_LIT("s@e"),
                                  .received_time = time(NULL),
                                  .headers = &c->headers,
                                  .body_size = 12,
                                  .size = 32};
    c->message.body_fd = open(append_root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(c->message.body_fd >= 0);
    assert_true(file_write_all(c->message.body_fd, "From x\nbody\n", 12));
    c->address = (struct address){.arena = a,
                                  .text = STR_LIT("u@d"),
                                  .local_part = STR_LIT("u"),
                                  .domain = STR_LIT("d"),
                                  .mode = -1,
                                  .return_path = STR_LIT("s@e")};
    c->addresses[0] = &c->address;
    c->w.eval->message = &c->message;
    c->w.eval->address = &c->address;
    c->job = (struct transport_job){.arena = a,
                                    .eval = c->w.eval,
                                    .vm = c->w.vm,
                                    .transport = conf_transport(c->loaded.conf, STR_LIT("t")),
                                    .message = &c->message,
                                    .addresses = c->addresses,
                                    .n = 1,
                                    .body_fd = c->message.body_fd,
                                    .return_path = STR_LIT("s@e"),
                                    .uid = geteuid(),
                                    .gid = getegid()};
    assert_non_null(c->job.transport);
}

/* Delivers; returns the text for the log, "" when there is none. */
static inline const char *
append_run(struct append_case *c)
{
    transport_driver_of(c->job.transport)->deliver(&c->job, &c->answer);
    struct str log = c->answer.why.log;
    return str_is_set(log) ? str_cstr(c->loaded.arena, log) : "";
}

static inline void
append_end(struct append_case *c)
{
    close(c->message.body_fd);
    load_free(&c->loaded);
}

/* Runs to a good end. */
static inline void
append_good(struct append_case *c)
{
    assert_string_equal(append_run(c), "");
    assert_int_equal(c->answer.why.outcome, OUT_OK);
}

/* Delivers another message. */
static inline void
append_another(struct append_case *c)
{
    c->message.id = append_new_id(c->loaded.arena);
    append_good(c);
}

/* The text of a file below the folder; "(none)" when there is none. */
static inline const char *
append_content(struct append_case *c, const char *name)
{
    struct str s;
    if (file_read(c->loaded.arena, append_at(c, name), 1u << 20, &s) != FILE_OK)
        return "(none)";
    return str_cstr(c->loaded.arena, s);
}

static inline void
append_write_file(struct append_case *c, const char *name, const char *text, mode_t mode)
{
    int fd = open(append_at(c, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_true(file_write_all(fd, text, strlen(text)));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* How many names are in a folder below the folder; -1: no such folder. */
static inline int
append_names(struct append_case *c, const char *name, char *last, size_t room)
{
    DIR *dir = opendir(append_at(c, name));
    int n = 0;
    if (dir == NULL)
        return -1;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (last != NULL)
            (void)snprintf(last, room, "%s", e->d_name);
    }
    closedir(dir);
    return n;
}

#endif
