/* Foreign code: Perl, shared objects, password checkers; see host_extern.h. */
#include "proc/host_extern.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "filter/perl_plugin.h"
#include "lookups/lookup.h"
#include "proc/notice.h"
#include "sys/pam_plugin.h"
#include "sys/saslauthd.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct loaded_object {
    struct str path;
    void *handle;
};

/* struct eval's `external`. */
struct host_extern {
    VEC(const struct plugin *) plugins;
    VEC(struct loaded_object) objects;
    const struct perl_plugin *perl;
    void *interpreter;
};

static struct host_extern *
state_of(struct eval *e)
{
    if (e->external == NULL)
        e->external = ARENA_NEW(e->arena, struct host_extern);
    return e->external;
}

/* To the main log only: a process of the command line shows it, and keeps the panic log free of what its
 * caller tries out, as Exim does. */
static void
to_log(void *env, struct vm *vm, struct str text)
{
    const struct host *h = vm_host(vm);
    if (h->log != NULL)
        h->log(env, false, text);
    else
        notice_main(text);
}

const struct plugin *
host_extern_plugin(struct eval *e, struct vm *vm, const char *name, struct str *why)
{
    struct host_extern *x = state_of(e);
    for (size_t i = 0; i < x->plugins.n; i++)
        if (strcmp(x->plugins.v[i]->name, name) == 0)
            return x->plugins.v[i];
    const struct plugin *p =
        plugin_load(vm_scratch(vm), e->process.plugin_directory, name, PLUGIN_KIND_OTHER, why);
    if (p != NULL)
        vec_push(e->arena, &x->plugins, p);
    return p;
}

/* What in a configuration needs which plugin. Words of comments may load one in vain, which does no harm. */
static const struct {
    struct str word;
    const char *plugin;
} needs[] = {
    {STR_INIT("perl_startup"), "perl"},
    {STR_INIT("pam"), "pam"},
    {STR_INIT("certextract"), "tls"},
    {STR_INIT("readsocket"), "tls"},
};

void
host_extern_preload(struct eval *e, struct vm *vm)
{
    struct str why;
    for (size_t i = 0; e->conf != NULL && i < e->conf->sources.n; i++) {
        struct str text = e->conf->sources.v[i]->text;
        lookup_preload(e, vm, text);
        for (size_t k = 0; k < sizeof needs / sizeof *needs; k++)
            if (str_has_word(text, needs[k].word))
                (void)host_extern_plugin(e, vm, needs[k].plugin, &why);
    }
}

/* --- Perl --- */

static void
perl_log(void *context, struct vm *vm, struct str text)
{
    to_log(context, vm, text);
}

static void
perl_debug(void *context, struct vm *vm, struct str text)
{
    const struct eval *e = context;
    (void)vm;
    if (e->debug_expand)
        (void)fprintf(stderr, "%.*s", STR_ARG(text));
}

static void
stop_perl(void *state)
{
    struct host_extern *x = state;
    if (x->interpreter != NULL)
        x->perl->stop(x->interpreter);
    x->interpreter = NULL;
}

/* VM_OK: an interpreter runs. Code that dies at the start is no reason to do without: Exim goes on with
 * what was defined before, and so must whoever relied on it; but here the panic log tells. */
static enum vm_status
start_perl(struct eval *e, struct vm *vm)
{
    struct host_extern *x = state_of(e);
    const struct conf_main *m = e->conf != NULL ? e->conf->main : NULL;
    struct str why = STR_NULL;
    if (x->interpreter != NULL)
        return VM_OK;
    if (m == NULL || !str_is_set(m->perl_startup))
        return vm_fail(vm,
                       "A setting of perl_startup is needed when using the Perl interpreter");
    const struct plugin *p = host_extern_plugin(e, vm, "perl", &why);
    if (p == NULL)
        return vm_fail(vm, "\"perl\" is not available: %.*s", STR_ARG(why));
    struct perl_start s = {.code = m->perl_startup,
                           .taint_mode = m->perl_taintmode,
                           .context = e,
                           .log = perl_log,
                           .debug = perl_debug};
    x->perl = p->objects[0];
    x->interpreter = x->perl->start(vm_scratch(vm), vm, &s, &why);
    if (x->interpreter == NULL)
        return vm_fail(vm, "%.*s", STR_ARG(why));
    arena_on_free(e->arena, stop_perl, x);
    if (why.n > 0)
        notice_panic(
            vm_scratch(vm), e->conf,
            str_printf(vm_scratch(vm), "perl_startup failed: %.*s", STR_ARG(str_trim(why))));
    return VM_OK;
}

