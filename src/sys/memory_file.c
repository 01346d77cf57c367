/* Anonymous files; see memory_file.h. */
#include "sys/memory_file.h"

#include <sys/mman.h>

int
memory_file_new(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}
