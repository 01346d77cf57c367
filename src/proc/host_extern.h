/* What foreign code does for the language machine, for struct host: Perl, functions of shared objects, and who
 * checks passwords (PAM, saslauthd, LDAP). Results of checks that a message came through are here too.
 *
 * All of it is the site's own choice in its configuration: nothing is loaded before it is asked for, tainted
 * names are refused. What was loaded is kept with the evaluation context and goes with its arena.
 * Texts of errors are Exim's. For processes with one thread.
 */
#ifndef REMEX_PROC_HOST_EXTERN_H
#define REMEX_PROC_HOST_EXTERN_H

#include "filter/host.h"
#include "sys/plugin.h"

struct eval;

/* The plugin, loaded once; NULL with *why. */
const struct plugin *host_extern_plugin(struct eval *e, struct vm *vm, const char *name,
                                        struct str *why);

enum vm_status host_extern_perl(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                                struct str *out);
enum vm_status host_extern_dlfunc(void *env, struct vm *vm, const struct str *argv,
                                  unsigned argc, struct str *out);
enum vm_status host_extern_authenticate(void *env, struct vm *vm, struct str which,
                                        const struct str *argv, unsigned argc);

/* Loads every plugin that the text of the configuration files names, those of lookups too. A process calls it before it
 * gives up opening files: afterwards a plugin that is missing is an error where it is used. */
void host_extern_preload(struct eval *e, struct vm *vm);

/* Starts Perl now, if perl_startup is set and it does not run yet. */
void host_extern_start_perl(struct eval *e, struct vm *vm);

#endif
