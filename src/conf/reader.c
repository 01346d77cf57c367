/* Logical lines of a configuration.
 *
 * Source: specification, sections "Configuration file format" to "Conditional skips in the configuration
 * file". The texts of errors and the numbers of lines are those of Exim 4.96.
 */
#include "conf/reader.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/keep.h"

#include <errno.h>
#include <string.h>

enum {
    READER_BYTES_MOST = 1 << 29, /* a request cannot ask for more: lengths are 32 bits wide */
    MEMORY_FLOOR = 4 << 20,      /* however small the files */
    RUNS_MAX = 1 << 14,          /* of a logical line; what comes later has no exact place */
};

/* A file that is being read. */
struct level {
    const struct source *source;
    size_t pos;
    uint32_t line; /* of the physical line that was read last */
    bool has_nul;
};

enum branch {
    BRANCH_TAKEN,  /* the lines here count */
    BRANCH_WANTED, /* not yet: a later branch may be taken */
    BRANCH_OVER,   /* one was taken, or an outer one is not */
};

struct condition {
    enum branch branch;
    struct span at;
};

/* A physical line. */
struct physical {
    struct str text; /* without leading white space */
    uint32_t line;
    uint32_t col;
    const struct source *source;
};

struct reader {
    struct arena *arena;
    struct conf *conf;
    struct macro_table *macros;
    struct diags *diags;
    const struct source_set *given;
    bool keep_text;
    bool stop;
    bool skipping; /* some condition is not BRANCH_TAKEN */
    bool inside;   /* a logical line has begun: an empty line ends it */
    size_t bytes_left;
    size_t memory_max; /* of the arena */
    size_t files;
    size_t files_max;
    struct level level[READER_INCLUDE_DEPTH];
    size_t depth;
    VEC(struct condition) conditions;
};

/* A logical line in the making. */
struct assembly {
    struct str text;
    struct textmap_runs runs;
    const struct source *source;
    struct buf buf; /* when there are several pieces */
    size_t pieces;
    struct physical first;
};

static struct level *
top(struct reader *r)
{
    return &r->level[r->depth - 1];
}

static struct span
place_of(const struct physical *p)
{
    return (struct span){.source = p->source, .line = p->line, .col = p->col, .n = p->text.n};
}

/* A fault whose text differs from Exim's. */
static void
report(struct reader *r, struct span at, struct str text, struct str exim)
{
    diags_add(r->diags,
              &(struct diag){.level = DIAG_ERROR, .at = at, .text = text, .exim = exim});
}

void
reader_stop(struct reader *r)
{
    r->stop = true;
}

/* --- files --- */

static void
push_source(struct reader *r, struct source *s)
{
    struct level *l = &r->level[r->depth++];
    *l = (struct level){.source = s};
    l->has_nul = memchr(s->text.p, '\0', s->text.n) != NULL;
    r->bytes_left -= s->text.n;
    r->files++;
    vec_push(r->arena, &r->conf->sources, (const struct source *)s);
    if (str_starts(s->text, "\xef\xbb\xbf")) {
        l->pos = 3;
        diags_error(r->diags, (struct span){.source = s, .line = 1, .col = 1, .n = 3},
                    "found unexpected BOM (Byte Order Mark)");
    }
}

/* The path of an include: relative names belong to the directory of the file that names them. */
static struct str
include_path(struct reader *r, struct str name, const struct source *from)
{
    size_t slash = str_rchr(from->name, '/');
    if (str_starts(name, "/") || slash == STR_NPOS)
        return name;
    return str_cat(r->arena, str_sub(from->name, 0, slash + 1), name);
}

static void
include_failed(struct reader *r, struct span at, struct str path, const char *why, bool fatal)
{
    report(
        r, at, str_printf(r->arena, "cannot read included file %.*s: %s", STR_ARG(path), why),
        str_printf(r->arena, "failed to open included configuration file %.*s", STR_ARG(path)));
    r->stop |= fatal;
}

static const char no_writer[] = "nobody writes to this FIFO";

