/* Lines for exiwhat; see process_log.h. */
#include "proc/process_log.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"

#include <fcntl.h>
#include <unistd.h>

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
    int fd = path != NULL ? open(path,
                                 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
                                     O_NONBLOCK | O_NOCTTY,
                                 0640)
                          : -1;
    if (fd >= 0) {
        ssize_t n = write(fd, line.p, line.n);
        (void)n;
        close(fd);
    }
    arena_free(a);
}
