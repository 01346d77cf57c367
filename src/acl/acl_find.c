/* The ACL that a text means: a name, a file, or the ACL itself; and what it compiles to.
 *
 * Whatever was found is kept for as long as the runner lives, as the manual says of files; texts that strangers could make many
 * of are bounded. Nothing here runs an ACL.
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/map.h"
#include "conf/conf.h"
#include "sys/file.h"

#include <errno.h>

enum {
    TEXTS_MAX = 4 * 1024 * 1024, /* bytes of texts kept; later ones are compiled for one run */
    FILE_BYTES_MAX = 4 * 1024 * 1024,
};

/* Conditions that expand their argument themselves: parts of it, one after the other. */
static bool
is_expanded_here(const struct acl_item *i)
{
    return i->word != ACL_COND_ACL && i->word != ACL_MOD_ENDPASS &&
           !expand_is_literal(i->arg.text);
}

static const struct acl_program *
compile(struct acl_runner *r, struct arena *a, const struct acl *acl)
{
    struct acl_program *p = ARENA_NEW(a, struct acl_program);
    p->acl = acl;
    p->codes = ARENA_ARRAY(a, struct acl_code *, acl->statements.n);
    for (size_t s = 0; s < acl->statements.n; s++) {
        const struct acl_statement *st = &acl->statements.v[s];
        p->codes[s] = ARENA_ARRAY(a, struct acl_code, st->items.n);
        for (size_t i = 0; i < st->items.n; i++) {
            const struct acl_item *item = &st->items.v[i];
            p->codes[s][i].item = item;
            if (is_expanded_here(item) && !str_is_tainted(item->arg.text))
                p->codes[s][i].code =
                    expand_compile(a, r->vm, item->arg.text, item->arg.map, NULL);
        }
    }
    return p;
}

static const struct acl_program *
keep(struct acl_runner *r, struct str key, const struct acl_program *p)
{
    map_set(r->by_text, str_dup(r->arena, key), (void *)(uintptr_t)p);
    return p;
}

/* The first fault of a text, in Exim's words. */
static struct str
fault_of(const struct diags *d)
{
    for (size_t i = 0; i < diags_total(d); i++)
        if (diags_at(d, i)->level == DIAG_ERROR)
            return diags_at(d, i)->text;
    return STR_LIT("malformed ACL");
}

static const struct acl_program *
parse(struct acl_runner *r, struct str key, struct str text, struct str *error)
{
    bool kept = r->texts + text.n <= TEXTS_MAX;
    struct arena *a = kept ? r->arena : vm_scratch(r->vm);
    struct diags *d = diags_new(a, 1);
    const struct acl *acl = acl_parse_text(a, str_dup(a, text), NULL, d);
    if (acl == NULL) {
        *error = fault_of(d);
        return NULL;
    }
    const struct acl_program *p = compile(r, a, acl);
    if (!kept)
        return p;
    r->texts += text.n;
    return keep(r, key, p);
}

static const struct acl_program *
read_file(struct acl_runner *r, struct str key, struct str path, struct str *error)
{
    struct arena *a = vm_scratch(r->vm);
    struct str text;
    const char *name = str_cstr(a, path);
    if (name == NULL) {
        *error = STR_LIT("a file name with a NUL byte");
        return NULL;
    }
    enum file_result got = file_read(a, name, FILE_BYTES_MAX, &text);
    if (got != FILE_OK) {
        *error = str_printf(a, "failed to %s ACL file \"%.*s\": %s",
                            got == FILE_NO_OPEN ? "open" : "read", STR_ARG(path),
                            got == FILE_TOO_BIG ? "it is too big" : strerror(errno));
        return NULL;
    }
    return parse(r, key, str_untaint_by_rule(text, "ACL file that the configuration names"),
                 error);
}

static const struct acl_program *
find_named(struct acl_runner *r, struct str key, struct str name)
{
    const struct acl *acl = r->eval->conf == NULL ? NULL : acl_find(r->eval->conf->acls, name);
    return acl == NULL ? NULL : keep(r, key, compile(r, r->arena, acl));
}

const struct acl_program *
acl_find_program(struct acl_runner *r, struct str text, struct str *error)
{
    text = str_trim(text);
    bool file = text.n > 0 && text.p[0] == '/';
    bool word = !file;
    for (uint32_t i = 0; i < text.n && word; i++)
        word = !ascii_space(text.p[i]);
    if (str_is_tainted(text)) {
        acl_log(r, ACL_LOG_MAIN | ACL_LOG_PANIC, "attempt to use tainted ACL text \"%.*s\"",
                STR_ARG(text));
        *error = STR_LIT("internal configuration error");
        return NULL;
    }
    struct str key = str_cat(vm_scratch(r->vm), file ? STR_LIT("f") : STR_LIT("t"), text);
    const struct acl_program *p = map_get(r->by_text, key);
    if (p != NULL)
        return p;
    if (file)
        return read_file(r, key, text, error);
    if (word && (p = find_named(r, key, text)) != NULL)
        return p;
    return parse(r, key, text, error);
}
