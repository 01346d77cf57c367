/* ${extract: a field by name, by number, or from JSON.
 *
 * The front end has told the kinds apart by the key, since the number of arguments depends on it.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/json.h"

#include <string.h>

/* --- by number --- */

struct separators {
    bool is[256];
};

/* White space, a minus, digits, white space; it wraps at 32 bits as in the reference. False: not a number. */
static bool
field_number(struct str key, int32_t *out)
{
    struct str t = str_trim(key);
    uint32_t i = t.n > 0 && t.p[0] == '-' ? 1 : 0;
    uint32_t n = 0;
    for (uint32_t k = i; k < t.n; k++) {
        if (!ascii_digit(t.p[k]))
            return false;
        n = n * 10 + (uint32_t)(t.p[k] - '0');
    }
    *out = (int32_t)(i > 0 ? 0 - n : n);
    return true;
}

static bool
field_forward(struct str s, const struct separators *sep, int64_t n, struct str *out)
{
    size_t from = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && !sep->is[(unsigned char)s.p[i]])
            continue;
        if (--n == 0) {
            *out = str_sub(s, from, i - from);
            return true;
        }
        from = i + 1;
    }
    return false;
}

static bool
field_backward(struct str s, const struct separators *sep, int64_t n, struct str *out)
{
    size_t end = s.n;
    for (size_t i = s.n + 1; i > 0; i--) {
        if (i > 1 && !sep->is[(unsigned char)s.p[i - 2]])
            continue;
        if (--n == 0) {
            *out = str_sub(s, i - 1, end - (i - 1));
            return true;
        }
        end = i - 2;
    }
    return false;
}

/* Field n, counted from 1, where one byte separates. */
static bool
field_between(struct str s, char sep, int64_t n, struct str *out)
{
    size_t from = 0;
    for (;;) {
        size_t end = str_chr(s, sep, from);
        if (--n == 0) {
            *out = str_sub(s, from, (end == STR_NPOS ? s.n : end) - from);
            return true;
        }
        if (end == STR_NPOS)
            return false;
        from = end + 1;
    }
}

static bool
field_among(struct str s, struct str separators, int64_t n, struct str *out)
{
    struct separators sep = {{false}};
    for (uint32_t i = 0; i < separators.n; i++)
        sep.is[(unsigned char)separators.p[i]] = true;
    return n > 0 ? field_forward(s, &sep, n, out) : field_backward(s, &sep, -n, out);
}

static enum vm_status
by_number(const struct str *argv, struct str *out)
{
    int32_t n;
    if (!field_number(argv[1], &n))
        return VM_NO;
    *out = argv[3];
    if (n == 0)
        return VM_OK;
    bool found = n > 0 && argv[2].n == 1 ? field_between(argv[3], argv[2].p[0], n, out)
                                         : field_among(argv[3], argv[2], n, out);
    if (!found)
        *out = STR_EMPTY;
    return found ? VM_OK : VM_NO;
}

/* --- by name --- */

/* Octal digits or x and hexadecimal digits after a backslash; *i is left on the last byte used. */
static char
escaped_number(struct str s, uint32_t *i)
{
    unsigned c = 0;
    bool is_hex = s.p[*i] == 'x';
    uint32_t k = is_hex ? *i + 1 : *i;
    uint32_t last = k + (is_hex ? 2 : 3);
    for (; k < last && k < s.n; k++) {
        int digit = ascii_hex(s.p[k]);
        if (digit < 0 || (!is_hex && digit > 7))
            break;
        c = c * (is_hex ? 16 : 8) + (unsigned)digit;
    }
    *i = k - 1;
    return (char)c;
}

/* Specification, "Expansion of literals in quoted strings": the byte for the escape at s[*i]. */
static char
unescape(struct str s, uint32_t *i)
{
    static const char names[] = "b\bf\fn\nr\rt\tv\v";
    char c = s.p[*i];
    if (c == 'x' || (c >= '0' && c <= '7'))
        return escaped_number(s, i);
    for (size_t k = 0; k + 1 < sizeof names; k += 2) {
        if (names[k] == c)
            return names[k + 1];
    }
    return c;
}

