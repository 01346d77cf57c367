/* Lookup types as written: `partial2(*.)lsearch*@,ret=key` taken apart, and the list of the drivers. */
#ifndef REMEX_LOOKUPS_LOOKUP_TYPE_H
#define REMEX_LOOKUPS_LOOKUP_TYPE_H

#include "lookups/lookup_driver.h"

/* A type as written, taken apart. */
struct lookup_type {
    const struct lookup_driver *driver;
    int partial;        /* minimum components, -1: not partial */
    struct str affix;   /* "*." by default */
    bool star, star_at; /* type* and type*@ (which sets both) */
    struct str options;
    struct str text; /* all but "partial…", for messages */
    uint32_t quoter; /* number for STR_QUOTED marks */
};

/* VM_OK, or VM_ERROR with Exim's text. out points into text. */
enum vm_status lookup_type_parse(struct vm *vm, struct str text, struct lookup_type *out);

/* The driver of that name or NULL. */
const struct lookup_driver *lookup_type_driver(struct str name);
/* The i-th of all drivers, built-in ones first; NULL past the end. Those with a plugin may turn out not to
 * be installed. */
const struct lookup_driver *lookup_type_driver_at(size_t i);
/* Drivers that quote alike share a number. */
uint32_t lookup_type_quoter(const struct lookup_driver *d);

#endif
