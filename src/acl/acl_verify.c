#include "acl/acl_machine.h"

enum acl_test
acl_cond_verify(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    return acl_cond_later(c, item, arg);
}
