/* Reads a configuration that stands in a test. Needs cmocka to be included. */
#ifndef TEST_CONF_LOAD_FIXTURE_H
#define TEST_CONF_LOAD_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/main_options.h"
#include "proc/builtin_macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loaded {
    struct arena *arena;
    struct diags *diags;
    struct conf *conf; /* NULL when there were errors */
    char file[64];
};

static struct loaded
load_text(const char *text)
{
    struct loaded l = {.arena = arena_new(), .file = "/tmp/remex-conf-XXXXXX"};
    l.diags = diags_new(l.arena, 0);
    int fd = mkstemp(l.file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    const char *name = str_cstr(l.arena, str_from_cstr(l.file));
    const char *const files[] = {name};
    struct conf_request rq = {.files = files, .files_n = 1, .keep_text = true};
    builtin_macros_request(l.arena, &rq);
    l.conf = conf_read(l.arena, &rq, l.diags);
    unlink(l.file);
    if (l.conf != NULL)
        conf_main_complete(l.conf->main, STR_LIT("host.example"));
    return l;
}

/* The first error as Exim prints it, "" without one. */
__attribute__((unused)) static const char *
load_exim_error(struct loaded *l)
{
    struct buf b = buf_in(l->arena, 0);
    for (size_t i = 0; i < diags_total(l->diags); i++) {
        if (diags_at(l->diags, i)->level != DIAG_ERROR)
            continue;
        conf_print_exim(&b, diags_at(l->diags, i));
        break;
    }
    return str_cstr(l->arena, buf_str(&b));
}

static void
load_free(struct loaded *l)
{
    arena_free(l->arena);
}

/* An option of an instance as -bP prints it, without newline. */
__attribute__((unused)) static const char *
load_shown(struct loaded *l, const struct driver_instance *d, const char *option)
{
    const struct opt_set *sets[] = {&d->generic, &d->own};
    struct buf b = buf_in(l->arena, 0);
    for (size_t i = 0; i < 2; i++) {
        int row = opt_find(sets[i]->table, str_from_cstr(option));
        if (row >= 0)
            opt_print(&b, sets[i], row, true, OPT_SHOW_FULL);
    }
    struct str s = buf_str(&b);
    return str_cstr(l->arena, str_sub(s, 0, s.n > 0 ? s.n - 1 : 0));
}

#endif