void
host_extern_start_perl(struct eval *e, struct vm *vm)
{
    if (e->conf != NULL && e->conf->main != NULL && str_is_set(e->conf->main->perl_startup))
        (void)start_perl(e, vm);
}

enum vm_status
host_extern_perl(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                 struct str *out)
{
    struct eval *e = env;
    enum vm_status st = start_perl(e, vm);
    if (st != VM_OK)
        return st;
    struct host_extern *x = state_of(e);
    st = x->perl->call(x->interpreter, vm, argv, argc, out);
    if (st == VM_OK)
        *out = str_untaint_by_rule(*out, "result of the configuration's own Perl code");
    return st;
}

/* --- functions of shared objects --- */

/* What a function returns (Exim's local_scan.h). */
enum { DLFUNC_OK = 0, DLFUNC_FAIL = 2, DLFUNC_FORCED = 4 };

typedef int dlfunc_fn(unsigned char **yield, int argc, unsigned char *argv[]);

static enum vm_status
refuse(void *env, struct vm *vm, struct str text)
{
    to_log(env, vm, text);
    return vm_fail(vm, "%.*s", STR_ARG(text));
}

/* what: the call that failed, with its operands. */
static enum vm_status
refuse_dl(void *env, struct vm *vm, struct str what)
{
    const char *e = dlerror();
    return refuse(env, vm,
                  str_printf(vm_scratch(vm), "%.*s failed: %s", STR_ARG(what),
                             e != NULL ? e : "unknown error"));
}

/* The object, from the ones that were loaded before or from its file. */
static enum vm_status
load_object(struct eval *e, struct vm *vm, struct str path, void **handle)
{
    struct host_extern *x = state_of(e);
    struct arena *a = vm_scratch(vm);
    for (size_t i = 0; i < x->objects.n; i++) {
        *handle = x->objects.v[i].handle;
        if (str_eq(x->objects.v[i].path, path))
            return VM_OK;
    }
    const char *z = str_cstr(a, path);
    if (z == NULL || str_is_tainted(path))
        return refuse(e, vm, str_printf(a, "Tainted filename '%.*s'", STR_ARG(path)));
    *handle = dlopen(z, RTLD_NOW);
    if (*handle == NULL)
        return refuse_dl(e, vm, str_printf(a, "dlopen \"%s\"", z));
    struct loaded_object one = {str_dup(e->arena, path), *handle};
    vec_push(e->arena, &x->objects, one);
    return VM_OK;
}

/* Functions take C strings: an argument ends at a NUL. The vector ends with NULL. */
static unsigned char **
make_vector(struct arena *a, const struct str *argv, unsigned argc)
{
    unsigned char **v = ARENA_ARRAY(a, unsigned char *, (size_t)argc + 1);
    for (unsigned i = 0; i < argc; i++) {
        struct str s = str_dup(a, argv[i]);
        v[i] = arena_alloc(a, (size_t)s.n + 1);
        if (s.n > 0)
            memcpy(v[i], s.p, s.n);
        v[i][s.n] = '\0';
    }
    return v;
}

static enum vm_status
judge_dlfunc(void *env, struct vm *vm, const struct str *argv, int rc,
             const unsigned char *yield, struct str *out)
{
    struct arena *a = vm_scratch(vm);
    const char *text = (const char *)yield;
    if (rc == DLFUNC_OK) {
        *out = str_dup(a, text != NULL ? str_from_cstr(text) : STR_EMPTY);
        return VM_OK;
    }
    struct str reason =
        text != NULL ? str_dup(a, str_from_cstr(text)) : STR_LIT("(no message)");
    vm_fail(vm, "%.*s", STR_ARG(reason));
    if (rc == DLFUNC_FORCED)
        return VM_FORCED;
    if (rc != DLFUNC_FAIL)
        to_log(env, vm,
               str_printf(a, "dlfunc{%.*s}{%.*s} failed (%d): %.*s", STR_ARG(argv[0]),
                          STR_ARG(argv[1]), rc, STR_ARG(reason)));
    return VM_ERROR;
}

