/* The three models: message, session, address. What the engine knows, and what variables show.
 *
 * All fields of type struct str may be unset (p == NULL); numbers are 0 until known. A thread owns the
 * session or message that it works on. Strings live in the arena of their model (or longer).
 */
#ifndef REMEX_CONF_MODEL_H
#define REMEX_CONF_MODEL_H

#include "base/str.h"
#include "base/vec.h"

#include <sys/types.h>

struct header_list;      /* mail/header.h */
struct transport_answer; /* transports/transport.h */
struct driver_instance;  /* conf/conf.h */
struct filter_action;    /* filter/filter_run.h */
struct acl_message;      /* acl/acl_state.h */
struct arc_check;        /* mail/arc.h */
struct dmarc_check;      /* mail/dmarc.h */
struct spf_check;        /* mail/spf.h */
struct dkim_headers;     /* mail/dkim_headers.h */
struct dkim_results;     /* mail/dkim_result.h */
struct acl_connection;
struct scan_message;     /* scanners/scan_message.h */
struct mime_at;          /* scanners/mime_scan.h */

/* The MIME part at hand, as the variables show it; all unset but `count` when the MIME ACL does not run. */
struct mime_shown {
    struct str type, boundary, charset, disposition, id, description, encoding, filename;
    struct str decoded_filename; /* set once `decode` has succeeded */
    int64_t content_size;        /* likewise: KiB */
    int64_t anomaly_level;       /* 0: none */
    struct str anomaly_text;
    bool multipart, rfc822, cover_letter;
    int64_t count;            /* of parts so far: $mime_part_count plus one */
    const struct mime_at *at; /* where it is; NULL: there is none */
};

struct recipient {
    struct str address;
    struct str errors_to;
    struct str orcpt;  /* DSN: ORCPT of RCPT, or unset */
    int64_t dsn_flags; /* DSN: bits of NOTIFY, as in the spool */
    int64_t parent;    /* index of the one_time parent, or -1 */
};

/* A message: envelope, headers, where its body is. */
struct message {
    struct arena *arena;
    struct str id;     /* $message_exim_id */
    struct str sender; /* envelope sender; "" for a bounce, unset when there is none */
    struct str authenticated_sender;
    VEC(struct recipient) recipients;
    int64_t
        recipients_hidden; /* number of further ones, whose addresses are not to be known here */
    struct header_list *headers; /* NULL: none */
    struct header_texts *texts;  /* what variables showed of them; conf/vars_header.c */
    struct str header_charset;   /* of decoded values; unset: the setting */
    int body_fd;                 /* -1: body_text */
    int64_t body_start;          /* where the body begins in body_fd */
    struct str body_text;        /* for -bem and tests */
    int64_t body_size, size;     /* bytes */
    int64_t body_lines, lines;   /* $body_linecount, $message_linecount */
    int64_t body_zeros;
    int64_t max_received_line;
    int64_t received_time, received_time_us; /* seconds; microseconds within */
    int64_t received_count;
    struct str received_for;
    struct str received_protocol;
    struct str queue_name;
    int64_t originator_uid, originator_gid;
    int64_t body_8bitmime; /* BODY= of MAIL: 0 none, 7, 8 */
    bool smtputf8, utf8_downconvert, utf8_optional_downconvert;
    bool first_delivery;
    bool manually_thawed; /* by an admin user, and not frozen since */
    struct str dsn_envid; /* DSN: ENVID of MAIL, or unset */
    int64_t dsn_ret;      /* DSN: RET of MAIL: 0 none, 1 FULL, 2 HDRS */
    struct str local_scan_text;
    struct str warn_delay, warn_recipients;
    struct str bounce_recipient;
    int64_t filter_n[10], filter_sn[10]; /* $n0.., $sn0.. */
    struct acl_message *acl;             /* what ACLs decided of it, or NULL */
    struct scan_message *scan;           /* as scanners see it, or NULL */
    struct dkim_headers *arrived;        /* its lines as they came, if it has sets of ARC; or NULL */
    struct arc_check *arc;               /* what is known of its chain of ARC; NULL: nobody asked */
    struct dmarc_check *dmarc;           /* what DMARC said of the author; NULL: nobody asked */
    struct spf_check *spf;               /* what SPF said of the sender; NULL: nobody asked */
    struct mime_shown mime;
    struct dkim_results *dkim;           /* of its signatures; mail/dkim_result.h. NULL: not verified */
};

/* What an address stands for: those that are no mail address came out of a redirection. */
enum address_item {
    ADDRESS_ITEM_MAIL,
    ADDRESS_ITEM_FILE,      /* text is a path */
    ADDRESS_ITEM_DIRECTORY, /* a path with a slash at its end */
    ADDRESS_ITEM_PIPE,      /* text is "|command" */
    ADDRESS_ITEM_REPLY,     /* text is ">user@domain" */
};

/* A host to deliver to. */
struct host_target {
    struct str name;
    struct str
        head; /* where the CNAME records begin that lead to name; unset: there are none */
    /* An IP address without brackets; unset when the transport is local: then name is the whole list, $host. */
    struct str address;
    int64_t port;       /* 0: the transport's */
    int64_t preference; /* of the MX record; -1: none */
    bool dnssec;        /* found by an answer that was authenticated */
};

struct host_targets {
    struct host_target *v;
    size_t n, cap;
};

/* One address on its way through the routers. */
struct address {
    struct arena *arena;
    struct str text; /* whole address, local part in the case in which it was given */
    struct str
        key; /* unique: what duplicates are found by, and what the journal says is done */

