/* The text for a lookup file that cannot be opened, as Exim words it. */
#ifndef REMEX_LOOKUPS_OPEN_ERROR_H
#define REMEX_LOOKUPS_OPEN_ERROR_H

#include "filter/vm.h"

/* "failed to open FILE WHAT: reason", with the effective ids when permission was denied. */
void open_error(struct vm *vm, const char *file, const char *what, int error);

#endif
