/* New DKIM signatures; see dkim_make.h. */
#include "mail/dkim_make.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/map.h"
#include "base/strlist.h"

bool
dkim_make_is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == ';' || text.p[i] == 0x7f)
            return false;
    return true;
}

/* --- what is signed --- */

/* A name of the list. */
struct wanted {
    struct str name;
    size_t left; /* mentions that stand for no line yet */
    bool all;    /* "=" or "+": every line of it */
};

struct choice {
    struct arena *arena;
    struct map *names;             /* name -> struct wanted * */
    VEC(struct wanted *) mentions; /* in the order of the list */
    struct buf shown;
    struct dkim_signed *out;
};

static void
show(struct choice *c, struct str name)
{
    if (c->shown.n > 0)
        buf_addc(&c->shown, ':');
    buf_adds(&c->shown, name);
}

/* What could not stand in h= names no field. */
static bool
is_field_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] == 0x7f || name.p[i] == ':' || name.p[i] == ';')
            return false;
    return name.n > 0;
}

static void
mention(struct choice *c, struct str item)
{
    bool all = item.p[0] == '=', over = item.p[0] == '+';
    struct str name = str_trim(str_sub(item, all || over, item.n));
    if (!is_field_name(name))
        return;
    struct wanted *w = map_get(c->names, name);
    if (w == NULL) {
        w = ARENA_NEW(c->arena, struct wanted);
        w->name = name;
        map_set(c->names, name, w);
    }
    w->all = w->all || all || over;
    if (all)
        return;
    w->left++;
    vec_push(c->arena, &c->mentions, w);
}

static bool
read_list(struct choice *c, struct str list)
{
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    for (size_t n = 0; strlist_split_next(&s, c->arena, &item); n++) {
        if (n == DKIM_NAMES_MAX)
            return false;
        if (item.n > 0)
            mention(c, item);
    }
    return true;
}

static void
take_line(struct choice *c, const struct header *h)
{
    struct wanted *w = map_get(c->names, header_name(h));
    if (w == NULL || (!w->all && w->left == 0))
        return;
    if (!w->all)
        w->left--;
    show(c, header_name(h));
    vec_push(c->arena, &c->out->lines, h->text);
}

bool
dkim_make_choose(struct arena *a, const struct header_list *l, struct str list,
                 struct dkim_signed *out)
{
    struct choice c = {
        .arena = a, .names = map_new(a, MAP_CASELESS), .shown = buf_in(a, 0), .out = out};
    *out = (struct dkim_signed){.names = STR_EMPTY};
    if (!read_list(&c, list))
        return false;
    for (size_t i = l->n; i > 0; i--)
        if (l->v[i - 1].type != HEADER_TYPE_DELETED)
            take_line(&c, &l->v[i - 1]);
    /* What is left of a name comes behind: that many fields of it are missing. */
    for (size_t i = 0; i < c.mentions.n; i++) {
        struct wanted *w = c.mentions.v[i];
        if (w->left == 0)
            continue;
        w->left--;
        show(&c, w->name);
    }
    out->names = buf_str(&c.shown);
    return true;
}

/* --- the line --- */

struct folder {
    struct buf text;
    size_t column;
};

static void
fold(struct folder *f)
{
    buf_addz(&f->text, "\r\n\t");
    f->column = 1;
}

/* A text that stays in one piece. */
static void
add_piece(struct folder *f, struct str s)
{
    if (f->column + s.n > DKIM_FOLD_AT && f->column > 1)
        fold(f);
    buf_adds(&f->text, s);
    f->column += s.n;
}

/* A blank if what follows it fits behind it, else a new line. */
static void
add_gap(struct folder *f, size_t n)
{
    if (f->column + 1 + n > DKIM_FOLD_AT) {
        fold(f);
        return;
    }
    buf_addc(&f->text, ' ');
    f->column++;
}

static void
add_tag(struct folder *f, const char *name, struct str value)
{
    size_t n = strlen(name) + 1;
    add_gap(f, n + value.n);
    buf_printf(&f->text, "%s=", name);
    buf_adds(&f->text, value);
    f->column += n + value.n;
    add_piece(f, STR_LIT(";"));
}

/* Names may be parted at their colons. */
static void
add_names(struct folder *f, struct str names)
{
    size_t at = 0, end = str_chr(names, ':', 0);
    if (end == STR_NPOS)
        end = names.n;
    add_gap(f, 2 + end);
    buf_addz(&f->text, "h=");
    f->column += 2;
    for (;;) {
        add_piece(f, str_sub(names, at, end - at));
        if (end == names.n)
            break;
        add_piece(f, STR_LIT(":"));
        at = end + 1;
        end = str_chr(names, ':', at);
        if (end == STR_NPOS)
            end = names.n;
    }
    add_piece(f, STR_LIT(";"));
}

/* Base 64 may be parted anywhere. */
static void
add_base64(struct folder *f, struct str text)
{
    for (size_t at = 0; at < text.n;) {
        if (f->column >= DKIM_FOLD_AT)
            fold(f);
        struct str piece = str_sub(text, at, DKIM_FOLD_AT - f->column);
        buf_adds(&f->text, piece);
        f->column += piece.n;
        at += piece.n;
    }
}

/* On one line if it fits there. */
static void
add_body_hash(struct folder *f, struct str text)
{
    size_t whole = strlen("bh=") + text.n;
    add_gap(f, whole < DKIM_FOLD_AT ? whole : strlen("bh="));
    buf_addz(&f->text, "bh=");
    f->column += strlen("bh=");
    add_base64(f, text);
    add_piece(f, STR_LIT(";"));
}

static void
add_number(struct folder *f, struct arena *a, const char *name, int64_t n)
{
    if (n >= 0)
        add_tag(f, name, str_printf(a, "%lld", (long long)n));
}

struct str
dkim_make_line(struct arena *a, const struct dkim_making *m, uint32_t *from, uint32_t *until)
{
    struct folder f = {.text = buf_in(a, 0)};
    struct str canon = dkim_canon_name(m->canon);
    buf_addz(&f.text, "DKIM-Signature: v=1;");
    f.column = f.text.n;
    add_tag(&f, "a", dkim_algorithm_name(m->type, m->hash));
    add_tag(&f, "q", STR_LIT("dns/txt"));
    add_tag(&f, "c", str_printf(a, "%.*s/%.*s", STR_ARG(canon), STR_ARG(canon)));
    add_tag(&f, "d", m->domain);
    add_tag(&f, "s", m->selector);
    add_names(&f, m->names);
    add_body_hash(&f, base64_encode(a, m->body_hash));
    if (m->identity.n > 0)
        add_tag(&f, "i", m->identity);
    add_number(&f, a, "t", m->created);
    add_number(&f, a, "x", m->expires);
    add_gap(&f, 2);
    buf_addz(&f.text, "b=");
    f.column += 2;
    *from = (uint32_t)f.text.n;
    add_base64(&f, base64_encode(a, m->signature));
    if (f.column >= DKIM_FOLD_AT)
        fold(&f);
    *until = (uint32_t)f.text.n;
    buf_addz(&f.text, ";\r\n");
    return buf_str(&f.text);
}
