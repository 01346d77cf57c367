/* Keys of DKIM and ARC, with GnuTLS; sys/sign_key.h says what it does. */
#ifndef REMEX_PLUGINS_TLS_TLS_KEYS_H
#define REMEX_PLUGINS_TLS_TLS_KEYS_H

#include "sys/sign_key.h"

extern const struct sign_key_library tls_keys_library;

#endif
