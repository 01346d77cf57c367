/* Helpers for the check functions of drivers: what an instance sets, how its faults are worded.
 *
 * A check runs once, after the last option of an instance. It may fill in defaults that depend
 * on other options; after it nothing changes the instance.
 */
#ifndef REMEX_CONF_DRIVER_CHECK_H
#define REMEX_CONF_DRIVER_CHECK_H

#include "conf/conf.h"

/* What Exim prints above the text of a fault of a driver. */
enum driver_words {
    DRIVER_WORDS_FOR,   /* Exim configuration error for NAME KIND: */
    DRIVER_WORDS_NAME,  /* Exim configuration error: (next line) NAME KIND: */
    DRIVER_WORDS_PLAIN, /* Exim configuration error: */
};

/* Whether the file sets a generic or a private option. The name must be that of a row. */
bool driver_sets_generic(const struct driver_instance *d, const char *option);
bool driver_sets_own(const struct driver_instance *d, const char *option);

/* Adds an error that points at where the option (of the instance; may be NULL) is set, or at
 * the instance. Always false. */
bool driver_fault(struct diags *diags, const struct driver_instance *d, const char *option,
                  enum driver_words words, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* True if the text is set and not empty. */
bool driver_has(struct xstr x);

#endif
