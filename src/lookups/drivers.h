/* The built-in driver objects, declared from their rows. */
#ifndef REMEX_LOOKUPS_DRIVERS_H
#define REMEX_LOOKUPS_DRIVERS_H

#include "lookups/lookup_driver.h"

#define LOOKUP(name, object) extern const struct lookup_driver object;
#define LOOKUP_PLUGIN(name, plugin, flags, quote, doc)
#include "lookups/lookups.def"
#undef LOOKUP
#undef LOOKUP_PLUGIN

#endif
