/* testdb and its variants: lookups that answer what the query says, for tests.
 *
 *     fail      not found
 *     defer     cannot be completed
 *     nocache   found, and not kept
 *     other     found: the query itself
 */
#include "lookups/drivers.h"
#include "lookups/quote.h"

static enum outcome
testdb_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
            struct str *data)
{
    (void)handle, (void)file;
    if (str_eqz(key, "fail"))
        return OUT_FAIL;
    if (str_eqz(key, "defer")) {
        vm_defer(c->vm, "testdb lookup forced DEFER");
        return OUT_DEFER;
    }
    c->no_cache = str_eqz(key, "nocache");
    *data = key;
    return OUT_OK;
}

const struct lookup_driver lookup_testdb = {
    .name = STR_INIT("testdb"),
    .flags = LOOKUP_QUERY,
    .find = testdb_find,
    .quote = quote_plain,
    .doc = "answers the query itself, for tests",
};

const struct lookup_driver lookup_testdb2 = {
    .name = STR_INIT("testdb2"),
    .flags = LOOKUP_QUERY,
    .find = testdb_find,
    .quote = quote_plain,
    .doc = "as testdb, with the same quoting",
};

const struct lookup_driver lookup_testdb_nq = {
    .name = STR_INIT("testdb_nq"),
    .flags = LOOKUP_QUERY,
    .find = testdb_find,
    .doc = "as testdb, without quoting",
};
