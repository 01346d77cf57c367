/* Runs that are remembered with what they read: found again while that is the same, and never else. */
#include "filter/vm_memo.h"

#include "filter/vm_cache.h"
#include "filter/vm_state.h"

#include "filter_vm_fixture.h"

/* Variables with values that a test sets. Functions of the machine see the fixture as env. */
struct world {
    struct fixture fixture;
    struct str text; /* $a; STR_NULL: unset */
    struct str header;
    bool fails;
    const char *expands; /* what $a is the expansion of */
    unsigned asked;
};

static enum vm_status
get_text(void *env, struct vm *vm, struct str rest, struct str *out)
{
    struct world *w = env;
    (void)rest;
    w->asked++;
    if (w->fails)
        return vm_defer(vm, "not now");
    if (w->expands != NULL)
        return vm_expand(vm, str_from_cstr(w->expands), out);
    *out = w->text;
    return VM_OK;
}

static enum vm_status
get_world_header(void *env, struct vm *vm, enum header_form form, struct str name,
                 struct str *out)
{
    const struct world *w = env;
    (void)vm;
    (void)form;
    (void)name;
    *out = w->header;
    return str_is_set(w->header) ? VM_OK : VM_NO;
}

static const struct var world_vars[] = {
    {STR_INIT("a"), get_text, 0, NULL, ""},
    {STR_INIT("domain"), get_domain, 0, NULL, ""},
    {STR_INIT("f"), get_family, VAR_FAMILY, accepts_digit, ""},
};

static int
world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->fixture.host.vars = world_vars;
    w->fixture.host.vars_n = sizeof world_vars / sizeof *world_vars;
    w->fixture.host.header = get_world_header;
    w->fixture.vm = vm_new(&w->fixture.host, w);
    w->fixture.arena = arena_new();
    w->text = STR_LIT("one");
    *state = w;
    return 0;
}

/* A run takes two steps more than this; a value that is found again takes none. */
static void
check(struct world *w, bool again, const char *text, const char *expected)
{
    vm_set_budget(w->fixture.vm, (struct vm_budget){.steps = again ? 1 : 1000});
    fixture_check(&w->fixture, text, expected);
}

static const char text_of_a[] = "${map{$a:b:c}{<$item>}}";

static void
test_found_again(void **state)
{
    struct world *w = *state;
    check(w, false, text_of_a, "<one>:<b>:<c>");
    check(w, true, text_of_a, "<one>:<b>:<c>");
    w->text = STR_LIT("two");
    check(w, false, text_of_a, "<two>:<b>:<c>");
    check(w, true, text_of_a, "<two>:<b>:<c>");
    w->text = STR_NULL;
    check(w, false, text_of_a, "<>:<b>:<c>");
    check(w, true, text_of_a, "<>:<b>:<c>");
    w->text = STR_LIT("two"); /* another value takes steps */
    check(w, true, text_of_a, "!the expansion takes more than 1 steps");
}

