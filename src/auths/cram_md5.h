/* CRAM-MD5 (RFC 2195), for its own authenticator and for gsasl. */
#ifndef REMEX_AUTHS_CRAM_MD5_H
#define REMEX_AUTHS_CRAM_MD5_H

#include "auths/auth_talk.h"

/* The user's name becomes $auth1; the secret is the option's value, a forced failure of which means that there is no such user. Then
 * server_condition. */
enum auth_end auth_cram_md5_serve(struct auth_talk *t, const struct xstr *secret);
/* Answers a server's challenge. */
enum auth_end auth_cram_md5_ask(struct auth_talk *t, struct str name, struct str secret);

#endif
