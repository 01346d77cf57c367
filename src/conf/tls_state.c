/* What variables show of TLS; see tls_state.h. */
#include "conf/tls_state.h"

void
tls_state_forget(struct tls_state *t)
{
    *t = (struct tls_state){.cipher = STR_NULL};
}

void
tls_state_take(struct tls_state *t, struct arena *a, struct tls *tls, struct tls_connection *c)
{
    struct tls_facts f;
    tls_facts(tls, c, a, &f);
    *t = (struct tls_state){
        .cipher = f.cipher,
        .cipher_std = f.cipher_std,
        .version = f.version,
        .bits = f.bits,
        .peerdn = f.peer_dn,
        .sni = f.sni,
        .peercert = str_is_set(f.peer_cert) ? str_tainted(f.peer_cert) : STR_NULL,
        .ourcert = f.own_cert,
        .verified = f.verified,
        .dane = f.dane,
        .tlsa_usage = f.tlsa_usage,
        .dane_name = f.dane_name,
        .ocsp = (int64_t)f.ocsp,
        .resumption = (int64_t)f.resumed,
    };
}

void
tls_state_copy(struct tls_state *to, struct arena *a, const struct tls_state *from)
{
    *to = *from;
    struct str *const texts[] = {&to->cipher,  &to->cipher_std, &to->peerdn,  &to->sni,
                                 &to->version, &to->peercert,   &to->ourcert, &to->dane_name};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (str_is_set(*texts[i]))
            *texts[i] = str_dup(a, *texts[i]);
}
