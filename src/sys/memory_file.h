/* Anonymous files in memory, for texts that travel as a descriptor. */
#ifndef REMEX_SYS_MEMORY_FILE_H
#define REMEX_SYS_MEMORY_FILE_H

/* A new empty one, close-on-exec; name only shows in /proc. -1 with errno. */
int memory_file_new(const char *name);

#endif