static void
include_open(struct reader *r, const struct physical *p, struct str path, bool must_exist)
{
    struct span at = place_of(p);
    if (r->depth >= READER_INCLUDE_DEPTH || r->files >= r->files_max) {
        include_failed(r, at, path, "included files are nested too deeply, or too many", true);
        return;
    }
    struct source *s;
    switch (r->given != NULL ? source_find(r->arena, r->given, path, r->bytes_left, &s)
                             : source_read(r->arena, path, r->bytes_left, NULL, &s)) {
    case SOURCE_OK:
        s->included_from = p->source;
        s->included_line = p->line;
        if (r->keep_text)
            keep_mark(r->conf, p->source->name, p->line);
        push_source(r, s);
        break;
    case SOURCE_NONE:
        if (must_exist)
            include_failed(r, at, path, "no such file", false);
        break;
    case SOURCE_DIRECTORY: /* Exim reads nothing from it and says nothing */
        diags_warn(r->diags, at, "included file %.*s is a directory: nothing is read",
                   STR_ARG(path));
        break;
    case SOURCE_TOO_BIG:
        include_failed(r, at, path, "the configuration is larger than it may be", true);
        break;
    case SOURCE_NO_WRITER:
        include_failed(r, at, path, no_writer, false);
        break;
    case SOURCE_NO_OPEN:
    case SOURCE_OWNER:
        include_failed(r, at, path, strerror(errno), false);
        break;
    }
}

/* --- physical lines --- */

/* True if a line with this first byte can matter while a condition is false: a directive, or a macro that may
 * stand for one. */
static bool
matters_when_skipping(char c)
{
    return c == '.' || c == '_' || (c >= 'A' && c <= 'Z');
}

/* The end of the innermost file. */
static void
pop_source(struct reader *r)
{
    r->depth--;
    if (r->depth > 0 && r->keep_text)
        keep_mark(r->conf, top(r)->source->name, top(r)->line);
}

static bool
refuse_nul(struct reader *r, const struct level *l, size_t start, size_t end)
{
    const char *p = l->source->text.p;
    const char *nul = memchr(p + start, '\0', end - start);
    if (nul == NULL)
        return false;
    size_t col = (size_t)(nul - (p + start)) + 1;
    diags_error(
        r->diags,
        (struct span){.source = l->source, .line = l->line, .col = (uint32_t)col, .n = 1},
        "NUL byte in the configuration file");
    return true;
}

/* The next physical line that is not a comment. False when the innermost file has ended, which is popped. */
static bool
next_in_level(struct reader *r, struct physical *out)
{
    struct level *l = top(r);
    const char *p = l->source->text.p;
    const size_t size = l->source->text.n;
    while (l->pos < size) {
        size_t start = l->pos;
        const char *nl = memchr(p + start, '\n', size - start);
        size_t end = nl != NULL ? (size_t)(nl - p) : size;
        l->pos = nl != NULL ? end + 1 : size;
        if (l->line++ == 0 && r->keep_text)
            keep_mark(r->conf, l->source->name, 1);
        size_t i = start;
        while (i < end && ascii_space(p[i]))
            i++;
        if (i == end ? !r->inside
                     : p[i] == '#' || (r->skipping && !matters_when_skipping(p[i])))
            continue;
        if (l->has_nul && refuse_nul(r, l, start, end))
            continue;
        *out = (struct physical){str_from(p + i, end - i), l->line, (uint32_t)(i - start) + 1,
                                 l->source};
        return true;
    }
    return false;
}

static bool
next_physical(struct reader *r, struct physical *out)
{
    while (r->depth > 0 && !r->stop && !diags_full(r->diags)) {
        if (next_in_level(r, out))
            return true;
        if (r->depth == 1)
            return false; /* the main file stays for the place of a last error */
        pop_source(r);
    }
    return false;
}

/* --- conditionals --- */

static void
update_skipping(struct reader *r)
{
    r->skipping =
        r->conditions.n > 0 && r->conditions.v[r->conditions.n - 1].branch != BRANCH_TAKEN;
}

static void
open_condition(struct reader *r, struct span at, bool truth)
{
    if (r->conditions.n >= READER_IF_DEPTH) {
        diags_error(r->diags, at, "conditionals are nested more than %d deep", READER_IF_DEPTH);
        r->stop = true;
        return;
    }
    struct condition c = {truth ? BRANCH_TAKEN : BRANCH_WANTED, at};
    if (r->skipping)
        c.branch = BRANCH_OVER;
    vec_push(r->arena, &r->conditions, c);
}

enum directive_kind { DIRECTIVE_IF, DIRECTIVE_ELSE, DIRECTIVE_ENDIF };

