/* The rows of the hyphen items; see spool_item.h. */
#include "engine/spool_item.h"

#include "engine/spool_header.h"
#include "lookups/lookup_type.h"

#include <stddef.h>
#include <string.h>

#define ROW(name, kind, field)                                                                 \
    {                                                                                          \
        (name), sizeof(name) - 1, (kind), offsetof(struct spool_header, field)                 \
    }

/* clang-format off */
const struct spool_item spool_items[] = {
    ROW("received_time_usec",          SPOOL_ITEM_FRACTION, received_time_us),
    ROW("received_time_complete",      SPOOL_ITEM_STAMP,    received_complete_us),
    ROW("helo_name",                   SPOOL_ITEM_TEXT,     helo_name),
    ROW("host_address",                SPOOL_ITEM_HOST,     host),
    ROW("host_name",                   SPOOL_ITEM_TEXT,     host_name),
    ROW("host_auth",                   SPOOL_ITEM_TEXT,     host_auth),
    ROW("host_auth_pubname",           SPOOL_ITEM_TEXT,     host_auth_pubname),
    ROW("interface_address",           SPOOL_ITEM_HOST,     interface),
    ROW("active_hostname",             SPOOL_ITEM_TEXT,     active_hostname),
    ROW("ident",                       SPOOL_ITEM_TEXT,     ident),
    ROW("received_protocol",           SPOOL_ITEM_TEXT,     received_protocol),
    ROW("(acl)",                       SPOOL_ITEM_ACL,      acl_variables),
    ROW("debug_selector",              SPOOL_ITEM_TEXT,     debug_selector),
    ROW("debuglog_name",               SPOOL_ITEM_TEXT,     debuglog_name),
    ROW("debug_pretrigger",            SPOOL_ITEM_TEXT,     debug_pretrigger), /* of remex */
    ROW("spool_file_wireformat",       SPOOL_ITEM_FLAG,     wireformat),
    ROW("body_linecount",              SPOOL_ITEM_NUMBER,   body_lines),
    ROW("max_received_linelength",     SPOOL_ITEM_NUMBER,   max_received_line),
    ROW("body_zerocount",              SPOOL_ITEM_NUMBER,   body_zeros),
    ROW("auth_id",                     SPOOL_ITEM_TEXT,     auth_id),
    ROW("auth_sender",                 SPOOL_ITEM_TEXT,     auth_sender),
    ROW("allow_unqualified_recipient", SPOOL_ITEM_FLAG,     allow_unqualified_recipient),
    ROW("allow_unqualified_sender",    SPOOL_ITEM_FLAG,     allow_unqualified_sender),
    ROW("deliver_firsttime",           SPOOL_ITEM_FLAG,     first_delivery),
    ROW("frozen",                      SPOOL_ITEM_NUMBER,   frozen_time),
    ROW("N",                           SPOOL_ITEM_FLAG,     dont_deliver),
    ROW("host_lookup_deferred",        SPOOL_ITEM_FLAG,     host_lookup_deferred),
    ROW("host_lookup_failed",          SPOOL_ITEM_FLAG,     host_lookup_failed),
    ROW("local",                       SPOOL_ITEM_FLAG,     local),
    ROW("localerror",                  SPOOL_ITEM_FLAG,     localerror),
    ROW("local_scan",                  SPOOL_ITEM_TEXT,     local_scan),
    ROW("spam_bar",                    SPOOL_ITEM_TEXT,     spam_bar),
    ROW("spam_score",                  SPOOL_ITEM_TEXT,     spam_score),
    ROW("spam_score_int",              SPOOL_ITEM_TEXT,     spam_score_int),
    ROW("manual_thaw",                 SPOOL_ITEM_FLAG,     manual_thaw),
    ROW("sender_set_untrusted",        SPOOL_ITEM_FLAG,     sender_set_untrusted),
    ROW("tls_certificate_verified",    SPOOL_ITEM_FLAG,     tls_certificate_verified),
    ROW("tls_cipher",                  SPOOL_ITEM_TEXT,     tls_cipher),
    ROW("tls_ourcert",                 SPOOL_ITEM_TEXT,     tls_ourcert),
    ROW("tls_peercert",                SPOOL_ITEM_TEXT,     tls_peercert),
    ROW("tls_peerdn",                  SPOOL_ITEM_TEXT,     tls_peerdn),
    ROW("tls_sni",                     SPOOL_ITEM_TEXT,     tls_sni),
    ROW("tls_ocsp",                    SPOOL_ITEM_NUMBER,   tls_ocsp),
    ROW("tls_resumption",              SPOOL_ITEM_TEXT,     tls_resumption),
    ROW("tls_ver",                     SPOOL_ITEM_TEXT,     tls_version),
    ROW("smtputf8",                    SPOOL_ITEM_FLAG,     smtputf8),
    ROW("utf8_downcvert",              SPOOL_ITEM_FLAG,     utf8_downconvert),
    ROW("utf8_optdowncvert",           SPOOL_ITEM_FLAG,     utf8_optional_downconvert),
    ROW("dsn_envid",                   SPOOL_ITEM_TEXT,     dsn_envid),
    ROW("dsn_ret",                     SPOOL_ITEM_NUMBER,   dsn_ret),
    {NULL, 0, SPOOL_ITEM_FLAG, 0},
};
/* clang-format on */

const struct spool_item *
spool_item_find(struct str name)
{
    for (const struct spool_item *i = spool_items; i->name != NULL; i++) {
        if (name.n == i->name_n && i->kind != SPOOL_ITEM_ACL &&
            memcmp(name.p, i->name, name.n) == 0)
            return i;
    }
    return NULL;
}

struct str
spool_item_quoter_name(uint32_t taint)
{
    const struct lookup_driver *d = NULL;
    for (size_t i = 0; taint >= STR_QUOTED && (d = lookup_type_driver_at(i)) != NULL; i++) {
        if (d->quote != NULL && STR_QUOTED + lookup_type_quoter(d) == taint)
            return d->name;
    }
    return STR_EMPTY;
}

uint32_t
spool_item_quoter_mark(struct str name)
{
    const struct lookup_driver *d = lookup_type_driver(name);
    return d != NULL && d->quote != NULL ? STR_QUOTED + lookup_type_quoter(d) : STR_TAINTED;
}
