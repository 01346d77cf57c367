/* Unit tests of filter/verify.c: code that is not sound is refused, whatever wrote it. */
#include "filter_vm_fixture.h"

#include "filter/code.h"
#include "filter/verify.h"

static const struct str one_constant[] = {STR_INIT("x")};

static const char *
verdict(struct fixture *f, const uint32_t *ins, uint32_t n)
{
    const char *why = "sound";
    uint32_t where;
    struct code c = {
        .ins = ins, .n = n, .consts = one_constant, .consts_n = 1, .host = &f->host};
    return code_verify(f->arena, &c, &why, &where) ? "sound" : why;
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
    CHECK("sound", WORD(OP_TEXT, 0), WORD(OP_MATCHK, 1), 0, WORD(OP_ACTIONT, 1), 0, OP_EMPTY,
          OP_RETURN);
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
    CHECK("no such constant", OP_EMPTY, WORD(OP_MATCHK, 0), 1, OP_RETURN);
    CHECK("no such constant", OP_EMPTY, WORD(OP_MATCHK, 99), 0, OP_RETURN);
    CHECK("no such constant", WORD(OP_MATCHH, 0), 0, OP_EMPTY, OP_RETURN); /* it takes two */
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
        cmocka_unit_test_setup_teardown(jumps_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stacks_are_checked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(depths_have_caps, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_verify", tests, NULL, NULL);
}