/* Takes a value in quotes from *s; without an escape, or when it is not wanted, it is a part of the text. */
static struct str
take_quoted(struct vm *vm, struct str *s, bool wanted)
{
    uint32_t i = 1;
    bool plain = true;
    while (i < s->n && s->p[i] != '"') {
        plain = plain && s->p[i] != '\\';
        i += s->p[i] == '\\' ? 2 : 1;
    }
    uint32_t end = i < s->n ? i : s->n;
    struct str raw = str_sub(*s, 1, end - 1);
    *s = str_sub(*s, (size_t)end + 1, s->n);
    if (plain || !wanted)
        return raw;
    struct buf b = buf_in(vm_scratch(vm), 0);
    b.taint = raw.taint;
    for (i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\' && i + 1 < raw.n) {
            i++;
            buf_addc(&b, unescape(raw, &i));
        } else {
            buf_addc(&b, raw.p[i]);
        }
    }
    return buf_str(&b);
}

/* The end of the word that starts at i. */
static uint32_t
word_end(struct str s, uint32_t i, bool equals_ends)
{
    /* above the equals sign are the letters, and neither it nor white space */
    while (i < s.n && ((unsigned char)s.p[i] > '=' ||
                       (!ascii_space(s.p[i]) && !(equals_ends && s.p[i] == '='))))
        i++;
    return i;
}

static uint32_t
space_end(struct str s, uint32_t i)
{
    while (i < s.n && ascii_space(s.p[i]))
        i++;
    return i;
}

/* name = value name value …; the equals sign and the spaces round it are optional. */
static enum vm_status
by_name(struct vm *vm, struct str key, struct str s, struct str *out)
{
    uint32_t i = space_end(s, 0);
    while (i < s.n) {
        uint32_t end = word_end(s, i, true);
        bool wanted = end - i == key.n && str_ieq(str_sub(s, i, key.n), key);
        i = space_end(s, end);
        if (i < s.n && s.p[i] == '=')
            i = space_end(s, i + 1);
        if (i < s.n && s.p[i] == '"') {
            struct str rest = str_sub(s, i, s.n);
            *out = take_quoted(vm, &rest, wanted);
            i = s.n - rest.n;
        } else {
            end = word_end(s, i, false);
            *out = str_sub(s, i, end - i);
            i = end;
        }
        if (wanted)
            return VM_OK;
        i = space_end(s, i);
    }
    *out = STR_EMPTY;
    return VM_NO;
}

/* --- JSON --- */

/* Only of a result that is no string the reference names jsons. */
enum vm_status
fn_json_error(struct vm *vm, enum json_status st, struct str kind, bool array)
{
    const char *what = array ? "array" : "object";
    const char *brackets = array ? "[]" : "{}";
    switch (st) {
    case JSON_NO_OPEN:
        return vm_fail(vm, "missing '%c' wrapping %s for extract json", brackets[0], what);
    case JSON_NO_CLOSE:
        return vm_fail(vm, "missing '%c' wrapping %s for extract json", brackets[1], what);
    case JSON_NO_KEY:
        return vm_fail(vm, "missing '\"' wrapping string key for extract json");
    case JSON_NO_COLON:
        return vm_fail(vm, "missing object value-separator for extract json");
    case JSON_OK:
    case JSON_NO_STRING:
        break;
    }
    return vm_fail(vm, "missing '\"' wrapping string result for extract %.*s", STR_ARG(kind));
}

static enum vm_status
from_json(struct vm *vm, const struct str *argv, struct str *out)
{
    int32_t n;
    struct str value;
    struct str key = str_trim(argv[1]);
    bool array = field_number(key, &n);
    enum json_status st = array ? json_find_element(argv[2], n > 0 ? (size_t)n : 0, &value)
                                : json_find_member(argv[2], key, &value);
    if (st != JSON_OK)
        return fn_json_error(vm, st, argv[0], array);
    if (array && n <= 0)
        return vm_fail(vm, "first argument of \"extract\" must be greater than zero");
    if (!str_is_set(value))
        return VM_NO;
    if (str_eqz(argv[0], "jsons") && json_unquote(value, &value) != JSON_OK)
        return fn_json_error(vm, JSON_NO_STRING, argv[0], array);
    *out = value;
    return VM_OK;
}

enum vm_status
fn_item_extract(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    if (argv[0].n > 0)
        return from_json(vm, argv, out);
    return argc > 3 ? by_number(argv, out) : by_name(vm, str_trim(argv[1]), argv[2], out);
}