    /* Where it comes from. */
    struct address *parent; /* redirected from; NULL: a recipient of the envelope */
    struct str
        list; /* the recipient that a one_time router replaced by it, for logs; or unset */
    size_t recipient;  /* index of the recipient of the envelope that it comes from */
    unsigned children; /* addresses generated from it that are not done yet */
    enum address_item item;
    const struct filter_action *reply; /* of ADDRESS_ITEM_REPLY */
    unsigned
        refuse; /* what a file of the reply may not ask for when it is expanded: HOST_REFUSE_* */
    /* Of ADDRESS_ITEM_PIPE out of a filter: the command is expanded argument by argument when it runs, with these $0... */
    bool expands;
    const struct str *captures;
    unsigned captures_n;
    struct str orcpt;
    int64_t dsn_flags;

    /* What the routers decided. */
    const struct driver_instance *router, *transport;
    struct host_targets hosts, fallback_hosts;
    struct str errors_to;      /* where bounces go; unset: the sender; "": nowhere */
    struct str headers_add;    /* lines, each with its newline; or unset */
    struct str headers_remove; /* colon-separated names, or unset */
    struct map *router_vars;   /* $r_*: name -> struct str *, or NULL */
    struct str transport_home,
        current_directory; /* texts that the transport's process expands */
    bool initgroups,
        identity_set;  /* identity_set: local_uid and local_gid came from the router */
    bool ignore_error; /* a failure is not told to anybody (noerror) */
    bool hide_child;   /* a bounce names the ancestor that does not have this */
    bool log_as_local;
    bool disable_logging; /* deliveries that come from it are not logged */
    bool dsn_lasthop;     /* what follows takes no DSN requests */
    bool
        copies_routing; /* others of the same domain go where it goes (same_domain_copy_routing) */
    int64_t mode;       /* of a file that a filter saves to; -1: the transport's */
    /* Where routing begins: NULL for the first router (redirect_router, a clone behind `unseen`). */
    const struct driver_instance *start;
    bool
        routes_by_local_part; /* retry times of routing are those of the address, not of its domain */
    /* An ancestor has the same text: the key has a number in front. That number plus one, or 0. */
    unsigned homonym;
    unsigned depth; /* number of ancestors */

    struct transport_answer *answer; /* what became of a delivery; NULL before */
    struct address *next_duplicate;  /* others with the same key: done when this one is */
    bool waits; /* it, or an address that it was redirected to, was deferred */

    struct str local_part, domain;
    struct str local_part_data, domain_data;
    struct str prefix, prefix_v, suffix, suffix_v;
    struct str original_local_part, original_domain;
    struct str parent_local_part, parent_domain;
    struct str home, router_name, transport_name;
    struct str address_data, self_hostname;
    struct str file, pipe; /* $address_file, $address_pipe */
    struct str host, host_address, host_data;
    int64_t host_port;
    int64_t local_uid, local_gid; /* -1: unknown */
    struct str return_path;
    struct str thisaddress;
    int64_t inode;
    struct str mailstore_basename;
};

struct tls_state {
    struct str cipher, cipher_std, peerdn, sni, version;
    struct str peercert, ourcert; /* PEM text */
    int64_t bits, verified, ocsp, resumption;
    bool dane;
    int64_t tlsa_usage;
    struct str dane_name; /* that a certificate under an authority of TLSA records has */
};

/* One SMTP connection (or local submission). */
struct session {
    struct arena *arena;
    struct str sender_host_address, sender_host_name, sender_helo_name, sender_ident;
    struct str sender_host_names; /* all that were verified, with newlines between; or unset */
    struct str sender_fullhost, sender_rcvhost, sender_host_authenticated;
    struct str auth_public_name; /* of that authenticator's mechanism */
    bool was_loaded;             /* the load was above queue_only_load once */
    struct debug_log *debug_log; /* engine/debug_log.h; NULL: nobody asked for it */
    struct str fullhost_name;    /* the name of the host in the first two */
    int64_t sender_host_port;
    bool sender_host_dnssec, sender_helo_dnssec;
    bool host_lookup_failed, host_lookup_deferred;
    struct str helo_verified;
    struct str interface_address;
    int64_t interface_port;
    struct str sending_address;
    int64_t sending_port;
    struct str authenticated_id, authenticated_fail_id;
    bool authentication_failed;
    struct str auth[4];
    struct str active_hostname, connection_id;
    struct str command, command_argument, command_history, notquit_reason;
    int64_t count_at_start, rcpt_count, rcpt_defer_count, rcpt_fail_count;
    struct str rate, rate_limit, rate_period;
    struct str verify_failure, sender_verify_failure, recipient_verify_failure;
    struct str acl_verify_message, callout_address, verify_mode;
    struct str acl_args[9];
    int64_t acl_narg;
    struct str dnslist_domain, dnslist_matched, dnslist_text, dnslist_value;
    struct str csa_status;
    struct str sender_address_data;
    struct str proxy_external, proxy_local;
    int64_t proxy_external_port, proxy_local_port;
    bool proxy, prdr;
    bool proxy_out; /* the proxy is one that an outgoing connection went through */
    bool pipelining_offered, pipelining_used; /* used: for the message at hand */
    bool fast_open, fast_data; /* TCP fast open has saved time; with data in the first packet */
    bool early_offered,
        early_used; /* the client may, and did, say EHLO ahead of the greeting */
    struct str regex_match, regex_caps[9];
    struct str malware_name;
    bool av_failed; /* a scanner could not say anything of the message */
    struct str spam_action, spam_bar, spam_report, spam_score, spam_score_int;
    struct str event_name, event_data;
    int64_t event_errno;
    struct str srs_recipient;
    struct str headers_added;
    struct tls_state tls_in, tls_out;
    bool tls_out_active;        /* $tls_cipher and its kind mean the outgoing connection */
    struct acl_connection *acl; /* what ACLs decided of the connection, or NULL */
};

#endif
