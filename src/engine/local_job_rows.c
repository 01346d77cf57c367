/* The fields that go along with a job; see local_job_rows.h.
 *
 * Not here, and so unknown to the user's process: the other recipients, what authenticators left, what ACLs decided.
 */
#include "engine/local_job_rows.h"

/* The longest names and the like, and the longest data. */
enum { SHORT = 1024 * 1024, LONG = 64 * 1024 * 1024 };

/* clang-format off */
static const struct record_row call_rows[] = {
    RECORD_NUMBER(struct local_job_call, kind, 0, LOCAL_JOB_KINDS - 1),
    RECORD_TEXT(struct local_job_call, driver, SHORT),
    RECORD_TEXT(struct local_job_call, file, SHORT),
    RECORD_TEXT(struct local_job_call, qualify, SHORT),
    RECORD_TEXT(struct local_job_call, home, SHORT),
    RECORD_TEXT(struct local_job_call, directory, SHORT),
    RECORD_TEXT(struct local_job_call, return_path, SHORT),
    RECORD_TEXT(struct local_job_call, text, LONG),
    RECORD_TEXT(struct local_job_call, envelope, LONG),
    RECORD_NUMBER(struct local_job_call, dont_deliver, 0, 1),
    RECORD_NUMBER(struct local_job_call, shadow, 0, 1),
    RECORD_NUMBER(struct local_job_call, return_to_nobody, 0, 1),
    RECORD_NUMBER(struct local_job_call, logs, 0, 1),
    RECORD_NUMBER(struct local_job_call, access, 0, 1),
    RECORD_NUMBER(struct local_job_call, has_envelope, 0, 1),
    RECORD_NUMBER(struct local_job_call, queue_running, 0, 1),
    RECORD_TEXT(struct local_job_call, domain_data, LONG),
    RECORD_TEXT(struct local_job_call, local_part_data, LONG),
    RECORD_TEXT(struct local_job_call, sender_data, LONG),
    RECORD_TEXT(struct local_job_call, host_data, LONG),
    RECORD_TEXT(struct local_job_call, recipient_data, LONG),
    RECORD_NUMBER(struct local_job_call, deliverer, 0, INT64_MAX),
    RECORD_NUMBER(struct local_job_call, uid, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_call, gid, INT64_MIN, INT64_MAX),
};

static const struct record_row message_rows[] = {
    RECORD_TEXT(struct message, id, SHORT),
    RECORD_TEXT(struct message, sender, SHORT),
    RECORD_TEXT(struct message, authenticated_sender, SHORT),
    RECORD_TEXT(struct message, header_charset, SHORT),
    RECORD_TEXT(struct message, received_for, SHORT),
    RECORD_TEXT(struct message, received_protocol, SHORT),
    RECORD_TEXT(struct message, queue_name, SHORT),
    RECORD_TEXT(struct message, dsn_envid, SHORT),
    RECORD_TEXT(struct message, local_scan_text, SHORT),
    RECORD_TEXT(struct message, bounce_recipient, SHORT),
    RECORD_TEXT(struct message, body_text, LONG),
    RECORD_TEXT(struct message, warn_delay, LONG),
    RECORD_TEXT(struct message, warn_recipients, LONG),
    RECORD_NUMBER(struct message, body_start, 0, INT64_MAX),
    RECORD_NUMBER(struct message, body_size, 0, INT64_MAX),
    RECORD_NUMBER(struct message, size, -1, INT64_MAX),
    RECORD_NUMBER(struct message, body_lines, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, lines, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, body_zeros, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, max_received_line, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, received_time, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, received_time_us, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, received_count, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, originator_uid, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, originator_gid, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, body_8bitmime, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, dsn_ret, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, recipients_hidden, 0, INT64_MAX),
    RECORD_NUMBER(struct message, smtputf8, 0, 1),
    RECORD_NUMBER(struct message, first_delivery, 0, 1),
    RECORD_NUMBER(struct message, manually_thawed, 0, 1),
    RECORD_NUMBER(struct message, filter_n[0], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[1], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[2], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[3], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[4], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[5], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[6], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[7], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[8], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_n[9], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[0], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[1], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[2], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[3], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[4], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[5], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[6], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[7], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[8], INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct message, filter_sn[9], INT64_MIN, INT64_MAX),
};

