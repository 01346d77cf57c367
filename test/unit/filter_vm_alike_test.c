/* Texts that are alike: the code that they share is what compiling them would have made. */
#include "filter/vm_alike.h"

#include "filter/vm_cache.h"
#include "filter/vm_state.h"

#include "filter_code_same.h"
#include "filter_vm_fixture.h"

static enum vm_status
lookup_type(void *env, struct vm *vm, struct str type, struct host_lookup_type *out)
{
    (void)env;
    out->query_style = str_starts(type, "query");
    return str_starts(type, "key") || out->query_style ? VM_OK : vm_fail(vm, "unknown type");
}

static int
setup(void **state)
{
    (void)fixture_setup(state);
    struct fixture *f = *state;
    f->host.lookup_type = lookup_type;
    return 0;
}

/* The code of a text by way of an older one; NULL: it is not alike. */
static const struct code *
code_after(struct fixture *f, const char *older, const char *text)
{
    vm_cache_clear(f->vm);
    (void)expand_cached(f->vm, str_from_cstr(older), false);
    return alike_find(f->vm, f->arena, str_dup(f->arena, str_from_cstr(text)));
}

struct pair {
    const char *older, *text;
};

static const struct pair alike[] = {
    {"to ${uc:abc}$domain${lc:x}", "to ${uc:abd}$domain${lc:x}"},
    {"to ${uc:abc}$domain${lc:x}", "to ${uc:abcd}$domain${lc:x}"},
    {"to ${uc:abc}$domain${lc:x}", "to ${uc:ab}$domain${lc:x}"},
    {"${if eq{$domain}{a1}{yes1 sir}{no}}", "${if eq{$domain}{b22}{yes2 sir}{no}}"},
    {"${lookup{key1}key{/file}{got $value}{none}}",
     "${lookup{key234}key{/file}{got $value}{none}}"},
    {"${lookup{$domain}key{/file1}{$value}{none}}",
     "${lookup{$domain}key{/file2}{$value}{none}}"},
    {"${map{<, a,b,c}{${uc:$item}-x}}", "${map{<, a,b,d}{${uc:$item}-x}}"},
    {"${map{<, a,b,c}{${uc:$item}-x1y and so}}", "${map{<, a,b,d}{${uc:$item}-x2y and so}}"},
    {"${sg{user1@x}{\\N^(u)\\N}{\\$1abc}}$domain",
     "${sg{user2@x}{\\N^(u)\\N}{\\$1abc}}$domain"},
    {"${extract{name}{id=6 name=\"joe\"}{<$value>}{none}}",
     "${extract{name}{id=77 name=\"jim\"}{<$value>}{none}}"},
    {"some text one $domain and so on", "some text two $domain and so on"},
    {"${domain:$domain}one ${lc:x}", "${domain:$domain}two ${lc:x}"},
};

static void
test_alike(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        const struct code *c = code_after(f, alike[i].older, alike[i].text);
        if (c == NULL)
            fail_msg("not found: %s", alike[i].text);
        struct str text = str_from_cstr(alike[i].text);
        if (!code_same(c, expand_compile_fast(f->arena, f->vm, text)))
            fail_msg("not the same: %s", alike[i].text);
    }
}

