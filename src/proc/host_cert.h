/* ${certextract: fields of a certificate, for struct host.
 *
 * The certificate is PEM text; the plugin tls (sys/cert_plugin.h) reads it and is loaded when the first
 * certificate is. Selectors, modifiers, texts of errors and forms of values are Exim's with GnuTLS.
 */
#ifndef REMEX_PROC_HOST_CERT_H
#define REMEX_PROC_HOST_CERT_H

#include "filter/host.h"
#include "sys/cert_plugin.h"

/* VM_OK *out; VM_NO: the certificate has no such field. */
enum vm_status host_cert_extract(void *env, struct vm *vm, struct str field, struct str cert,
                                 struct str *out);
/* The same with a given reader; utc: times are shown in UTC, else in the zone of the process. */
enum vm_status host_cert_extract_with(const struct cert_plugin *plugin, bool utc, struct vm *vm,
                                      struct str field, struct str cert, struct str *out);

#endif