static const struct record_row session_rows[] = {
    RECORD_TEXT(struct session, sender_host_address, SHORT),
    RECORD_TEXT(struct session, sender_host_name, SHORT),
    RECORD_TEXT(struct session, sender_helo_name, SHORT),
    RECORD_TEXT(struct session, sender_ident, SHORT),
    RECORD_TEXT(struct session, sender_fullhost, SHORT),
    RECORD_TEXT(struct session, sender_rcvhost, SHORT),
    RECORD_TEXT(struct session, sender_host_authenticated, SHORT),
    RECORD_TEXT(struct session, helo_verified, SHORT),
    RECORD_TEXT(struct session, interface_address, SHORT),
    RECORD_TEXT(struct session, sending_address, SHORT),
    RECORD_TEXT(struct session, authenticated_id, SHORT),
    RECORD_TEXT(struct session, authenticated_fail_id, SHORT),
    RECORD_TEXT(struct session, active_hostname, SHORT),
    RECORD_TEXT(struct session, connection_id, SHORT),
    RECORD_TEXT(struct session, csa_status, SHORT),
    RECORD_TEXT(struct session, proxy_external, SHORT),
    RECORD_TEXT(struct session, proxy_local, SHORT),
    RECORD_TEXT(struct session, srs_recipient, SHORT),
    RECORD_TEXT(struct session, tls_in.cipher, SHORT),
    RECORD_TEXT(struct session, tls_in.cipher_std, SHORT),
    RECORD_TEXT(struct session, tls_in.peerdn, SHORT),
    RECORD_TEXT(struct session, tls_in.sni, SHORT),
    RECORD_TEXT(struct session, tls_in.version, SHORT),
    RECORD_TEXT(struct session, malware_name, SHORT),
    RECORD_TEXT(struct session, spam_action, SHORT),
    RECORD_TEXT(struct session, spam_bar, SHORT),
    RECORD_TEXT(struct session, spam_score, SHORT),
    RECORD_TEXT(struct session, spam_score_int, SHORT),
    RECORD_TEXT(struct session, sender_address_data, LONG),
    RECORD_TEXT(struct session, dnslist_domain, LONG),
    RECORD_TEXT(struct session, dnslist_matched, LONG),
    RECORD_TEXT(struct session, dnslist_text, LONG),
    RECORD_TEXT(struct session, dnslist_value, LONG),
    RECORD_TEXT(struct session, spam_report, LONG),
    RECORD_TEXT(struct session, headers_added, LONG),
    RECORD_TEXT(struct session, tls_in.peercert, LONG),
    RECORD_TEXT(struct session, tls_in.ourcert, LONG),
    RECORD_NUMBER(struct session, sender_host_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, interface_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, sending_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, proxy_external_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, proxy_local_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, tls_in.bits, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, tls_in.verified, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, tls_in.ocsp, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, tls_in.resumption, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, tls_in.tlsa_usage, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct session, sender_host_dnssec, 0, 1),
    RECORD_NUMBER(struct session, sender_helo_dnssec, 0, 1),
    RECORD_NUMBER(struct session, host_lookup_failed, 0, 1),
    RECORD_NUMBER(struct session, host_lookup_deferred, 0, 1),
    RECORD_NUMBER(struct session, authentication_failed, 0, 1),
    RECORD_NUMBER(struct session, proxy, 0, 1),
    RECORD_NUMBER(struct session, prdr, 0, 1),
    RECORD_NUMBER(struct session, tls_in.dane, 0, 1),
};

static const struct record_row header_rows[] = {
    RECORD_TEXT(struct header, text, LONG),
    RECORD_NUMBER(struct header, type, 0, 127),
};

static const struct record_row recipient_rows[] = {
    RECORD_TEXT(struct recipient, address, SHORT),
    RECORD_TEXT(struct recipient, errors_to, SHORT),
    RECORD_TEXT(struct recipient, orcpt, SHORT),
    RECORD_NUMBER(struct recipient, dsn_flags, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct recipient, parent, INT64_MIN, INT64_MAX),
};

