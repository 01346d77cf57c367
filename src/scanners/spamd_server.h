/* The servers of spamd_address, and in which order they are asked. */
#ifndef REMEX_SCANNERS_SPAMD_SERVER_H
#define REMEX_SCANNERS_SPAMD_SERVER_H

#include "scanners/scan_socket.h"

enum { SPAMD_SERVERS_MAX = 32 };

struct spamd_server {
    struct scan_place place;
    int64_t priority, weight;
    int64_t from_s, to_s; /* seconds of the day between which it is used; from_s < 0: always */
    int64_t retry_s;      /* 0: one attempt */
    int64_t wait_s;       /* for all of it */
    bool rspamd;
};

struct spamd_servers {
    struct spamd_server v[SPAMD_SERVERS_MAX];
    size_t n;
};

/* Reads the expanded value of spamd_address. What cannot be used is told to warn, and left out. */
void spamd_servers_parse(struct arena *a, struct str list, struct spamd_servers *out,
                         void (*warn)(void *ctx, struct str text), void *ctx);

/* Takes out the next one to ask: of the highest priority among those in use at that time of the day, at random by weight. False: none is left. random is
 * asked for a number below its argument. */
bool spamd_servers_next(struct spamd_servers *s, int64_t second_of_day,
                        uint64_t (*random)(uint64_t bound), struct spamd_server *out);

#endif
