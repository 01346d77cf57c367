/* -bP; see the header. A word of the command line is a row of a table here, or the name of an
 * option of the main section. */
#include "proc/show.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/main_options.h"
#include "proc/builtin_macros.h"
#include "proc/cli.h"
#include "proc/mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct show {
    struct buf *out;
    const struct show_request *rq;
    struct str name; /* what is asked for by name, or STR_NULL */
    struct str kind; /* the word before the name */
    bool names_only; /* _list */
    bool found;
};

static enum opt_show
how(const struct show *s)
{
    return s->rq->values_only ? OPT_SHOW_VALUE : OPT_SHOW_FULL;
}

static enum show_result
not_found(const struct show *s)
{
    buf_printf(s->out, "%.*s %.*s not found\n", STR_ARG(s->kind), STR_ARG(s->name));
    return SHOW_NOT_FOUND;
}

/* --- drivers --- */

static void
show_instance(const struct show *s, const struct driver_instance *d)
{
    opt_print_all(s->out, &d->generic, s->rq->admin, how(s));
    opt_print_all(s->out, &d->own, s->rq->admin, how(s));
}

static enum show_result
show_drivers(struct show *s, struct driver_instance *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->names_only) {
            buf_printf(s->out, "%.*s\n", STR_ARG(v[i]->name));
        } else if (!str_is_set(s->name)) {
            buf_printf(s->out, "\n%.*s %s:\n", STR_ARG(v[i]->name), v[i]->cls->what);
            show_instance(s, v[i]);
        } else if (str_eq(v[i]->name, s->name)) {
            show_instance(s, v[i]);
            return SHOW_OK;
        }
    }
    return str_is_set(s->name) ? not_found(s) : SHOW_OK;
}

static enum show_result
show_routers(struct show *s)
{
    return show_drivers(s, s->rq->conf->routers.v, s->rq->conf->routers.n);
}

static enum show_result
show_transports(struct show *s)
{
    return show_drivers(s, s->rq->conf->transports.v, s->rq->conf->transports.n);
}

static enum show_result
show_auths(struct show *s)
{
    return show_drivers(s, s->rq->conf->auths.v, s->rq->conf->auths.n);
}

/* --- macros --- */

static void
show_one_macro(void *ctx, struct str name, struct str text)
{
    struct show *s = ctx;
    if (str_is_set(s->name) && !str_eq(s->name, name))
        return;
    s->found = true;
    if (s->names_only)
        buf_adds(s->out, name);
    else if (s->rq->values_only)
        buf_adds(s->out, text);
    else
        buf_printf(s->out, "%.*s=%.*s", STR_ARG(name), STR_ARG(text));
    buf_addc(s->out, '\n');
}

static enum show_result
show_macros(struct show *s)
{
    if (!s->rq->admin)
        return SHOW_DENIED;
    struct arena *scratch = arena_new();
    builtin_macros_each(scratch, show_one_macro, s);
    arena_free(scratch);
    const struct conf *c = s->rq->conf;
    for (size_t i = 0; i < c->macros.n; i++)
        if (!c->macros.v[i]->builtin)
            show_one_macro(s, c->macros.v[i]->name, c->macros.v[i]->text);
    return s->found || !str_is_set(s->name) ? SHOW_OK : not_found(s);
}

/* --- the environment --- */

