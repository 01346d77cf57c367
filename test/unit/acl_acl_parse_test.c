/* The parser of ACLs: the model it makes, and its errors in Exim's words with their places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acl/acl.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

#include <string.h>

enum { LINES_MAX = 32 };

struct parsed {
    struct arena *arena;
    struct diags *diags;
    const struct acl_set *set;
    bool ok;
};

/* Each line of the text is a logical line of the section; line numbers count from 1. */
static struct parsed
parse(const char *text)
{
    struct parsed p = {.arena = arena_new()};
    p.diags = diags_new(p.arena, 0);
    struct source *src = ARENA_NEW(p.arena, struct source);
    src->name = STR_LIT("conf");
    src->text = str_from_cstr(text);
    struct conf_line *lines = ARENA_ARRAY(p.arena, struct conf_line, LINES_MAX);
    size_t n = 0;
    for (size_t at = 0; at <= src->text.n && n < LINES_MAX; n++) {
        size_t end = str_chr(src->text, '\n', at);
        end = end == STR_NPOS ? src->text.n : end;
        struct textmap_run *run = ARENA_NEW(p.arena, struct textmap_run);
        *run = (struct textmap_run){.line = (uint32_t)n + 1, .col = 1};
        struct textmap *map = ARENA_NEW(p.arena, struct textmap);
        *map = (struct textmap){.source = src, .runs = run, .n = 1};
        lines[n] = (struct conf_line){
            .text = str_sub(src->text, at, end - at), .map = map, .line = (uint32_t)n + 1};
        at = end + 1;
    }
    void *set = NULL;
    p.ok = acl_section.parse(p.arena, lines, n, p.diags, &set);
    p.set = set;
    return p;
}

static void
test_model(void **state)
{
    (void)state;
    struct parsed p = parse("check_rcpt:\n"
                            "accept hosts = : \n"
                            "deny message = no\n"
                            "!hosts = +relay\n"
                            "! verify = sender/callout\n"
                            "set acl_m_x = $domain\n"
                            "empty :\n"
                            "last: what follows is ignored\n"
                            "accept endpass");
    assert_true(p.ok);
    assert_int_equal(diags_total(p.diags), 0);
    const struct acl *acl = acl_find(p.set, STR_LIT("check_rcpt"));
    assert_non_null(acl);
    assert_int_equal(acl->where.line, 1);
    assert_int_equal(acl->statements.n, 2);
    const struct acl_statement *st = &acl->statements.v[0];
    assert_int_equal(st->verb, ACL_VERB_ACCEPT);
    assert_int_equal(st->items.n, 1);
    assert_int_equal(st->items.v[0].word, ACL_COND_HOSTS);
    assert_true(str_eqz(st->items.v[0].arg.text, ": "));
    st = &acl->statements.v[1];
    assert_int_equal(st->verb, ACL_VERB_DENY);
    assert_int_equal(st->items.n, 4);
    assert_int_equal(st->items.v[0].word, ACL_MOD_MESSAGE);
    assert_true(st->items.v[1].negated);
    assert_true(st->items.v[2].negated);
    assert_int_equal(st->items.v[2].word, ACL_COND_VERIFY);
    assert_true(str_eqz(st->items.v[2].arg.text, "sender/callout"));
    assert_int_equal(st->items.v[3].word, ACL_MOD_SET);
    assert_true(str_eqz(st->items.v[3].variable, "acl_m_x"));
    assert_true(str_eqz(st->items.v[3].arg.text, "$domain"));
    assert_int_equal(textmap_span(st->items.v[3].arg.map, 0, 1).line, 6);
    assert_int_equal(textmap_span(st->items.v[3].arg.map, 0, 1).col, 15);
    assert_int_equal(acl_find(p.set, STR_LIT("empty"))->statements.n, 0);
    acl = acl_find(p.set, STR_LIT("last"));
    assert_int_equal(acl->statements.v[0].items.v[0].word, ACL_MOD_ENDPASS);
    assert_null(acl->statements.v[0].items.v[0].arg.text.p);
    assert_null(acl_find(p.set, STR_LIT("none")));
    assert_null(acl_find(NULL, STR_LIT("last")));
    arena_free(p.arena);
}