static const struct record_row address_rows[] = {
    RECORD_NUMBER(struct local_job_address, parent, 0, LOCAL_JOB_ADDRESSES_MAX),
    RECORD_NUMBER(struct local_job_address, role, 0, LOCAL_JOB_ROLES - 1),
    RECORD_NUMBER(struct local_job_address, a.item, 0, ADDRESS_ITEM_REPLY),
    RECORD_TEXT(struct local_job_address, a.text, SHORT),
    RECORD_TEXT(struct local_job_address, a.key, SHORT),
    RECORD_TEXT(struct local_job_address, a.list, SHORT),
    RECORD_TEXT(struct local_job_address, a.orcpt, SHORT),
    RECORD_TEXT(struct local_job_address, a.errors_to, SHORT),
    RECORD_TEXT(struct local_job_address, a.local_part, SHORT),
    RECORD_TEXT(struct local_job_address, a.domain, SHORT),
    RECORD_TEXT(struct local_job_address, a.prefix, SHORT),
    RECORD_TEXT(struct local_job_address, a.prefix_v, SHORT),
    RECORD_TEXT(struct local_job_address, a.suffix, SHORT),
    RECORD_TEXT(struct local_job_address, a.suffix_v, SHORT),
    RECORD_TEXT(struct local_job_address, a.original_local_part, SHORT),
    RECORD_TEXT(struct local_job_address, a.original_domain, SHORT),
    RECORD_TEXT(struct local_job_address, a.parent_local_part, SHORT),
    RECORD_TEXT(struct local_job_address, a.parent_domain, SHORT),
    RECORD_TEXT(struct local_job_address, a.home, SHORT),
    RECORD_TEXT(struct local_job_address, a.router_name, SHORT),
    RECORD_TEXT(struct local_job_address, a.transport_name, SHORT),
    RECORD_TEXT(struct local_job_address, a.self_hostname, SHORT),
    RECORD_TEXT(struct local_job_address, a.host, SHORT),
    RECORD_TEXT(struct local_job_address, a.host_address, SHORT),
    RECORD_TEXT(struct local_job_address, a.return_path, SHORT),
    RECORD_TEXT(struct local_job_address, a.thisaddress, SHORT),
    RECORD_TEXT(struct local_job_address, a.mailstore_basename, SHORT),
    RECORD_TEXT(struct local_job_address, a.transport_home, SHORT),
    RECORD_TEXT(struct local_job_address, a.current_directory, SHORT),
    RECORD_TEXT(struct local_job_address, a.headers_add, LONG),
    RECORD_TEXT(struct local_job_address, a.headers_remove, LONG),
    RECORD_TEXT(struct local_job_address, a.local_part_data, LONG),
    RECORD_TEXT(struct local_job_address, a.domain_data, LONG),
    RECORD_TEXT(struct local_job_address, a.address_data, LONG),
    RECORD_TEXT(struct local_job_address, a.file, LONG),
    RECORD_TEXT(struct local_job_address, a.pipe, LONG),
    RECORD_TEXT(struct local_job_address, a.host_data, LONG),
    RECORD_NUMBER(struct local_job_address, a.refuse, 0, UINT32_MAX),
    RECORD_NUMBER(struct local_job_address, a.homonym, 0, UINT32_MAX),
    RECORD_NUMBER(struct local_job_address, a.depth, 0, UINT32_MAX),
    RECORD_NUMBER(struct local_job_address, a.dsn_flags, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.mode, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.host_port, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.local_uid, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.local_gid, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.inode, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct local_job_address, a.expands, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.initgroups, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.identity_set, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.ignore_error, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.hide_child, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.log_as_local, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.disable_logging, 0, 1),
    RECORD_NUMBER(struct local_job_address, a.dsn_lasthop, 0, 1),
};

static const struct record_row reply_rows[] = {
    RECORD_NUMBER(struct local_job_reply, id, 0, FILTER_ACTIONS - 1),
    RECORD_NUMBER(struct local_job_reply, flags, 0, UINT32_MAX),
};

static const struct record_row text_rows[] = {
    RECORD_NUMBER(struct local_job_text, of, 0, LOCAL_JOB_TEXTS - 1),
    RECORD_TEXT(struct local_job_text, text, LONG),
};

static const struct record_row variable_rows[] = {
    RECORD_NUMBER(struct local_job_variable, of, 0, LOCAL_JOB_VARIABLES - 1),
    RECORD_TEXT(struct local_job_variable, name, SHORT),
    RECORD_TEXT(struct local_job_variable, value, LONG),
};
/* clang-format on */

#define ROWS(x)                                                                                \
    {                                                                                          \
        .v = x##_rows, .n = sizeof x##_rows / sizeof x##_rows[0]                               \
    }

static const struct record_rows tables[LOCAL_JOB_TAGS] = {
    [LOCAL_JOB_TAG_CALL] = ROWS(call),           [LOCAL_JOB_TAG_MESSAGE] = ROWS(message),
    [LOCAL_JOB_TAG_SESSION] = ROWS(session),     [LOCAL_JOB_TAG_HEADER] = ROWS(header),
    [LOCAL_JOB_TAG_RECIPIENT] = ROWS(recipient), [LOCAL_JOB_TAG_ADDRESS] = ROWS(address),
    [LOCAL_JOB_TAG_REPLY] = ROWS(reply),         [LOCAL_JOB_TAG_TEXT] = ROWS(text),
    [LOCAL_JOB_TAG_VARIABLE] = ROWS(variable),
};

const struct record_rows *
local_job_rows(enum local_job_tag tag)
{
    return tables[tag].v == NULL ? NULL : &tables[tag];
}
