/* Berkeley DB files. The keys of all leaf pages go into a map when the file is opened, so neither the hash
 * functions nor the tree order of the library are needed. The format is the one of versions 3 to 18: page
 * header of 26 bytes, offsets of the items, items at the end of the page; large items on chains of overflow
 * pages. Files with checksums or encryption are refused.
 */
#include "lookups/bdb.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

#include <string.h>

enum {
    MAGIC_HASH = 0x061561,
    MAGIC_BTREE = 0x053162,
    PAGE_HEADER = 26,
    PAGE_HASH_UNSORTED = 2,
    PAGE_LBTREE = 5,
    PAGE_OVERFLOW = 7,
    PAGE_HASH = 13,
    ITEM_DATA = 1, /* in both kinds of page */
    ITEM_DUPLICATE = 2,
    ITEM_OFFPAGE = 3, /* in both kinds of page */
    ITEM_DELETED = 0x80,
    KEY_MAX = 65536,
};

struct bdb {
    const unsigned char *p;
    size_t n;
    size_t page_size;
    size_t pages;
    bool swapped;
    size_t key_bytes; /* of keys that had to be copied */
    struct map *keys; /* -> struct place */
    struct arena *arena;
};

/* Where the data of a key is. */
struct place {
    uint32_t page;
    uint16_t item;
};

/* An item of a page: bytes here, or on a chain of pages. */
struct item {
    const unsigned char *p;
    size_t n;
    uint32_t chain; /* first overflow page, 0: none */
};

