/* Deadlines of connections at rest: a wheel of lists, a second a slot.
 *
 * Adding, removing and the turn of a second cost the same however many there are; a deadline beyond one turn of the wheel is passed
 * over until its turn. **thread**: the caller locks.
 */
#ifndef REMEX_ENGINE_SMTP_WHEEL_H
#define REMEX_ENGINE_SMTP_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMTP_WHEEL_SLOTS = 512 };

/* Part of what waits. */
struct smtp_wheel_entry {
    struct smtp_wheel_entry *before, *after; /* NULL: not on a wheel */
    int64_t deadline_ms;                     /* on the monotonic clock; 0: never */
};

struct smtp_wheel {
    struct smtp_wheel_entry slots[SMTP_WHEEL_SLOTS]; /* heads of rings */
    struct smtp_wheel_entry timeless;                /* those without a deadline */
    int64_t second;                                  /* that was looked at last */
    size_t n;
};

void smtp_wheel_init(struct smtp_wheel *w, int64_t now_ms);
void smtp_wheel_add(struct smtp_wheel *w, struct smtp_wheel_entry *e, int64_t deadline_ms);
/* Nothing happens when it is on none. */
void smtp_wheel_remove(struct smtp_wheel *w, struct smtp_wheel_entry *e);
/* Takes one off whose time is up; NULL: there is none (any more) at that time. */
struct smtp_wheel_entry *smtp_wheel_expired(struct smtp_wheel *w, int64_t now_ms);
/* Takes any one off; NULL: the wheel is empty. */
struct smtp_wheel_entry *smtp_wheel_any(struct smtp_wheel *w);

#endif
