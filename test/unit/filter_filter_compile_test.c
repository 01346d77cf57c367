/* Unit tests of the filter front end: words, commands, conditions, the actions that a run sets up, and errors with their
 * places. */
#include "filter_vm_fixture.h"

#include "filter/filter_compile.h"

/* What a run did, a line an action, then how it ended. */
struct outcome {
    struct filter_run run;
    struct diag diag;
    int64_t counters[10];
};

static void
apply(void *ctx, const struct filter_action *a)
{
    struct outcome *o = ctx;
    if (a->id == FILTER_ADD)
        o->counters[a->counter] += a->number;
}

static void
add_action(struct buf *b, const struct filter_action *a)
{
    buf_printf(b, "%s%s", (a->flags & FILTER_UNSEEN) != 0 ? "unseen " : "",
               filter_action_word(a->id));
    for (unsigned i = 0; i < a->argc; i++) {
        if (str_is_set(a->argv[i]))
            buf_printf(b, " <%.*s>", STR_ARG(a->argv[i]));
    }
    buf_addz(b, (a->flags & FILTER_NOERROR) != 0 ? " noerror; " : "; ");
}

static struct str
run(struct fixture *f, struct outcome *o, const char *text, unsigned flags)
{
    struct buf b = buf_in(f->arena, 0);
    const struct filter_program *p =
        filter_compile(f->arena, f->vm, STR_LIT("test"), str_from_cstr(text), flags);
    *o = (struct outcome){.diag = {.level = DIAG_ERROR}};
    o->run.arena = f->arena;
    o->run.system = (flags & FILTER_SYSTEM) != 0;
    o->run.local_part = STR_LIT("me");
    o->run.domain = o->run.qualify = STR_LIT("example.org");
    o->run.prefix = o->run.suffix = STR_EMPTY;
    o->run.ctx = o;
    o->run.apply = apply;
    enum vm_status st = filter_run(f->vm, p, &o->run, &o->diag);
    for (size_t i = 0; i < o->run.actions.n; i++)
        add_action(&b, &o->run.actions.v[i]);
    if (st != VM_OK)
        buf_printf(&b, "!%.*s", STR_ARG(vm_error(f->vm)));
    else if (o->run.delivered)
        buf_addz(&b, "delivered");
    return str_dup(f->arena, buf_str(&b));
}

static void
check(void **state, const char *text, const char *expected)
{
    struct outcome o;
    struct str got = run(*state, &o, text, 0);
    assert_string_equal(got.p, expected);
}

static void
check_system(void **state, const char *text, const char *expected)
{
    struct outcome o;
    struct str got = run(*state, &o, text, FILTER_SYSTEM);
    assert_string_equal(got.p, expected);
}

static void
first_line(void **state)
{
    (void)state;
    assert_int_equal(filter_kind(STR_LIT("# Exim filter\nx")), FILTER_KIND_EXIM);
    assert_int_equal(filter_kind(STR_LIT("#eximfilter")), FILTER_KIND_EXIM);
    assert_int_equal(filter_kind(STR_LIT("\n#  eXIM \t filter rules")), FILTER_KIND_EXIM);
    assert_int_equal(filter_kind(STR_LIT("# Sieve filter")), FILTER_KIND_SIEVE);
    assert_int_equal(filter_kind(STR_LIT("Exim filter")), FILTER_KIND_NONE);
    assert_int_equal(filter_kind(STR_LIT("# Exim")), FILTER_KIND_NONE);
    assert_int_equal(filter_kind(STR_EMPTY), FILTER_KIND_NONE);
}

static void
deliveries(void **state)
{
    check(state, "", "");
    check(state, "# only a comment", "");
    check(state, "deliver a@b", "deliver <a@b>; delivered");
    check(state, "deliver xx", "deliver <xx@example.org>; delivered");
    check(state, "deliver a@b errors_to ME@example.org deliver c@d",
          "deliver <a@b> <ME@example.org>; deliver <c@d>; delivered");
    check(state, "deliver a@b errors_to x@y", "!errors_to must point to the caller's address");
    check_system(state, "deliver a@b errors_to x@y", "deliver <a@b> <x@y>; delivered");
    check(state, "unseen save $domain/x 640", "unseen save <example.org/x> <640>; ");
    check(state, "save \"a b\"", "save <a b>; delivered");
    check(state, "noerror pipe \"/bin/cat $domain\"",
          "pipe </bin/cat $domain> noerror; delivered");
    check(state, "seen finish save x", "finish; delivered");
    check(
        state, "deliver \"a b\"",
        "!malformed address \"a b\" in filter file: missing or malformed local part (expected "
        "word or \"<\")");
}

