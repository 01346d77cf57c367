/* What the files of the smtp transport share, and the engine that chooses hosts for it: its options. smtp.c: options and their
 * check; smtp_client.c: one connection; smtp_transaction.c: one message over it. */
#ifndef REMEX_TRANSPORTS_SMTP_H
#define REMEX_TRANSPORTS_SMTP_H

#include "transports/transport.h"

struct transport_smtp {
    bool address_retry_include_sender, allow_localhost;
    struct xstr arc_sign, authenticated_sender;
    bool authenticated_sender_force;
    int64_t command_timeout, connect_timeout, connection_max_messages;
    struct xstr dane_require_tls_ciphers;
    int64_t data_timeout;
    bool delay_after_cutoff;
    struct xstr dkim_canon, dkim_domain, dkim_hash, dkim_identity, dkim_private_key,
        dkim_selector, dkim_sign_headers, dkim_strict, dkim_timestamps;
    bool dns_qualify_single, dns_search_parents;
    struct xstr dnssec_request_domains, dnssec_require_domains, dscp, fallback_hosts;
    int64_t final_timeout;
    bool gethostbyname, gnutls_compat_mode;
    struct xstr helo_data, host_name_extract, hosts, hosts_avoid_esmtp, hosts_avoid_pipelining,
        hosts_avoid_tls;
    int64_t hosts_max_try, hosts_max_try_hardlimit;
    struct xstr hosts_nopass_tls, hosts_noproxy_tls;
    bool hosts_override;
    struct xstr hosts_pipe_connect;
    struct opt_xbool hosts_randomize;
    struct xstr hosts_request_ocsp, hosts_require_alpn, hosts_require_auth, hosts_require_dane,
        hosts_require_ocsp, hosts_require_tls, hosts_try_auth, hosts_try_chunking,
        hosts_try_dane, hosts_try_fastopen, hosts_try_prdr, hosts_verify_avoid_tls, interface;
    bool keepalive, lmtp_ignore_quota;
    struct xstr max_rcpt;
    int64_t message_linelength_limit;
    struct opt_xbool multi_domain;
    struct xstr port;
    struct str protocol;
    struct opt_xbool retry_include_ip_address;
    struct xstr serialize_hosts;
    int64_t size_addition;
    struct xstr socks_proxy, tls_alpn, tls_certificate, tls_crl;
    int64_t tls_dh_min_bits;
    struct xstr tls_privatekey, tls_require_ciphers, tls_resumption_hosts, tls_sni;
    bool tls_tempfail_tryclear;
    struct xstr tls_try_verify_hosts, tls_verify_cert_hostnames, tls_verify_certificates,
        tls_verify_hosts, utf8_downconvert;
};

/* The options of an instance of the smtp transport. */
const struct transport_smtp *transport_smtp_options(const struct driver_instance *d);
/* protocol = lmtp */
bool transport_smtp_is_lmtp(const struct transport_smtp *opt);
/* True if the name in a server's certificate can keep a message from it: recipients whose hosts go by other names then go apart. */
bool transport_smtp_needs_names(const struct transport_smtp *opt);
/* message_linelength_limit: no line of the message is too long. */
bool transport_smtp_takes_lines(const struct transport_smtp *opt, const struct message *m);

#endif
