/* remex-lock (also called exim_lock): locks a mailbox as the appendfile transport does, runs a command meanwhile. Options, texts
 * and exit codes are those of exim_lock(8). Source: specification, "Mailbox maintenance (exim_lock)".
 */
#include "sys/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 4096, STALE_S = 30 * 60 };

enum step { STEP_OK, STEP_AGAIN, STEP_STOP };

struct lock {
    bool verbose, quiet, lockfile, by_fcntl, by_flock, mbx, restore_times;
    long retries, interval_s, timeout_s;
    const char *file, *command;

    char name[NAME_BYTES], post[NAME_BYTES + 128], mbx_name[NAME_BYTES];
    bool have_file; /* of lock */
    int fd, mbx_fd;
    struct stat before;
};

static int
usage(void)
{
    printf("usage: exim_lock [-v] [-q] [-lockfile] [-fcntl] [-flock] [-mbx]\n"
           "       [-retries <n>] [-interval <n>] [-timeout <n>] [-restore-times]\n"
           "       <file name> [command]\n");
    return 1;
}

/* --- options --- */

static bool
take_flag(struct lock *l, const char *arg)
{
    const struct {
        const char *name;
        bool *flag;
    } table[] = {
        {"-v", &l->verbose},
        {"-q", &l->quiet},
        {"-lockfile", &l->lockfile},
        {"-fcntl", &l->by_fcntl},
        {"-flock", &l->by_flock},
        {"-mbx", &l->mbx},
        {"-restore_time", &l->restore_times},
        {"-restore-times", &l->restore_times},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(arg, table[i].name) == 0) {
            *table[i].flag = true;
            return true;
        }
    return false;
}

static bool
take_number(struct lock *l, const char *arg, const char *value)
{
    const struct {
        const char *name;
        long *number;
    } table[] = {
        {"-retries", &l->retries}, {"-interval", &l->interval_s}, {"-timeout", &l->timeout_s}};
    char *end;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(arg, table[i].name) == 0 && value != NULL) {
            *table[i].number = strtol(value, &end, 10);
            return *end == '\0' && end != value && *table[i].number >= 0;
        }
    return false;
}

static bool
read_options(struct lock *l, char **argv)
{
    char **p = argv + 1;
    for (; *p != NULL && (*p)[0] == '-'; p++)
        if (!take_flag(l, *p)) {
            if (!take_number(l, *p, p[1]))
                return false;
            p++;
        }
    l->file = *p;
    if (l->file == NULL)
        return false;
    l->command = p[1];
    if (!l->lockfile && !l->by_fcntl && !l->by_flock && !l->mbx)
        l->lockfile = l->by_fcntl = true;
    if (l->mbx && !l->by_fcntl && !l->by_flock)
        l->by_fcntl = true;
    return p[1] == NULL || p[2] == NULL;
}

/* --- locking --- */

static void
set_names(struct lock *l)
{
    struct utsname u;
    (void)snprintf(l->name, sizeof l->name, "%s.lock", l->file);
    (void)snprintf(l->post, sizeof l->post, "%s.%s.%08x.%08x", l->name,
                   uname(&u) == 0 ? u.nodename : "localhost", (unsigned)time(NULL),
                   (unsigned)getpid());
    if (l->verbose && l->lockfile)
        printf("exim_lock: lockname =  %s\n           hitchname = %s\n", l->name, l->post);
}

static enum step
take_file(struct lock *l)
{
    struct stat st;
    if (l->verbose)
        printf("exim_lock: creating lock file\n");
    int fd = open(l->post, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0440);
    if (fd < 0) {
        fprintf(stderr, "exim_lock: failed to create hitching post %s: %s\n", l->post,
                strerror(errno));
        return STEP_STOP;
    }
    close(fd);
    l->have_file = link(l->post, l->name) == 0 || (stat(l->post, &st) == 0 && st.st_nlink == 2);
    (void)unlink(l->post);
    if (l->have_file) {
        if (!l->quiet)
            printf("exim_lock: lock file successfully created\n");
        return STEP_OK;
    }
    if (!l->quiet)
        printf("exim_lock: failed to link hitching post to lock file\n");
    if (stat(l->name, &st) == 0 && time(NULL) - st.st_ctime > STALE_S)
        (void)unlink(l->name);
    return STEP_AGAIN;
}

static bool
lock_one(const struct lock *l, int fd, enum file_lock_by by, const char *said)
{
    bool shared = l->mbx && fd == l->fd;
    enum file_lock_kind kind = shared ? FILE_LOCK_SHARED : FILE_LOCK_EXCLUSIVE;
    const char *how = by == FILE_LOCK_BY_FCNTL ? "fcntl" : "flock";
    if (file_lock_all(fd, by, kind, by == FILE_LOCK_BY_FCNTL ? l->timeout_s * 1000 : 0) !=
        FILE_LOCK_OK) {
        printf("exim_lock: %s() failed: %s\n", how, strerror(errno));
        return false;
    }
    if (!l->quiet)
        printf("exim_lock: %s() %slock successfully applied%s%s\n", how, shared ? "read " : "",
               *said ? " to mbx lock file " : "", said);
    return true;
}

