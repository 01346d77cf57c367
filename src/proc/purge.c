/* What a process may know of the configuration; see purge.h. */
#include "proc/purge.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "conf/conf.h"

#include <string.h>

enum {
    SMTP = IPC_KIND_SMTP,
    QUEUE = IPC_KIND_QUEUE,
    DELIVER = IPC_KIND_DELIVER,
    AGENT =
        IPC_KIND_AGENT, /* and the processes that become users, which evaluate routers and transports */
    INSPECT = IPC_KIND_INSPECT,
};

/* --- the rules --- */

/* Options whose name begins like that are known to these kinds. The first row that fits decides. */
static const struct rule {
    const char *what; /* of the section */
    const char *prefix;
    unsigned known;
    bool calls; /* and to smtp where it calls other hosts */
} rules[] = {
    {"authenticator", "server_", SMTP, false},
    {"authenticator", "client_", DELIVER, true},
    {"transport", "dkim_private_key", DELIVER, false},
    {"transport", "arc_sign", DELIVER, false}, /* the key may be in it */
    {"transport", "tls_privatekey", DELIVER, true},
    {"transport", "tls_certificate", DELIVER, true}, /* the key may be in the same file */
    {"main", "tls_privatekey", SMTP, false},
    {"main", "tls_certificate", SMTP, false}, /* likewise */
    {"main", "mysql_servers", SMTP | DELIVER | AGENT, false},
    {"main", "pgsql_servers", SMTP | DELIVER | AGENT, false},
    {"main", "redis_servers", SMTP | DELIVER | AGENT, false},
    {"main", "oracle_servers", SMTP | DELIVER | AGENT, false},
    {"main", "ldap_default_servers", SMTP | DELIVER | AGENT, false},
};

/* What `hide` stands before is known to all but the queue process, which needs these all the same. */
static const char *const queue_needs[] = {
    "spool_",   "log_",      "syslog_", "process_log_", "queue_",
    "exim_",    "timezone",  "split_",  "primary_",     "localhost_",
    "deliver_", "fast_lane", "check_",  "smtp_etrn_",   "keep_environment"};

struct file {
    const struct source *source;
    size_t lines;
    size_t *at;  /* where each line begins, and the end */
    char *state; /* enum line_state of each */
};

enum line_state { LINE_KEPT, LINE_GONE, LINE_NAME_ONLY };

struct purge {
    struct arena *arena;
    unsigned kind;
    bool calls_out; /* the configuration has callouts or cutthrough deliveries */
    struct file *files;
    size_t n;
    VEC(struct str) gone; /* names of macros */
};

static bool
is_known(const struct purge *p, const char *what, struct str name, bool hidden)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (strcmp(r->what, what) != 0 || !str_starts(name, r->prefix))
            continue;
        bool calls = p->calls_out && r->calls;
        return ((r->known | (calls ? (unsigned)SMTP : 0u)) & p->kind) != 0;
    }
    if (p->kind == INSPECT)
        return !hidden;
    if (!hidden || p->kind != QUEUE)
        return true;
    for (size_t i = 0; i < sizeof queue_needs / sizeof queue_needs[0]; i++)
        if (str_starts(name, queue_needs[i]))
            return true;
    return false;
}

/* --- lines --- */

static struct str
line_of(const struct file *f, size_t i)
{
    return str_sub(f->source->text, f->at[i], f->at[i + 1] - f->at[i]);
}

static void
set_file(struct arena *a, struct file *f, const struct source *s)
{
    VEC(size_t) at = {NULL, 0, 0};
    f->source = s;
    for (size_t i = 0; i < s->text.n;) {
        vec_push(a, &at, i);
        size_t end = str_chr(s->text, '\n', i);
        i = end == STR_NPOS ? s->text.n : end + 1;
    }
    f->lines = at.n;
    vec_push(a, &at, (size_t)s->text.n);
    f->at = at.v;
    f->state = arena_zalloc(a, f->lines + 1, 1);
    for (size_t i = 0; i < f->lines; i++)
        if (str_starts(str_trim(line_of(f, i)), "#"))
            f->state[i] = LINE_GONE;
}

/* The logical line at a place; of an option that has to be known to be set, all but its name. */
static void
drop(struct purge *p, struct span at, enum line_state first)
{
    size_t last = at.last_line > at.line ? at.last_line : at.line;
    for (size_t k = 0; k < p->n; k++) {
        struct file *f = &p->files[k];
        if (at.source == NULL || !str_eq(f->source->name, at.source->name))
            continue;
        for (size_t i = at.line; i > 0 && i <= last && i <= f->lines; i++)
            f->state[i - 1] = i == at.line ? (char)first : LINE_GONE;
    }
}

static void
drop_options(struct purge *p, const char *what, const struct opt_set *s)
{
    for (size_t i = 0; i < s->places.n; i++) {
        const struct opt_place *o = &s->places.v[i];
        struct str name = s->table->rows[o->row].name;
        if (!is_known(p, what, name, opt_is_hidden(s, o->row)))
            drop(p, o->at, str_eqz(name, "arc_sign") ? LINE_NAME_ONLY : LINE_GONE);
    }
}

