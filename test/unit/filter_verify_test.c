/* Unit tests of filter/verify.c: code that is not sound is refused, whatever wrote it. */
#include "filter_vm_fixture.h"

#include "filter/code.h"
#include "filter/filter_code.h"
#include "filter/filter_run.h"
#include "filter/verify.h"

static const struct str one_constant[] = {STR_INIT("x")};

static const struct filter_operand one_operand[] = {
    {.text = STR_INIT("subject"), .number = 0, .kind = FILTER_OPERAND_HEADER}};
static const struct filter_test_row one_test[] = {{.operand = 0, .constant = 0}};
static const struct filter_tables one_of_each = {
    .operands = one_operand, .operands_n = 1, .tests = one_test, .tests_n = 1};

static const char *
verdict_with(struct fixture *f, const struct filter_tables *t, const uint32_t *ins, uint32_t n)
{
    const char *why = "sound";
    uint32_t where;
    struct code c = {.ins = ins,
                     .n = n,
                     .consts = one_constant,
                     .consts_n = 1,
                     .host = &f->host,
                     .filter = t};
    return code_verify(f->arena, &c, &why, &where) ? "sound" : why;
}

static const char *
verdict(struct fixture *f, const uint32_t *ins, uint32_t n)
{
    return verdict_with(f, &one_of_each, ins, n);
}

#define WORD(op, a) ((uint32_t)(op) | (uint32_t)(a) << 8)
#define CHECK(expected, ...)                                                                   \
    do {                                                                                       \
        const uint32_t words[] = {__VA_ARGS__};                                                \
        assert_string_equal(verdict(*state, words, sizeof words / sizeof *words), expected);   \
    } while (0)

static void
sound_code_passes(void **state)
{
    CHECK("sound", OP_EMPTY, OP_RETURN);
    CHECK("sound", WORD(OP_CONST, 0), OP_EMPTY, WORD(OP_CONCAT, 2), OP_RETURN);
    CHECK("sound", WORD(OP_TEXT, 0), WORD(OP_IF, 3), 0, OP_POP, WORD(OP_ACTIONT, 1), 0,
          OP_EMPTY, OP_RETURN);
    CHECK("sound", OP_TRUE, WORD(OP_JUMPF, 3), WORD(OP_THROW, 0), OP_EMPTY, OP_RETURN);
}

static void
operands_are_checked(void **state)
{
    CHECK("no such constant", WORD(OP_CONST, 1), OP_RETURN);
    CHECK("no such variable", WORD(OP_VAR, 6), OP_RETURN);
    CHECK("no such function", WORD(OP_CALL, 9999), 0, OP_RETURN);
    CHECK("too many arguments", WORD(OP_CALL, 0), 13, OP_RETURN);
    CHECK("no such header form", WORD(OP_HEADER, 4), 0, OP_RETURN);
    CHECK("no such host call", WORD(OP_HOST, 99), 0, OP_RETURN);
    CHECK("no such constant", WORD(OP_TEXT, 1), OP_RETURN);
    CHECK("no such test", OP_EMPTY, WORD(OP_IF, 3), 1, OP_RETURN);
    CHECK("jump into nowhere", OP_EMPTY, WORD(OP_IFNOT, 4), 0, OP_RETURN);
    CHECK("no such constant", OP_EMPTY, WORD(OP_RULE, 0), 1, OP_RETURN);
    CHECK("jump into nowhere", OP_EMPTY, WORD(OP_RULE, 4), 0, OP_RETURN);
    CHECK("instruction cut off", OP_EMPTY, WORD(OP_IF, 0));
    CHECK("no such constant", WORD(OP_ACTIONT, 0), 1, OP_EMPTY, OP_RETURN);
    CHECK("no such action", WORD(OP_ACTIONT, 0xfe), 0, OP_EMPTY, OP_RETURN);
    CHECK("no such action", OP_EMPTY, WORD(OP_ACTION, 5), 1, OP_EMPTY, OP_RETURN);
    CHECK("no such question", WORD(OP_ASK, 99), 0, OP_EMPTY, OP_RETURN);
    CHECK("joins nothing", WORD(OP_CONCAT, 0), OP_RETURN);
    CHECK("no such constant", OP_EMPTY, OP_RETURN, WORD(OP_CONST, 1)); /* never reached */
    CHECK("unknown opcode", OP_COUNT);
    CHECK("unknown opcode", 0xff, OP_EMPTY, OP_RETURN);
    CHECK("instruction cut off", WORD(OP_CALL, 0));
}