static const struct {
    const char *text, *exim;
    uint32_t line, col, n;
} faults[] = {
    {"x:\nfoo hosts=a", "error in ACL: unknown ACL verb \"foo\" in \"foo hosts=a\"", 2, 1, 3},
    {"x:\naccept foo=a", "error in ACL: unknown ACL condition/modifier in \"accept foo=a\"", 2,
     8, 3},
    {"x:\naccept\n!! hosts=a", "error in ACL: unknown ACL condition/modifier in \"!! hosts=a\"",
     3, 2, 1},
    {"x:\naccept hosts", "error in ACL: \"=\" missing after ACL \"hosts\" condition", 2, 8, 5},
    {"x:\naccept message a", "error in ACL: \"=\" missing after ACL \"message\" modifier", 2, 8,
     7},
    {"x:\naccept !control = freeze",
     "error in ACL: ACL error: negation is not allowed with \"control\"", 2, 9, 7},
    {"x:\ndeny endpass", "error in ACL: ACL error: \"endpass\" is not allowed with \"deny\"", 2,
     6, 7},
    {"x:\n!accept", "error in ACL: malformed ACL line \"!accept\"", 2, 1, 1},
    {"x:\n=b", "error in ACL: unknown ACL verb \"\" in \"=b\"", 2, 1, 1},
    {"x:\nwarn set foo = b",
     "error in ACL: invalid variable name after \"set\" in ACL modifier \"set foo = b\" (must "
     "start \"acl_c\" or \"acl_m\")",
     2, 10, 3},
    {"x:\nwarn set acl_mx = b",
     "error in ACL: invalid variable name after \"set\" in ACL modifier \"set acl_mx = b\" "
     "(digit or underscore must follow acl_c or acl_m)",
     2, 10, 6},
    {"x:\nwarn set acl_m_a.b = 4",
     "error in ACL: invalid character \".\" in variable name in ACL modifier \"set acl_m_a.b = "
     "4\"",
     2, 17, 1},
    {"x:\nwarn set dkim_verify_foo = 4",
     "error in ACL: invalid variable name after \"set\" in ACL modifier \"set dkim_verify_foo "
     "= 4\" (only \"dkim_verify_status\" or \"dkim_verify_reason\" permitted)",
     2, 10, 15},
    {"x:\nwarn set acl_c0", "error in ACL: \"=\" missing after ACL \"set\" modifier", 2, 6, 3},
    {"accept", "missing or malformed ACL name", 1, 1, 6},
    {"1x:\naccept", "missing or malformed ACL name", 1, 1, 3},
    {"x y:\naccept", "missing or malformed ACL name", 1, 1, 4},
    {"x:\naccept\nx:\ndeny", "there are two ACLs called \"x\"", 3, 1, 1},
};

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct parsed p = parse(faults[i].text);
        assert_false(p.ok);
        assert_int_equal(diags_total(p.diags), 1);
        const struct diag *d = diags_at(p.diags, 0);
        assert_string_equal(str_cstr(p.arena, d->exim), faults[i].exim);
        assert_int_equal(d->at.line, faults[i].line);
        assert_int_equal(d->at.col, faults[i].col);
        assert_int_equal(d->at.n, faults[i].n);
        arena_free(p.arena);
    }
}

static void
test_hints(void **state)
{
    (void)state;
    struct parsed p = parse("x:\nacept hosts = a\nmessage = b\naccept\nhostz = a\nmesage = b");
    assert_int_equal(diags_total(p.diags), 3); /* the line after a wrong verb is left alone */
    assert_true(str_eqz(diags_at(p.diags, 0)->hint, "accept"));
    assert_true(str_eqz(diags_at(p.diags, 1)->hint, "hosts"));
    assert_true(str_eqz(diags_at(p.diags, 2)->hint, "message"));
    assert_true(
        str_eqz(diags_at(p.diags, 1)->text, "unknown ACL condition/modifier in \"hostz = a\""));
    arena_free(p.arena);
}

static void
test_name_length(void **state)
{
    (void)state;
    char text[128];
    for (size_t n = ACL_NAME_MAX - 1; n <= ACL_NAME_MAX + 1; n++) {
        memset(text, 'a', n);
        memcpy(text + n, ":\naccept", sizeof ":\naccept");
        struct parsed p = parse(text);
        assert_int_equal(p.ok, n <= ACL_NAME_MAX);
        if (!p.ok)
            assert_true(str_starts(diags_at(p.diags, 0)->exim,
                                   "exim item name too long (>64), unable to use \"aaaa"));
        arena_free(p.arena);
    }
}

static void
test_text(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct acl *acl = acl_parse_text(a,
                                     STR_LIT("# comment\n"
                                             "  accept message = \\\n"
                                             "    # within\n"
                                             "     a \\\n"
                                             "  b\n\n"
                                             "  deny condition = 1"),
                                     NULL, d);
    assert_non_null(acl);
    assert_null(acl->name.p);
    assert_int_equal(acl->statements.n, 2);
    assert_true(str_eqz(acl->statements.v[0].items.v[0].arg.text, "a b"));
    assert_int_equal(acl->statements.v[1].verb, ACL_VERB_DENY);
    assert_null(acl_parse_text(a, STR_LIT("accept hosts"), NULL, d));
    assert_int_equal(diags_total(d), 1);
    assert_non_null(acl_parse_text(a, STR_LIT(""), NULL, d));
    assert_non_null(acl_parse_text(a, STR_LIT("accept \\"), NULL, d));
    assert_null(acl_parse_text(a, STR_LIT("accept\0message = x"), NULL, d));
    arena_free(a);
}

/* Places in an ACL that stands in an option lead back to the file. */
static void
test_text_places(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct source src = {.name = STR_INIT("conf")};
    struct textmap_run runs[] = {{.at = 0, .line = 7, .col = 20}};
    struct textmap map = {.source = &src, .runs = runs, .n = 1};
    assert_null(acl_parse_text(a, STR_LIT("accept\n  hostz = x"), &map, d));
    assert_int_equal(diags_at(d, 0)->at.line, 7);
    assert_int_equal(diags_at(d, 0)->at.col, 29);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_hints), cmocka_unit_test(test_name_length),
        cmocka_unit_test(test_text),  cmocka_unit_test(test_text_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
