/* remex-next (also called exinext): when the next try will be made for a domain, an address, a local part of the own domain, or a message.
 *
 *   remex-next [-C FILE] [-DMACRO=VALUE] WHAT...
 *
 * remex itself is asked where the spool is and which hosts the mail goes to; the rest is in the retry hints. Nothing is changed. Source:
 * specification, "Finding individual retry times (exinext)".
 */
#include "base/arena.h"
#include "base/vec.h"
#include "engine/message_id.h"
#include "engine/retry_hints.h"
#include "proc/hints_text.h"
#include "sys/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OPTIONS_MAX = 64, OUTPUT_MAX = 1 << 20, ASK_MS = 120000, PATH_BYTES = 4096 };

struct mail_host {
    struct str name, address; /* address: may be unset */
};

struct next {
    struct arena *arena;
    struct hints *hints;
    const char *remex;
    char *argv[OPTIONS_MAX + 8]; /* remex and its options; what is asked goes behind them */
    size_t argc;
    struct str domain, address, id; /* what is looked for; unset: not by that */
    VEC(struct mail_host) hosts;
    size_t shown;
};

/* --- asking remex --- */

static bool
ask(struct next *x, const char *option, const char *argument, struct str *out)
{
    extern char **environ;
    char *argv[OPTIONS_MAX + 8];
    struct run_result r;
    memcpy(argv, x->argv, x->argc * sizeof *argv);
    argv[x->argc] = str_cstr(x->arena, str_from_cstr(option));
    argv[x->argc + 1] = str_cstr(x->arena, str_from_cstr(argument));
    argv[x->argc + 2] = NULL;
    const struct run_request rq = {
        .argv = argv, .environ = environ, .timeout_ms = ASK_MS, .max_output = OUTPUT_MAX};
    run_program(x->arena, &rq, &r);
    *out = r.output;
    return r.end == RUN_EXITED && r.status == 0;
}

/* The value of a main option: what stands behind " = ". */
static struct str
main_option(struct next *x, const char *name)
{
    struct str out;
    size_t at;
    if (!ask(x, "-bP", name, &out) || (at = str_find(out, STR_LIT(" = "), 0)) == STR_NPOS) {
        fprintf(stderr, "exinext: %s -bP %s: %.*s\n", x->remex, name, STR_ARG(str_trim(out)));
        return STR_NULL;
    }
    return str_trim(str_sub(out, at + 3, out.n));
}

/* "  host mx.example [192.0.2.1] MX=5" */
static void
take_host_line(struct next *x, struct str line)
{
    line = str_trim(line);
    if (!str_starts(line, "host "))
        return;
    struct str rest = str_trim(str_sub(line, 5, line.n));
    size_t space = str_chr(rest, ' ', 0), open = str_chr(rest, '[', 0);
    struct mail_host h = {.name = str_sub(rest, 0, space == STR_NPOS ? rest.n : space)};
    size_t close = open == STR_NPOS ? STR_NPOS : str_chr(rest, ']', open);
    if (close != STR_NPOS)
        h.address = str_sub(rest, open + 1, close - open - 1);
    vec_push(x->arena, &x->hosts, h);
}

static void
find_hosts(struct next *x)
{
    struct str out, to = x->address;
    if (!str_is_set(to)) /* which every domain takes */
        to = str_printf(x->arena, "postmaster@%.*s", STR_ARG(x->domain));
    (void)ask(x, "-bt", str_cstr(x->arena, to), &out);
    for (size_t at = 0; at < out.n;) {
        size_t end = str_chr(out, '\n', at);
        end = end == STR_NPOS ? out.n : end;
        take_host_line(x, str_sub(out, at, end - at));
        at = end + 1;
    }
}

/* --- records --- */

/* The key is text, or goes on behind it with another part. */
static bool
begins_with(struct str key, struct str text)
{
    if (text.n == 0 || !str_ieq(str_sub(key, 0, text.n), text))
        return false;
    return key.n == text.n || key.p[text.n] == ':' || key.p[text.n] == '/';
}

static bool
is_of_host(struct next *x, struct str rest, const struct mail_host *h)
{
    bool literal = str_eq(h->name, h->address);
    struct str name = literal ? str_printf(x->arena, "[%.*s]", STR_ARG(h->name)) : h->name;
    if (!str_is_set(h->address))
        return begins_with(rest, name);
    struct str whole = str_printf(x->arena, "%.*s:%.*s", STR_ARG(name), STR_ARG(h->address));
    return begins_with(rest, whole) || str_ieq(rest, name);
}

/* Whether a record, "R:..." of routing or "T:..." of a transport, is about what is looked for. */
static bool
is_wanted(struct next *x, struct str key)
{
    struct str rest = str_sub(key, 2, key.n);
    if (str_is_set(x->id))
        return key.n > x->id.n && key.p[key.n - x->id.n - 1] == ':' &&
               str_eq(str_sub(key, key.n - x->id.n, x->id.n), x->id);
    if (begins_with(rest, x->domain) || begins_with(rest, x->address))
        return true;
    size_t at = str_chr(rest, '@', 0);
    if (!str_is_set(x->address) && at != STR_NPOS &&
        begins_with(str_sub(rest, at + 1, rest.n), x->domain))
        return true;
    for (size_t i = 0; i < x->hosts.n; i++)
        if (key.p[0] == 'T' && is_of_host(x, rest, &x->hosts.v[i]))
            return true;
    return false;
}

