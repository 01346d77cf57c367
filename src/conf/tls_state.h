/* What variables show of a TLS connection ($tls_in_… and $tls_out_…), taken from the connection once its handshake is over. */
#ifndef REMEX_CONF_TLS_STATE_H
#define REMEX_CONF_TLS_STATE_H

#include "conf/model.h"
#include "sys/tls.h"

/* Texts are put into a; a certificate that somebody else made is marked tainted. */
void tls_state_take(struct tls_state *t, struct arena *a, struct tls *tls,
                    struct tls_connection *c);
/* The same texts in another arena. */
void tls_state_copy(struct tls_state *to, struct arena *a, const struct tls_state *from);
/* There is no TLS any more. */
void tls_state_forget(struct tls_state *t);

#endif
