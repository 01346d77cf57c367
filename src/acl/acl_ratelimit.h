/* The arithmetic of rate limits, for tests, and their records, for tools. */
#ifndef REMEX_ACL_ACL_RATELIMIT_H
#define REMEX_ACL_ACL_RATELIMIT_H

#include "base/str.h"

struct acl_ratelimit_record {
    double when, rate, start; /* seconds since 1970; events a period; when the period began */
    size_t unique_n;          /* different things counted in it */
};

/* False: not a record of this version. */
bool acl_ratelimit_read(uint16_t version, struct str value, struct acl_ratelimit_record *out);

/* The rate (events a period) after `count` events at once, `interval` seconds after the last ones, when it was `rate` then. */
double acl_ratelimit_next(double rate, double interval, double period, double count);

#endif