/* The bytes are compared, wherever they lie. */
static void
test_changed_in_place(void **state)
{
    struct world *w = *state;
    char value[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    w->text = str_from_cstr(value);
    fixture_check(&w->fixture, "${uc:$a}",
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (size_t n = sizeof value - 1; n > 0; n--) {
        w->text.n = (uint32_t)n;
        (void)fixture_expand(&w->fixture, "${uc:${sg{$a}{x}{y}}}");
        for (size_t i = 0; i < n; i += n / 7 + 1) {
            char before = value[i];
            const char *first = fixture_expand(&w->fixture, "${uc:$a}");
            value[i] = '+';
            const char *second = fixture_expand(&w->fixture, "${uc:$a}");
            assert_true(second[i] == '+' && first[i] != '+');
            value[i] = before;
        }
    }
}

static void
test_taint_counts(void **state)
{
    struct world *w = *state;
    struct str out;
    for (int i = 0; i < 4; i++) {
        w->text = i % 2 == 0 ? STR_LIT("same") : str_tainted(STR_LIT("same"));
        assert_int_equal(vm_expand(w->fixture.vm, STR_LIT("${uc:$a}"), &out), VM_OK);
        assert_int_equal(str_is_tainted(out), i % 2);
    }
}

static void
test_headers_and_families(void **state)
{
    struct world *w = *state;
    static const char text[] = "${map{a:b:c}{${if def:h_x: {$h_x:}{none}}$f1}}";
    check(w, false, text, "nonefam::1:nonefam::1:nonefam::1");
    check(w, true, text, "nonefam::1:nonefam::1:nonefam::1");
    w->header = STR_LIT("");
    check(w, false, text, "fam::1:fam::1:fam::1");
    check(w, true, text, "fam::1:fam::1:fam::1");
    w->header = STR_LIT("x");
    check(w, false, text, "xfam::1:xfam::1:xfam::1");
    check(w, true, text, "xfam::1:xfam::1:xfam::1");
}

/* What was given out stays as it is when another value is remembered. */
static void
test_values_are_copies(void **state)
{
    struct world *w = *state;
    struct str first, second, third;
    const struct str text = STR_LIT("${uc:$a}");
    assert_int_equal(vm_expand(w->fixture.vm, text, &first), VM_OK);
    assert_int_equal(vm_expand(w->fixture.vm, text, &second), VM_OK);
    w->text = STR_LIT("two");
    assert_int_equal(vm_expand(w->fixture.vm, text, &third), VM_OK);
    assert_true(str_eqz(first, "ONE") && str_eqz(second, "ONE") && str_eqz(third, "TWO"));
}

/* Code that sees what the evaluation round it set is run each time. */
static void
test_outer_state(void **state)
{
    struct world *w = *state;
    struct str caps[] = {STR_INIT("whole"), STR_INIT("first")};
    fixture_check(&w->fixture, "$a-$1-$value-$item", "one---");
    vm_set_captures(w->fixture.vm, caps, 2);
    fixture_check(&w->fixture, "$a-$1-$value-$item", "one-first--");
    vm_set_value(w->fixture.vm, STR_LIT("v"));
    vm_set_item(w->fixture.vm, STR_LIT("i"));
    fixture_check(&w->fixture, "$a-$1-$value-$item", "one-first-v-i");
    fixture_check(&w->fixture, "$a+$1", "one+first");
    fixture_check(&w->fixture, "${if match{$a}{o(.)e}{$1}}$a", "none");
    fixture_check(&w->fixture, "${if match{$a}{o(.)e}{$1}}$a", "none");
    fixture_check(&w->fixture, "$1$value$item", "firstvi");
}

static void
test_failures(void **state)
{
    struct world *w = *state;
    check(w, false, text_of_a, "<one>:<b>:<c>");
    w->fails = true;
    check(w, false, text_of_a, "Dnot now");
    w->fails = false;
    check(w, false, text_of_a, "<one>:<b>:<c>");
    fixture_check(&w->fixture, "${if eq{$a}{one}{${if eq{$a}{one}{x}fail}}fail}", "x");
    w->text = STR_LIT("two");
    fixture_check(&w->fixture, "${if eq{$a}{one}{${if eq{$a}{one}{x}fail}}fail}",
                  "F\"if\" failed and \"fail\" requested");
}

/* A variable whose value is made by an expansion: only the value counts. */
static void
test_variable_that_expands(void **state)
{
    struct world *w = *state;
    w->expands = "${uc:$domain}";
    check(w, false, "${lc:$a}", "example.org");
    unsigned asked = w->asked;
    fixture_check(&w->fixture, "${lc:$a}", "example.org");
    assert_int_equal(w->asked, asked + 1);
    w->expands = NULL;
    fixture_check(&w->fixture, "${lc:$a}", "one");
}

/* A replacement of ${sg is a text of its own: what it reads counts, and when it asks the host nothing is remembered. */
static void
test_replacements(void **state)
{
    struct world *w = *state;
    check(w, false, "${sg{xyx}{x}{\\$a}}", "oneyone");
    check(w, true, "${sg{xyx}{x}{\\$a}}", "oneyone");
    w->text = STR_LIT("two");
    check(w, false, "${sg{xyx}{x}{\\$a}}", "twoytwo");
    check(w, false, "${uc:$a}", "TWO"); /* has a memo of its own */
    check(w, false, "${sg{xyx}{x}{\\${uc:\\$a\\}}}", "TWOyTWO");
    w->text = STR_LIT("one");
    check(w, false, "${sg{xyx}{x}{\\${uc:\\$a\\}}}", "ONEyONE");
    check(w, false, "${sg{xyx}{x}{\\$runrc}}", "0y0");
    vm_set_runrc(w->fixture.vm, 7);
    check(w, false, "${sg{xyx}{x}{\\$runrc}}", "7y7");
}

/* The text of such a variable sees the captures round the code, whether it is evaluated for the first time or not. */
static void
test_variable_that_looks_out(void **state)
{
    struct world *w = *state;
    struct str caps[] = {STR_INIT("whole"), STR_INIT("first")};
    vm_set_captures(w->fixture.vm, caps, 2);
    w->expands = "${uc:$domain}$1${uc:x}";
    for (int i = 0; i < 3; i++) {
        fixture_check(&w->fixture, "${lc:$a}", "example.orgfirstx");
        fixture_check(&w->fixture, "${uc:$a}", "EXAMPLE.ORGFIRSTX");
        fixture_check(&w->fixture, "$a${if eq{$a}{}{}{}}", "EXAMPLE.ORGfirstX");
    }
}

/* The host is asked no more often than by the code, and in the same order. */
static void
test_asked_once(void **state)
{
    struct world *w = *state;
    fixture_check(&w->fixture, "${uc:$a$a$a}", "ONEONEONE");
    assert_int_equal(w->asked, 3);
    fixture_check(&w->fixture, "${uc:$a$a$a}", "ONEONEONE");
    assert_int_equal(w->asked, 4);
}

static void
test_settings(void **state)
{
    struct world *w = *state;
    check(w, false, text_of_a, "<one>:<b>:<c>");
    vm_forget_settings(w->fixture.vm);
    check(w, false, text_of_a, "<one>:<b>:<c>");
    check(w, true, text_of_a, "<one>:<b>:<c>");
    vm_forget_settings(w->fixture.vm);
    check(w, true, text_of_a, "!the expansion takes more than 1 steps");
}

/* Code that reads something else each time is given up; its values stay right. */
static void
test_given_up(void **state)
{
    struct world *w = *state;
    char value[] = "0";
    char expected[] = "<0>:<b>:<c>";
    w->text = str_from_cstr(value);
    for (char c = '0'; c <= '9'; c++) {
        value[0] = expected[1] = c;
        check(w, false, text_of_a, expected);
    }
    check(w, true, text_of_a, "!the expansion takes more than 1 steps");
    check(w, false, text_of_a, expected);
}

/* The number of answers, and the bytes of all texts: at the limit, below and above. */
static void
test_limits(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = {
        "${map{$f1$f2$f3$f4$f5$f6$f7:b:c}{x}}",
        "${map{$f1$f2$f3$f4$f5$f6$f7$f8:b:c}{x}}",
        "${map{$f1$f2$f3$f4$f5$f6$f7$f8$f9:b:c}{x}}",
    };
    for (size_t i = 0; i < 3; i++) {
        size_t items = 3 + 7 + i; /* each text of $f has a colon */
        struct buf b = buf_in(w->fixture.arena, 0);
        for (size_t k = 0; k < items; k++)
            buf_addz(&b, k == 0 ? "x" : ":x");
        check(w, false, texts[i], buf_str(&b).p);
        check(w, true, texts[i],
              i < 2 ? buf_str(&b).p : "!the expansion takes more than 1 steps");
    }
}

static void
test_bytes(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = {"${reduce{a:b}{}{x}}$a", "${reduce{a:b}{}{y}}$a",
                                        "${reduce{a:b}{}{z}}$a"};
    char value[1024];
    memset(value, '-', sizeof value);
    for (uint32_t i = 0; i < 3;
         i++) { /* the text that is read, and the value, which is one longer */
        struct str out;
        w->text = str_from(value, 511 + i - 1);
        vm_set_budget(w->fixture.vm, (struct vm_budget){.steps = 1000});
        assert_int_equal(vm_expand(w->fixture.vm, str_from_cstr(texts[i]), &out), VM_OK);
        assert_int_equal(out.n, 511 + i);
        vm_set_budget(w->fixture.vm, (struct vm_budget){.steps = 1});
        assert_int_equal(vm_expand(w->fixture.vm, str_from_cstr(texts[i]), &out),
                         i < 2 ? VM_OK : VM_ERROR);
    }
}

/* What is remembered lies in the cache: memory stays bounded while a value changes. */
static void
test_memory(void **state)
{
    struct world *w = *state;
    char value[200];
    memset(value, 'x', sizeof value);
    check(w, false, "${uc:$a}", "ONE");
    size_t before = arena_used(w->fixture.vm->cache);
    for (unsigned i = 0; i < 10000; i++) {
        struct arena_mark mark = arena_mark(w->fixture.vm->scratch);
        struct str out;
        value[0] = (char)('a' + i / 50 % 26);
        w->text = str_from(value, 1 + i / 50 % 200);
        assert_int_equal(vm_expand(w->fixture.vm, STR_LIT("${uc:$a}"), &out), VM_OK);
        assert_true(out.n == w->text.n && out.p[0] == value[0] - 'a' + 'A');
        vm_release(w->fixture.vm, mark);
    }
    assert_true(arena_used(w->fixture.vm->cache) - before < 16 * 1024);
}

/* Which code is remembered at all. */
static void
test_what_is_remembered(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        bool remembered;
    } rows[] = {
        {"${uc:$a}", true},
        {"${if match{$h_x:}{y}{$1}}", true},
        {"${address:$a}$f1", true},
        {"${if inlist{$a}{x:y}{$value}}", true},
        {"${uc:abc}", false}, /* a constant */
        {"$a${randint:5}", false},
        {"$a$runrc", false},
        {"$a${expand:b}", false},
        {"${sg{$a}{x}{\\$a}}", true},
        {"$a${if exists{/}{x}}", false},
        {"$a${if match_domain{a}{b}{x}}", false},
        {"$a${readfile{/x}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct code *c = expand_cached(w->fixture.vm, str_from_cstr(rows[i].text), false);
        if ((c->memo != NULL) != rows[i].remembered)
            fail_msg("%s", rows[i].text);
    }
    assert_null(expand_cached(w->fixture.vm, STR_LIT("eq{$a}{b}"), true)->memo);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_found_again),
        TEST(test_changed_in_place),
        TEST(test_taint_counts),
        TEST(test_headers_and_families),
        TEST(test_values_are_copies),
        TEST(test_outer_state),
        TEST(test_failures),
        TEST(test_variable_that_expands),
        TEST(test_variable_that_looks_out),
        TEST(test_asked_once),
        TEST(test_settings),
        TEST(test_replacements),
        TEST(test_given_up),
        TEST(test_limits),
        TEST(test_bytes),
        TEST(test_memory),
        TEST(test_what_is_remembered),
    };
#undef TEST
    return cmocka_run_group_tests_name("filter_vm_memo", tests, NULL, NULL);
}
