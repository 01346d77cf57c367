/* Rebuilding alias files, which is somebody else's work; see aliases.h. The process becomes that program, as the caller. */
#include "proc/aliases.h"

#include "conf/conf.h"
#include "conf/main_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
aliases_run(struct mode *m)
{
    struct str command = m->conf->main->bi_command;
    struct str file = cli_value(m->cli, "-oA");
    if (!str_is_set(command))
        return 0;
    char *argv[] = {str_cstr(m->arena, command), NULL, NULL};
    if (str_is_set(file))
        argv[1] = str_cstr(m->arena, file);
    errno = EINVAL;
    if (argv[0] != NULL)
        (void)execv(argv[0], argv);
    fprintf(stderr, "%s: exec '%.*s' failed: %s\n", m->cli->program, STR_ARG(command),
            strerror(errno));
    return 1;
}
