/* Records of the condition "seen", for tools. */
#ifndef REMEX_ACL_ACL_SEEN_H
#define REMEX_ACL_ACL_SEEN_H

#include "base/str.h"

/* When the key was seen, seconds since 1970. False: not a record of this version. */
bool acl_seen_read(uint16_t version, struct str value, int64_t *seconds);

#endif
