/* The spam condition: asks spamd or rspamd about a message. */
#ifndef REMEX_SCANNERS_SPAM_H
#define REMEX_SCANNERS_SPAM_H

#include "scanners/scanner.h"

/* What is remembered for a message, in its arena: the verdict for a user, and the texts of the variables. */
struct scan_spam {
    struct str user;
    bool spam;
    struct str score, score_int, bar, action, report;
};

/* Asks with the expanded value of spamd_address. SCAN_FOUND: spam; of SCAN_DEFER j->why is the text for the log behind "spam acl condition: ". The
 * texts of *out are in j->by.arena. */
enum scan_end spam_scan(struct scan_job *j, struct str spamd_address, struct str user,
                        struct scan_spam *out);

#endif
