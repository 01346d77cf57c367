/* The smtp transport: delivers to remote hosts by SMTP, or by LMTP over TCP. */
#include "transports/smtp.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct transport_smtp, address_retry_include_sender, true, 0,
        "Keeps retry times of a refused address by sender as well."),
    OPT_BOOL(struct transport_smtp, allow_localhost, false, 0,
        "Lets messages be sent to this host."),
    OPT_XSTR(struct transport_smtp, arc_sign, NULL, 0,
        "Signs with ARC: identity, selector, key and options."),
    OPT_XSTR(struct transport_smtp, authenticated_sender, NULL, 0,
        "Address for the AUTH= parameter of MAIL."),
    OPT_BOOL(struct transport_smtp, authenticated_sender_force, false, 0,
        "Sends AUTH= even when the connection is not authenticated."),
    OPT_TIME(struct transport_smtp, command_timeout, 5 * 60, 0,
        "Time limit for the answer to a command."),
    OPT_TIME(struct transport_smtp, connect_timeout, 5 * 60, 0,
        "Time limit for making a connection."),
    OPT_INT(struct transport_smtp, connection_max_messages, 500, 0,
        "How many messages go over one connection; zero means no limit."),
    OPT_XSTR(struct transport_smtp, dane_require_tls_ciphers, NULL, 0,
        "Ciphers that may be used when DANE secures the host."),
    OPT_TIME(struct transport_smtp, data_timeout, 5 * 60, 0,
        "Time limit for sending each block of data."),
    OPT_BOOL(struct transport_smtp, delay_after_cutoff, true, 0,
        "Tries addresses past their last retry time only when one of the hosts is due."),
    OPT_XSTR(struct transport_smtp, dkim_canon, NULL, 0,
        "Canonicalisation for DKIM signatures: relaxed or simple."),
    OPT_LIST(struct transport_smtp, dkim_domain, NULL, 0,
        "Domains for which messages are signed with DKIM."),
    OPT_XSTR(struct transport_smtp, dkim_hash, "sha256", 0,
        "Hash method for DKIM signatures."),
    OPT_XSTR(struct transport_smtp, dkim_identity, NULL, 0,
        "Identity in DKIM signatures."),
    OPT_XSTR(struct transport_smtp, dkim_private_key, NULL, 0,
        "Private key for DKIM signatures, or its file."),
    OPT_XSTR(struct transport_smtp, dkim_selector, NULL, 0,
        "Selectors for DKIM signatures."),
    OPT_XSTR(struct transport_smtp, dkim_sign_headers, NULL, 0,
        "Header lines that DKIM signatures cover."),
    OPT_XSTR(struct transport_smtp, dkim_strict, NULL, 0,
        "Defers when a message cannot be signed with DKIM."),
    OPT_XSTR(struct transport_smtp, dkim_timestamps, NULL, 0,
        "Adds times to DKIM signatures: how many seconds they are good for."),
    OPT_BOOL(struct transport_smtp, dns_qualify_single, true, 0,
        "Lets the resolver add the local domain to a host name of one word."),
    OPT_BOOL(struct transport_smtp, dns_search_parents, false, 0,
        "Lets the resolver search parent domains to complete a host name."),
    OPT_DOMAINS(struct transport_smtp, dnssec_request_domains, "*", 0,
        "Hosts for which look-ups ask for DNSSEC."),
    OPT_DOMAINS(struct transport_smtp, dnssec_require_domains, NULL, 0,
        "Hosts for which look-ups fail unless DNSSEC secured them."),
    OPT_XSTR(struct transport_smtp, dscp, NULL, 0,
        "Traffic class of the packets."),
    OPT_LIST(struct transport_smtp, fallback_hosts, NULL, 0,
        "Hosts that are tried when all others have failed."),
    OPT_TIME(struct transport_smtp, final_timeout, 10 * 60, 0,
        "Time limit for the answer after the data."),
    OPT_BOOL(struct transport_smtp, gethostbyname, false, 0,
        "Looks up hosts by the system's own means and not in the DNS."),
    OPT_BOOL(struct transport_smtp, gnutls_compat_mode, false,
        OPT_HIDDEN,
        "Relaxes GnuTLS for old servers."),
    OPT_XSTR(struct transport_smtp, helo_data, "$primary_hostname", 0,
        "Name that HELO and EHLO give."),
    OPT_LIST(struct transport_smtp, host_name_extract,
        "${if and {{match{$host}{.outlook.com\\$}} {match{$item}{\\N^250-([\\w.]+)\\s\\N}}} "
        "{$1}}", 0,
        "Finds the real name of a server in its answer to EHLO, to resume TLS sessions."),
    OPT_LIST(struct transport_smtp, hosts, NULL, 0,
        "Hosts to deliver to when the router gives none."),
    OPT_HOSTS(struct transport_smtp, hosts_avoid_esmtp, NULL, 0,
        "Hosts that get HELO and not EHLO."),
    OPT_HOSTS(struct transport_smtp, hosts_avoid_pipelining, NULL, 0,
        "Hosts with which commands are not pipelined."),
    OPT_HOSTS(struct transport_smtp, hosts_avoid_tls, NULL, 0,
        "Hosts with which TLS is not used."),
    OPT_INT(struct transport_smtp, hosts_max_try, 5, 0,
        "How many addresses of hosts are tried in one attempt."),
    OPT_INT(struct transport_smtp, hosts_max_try_hardlimit, 50, 0,
        "How many addresses of hosts are tried at the very most."),
    OPT_HOSTS(struct transport_smtp, hosts_nopass_tls, NULL, 0,
        "Hosts whose TLS connections are closed after one message."),
    OPT_HOSTS(struct transport_smtp, hosts_noproxy_tls, NULL, OPT_NO_EFFECT,
        "Hosts whose TLS connections are not shared by way of a proxy process."),
    OPT_BOOL(struct transport_smtp, hosts_override, false, 0,
        "Uses hosts even when the router gives others."),
    OPT_HOSTS(struct transport_smtp, hosts_pipe_connect, NULL, 0,
        "Hosts with which the first commands go out before the greeting has come."),
    OPT_XBOOL(struct transport_smtp, hosts_randomize, false, 0,
        "Tries the hosts in an order that differs each time."),
    OPT_HOSTS(struct transport_smtp, hosts_request_ocsp, "*", 0,
        "Hosts that are asked for a stapled answer about their certificate."),
    OPT_HOSTS(struct transport_smtp, hosts_require_alpn, NULL, 0,
        "Hosts that must negotiate ALPN."),
    OPT_HOSTS(struct transport_smtp, hosts_require_auth, NULL, 0,
        "Hosts with which authentication must succeed."),
    OPT_HOSTS(struct transport_smtp, hosts_require_dane, NULL, 0,
        "Hosts that DANE must secure."),
    OPT_HOSTS(struct transport_smtp, hosts_require_ocsp, NULL, 0,
        "Hosts that must show a good stapled answer about their certificate."),
    OPT_HOSTS(struct transport_smtp, hosts_require_tls, NULL, 0,
        "Hosts with which TLS must be used."),
    OPT_HOSTS(struct transport_smtp, hosts_try_auth, NULL, 0,
        "Hosts with which authentication is tried."),
    OPT_HOSTS(struct transport_smtp, hosts_try_chunking, "*", 0,
        "Hosts to which data are sent with BDAT when they offer it."),
    OPT_HOSTS(struct transport_smtp, hosts_try_dane, "*", 0,
        "Hosts that DANE secures when it can."),
    OPT_HOSTS(struct transport_smtp, hosts_try_fastopen, "*", 0,
        "Hosts to which connections are made with TCP fast open, once they allow it."),
    OPT_HOSTS(struct transport_smtp, hosts_try_prdr, "*", 0,
        "Hosts with which an answer for each recipient is negotiated when they offer it."),
    OPT_HOSTS(struct transport_smtp, hosts_verify_avoid_tls, NULL, 0,
        "Hosts with which callouts do not use TLS."),
    OPT_LIST(struct transport_smtp, interface, NULL, 0,
        "Own addresses from which connections are made."),
    OPT_BOOL(struct transport_smtp, keepalive, true, 0,
        "Turns on keepalive for connections."),
    OPT_BOOL(struct transport_smtp, lmtp_ignore_quota, false, 0,
        "Asks an LMTP server to ignore quotas."),
    OPT_XSTR(struct transport_smtp, max_rcpt, "100", 0,
        "How many recipients go into one transaction."),
    OPT_INT(struct transport_smtp, message_linelength_limit, 998, 0,
        "Longest line that is sent; a message with a longer one fails."),
    OPT_XBOOL(struct transport_smtp, multi_domain, true, 0,
        "Sends one copy for recipients in several domains."),
    OPT_XSTR(struct transport_smtp, port, NULL, 0,
        "Port to connect to."),
    OPT_STR(struct transport_smtp, protocol, NULL, 0,
        "Protocol to speak: smtp, smtps or lmtp."),
    OPT_XBOOL(struct transport_smtp, retry_include_ip_address, true, 0,
        "Keeps retry times of hosts by address and not by name alone."),
    OPT_HOSTS(struct transport_smtp, serialize_hosts, NULL, 0,
        "Hosts that get one connection at a time."),
    OPT_INT(struct transport_smtp, size_addition, 1024, 0,
        "Bytes that are added to the size announced in MAIL."),
    OPT_XSTR(struct transport_smtp, socks_proxy, NULL, 0,
        "SOCKS proxies through which connections are made."),
    OPT_XSTR(struct transport_smtp, tls_alpn, NULL, 0,
        "Names of protocols that are offered in ALPN."),
    OPT_XSTR(struct transport_smtp, tls_certificate, NULL, 0,
        "Own certificate to show to servers."),
    OPT_XSTR(struct transport_smtp, tls_crl, NULL, 0,
        "File or folder with revoked certificates."),
    OPT_INT(struct transport_smtp, tls_dh_min_bits, 1024, 0,
        "Smallest Diffie-Hellman prime that a server may use."),
    OPT_XSTR(struct transport_smtp, tls_privatekey, NULL, 0,
        "Private key of the own certificate."),
    OPT_XSTR(struct transport_smtp, tls_require_ciphers, NULL, 0,
        "Ciphers that may be used, in the words of the TLS library."),
    OPT_HOSTS(struct transport_smtp, tls_resumption_hosts, NULL, 0,
        "Hosts with which TLS sessions are resumed."),
    OPT_XSTR(struct transport_smtp, tls_sni, NULL, 0,
        "Server name that the TLS handshake gives."),
    OPT_BOOL(struct transport_smtp, tls_tempfail_tryclear, true, 0,
        "Goes on without TLS when it fails for the moment and is not required."),
    OPT_HOSTS(struct transport_smtp, tls_try_verify_hosts, "*", 0,
        "Hosts whose certificate is checked, with no failure if it is bad."),
    OPT_HOSTS(struct transport_smtp, tls_verify_cert_hostnames, "*", 0,
        "Hosts whose certificate must name them."),
    OPT_XSTR(struct transport_smtp, tls_verify_certificates, "system", 0,
        "Certificates that are trusted when servers are verified."),
    OPT_HOSTS(struct transport_smtp, tls_verify_hosts, NULL, 0,
        "Hosts whose certificate must be good."),
    OPT_XSTR(struct transport_smtp, utf8_downconvert, "-1", 0,
        "Turns internationalised addresses into ASCII: 1 always, 0 never, -1 if needed."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "smtp transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_smtp),
};

