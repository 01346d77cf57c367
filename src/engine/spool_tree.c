/* The set of addresses done with; see spool_tree.h. */
#include "engine/spool_tree.h"

#include "base/arena.h"
#include "base/map.h"

#include <stdlib.h>

static void
push(struct arena *a, struct spool_tree *t, struct spool_tree_node node)
{
    if (t->keys == NULL)
        t->keys = map_new(a, MAP_CASEFUL);
    vec_push(a, &t->nodes, node);
    map_set(t->keys, node.key, NULL);
}

bool
spool_tree_add_shaped(struct arena *a, struct spool_tree *t, struct spool_tree_node node)
{
    if (t->nodes.n >= SPOOL_TREE_MAX)
        return false;
    push(a, t, node);
    t->shaped = t->nodes.n;
    return true;
}

bool
spool_tree_has(const struct spool_tree *t, struct str key)
{
    return t->keys != NULL && map_has(t->keys, key);
}

bool
spool_tree_add(struct arena *a, struct spool_tree *t, struct str key)
{
    if (spool_tree_has(t, key))
        return true;
    if (t->nodes.n >= SPOOL_TREE_MAX || key.n == 0 || str_has_nul(key) ||
        str_chr(key, '\n', 0) != STR_NPOS || str_chr(key, '\r', 0) != STR_NPOS)
        return false;
    push(a, t, (struct spool_tree_node){.key = key});
    return true;
}

static void
add_line(struct buf *out, const struct spool_tree_node *n)
{
    buf_addc(out, n->left ? 'Y' : 'N');
    buf_addc(out, n->right ? 'Y' : 'N');
    buf_addc(out, ' ');
    buf_adds(out, n->key);
    buf_addc(out, '\n');
}

static int
compare(const void *x, const void *y)
{
    const struct spool_tree_node *p = x, *q = y;
    return str_cmp(p->key, q->key);
}

/* The middle of v[from..to) is the root; depth is the logarithm of n, so 64 places are plenty. */
static void
add_balanced(struct spool_tree_node *v, size_t n, struct buf *out)
{
    struct {
        size_t from, to;
    } todo[64];
    size_t depth = 0;
    todo[depth].from = 0;
    todo[depth++].to = n;
    while (depth > 0) {
        size_t from = todo[--depth].from, to = todo[depth].to;
        size_t mid = from + (to - from) / 2;
        v[mid].left = mid > from;
        v[mid].right = mid + 1 < to;
        add_line(out, &v[mid]);
        if (v[mid].right) {
            todo[depth].from = mid + 1;
            todo[depth++].to = to;
        }
        if (v[mid].left) {
            todo[depth].from = from;
            todo[depth++].to = mid;
        }
    }
}

void
spool_tree_format(struct arena *scratch, const struct spool_tree *t, struct buf *out)
{
    size_t n = t->nodes.n;
    if (n == 0) {
        buf_addz(out, "XX\n");
        return;
    }
    if (t->shaped == n) {
        for (size_t i = 0; i < n; i++)
            add_line(out, &t->nodes.v[i]);
        return;
    }
    struct spool_tree_node *v = ARENA_ARRAY(scratch, struct spool_tree_node, n);
    memcpy(v, t->nodes.v, n * sizeof *v);
    qsort(v, n, sizeof *v, compare);
    add_balanced(v, n, out);
}
