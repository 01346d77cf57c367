/* String lists: items in one text, with Exim's separator rules.
 *
 * The separator is a colon unless the text begins with `<` and a punctuation or control character
 * (`<;`, `<\n`), which then separates. A doubled separator stands for itself, save a control character,
 * which cannot be doubled. White space round an item is not part of it. A separator at the very end adds no
 * empty item.
 */
#ifndef REMEX_BASE_STRLIST_H
#define REMEX_BASE_STRLIST_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct buf;

struct strlist_split {
    struct str rest;
    char sep;      /* separator in force, ':' by default */
    bool newlines; /* the separator is a control character (`<\n`) */
};

/* Starts on a list; reads a leading `<x`. sep: default separator. */
struct strlist_split strlist_split_start(struct str list, char sep);
/* The next item in *item, trimmed; a part of the list, or a copy in a when separators were doubled. False
 * at the end. */
bool strlist_split_next(struct strlist_split *s, struct arena *a, struct str *item);
/* The number of items. */
size_t strlist_count(struct str list, char sep);
/* Appends one item to a list text as Exim does: separators in it are doubled, an empty item becomes a
 * space where it would otherwise vanish. */
void strlist_append(struct buf *out, struct str item, char sep, bool first);

PLUGIN_API_END

#endif
