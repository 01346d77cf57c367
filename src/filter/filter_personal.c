/* The condition "personal": a message from a person to this user.
 *
 * Source: Exim's filter document, "Details of the personal condition": not a bounce, no List- header line, not
 * submitted automatically, no precedence of bulk mail, the user in To:, and From: neither the user nor one of the
 * usual programs.
 */
#include "filter/filter_match.h"
#include "filter/filter_run.h"
#include "filter/host.h"
#include "filter/vm_state.h"
#include "mail/address.h"

/* The user's addresses. */
struct self {
    const struct filter_run *run;
    struct str full; /* local part with prefix and suffix */
    const struct str *aliases;
    unsigned aliases_n;
};

static bool
header(struct vm *vm, const char *name, struct str *out)
{
    *out = STR_EMPTY;
    return vm->host->header != NULL &&
           vm->host->header(vm->env, vm, HEADER_COOKED, str_from_cstr(name), out) == VM_OK;
}

static bool
is_self(struct vm *vm, const struct self *self, struct str address)
{
    struct str local_part, domain;
    (void)vm;
    address_split(address, &local_part, &domain);
    if (!str_is_set(domain))
        domain = self->run->qualify;
    if (str_ieq(domain, self->run->domain) &&
        (str_ieq(local_part, self->run->local_part) || str_ieq(local_part, self->full)))
        return true;
    for (unsigned i = 0; i < self->aliases_n; i++) {
        if (str_ieq(address, self->aliases[i]))
            return true;
    }
    return false;
}

static bool
is_program(struct vm *vm, const struct self *self, struct str address)
{
    static const char *const names[] = {
        "server@", "daemon@", "root@", "listserv@", "majordomo@",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_istarts(address, names[i]))
            return true;
    }
    size_t at = str_chr(address, '@', 0);
    bool owner = str_istarts(address, "owner-") && at != STR_NPOS && at > sizeof "owner-" - 1;
    return owner || filter_match_find(address, STR_LIT("-request@"), false) != STR_NPOS ||
           is_self(vm, self, address);
}

/* True if one of the addresses of a header field is such. */
static bool
any_address(struct vm *vm, const struct self *self, const char *field,
            bool (*is)(struct vm *vm, const struct self *self, struct str address))
{
    struct str text;
    struct address_parts p;
    enum address_status st;
    if (!header(vm, field, &text))
        return false;
    struct address_list l = address_list_start(text, ADDRESS_LITERAL);
    while (address_list_next(&l, vm->scratch, &st, &p, NULL)) {
        if (st == ADDRESS_OK && is(vm, self, p.text))
            return true;
    }
    return false;
}

static bool
is_bulk(struct vm *vm)
{
    static const char *const lists[] = {
        "List-Id",   "List-Help",  "List-Subscribe", "List-Unsubscribe",
        "List-Post", "List-Owner", "List-Archive",
    };
    static const char *const kinds[] = {"bulk", "list", "junk"};
    struct str text;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (header(vm, lists[i], &text))
            return true;
    }
    if (header(vm, "Auto-Submitted", &text) && !str_ieqz(text, "no"))
        return true;
    (void)header(vm, "Precedence", &text);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (filter_match_find(text, str_from_cstr(kinds[i]), false) != STR_NPOS)
            return true;
    }
    return false;
}

bool
filter_is_personal(struct vm *vm, const struct filter_run *run, const struct str *argv,
                   unsigned argc)
{
    if (run->error_message || is_bulk(vm))
        return false;
    struct str full = str_cat(vm->scratch, run->prefix, run->local_part);
    struct self self = {run, str_cat(vm->scratch, full, run->suffix), argv, argc};
    return any_address(vm, &self, "To", is_self) && !any_address(vm, &self, "From", is_program);
}
