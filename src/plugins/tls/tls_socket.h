/* TLS over a socket, with GnuTLS; sys/tls_plugin.h says what it does. */
#ifndef REMEX_PLUGINS_TLS_TLS_SOCKET_H
#define REMEX_PLUGINS_TLS_TLS_SOCKET_H

#include "sys/tls_plugin.h"

extern const struct tls_client tls_socket_client;

#endif
