/* What spamd and rspamd answer, from bytes to a verdict. No input or output. */
#ifndef REMEX_SCANNERS_SPAMD_ANSWER_H
#define REMEX_SCANNERS_SPAMD_ANSWER_H

#include "base/str.h"

struct arena;

struct spamd_answer {
    int64_t score, threshold; /* thousandths */
    struct str action;        /* of rspamd; "" when it names none */
    struct str
        report; /* lines, each but the first behind a space; tainted, without white space at its end */
};

/* "SPAMD/1.1 0 EX_OK", header lines with "Spam: True ; 4.5 / 5.0", an empty line, the report. False: it is none. */
bool spamd_answer_parse(struct arena *a, struct str text, struct spamd_answer *out);
/* "RSPAMD/1.3 0 EX_OK", "Metric: default; True; 15.10 / 15.00 / 15.00", the report with "Action: reject". */
bool spamd_answer_parse_rspamd(struct arena *a, struct str text, struct spamd_answer *out);

/* The texts of variables: "12.3" (rounded), "123" (cut), "++++++++++++" (at most 50). */
struct str spamd_answer_score(struct arena *a, int64_t score);
struct str spamd_answer_score_int(struct arena *a, int64_t score);
struct str spamd_answer_bar(struct arena *a, int64_t score);

#endif
