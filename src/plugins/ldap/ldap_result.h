/* Entries of an LDAP server as the text that a lookup gives.
 * Source: specification, section "Format of data returned by LDAP". */
#ifndef REMEX_PLUGINS_LDAP_LDAP_RESULT_H
#define REMEX_PLUGINS_LDAP_LDAP_RESULT_H

#include "base/buf.h"

enum { LDAP_RESULT_MAX = 64 << 20 }; /* bytes */

struct ldap_result {
    struct buf text;
    bool dn_only;  /* the text is the name of the entry */
    bool one;      /* one attribute was asked for: no names, no quotes */
    bool any;      /* something was found, if only an empty value */
    bool in_entry; /* the entry has had an attribute with a value */
    unsigned entries;
};

/* Begins an entry. */
void ldap_result_entry(struct ldap_result *r, struct str dn);
/* An attribute of the entry; one without values leaves no trace. */
void ldap_result_attribute(struct ldap_result *r, struct str name, const struct str *values,
                           size_t n);

#endif
