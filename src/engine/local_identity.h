/* Under whose identity, and where, a local delivery runs. Source: specification, chapter "Environment for running local
 * transports".
 */
#ifndef REMEX_ENGINE_LOCAL_IDENTITY_H
#define REMEX_ENGINE_LOCAL_IDENTITY_H

#include "engine/delivery.h"
#include "mail/why_errno.h"

struct local_identity {
    uid_t uid;
    gid_t gid;
    struct str login; /* whose groups come with it; unset: gid alone */
    struct str home;  /* $home, or unset */
    struct str directory;
};

/* Of one address; eval->address is it, or a view of it. OUT_OK, or OUT_DEFER with *why; what people must look at is logged
 * then. home becomes that of the identity while current_directory is expanded. */
enum outcome local_identity_find(struct delivery *d, const struct driver_instance *transport,
                                 struct address *a, struct local_identity *out,
                                 struct why *why);

/* A deferral that is told to the main and the panic log at once: number for the log line, text. Always OUT_DEFER. */
enum outcome local_fault(struct delivery *d, struct why *why, int number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