/* What differs means something to the compiler, or is in front of something that it would become a part of. */
static const struct pair not_alike[] = {
    {"${uc:abcdef}$domain${lc:x}", "${uc:abc}def$domain${lc:x}"},
    {"${uc:abc}$domain${lc:x1}", "${lc:abc}$domain${lc:x1}"},
    {"${extract{1}{:}{a:b:$domain}{x}}", "${extract{a}{:}{a:b:$domain}{x}}"},
    {"${extract{1}{:}{a:b:$domain}{x}}", "${extract{2}{:}{a:b:$domain}{x}}"},
    {"${listextract{1}{a:b:$domain}{x}}", "${listextract{q}{a:b:$domain}{x}}"},
    {"${if >{1}{$domain}{yes}{no way}}", "${if >{x}{$domain}{yes}{no way}}"},
    {"${sg{$domain}{x1}{y}} and more", "${sg{$domain}{x2}{y}} and more"},
    {"${substr{1}{2}{$domain}} and more", "${substr{x}{2}{$domain}} and more"},
    {"${lookup{$domain}key1{/file}{yes}{no}}", "${lookup{$domain}key2{/file}{yes}{no}}"},
    {"${sort{$domain}{lt}{$item}} and more", "${sort{$domain}{gt}{$item}} and more"},
    {"${sort{$domain}{lt}{${uc:$item}a1z}} and more",
     "${sort{$domain}{lt}{${uc:$item}a2z}} and more"},
    {"some text $h_subject: and more", "some text $h_sobject: and more"},
    {"some text $acl_m1 and more", "some text $acl_m2 and more"},
    {"some text $1a and more text", "some text $12 and more text"},
    {"some text \\N\\d+\\N and more text", "some text \\N\\w+\\N and more text"},
    {"some text \\N\\d+\\N and more text", "some text \\N\\N+\\N and more text"},
    {"some text \\x41 $domain text", "some text \\x42 $domain text"},
    {"${length_3:$domain} and more", "${length_4:$domain} and more"},
    {"${run{/bin/x a1 $domain}} and more", "${run{/bin/x a2 $domain}} and more"},
    {"${if eq{a}{b}{yes}fail}$domain a", "${if eq{a}{b}{yes}fall}$domain a"},
    {"${if eq{a1}{b}{yes}fail} ${bad:x}", "${if eq{a2}{b}{yes}fail} ${bad:x}"},
    {"${uc:abc}$domain${lc:xyz} $bad", "${uc:abd}$domain${lc:xyz} $bad"},
    {"some text $domain a.b and more", "some text $domain a-b and more"},
    {"some text $domain a b and more", "some text $domain aab and more"},
    {"some text $domain 1 and more", "some text $domain 1 and more"},
    {"a $domain b", "b $domain b"}, /* too short */
};

static void
test_not_alike(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof not_alike / sizeof *not_alike; i++) {
        if (code_after(f, not_alike[i].older, not_alike[i].text) != NULL)
            fail_msg("%s", not_alike[i].text);
    }
}

/* Eight words may differ, nine may not. */
static void
test_words(void **state)
{
    struct fixture *f = *state;
    const char *older = "$domain a1 a1 a1 a1 a1 a1 a1 a1 a1 - ${lc:x}";
    assert_non_null(code_after(f, older, "$domain a2 a2 a2 a2 a2 a2 a2 a1 a1 - ${lc:x}"));
    assert_non_null(code_after(f, older, "$domain a2 a2 a2 a2 a2 a2 a2 a2 a1 - ${lc:x}"));
    assert_null(code_after(f, older, "$domain a2 a2 a2 a2 a2 a2 a2 a2 a2 - ${lc:x}"));
}

/* A constant beyond the 64th is never changed. */
static void
test_many_constants(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 63; n <= 66; n++) {
        struct buf older = buf_in(f->arena, 0);
        struct buf text = buf_in(f->arena, 0);
        for (unsigned i = 1; i <= n; i++) {
            buf_printf(&older, "$domain a%s", i == n ? "1" : "0");
            buf_printf(&text, "$domain a%s", i == n ? "2" : "0");
        }
        buf_addz(&older, "${uc:$domain}$domain");
        buf_addz(&text, "${uc:$domain}$domain");
        const struct code *c = code_after(f, buf_str(&older).p, buf_str(&text).p);
        assert_int_equal(c != NULL, n <= 64);
    }
}

/* --- words of all kinds of texts, changed at random --- */

