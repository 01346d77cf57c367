/* The file with the daemon's process number. */
#ifndef REMEX_PROC_PID_FILE_H
#define REMEX_PROC_PID_FILE_H

#include "base/str.h"

/* Writes it anew; what was there, a link too, is replaced. False with errno. */
bool pid_file_write(struct str path);
/* True if it holds the number of a process that is there, other than this one. */
bool pid_file_is_taken(struct str path);
/* Removes it if it is ours (holds our process number). An unset path is none. */
void pid_file_remove(struct str path);

#endif
