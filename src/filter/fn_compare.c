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

/* clang-format off */
COMPARE(eq, str_eq(argv[0], argv[1]))
COMPARE(eqi, str_ieq(argv[0], argv[1]))
COMPARE(ge, str_cmp(argv[0], argv[1]) >= 0)
COMPARE(gei, str_icmp(argv[0], argv[1]) >= 0)
COMPARE(gt, str_cmp(argv[0], argv[1]) > 0)
COMPARE(gti, str_icmp(argv[0], argv[1]) > 0)
COMPARE(le, str_cmp(argv[0], argv[1]) <= 0)
COMPARE(lei, str_icmp(argv[0], argv[1]) <= 0)
COMPARE(lt, str_cmp(argv[0], argv[1]) < 0)
COMPARE(lti, str_icmp(argv[0], argv[1]) < 0)
/* clang-format on */
