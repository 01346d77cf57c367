/* Functions that are questions to the program around the machine: files, environment, certificates, users. */
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/host.h"

enum vm_status
fn_oper_stat(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct host *h = vm_host(vm);
    return h->stat != NULL ? h->stat(vm_env(vm), vm, *argv, out)
                           : vm_fail(vm, "Use of the stat() expansion is not permitted");
}

enum vm_status
fn_item_readfile(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    const struct host *h = vm_host(vm);
    if (h->readfile == NULL)
        return vm_fail(vm, "file insertions are not permitted");
    return h->readfile(vm_env(vm), vm, argv[0], argc > 1 ? argv[1] : STR_NULL, out);
}

enum vm_status
fn_cond_exists(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    const struct host *h = vm_host(vm);
    return h->exists != NULL ? h->exists(vm_env(vm), vm, *argv)
                             : vm_fail(vm, "File existence tests are not permitted");
}

enum vm_status
fn_item_env(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct host *h = vm_host(vm);
    struct str name = str_trim(*argv);
    if (h->getenv == NULL)
        return fn_refused(vm, "env");
    return name.n > 0 ? h->getenv(vm_env(vm), vm, name, out) : VM_NO;
}

enum vm_status
fn_item_certextract(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct host *h = vm_host(vm);
    struct str field = str_trim(argv[0]);
    if (argv[1].n == 0 || field.n == 0)
        return VM_NO;
    if (h->certextract == NULL)
        return fn_refused(vm, "certextract");
    return h->certextract(vm_env(vm), vm, field, argv[1], out);
}

enum vm_status
fn_item_authresults(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct host *h = vm_host(vm);
    if (h->authresults == NULL)
        return fn_refused(vm, "authresults");
    return h->authresults(vm_env(vm), vm, *argv, out);
}

/* --- users and passwords --- */

static enum vm_status
authenticate(struct vm *vm, const char *which, const struct str *argv, unsigned argc)
{
    const struct host *h = vm_host(vm);
    if (h->authenticate == NULL)
        return vm_fail(vm, "support for \"%s\" not compiled", which);
    return h->authenticate(vm_env(vm), vm, str_from_cstr(which), argv, argc);
}

enum vm_status
fn_cond_ldapauth(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)out;
    return authenticate(vm, "ldapauth", argv, argc);
}

enum vm_status
fn_cond_pam(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)out;
    return authenticate(vm, "pam", argv, argc);
}

enum vm_status
fn_cond_radius(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)out;
    return authenticate(vm, "radius", argv, argc);
}

enum vm_status
fn_cond_saslauthd(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)out;
    return authenticate(vm, "saslauthd", argv, argc);
}
