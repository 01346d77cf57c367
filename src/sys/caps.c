/* Capabilities of the process; see caps.h. */
#include "sys/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(x) (1ull << (x))

/* The kernel's form: two words of 32 bits each. */
struct sets {
    struct __user_cap_header_struct head;
    struct __user_cap_data_struct data[2];
};

static bool
get(struct sets *s)
{
    s->head = (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &s->head, s->data) == 0;
}

uint64_t
caps_permitted(void)
{
    struct sets s;
    if (!get(&s))
        return 0;
    return s.data[0].permitted | (uint64_t)s.data[1].permitted << 32;
}

bool
caps_keep_only(uint64_t set)
{
    struct sets s;
    if (!get(&s))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        s.data[i].permitted &= (uint32_t)(set >> 32 * i);
        s.data[i].effective = s.data[i].permitted;
        s.data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &s.head, s.data) == 0;
}

bool
caps_keep_over_setuid(bool keep)
{
    return prctl(PR_SET_KEEPCAPS, keep ? 1L : 0L, 0L, 0L, 0L) == 0;
}

bool
caps_no_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0;
}

uint64_t
caps_to_read_all(void)
{
    uint64_t have = caps_permitted();
    uint64_t reads = have & CAP(CAP_DAC_READ_SEARCH);
    return reads != 0 ? reads : have & CAP(CAP_DAC_OVERRIDE);
}

uint64_t
caps_of_agent(void)
{
    return CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_DAC_OVERRIDE);
}
