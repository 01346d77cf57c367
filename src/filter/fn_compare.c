/* Conditions that compare two texts. Order is that of the bytes, whatever the locale. */
#include "filter/fn.h"

/* One condition: argv[0] stands in the relation to argv[1]. */
#define COMPARE(name, expression)                                                              \
    enum vm_status fn_cond_##name(struct vm *vm, const struct str *argv, unsigned argc,        \
                                  struct str *out)                                             \
    {                                                                                          \
        (void)vm;                                                                              \
        (void)argc;                                                                            \
        (void)out;                                                                             \
        return (expression) ? VM_OK : VM_NO;                                                   \
    }

/* As the reference orders without case: a text is above one that goes on where it ends. Sites rely on no order
 * of such texts, but their logs and our answers are compared. */
static int
compare_nocase(struct str a, struct str b)
{
    int order = str_icmp(a, b);
    bool goes_on = a.n < b.n && str_ieq(a, str_sub(b, 0, a.n));
    return goes_on ? 1 : order;
}

/* clang-format off */
COMPARE(eq, str_eq(argv[0], argv[1]))
COMPARE(eqi, str_ieq(argv[0], argv[1]))
COMPARE(ge, str_cmp(argv[0], argv[1]) >= 0)
COMPARE(gei, compare_nocase(argv[0], argv[1]) >= 0)
COMPARE(gt, str_cmp(argv[0], argv[1]) > 0)
COMPARE(gti, compare_nocase(argv[0], argv[1]) > 0)
COMPARE(le, str_cmp(argv[0], argv[1]) <= 0)
COMPARE(lei, compare_nocase(argv[0], argv[1]) <= 0)
COMPARE(lt, str_cmp(argv[0], argv[1]) < 0)
COMPARE(lti, compare_nocase(argv[0], argv[1]) < 0)
/* clang-format on */