static uint32_t
load16(const struct bdb *db, const unsigned char *p)
{
    return db->swapped ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
load32(const struct bdb *db, const unsigned char *p)
{
    uint32_t lo = load16(db, p), hi = load16(db, p + 2);
    return db->swapped ? lo << 16 | hi : hi << 16 | lo;
}

static bool
find_magic(const unsigned char *p, bool swapped)
{
    const struct bdb order = {.swapped = swapped};
    uint32_t magic = load32(&order, p + 12);
    return magic == MAGIC_HASH || magic == MAGIC_BTREE;
}

bool
bdb_recognise(const unsigned char *p, size_t n)
{
    return n >= 32 && (find_magic(p, false) || find_magic(p, true));
}

static const unsigned char *
page_at(const struct bdb *db, uint32_t no)
{
    return no < db->pages ? db->p + (size_t)no * db->page_size : NULL;
}

/* --- items --- */

/* Offset of item i of a page, checked; 0: bad. */
static size_t
item_offset(const struct bdb *db, const unsigned char *page, size_t i)
{
    size_t at = PAGE_HEADER + i * 2;
    if (at + 2 > db->page_size)
        return 0;
    size_t off = load16(db, page + at);
    return off >= at + 2 && off < db->page_size ? off : 0;
}

/* "unused, page, length" at p of an item with n bytes from there. */
static bool
take_chain(const struct bdb *db, const unsigned char *p, size_t n, struct item *out)
{
    if (n < 8)
        return false;
    out->p = NULL;
    out->chain = load32(db, p);
    out->n = load32(db, p + 4);
    return out->chain != 0 && out->n <= db->n;
}

/* Items of a hash page lie without gaps from the end of the page down. */
static bool
hash_item(const struct bdb *db, const unsigned char *page, size_t i, struct item *out)
{
    size_t from = item_offset(db, page, i);
    size_t to = i == 0 ? db->page_size : item_offset(db, page, i - 1);
    if (from == 0 || to <= from)
        return false;
    const unsigned char *p = page + from;
    *out = (struct item){p + 1, to - from - 1, 0};
    if (*p == ITEM_DATA)
        return true;
    if (*p == ITEM_DUPLICATE) { /* length, bytes, length, and so on: the first one */
        if (out->n < 2 || load16(db, p + 1) > out->n - 2)
            return false;
        *out = (struct item){p + 3, load16(db, p + 1), 0};
        return true;
    }
    return *p == ITEM_OFFPAGE && to - from >= 4 && take_chain(db, p + 4, to - from - 4, out);
}

/* Items of a tree leaf carry their length. */
static bool
tree_item(const struct bdb *db, const unsigned char *page, size_t i, struct item *out)
{
    size_t from = item_offset(db, page, i);
    if (from == 0 || db->page_size - from < 3)
        return false;
    const unsigned char *p = page + from;
    size_t room = db->page_size - from;
    *out = (struct item){p + 3, load16(db, p), 0};
    if (p[2] == ITEM_DATA)
        return out->n <= room - 3;
    return p[2] == ITEM_OFFPAGE && room >= 4 && take_chain(db, p + 4, room - 4, out);
}

static bool
item_at(const struct bdb *db, const unsigned char *page, size_t i, struct item *out)
{
    return page[25] == PAGE_LBTREE ? tree_item(db, page, i, out) : hash_item(db, page, i, out);
}

/* The bytes of an item; those of a chain are joined in a. */
static bool
item_bytes(const struct bdb *db, struct arena *a, const struct item *it, struct str *out)
{
    if (it->chain == 0) {
        *out = str_from((const char *)it->p, it->n);
        return true;
    }
    struct buf b = buf_in(a, 0);
    uint32_t no = it->chain;
    while (b.n < it->n && no != 0) {
        const unsigned char *page = page_at(db, no);
        if (page == NULL || page[25] != PAGE_OVERFLOW)
            return false;
        size_t n = load16(db, page + 22);
        if (n == 0 || n > db->page_size - PAGE_HEADER || n > it->n - b.n)
            return false;
        buf_add(&b, (const char *)page + PAGE_HEADER, n);
        no = load32(db, page + 16);
    }
    *out = buf_str(&b);
    return b.n == it->n;
}

/* --- the index --- */

static void
add_pair(struct bdb *db, const unsigned char *page, uint32_t no, size_t i)
{
    struct item key;
    struct str text;
    if (!item_at(db, page, i, &key) || key.n > KEY_MAX)
        return;
    if (key.chain != 0) {
        if (db->key_bytes + key.n > db->n)
            return; /* more copies than an honest file can need */
        db->key_bytes += key.n;
    }
    if (!item_bytes(db, db->arena, &key, &text) || map_has(db->keys, text))
        return;
    struct place *at = ARENA_NEW(db->arena, struct place);
    *at = (struct place){no, (uint16_t)(i + 1)};
    map_set(db->keys, text, at);
}

static void
add_page(struct bdb *db, uint32_t no)
{
    const unsigned char *page = db->p + (size_t)no * db->page_size;
    unsigned type = page[25];
    if (type != PAGE_HASH && type != PAGE_HASH_UNSORTED && type != PAGE_LBTREE)
        return;
    size_t items = load16(db, page + 20);
    for (size_t i = 0; i + 1 < items; i += 2)
        add_pair(db, page, no, i);
}

static bool
read_meta(struct bdb *db, const char **why)
{
    db->swapped = !find_magic(db->p, false);
    db->page_size = load32(db, db->p + 20);
    *why = "unexpected file type or format";
    if (db->page_size < 512 || db->page_size > 65536 ||
        (db->page_size & (db->page_size - 1)) != 0)
        return false;
    db->pages = db->n / db->page_size;
    *why = "file is encrypted or has checksums";
    return db->p[24] == 0 && (db->p[26] & 1) == 0;
}

struct bdb *
bdb_open(struct arena *a, const unsigned char *p, size_t n, const char **why)
{
    *why = "unexpected file type or format";
    if (!bdb_recognise(p, n) || n > BDB_MAX)
        return NULL;
    struct bdb *db = ARENA_NEW(a, struct bdb);
    *db = (struct bdb){.p = p, .n = n, .arena = a, .keys = map_new(a, MAP_CASEFUL)};
    if (!read_meta(db, why))
        return NULL;
    for (size_t i = 1; i < db->pages; i++)
        add_page(db, (uint32_t)i);
    return db;
}

bool
bdb_find(const struct bdb *db, struct arena *a, struct str key, struct str *data)
{
    struct item it;
    const struct place *at = map_get(db->keys, key);
    return at != NULL && item_at(db, db->p + (size_t)at->page * db->page_size, at->item, &it) &&
           item_bytes(db, a, &it, data);
}

size_t
bdb_count(const struct bdb *db)
{
    return map_count(db->keys);
}
