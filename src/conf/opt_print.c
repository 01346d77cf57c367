/* Options as -bP prints them, in all its forms. */
#include "conf/opt.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/user.h"

enum { UNIT_STEP = 1024 };

static const char not_displayable[] = "<value not displayable>";

void
opt_print_text(struct buf *out, struct str text)
{
    static const char named[] = "\n\r\t";
    static const char letters[] = "nrt";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (ascii_print(c)) {
            buf_addc(out, c);
            continue;
        }
        size_t k = 0;
        while (named[k] != '\0' && named[k] != c)
            k++;
        if (named[k] != '\0')
            buf_printf(out, "\\%c", letters[k]);
        else
            buf_printf(out, "\\%03o", (unsigned)(unsigned char)c);
    }
}

void
opt_print_time(struct buf *out, int64_t seconds)
{
    static const struct {
        char letter;
        int32_t unit;
    } units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    if (seconds <= 0)
        buf_addz(out, "0s");
    for (size_t i = 0; i < sizeof units / sizeof units[0] && seconds > 0; i++) {
        if (seconds >= units[i].unit)
            buf_printf(out, "%lld%c", (long long)(seconds / units[i].unit), units[i].letter);
        seconds %= units[i].unit;
    }
}

/* With the largest of `letters` that divides v. */
static void
print_scaled(struct buf *out, int64_t v, const char *letters)
{
    const char *unit = "";
    while (v != 0 && v % UNIT_STEP == 0 && *letters != '\0') {
        v /= UNIT_STEP;
        unit = letters++;
    }
    buf_printf(out, "%lld%.1s", (long long)v, unit);
}

static void
print_ksize(struct buf *out, int64_t v)
{
    static const char letters[] = "KMGT";
    size_t unit = 0;
    while (v != 0 && v % UNIT_STEP == 0 && letters[unit + 1] != '\0') {
        v /= UNIT_STEP;
        unit++;
    }
    buf_printf(out, v == 0 ? "%lld" : "%lld%c", (long long)v, letters[unit]);
}

static void
print_fixed(struct buf *out, int64_t v)
{
    int64_t fraction = v % 1000;
    int digits = 3;
    while (digits > 1 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    buf_printf(out, " %lld.%0*lld", (long long)(v / 1000), digits, (long long)fraction);
}

static void
print_times(struct buf *out, const struct opt_times *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (i > 0)
            buf_addc(out, ':');
        opt_print_time(out, t->v[i]);
    }
}

static void
print_id(struct buf *out, int64_t id, bool group)
{
    struct str name = group ? user_group_name(out->arena, id) : user_name(out->arena, id);
    if (str_is_set(name))
        buf_adds(out, name);
    else
        buf_printf(out, "%lld", (long long)id);
}

static void
print_one_id(struct buf *out, const struct opt_id *id, bool group)
{
    if (str_is_set(id->text.text))
        opt_print_text(out, id->text.text);
    else if (id->set)
        print_id(out, id->id, group);
}

static void
print_ids(struct buf *out, const struct opt_ids *ids, bool group)
{
    for (uint32_t i = 0; i < ids->n; i++) {
        buf_addc(out, i == 0 ? ' ' : ':');
        print_id(out, ids->v[i], group);
    }
}

static void
print_number(struct buf *out, const struct opt *o, const void *field)
{
    int64_t n = *(const int64_t *)field;
    if (o->type == OPT_T_INT)
        buf_printf(out, "%lld", (long long)n);
    else if (o->type == OPT_T_OCTAL)
        buf_printf(out, "%#o", (unsigned)n);
    else if (o->type == OPT_T_SIZE)
        print_scaled(out, n, "KM");
    else if (o->type == OPT_T_KSIZE)
        print_ksize(out, n);
    else if (o->type == OPT_T_TIME)
        opt_print_time(out, n);
    else if (n >= 0)
        print_fixed(out, n);
}

static void
print_text(struct buf *out, const struct opt *o, const void *field)
{
    if (o->type == OPT_T_STR)
        opt_print_text(out, *(const struct str *)field);
    else if (o->type == OPT_T_XBOOL)
        opt_print_text(out, ((const struct opt_xbool *)field)->text.text);
    else
        opt_print_text(out, ((const struct xstr *)field)->text);
}