static const char *const texts[] = {
    "${if "
    "and{{eq{${lc:ABC1}}{abc1}}{or{{match{$h_subject:}{\\N(?i)^\\[list-(\\w+)\\]\\N}}{def:h_x-"
    "spam:}}}}{${if >{$domain}{100K}{big}{small-$1}}}{no}}",
    "${lookup{key2}key{/a/table}{got $value}{none}} ${lookup{$domain}key,x=y{/a/table}}",
    "${lookup query{select a1 from b2 where c='$domain'}{got $value}fail}",
    "${sg{user+tag3@example.com}{\\N^([^+]+)\\+([^@]*)@(.*)$\\N}{\\$1@\\$3}} "
    "${sg{a1b}{[0-9]}{x}}",
    "${map{<, a,b,c,d,e,f4}{${uc:$item}-x}} ${filter{a1:b2:$domain}{eq{$item}{a1}}}",
    "${reduce{1:2:3}{0}{${eval:$value+$item}}} ${sort{3:2:$domain}{<}{$item}}",
    "${extract{name}{id=6 name=\"joe\" size=12345}{<$value>}{none}}$acl_m0 "
    "${extract{2}{:}{a1:b2:$domain}}",
    "${extract{$domain}{a1=b2 c3=d4}{x1 $value}{y2}} ${extract json{a1}{\\{\"a1\":\"b2\"\\}}}",
    "${extract{$domain}{:}{a1:b2}{x1 $value}fail} ${if eq{a}{b}{c}fail x}",
    "$h_subject: / ${address:$h_from:} / ${extract{1}{ }{$h_date:}} $rh_a1:b2 $bh_c3 d4",
    "${substr{1}{3}{abc9}}${substr_1_3:abc9}${length_2:abc}${hash_3_62:abc1}${nhash{10}{abc}}${"
    "tr{abc1}{a1}{x2}}",
    "${if match{abc1}{\\N^a(b)c(\\d)\\N}{$1-$2}{no1}} ${if inlist{a1}{a1:b2}{$value}{n}} ${if "
    "bool{yes}{a}{b}}",
    "${if forany{a1:b2}{eq{$item}{b2}}{y1}{n1}} ${if match_domain{$domain}{a1.b2 : "
    "*.c3}{y}{n}}",
    "${if >{1}{2}{a1}{b2}} ${if ={10K}{10240}{a1}{b2}} ${if isip{10.0.0.1}{a1}{b2}} ${if "
    "!eq{a1}{a2}{x}}",
    "${listextract{2}{a1:b2:c3}{<$value>}{n}} ${listquote{:}{a1:b2}} "
    "${env{HOME1}{$value}{none}}",
    "${readfile{/a1/b2}{x3}} ${run{/bin/a1 b2 $domain}{y1}{n1}} ${run,preexpand {/bin/a1 "
    "${uc:b2}}}",
    "${readsocket{inet:a1:25}{b2}{3s}{x4}{no5}} ${acl{a1}{b2}{$domain}} ${perl{a1}{b2}} "
    "${dlfunc{/a1}{b2}{c3}}",
    "${prvs{a1@b2}{k3}{4}} ${prvscheck{$domain}{k3}{x4}} ${hmac{md5}{a1}{b2}} "
    "${imapfolder{a1}{b}}",
    "a1 b2 \\x41c3 \\101d4 \\N\\w a5 \\N b6 $domain c7 \\\\d8 \\$e9 ${lc:A1\\}B2} $item f1",
    "${expand:a1 \\$domain b2} ${base64:abc1} ${md5:abc2} ${time_eval:3w} ${eval10:1+2*3} "
    "${quote:a1 b2}",
    "$1 a1 $2b2 ${3}c3 $value d4 $item e5 $runrc f6 $acl_m1g7 $unset h8 $domain i9 $domaine",
    "${if eq{a1}{b2}{c3}{d4} e5 ${bad1:x2} $domain",
    "${certextract{a1}{$domain}{b2}} ${authresults{a1}} ${srs_encode{a1}{b2}{c3}} ${if "
    "def:domain{a1}{b2}}",
    "${if crypteq{a1}{b2}{y1}{n2}} ${if exists{/a1}{y1}} ${if saslauthd{{a1}{b2}}{y1}} ${if "
    "acl{{a1}{b2}}{y1}}",
};

