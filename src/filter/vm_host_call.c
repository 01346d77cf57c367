/* Requests of the language machine to the host (OP_HOST): lookups, commands, sockets, ACLs.
 *
 * A request that the host's table has no entry for is refused: the table is the list of what a
 * process, or a user's filter, may do.
 */
#include "filter/host.h"
#include "filter/vm_state.h"

static enum vm_status
refused(struct vm *vm, enum host_call call)
{
    static const char *const words[HOST_CALL_COUNT] = {
        [HOST_CALL_lookup_key] = "lookup expansions are",
        [HOST_CALL_lookup_query] = "lookup expansions are",
        [HOST_CALL_run] = "running a command is",
        [HOST_CALL_run_preexpand] = "running a command is",
        [HOST_CALL_dlfunc] = "dynamically-loaded functions are",
        [HOST_CALL_readsocket] = "socket insertions are",
    };
    return vm_fail(vm, "%s not permitted", words[call] != NULL ? words[call] : "this is");
}

static enum vm_status
run(struct vm *vm, struct str command, bool preexpanded, struct str *out)
{
    struct host_run q = {.command = command, .preexpanded = preexpanded};
    return vm->host->run(vm->env, vm, &q, out);
}

static enum vm_status
read_socket(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    struct host_socket q = {
        .where = argv[0],
        .request = argv[1],
        .options = argc > 2 ? argv[2] : STR_NULL,
        .eol = argc > 3 ? argv[3] : STR_NULL,
    };
    return vm->host->readsocket(vm->env, vm, &q, out);
}

/* argv: {key,} file or query, type. */
static enum vm_status
lookup(struct vm *vm, const struct str *argv, bool query, struct str *out)
{
    struct host_lookup q = {
        .type = argv[query ? 1 : 2],
        .key = query ? STR_NULL : argv[0],
        .file = argv[query ? 0 : 1],
        .query_style = query,
    };
    return vm->host->lookup(vm->env, vm, &q, out);
}

/* A flag of the delivery. */
static enum vm_status
delivering(struct vm *vm, struct str which)
{
    return vm->host->delivering == NULL ? VM_NO : vm->host->delivering(vm->env, vm, which);
}

enum vm_status
vm_host_call(struct vm *vm, enum host_call call, const struct str *argv, unsigned argc,
             struct str *out)
{
    const struct host *h = vm->host;
    switch (call) {
    case HOST_CALL_lookup_key:
    case HOST_CALL_lookup_query:
        return h->lookup == NULL ? refused(vm, call)
                                 : lookup(vm, argv, call == HOST_CALL_lookup_query, out);
    case HOST_CALL_run:
    case HOST_CALL_run_preexpand:
        return h->run == NULL ? refused(vm, call)
                              : run(vm, argv[0], call == HOST_CALL_run_preexpand, out);
    case HOST_CALL_acl:
        return h->acl == NULL ? vm_fail(vm, "ERROR from acl \"%.*s\"", STR_ARG(argv[0]))
                              : h->acl(vm->env, vm, argv, argc, out);
    case HOST_CALL_perl:
        return h->perl == NULL
                   ? vm_fail(vm, "A setting of perl_startup is needed when using the Perl "
                                 "interpreter")
                   : h->perl(vm->env, vm, argv, argc, out);
    case HOST_CALL_dlfunc:
        return h->dlfunc == NULL ? refused(vm, call) : h->dlfunc(vm->env, vm, argv, argc, out);
    case HOST_CALL_readsocket:
        return h->readsocket == NULL ? refused(vm, call) : read_socket(vm, argv, argc, out);
    case HOST_CALL_first_delivery:
        return delivering(vm, STR_LIT("first_delivery"));
    case HOST_CALL_queue_running:
        return delivering(vm, STR_LIT("queue_running"));
    case HOST_CALL_COUNT:
        break;
    }
    return vm_fail(vm, "bad request");
}