/* A rule is run with as many values on the stack as it was compiled for. */
static void
rules_are_checked(void **state)
{
    CHECK("sound", WORD(OP_ACTIONT, 1), 0, OP_RULEEND, WORD(OP_RULE, 0), 0, OP_EMPTY,
          OP_RETURN);
    CHECK("branches disagree about the stack", WORD(OP_ACTIONT, 1), 0, OP_RULEEND, OP_EMPTY,
          WORD(OP_RULE, 0), 0, OP_RETURN);
    CHECK("jumps back to what was not reached", WORD(OP_JUMP, 4), WORD(OP_ACTIONT, 1), 0,
          OP_RULEEND, WORD(OP_RULE, 1), 0, OP_EMPTY, OP_RETURN);
}

/* Code without tables has no tests, and tables with numbers of what there is not are refused. */
static void
tables_are_checked(void **state)
{
    static const uint32_t words[] = {OP_EMPTY, OP_RETURN};
    static const uint32_t test[] = {WORD(OP_IF, 2), 0, OP_EMPTY, OP_RETURN};
    struct filter_operand o = one_operand[0];
    struct filter_test_row row = one_test[0];
    struct filter_tables t = {.operands = &o, .operands_n = 1, .tests = &row, .tests_n = 1};
    assert_string_equal(verdict_with(*state, &t, words, 2), "sound");
    assert_string_equal(verdict_with(*state, NULL, test, 4), "no such test");
    row.constant = 1;
    assert_string_equal(verdict_with(*state, &t, words, 2), "bad test");
    row = one_test[0];
    row.operand = 1;
    assert_string_equal(verdict_with(*state, &t, words, 2), "bad test");
    row = one_test[0];
    row.test = FILTER_TEST_CASE * 2;
    assert_string_equal(verdict_with(*state, &t, words, 2), "bad test");
    row = one_test[0];
    o.number = HEADER_LIST + 1;
    assert_string_equal(verdict_with(*state, &t, words, 2), "bad operand of a test");
    o = (struct filter_operand){.kind = FILTER_OPERAND_VARIABLE, .number = 99};
    assert_string_equal(verdict_with(*state, &t, words, 2), "bad operand of a test");
}

static void
jumps_are_checked(void **state)
{
    CHECK("jump into nowhere", OP_TRUE, WORD(OP_JUMPF, 99), OP_EMPTY, OP_RETURN);
    CHECK("jump into nowhere", OP_TRUE, WORD(OP_JUMPF, 3), WORD(OP_HEADER, 0), 0, OP_RETURN);
    CHECK("jump into nowhere", OP_TRUE, WORD(OP_JUMPF, 3), WORD(OP_HEADER, 0), OP_THROW,
          OP_RETURN); /* not even if the word looks like one that any jump may lead to */
    CHECK("jumps back to what was not reached", WORD(OP_JUMP, 3), OP_EMPTY, OP_RETURN,
          WORD(OP_JUMP, 1));
    CHECK("branches disagree about the stack", OP_TRUE, WORD(OP_JUMPF, 3), OP_EMPTY, OP_EMPTY,
          OP_RETURN);
}

static void
stacks_are_checked(void **state)
{
    CHECK("value stack is too low", OP_RETURN);
    CHECK("value stack is too low", OP_EMPTY, WORD(OP_CONCAT, 2), OP_RETURN);
    CHECK("no loop or no save to end", OP_RESTORE, OP_EMPTY, OP_RETURN);
    CHECK("no loop or no save to end", OP_ENDLOOP, OP_RETURN);
    CHECK("no loop or no save to end", OP_KEEP, OP_EMPTY, OP_RETURN);
    CHECK("runs off the end", OP_EMPTY);
    CHECK("ends in the wrong way", OP_TRUE, OP_ANSWER);
}

/* `n` times the word, then what ends the code. */
static const char *
verdict_of_many(struct fixture *f, uint32_t word, uint32_t n)
{
    uint32_t *ins = arena_alloc(f->arena, (n + 2) * sizeof *ins);
    for (uint32_t i = 0; i < n; i++)
        ins[i] = word;
    ins[n] = OP_EMPTY;
    ins[n + 1] = OP_RETURN;
    return verdict(f, ins, n + 2);
}

static void
depths_have_caps(void **state)
{
    assert_string_equal(verdict_of_many(*state, OP_EMPTY, 1023), "sound");
    assert_string_equal(verdict_of_many(*state, OP_EMPTY, 1024), "value stack is too high");
    assert_string_equal(verdict_of_many(*state, OP_EMPTY, 5000),
                        "too many values, loops or saves");
    assert_string_equal(verdict_of_many(*state, OP_SAVE, 127), "sound");
    assert_string_equal(verdict_of_many(*state, OP_SAVE, 128),
                        "too many values, loops or saves");
    assert_string_equal(verdict_of_many(*state, OP_SAVE, 100000),
                        "too many values, loops or saves");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_code_passes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(operands_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(rules_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(tables_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(jumps_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stacks_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(depths_have_caps, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_verify", tests, NULL, NULL);
}
