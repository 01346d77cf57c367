/* Opens the file of a private key for a process that may not read it itself: for whoever has root's power and is asked by somebody that
 * has none.
 *
 * What is opened is root's alone, all the way to it: no step of the path is a link or leads back, nobody but root can change a folder on
 * the way or write the file, and the file has no other name, and is no longer than
 * SIGN_KEY_FILE_MAX. Its content is not looked at. Opening waits for nothing.
 */
#ifndef REMEX_SYS_KEY_FILE_H
#define REMEX_SYS_KEY_FILE_H

enum key_file_end {
#define KEY_FILE(NAME, text) KEY_FILE_##NAME,
#include "sys/key_file.def"
#undef KEY_FILE
    KEY_FILE_ENDS,
};

struct key_file_result {
    enum key_file_end end;
    int sys_errno; /* of KEY_FILE_NO_OPEN */
};

/* A descriptor for reading, close-on-exec; -1: *why. path is absolute. */
int key_file_open(const char *path, struct key_file_result *why);

/* What kept it from being opened, in words. */
const char *key_file_text(const struct key_file_result *why);

#endif