static void
strings(void **state)
{
    check(state, "testprint \"a\\nb\\t\\x41\\101\\q\\\"\"", "testprint <a\nb\tAAq\">; ");
    check(state, "testprint \"a\\  \n   b\"", "testprint <ab>; ");
    check(state, "testprint a#b", "testprint <a#b>; ");
    check(state, "testprint \\N$x\\N", "testprint <$x>; ");
    check(state, "testprint \"a\nb\"", "!quote missing at end of string in line 1");
    check(state, "testprint \"", "!quote missing at end of string in line 1");
    check(state, "testprint \"\"",
          "!\"testprint\" requires an argument near line 1 of filter file");
}

/* Words and strings have 1023 bytes at most. */
static void
long_words(void **state)
{
    char text[1100];
    for (int n = 1022; n <= 1024; n++) {
        for (int quoted = 0; quoted < 2; quoted++) {
            char word[1025];
            memset(word, 'x', (size_t)n);
            word[n] = '\0';
            (void)snprintf(text, sizeof text, quoted ? "save \"%s\"" : "save %s", word);
            struct outcome o;
            struct str got = run(*state, &o, text, 0);
            assert_int_equal(got.p[0], n <= 1023 ? 's' : '!');
        }
    }
}

static void
conditions(void **state)
{
    check(state, "if $domain is EXAMPLE.org then save x endif", "save <x>; delivered");
    check(state, "if $domain IS EXAMPLE.org then save x else save y endif",
          "save <y>; delivered");
    check(state, "if a is b or b is b and c is d then save x elif a is a then save y endif",
          "save <y>; delivered");
    check(state, "if (a is a or b is b) and not c is d then save x endif",
          "save <x>; delivered");
    check(state, "if abc does not contain B then save x else save y endif",
          "save <y>; delivered");
    check(state, "if abc contains \"\" then save x endif", "");
    check(state, "if abc begins AB and abc ends BC and abc ENDS c then save x endif",
          "save <x>; delivered");
    check(state, "if abc matches \"(B)c\" then save $1$0 endif", "save <bbc>; delivered");
    check(state, "if a.c matches A\\\\.C then save $0 endif", "save <a.c>; delivered");
    check(state, "if abc matches \"(\" then save x endif",
          "!error while compiling regular expression \"(\": missing closing parenthesis at "
          "offset 1");
    check(state, "if 10k is above 10239 and 010 is below 9 then save x endif",
          "save <x>; delivered");
    check(state, "if x is above 1 then save x endif", "!malformed numerical string \"x\"");
    check(state, "if not delivered then save x endif if delivered then save y endif",
          "save <x>; save <y>; delivered");
    check(state, "if first_delivery or error_message or manually_thawed then save x endif", "");
}

static void
syntax_errors(void **state)
{
    check(state, "save x\nfoo",
          "!unknown filtering command \"foo\" near line 2 of filter file");
    check(state, "if", "!\"then\" missing at end of filter file");
    check(state, "if a is b then save x", "!\"endif\" missing at end of filter file");
    check(state, "if a is b\nfinish endif",
          "!\"and\" or \"or\" or \"then\" expected near line 3 of filter file, but found "
          "\"finish\"");
    check(state, "if a is b) then endif", "!unexpected \")\" in line 1 of filter file");
    check(state, "if (a is b then endif",
          "!missing \")\" at end of condition near line 1 of filter file");
    check(state, "if a foo b then endif",
          "!unrecognized condition word \"foo\" near line 1 of filter file");
    check(state, "if foranyaddress a is b then endif",
          "!\"(\" expected after \"foranyaddress\" near line 1 of filter file");
    check(state, "endif", "!unexpected \"endif\" command near line 1 of filter file");
    check(state, "seen unseen save x", "!\"seen\" or \"unseen\" repeated near line 1");
    check(state, "noerror", "!\"noerror\" near line 1 is not followed by a command");
    check(state, "seen if a is a then endif",
          "!\"seen\", \"unseen\", or \"noerror\" found before an \"if\" command near line 1");
    check(state, "fail", "!filtering command \"fail\" is disabled: near line 1 of filter file");
    check(state, "headers add \"a: b\"",
          "!header addition and removal is available only in system filters: near line 1 of "
          "filter file");
}

