/* Between a -H file and the models: what of an envelope the message and the session know.
 *
 * Both ways are driven by the same rows. Not in the models, and left alone in the envelope: ACL variables,
 * the addresses that are done, DSN fields and parents of recipients, freezing, certificates.
 */
#ifndef REMEX_ENGINE_SPOOL_MODEL_H
#define REMEX_ENGINE_SPOOL_MODEL_H

#include "conf/model.h"
#include "engine/spool_header.h"

/* Fills in the fields of *m and *s that h has. Values and the header list are shared with h, which must
 * outlive them; recipients are a new list in a. */
void spool_model_load(struct arena *a, const struct spool_header *h, struct message *m,
                      struct session *s);
/* The reverse, for a message that was just received: *h must be initialised. False: m->id is no id. Lists
 * are in a; the header lines are shared. */
bool spool_model_store(struct arena *a, const struct message *m, const struct session *s,
                       struct spool_header *h);

#endif