static void
complete(struct driver_instance *d)
{
    struct transport_smtp *own = d->own.fields;
    if (driver_sets_own(d, "port"))
        return;
    own->port.text = str_ieqz(own->protocol, "lmtp")          ? STR_LIT("lmtp")
                     : str_ieqz(own->protocol, "smtps")       ? STR_LIT("smtps")
                     : str_ieqz(own->protocol, "submissions") ? STR_LIT("submissions")
                                                              : STR_LIT("smtp");
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct transport_smtp *own = d->own.fields;
    bool ok = true;
    complete(d);
    if (own->command_timeout <= 0 || own->data_timeout <= 0 || own->final_timeout <= 0)
        ok = driver_fault(diags, d, NULL, DRIVER_WORDS_PLAIN,
                          "command, data, or final timeout value is zero for %.*s transport",
                          STR_ARG(d->name));
    return transport_check_generic(d, TRANSPORT_REMOTE, diags) && ok;
}

const struct transport_driver transport_smtp = {
    .base =
        {
            .name = STR_INIT("smtp"),
            .opts = &opts,
            .check = check,
        },
    .place = TRANSPORT_REMOTE,
};

const struct transport_smtp *
transport_smtp_options(const struct driver_instance *d)
{
    return d->own.fields;
}

bool
transport_smtp_is_lmtp(const struct transport_smtp *opt)
{
    return str_ieqz(opt->protocol, "lmtp");
}

bool
transport_smtp_needs_names(const struct transport_smtp *opt)
{
    bool verifies = opt->tls_verify_hosts.text.n > 0 || opt->tls_try_verify_hosts.text.n == 0;
    return verifies && str_trim(opt->tls_verify_cert_hostnames.text).n > 0;
}

bool
transport_smtp_takes_lines(const struct transport_smtp *opt, const struct message *m)
{
    return opt->message_linelength_limit <= 0 ||
           m->max_received_line <= opt->message_linelength_limit;
}
