/* The text of an LDAP lookup: settings such as user= and pass=, then a URL.
 * Source: specification, section "LDAP authentication and control information". */
#ifndef REMEX_PLUGINS_LDAP_LDAP_QUERY_H
#define REMEX_PLUGINS_LDAP_LDAP_QUERY_H

#include "base/str.h"

enum ldap_deref {
    LDAP_QUERY_NEVER,
    LDAP_QUERY_SEARCHING,
    LDAP_QUERY_FINDING,
    LDAP_QUERY_ALWAYS
};

struct ldap_query {
    struct str user;    /* STR_NULL: not given; without the quoting of URLs */
    struct str pass;    /* STR_NULL: not given */
    struct str servers; /* a list, or STR_NULL */
    int size;           /* entries; 0: no limit */
    int time_s;         /* of a search, for the server; 0: no limit */
    int wait_s;         /* for the network; 0: the default */
    enum ldap_deref dereference;
    bool no_referrals;
    struct str url; /* begins with "ldap", in any case */
};

/* Takes text apart; values are in a or parts of text. False: *why (in a) is what is wrong, in Exim's words. */
bool ldap_query_parse(struct arena *a, struct str text, struct ldap_query *out,
                      struct str *why);
/* Whether the URL has one of the three schemes. False: *why, in Exim's words. */
bool ldap_query_check_url(struct arena *a, struct str url, struct str *why);

#endif
