/* Wiring: the host table of each kind of process. */
#include "proc/wire.h"

#include "acl/acl_run.h"
#include "base/arena.h"
#include "conf/list.h"
#include "conf/vars.h"
#include "lookups/lookup.h"
#include "proc/authresults.h"
#include "proc/debug_host.h"
#include "proc/host_cert.h"
#include "proc/host_extern.h"
#include "proc/host_sys.h"

static void
free_vm(void *vm)
{
    vm_free(vm);
}

static struct host *
command_line_host(struct arena *a)
{
    struct host *h = ARENA_NEW(a, struct host);
    *h = (struct host){
        .header = vars_header,
        .match = list_host_match,
        .named_list = list_host_named,
        .lookup_type = lookup_host_type,
        .lookup = lookup_host_find,
        .quote = lookup_host_quote,
        .acl = acl_host_call,
        .run = host_sys_run,
        .readfile = host_sys_readfile,
        .readsocket = host_sys_readsocket,
        .exists = host_sys_exists,
        .stat = host_sys_stat,
        .getenv = host_sys_getenv,
        .perl = host_extern_perl,
        .dlfunc = host_extern_dlfunc,
        .certextract = host_cert_extract,
        .authenticate = host_extern_authenticate,
        .authresults = authresults_host,
        .delivering = vars_delivering,
        .setting = vars_setting,
        .log = host_sys_log,
    };
    h->vars = vars_all(&h->vars_n);
    return h;
}

static struct wiring
wire(struct arena *a, const struct host *host, const struct conf *conf)
{
    struct wiring w;
    w.eval = ARENA_NEW(a, struct eval);
    w.eval->conf = conf;
    w.eval->arena = a;
    w.eval->lists = list_cache_new(a);
    w.eval->lookups = lookup_cache_new(a);
    w.vm = vm_new(host, w.eval);
    arena_on_free(a, free_vm, w.vm);
    w.eval->acls = acl_runner_new(a, w.eval, w.vm);
    return w;
}

struct wiring
wire_command_line(struct arena *a, const struct conf *conf)
{
    return wire(a, command_line_host(a), conf);
}

struct wiring
wire_command_line_debug(struct arena *a, const struct conf *conf, uint64_t topics)
{
    struct host *h = command_line_host(a);
    h->match = debug_host_match;
    h->lookup = debug_host_lookup;
    struct wiring w = wire(a, h, conf);
    w.eval->debug = topics;
    return w;
}
