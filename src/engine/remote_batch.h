/* Which addresses one remote delivery takes together. Source: specification, section "Outgoing SMTP and LMTP over TCP/IP"; options
 * multi_domain, max_rcpt, remote_max_parallel, remote_sort_domains. */
#ifndef REMEX_ENGINE_REMOTE_BATCH_H
#define REMEX_ENGINE_REMOTE_BATCH_H

#include "engine/delivery.h"

struct remote_batch {
    struct address **v;
    size_t n;
};

struct remote_batches {
    VEC(struct remote_batch) v;
};

/* Splits the addresses, which are put into the order of remote_sort_domains first. parallel: how many deliveries go on at once. */
void remote_batches_make(struct delivery *d, struct address_vec *addresses, size_t parallel,
                         struct remote_batches *out);
/* False: multi_domain, for this address, is no yes and no no; *why. */
bool remote_batch_is_sound(struct delivery *d, struct address *a, struct why *why);
/* True if two lists name the same hosts; the order of those with the same MX value does not matter. With names, so does what the host is
 * called at the head of its CNAME records; where DNSSEC secured it, it matters in any case, since TLSA records may stand there. */
bool remote_batch_same_hosts(const struct host_targets *a, const struct host_targets *b,
                             bool names);
/* The same of two entries, whatever their MX value. */
bool remote_batch_same_host(const struct host_target *a, const struct host_target *b,
                            bool names);

#endif
