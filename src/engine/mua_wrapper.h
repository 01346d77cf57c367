/* mua_wrapper: a message goes out at once to one smart host in one transaction, or not at all, and the caller is told which.
 *
 * Nothing waits, and nothing is remembered for another time: what could not be delivered has failed, and the message is gone. Nobody but the
 * caller is told. Source: specification, chapter "Using Exim to wrap MUA programs" (mua_wrapper).
 */
#ifndef REMEX_ENGINE_MUA_WRAPPER_H
#define REMEX_ENGINE_MUA_WRAPPER_H

#include "engine/delivery.h"

bool mua_wrapper_is_on(const struct delivery *d);
/* After routing: whether all that is left are recipients that go together to the same hosts. False: the log and the standard error say why
 * not. */
bool mua_wrapper_may_deliver(struct delivery *d);
/* After the delivery: whatever is left has failed, which the standard error says. False: something has. */
bool mua_wrapper_settle(struct delivery *d);

#endif