/* The parentheses of a condition, and its terms, are bounded. */
static void
deep_conditions(void **state)
{
    char text[2048];
    struct fixture *f = *state;
    struct outcome o;
    for (int n = 500; n <= 501; n++) {
        (void)snprintf(text, sizeof text, "if ");
        memset(text + 3, '(', (size_t)n);
        (void)snprintf(text + 3 + n, 100, "a is a");
        memset(text + 9 + n, ')', (size_t)n);
        (void)snprintf(text + 9 + 2 * n, 100, " then save x endif");
        struct str got = run(*state, &o, text, 0);
        assert_int_equal(got.p[0], n <= 500 ? 's' : '!');
    }
    for (int n = 200; n <= 201; n++) {
        struct buf b = buf_in(f->arena, 0);
        for (int i = 0; i < n; i++)
            buf_addz(&b, "if a is a then ");
        for (int i = 0; i < n; i++)
            buf_addz(&b, " endif");
        struct str got = run(*state, &o, str_cstr(f->arena, buf_str(&b)), 0);
        assert_int_equal(got.n > 0, n == 201);
    }
}

static void
mail_and_counters(void **state)
{
    struct outcome o;
    check(state, "mail to a@b subject \"x $domain\" return message",
          "mail <a@b> <x example.org>; ");
    check(state, "vacation text hi",
          "vacation <On vacation> <hi> <.vacation.msg> <.vacation.log> <.vacation> <7d>; ");
    check(state, "mail subject \"a\\nb\"",
          "!\\n not followed by space in \"a\\nb\" in mail command");
    check(state, "add 1 to n10", "!unknown variable \"n10\" in \"add\" command");
    check(state, "add 1k to n1", "!malformed number \"1k\" in \"add\" command");
    (void)run(*state, &o, "add 0x10 to n3 add -5 to n3 add 010 to n0", 0);
    assert_int_equal(o.counters[3], 11);
    assert_int_equal(o.counters[0], 8);
    check_system(state, "headers add \"a: b\" headers remove x fail text no save y",
                 "headers add <a: b>; headers remove <x>; fail <no>; ");
    (void)run(*state, &o, "freeze save y", FILTER_SYSTEM);
    assert_int_equal(o.run.ended, FILTER_FREEZE);
}

/* A broken expansion fails only when it is reached, and names its place. */
static void
places(void **state)
{
    struct outcome o;
    check(state, "if a is b then save ${foo} else save x endif", "save <x>; delivered");
    struct str got = run(*state, &o, "save x\nif a is a then\n  save \"a\\tb${foo}\" endif", 0);
    assert_string_equal(got.p, "save <x>; !failed to expand \"a\tb${foo}\" in save command: "
                               "unknown variable in \"${foo}\"");
    assert_int_equal(o.diag.at.line, 3);
    assert_int_equal(o.diag.at.col, 15);
    got = run(*state, &o, "if ${foo} is a then endif", 0);
    assert_string_equal(got.p,
                        "!failed to expand \"${foo}\" in filter file: unknown variable in "
                        "\"${foo}\"");
    got = run(*state, &o, "save x\n  bad", 0);
    assert_int_equal(o.diag.at.line, 2);
    assert_int_equal(o.diag.at.col, 3);
}

