/* Where an appendfile delivery goes: the name of the file or folder, whether it may be made, its missing folders. */
#ifndef REMEX_TRANSPORTS_APPEND_PATH_H
#define REMEX_TRANSPORTS_APPEND_PATH_H

#include "transports/appendfile.h"

/* Sets path, folder, mode and within. False: the answer says why. Source: specification, "The file and directory options". */
bool append_path_find(struct append *d);
/* True if a new file or folder may be made at the path (create_file). */
bool append_path_may_create(const struct append *d, const char *path);
/* Makes the folders above a path that are missing, when that is allowed: create_directory and create_file. */
bool append_path_make_folders(struct append *d, const char *path);

#endif