static bool
lock_fd(const struct lock *l, int fd, const char *said)
{
    return (!l->by_fcntl || lock_one(l, fd, FILE_LOCK_BY_FCNTL, said)) &&
           (!l->by_flock || lock_one(l, fd, FILE_LOCK_BY_FLOCK, said));
}

static enum step
lock_mbx(struct lock *l)
{
    struct stat st, opened;
    (void)snprintf(l->mbx_name, sizeof l->mbx_name, "/tmp/.%lx.%lx",
                   (unsigned long)l->before.st_dev, (unsigned long)l->before.st_ino);
    l->mbx_fd = open(l->mbx_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (l->mbx_fd < 0 || fstat(l->mbx_fd, &opened) != 0 || lstat(l->mbx_name, &st) != 0 ||
        !S_ISREG(opened.st_mode) || opened.st_nlink != 1 || st.st_ino != opened.st_ino) {
        fprintf(stderr, "exim_lock: failed to open mbx lock file %s: %s\n", l->mbx_name,
                l->mbx_fd < 0 ? strerror(errno) : "not a plain file");
        return STEP_STOP;
    }
    if (lock_fd(l, l->mbx_fd, l->mbx_name))
        return STEP_OK;
    close(l->mbx_fd);
    l->mbx_fd = -1;
    return STEP_AGAIN;
}

static enum step
open_and_lock(struct lock *l)
{
    l->fd = open(l->file, O_RDWR | O_CLOEXEC); /* the name is its user's own */
    if (l->fd < 0 || fstat(l->fd, &l->before) != 0) {
        fprintf(stderr, "exim_lock: failed to open %s for writing: %s\n", l->file,
                strerror(errno));
        return STEP_STOP;
    }
    if (!lock_fd(l, l->fd, ""))
        return STEP_AGAIN;
    return l->mbx ? lock_mbx(l) : STEP_OK;
}

static void
remove_file(struct lock *l)
{
    if (!l->have_file)
        return;
    (void)unlink(l->name);
    l->have_file = false;
    if (!l->quiet)
        printf("exim_lock: lock file removed\n");
}

/* Gives up what was got, to try again. */
static void
let_go(struct lock *l)
{
    if (l->fd >= 0) {
        close(l->fd);
        if (l->verbose)
            printf("exim_lock: file closed\n");
    }
    l->fd = -1;
    remove_file(l);
}

static bool
take_lock(struct lock *l)
{
    for (long i = 0; i < (l->retries > 0 ? l->retries : 1); i++) {
        enum step s = l->lockfile ? take_file(l) : STEP_OK;
        if (s == STEP_OK)
            s = open_and_lock(l);
        if (s == STEP_OK)
            return true;
        let_go(l);
        if (s == STEP_STOP)
            return false;
        if (l->timeout_s == 0) {
            printf(" ... waiting\n");
            (void)fflush(stdout);
            sleep((unsigned)l->interval_s);
        }
    }
    fprintf(stderr, "exim_lock: locking failed too many times\n");
    return false;
}

/* --- what is done meanwhile --- */

static void
run(const struct lock *l)
{
    const char *shell = getenv("SHELL");
    const char *command = l->command != NULL                  ? l->command
                          : shell != NULL && shell[0] != '\0' ? shell
                                                              : "/bin/sh";
    int status = 0;
    if (!l->quiet)
        printf("exim_lock: locking %s succeeded: running %s ...\n", l->file,
               l->command != NULL ? "the command" : command);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0 && !l->quiet)
        printf("warning: nonzero status %d\n", status);
}

static void
end_mbx(struct lock *l)
{
    if ((!l->by_fcntl ||
         file_lock_all(l->fd, FILE_LOCK_BY_FCNTL, FILE_LOCK_EXCLUSIVE, 0) == FILE_LOCK_OK) &&
        (!l->by_flock ||
         file_lock_all(l->fd, FILE_LOCK_BY_FLOCK, FILE_LOCK_EXCLUSIVE, 0) == FILE_LOCK_OK)) {
        (void)unlink(l->mbx_name);
        if (l->verbose)
            printf("exim_lock: %s unlinked - no sharers\n", l->mbx_name);
    } else if (l->verbose)
        printf("exim_lock: %s not unlinked - unable to get exclusive mailbox lock\n",
               l->mbx_name);
    close(l->mbx_fd);
    if (!l->quiet)
        printf("exim_lock: %s closed\n", l->mbx_name);
}

static void
end_lock(struct lock *l)
{
    struct timespec times[2] = {l->before.st_atim, l->before.st_mtim};
    if (l->restore_times)
        (void)futimens(l->fd, times);
    if (l->mbx_fd >= 0)
        end_mbx(l);
    close(l->fd);
    if (!l->quiet)
        printf("exim_lock: %s closed\n", l->file);
    remove_file(l);
}

int
main(int argc, char **argv)
{
    struct lock l = {.retries = 10, .interval_s = 3, .fd = -1, .mbx_fd = -1};
    if (argc < 2 || !read_options(&l, argv))
        return usage();
    set_names(&l);
    if (!take_lock(&l))
        return 1;
    run(&l);
    end_lock(&l);
    return 0;
}
