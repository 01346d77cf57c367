/* Lines for exiwhat; see process_log.h. */
#include "proc/process_log.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/engine.h"
#include "sys/priv.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another name of some file is not written. */
static int
open_log(const char *path)
{
    const int flags =
        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    int fd = open(path, flags, 0640);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The file belongs to the mail user, whoever makes it: all processes write it. */
static int
open_log_as_mail_user(const struct engine *e, const char *path)
{
    if (geteuid() != 0)
        return open_log(path);
    struct priv_files we =
        priv_files_as((struct priv_files){.uid = e->mail_uid, .gid = e->mail_gid});
    int fd = open_log(path);
    (void)priv_files_as(we);
    return fd;
}

void
process_log_write(const struct engine *e, pid_t pid, const char *text)
{
    const struct conf *c = e->conf;
    struct arena *a = arena_new();
    struct str where = c->main->process_log_path;
    const char *path =
        str_cstr(a, where.n > 0 ? where
                                : str_printf(a, "%.*s/exim-process.info",
                                             STR_ARG(c->main->spool_directory.text)));
    struct str line = str_printf(a, "%5d %s\n", (int)pid, text);
    int fd = path != NULL ? open_log_as_mail_user(e, path) : -1;
    if (fd >= 0) {
        ssize_t n = write(fd, line.p, line.n);
        (void)n;
        close(fd);
    }
    arena_free(a);
}