static void
drop_drivers(struct purge *p, struct driver_instance *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        drop_options(p, v[i]->cls->what, &v[i]->generic);
        drop_options(p, v[i]->cls->what, &v[i]->own);
    }
}

static void
drop_lists(struct purge *p, const struct conf *c)
{
    for (size_t k = 0; k < sizeof c->lists / sizeof c->lists[0]; k++)
        for (size_t i = 0; c->lists[k] != NULL && i < map_count(c->lists[k]); i++) {
            const struct named_list *l = map_at(c->lists[k], i)->value;
            if (l->hide && (p->kind == QUEUE || p->kind == INSPECT))
                drop(p, l->where, LINE_GONE);
        }
}

/* --- macros --- */

/* NAME = or NAME ==. */
static bool
defines(struct str line, struct str name)
{
    struct str s = str_trim(line);
    if (s.n <= name.n || !str_eq(str_sub(s, 0, name.n), name))
        return false;
    return str_starts(str_trim(str_sub(s, name.n, s.n)), "=");
}

/* In a line that is still there, conditions aside: these only ask whether there is such a macro. */
static bool
is_used(const struct purge *p, struct str name)
{
    for (size_t k = 0; k < p->n; k++) {
        const struct file *f = &p->files[k];
        size_t line = 0;
        for (size_t at = 0; (at = str_find(f->source->text, name, at)) != STR_NPOS; at++) {
            while (line + 1 < f->lines && f->at[line + 1] <= at)
                line++;
            struct str text = line_of(f, line);
            if (f->state[line] == LINE_KEPT && !str_starts(str_trim(text), ".if") &&
                !defines(text, name))
                return true;
        }
    }
    return false;
}

static bool
goes_on(struct str line)
{
    struct str s = str_trim(line);
    return s.n > 0 && s.p[s.n - 1] == '\\';
}

static void
drop_macro(struct purge *p, struct str name)
{
    vec_push(p->arena, &p->gone, name);
    for (size_t k = 0; k < p->n; k++) {
        struct file *f = &p->files[k];
        for (size_t i = 0; i < f->lines; i++) {
            if (f->state[i] != LINE_KEPT || !defines(line_of(f, i), name))
                continue;
            f->state[i] = LINE_NAME_ONLY;
            while (i + 1 < f->lines && (goes_on(line_of(f, i)) || f->state[i + 1] == LINE_GONE))
                f->state[++i] = LINE_GONE;
        }
    }
}

static bool
is_gone(const struct purge *p, struct str name)
{
    for (size_t i = 0; i < p->gone.n; i++)
        if (str_eq(p->gone.v[i], name))
            return true;
    return false;
}

/* Until no more become useless by the loss of others. */
static void
drop_macros(struct purge *p, const struct conf *c)
{
    size_t before;
    do {
        before = p->gone.n;
        for (size_t i = 0; i < c->macros.n; i++) {
            const struct macro *m = c->macros.v[i];
            if (!m->builtin && !is_gone(p, m->name) && !is_used(p, m->name))
                drop_macro(p, m->name);
        }
    } while (p->gone.n > before);
}

/* --- from outside --- */

struct purge *
purge_new(struct arena *a, const struct conf *c, enum ipc_kind kind)
{
    struct purge *p = ARENA_NEW(a, struct purge);
    p->arena = a;
    p->kind = kind;
    p->n = c->sources.n;
    p->files = ARENA_ARRAY(a, struct file, p->n);
    for (size_t i = 0; i < p->n; i++) {
        set_file(a, &p->files[i], c->sources.v[i]);
        struct str text = c->sources.v[i]->text;
        p->calls_out |= str_find(text, STR_LIT("callout"), 0) != STR_NPOS ||
                        str_find(text, STR_LIT("cutthrough"), 0) != STR_NPOS;
    }
    drop_options(p, "main", &c->main_set);
    drop_lists(p, c);
    drop_drivers(p, c->routers.v, c->routers.n);
    drop_drivers(p, c->transports.v, c->transports.n);
    drop_drivers(p, c->auths.v, c->auths.n);
    drop_macros(p, c);
    return p;
}

struct str
purge_text(struct purge *p, size_t i)
{
    const struct file *f = &p->files[i];
    struct buf b = buf_in(p->arena, 0);
    for (size_t k = 0; k < f->lines; k++) {
        struct str line = line_of(f, k);
        if (f->state[k] == LINE_KEPT) {
            buf_adds(&b, line);
            continue;
        }
        if (f->state[k] == LINE_NAME_ONLY)
            buf_adds(&b, str_sub(line, 0, str_chr(line, '=', 0)));
        buf_addc(&b, f->state[k] == LINE_NAME_ONLY ? '=' : '#');
        if (line.p[line.n - 1] == '\n')
            buf_addc(&b, '\n');
    }
    return buf_str(&b);
}

struct str
purge_argument(struct purge *p, struct str word)
{
    size_t equals = str_chr(word, '=', 0);
    if (!str_starts(word, "-D") || equals == STR_NPOS ||
        !is_gone(p, str_trim(str_sub(word, 2, equals - 2))))
        return word;
    return str_sub(word, 0, equals + 1);
}
