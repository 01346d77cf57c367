/* How a step in the fate of mail ended; returned, stored per recipient, logged once. */
#ifndef REMEX_BASE_OUTCOME_H
#define REMEX_BASE_OUTCOME_H

enum outcome {
    OUT_OK,
    OUT_DECLINE, /* does not apply / no match / not found */
    OUT_PASS,
    OUT_DEFER, /* temporary: try again later */
    OUT_FAIL,
    OUT_ERROR, /* the request itself was bad */
};

#endif
