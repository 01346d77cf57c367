/* Redirections that are made once: what is left of them becomes part of the envelope. Source: specification, option one_time of
 * the redirect router. */
#ifndef REMEX_ENGINE_ONE_TIME_H
#define REMEX_ENGINE_ONE_TIME_H

#include "engine/delivery.h"

/* Puts the addresses that one_time routers generated and that are not delivered into the envelope, and marks what they came
 * from as done. True if the envelope changed; the caller writes it. */
bool one_time_keep(struct delivery *d);

#endif
