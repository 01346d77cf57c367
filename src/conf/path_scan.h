/* Absolute paths in a text of the configuration, as they stand there: what such a text may open is found without expanding it. */
#ifndef REMEX_CONF_PATH_SCAN_H
#define REMEX_CONF_PATH_SCAN_H

#include "base/str.h"

struct path_scan {
    struct str text;
    size_t at; /* 0 at first */
    struct str path;
    bool begins; /* something that is expanded follows: the path only begins like that */
};

/* The next one that is longer than "/". What follows another part of a path ("$name/x", "${name}/x") is none. */
bool path_scan_next(struct path_scan *s);

#endif