static void
check_listing(struct fixture *f, const char *text, const char *expected)
{
    struct buf b = buf_in(f->arena, 0);
    const struct filter_program *p = filter_compile(f->arena, f->vm, STR_LIT("n"),
                                                    str_dup(f->arena, str_from_cstr(text)), 0);
    filter_list(&b, f->arena, f->vm, p);
    assert_string_equal(str_dup(f->arena, buf_str(&b)).p, expected);
}

/* A test of a header field against a constant is one instruction; what stood before is taken over from there; arguments
 * are left for later. */
static void
listings(void **state)
{
    check_listing(
        *state,
        "if $h_subject: contains \"a\\\\.b\" or $h_subject: contains $domain then\n"
        "save $home/x 600 finish endif",
        "; 10 words, 4 constants, stack 2\n"
        "0000  1:4     IF        -> 0004  header \"subject\" contains \"a.b\"\n"
        "0002  1:36    IFNOT     -> 0009  header \"subject\" contains the expansion of "
        "\"$domain\"\n"
        "0004  2:6     TEXT      \"$home/x\"\n"
        "0005  2:14    CONST     \"600\"\n"
        "0006  2:1     ACTION    save/2\n"
        "0008  2:18    FINISH\n"
        "0009  2:18    ANSWER\n");
    check_listing(
        *state,
        "if $domain MATCHES \"x\\\\\\\\.y\" and not (\"$h_a: b\" is c or delivered) then\n"
        "seen finish endif",
        "; 12 words, 2 constants, stack 0\n"
        "0000  1:4     IFNOT     -> 0011  domain matches, case counts the text \"x.y\"\n"
        "0002  1:39    IF        -> 0011  \"$h_a: b\" is \"c\"\n"
        "0004  1:52    ASK       delivered/0\n"
        "0006  1:52    NOT\n"
        "0007  1:52    JUMPF     -> 0011\n"
        "0008  2:6     ACTION    seen finish/0\n"
        "0010  2:6     ANSWER\n"
        "0011  2:6     ANSWER\n");
}

/* Tests whose beginning was read before, with other negations and other second values. */
static void
phrases(void **state)
{
    check(state,
          "if $domain does not contain EXAMPLE then save a endif\n"
          "if not $domain does not contain EXAMPLE then save b endif\n"
          "if $domain does not contain zzzzzz then save c endif\n"
          "if $domain contains # comment\n EXAMPLE then save d endif\n"
          "if $domain contains # comment\n zzzzzz then save e endif\n"
          "if $domain is example.org and $domain is not x.example.org then save f endif\n"
          "if $domain is \"example.org\" and $domain is \"x.example.org\" then save g endif",
          "save <b>; save <c>; save <d>; save <f>; delivered");
    check(state, "if $domain contains example and $domain contains ( then save a endif",
          "!unexpected \"(\" in line 1 of filter file");
}

/* A rule that is made like an earlier one runs the code of that one. */
static void
repeated_rules(void **state)
{
    check_listing(*state,
                  "if $domain contains \"a\" then save x finish endif\n"
                  "if $domain contains \"b\" then save yy finish endif\n"
                  "if $domain contains \"c$c\" then save z finish endif\n",
                  "; 15 words, 6 constants, stack 0\n"
                  "0000  1:4     IFNOT     -> 0005  domain contains \"a\"\n"
                  "0002  1:30    ACTIONT   save \"x\"\n"
                  "0004  1:37    FINISH\n"
                  "0005  1:37    RULEEND\n"
                  "0006  2:1     RULE      -> 0000  constants +2\n"
                  "0008  3:4     IFNOT     -> 0013  domain contains the expansion of \"c$c\"\n"
                  "0010  3:32    ACTIONT   save \"z\"\n"
                  "0012  3:39    FINISH\n"
                  "0013  3:39    RULEEND\n"
                  "0014  3:39    ANSWER\n");
    check(state,
          "if $domain contains \"zz\" then save a endif\n"
          "if $domain contains \"exam\" then save b endif\n"
          "if $domain contains \"ORG\" then unseen save c endif # another\n"
          "if $domain contains \"yy\" then save d endif\n"
          "if $domain contains \"\" then save e endif\n"
          "if $domain contains \"e\\.o\" then save \"f g\" endif\n"
          "if $domain contains \"e\\x2eo\" then save \"g\" endif\n"
          "if $domain contains \"$domain\" then save \"h\\ti\" endif\n"
          "save end of the text that can be read in wide steps",
          "!unknown filtering command \"of\" near line 9 of filter file");
    check(state,
          "if $domain contains \"zz\" then save a endif\n"
          "if $domain contains \"exam\" then save b endif\n"
          "if $domain contains \"ORG\" then unseen save c endif # another\n"
          "if $domain contains \"yy\" then save d endif\n"
          "if $domain contains \"\" then save e endif\n"
          "if $domain contains \"e\\.o\" then save \"f g\" endif\n"
          "if $domain contains \"e\\x2eo\" then save \"g\" endif\n"
          "if $domain contains \"$domain\" then save \"h\\ti\" endif\n"
          "# end of the text that can be read in wide steps",
          "save <b>; unseen save <c>; save <f g>; save <g>; save <h\ti>; delivered");
}

