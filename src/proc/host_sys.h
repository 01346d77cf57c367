/* What the language machine may ask of the system, for struct host: programs, files, sockets, environment.
 *
 * A tainted value is refused as a file name or a command, as Exim does. Texts of errors are Exim's.
 */
#ifndef REMEX_PROC_HOST_SYS_H
#define REMEX_PROC_HOST_SYS_H

#include "filter/host.h"

enum {
    HOST_RUN_TIMEOUT_MS = 60000,
    HOST_RUN_OUTPUT_MAX = 16 * 1024 * 1024,
    HOST_READFILE_MAX = 32 * 1024 * 1024,
    HOST_SOCKET_MAX = 32 * 1024 * 1024,
    HOST_SOCKET_TIMEOUT_MS = 5000,
};

enum vm_status host_sys_run(void *env, struct vm *vm, const struct host_run *q,
                            struct str *out);
enum vm_status host_sys_readfile(void *env, struct vm *vm, struct str path, struct str eol,
                                 struct str *out);
enum vm_status host_sys_readsocket(void *env, struct vm *vm, const struct host_socket *q,
                                   struct str *out);
enum vm_status host_sys_exists(void *env, struct vm *vm, struct str path);
enum vm_status host_sys_stat(void *env, struct vm *vm, struct str path, struct str *out);
enum vm_status host_sys_getenv(void *env, struct vm *vm, struct str name, struct str *out);
/* Lines for the logs: the main log is shown on the standard error, see notice.h. */
void host_sys_log(void *env, bool panic, struct str text);

#endif
