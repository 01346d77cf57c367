/* Unit tests of mail/rfc2047.c with sys/charset.c; the expected answers are Exim's. */
#include "mail/rfc2047.h"

#include "base/arena.h"
#include "sys/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

struct pair {
    const char *in;
    const char *out;
};

/* clang-format off */
static const struct pair encode_rows[] = {
    {"abc", "abc"},
    {"", ""},
    {"abc def", "abc def"},
    {"a(b)", "=?UTF-8?Q?a=28b=29?="},
    {"caf\351", "=?UTF-8?Q?caf=E9?="},
    {"a_b", "=?UTF-8?Q?a=5Fb?="},
    {"a.b", "=?UTF-8?Q?a=2Eb?="},
    {"a?b=c", "=?UTF-8?Q?a=3Fb=3Dc?="},
    {"a\012b", "=?UTF-8?Q?a=0Ab?="},
    {"a\012 b\351", "=?UTF-8?Q?a=0A_b=E9?="},
    {"a\177b", "=?UTF-8?Q?a=7Fb?="},
    {"a!b#c$d%e&f'g*h+i-j/k^l`m|n~o{p}", "a!b#c$d%e&f'g*h+i-j/k^l`m|n~o{p}"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
    {"\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251", "=?UTF-8?Q?=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9?= =?UTF-8?Q?=C3=A9=C3=A9=C3=A9=C3=A9?="},
    {"a\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251", "=?UTF-8?Q?a=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9?= =?UTF-8?Q?=C3=A9=C3=A9=C3=A9=C3=A9?="},
    {"ab\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251", "=?UTF-8?Q?ab=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9?= =?UTF-8?Q?=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9?="},
    {"a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z", "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z"},
    {"a!b#c$d%e&f'g*h+i-j/k^l`m|n~o{p}\351 \001\011x", "=?UTF-8?Q?a!b#c$d%e&f'g*h+i-j/k^l`m|n~o{p}=E9_=01=09x?="},
    {"a\011b", "=?UTF-8?Q?a=09b?="},
    {"\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351", "=?UTF-8?Q?=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9?= =?UTF-8?Q?=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9?="},
    {"a\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200", "=?UTF-8?Q?a=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80?= =?UTF-8?Q?=80=80=80=80=80=80=80=80=80=80=80=80?="},
    {"\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254", "=?UTF-8?Q?=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC?= =?UTF-8?Q?=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaa=28?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=28?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?a=28?="},
    {"(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "=?UTF-8?Q?=28aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?="},
    {"(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "=?UTF-8?Q?=28aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?="},
    {"(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "=?UTF-8?Q?=28aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?a?="},
    {"\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351\351", "=?UTF-8?Q?=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9=E9?= =?UTF-8?Q?=E9=E9=E9=E9=E9=E9=E9=E9?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\251\303\251", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=C3=A9?= =?UTF-8?Q?=C3=A9?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\251\303\251", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=C3=A9?= =?UTF-8?Q?=C3=A9?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\251\303\251", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=C3=A9?= =?UTF-8?Q?=C3=A9?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351b", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E9=E9?= =?UTF-8?Q?b?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351b", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?a=E9=E9b?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351b", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=E9=E9b?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\200b", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=80b?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b(", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?_b=28?="},
    {"\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200", "=?UTF-8?Q?=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80=80?= =?UTF-8?Q?=80=80=80=80?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351ab", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E9a?= =?UTF-8?Q?b?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\342\202\254ab", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E2=82?= =?UTF-8?Q?=ACab?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\342\202ab", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E2=82?= =?UTF-8?Q?ab?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\360\237\230\200\360\237\230\200", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=F0=9F?= =?UTF-8?Q?=98=80=F0=9F=98=80?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\360\237\230\200\360\237\230\200", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=F0=9F=98=80=F0=9F=98=80?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28b?= =?UTF-8?Q?cd?="},
    {"\351aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351bbb", "=?UTF-8?Q?=E9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E9b?= =?UTF-8?Q?bb?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa((bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28=28?= =?UTF-8?Q?bcd?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351(bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E9=28?= =?UTF-8?Q?bcd?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(\351\351bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28=E9?= =?UTF-8?Q?=E9bcd?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\001\001bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=01=01?= =?UTF-8?Q?bcd?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\001bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=01b?= =?UTF-8?Q?cd?="},
    {"\351aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351\351bc", "=?UTF-8?Q?=E9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=E9=E9=E9bc?="},
    {"\351\351\351aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351\351bc", "=?UTF-8?Q?=E9=E9=E9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=E9=E9=E9bc?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(_bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28=5F?= =?UTF-8?Q?bcd?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351 bcd", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=E9_?= =?UTF-8?Q?bcd?="},
    {"\351 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\351\351", "=?UTF-8?Q?=E9_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?UTF-8?Q?=E9=E9?="},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(\351\351\351\351", "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=28=E9?= =?UTF-8?Q?=E9=E9=E9?="},
};
/* clang-format on */

/* clang-format off */
static const struct pair decode_rows[] = {
    {"abc", "abc"},
    {"=?utf-8?Q?caf=C3=A9?=", "caf\303\251"},
    {"=?iso-8859-1?Q?caf=E9?=", "caf\303\251"},
    {"=?ISO-8859-1?q?caf=e9_x?=", "caf\303\251 x"},
    {"=?utf-8?B?Y2Fmw6k=?=", "caf\303\251"},
    {"=?utf-8?b?Y2Fmw6k=?= x", "caf\303\251 x"},
    {"x=?utf-8?Q?a?=y", "xay"},
    {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
    {"=?utf-8?Q?a?=\012 =?utf-8?Q?b?=", "ab"},
    {"=?utf-8?Q?a?=  x  =?utf-8?Q?b?=", "a  x  b"},
    {"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"},
    {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
    {"=?utf-8?Q?a", "=?utf-8?Q?a"},
    {"=?utf-8?Q?a=ZZ?=", "=?utf-8?Q?a=ZZ?="},
    {"=?utf-8?Q?a=4?=", "=?utf-8?Q?a=4?="},
    {"=?utf-8?Q?a b?=", "=?utf-8?Q?a b?="},
    {"=?utf-8?B?!!!!?=", "=?utf-8?B?!!!!?="},
    {"=?utf-8?B?YQ?=", "=?utf-8?B?YQ?="},
    {"=?nosuch?Q?a=E9?=", "Failed: iconv_open(\"UTF-8\", \"nosuch\") failed: Invalid argument (maybe unsupported conversion)"},
    {"=?utf-8?Q?a=00b?=", "a?b"},
    {"=?utf-8?Q?\?=", ""},
    {"=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=", "=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?="},
    {"=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= =?utf-8?Q?b?=", "=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= b"},
    {"=?utf-8*en?Q?a?=", "Failed: iconv_open(\"UTF-8\", \"utf-8*en\") failed: Invalid argument (maybe unsupported conversion)"},
    {"=?utf-8?Q?=?=", "=?utf-8?Q?=?="},
    {"=?utf-8?Q?a=?=", "=?utf-8?Q?a=?="},
    {"=?utf-8?Q?a?b?=", "a?b"},
    {"=?utf-8?Q?=E9?=", "\351"},
    {"=?utf-8?Q?x=E9?= y =?iso-8859-1?Q?=E9?=", "x\351 y \303\251"},
    {"=?iso-8859-1?Q?=E9?= =?bad?Q?b=E9?= c", "Failed: iconv_open(\"UTF-8\", \"bad\") failed: Invalid argument (maybe unsupported conversion)"},
    {"=?us-ascii?Q?x?=", "x"},
    {"a =?utf-8?Q?b", "a =?utf-8?Q?b"},
    {"a =?utf-8", "a =?utf-8"},
    {"a =?", "a =?"},
    {"=?=?utf-8?Q?a?=", "=?a"},
    {"=?utf-8?Q?a?= \011 =?utf-8?Q?b?= \011 c", "ab \011 c"},
    {"=?utf-8?B?\?=", ""},
    {"=?utf-8?B?Y Q==?=", "a"},
    {"=?\?Q?a?=", "a"},
    {"=?utf-8?\?a?=", "=?utf-8?\?a?="},
    {"=?utf-8?QQ?a?=", "=?utf-8?QQ?a?="},
    {"=?utf-8?Q?a\351?=", "a\351"},
    {"=?utf-8?B?YWJj====?=", "=?utf-8?B?YWJj====?="},
    {"=?utf-8?Q?=E2=82=AC?=", "\342\202\254"},
    {"x =?utf-8?Q?=C3=A9?=  =?utf-8?Q?=E2=82=AC?=  =?utf-8?Q?=C3=A9?= z", "x \303\251\342\202\254\303\251 z"},
    {"=?utf-8?Q?=C3?=", "\303"},
    {"=?utf-8?Q?a\011b?=", "=?utf-8?Q?a\011b?="},
    {"=?utf-8?Q?a\001b?=", "a\001b"},
    {"=?utf-8?Q?a\177b?=", "a\177b"},
    {"=?utf-8?Q?a\351b?=", "a\351b"},
    {"=?ut f-8?Q?a?=", "a"},
    {"=?utf-8?Q?a?=\351", "a\351"},
    {"=?utf-8?B?Y\011Q==?=", "a"},
    {"=?utf-8?B?YQ==?= =?utf-8?B?!?= =?utf-8?Q?a?=", "a =?utf-8?B?!?= a"},
    {"=?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?Q?a?=", "Failed: iconv_open(\"UTF-8\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\") failed: Invalid argument (maybe unsupported conversion)"},
    {"  =?utf-8?Q?b?=  ", "  b  "},
    {"=?utf-8?Q?=c3=A9?=", "\303\251"},
    {"=?utf-8?Q?a?= =?utf-8?Q?b", "a =?utf-8?Q?b"},
    {"=?utf-8?Q?a?= =?", "a =?"},
    {"=?utf-8?Q?a?= ", "a "},
    {"=?UTF8?Q?=C3=A9?=", "\303\251"},
};
/* clang-format on */

/* clang-format off */
static const struct pair latin1_rows[] = {
    {"=?utf-8?Q?=E2=82=AC?=", "\342\202\254"},
    {"x =?utf-8?Q?=C3=A9?=  =?utf-8?Q?=E2=82=AC?=  =?utf-8?Q?=C3=A9?= z", "x \351\342\202\254\351 z"},
    {"=?utf-8?Q?=C3?=", "\303"},
    {"=?utf-8?Q?a\011b?=", "=?utf-8?Q?a\011b?="},
    {"=?utf-8?Q?a\001b?=", "a\001b"},
    {"=?utf-8?Q?a\177b?=", "a\177b"},
    {"=?utf-8?Q?a\351b?=", "a\351b"},
    {"=?ut f-8?Q?a?=", "a"},
    {"=?utf-8?Q?a?=\351", "a\351"},
    {"=?utf-8?B?Y\011Q==?=", "a"},
    {"=?utf-8?B?YQ==?= =?utf-8?B?!?= =?utf-8?Q?a?=", "a =?utf-8?B?!?= a"},
    {"=?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?Q?a?=", "Failed: iconv_open(\"iso-8859-1\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\") failed: Invalid argument (maybe unsupported conversion)"},
    {"=?utf-8?Q?a?=\012\012 =?utf-8?Q?b?=", "ab"},
    {"  =?utf-8?Q?b?=  ", "  b  "},
    {"=?utf-8?Q?=c3=A9?=", "\351"},
    {"=?utf-8?Q?a?= =?utf-8?Q?b", "a =?utf-8?Q?b"},
    {"=?utf-8?Q?a?= =?", "a =?"},
    {"=?utf-8?Q?a?= ", "a "},
    {"=?UTF8?Q?=C3=A9?=", "\351"},
};
/* clang-format on */

static void
encode_answers_as_exim(void **state)
{
    for (size_t i = 0; i < sizeof encode_rows / sizeof encode_rows[0]; i++)
        assert_str(rfc2047_encode(*state, str_from_cstr(encode_rows[i].in), STR_LIT("UTF-8")),
                   encode_rows[i].out);
}

static void
check_decode(struct arena *a, const struct pair *rows, size_t n, struct str charset)
{
    struct charset_target target = charset_target(charset);
    for (size_t i = 0; i < n; i++) {
        struct str error;
        struct str in = str_tainted(str_from_cstr(rows[i].in));
        struct str out = rfc2047_decode(a, in, &target, 0, &error);
        if (str_is_set(error))
            out = str_cat(a, STR_LIT("Failed: "), error);
        assert_str(out, rows[i].out);
        assert_true(str_is_tainted(out));
    }
}

static void
decode_answers_as_exim(void **state)
{
    check_decode(*state, decode_rows, sizeof decode_rows / sizeof decode_rows[0],
                 STR_LIT("UTF-8"));
    check_decode(*state, latin1_rows, sizeof latin1_rows / sizeof latin1_rows[0],
                 STR_LIT("iso-8859-1"));
}

static void
length_of_a_word_is_capped(void **state)
{
    char text[80] = "=?u?Q?";
    for (size_t n = 74; n <= 76; n++) {
        memset(text + 6, 'a', n - 8);
        memcpy(text + n - 2, "?=", 2);
        struct str s = str_from(text, n);
        assert_int_equal(rfc2047_decode(*state, s, NULL, 0, NULL).n, n <= 75 ? n - 8 : n);
        assert_int_equal(rfc2047_decode(*state, s, NULL, RFC2047_ANY_LENGTH, NULL).n, n - 8);
    }
}

static void
wrap_breaks_at_white_space(void **state)
{
    struct str s = STR_LIT("aaaa bbbb cccc dddd");
    assert_str(rfc2047_wrap(*state, s, 80, 998), "aaaa bbbb cccc dddd");
    assert_str(rfc2047_wrap(*state, s, 14, 998), "aaaa bbbb cccc\n\tdddd");
    assert_str(rfc2047_wrap(*state, s, 13, 998), "aaaa bbbb\n\tcccc\n\tdddd");
    assert_str(rfc2047_wrap(*state, s, 2, 998), "aaaa\n\tbbbb\n\tcccc\n\tdddd");
    assert_str(rfc2047_wrap(*state, s, 80, 6), "aaaa b");
    assert_str(rfc2047_wrap(*state, STR_LIT("aaaaaaaaaaaa"), 4, 998), "aaaaaaaaaaaa");
    assert_str(rfc2047_wrap(*state, STR_EMPTY, 4, 998), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_answers_as_exim),
        cmocka_unit_test(decode_answers_as_exim),
        cmocka_unit_test(length_of_a_word_is_capped),
        cmocka_unit_test(wrap_breaks_at_white_space),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
