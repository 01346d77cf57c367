/* The words of ACLs against the inventory, both ways, with their phases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acl/acl.h"
#include "conf_compat_fixture.h"

static enum acl_phase
phase_named(struct str name)
{
    for (int p = 0; p < ACL_PHASES; p++)
        if (str_eq(acl_phase_row((enum acl_phase)p)->name, name))
            return (enum acl_phase)p;
    fail_msg("no phase %.*s", STR_ARG(name));
    return ACL_PHASES;
}

/* "all", "all except a,b", "a,b" as the inventory writes them. */
static bool
inventory_allows(struct str phases, enum acl_phase p)
{
    bool except = str_starts(phases, "all");
    if (except)
        phases = str_starts(phases, "all except ") ? str_sub(phases, 11, phases.n) : STR_EMPTY;
    for (size_t at = 0; at < phases.n;) {
        size_t end = str_chr(phases, ',', at);
        end = end == STR_NPOS ? phases.n : end;
        if (phase_named(str_sub(phases, at, end - at)) == p)
            return !except;
        at = end + 1;
    }
    return except;
}

static void
assert_phases(struct str name, uint32_t have, struct str phases)
{
    for (int p = 0; p < ACL_PHASES; p++) {
        if (p == ACL_PHASE_NOTSMTP_MIME)
            continue; /* as MIME */
        if (acl_phase_in(have, (enum acl_phase)p) !=
            inventory_allows(phases, (enum acl_phase)p))
            fail_msg("%.*s in %.*s", STR_ARG(name),
                     STR_ARG(acl_phase_row((enum acl_phase)p)->name));
    }
}

static struct str
without_args(struct str name)
{
    return str_ends(name, STR_LIT("/...")) ? str_sub(name, 0, name.n - 4) : name;
}

static void
compare_row(struct str kind, struct str name, struct str phases, size_t *seen)
{
    if (str_eqz(kind, "verb")) {
        assert_true(acl_verb_find(name) >= 0);
    } else if (str_eqz(kind, "condition") || str_eqz(kind, "modifier")) {
        int w = acl_word_find(name);
        if (w < 0)
            fail_msg("%.*s is missing", STR_ARG(name));
        const struct acl_word *row = acl_word_row((enum acl_word_id)w);
        assert_int_equal(row->modifier, str_eqz(kind, "modifier"));
        assert_phases(name, row->phases, phases);
    } else if (str_eqz(kind, "control")) {
        const struct acl_control *c = acl_control_find(without_args(name));
        if (c == NULL)
            fail_msg("%.*s is missing", STR_ARG(name));
        assert_int_equal(c->args, without_args(name).n != name.n);
        assert_phases(name, c->phases, phases);
    } else if (str_eqz(kind, "acl-phase-option")) {
        size_t p = 0;
        while (p < ACL_PHASES && !str_eq(acl_phase_row((enum acl_phase)p)->option, name))
            p++;
        assert_true(p < ACL_PHASES);
    } else {
        return;
    }
    (*seen)++;
}

static void
test_inventory(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct compat_file f;
    if (!compat_open(&f, a, "acl.tsv")) {
        arena_free(a);
        skip();
    }
    struct compat_row row;
    size_t seen = 0;
    while (compat_next(&f, &row))
        compare_row(compat_get(&f, &row, "kind"), compat_get(&f, &row, "name"),
                    compat_get(&f, &row, "phases_or_context"), &seen);
    assert_int_equal(seen,
                     (int)ACL_VERBS + ACL_WORDS + (int)acl_control_count() + ACL_PHASES - 1);
    arena_free(a);
}

static void
test_rows(void **state)
{
    (void)state;
    for (int w = 0; w < ACL_WORDS; w++) {
        const struct acl_word *row = acl_word_row((enum acl_word_id)w);
        assert_true(strlen(row->doc) > 10);
        assert_int_equal(acl_word_find(row->name), w);
        assert_int_equal(row->modifier, w >= ACL_MOD_ADD_HEADER);
    }
    assert_int_equal(acl_verb_find(STR_LIT("ACCEPT")), -1);
    assert_int_equal(acl_word_find(STR_LIT("host")), -1);
    assert_null(acl_control_find(STR_LIT("freez")));
    assert_int_equal(acl_phase_row(ACL_PHASE_RCPT)->unset, ACL_UNSET_DENY);
    assert_int_equal(acl_phase_row(ACL_PHASE_DATA)->unset, ACL_UNSET_ACCEPT);
    assert_int_equal(acl_phase_row(ACL_PHASE_QUIT)->unset, ACL_UNSET_NOTHING);
    assert_true(acl_phase_in(acl_word_row(ACL_COND_DECODE)->phases, ACL_PHASE_NOTSMTP_MIME));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
