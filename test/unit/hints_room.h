/* A hints store of a test's own, in a folder of its own. */
#ifndef REMEX_TEST_HINTS_ROOM_H
#define REMEX_TEST_HINTS_ROOM_H

#include "base/arena.h"
#include "sys/hints.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
    struct arena *a;
    struct hints *h;
    char directory[64];
};

static int
set_up(void **state)
{
    struct room *r = calloc(1, sizeof *r);
    struct str error;
    snprintf(r->directory, sizeof r->directory, "/tmp/hints-test-XXXXXX");
    assert_non_null(mkdtemp(r->directory));
    r->a = arena_new();
    r->h = hints_open(r->a, r->directory, &error);
    assert_false(str_is_set(error));
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct room *r = *state;
    char path[512];
    arena_free(r->a);
    DIR *d = opendir(r->directory);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", r->directory, e->d_name);
        (void)unlink(path); /* not the folders that every one has */
    }
    if (d != NULL)
        closedir(d);
    rmdir(r->directory);
    free(r);
    return 0;
}

#endif
