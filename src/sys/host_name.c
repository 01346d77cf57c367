/* The name of this machine; see host_name.h. */
#include "sys/host_name.h"

#include "base/arena.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

struct str
host_name_get(struct arena *a)
{
    struct utsname u;
    if (uname(&u) != 0 || u.nodename[0] == '\0')
        return STR_LIT("localhost");
    return str_dup(a, str_from_cstr(u.nodename));
}

struct str
host_name_full(struct arena *a)
{
    struct str name = host_name_get(a);
    if (str_chr(name, '.', 0) != STR_NPOS)
        return name;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    if (getaddrinfo(name.p, NULL, &hints, &found) != 0)
        return name;
    if (found->ai_canonname != NULL && strchr(found->ai_canonname, '.') != NULL)
        name = str_dup(a, str_from_cstr(found->ai_canonname));
    freeaddrinfo(found);
    return name;
}
