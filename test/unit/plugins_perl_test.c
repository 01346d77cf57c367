/* Unit tests of plugins/perl.c, linked in: a real interpreter. Texts are those that Exim gives. */
#include "filter/perl_plugin.h"
#include "filter_vm_fixture.h"
#include "sys/plugin.h"

#include <locale.h>

extern const struct plugin remex_plugin;

struct perl {
    struct fixture *f;
    void *interpreter;
    struct str why; /* of the start */
    struct buf log, debug;
};

static const struct perl_plugin *
plugin(void)
{
    return remex_plugin.objects[0];
}

static void
take_log(void *context, struct vm *vm, struct str text)
{
    struct perl *p = context;
    (void)vm;
    buf_adds(&p->log, text);
    buf_addc(&p->log, '\n');
}

static void
take_debug(void *context, struct vm *vm, struct str text)
{
    struct perl *p = context;
    (void)vm;
    buf_adds(&p->debug, text);
}

static struct perl *
start_mode(void **state, const char *code, bool taint)
{
    struct fixture *f = *state;
    struct perl *p = ARENA_NEW(f->arena, struct perl);
    struct perl_start s = {str_from_cstr(code), taint, p, take_log, take_debug};
    p->f = f;
    p->log = buf_in(f->arena, 0);
    p->debug = buf_in(f->arena, 0);
    p->interpreter = plugin()->start(f->arena, f->vm, &s, &p->why);
    assert_non_null(p->interpreter);
    return p;
}

static struct perl *
start(void **state, const char *code)
{
    return start_mode(state, code, false);
}

/* The value, "F" and the text of a forced failure, or "!" and the error. */
static const char *
call(struct perl *p, const char *name, struct str argument)
{
    const struct str argv[] = {str_from_cstr(name), argument};
    struct str out = STR_EMPTY;
    enum vm_status st =
        plugin()->call(p->interpreter, p->f->vm, argv, str_is_set(argument) ? 2 : 1, &out);
    const char *mark = st == VM_OK ? "" : st == VM_FORCED ? "F" : "!";
    if (st != VM_OK)
        out = vm_error(p->f->vm);
    return str_printf(p->f->arena, "%s%.*s", mark, STR_ARG(out)).p;
}

static void
end(struct perl *p)
{
    plugin()->stop(p->interpreter);
}

static void
values(void **state)
{
    struct perl *p = start(state, "sub hi { return \"hello @_\" } sub n { 42 } sub e { '' }\n"
                                  "sub a { my @a = (1, 2, 3); return @a } sub l { (7, 8, 9) }\n"
                                  "my $c = 0; sub inc { return ++$c }");
    assert_string_equal(call(p, "hi", STR_LIT("a b")), "hello a b");
    assert_string_equal(call(p, "hi", STR_NULL), "hello ");
    assert_string_equal(call(p, "n", STR_NULL), "42");
    assert_string_equal(call(p, "e", STR_NULL), "");
    assert_string_equal(call(p, "a", STR_NULL), "3");
    assert_string_equal(call(p, "l", STR_NULL), "9");
    assert_string_equal(call(p, "inc", STR_NULL), "1");
    assert_string_equal(call(p, "inc", STR_NULL), "2");
    end(p);
}

static void
nul_is_a_byte(void **state)
{
    struct perl *p =
        start(state, "sub len { return length($_[0]) } sub nul { return \"a\\0b\" }");
    const struct str argv[] = {STR_INIT("nul")};
    struct str out;
    assert_string_equal(call(p, "len", STR_LIT("a\0bc")), "4");
    assert_int_equal(plugin()->call(p->interpreter, p->f->vm, argv, 1, &out), VM_OK);
    assert_true(str_eq(out, STR_LIT("a\0b")));
    end(p);
}

static void
failures(void **state)
{
    struct perl *p = start(state, "sub u { return undef } sub d { die \"oh no\\n\" }\n"
                                  "sub ok { 'fine' }");
    assert_string_equal(call(p, "u", STR_NULL),
                        "FPerl subroutine \"u\" returned undef to force failure");
    assert_string_equal(call(p, "d", STR_NULL), "!oh no\n");
    assert_string_equal(call(p, "nosub", STR_NULL),
                        "!Undefined subroutine &main::nosub called.\n");
    assert_string_equal(call(p, "", STR_NULL), "!Undefined subroutine &main:: called.\n");
    assert_string_equal(call(p, "ok", STR_NULL), "fine");
    end(p);
}

static void
expand_string(void **state)
{
    struct perl *p =
        start(state, "sub e { my $x = Exim::expand_string($_[0]);\n"
                     "return defined $x ? \"[$x]\" : 'undef' }\n"
                     "sub v { my $x = eval { Exim::expand_string($_[0]) }; \"caught $@\" }\n"
                     "sub none { Exim::expand_string() }");
    assert_string_equal(call(p, "e", STR_LIT("$domain")), "[example.org]");
    assert_string_equal(call(p, "e", STR_LIT("${if eq{a}{b}{y}fail}")), "undef");
    const char *text = call(p, "e", STR_LIT("${nosuch:}"));
    assert_non_null(strstr(text, "!syntax error in Exim::expand_string argument: "
                                 "unknown expansion operator \"nosuch\" at "));
    text = call(p, "v", STR_LIT("${nosuch:}"));
    assert_int_equal(strncmp(text, "caught syntax error in Exim::expand_string", 42), 0);
    text = call(p, "none", STR_NULL);
    assert_int_equal(strncmp(text, "!Usage: Exim::expand_string(string) at ", 39), 0);
    end(p);
}

static void
log_and_debug(void **state)
{
    struct perl *p =
        start(state,
              "sub lg { Exim::log_write($_[0]); 1 } sub w { warn \"careful\\n\"; 2 }\n"
              "sub dbg { Exim::debug_write('a', \"b\\n\"); 3 } sub none { Exim::log_write() }");
    assert_string_equal(call(p, "lg", STR_LIT("a line")), "1");
    assert_string_equal(call(p, "w", STR_NULL), "2");
    assert_string_equal(call(p, "dbg", STR_NULL), "3");
    assert_string_equal(buf_str(&p->log).p, "a line\ncareful\n");
    assert_string_equal(buf_str(&p->debug).p, "ab\n");
    assert_int_equal(strncmp(call(p, "none", STR_NULL), "!Usage: Exim::log_write(string)", 31),
                     0);
    end(p);
}

static void
starting(void **state)
{
    struct perl *p = start(state, "sub a { 'before' } die 'nope'");
    assert_non_null(strstr(p->why.p, "nope at "));
    end(p);
    p = start(state, "this is no perl (");
    assert_true(p->why.n > 0);
    end(p);
    p = start(state, "use POSIX; sub f { POSIX::floor($_[0]) } sub t { ${^TAINT} }");
    assert_false(str_is_set(p->why));
    assert_string_equal(call(p, "f", STR_LIT("3.7")), "3");
    assert_string_equal(call(p, "t", STR_NULL), "0");
    end(p);
    p = start_mode(state, "sub t { ${^TAINT} }", true);
    assert_string_equal(call(p, "t", STR_NULL), "1");
    end(p);
}

static void
locale_stays(void **state)
{
    setenv("LC_ALL", "C.UTF-8", 1);
    char *before = strdup(setlocale(LC_ALL, NULL));
    struct perl *p = start(state, "1");
    assert_string_equal(setlocale(LC_ALL, NULL), before);
    free(before);
    end(p);
    unsetenv("LC_ALL");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nul_is_a_byte, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(failures, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(expand_string, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(log_and_debug, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(starting, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(locale_stays, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