struct directive {
    const char *word;
    enum directive_kind kind;
    bool tests;    /* looks for macros in the line */
    bool negative; /* true when there is none */
};

static const struct directive directives[] = {
    {".ifdef", DIRECTIVE_IF, true, false},     {".ifndef", DIRECTIVE_IF, true, true},
    {".elifdef", DIRECTIVE_ELSE, true, false}, {".elifndef", DIRECTIVE_ELSE, true, true},
    {".else", DIRECTIVE_ELSE, false, true},    {".endif", DIRECTIVE_ENDIF, false, false},
};

static void
apply_directive(struct reader *r, const struct directive *d, struct span at, bool replaced)
{
    bool truth = (d->tests && replaced) != d->negative;
    if (d->kind == DIRECTIVE_IF) {
        open_condition(r, at, truth);
        return;
    }
    if (r->conditions.n == 0) {
        diags_error(r->diags, at, "%s without matching .ifdef", d->word);
        return;
    }
    struct condition *c = &r->conditions.v[r->conditions.n - 1];
    if (d->kind == DIRECTIVE_ENDIF)
        r->conditions.n--;
    else if (c->branch == BRANCH_TAKEN)
        c->branch = BRANCH_OVER;
    else if (c->branch == BRANCH_WANTED && truth)
        c->branch = BRANCH_TAKEN;
}

static struct str
unquote(struct str s)
{
    bool quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    return quoted ? str_sub(s, 1, s.n - 2) : s;
}

/* Handles `.include` and `.include_if_exists`; false: it is neither. */
static bool
include_line(struct reader *r, const struct physical *p)
{
    struct str rest = str_sub(p->text, sizeof ".include" - 1, p->text.n);
    if (!str_starts(p->text, ".include"))
        return false;
    bool optional = str_starts(rest, "_if_exists");
    if (optional)
        rest = str_sub(rest, sizeof "_if_exists" - 1, rest.n);
    if (rest.n == 0 || !ascii_space(rest.p[0]))
        return false;
    if (r->skipping)
        return true;
    struct str name = unquote(str_trim(rest));
    if (optional && !str_starts(name, "/"))
        diags_error(r->diags, place_of(p), ".include specifies a non-absolute path \"%.*s\"",
                    STR_ARG(name));
    else
        include_open(r, p, include_path(r, name, p->source), !optional);
    return true;
}

/* Handles a line that begins with a dot; false: it is an ordinary one. */
static bool
directive_line(struct reader *r, const struct physical *p, bool replaced)
{
    if (p->text.n == 0 || p->text.p[0] != '.')
        return false;
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        size_t n = strlen(directives[i].word);
        if (!str_starts(p->text, directives[i].word))
            continue;
        if (p->text.n > n && !ascii_space(p->text.p[n])) { /* as Exim does */
            diags_warn(r->diags, place_of(p), "white space is missing after %s: line ignored",
                       directives[i].word);
            return true;
        }
        apply_directive(r, &directives[i], place_of(p), replaced);
        update_skipping(r);
        return true;
    }
    return include_line(r, p);
}

/* --- logical lines --- */

/* Offset behind the name if the line has the form of a macro definition: the name is not replaced. */
static size_t
definition_name(struct str s)
{
    if (s.n == 0 || s.p[0] < 'A' || s.p[0] > 'Z')
        return 0;
    size_t i = 1;
    while (i < s.n && (ascii_alnum(s.p[i]) || s.p[i] == '_'))
        i++;
    size_t end = i;
    while (i < s.n && ascii_space(s.p[i]))
        i++;
    return i < s.n && s.p[i] == '=' ? end : 0;
}

/* Macros; false: a cap was reached, and reported. */
static bool
replace_macros(struct reader *r, const struct physical *p, bool first, struct macro_line *line)
{
    *line = (struct macro_line){.text = p->text};
    size_t from = first ? definition_name(p->text) : 0;
    enum macro_limit limit = macro_replace(r->macros, r->arena, line, from, p->line, p->col);
    if (limit == MACRO_FITS)
        return true;
    if (limit == MACRO_LINE_TOO_LONG) {
        diags_error(r->diags, place_of(p),
                    "line is longer than %d bytes after its macros are "
                    "replaced",
                    MACRO_LINE_MAX);
        return false;
    }
    diags_error(r->diags, place_of(p),
                "replacing macros makes more text than a configuration "
                "may have");
    r->stop = true;
    return false;
}

