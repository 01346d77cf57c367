/* One text for all drivers: see open_error.h. */
#include "lookups/open_error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
open_error(struct vm *vm, const char *file, const char *what, int error)
{
    if (error == EACCES)
        vm_fail(vm, "failed to open %s %s: %s (euid=%ld egid=%ld)", file, what, strerror(error),
                (long)geteuid(), (long)getegid());
    else
        vm_fail(vm, "failed to open %s %s: %s", file, what, strerror(error));
}