static unsigned
below(uint64_t *seed, unsigned n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % n;
}

/* The text with some of its words changed: letters and digits for letters and digits. */
static struct str
changed(struct arena *a, struct str s, uint64_t *seed)
{
    static const char letters[] = "abN019xZ_-.\\${}: ";
    struct buf b = buf_in(a, 0);
    unsigned where = below(seed, s.n);
    unsigned and_where = below(seed, 3) == 0 ? below(seed, s.n) : where;
    unsigned set = below(seed, 8) == 0 ? sizeof letters - 1 : 8;
    for (uint32_t i = 0; i < s.n; i++) {
        if ((i == where || i == and_where) && ascii_alnum(s.p[i])) {
            for (unsigned n = below(seed, 3); n > 0; n--)
                buf_addc(&b, letters[below(seed, set)]);
            if (below(seed, 2) == 0)
                continue;
        }
        buf_addc(&b, s.p[i]);
    }
    return buf_str(&b);
}

static unsigned
check_changes(struct fixture *f, const char *older, uint64_t *seed)
{
    unsigned found = 0;
    for (unsigned i = 0; i < 10000; i++) {
        if (i % 50 == 0) {
            vm_cache_clear(f->vm);
            (void)expand_cached(f->vm, str_from_cstr(older), false);
        }
        struct arena_mark mark = arena_mark(f->arena);
        struct arena_mark cached = arena_mark(f->vm->cache);
        struct str text = changed(f->arena, str_from_cstr(older), seed);
        const struct code *known[VM_ALIKE];
        memcpy(known, f->vm->alike, sizeof known);
        const struct code *c = alike_find(f->vm, f->arena, text);
        memcpy(f->vm->alike, known, sizeof known);
        if (c != NULL && !code_same(c, expand_compile_fast(f->arena, f->vm, text)))
            fail_msg("%s\n  after %s", text.p, older);
        found += c != NULL;
        arena_reset(f->vm->cache, cached);
        arena_reset(f->arena, mark);
    }
    return found;
}

static void
test_changes(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 1;
    unsigned found = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        found += check_changes(f, texts[i], &seed);
    assert_true(found > 20000);
}

/* What is expanded after texts that are alike: values, errors and their places. */
static void
test_values(void **state)
{
    struct fixture *f = *state;
    fixture_check(f, "${map{<, a,b,c1}{${uc:$item}-x}}", "A-x,B-x,C1-x");
    fixture_check(f, "${map{<, a,b,c234}{${uc:$item}-x}}", "A-x,B-x,C234-x");
    fixture_check(f, "${map{<, a,b,c5}{${uc:$item}-x}}", "A-x,B-x,C5-x");
    fixture_check(f, "${if eq{$domain}{abc1}{yes}{no}}", "no");
    fixture_check(f, "${if eq{$domain}{abc12}{yes}{no}}", "no");
    fixture_check(f, "word1 ${eval:1+x} and more",
                  "!error in expression evaluation: expecting number "
                  "or opening parenthesis (after processing \"1+\")");
    assert_int_equal(vm_error_offset(f->vm), 6);
    fixture_check(f, "word234 ${eval:1+x} and more",
                  "!error in expression evaluation: expecting "
                  "number or opening parenthesis (after processing \"1+\")");
    assert_int_equal(vm_error_offset(f->vm), 8);
    vm_cache_clear(f->vm);
    fixture_check(f, "${map{<, a,b,c6}{${uc:$item}-x}}", "A-x,B-x,C6-x");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_alike),          TEST(test_not_alike), TEST(test_words),
        TEST(test_many_constants), TEST(test_changes),   TEST(test_values),
    };
#undef TEST
    return cmocka_run_group_tests_name("filter_vm_alike", tests, NULL, NULL);
}