static int
compare_strings(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

static bool
is_variable(const char *entry, struct str name)
{
    struct str e = str_from_cstr(entry);
    return e.n > name.n && e.p[name.n] == '=' && str_eq(str_sub(e, 0, name.n), name);
}

static void
show_variable(struct show *s, const char *entry)
{
    if (str_is_set(s->name) && !is_variable(entry, s->name))
        return;
    s->found = true;
    size_t n = s->rq->values_only ? strcspn(entry, "=") : strlen(entry);
    buf_add(s->out, entry, n);
    buf_addc(s->out, '\n');
}

static enum show_result
show_environment(struct show *s)
{
    size_t n = 0;
    while (s->rq->environment != NULL && s->rq->environment[n] != NULL)
        n++;
    struct arena *scratch = arena_new();
    const char **sorted = ARENA_ARRAY(scratch, const char *, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = s->rq->environment[i];
    qsort(sorted, n, sizeof *sorted, compare_strings);
    for (size_t i = 0; i < n; i++)
        show_variable(s, sorted[i]);
    arena_free(scratch);
    return s->found || !str_is_set(s->name) ? SHOW_OK : not_found(s);
}

/* --- single words --- */

static enum show_result
show_all(struct show *s)
{
    opt_print_all(s->out, &s->rq->conf->main_set, s->rq->admin, how(s));
    return SHOW_OK;
}

static enum show_result
show_config(struct show *s)
{
    const struct conf *c = s->rq->conf;
    conf_print_text(s->out, c, c->main->exim_version, s->rq->admin, s->rq->values_only);
    return SHOW_OK;
}

static enum show_result
show_config_file(struct show *s)
{
    buf_printf(s->out, "%.*s\n", STR_ARG(s->rq->conf->file));
    return SHOW_OK;
}

static enum show_result
show_local_scan(struct show *s)
{
    buf_addz(s->out, "local_scan() options are not supported\n");
    return SHOW_NOT_FOUND;
}

/* A list is hidden from admin users too: that is what Exim does. */
static void
show_list(const struct show *s, const struct named_list *l)
{
    static const char *const keywords[] = {[LIST_DOMAIN] = "domainlist",
                                           [LIST_HOST] = "hostlist",
                                           [LIST_ADDRESS] = "addresslist",
                                           [LIST_LOCALPART] = "localpartlist"};
    if (!s->rq->values_only)
        buf_printf(s->out, "%s %.*s = ", keywords[l->kind], STR_ARG(l->name));
    if (l->hide)
        buf_addz(s->out, "<value not displayable>");
    else
        buf_adds(s->out, l->text.text);
    buf_addc(s->out, '\n');
}

static enum show_result
show_lists(struct show *s, struct str name)
{
    bool found = false;
    for (size_t k = 0; k < 4; k++) {
        const struct map *lists = s->rq->conf->lists[k];
        const struct named_list *l = lists != NULL ? map_get(lists, name) : NULL;
        if (l == NULL)
            continue;
        show_list(s, l);
        found = true;
    }
    if (!found)
        buf_printf(s->out,
                   "no address, domain, host, or local part list called \"%.*s\" exists\n",
                   STR_ARG(name));
    return found ? SHOW_OK : SHOW_NOT_FOUND;
}

static enum show_result
show_option(struct show *s, struct str name)
{
    const struct opt_set *set = &s->rq->conf->main_set;
    int row = opt_find(set->table, name);
    if (row < 0) {
        buf_printf(s->out, "%.*s is not a known option\n", STR_ARG(name));
        return SHOW_NOT_FOUND;
    }
    opt_print(s->out, set, row, s->rq->admin, how(s));
    return SHOW_OK;
}

/* --- words of the command line --- */

enum takes { TAKES_NOTHING, TAKES_NAME, TAKES_LIST };

static const struct word {
    const char *word;
    enum takes takes; /* a name after it; or the word asks for names only */
    enum show_result (*show)(struct show *s);
} words[] = {
    {"all", TAKES_NOTHING, show_all},
    {"authenticator", TAKES_NAME, show_auths},
    {"authenticator_list", TAKES_LIST, show_auths},
    {"authenticators", TAKES_NOTHING, show_auths},
    {"config", TAKES_NOTHING, show_config},
    {"config_file", TAKES_NOTHING, show_config_file},
    {"configure_file", TAKES_NOTHING, show_config_file},
    {"environment", TAKES_NAME, show_environment},
    {"environment", TAKES_NOTHING, show_environment},
    {"local_scan", TAKES_NOTHING, show_local_scan},
    {"macro", TAKES_NAME, show_macros},
    {"macro_list", TAKES_LIST, show_macros},
    {"macros", TAKES_NOTHING, show_macros},
    {"router", TAKES_NAME, show_routers},
    {"router_list", TAKES_LIST, show_routers},
    {"routers", TAKES_NOTHING, show_routers},
    {"transport", TAKES_NAME, show_transports},
    {"transport_list", TAKES_LIST, show_transports},
    {"transports", TAKES_NOTHING, show_transports},
};

/* The row for a word; one that takes a name only when there is another argument. */
static const struct word *
find_word(struct str arg, bool more)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eqz(arg, words[i].word) && (words[i].takes != TAKES_NAME || more))
            return &words[i];
    return NULL;
}

/* Shows what argument *i, and the next when it belongs to it, asks for. */
static enum show_result
show_argument(struct buf *out, const struct show_request *rq, size_t *i)
{
    struct str arg = rq->args[*i];
    struct show s = {.out = out, .rq = rq, .kind = arg};
    const struct word *w = find_word(arg, *i + 1 < rq->n);
    if (w == NULL)
        return str_starts(arg, "+") ? show_lists(&s, str_sub(arg, 1, arg.n))
                                    : show_option(&s, arg);
    s.names_only = w->takes == TAKES_LIST;
    if (w->takes == TAKES_NAME)
        s.name = rq->args[++*i];
    return w->show(&s);
}

enum show_result
show_print(struct buf *out, const struct show_request *rq)
{
    enum show_result result = SHOW_OK;
    if (rq->n == 0) {
        struct show s = {.out = out, .rq = rq};
        return show_all(&s);
    }
    for (size_t i = 0; i < rq->n && result != SHOW_DENIED; i++)
        result = show_argument(out, rq, &i);
    return result;
}

int
show_run(struct mode *m)
{
    struct arena *scratch = arena_new();
    struct buf out = buf_in(scratch, 0);
    struct show_request rq = {
        .conf = m->conf,
        .args = m->cli->args.v,
        .n = m->cli->args.n,
        .admin = m->admin,
        .values_only = m->cli->values_only,
        .environment = (const char *const *)environ,
    };
    enum show_result result = show_print(&out, &rq);
    bool written =
        (out.n == 0 || fwrite(out.p, 1, out.n, stdout) == out.n) && fflush(stdout) == 0;
    arena_free(scratch);
    if (result == SHOW_DENIED)
        (void)fprintf(stderr, "%s: permission denied\n", m->cli->program);
    return result == SHOW_OK && written ? EXIT_SUCCESS : EXIT_FAILURE;
}