/* Drops n bytes at the front of a mapped text. */
static void
drop_front(struct reader *r, struct macro_line *line, uint32_t n)
{
    if (n == 0)
        return;
    struct textmap old = {.runs = line->runs.list.v, .n = (uint32_t)line->runs.list.n};
    struct textmap_runs rest = {.list = {.n = 0}};
    textmap_append(r->arena, &rest, &old, n, line->text.n - n, 0);
    line->text = str_sub(line->text, n, line->text.n);
    line->runs = rest;
}

/* Adds the runs of a piece. A piece from another file stands for one place: where that file is included, if
 * that is known, or where the line began. */
static void
add_runs(struct reader *r, struct assembly *a, const struct physical *p,
         const struct macro_line *piece)
{
    uint32_t base = a->text.n;
    if (a->runs.list.n >= RUNS_MAX)
        return;
    struct textmap_run whole = {.at = base, .line = p->line, .col = p->col};
    if (p->source != a->source) {
        whole.fixed = true;
        whole.line = a->first.line;
        whole.col = a->first.col;
        const struct source *s = p->source;
        while (s->included_from != NULL && s->included_from != a->source)
            s = s->included_from;
        if (s->included_from != NULL) {
            whole.line = s->included_line;
            whole.col = 1;
        }
    }
    if (whole.fixed || piece->runs.list.n == 0) {
        vec_push(r->arena, &a->runs.list, whole);
        return;
    }
    for (size_t i = 0; i < piece->runs.list.n; i++) {
        struct textmap_run run = piece->runs.list.v[i];
        run.at += base;
        vec_push(r->arena, &a->runs.list, run);
    }
}

static void
add_piece(struct reader *r, struct assembly *a, const struct physical *p,
          const struct macro_line *piece)
{
    if (a->pieces++ == 0) {
        a->source = p->source;
        a->first = *p;
        a->runs = piece->runs;
        a->text = piece->text;
        return;
    }
    if (a->pieces == 2) {
        struct macro_line first = {.text = a->text, .runs = a->runs};
        a->buf = buf_in(r->arena, 0);
        a->text.n = 0;
        a->runs = (struct textmap_runs){.list = {.n = 0}};
        add_runs(r, a, &a->first, &first);
        buf_adds(&a->buf, first.text);
        a->text = buf_str(&a->buf);
    }
    if (piece->text.n > 0)
        add_runs(r, a, p, piece);
    buf_adds(&a->buf, piece->text);
    a->text = buf_str(&a->buf);
}

struct mapped_line {
    struct textmap map;
    struct textmap_run run;
};

static void
finish(struct reader *r, struct assembly *a, struct conf_line *out)
{
    struct mapped_line *m = arena_alloc(r->arena, sizeof *m);
    m->run = (struct textmap_run){.line = a->first.line, .col = a->first.col};
    m->map = (struct textmap){a->source, &m->run, 1, top(r)->line};
    if (a->runs.list.n > 0) {
        m->map.runs = a->runs.list.v;
        m->map.n = (uint32_t)a->runs.list.n;
    }
    *out = (struct conf_line){a->text, &m->map, top(r)->line};
    if (r->keep_text)
        keep_line(r->conf, a->text);
}

static uint32_t
trimmed_length(struct str s)
{
    uint32_t n = s.n;
    while (n > 0 && ascii_space(s.p[n - 1]))
        n--;
    return n;
}

/* Takes one physical line into the assembly. True: the logical line is complete. */
static bool
take(struct reader *r, struct assembly *a, struct physical *p)
{
    struct macro_line line;
    if (!replace_macros(r, p, a->pieces == 0, &line))
        return false;
    if (line.replaced) {
        drop_front(r, &line, line.text.n - str_trim_left(line.text).n);
        p->text = line.text;
        if (line.text.n > 0 && line.text.p[0] == '#')
            return false;
    }
    if (directive_line(r, p, line.replaced) || r->skipping)
        return false;
    line.text.n = trimmed_length(line.text);
    if (line.text.n == 0) {
        r->inside = false;
        return a->pieces > 0;
    }
    bool more = line.text.p[line.text.n - 1] == '\\';
    if (more)
        line.text.n--;
    add_piece(r, a, p, &line);
    r->inside = more;
    return !more;
}

