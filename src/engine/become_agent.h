/* Jobs for users done by the agent: for a process that has no privilege and can never get any.
 *
 * The door is a socket to the agent that the master keeps open over the agent's death; through it this process tells the agent
 * of a socket of its own, and again when that one turns out to be dead. A job that no process of the user has begun when the agent
 * dies is handed to the next agent; one that has begun goes on without the agent, and its answer comes all the same. Keys are asked for
 * until an agent answers. One thread.
 */
#ifndef REMEX_ENGINE_BECOME_AGENT_H
#define REMEX_ENGINE_BECOME_AGENT_H

#include "engine/become.h"

/* For e->become, in a; can_become of the engine is to be set too. The door stays the caller's. */
const struct engine_become *become_agent_new(struct arena *a, int door);

#endif