static void
show(struct next *x, struct str key, const struct retry_record *r)
{
    struct buf b = buf_in(x->arena, 0);
    buf_printf(&b, "%.*s error %lld: %.*s", STR_ARG(str_sub(key, 2, key.n)),
               (long long)r->number, STR_ARG(r->text));
    buf_addz(&b, "\n  first failed: ");
    hints_text_time(&b, r->first_failed, false);
    buf_addz(&b, "\n  last tried:   ");
    hints_text_time(&b, r->last_try, false);
    buf_addz(&b, "\n  next try at:  ");
    hints_text_time(&b, r->next_try, false);
    buf_addz(&b, r->expired ? "\n  past final cutoff time\n" : "\n");
    printf("%.*s", STR_ARG(buf_str(&b)));
    x->shown++;
}

static bool
look_at(void *ctx, struct str key, uint16_t version, struct str value)
{
    struct next *x = ctx;
    struct retry_record r;
    struct arena_mark mark = arena_mark(x->arena);
    if (key.n > 2 && is_wanted(x, key) && version == RETRY_RECORD_VERSION &&
        retry_record_read(value, &r))
        show(x, key, &r);
    arena_reset(x->arena, mark);
    return true;
}

/* --- the command line --- */

/* A message id; an address; a domain, which has a dot; a local part of the domain that is added to addresses without one. */
static bool
understand(struct next *x, struct str what)
{
    x->domain = x->address = x->id = STR_NULL;
    x->hosts.n = 0;
    size_t at = str_rchr(what, '@');
    if (message_id_parse(what, NULL)) {
        x->id = what;
        return true;
    }
    if (at != STR_NPOS) {
        x->address = what;
        x->domain = str_sub(what, at + 1, what.n);
    } else if (str_chr(what, '.', 0) != STR_NPOS) {
        x->domain = what;
    } else {
        struct str own = main_option(x, "qualify_domain");
        if (!str_is_set(own))
            return false;
        x->domain = own;
        x->address = str_printf(x->arena, "%.*s@%.*s", STR_ARG(what), STR_ARG(own));
    }
    find_hosts(x);
    return true;
}

static bool
open_hints(struct next *x)
{
    struct str error, spool = main_option(x, "spool_directory");
    if (!str_is_set(spool))
        return false;
    struct str path = str_printf(x->arena, "%.*s/db", STR_ARG(spool));
    x->hints = hints_open_to_read(x->arena, str_cstr(x->arena, path), &error);
    if (str_is_set(error))
        fprintf(stderr, "exinext: %.*s\n", STR_ARG(error));
    return !str_is_set(error);
}

/* remex stands beside this program. */
static bool
find_remex(struct next *x)
{
    char path[PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || (size_t)n == sizeof path)
        return false;
    struct str own = str_from(path, (size_t)n);
    x->remex = str_cstr(x->arena, str_printf(x->arena, "%.*sremex",
                                             STR_ARG(str_sub(own, 0, str_rchr(own, '/') + 1))));
    x->argv[0] = str_cstr(x->arena, str_from_cstr(x->remex));
    x->argc = 1;
    return true;
}

/* -C and -D are handed on. False: the options are wrong. */
static bool
take_options(struct next *x, int argc, char **argv, int *at)
{
    for (*at = 1; *at < argc && argv[*at][0] == '-'; ++*at) {
        char letter = argv[*at][1];
        if ((letter != 'C' && letter != 'D') || x->argc + 2 > OPTIONS_MAX)
            return false;
        x->argv[x->argc++] = argv[*at];
        if (argv[*at][2] == '\0' && *at + 1 < argc)
            x->argv[x->argc++] = argv[++*at];
    }
    return *at < argc;
}

int
main(int argc, char **argv)
{
    struct next x = {.arena = arena_new()};
    int at, status = 0;
    if (!find_remex(&x) || !take_options(&x, argc, argv, &at)) {
        fprintf(stderr, "usage: exinext [-C FILE] [-DMACRO=VALUE] DOMAIN|ADDRESS|LOCAL-PART|"
                        "MESSAGE-ID...\n");
        arena_free(x.arena);
        return 1;
    }
    status = open_hints(&x) ? 0 : 1;
    for (; status == 0 && at < argc; at++) {
        x.shown = 0;
        if (!understand(&x, str_from_cstr(argv[at]))) {
            status = 1;
        } else {
            hints_each(x.hints, HINTS_RETRY, look_at, &x);
            if (x.shown == 0)
                printf("No retry data found for %s\n", argv[at]);
        }
    }
    arena_free(x.arena);
    return status;
}
