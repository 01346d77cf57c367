/* Anonymous files in memory, for texts that travel as a descriptor. */
#ifndef REMEX_SYS_MEMORY_FILE_H
#define REMEX_SYS_MEMORY_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A new empty one, close-on-exec; name only shows in /proc. -1 with errno. */
int memory_file_new(const char *name);
/* From now on nobody can change it. False with errno. */
bool memory_file_seal(int fd);
/* Whether that is so. */
bool memory_file_is_sealed(int fd);
/* A new one of n zero bytes whose size is fixed, to be shared between processes. -1 with errno. */
int memory_file_page(const char *name, size_t n);
/* Maps such a one for reading and writing; it must have exactly that size. NULL: it has not, or errno. */
void *memory_file_map(int fd, size_t n);
void memory_file_unmap(void *p, size_t n);

#endif
