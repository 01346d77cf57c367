/* The libraries of the inspect process; see inspect_library.h. */
#include "proc/inspect_library.h"

#include "conf/conf.h"
#include "sys/plugin.h"

const struct inspect_library_row *
inspect_library(enum inspect_library id)
{
    static const struct inspect_library_row *const rows[INSPECT_LIBRARIES] = {
        [INSPECT_LIBRARY_SPF] = &inspect_library_spf,
        [INSPECT_LIBRARY_CLAMAV] = &inspect_library_clamav,
    };
    return rows[id];
}

bool
inspect_library_plugin(struct inspect_loaded *l, const struct inspect_library_row *row)
{
    const struct plugin *p =
        plugin_load(l->arena, l->plugin_directory, row->plugin, PLUGIN_KIND_OTHER, &l->why);
    l->plugin = p != NULL && p->n > 0 ? p->objects[0] : NULL;
    return l->plugin != NULL;
}

bool
inspect_library_is_wanted(const struct conf *c)
{
    static const char *const words[] = {"spf", "spf_guess", "libclamav"};
    for (size_t i = 0; i < c->text.n; i++)
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            if (!c->text.v[i].mark && str_has_word(c->text.v[i].text, str_from_cstr(words[k])))
                return true;
    return false;
}

bool
inspect_library_hear(int socket, struct ipc_message *msg)
{
    return ipc_receive(&inspect_protocol, socket, INSPECT_CLIENT, INSPECT_WORKER, msg) ==
           IPC_OK;
}
