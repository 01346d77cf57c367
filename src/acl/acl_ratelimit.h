/* The arithmetic of rate limits, for tests. */
#ifndef REMEX_ACL_ACL_RATELIMIT_H
#define REMEX_ACL_ACL_RATELIMIT_H

/* The rate (events a period) after `count` events at once, `interval` seconds after the last ones, when it was `rate` then. */
double acl_ratelimit_next(double rate, double interval, double period, double count);

#endif
