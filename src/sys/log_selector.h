/* What is logged: the words of the log_selector option as bits. */
#ifndef REMEX_SYS_LOG_SELECTOR_H
#define REMEX_SYS_LOG_SELECTOR_H

#include "base/str.h"

enum log_selector {
#define LOG_SELECTOR(NAME, name, on, doc) LOG_SELECTOR_##NAME,
#include "sys/log_selector.def"
#undef LOG_SELECTOR
    LOG_SELECTORS,
};

struct log_selector_row {
    struct str name;
    bool on; /* by default */
    const char *doc;
};

_Static_assert(LOG_SELECTORS <= 64, "a bit for each selector");

const struct log_selector_row *log_selector_row(enum log_selector s);
/* The bits that are set by default. */
uint64_t log_selector_default(void);
bool log_selector_has(uint64_t bits, enum log_selector s);

/* Applies a setting such as "+all -subject" to *bits. False when it is wrong: then the fault in
 * Exim's words, without the text that is wrong, is in *error, and that text in *wrong. */
bool log_selector_apply(struct str setting, uint64_t *bits, const char **error,
                        struct str *wrong);

#endif