enum vm_status
host_extern_dlfunc(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                   struct str *out)
{
    struct arena *a = vm_scratch(vm);
    void *handle = NULL;
    enum vm_status st = load_object(env, vm, argv[0], &handle);
    if (st != VM_OK)
        return st;
    const char *name = str_cstr(a, argv[1]);
    void *symbol = name != NULL ? dlsym(handle, name) : NULL;
    if (symbol == NULL)
        return refuse_dl(
            env, vm,
            str_printf(a, "dlsym \"%.*s\" in \"%.*s\"", STR_ARG(argv[1]), STR_ARG(argv[0])));
    dlfunc_fn *function;
    memcpy(&function, &symbol, sizeof function);
    unsigned char *yield = NULL;
    int rc = function(&yield, (int)argc - 2, make_vector(a, argv + 2, argc - 2));
    return judge_dlfunc(env, vm, argv, rc, yield, out);
}

/* --- users and passwords --- */

enum { PAM_ANSWERS_MAX = 64 };

/* argv[0]: user and answers, separated by colons. */
static enum vm_status
ask_pam(struct eval *e, struct vm *vm, const struct str *argv, unsigned argc)
{
    struct arena *a = vm_scratch(vm);
    struct str items[PAM_ANSWERS_MAX], why = STR_NULL;
    struct strlist_split split = strlist_split_start(argv[0], ':');
    size_t n = 0;
    (void)argc;
    while (n < PAM_ANSWERS_MAX && strlist_split_next(&split, a, &items[n]))
        n++;
    if (n == 0 || items[0].n == 0)
        return VM_NO;
    const struct plugin *p = host_extern_plugin(e, vm, "pam", &why);
    if (p == NULL)
        return vm_fail(vm, "\"pam\" is not available: %.*s", STR_ARG(why));
    const struct pam_plugin *pam = p->objects[0];
    struct pam_request rq = {
        .service = "exim", .user = items[0], .answers = items + 1, .n = n - 1};
    switch (pam->check(a, &rq, &why)) {
    case PAM_VERDICT_YES:
        return VM_OK;
    case PAM_VERDICT_NO:
        return VM_NO;
    case PAM_VERDICT_ERROR:
        break;
    }
    return vm_fail(vm, "%.*s", STR_ARG(why));
}

static enum vm_status
ask_saslauthd(struct eval *e, struct vm *vm, const struct str *argv, unsigned argc)
{
    struct str why = STR_NULL;
    struct saslauthd_request rq = {
        .path = SASLAUTHD_SOCKET,
        .timeout_ms = SASLAUTHD_TIMEOUT_MS,
        .user = argv[0],
        .password = argv[1],
        .service = argc > 2 ? argv[2] : STR_NULL,
        .realm = argc > 3 ? argv[3] : STR_NULL,
    };
    (void)e;
    switch (saslauthd_check(vm_scratch(vm), &rq, &why)) {
    case SASLAUTHD_YES:
        return VM_OK;
    case SASLAUTHD_NO:
        return VM_NO;
    case SASLAUTHD_ERROR:
        break;
    }
    return vm_fail(vm, "%.*s", STR_ARG(why));
}

static enum vm_status
ask_ldap(struct eval *e, struct vm *vm, const struct str *argv, unsigned argc)
{
    (void)argc;
    return lookup_ldapauth(e, vm, argv[0]);
}

static const struct {
    struct str name;
    enum vm_status (*ask)(struct eval *e, struct vm *vm, const struct str *argv, unsigned argc);
} checkers[] = {
    {STR_INIT("ldapauth"), ask_ldap},
    {STR_INIT("pam"), ask_pam},
    {STR_INIT("saslauthd"), ask_saslauthd},
};

enum vm_status
host_extern_authenticate(void *env, struct vm *vm, struct str which, const struct str *argv,
                         unsigned argc)
{
    for (size_t i = 0; i < sizeof checkers / sizeof *checkers; i++)
        if (str_eq(checkers[i].name, which))
            return checkers[i].ask(env, vm, argv, argc);
    return vm_fail(vm, "support for \"%.*s\" not compiled", STR_ARG(which));
}
