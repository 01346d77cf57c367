/* Fuzz target: the text of an LDAP lookup, and where its servers are. What is taken apart must name a URL, and a server
 * that was read must have one that the library understands. */
#include "lookup_fuzz.h"
#include "plugins/ldap/ldap_query.h"
#include "plugins/ldap/ldap_server.h"

static void
read_servers(struct arena *a, struct str item)
{
    static const char *const schemes[] = {"ldap", "ldaps", "ldapi"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct ldap_server s;
        struct str why = STR_EMPTY;
        if (!ldap_server_read(a, str_from_cstr(schemes[i]), item, &s, &why))
            continue;
        fuzz_read(s.uri);
        fuzz_read(s.name);
        if (s.socket && s.tls)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_FILE_MAX)
        return 0;
    struct arena *a = arena_new();
    struct str text = str_from((const char *)data, size), why = STR_EMPTY;
    struct ldap_query q;
    if (ldap_query_parse(a, text, &q, &why)) {
        if (!str_istarts(q.url, "ldap") || q.size < 0 || q.time_s < 0 || q.wait_s < 0)
            abort();
        fuzz_read(q.user);
        fuzz_read(q.pass);
        (void)ldap_query_check_url(a, q.url, &why);
        read_servers(a, str_is_set(q.servers) ? q.servers : q.url);
    } else if (why.n == 0) {
        abort();
    }
    read_servers(a, text);
    fuzz_read(why);
    arena_free(a);
    return 0;
}
