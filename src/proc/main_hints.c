/* remex-hints (also called exim_dumpdb, exim_tidydb and exim_fixdb): shows the records of a kind of hints, removes those that are old, or
 * lets somebody change them.
 *
 *   remex-hints dump [-z] [-k] SPOOL KIND
 *   remex-hints tidy [-t TIME] SPOOL KIND
 *   remex-hints fix [-z] SPOOL KIND
 *
 * KIND: retry, wait-TRANSPORT, callout, ratelimit, seen, tls, once, misc. The layout is Exim's; of once and misc the keys and sizes are
 * shown, and they are not tidied: their records are removed by who uses them. Source: specification,
 * "Hints database maintenance".
 */
#include "base/arena.h"
#include "base/num.h"
#include "base/vec.h"
#include "engine/message_id.h"
#include "proc/hints_fix.h"
#include "proc/hints_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AGE_S = 30 * 86400, PATH_BYTES = 4096, ID_DIRECTORY = 5 };

struct work {
    struct arena *arena;
    struct hints *hints;
    const char *spool;
    enum hints_kind kind;
    struct str transport; /* of wait-TRANSPORT, with a slash; else empty */
    bool utc, keys_only;
    int64_t oldest_s;
    struct str host; /* whose ids are being listed, with the prefix */
    VEC(struct str) old;
};

/* --- showing --- */

/* Keys are transport/host/id, in order: a line for each host. */
static void
show_wait(struct work *w, struct str key)
{
    size_t slash = str_rchr(key, '/');
    struct str prefix = str_sub(key, 0, slash == STR_NPOS ? key.n : slash);
    if (!str_eq(prefix, w->host)) {
        printf("%s%.*s", w->host.n > 0 ? "\n" : "",
               STR_ARG(str_sub(prefix, w->transport.n, prefix.n)));
        w->host = str_dup(w->arena, prefix);
    }
    if (slash != STR_NPOS && !w->keys_only)
        printf(" %.*s", STR_ARG(str_sub(key, slash + 1, key.n)));
}

static bool
show(void *ctx, struct str key, uint16_t version, struct str value)
{
    struct work *w = ctx;
    const struct hints_item item = {w->kind, key, version, value};
    if (w->kind == HINTS_WAIT) {
        if (str_starts(key, str_cstr(w->arena, w->transport)))
            show_wait(w, key);
    } else if (w->keys_only) {
        printf("%.*s\n", STR_ARG(key));
    } else {
        struct arena_mark mark = arena_mark(w->arena);
        struct buf b = buf_in(w->arena, 0);
        hints_text_dump(&b, &item, w->utc);
        printf("%.*s", STR_ARG(buf_str(&b)));
        arena_reset(w->arena, mark);
    }
    return true;
}

/* --- tidying --- */

/* The last part of a key is a message that is no longer there. */
static bool
is_gone(const struct work *w, struct str key, char separator)
{
    char path[PATH_BYTES];
    struct message_id parsed;
    size_t at = str_rchr(key, separator);
    struct str id = str_sub(key, at == STR_NPOS ? 0 : at + 1, key.n);
    if (!message_id_parse(id, &parsed))
        return false;
    snprintf(path, sizeof path, "%s/input/%.*s-H", w->spool, STR_ARG(id));
    if (access(path, F_OK) == 0)
        return false;
    snprintf(path, sizeof path, "%s/input/%c/%.*s-H", w->spool, id.p[ID_DIRECTORY],
             STR_ARG(id));
    return access(path, F_OK) != 0;
}

static bool
find_old(void *ctx, struct str key, uint16_t version, struct str value)
{
    struct work *w = ctx;
    const struct hints_item item = {w->kind, key, version, value};
    int64_t written;
    bool old = false;
    if (w->kind == HINTS_WAIT)
        old = str_starts(key, str_cstr(w->arena, w->transport)) && is_gone(w, key, '/');
    else if (w->kind != HINTS_ONCE && w->kind != HINTS_MISC)
        old = !hints_text_age(&item, &written) || written < w->oldest_s ||
              (w->kind == HINTS_RETRY && is_gone(w, key, ':'));
    if (old)
        vec_push(w->arena, &w->old, str_dup(w->arena, key));
    return true;
}