static void
report_open_condition(struct reader *r)
{
    const struct level *l = top(r);
    static const char text[] = "Unexpected end of configuration file: .endif missing";
    struct span at = r->conditions.v[r->conditions.n - 1].at;
    diags_add(r->diags, &(struct diag){
                            .level = DIAG_ERROR,
                            .at = at,
                            .text = STR_LIT("this conditional has no .endif"),
                            .exim = str_from_cstr(text),
                            .exim_place = str_printf(r->arena, " in line %u of %.*s", l->line,
                                                     STR_ARG(l->source->name)),
                        });
    r->conditions.n = 0;
}

/* Small lines need many times their length: lists, instances, maps. */
static void
check_memory(struct reader *r)
{
    if (arena_used(r->arena) <= r->memory_max)
        return;
    const struct level *l = top(r);
    diags_error(r->diags, (struct span){.source = l->source, .line = l->line},
                "the configuration needs too much memory");
    r->stop = true;
}

bool
reader_next(struct reader *r, struct conf_line *out)
{
    for (;;) {
        check_memory(r);
        struct assembly a = {.pieces = 0};
        struct physical p;
        bool more;
        while ((more = next_physical(r, &p)))
            if (take(r, &a, &p))
                break;
        if (r->stop)
            return false;
        a.text.n = trimmed_length(a.text);
        if (a.text.n > 0) {
            finish(r, &a, out);
            return true;
        }
        if (more)
            continue;
        if (r->conditions.n > 0 && !diags_full(r->diags))
            report_open_condition(r);
        return false;
    }
}

/* --- opening --- */

static bool
open_failed(struct reader *r, const char *name, enum source_result result)
{
    struct span nowhere = {.source = NULL};
    if (result == SOURCE_OWNER)
        diags_error(r->diags, nowhere,
                    "Exim configuration file %s has the wrong owner, group, or mode", name);
    else if (result == SOURCE_TOO_BIG)
        diags_error(r->diags, nowhere, "configuration file %s is larger than %zu bytes", name,
                    r->bytes_left);
    else
        diags_error(r->diags, nowhere, "failed to open configuration file %s: %s", name,
                    result == SOURCE_DIRECTORY   ? "is a directory"
                    : result == SOURCE_NO_WRITER ? no_writer
                                                 : strerror(errno));
    return false;
}

static bool
open_main(struct reader *r, const struct conf_request *rq)
{
    if (rq->source != NULL && rq->source->text.n <= r->bytes_left) {
        push_source(r, rq->source);
        r->conf->file = rq->source->name;
        return true;
    }
    for (size_t i = 0; i < rq->files_n; i++) {
        struct source *s;
        struct str name = str_from_cstr(rq->files[i]);
        enum source_result result = source_read(r->arena, name, r->bytes_left, &rq->owner, &s);
        if (result == SOURCE_NONE)
            continue;
        if (result != SOURCE_OK)
            return open_failed(r, rq->files[i], result);
        push_source(r, s);
        r->conf->file = name;
        return true;
    }
    struct buf names = buf_in(r->arena, 0);
    for (size_t i = 0; i < rq->files_n; i++)
        buf_printf(&names, "%s%s", i > 0 ? ":" : "", rq->files[i]);
    diags_error(r->diags, (struct span){.source = NULL},
                "non-existent configuration file(s): %.*s", STR_ARG(buf_str(&names)));
    return false;
}

struct reader *
reader_new(struct conf *c, const struct conf_request *rq, struct macro_table *macros,
           struct diags *diags)
{
    struct reader *r = ARENA_NEW(c->arena, struct reader);
    r->arena = c->arena;
    r->conf = c;
    r->macros = macros;
    r->diags = diags;
    r->given = rq->given;
    r->keep_text = rq->keep_text;
    r->bytes_left = rq->max_bytes != 0 ? rq->max_bytes : READER_BYTES;
    if (r->bytes_left > READER_BYTES_MOST)
        r->bytes_left = READER_BYTES_MOST;
    r->files_max = rq->max_files != 0 ? rq->max_files : READER_FILES;
    r->memory_max = arena_used(c->arena) + MEMORY_FLOOR + READER_MEMORY * r->bytes_left;
    return open_main(r, rq) ? r : NULL;
}
