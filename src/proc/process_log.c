/* Lines for exiwhat; see process_log.h. */
#include "proc/process_log.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Made by root, it belongs to the mail user: all processes write it. Another name of some file is not written. */
static int
open_log(const struct conf *c, const char *path)
{
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0640);
    if (fd >= 0 && geteuid() == 0 && c->main->exim_user.set &&
        fchown(fd, (uid_t)c->main->exim_user.id, (gid_t)-1) != 0) {
        close(fd);
        return -1;
    }
    if (fd < 0)
        fd = open(path, flags);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

void
process_log_write(const struct conf *c, pid_t pid, const char *text)
{
    struct arena *a = arena_new();
    struct str where = c->main->process_log_path;
    const char *path =
        str_cstr(a, where.n > 0 ? where
                                : str_printf(a, "%.*s/exim-process.info",
                                             STR_ARG(c->main->spool_directory.text)));
    struct str line = str_printf(a, "%5d %s\n", (int)pid, text);
    int fd = path != NULL ? open_log(c, path) : -1;
    if (fd >= 0) {
        ssize_t n = write(fd, line.p, line.n);
        (void)n;
        close(fd);
    }
    arena_free(a);
}
