/* The variables of the language: what struct host shows as $name. */
#ifndef REMEX_CONF_VARS_H
#define REMEX_CONF_VARS_H

#include "filter/host.h"

/* All rows of vars.def, sorted by name; env of their get functions is a struct eval. */
const struct var *vars_all(size_t *n);

/* Functions of vars_*.c, by name in vars.def. */
#define VAR_STR(name, id, model, field, doc)
#define VAR_TAINTED(name, id, model, field, doc)
#define VAR_CERT(name, id, model, field, doc)
#define VAR_INT(name, id, model, field, doc)
#define VAR_FLAG(name, id, model, field, doc)
#define VAR_BOOL(name, id, model, field, doc)
#define VAR_TEXT(name, id, text, doc)
#define VAR_MACHINE(name, doc)
#define VAR_FN(name, function, doc)                                                            \
    enum vm_status function(void *env, struct vm *vm, struct str rest, struct str *out);
#define VAR_FAMILY_OF(name, function, accepts, doc)                                            \
    enum vm_status function(void *env, struct vm *vm, struct str rest, struct str *out);
#include "conf/vars.def"
#undef VAR_STR
#undef VAR_TAINTED
#undef VAR_CERT
#undef VAR_INT
#undef VAR_FLAG
#undef VAR_BOOL
#undef VAR_TEXT
#undef VAR_MACHINE
#undef VAR_FN
#undef VAR_FAMILY_OF

/* Writes a number as a value. */
enum vm_status var_put_int(struct vm *vm, int64_t n, struct str *out);

/* $header_... of the message at hand; a function of struct host. */
enum vm_status vars_header(void *env, struct vm *vm, enum header_form form, struct str name,
                           struct str *out);
/* Settings that functions of the language need; a function of struct host. */
struct str vars_setting(void *env, const char *name);
/* The conditions first_delivery and queue_running. */
enum vm_status vars_delivering(void *env, struct vm *vm, struct str which);

#endif
