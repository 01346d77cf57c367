/* The set of addresses that a message is not to be delivered to (any more), and the binary tree by which
 * Exim writes it.
 *
 * The tree of a file that was read is kept as it is until something is added; then a balanced one is
 * written. Any byte but CR, LF and NUL may be in a key: file names and commands occur in them.
 */
#ifndef REMEX_ENGINE_SPOOL_TREE_H
#define REMEX_ENGINE_SPOOL_TREE_H

#include "base/buf.h"
#include "base/str.h"
#include "base/vec.h"

enum { SPOOL_TREE_MAX = 1000000 }; /* keys */

struct spool_tree_node {
    struct str key;
    bool left, right;
};

struct spool_tree {
    VEC(struct spool_tree_node) nodes; /* as in the file, then additions */
    size_t shaped;                     /* how many nodes the file's own shape covers */
    struct map *keys;                  /* NULL while empty */
};

/* A node as a file has it, in the file's order. False: too many. */
bool spool_tree_add_shaped(struct arena *a, struct spool_tree *t, struct spool_tree_node node);
/* Adds a key that is not there yet (not copied). False: it cannot be in a spool file, or too many. */
bool spool_tree_add(struct arena *a, struct spool_tree *t, struct str key);
bool spool_tree_has(const struct spool_tree *t, struct str key);
/* Appends the lines of the tree, "XX" when empty. */
void spool_tree_format(struct arena *scratch, const struct spool_tree *t, struct buf *out);

#endif
