/* Fuzz target: lists of database servers and queries that name their own. The input is the main option, the option of the
 * type and the query, separated by zero bytes. Every part that a server is asked with must lie inside its item. */
#include "lookup_fuzz.h"
#include "lookups/sql_server.h"

static bool
inside(struct str part, struct str item)
{
    return part.n == 0 || (part.p >= item.p && part.p + part.n <= item.p + item.n);
}

static enum sql_end
ask(struct sql_query *q, const struct sql_server *s, struct str *data)
{
    if (!inside(s->host, s->item) || !inside(s->database, s->item) ||
        !inside(s->user, s->item) || !inside(s->password, s->item))
        abort();
    if (sql_pool_get(q->pool, s) == NULL)
        sql_pool_put(q->pool, s, q);
    *data = q->text;
    return s->host.n % 3 == 0 ? SQL_NEXT : s->host.n % 3 == 1 ? SQL_FOUND : SQL_NOT_FOUND;
}

static void
close_nothing(void *connection)
{
    (void)connection;
}

static int
no_descriptor(void *connection)
{
    (void)connection;
    return -1;
}

/* The text up to a zero byte, which is taken too. */
static struct str
take(struct str *rest)
{
    size_t end = str_chr(*rest, '\0', 0);
    struct str part = str_sub(*rest, 0, end);
    *rest = end == STR_NPOS ? STR_EMPTY : str_sub(*rest, end + 1, rest->n);
    return part;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_FILE_MAX)
        return 0;
    struct arena *a = arena_new();
    static const struct host host;
    struct eval eval = {.arena = a};
    struct vm *vm = vm_new(&host, &eval);
    struct str rest = str_from((const char *)data, size), list = take(&rest);
    struct lookup_ctx c = {.eval = &eval, .vm = vm, .options = take(&rest)};
    for (unsigned i = 0; i < 2; i++) {
        const struct sql_kind kind = {.name = "Fuzz",
                                      .short_name = "Fuzz",
                                      .option = "fuzz_servers",
                                      .has_user = i == 0,
                                      .ask = ask,
                                      .close = close_nothing,
                                      .descriptor = no_descriptor};
        void *pool = sql_pool_open(&kind, &c);
        struct str out = STR_EMPTY;
        if (sql_server_find(&kind, &c, pool, list, rest, &out) == OUT_DEFER)
            fuzz_read(vm_error(vm));
        fuzz_read(out);
        sql_pool_close(pool);
    }
    vm_free(vm);
    arena_free(a);
    return 0;
}
