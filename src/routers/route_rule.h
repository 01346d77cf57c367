/* Routing rules of manualroute: a pattern, a list of hosts, options, each perhaps in quotes. Source: specification, sections
 * "Routing rules in route_list", "Routing rules in route_data".
 */
#ifndef REMEX_ROUTERS_ROUTE_RULE_H
#define REMEX_ROUTERS_ROUTE_RULE_H

#include "base/str.h"

struct arena;

struct route_rule {
    struct str pattern; /* unset in route_data */
    struct str hosts;   /* to be expanded; empty: none */
    struct str options; /* the rest, trimmed */
};

enum route_rule_form { ROUTE_RULE_LIST, ROUTE_RULE_DATA };
/* Takes a rule apart; parts are of text, or in a when they were quoted. */
struct route_rule route_rule_read(struct arena *a, struct str text, enum route_rule_form form);
/* The next word of the options; false at the end. */
bool route_rule_option(struct str *options, struct str *word);

#endif
