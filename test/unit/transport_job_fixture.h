/* One delivery by a local transport within the test's own process: a configuration in a text, a message. Needs cmocka
 * and conf_load_fixture.h to be included. */
#ifndef TEST_TRANSPORT_JOB_FIXTURE_H
#define TEST_TRANSPORT_JOB_FIXTURE_H

#include "mail/header.h"
#include "proc/wire.h"
#include "sys/file.h"
#include "transports/transport.h"

#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>

struct job_case {
    struct loaded loaded;
    struct wiring w;
    struct header_list headers;
    struct message message;
    struct address address[3];
    struct address *addresses[3];
    struct transport_job job;
    struct transport_answer answers[3];
};

static char job_root[] = "/tmp/remex_job_XXXXXX";

static int
job_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int
job_setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return mkdtemp(job_root) == NULL;
}

static int
job_teardown(void **state)
{
    (void)state;
    return nftw(job_root, job_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* The text with the private folder for %R. */
static inline char *
job_text(struct arena *a, const char *text)
{
    struct buf b = buf_in(a, 0);
    for (const char *p = text; *p != '\0'; p++) {
        bool folder = p[0] == '%' && p[1] == 'R';
        if (folder)
            buf_addz(&b, job_root);
        else
            buf_addc(&b, *p);
        p += folder;
    }
    return str_cstr(a, buf_str(&b));
}

/* The options of a transport t; a small message for three recipients, of which the job has the first. */
static inline void
job_begin(struct job_case *c, const char *main_options, const char *options)
{
    struct arena *scratch = arena_new();
    struct buf text = buf_in(scratch, 0);
    memset(c, 0, sizeof *c);
    buf_printf(&text,
               "primary_hostname = host.example\nqualify_domain = host.example\n%s\n"
               "begin transports\nt:\n%s\n",
               main_options, job_text(scratch, options));
    c->loaded = load_text(buf_str(&text).p);
    if (c->loaded.conf == NULL)
        fail_msg("%s", load_exim_error(&c->loaded));
    arena_free(scratch);
    struct arena *a = c->loaded.arena;
    c->w = wire_command_line(a, c->loaded.conf);
    assert_true(header_list_add(a, &c->headers, STR_LIT("Subject: x\n"), HEADER_AT_END));
    c->message = (struct message){.arena = a,
                                  .id = STR_LIT("1xVNEb-000000079s2-0001"),
                                  .sender = STR_LIT("s@e"),
                                  .headers = &c->headers,
                                  .body_fd = -1,
                                  .body_text = STR_LIT("body\n"),
                                  .size = 32};
    for (size_t i = 0; i < 3; i++) {
        static const char *const users[] = {"u", "v", "w"};
        struct str user = str_from_cstr(users[i]);
        c->address[i] = (struct address){.arena = a,
                                         .text = str_cat(a, user, STR_LIT("@d")),
                                         .local_part = user,
                                         .domain = STR_LIT("d"),
                                         .mode = -1,
                                         .return_path = STR_LIT("s@e")};
        c->addresses[i] = &c->address[i];
    }
    c->w.eval->message = &c->message;
    c->w.eval->address = &c->address[0];
    c->job = (struct transport_job){.arena = a,
                                    .eval = c->w.eval,
                                    .vm = c->w.vm,
                                    .transport = conf_transport(c->loaded.conf, STR_LIT("t")),
                                    .message = &c->message,
                                    .addresses = c->addresses,
                                    .n = 1,
                                    .body_fd = -1,
                                    .return_path = STR_LIT("s@e"),
                                    .uid = geteuid(),
                                    .gid = getegid()};
}

static inline void
job_run(struct job_case *c)
{
    memset(c->answers, 0, sizeof c->answers);
    transport_driver_of(c->job.transport)->deliver(&c->job, c->answers);
}

static inline void
job_end(struct job_case *c)
{
    load_free(&c->loaded);
}

/* The content of a file in the private folder. */
static inline struct str
job_file(struct job_case *c, const char *name)
{
    struct str text = STR_NULL;
    (void)file_read(c->loaded.arena, job_text(c->loaded.arena, name), 1 << 20, &text);
    return text;
}

#endif
