/* The sections of a configuration: what the logical lines of each mean. */
#ifndef REMEX_CONF_SECTION_H
#define REMEX_CONF_SECTION_H

#include "conf/opt_parse.h"
#include "conf/reader.h"

/* What the sections share while a configuration is read. */
struct section_run {
    struct conf *conf;
    const struct conf_request *rq;
    struct reader *reader;
    struct macro_table *macros;
    struct opt_ctx ctx;
    unsigned seen;         /* bit per section */
    struct conf_line line; /* the line at hand; a section leaves its successor's `begin` here */
    bool ended;            /* there was no further line */
};

/* Reads everything, from the main section on. */
void section_read_all(struct section_run *s);

/* --- for the sections of drivers, section_driver.c --- */

/* Reads the next line into s->line. False: the section has ended. */
bool section_next(struct section_run *s);
/* An error at bytes [at, at + n) of the line, in our words and Exim's. */
void section_fault(struct section_run *s, size_t at, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Whether the line is a macro definition; section_macro also takes it. */
bool section_at_macro(const struct section_run *s);
bool section_macro(struct section_run *s);
/* Reports the name of an option that nobody knows, in our words and in Exim's. */
void section_unknown_option(struct section_run *s, const struct opt_line *l, struct str text,
                            struct str exim, struct str hint);
/* Notes it when the row that was just set is one that nothing uses yet. owner is NULL for the main section. */
void section_no_effect(struct section_run *s, const struct opt_set *set,
                       const struct opt_line *l, const struct driver_instance *owner);

/* A section of driver instances. */
struct section_drivers {
    const struct driver_class *cls;
    void (*add)(struct conf *c, struct driver_instance *d);
};
void section_read_drivers(struct section_run *s, const struct section_drivers *kind);

#endif