static void
print_xtime(struct buf *out, const struct opt *o, const void *field)
{
    const struct opt_xtime *x = field;
    (void)o;
    if (str_is_set(x->text.text))
        opt_print_text(out, x->text.text);
    else
        opt_print_time(out, x->s);
}

static void
print_names(struct buf *out, const struct opt *o, const void *field)
{
    if (o->type == OPT_T_UIDS || o->type == OPT_T_GIDS)
        print_ids(out, field, o->type == OPT_T_GIDS);
    else
        print_one_id(out, field, o->type == OPT_T_GID || o->type == OPT_T_XGID);
}

static void
print_time_list(struct buf *out, const struct opt *o, const void *field)
{
    (void)o;
    print_times(out, field);
}

/* The value after "name =", with the space before it where Exim has one. Switches are printed by name. */
static void
print_value(struct buf *out, const struct opt *o, const void *field)
{
    static void (*const printers[])(struct buf *, const struct opt *, const void *) = {
        [OPT_T_INT] = print_number,          [OPT_T_SIZE] = print_number,
        [OPT_T_KSIZE] = print_number,        [OPT_T_OCTAL] = print_number,
        [OPT_T_FIXED] = print_number,        [OPT_T_TIME] = print_number,
        [OPT_T_TIME_LIST] = print_time_list, [OPT_T_STR] = print_text,
        [OPT_T_XSTR] = print_text,           [OPT_T_LIST] = print_text,
        [OPT_T_DOMAINS] = print_text,        [OPT_T_HOSTS] = print_text,
        [OPT_T_ADDRESSES] = print_text,      [OPT_T_LOCALPARTS] = print_text,
        [OPT_T_REWRITE] = print_text,        [OPT_T_XBOOL] = print_text,
        [OPT_T_XTIME] = print_xtime,         [OPT_T_UID] = print_names,
        [OPT_T_XUID] = print_names,          [OPT_T_GID] = print_names,
        [OPT_T_XGID] = print_names,          [OPT_T_UIDS] = print_names,
        [OPT_T_GIDS] = print_names,
    };
    if (o->type != OPT_T_FIXED && o->type != OPT_T_UIDS && o->type != OPT_T_GIDS)
        buf_addc(out, ' ');
    void (*print)(struct buf *, const struct opt *, const void *) =
        o->type == OPT_T_FUNCTION                                ? o->print
        : (size_t)o->type < sizeof printers / sizeof printers[0] ? printers[o->type]
                                                                 : NULL;
    if (print != NULL)
        print(out, o, field);
}

/* True for a switch that is shown as `name` or `no_name`; *on is how it stands. */
static bool
is_switch(const struct opt *o, const void *field, bool *on)
{
    if (o->type == OPT_T_BOOL || o->type == OPT_T_BOOL_VERIFY) {
        *on = *(const bool *)field;
        return true;
    }
    if (o->type != OPT_T_XBOOL)
        return false;
    const struct opt_xbool *x = field;
    *on = x->on;
    return !str_is_set(x->text.text);
}

void
opt_print(struct buf *out, const struct opt_set *s, int row, bool show_secret,
          enum opt_show how)
{
    const struct opt *o = &s->table->rows[row];
    const void *field = (const char *)s->fields + o->offset;
    bool on;
    if (!show_secret && opt_is_hidden(s, row)) {
        if (how == OPT_SHOW_FULL)
            buf_printf(out, "%.*s = ", STR_ARG(o->name));
        buf_printf(out, "%s\n", not_displayable);
        return;
    }
    if (is_switch(o, field, &on)) {
        buf_printf(out, "%s%.*s\n", on ? "" : "no_", STR_ARG(o->name));
        return;
    }
    struct buf value = buf_in(out->arena, 0);
    print_value(&value, o, field);
    struct str text = buf_str(&value);
    if (how == OPT_SHOW_FULL)
        buf_printf(out, "%.*s =", STR_ARG(o->name));
    else if (text.n > 0)
        text = str_sub(text, 1, text.n);
    buf_adds(out, text);
    buf_addc(out, '\n');
}

void
opt_print_all(struct buf *out, const struct opt_set *s, bool show_secret, enum opt_show how)
{
    for (size_t i = 0; i < s->table->n; i++) {
        unsigned flags = s->table->rows[i].flags;
        if ((flags & (OPT_HIDDEN | OPT_MODULE)) == 0 &&
            s->table->rows[i].type != OPT_T_BOOL_VERIFY)
            opt_print(out, s, (int)i, show_secret, how);
    }
}
