/* Parameters of structured header bodies (RFC 2045 section 5.1, RFC 2231). The body is walked
 * once by one cursor; sections of a continued parameter may come in any order, as the RFC
 * allows. */
#include "mail/rfc2047.h"

#include "base/arena.h"
#include "base/buf.h"

struct cursor {
    struct str s;
    size_t at;
};

/* One "name*3*=value". */
struct param {
    struct str name;  /* without stars and number */
    int section;      /* -1: none */
    bool extended;    /* percent encoding, and in the first section a character set */
    struct str value; /* quotes taken off */
};

static void
skip_space(struct cursor *c)
{
    while (c->at < c->s.n && ascii_space(c->s.p[c->at]))
        c->at++;
}

/* Steps behind the next ';' outside quotes; false at the end. */
static bool
next_param(struct cursor *c)
{
    bool quoted = false;
    for (; c->at < c->s.n; c->at++) {
        char ch = c->s.p[c->at];
        if (ch == '\\' && quoted)
            c->at++;
        else if (ch == '"')
            quoted = !quoted;
        else if (ch == ';' && !quoted) {
            c->at++;
            return true;
        }
    }
    return false;
}

static struct str
read_quoted(struct arena *a, struct cursor *c)
{
    struct buf b = buf_in(a, 0);
    b.taint = c->s.taint;
    for (c->at++; c->at < c->s.n && c->s.p[c->at] != '"'; c->at++) {
        if (c->s.p[c->at] == '\\' && c->at + 1 < c->s.n)
            c->at++;
        buf_addc(&b, c->s.p[c->at]);
    }
    c->at += c->at < c->s.n ? 1 : 0;
    return buf_str(&b);
}

static struct str
read_token(struct cursor *c, const char *stop)
{
    size_t start = c->at;
    while (c->at < c->s.n && !ascii_space(c->s.p[c->at]) &&
           str_chr(str_from_cstr(stop), c->s.p[c->at], 0) == STR_NPOS)
        c->at++;
    return str_sub(c->s, start, c->at - start);
}

bool
rfc2231_split_name(struct str *name, int *section, bool *extended)
{
    *section = -1;
    *extended = name->n > 0 && name->p[name->n - 1] == '*';
    if (*extended)
        name->n--;
    size_t star = str_chr(*name, '*', 0);
    if (star == STR_NPOS)
        return true;
    struct str digits = str_sub(*name, star + 1, name->n);
    *name = str_sub(*name, 0, star);
    *section = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (!ascii_digit(digits.p[i]) || i > 2)
            return false;
        *section = *section * 10 + (digits.p[i] - '0');
    }
    return digits.n > 0 && *section < RFC2231_SECTIONS_MAX;
}

static bool
read_param(struct arena *a, struct cursor *c, struct param *p)
{
    skip_space(c);
    p->name = read_token(c, "=;\"");
    skip_space(c);
    if (c->at >= c->s.n || c->s.p[c->at] != '=')
        return false;
    c->at++;
    skip_space(c);
    p->value =
        c->at < c->s.n && c->s.p[c->at] == '"' ? read_quoted(a, c) : read_token(c, ";\"");
    return rfc2231_split_name(&p->name, &p->section, &p->extended);
}

/* The character set of charset'language'text, which is taken off. */
static struct str
cut_charset(struct str *value)
{
    size_t q1 = str_chr(*value, '\'', 0);
    size_t q2 = q1 == STR_NPOS ? q1 : str_chr(*value, '\'', q1 + 1);
    if (q2 == STR_NPOS)
        return STR_EMPTY;
    struct str charset = str_sub(*value, 0, q1);
    *value = str_sub(*value, q2 + 1, value->n);
    return charset;
}

void
rfc2231_add_percent(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && i + 2 < s.n && ascii_hex(s.p[i + 1]) >= 0 &&
            ascii_hex(s.p[i + 2]) >= 0) {
            c = (char)(ascii_hex(s.p[i + 1]) * 16 + ascii_hex(s.p[i + 2]));
            i += 2;
        }
        buf_addc(b, c == '\0' ? '?' : c);
    }
}

static struct str
join(struct arena *a, const struct param *sections, const struct charset_target *target)
{
    struct buf b = buf_in(a, 0);
    struct str charset = STR_EMPTY;
    struct str out;
    for (int i = 0; i < RFC2231_SECTIONS_MAX && str_is_set(sections[i].value); i++) {
        struct str value = sections[i].value;
        b.taint = str_taint_join(b.taint, value.taint);
        if (i == 0 && sections[i].extended)
            charset = cut_charset(&value);
        if (sections[i].extended)
            rfc2231_add_percent(&b, value);
        else
            buf_adds(&b, value);
    }
    if (charset.n == 0 || target == NULL || target->convert == NULL || target->to.n == 0 ||
        str_ieq(charset, target->to))
        return buf_str(&b);
    if (target->convert(target->ctx, a, buf_str(&b), charset, target->to, &out) != CHARSET_OK)
        return buf_str(&b);
    out.taint = str_taint_join(out.taint, b.taint);
    return out;
}

bool
rfc2231_param(struct arena *a, struct str body, struct str name,
              const struct charset_target *target, struct str *out)
{
    struct cursor c = {.s = body};
    struct param *sections = ARENA_ARRAY(a, struct param, RFC2231_SECTIONS_MAX);
    struct param plain = {0};
    while (next_param(&c)) {
        struct param p;
        if (!read_param(a, &c, &p) || !str_ieq(p.name, name))
            continue;
        struct param *slot = p.section < 0 && !p.extended ? &plain
                             : p.section < 0              ? &sections[0]
                                                          : &sections[p.section];
        if (!str_is_set(slot->value))
            *slot = p;
    }
    if (str_is_set(sections[0].value)) {
        *out = join(a, sections, target);
        return true;
    }
    *out = plain.value;
    return str_is_set(plain.value);
}
