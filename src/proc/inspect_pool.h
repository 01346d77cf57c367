/* The process that has loaded a library, and its copies that work with it: one job each at a time.
 *
 * It never looks at what a job is about: it hands sockets on, sees to it that nobody takes longer than the job may, and says to who
 * asked how a worker ended. A worker does so many jobs and is then replaced. The process ends when whoever started it closes its socket, and the jobs that it
 * has are done.
 */
#ifndef REMEX_PROC_INSPECT_POOL_H
#define REMEX_PROC_INSPECT_POOL_H

#include "proc/inspect_library.h"

struct inspect_pool_setup {
    const struct inspect_library_row *library;
    struct inspect_loaded *loaded; /* arena, plugin_directory, scratch are set */
    struct str text;               /* how the library is set up */
    int up;                        /* socket to the door */
};

/* In a process of its own; never returns. */
_Noreturn void inspect_pool_live(const struct inspect_pool_setup *s);

#endif
