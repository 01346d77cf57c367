/* Capabilities of the process: which of root's powers are left. */
#ifndef REMEX_SYS_CAPS_H
#define REMEX_SYS_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of capabilities, a bit each, as in the kernel's header. */

/* The least of those that there are with which every file can be read; empty: none of them is there. */
uint64_t caps_to_read_all(void);
/* To become a user with groups, and to look where the user may look: SETUID, SETGID, DAC_READ_SEARCH, DAC_OVERRIDE. */
uint64_t caps_of_agent(void);

/* Those that the process may use. */
uint64_t caps_permitted(void);
/* Gives up all but these, for good: permitted, effective and inheritable; those that it does not have stay away. The bounding set stays, so that set-uid
 * programs that a child executes get what the system gives them. False with errno. */
bool caps_keep_only(uint64_t set);
/* Whether the permitted ones stay when no id is root's any more. */
bool caps_keep_over_setuid(bool keep);
/* From now on no program that is executed gains anything. Cannot be undone. */
bool caps_no_new_privileges(void);

#endif
