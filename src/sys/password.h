/* Checks of passwords against stored hashes: crypt(3) and the kinds of ${if crypteq. */
#ifndef REMEX_SYS_PASSWORD_H
#define REMEX_SYS_PASSWORD_H

#include "base/str.h"

enum password_answer {
    PASSWORD_YES,
    PASSWORD_NO,
    PASSWORD_UNKNOWN, /* the hash names a mechanism that there is not */
};

/* stored: a hash of crypt(3), or {md5} {sha1} {crypt} {crypt16} and what such a hash has (names in either
 * case). A password or hash with a NUL byte in it never matches. **thread**: safe. */
enum password_answer password_check(struct str plain, struct str stored);

#endif
