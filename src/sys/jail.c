/* Shuts a process in; see jail.h.
 *
 * The filter of calls is a list of numbers that is compared one after the other; the kernel remembers for each call whether
 * the answer is always yes, so its length costs nothing.
 */
#include "sys/jail.h"

#include "sys/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
jail_drop_bounding(void)
{
    for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
            return false;
    }
    return true;
}

bool
jail_is_unable(void)
{
    return errno == ENOSYS || errno == EOPNOTSUPP;
}

/* --- files --- */

/* Headers may be older than the kernel. */
enum {
    ACCESS_TRUNCATE = 1 << 14, /* version 3 */
    SCOPE_UNIX =
        1 << 0, /* version 6: no abstract sockets, no signals beyond what was started here */
    SCOPE_SIGNAL = 1 << 1,
};

/* struct landlock_ruleset_attr as of version 6; an older kernel takes it when what it does not know is 0. */
struct rules_attr {
    uint64_t files, network, scoped;
};

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |
                                ACCESS_TRUNCATE;
/* What a rule about a file may hold. */
static const uint64_t of_files = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                 LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_TRUNCATE;
/* Nobody may make these. */
static const uint64_t never = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

static uint64_t
rights_of(unsigned access, uint64_t known)
{
    uint64_t r = (access & JAIL_READ) != 0 ? reading : 0;
    r |= (access & JAIL_WRITE) != 0 ? writing | LANDLOCK_ACCESS_FS_REFER : 0;
    r |= (access & JAIL_EXECUTE) != 0 ? LANDLOCK_ACCESS_FS_EXECUTE : 0;
    return r & known;
}

static bool
add_path(int rules, const struct jail_path *p, uint64_t known)
{
    struct landlock_path_beneath_attr attr = {.allowed_access = rights_of(p->access, known)};
    int fd = open(p->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    attr.parent_fd = fd;
    struct stat st;
    bool there = fstat(fd, &st) == 0;
    if (there && !S_ISDIR(st.st_mode))
        attr.allowed_access &= of_files;
    bool ok = !there ||
              syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

static struct rules_attr
attr_of(long version)
{
    struct rules_attr attr = {.files = reading | writing | never | LANDLOCK_ACCESS_FS_EXECUTE};
    if (version >= 2)
        attr.files |= LANDLOCK_ACCESS_FS_REFER;
    if (version < 3)
        attr.files &= ~(uint64_t)ACCESS_TRUNCATE;
    if (version >= 6)
        attr.scoped = SCOPE_UNIX | SCOPE_SIGNAL;
    return attr;
}

bool
jail_files(const struct jail_path *v, size_t n)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0) {
        /* Only the filter of a container (systemd-nspawn) forbids it: there it cannot be had either. */
        if (errno == EPERM)
            errno = ENOSYS;
        return false;
    }
    struct rules_attr attr = attr_of(version);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    bool ok = rules >= 0 && caps_no_new_privileges();
    for (size_t i = 0; i < n && ok; i++)
        ok = add_path(rules, &v[i], attr.files);
    ok = ok && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    int saved = errno;
    if (rules >= 0)
        close(rules);
    errno = saved;
    return ok;
}

/* --- calls --- */

#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define JAIL_ARCH AUDIT_ARCH_RISCV64
#endif

static const unsigned short calls[] = {
#define CALL(name) __NR_##name,
#include "sys/jail_calls.def"
#undef CALL
};

static const unsigned short refused[] = {
#define CALL(name) __NR_##name,
#include "sys/jail_refused.def"
#undef CALL
};

enum {
    CALLS = sizeof calls / sizeof calls[0],
    REFUSED = sizeof refused / sizeof refused[0],
    FILTER_MAX = 2 * CALLS + 32
};

struct program {
    struct sock_filter v[FILTER_MAX];
    unsigned short n;
};

static void
add(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    p->v[p->n++] = (struct sock_filter){.code = code, .k = k, .jt = yes, .jf = no};
}

static void
load(struct program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Ends with `answer` if the word is k. */
static void
answer_if(struct program *p, uint32_t k, uint32_t answer)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
    add(p, BPF_RET | BPF_K, answer, 0, 0);
}

/* Sockets of these families alone: much of the kernel that few people look at stands behind the others. */
static void
add_socket(struct program *p, unsigned allowed)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    load(p, offsetof(struct seccomp_data, args)); /* the low half comes first */
    if ((allowed & JAIL_NO_SOCKETS) == 0)
        answer_if(p, AF_UNIX, SECCOMP_RET_ALLOW);
    if ((allowed & JAIL_NETWORK) != 0) {
        answer_if(p, AF_INET, SECCOMP_RET_ALLOW);
        answer_if(p, AF_INET6, SECCOMP_RET_ALLOW);
        answer_if(p, AF_NETLINK, SECCOMP_RET_ALLOW); /* the C library asks for addresses */
    }
    add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

/* The flags of clone3 lie in memory, where no filter sees them: without it the C library takes clone. */
static void
add_children(struct program *p, unsigned allowed)
{
    static const uint32_t all[] = {
        __NR_clone,
        __NR_clone3,
#ifdef __NR_fork
        __NR_fork,
        __NR_vfork,
#endif
    };
    for (size_t i = 0; (allowed & JAIL_CHILDREN) != 0 && i < sizeof all / sizeof all[0]; i++)
        answer_if(p, all[i], SECCOMP_RET_ALLOW);
    if ((allowed & JAIL_CHILDREN) != 0)
        return;
    answer_if(p, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4);
    load(p, offsetof(struct seccomp_data, args));
    add(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

/* A signal to a thread of another process. */
static void
add_signals(struct program *p)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 4);
    load(p, offsetof(struct seccomp_data, args));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

static void
add_calls(struct program *p, unsigned allowed)
{
    for (size_t i = 0; i < CALLS; i++)
        answer_if(p, calls[i], SECCOMP_RET_ALLOW);
    if ((allowed & JAIL_PROGRAMS) != 0)
        answer_if(p, __NR_execve, SECCOMP_RET_ALLOW);
    static const uint32_t tighter[] = {__NR_landlock_create_ruleset, __NR_landlock_add_rule,
                                       __NR_landlock_restrict_self, __NR_seccomp};
    for (size_t i = 0; (allowed & JAIL_TIGHTER) != 0 && i < sizeof tighter / sizeof tighter[0];
         i++)
        answer_if(p, tighter[i], SECCOMP_RET_ALLOW);
    add_children(p, allowed);
    add_socket(p, allowed);
}

#ifdef JAIL_ARCH
static void
begin(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, JAIL_ARCH, 1, 0);
    add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    load(p, offsetof(struct seccomp_data, nr));
}

static bool
enter(const struct program *p)
{
    const struct sock_fprog whole = {.len = p->n,
                                     .filter = (struct sock_filter *)(uintptr_t)p->v};
    return caps_no_new_privileges() &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) == 0;
}

bool
jail_calls(unsigned allowed)
{
    struct program p = {.n = 0};
    begin(&p);
    add_calls(&p, allowed);
    return enter(&p);
}

bool
jail_refuse(void)
{
    struct program p = {.n = 0};
    begin(&p);
    for (size_t i = 0; i < REFUSED; i++)
        answer_if(&p, refused[i], SECCOMP_RET_KILL_PROCESS);
    add_signals(&p);
    add(&p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    return enter(&p);
}
#else
bool
jail_calls(unsigned allowed)
{
    (void)allowed;
    errno = ENOSYS;
    return false;
}

bool
jail_refuse(void)
{
    errno = ENOSYS;
    return false;
}
#endif
