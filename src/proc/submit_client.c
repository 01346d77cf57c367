/* Hands a call over to the daemon; see submit_client.h. */
#include "proc/submit_client.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/submit_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
submit_client_is_needed(const struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    if (c->submit_socket.n == 0 || c->mua_wrapper || geteuid() == 0)
        return false;
    const char *spool = str_cstr(m->arena, c->spool_directory.text);
    return spool == NULL || access(spool, W_OK | X_OK) != 0;
}

static int
fail(const struct mode *m, const char *what)
{
    (void)fprintf(stderr, "%s: cannot hand the message over to the daemon: %s: %s\n",
                  m->cli->program, what, strerror(errno));
    return 1;
}

int
submit_client_run(const struct mode *m)
{
    int status = 1;
    const char *path = str_cstr(m->arena, m->conf->main->submit_socket);
    int fd = path != NULL ? submit_wire_connect(path) : -1;
    if (fd < 0)
        return fail(m, path != NULL ? path : "no path");
    errno = ECONNRESET;
    if (!submit_wire_send(fd, m->argc, m->argv) || !submit_wire_wait(fd, &status))
        status = fail(m, path);
    close(fd);
    return status;
}
