/* Tables that refuse; see host_refuse.h. */
#include "filter/host_refuse.h"

#include "base/arena.h"

/* Without an entry the machine says that perl_startup is missing, which is another fault. */
static enum vm_status
refuse_perl(void *env, struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)env;
    (void)argv;
    (void)argc;
    (void)out;
    return vm_fail(vm, "Perl calls are not permitted");
}

const struct host *
host_refuse(struct arena *a, const struct host *full, unsigned refuse)
{
    if (refuse == 0)
        return full;
    struct host *h = ARENA_NEW(a, struct host);
    *h = *full;
    if ((refuse & HOST_REFUSE_DLFUNC) != 0)
        h->dlfunc = NULL;
    if ((refuse & HOST_REFUSE_EXISTS) != 0) {
        h->exists = NULL;
        h->stat = NULL;
    }
    if ((refuse & HOST_REFUSE_LOOKUP) != 0)
        h->lookup = NULL;
    if ((refuse & HOST_REFUSE_PERL) != 0)
        h->perl = refuse_perl;
    if ((refuse & HOST_REFUSE_READFILE) != 0)
        h->readfile = NULL;
    if ((refuse & HOST_REFUSE_READSOCKET) != 0)
        h->readsocket = NULL;
    if ((refuse & HOST_REFUSE_RUN) != 0)
        h->run = NULL;
    return h;
}
