/* An engine with a spool and logs in a private folder, on the configuration of the test. Needs cmocka to be included. */
#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

#include "conf_load_fixture.h"

#include "engine/engine.h"
#include "proc/wire.h"
#include "sys/file.h"
#include "sys/log_selector.h"

#include <ftw.h>
#include <sys/stat.h>

struct engine_case {
    struct loaded loaded;
    struct wiring w;
    struct engine engine;
    char root[64];
};

/* `more` stands in the main section, or goes on with others. */
__attribute__((unused)) static struct engine_case *
engine_case_new(const char *more)
{
    static struct engine_case c;
    struct arena *scratch = arena_new();
    c = (struct engine_case){.root = "/tmp/remex_engine_XXXXXX"};
    assert_non_null(mkdtemp(c.root));
    struct str text = str_printf(scratch,
                                 "primary_hostname = host.example\nspool_directory = %s/spool\n"
                                 "log_file_path = %s/%%slog\n%s",
                                 c.root, c.root, more);
    c.loaded = load_text(str_cstr(scratch, text));
    if (c.loaded.conf == NULL)
        fail_msg("%s", load_exim_error(&c.loaded));
    arena_free(scratch);
    struct arena *a = c.loaded.arena;
    assert_int_equal(mkdir(str_cstr(a, str_printf(a, "%s/spool", c.root)), 0755), 0);
    c.w = wire_command_line(a, c.loaded.conf);
    c.engine = (struct engine){
        .arena = a,
        .conf = c.loaded.conf,
        .eval = c.w.eval,
        .vm = c.w.vm,
        .caller = {.uid = getuid(), .gid = getgid(), .login = STR_LIT("me")},
        .mail_uid = getuid(),
        .mail_gid = getgid(),
        .queue = STR_EMPTY,
        .log = {.file_path = c.loaded.conf->main->log_file_path.text},
        .selectors = log_selector_default(),
        .calls = &durable_unsynced,
    };
    return &c;
}

static int
engine_case_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

__attribute__((unused)) static void
engine_case_free(struct engine_case *c)
{
    (void)nftw(c->root, engine_case_remove, 8, FTW_DEPTH | FTW_PHYS);
    load_free(&c->loaded);
}

/* The content of a file below the root, "" when there is none. */
__attribute__((unused)) static const char *
engine_case_read(struct engine_case *c, const char *name)
{
    struct arena *a = c->loaded.arena;
    struct str text;
    char *path = str_cstr(a, str_printf(a, "%s/%s", c->root, name));
    return file_read(a, path, 1000000, &text) == FILE_OK ? str_cstr(a, text) : "";
}

/* A message in the queue; its entry is open and locked. */
__attribute__((unused)) static struct spool_entry
engine_case_message(struct engine_case *c, const char *id_text, const char *recipient)
{
    struct arena *a = c->loaded.arena;
    struct spool_place place = engine_place(&c->engine);
    struct spool_fault f;
    struct spool_entry e;
    struct spool_header h;
    struct message_id id;
    assert_true(message_id_parse(str_from_cstr(id_text), &id));
    assert_int_equal(spool_create(&place, c->engine.calls, &id, &e, &f), SPOOL_OK);
    assert_int_equal(write(e.body, "body\n", 5), 5);
    spool_header_init(&h);
    h.id = id;
    h.login = STR_LIT("me");
    h.sender = STR_LIT("s@host.example");
    h.received_time = message_id_time(&id);
    vec_push(
        a, &h.recipients,
        ((struct spool_recipient){.address = str_from_cstr(recipient), .parent = SPOOL_NONE}));
    assert_true(header_list_add(a, &h.headers, STR_LIT("Subject: x\n"), HEADER_AT_END));
    assert_int_equal(spool_commit(a, &e, &h, &f), SPOOL_OK);
    return e;
}

#endif
