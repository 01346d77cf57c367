/* Connections counted across processes: a page of memory that the smtp processes share.
 *
 * A connection takes a seat and gives it back; a seat knows its peer's address and who took it, so that the seats of a process that
 * died can be given back by another. A lock that its holder died with is taken over and the counts are made anew. A process that was taken
 * over can spoil the counts, and nothing else.
 */
#ifndef REMEX_SYS_SEATS_H
#define REMEX_SYS_SEATS_H

#include "mail/ip.h"

#include <stdbool.h>
#include <stddef.h>

enum { SEATS_MAX = 65536, SEATS_OWNERS_MAX = 4096 };

struct seats;

/* A new table, as a descriptor to hand on; -1 with errno. */
int seats_new(void);
/* Maps it; the descriptor may be closed. NULL: not possible. */
struct seats *seats_open(int fd);

/* Takes a seat for a connection from ip, owned by owner (1 to SEATS_OWNERS_MAX - 1). Its number, or -1: all are taken. *all: how many
 * are taken, this one too. */
int seats_take(struct seats *s, unsigned owner, const struct ip *ip, unsigned *all);
/* Gives it back. */
void seats_leave(struct seats *s, unsigned owner, int seat);
/* How many seats there are for that address. */
unsigned seats_of_host(struct seats *s, const struct ip *ip);
unsigned seats_taken(struct seats *s);
/* Gives all seats of an owner back. */
void seats_leave_all(struct seats *s, unsigned owner);

#endif