/* Words that a value must not be taken for, in the place of one. */
static void
repeated_words(void **state)
{
    check(state,
          "if $domain is example.org then save a endif\n"
          "if $domain is not then then save b endif\n"
          "if $domain is example.org then save #c\n d endif\n"
          "if $domain is example.org then save endif\n endif # end of the text, in wide steps",
          "save <a>; save <b>; save <d>; save <endif>; delivered");
    check(state,
          "if $domain is \"a\" then deliver a@b endif\n"
          "if $domain is \"example.org\" then deliver c@d errors_to me@example.org endif\n"
          "if $domain is \"example.org\" then deliver e@f endif(\n"
          "# end of the text, in wide steps",
          "!unknown filtering command \"\" near line 4 of filter file");
    check(
        state,
        "if $domain is \"a\" then if $domain is \"a\" then save a endif else save x endif\n"
        "if $domain is \"b\" then if $domain is \"b\" then save b endif else save y endif\n"
        "if $domain is \"example.org\" then if $domain is \"z\" then save c endif else save z "
        "endif\n",
        "save <x>; save <y>; delivered");
}

/* Patterns that are texts, and others, in rules that repeat. */
static void
repeated_patterns(void **state)
{
    check(state,
          "if $domain matches \"exam\\\\\\\\.x\" then testprint \"a $0\" endif\n"
          "if $domain matches \"MPLE\\\\\\\\.O\" then testprint \"b $0\" endif\n"
          "if $domain matches \"(m)p.e\" then testprint \"c $1\" endif\n"
          "if $domain matches \"e\\\\.o\" then testprint \"d $0\" endif\n"
          "if $domain matches \"e\\\\x2eo\" then testprint \"e $0\" endif\n"
          "if $domain matches \"ple\\\\\\\\.\" then testprint \"f $0\" endif\n"
          "# end of the text, in wide steps",
          "testprint <b mple.o>; testprint <c m>; testprint <d e.o>; testprint <e e.o>; "
          "testprint <f ple.>; ");
    check(
        state,
        "if $domain matches \"zz\" then testprint \"a $0\" endif\n"
        "if $domain matches \"[\" then testprint \"b $0\" endif\n"
        "# end of the text, in wide steps",
        "!error while compiling regular expression \"[\": missing terminating ] for character "
        "class at offset 1");
}

/* An error in a rule that repeats is named where it is. */
static void
repeated_errors(void **state)
{
    struct outcome o;
    struct str got = run(*state, &o,
                         "if $domain contains \"e\" then unseen save x endif\n"
                         "if $domain contains \"x\" then unseen save ${foo} endif\n"
                         "if $domain contains \"z\" then unseen save ${foo} endif\n"
                         "if $domain contains \"m\" then unseen save y${bar} endif\n"
                         "# end of the text, in wide steps",
                         0);
    assert_string_equal(got.p, "unseen save <x>; !failed to expand \"${foo}\" in save command: "
                               "unknown variable in \"${foo}\"");
    assert_int_equal(o.diag.at.line, 2);
    assert_int_equal(o.diag.at.col, 44);
    got = run(*state, &o,
              "if $domain is \"e\" then deliver x@y endif\n"
              "if $domain is \"a\" then deliver x@y endif\n"
              "if $domain is \"example.org\" then deliver \"x y\" endif\n"
              "if $domain is \"example.org\" then deliver \"x@@y\" endif\n"
              "# end of the text, in wide steps",
              0);
    assert_int_equal(got.p[0], '!');
    assert_int_equal(o.diag.at.line, 3);
    assert_int_equal(o.diag.at.col, 34);
    got = run(*state, &o,
              "if $message_size is above \"1\" or $domain is \"a\" then save x endif\n"
              "if $domain is above \"2\" or $domain is \"a\" then save x endif\n"
              "if $domain is above \"3\" or $domain is \"b\" then save x endif\n",
              0);
    assert_int_equal(got.p[0], '!');
}

