/* What every delivery, local or remote, needs before its transport runs: what variables show of its addresses, the return path, the
 * limit of size. Source: specification, chapter "Generic options for transports". */
#ifndef REMEX_ENGINE_TRANSPORT_SETUP_H
#define REMEX_ENGINE_TRANSPORT_SETUP_H

#include "engine/delivery.h"
#include "engine/local_job.h"

/* What is the same for all addresses of the batch; the rest is unset. */
void transport_setup_view(struct address *view, const struct driver_instance *transport,
                          struct address *const *batch, size_t n);
/* The host at hand, as variables show it. */
void transport_setup_host(struct address *view, const struct host_target *host, int64_t port);
/* view->return_path. OUT_OK, or a deferral that was logged, with *why. */
enum outcome transport_setup_return_path(struct delivery *d,
                                         const struct driver_instance *transport,
                                         struct address *view, struct why *why);
/* message_size_limit. */
enum outcome transport_setup_size(struct delivery *d, const struct driver_instance *transport,
                                  struct why *why);
/* What a job of this process is about; where its body is, and what it is to be done with, is for the caller. */
struct transport_job transport_setup_base(const struct delivery *d,
                                          const struct driver_instance *transport,
                                          struct address **batch, size_t n);
/* What the driver of a local transport prepares before its job goes to a process that is the user. False: *why. */
bool transport_setup_job(struct delivery *d, const struct driver_instance *transport,
                         struct address **batch, size_t n, struct local_job *job,
                         struct why *why);
/* debug_print. */
void transport_setup_debug(struct delivery *d, const struct driver_instance *transport);

#endif
