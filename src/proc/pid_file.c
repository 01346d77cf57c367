/* The file with the daemon's process number; see pid_file.h. */
#include "proc/pid_file.h"

#include "base/arena.h"
#include "base/num.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PID_TEXT_MAX = 32 };

/* Under another name first: who finds the file finds the number in it. */
static bool
write_at(struct arena *a, const char *path)
{
    struct str text = str_printf(a, "%d\n", (int)getpid());
    const char *temp = str_cstr(a, str_printf(a, "%s.%d", path, (int)getpid()));
    if (unlink(temp) != 0 && errno != ENOENT)
        return false;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool ok =
        fchmod(fd, 0644) == 0 && file_write_all(fd, text.p, text.n) && rename(temp, path) == 0;
    int saved = errno;
    close(fd);
    if (!ok)
        (void)unlink(temp);
    errno = saved;
    return ok;
}

bool
pid_file_write(struct str path)
{
    struct arena *a = arena_new();
    const char *z = str_cstr(a, path);
    bool ok = z != NULL && write_at(a, z);
    int saved = errno;
    arena_free(a);
    errno = saved;
    return ok;
}

/* The number in the file; 0: there is none. */
static uint64_t
read_number(struct arena *a, struct str path)
{
    const char *z = str_is_set(path) ? str_cstr(a, path) : NULL;
    struct str text;
    uint64_t pid;
    if (z == NULL || file_read(a, z, PID_TEXT_MAX, &text) != FILE_OK ||
        !num_parse_digits(str_trim(text), &pid))
        return 0;
    return pid;
}

bool
pid_file_is_taken(struct str path)
{
    struct arena *a = arena_new();
    uint64_t pid = read_number(a, path);
    bool taken = pid > 0 && pid <= INT32_MAX && pid != (uint64_t)getpid() &&
                 (kill((pid_t)pid, 0) == 0 || errno == EPERM);
    arena_free(a);
    return taken;
}

void
pid_file_remove(struct str path)
{
    struct arena *a = arena_new();
    if (read_number(a, path) == (uint64_t)getpid())
        (void)unlink(str_cstr(a, path));
    arena_free(a);
}
