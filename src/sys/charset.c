/* Conversion between character sets by iconv. Names come from strangers: they are capped, and
 * one with a suffix ("//TRANSLIT") or a path is unknown here, so that nobody chooses how iconv
 * behaves. The name of the target is ours: a setting or a filter may ask for one of iconv's two suffixes. */
#include "sys/charset.h"

#include "base/arena.h"
#include "base/utf8.h"

#include <iconv.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63, GROWTH = 4 };

static bool
copy_name(struct str s, char out[NAME_MAX_BYTES + 1])
{
    if (s.n == 0 || s.n > NAME_MAX_BYTES || str_has_nul(s) || str_chr(s, '/', 0) != STR_NPOS)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* The part of a target's name in front of the suffix; *ignore: what cannot be converted is left out. */
static struct str
plain_target(struct str to, bool *ignore)
{
    size_t at = str_chr(to, '/', 0);
    struct str suffix = at == STR_NPOS ? STR_EMPTY : str_sub(to, at, to.n);
    *ignore = str_ieqz(suffix, "//IGNORE");
    return *ignore || str_ieqz(suffix, "//TRANSLIT") ? str_sub(to, 0, at) : to;
}

/* The two conversions that most mail needs, without iconv. */
static bool
convert_common(struct arena *a, struct str in, struct str from, struct str to, struct str *out)
{
    if (!str_ieqz(to, "UTF-8"))
        return false;
    if (str_ieqz(from, "ISO-8859-1")) {
        *out = utf8_from_latin1(a, in);
        return true;
    }
    *out = in;
    return str_ieqz(from, "US-ASCII") && !utf8_has_8bit(in);
}

static enum charset_status
run(iconv_t cd, struct arena *a, struct str in, bool ignore, struct str *out)
{
    size_t room = (size_t)in.n * GROWTH + 16;
    char *to = arena_alloc(a, room + 1);
    char *at = to;
    char *from = arena_alloc(a, (size_t)in.n + 1);
    size_t left = in.n;
    if (room > STR_MAX)
        return CHARSET_ILLEGAL;
    if (in.n > 0)
        memcpy(from, in.p, in.n);
    /* The second call writes what returns a stateful set to its initial state. */
    bool done = iconv(cd, &from, &left, &at, &room) != (size_t)-1;
    if (!done && !(ignore && left == 0)) /* it left something out, says glibc */
        return CHARSET_ILLEGAL;
    if (iconv(cd, NULL, NULL, &at, &room) == (size_t)-1)
        return CHARSET_ILLEGAL;
    *at = '\0';
    *out = str_from(to, (size_t)(at - to));
    out->taint = in.taint;
    return CHARSET_OK;
}

enum charset_status
charset_convert(void *ctx, struct arena *a, struct str in, struct str from, struct str to,
                struct str *out)
{
    char from_name[NAME_MAX_BYTES + 1];
    char to_name[NAME_MAX_BYTES + 1];
    (void)ctx;
    if (convert_common(a, in, from, to, out))
        return CHARSET_OK;
    bool ignore;
    if (!copy_name(from, from_name) || !copy_name(plain_target(to, &ignore), to_name) ||
        to.n > NAME_MAX_BYTES)
        return CHARSET_UNKNOWN;
    memcpy(to_name, to.p, to.n);
    to_name[to.n] = '\0';
    iconv_t cd = iconv_open(to_name, from_name);
    if (cd == (iconv_t)-1)
        return CHARSET_UNKNOWN;
    enum charset_status st = run(cd, a, in, ignore, out);
    (void)iconv_close(cd);
    return st;
}

struct charset_target
charset_target(struct str to)
{
    return (struct charset_target){.to = to, .convert = charset_convert};
}