static void
tidy(struct work *w)
{
    hints_each(w->hints, w->kind, find_old, w);
    for (size_t i = 0; i < w->old.n; i++)
        if (hints_delete(w->hints, w->kind, w->old.v[i]))
            printf("deleted %.*s\n", STR_ARG(w->old.v[i]));
    printf("%zu removed\n", w->old.n);
}

/* --- the command line --- */

static int
usage(void)
{
    fprintf(stderr, "usage: remex-hints dump [-z] [-k] SPOOL KIND\n"
                    "       remex-hints tidy [-t TIME] SPOOL KIND\n"
                    "       remex-hints fix [-z] SPOOL KIND\n");
    return 1;
}

static bool
find_kind(struct work *w, const char *name)
{
    struct str s = str_from_cstr(name);
    w->transport = STR_EMPTY;
    if (str_starts(s, "wait-")) {
        w->kind = HINTS_WAIT;
        w->transport = str_cat(w->arena, str_lower(w->arena, str_sub(s, 5, s.n)), STR_LIT("/"));
        return true;
    }
    for (int k = 0; k < HINTS_KINDS; k++) {
        w->kind = (enum hints_kind)k;
        if (str_eqz(s, hints_kind_name(w->kind)) && w->kind != HINTS_WAIT)
            return true;
    }
    fprintf(stderr, "remex-hints: unknown kind of hints \"%s\"\n", name);
    return false;
}

static bool
open_store(struct work *w, bool writes)
{
    char path[PATH_BYTES];
    struct str error = STR_NULL;
    snprintf(path, sizeof path, "%s/db", w->spool);
    if (access(path, X_OK) != 0) {
        fprintf(stderr, "remex-hints: there is no %s\n", path);
        return false;
    }
    w->hints = writes ? hints_open(w->arena, path, &error)
                      : hints_open_to_read(w->arena, path, &error);
    if (str_is_set(error))
        fprintf(stderr, "remex-hints: %.*s\n", STR_ARG(error));
    return !str_is_set(error);
}

static bool
take_options(struct work *w, int argc, char **argv, int *at)
{
    int64_t age_s = AGE_S;
    for (; *at < argc && argv[*at][0] == '-'; ++*at) {
        const char *o = argv[*at];
        if (strcmp(o, "-z") == 0)
            w->utc = true;
        else if (strcmp(o, "-k") == 0)
            w->keys_only = true;
        else if (strcmp(o, "-t") == 0 && *at + 1 < argc &&
                 num_parse_interval(str_from_cstr(argv[*at + 1]), &age_s))
            ++*at;
        else if (strcmp(o, "-f") != 0) /* which is the rule here */
            return false;
    }
    w->oldest_s = time(NULL) - age_s;
    return argc - *at == 2;
}

static void
dump(struct work *w)
{
    hints_each(w->hints, w->kind, show, w);
    if (w->host.n > 0)
        printf("\n");
}

static void
fix(struct work *w)
{
    printf("Modifying hints database %s/db/%s\n", w->spool, hints_kind_name(w->kind));
    hints_fix(w->hints, w->kind, w->utc, stdin, stdout);
}

static const struct verb {
    const char *word, *name; /* name: that the program is called by */
    bool writes;
    void (*run)(struct work *w);
} verbs[] = {
    {"dump", "exim_dumpdb", false, dump},
    {"tidy", "exim_tidydb", true, tidy},
    {"fix", "exim_fixdb", true, fix},
};

static const struct verb *
find_verb(int argc, char **argv, int *at)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash == NULL ? argv[0] : slash + 1;
    *at = 1;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    *at = 2;
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].word) == 0)
            return &verbs[i];
    return NULL;
}

int
main(int argc, char **argv)
{
    struct work w = {.arena = arena_new(), .host = STR_EMPTY};
    int at, status = 1;
    const struct verb *verb = find_verb(argc, argv, &at);
    if (verb == NULL || !take_options(&w, argc, argv, &at))
        return usage();
    w.spool = argv[at];
    if (find_kind(&w, argv[at + 1]) && open_store(&w, verb->writes)) {
        verb->run(&w);
        status = 0;
    }
    arena_free(w.arena);
    return status;
}
