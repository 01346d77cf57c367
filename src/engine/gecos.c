/* Full names of users; see gecos.h. */
#include "engine/gecos.h"

#include "base/buf.h"
#include "conf/main_options.h"
#include "filter/vm.h"
#include "sys/account.h"

/* gecos_pattern and gecos_name, both or neither: the name that a gecos field stands for. */
static struct str
name_by_pattern(struct arena *a, struct vm *vm, const struct conf_main *c, struct str gecos,
                struct str otherwise)
{
    struct str why, name;
    size_t at;
    if (!str_is_set(c->gecos_pattern) || !str_is_set(c->gecos_name.text))
        return otherwise;
    const struct regex *re = vm_regex(vm, c->gecos_pattern, 0, &why, &at);
    if (re == NULL || vm_regex_match(vm, re, gecos) != VM_OK ||
        vm_expand(vm, c->gecos_name.text, &name) != VM_OK)
        return otherwise;
    name = str_dup(a, name);
    vm_reset_state(vm);
    return name;
}

/* An ampersand stands for the login, with a capital letter in front. */
static struct str
with_login(struct arena *a, struct str gecos, const char *login)
{
    struct buf b = buf_in(a, 0);
    for (uint32_t i = 0; i < gecos.n; i++) {
        if (gecos.p[i] != '&') {
            buf_addc(&b, gecos.p[i]);
            continue;
        }
        buf_addc(&b, ascii_upper(login[0]));
        buf_addz(&b, login[0] != '\0' ? login + 1 : "");
    }
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

struct str
gecos_full_name(struct arena *a, struct vm *vm, const struct conf_main *c, uid_t uid)
{
    const struct passwd *pw = account_user_of_id(a, uid);
    if (pw == NULL)
        return STR_EMPTY;
    struct str gecos = with_login(a, str_from_cstr(pw->pw_gecos), pw->pw_name);
    return name_by_pattern(a, vm, c, gecos, gecos);
}