/* As many terms as one likes; with a trace, whose texts grow with their square, a thousand. */
static void
many_terms(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    static const unsigned flags[] = {0, FILTER_TRACE_CONDITIONS};
    for (unsigned i = 0; i < 4; i++) {
        for (int n = 999; n <= 1001; n++) {
            struct buf b = buf_in(f->arena, 0);
            buf_addz(&b, "if a is b");
            for (int k = 1; k < n; k++)
                buf_printf(&b, " %s a is %s", i < 2 ? "or" : "and", k + 1 == n ? "a" : "c");
            buf_addz(&b, i < 2 ? " then save x endif" : " then save y else save x endif");
            struct str got = run(f, &o, str_dup(f->arena, buf_str(&b)).p, flags[i & 1]);
            bool refused = (i & 1) != 0 && n > 1000;
            assert_string_equal(got.p, refused
                                           ? "!condition is too long near line 1 of filter file"
                                           : "save <x>; delivered");
        }
    }
}

static void
long_files(void **state)
{
    struct fixture *f = *state;
    for (size_t n = FILTER_TEXT_MAX - 1; n <= FILTER_TEXT_MAX + 1; n++) {
        struct arena *a = arena_new();
        char *text = arena_alloc(a, n + 1);
        memset(text, '#', n);
        text[n] = '\0';
        const struct filter_program *p =
            filter_compile(a, f->vm, STR_LIT("n"), str_from(text, n), 0);
        assert_int_equal(str_is_set(filter_syntax_error(p)), n > FILTER_TEXT_MAX);
        arena_free(a);
    }
}

/* Exim counts lines twice that it has looked at ahead. */
static void
lines_looked_at_twice(void **state)
{
    check(state, "deliver a@b\nfinish\nbad\n",
          "!unknown filtering command \"bad\" near line 5 of filter file");
    check(state, "if $domain is \"a\"\nthen endif if $domain is \"b\"\nthen bad endif",
          "!unknown filtering command \"bad\" near line 5 of filter file");
    check(state, "testprint \"a\\\n b\\\n c", "!quote missing at end of string in line 3");
}

/* The same program twice, and its listing. */
static void
programs(void **state)
{
    struct fixture *f = *state;
    struct buf b = buf_in(f->arena, 0);
    const struct filter_program *p = filter_compile(f->arena, f->vm, STR_LIT("n"),
                                                    STR_LIT("if a is b\nthen save x endif"), 0);
    filter_list(&b, f->arena, f->vm, p);
    assert_string_equal(str_dup(f->arena, buf_str(&b)).p,
                        "; 5 words, 2 constants, stack 0\n"
                        "0000  1:4     IFNOT     -> 0004  \"a\" is \"b\"\n"
                        "0002  2:6     ACTIONT   save \"x\"\n"
                        "0004  2:11    ANSWER\n");
    for (int i = 0; i < 2; i++) {
        struct filter_run r = {.arena = f->arena};
        assert_int_equal(filter_run(f->vm, p, &r, NULL), VM_OK);
        assert_false(r.delivered);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_line, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(deliveries, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(strings, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(long_words, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(conditions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(syntax_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(deep_conditions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(mail_and_counters, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(places, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(listings, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(phrases, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(repeated_rules, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(repeated_words, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(repeated_patterns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(repeated_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_terms, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(long_files, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lines_looked_at_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(programs, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_filter_compile", tests, NULL, NULL);
}
