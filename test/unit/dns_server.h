/* A name server on a thread, with the records of a table; for tests of what asks the DNS. */
#ifndef REMEX_TEST_DNS_SERVER_H
#define REMEX_TEST_DNS_SERVER_H

#include "dns_fixture.h"
#include "sys/dns.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_SERVER_QUERY_MAX = 1024 };

/* number: preference, or priority, weight and port; target: name or dotted address. A name that begins with "again" fails. */
struct dns_row {
    const char *name;
    unsigned type;
    unsigned number[3];
    const char *target;
    bool secure;
};

struct dns_server {
    const struct dns_row *rows;
    size_t n;
    int fd;
    struct sockaddr_in address;
    pthread_t thread;
};

static inline void
dns_server_row(struct buf *b, const struct dns_row *r)
{
    static const size_t numbers[] = {[DNS_MX] = 1, [DNS_SRV] = 3};
    struct buf content = buf_in(b->arena, 0);
    struct in_addr ip;
    size_t n = r->type < sizeof numbers / sizeof *numbers ? numbers[r->type] : 0;
    for (size_t i = 0; i < n; i++)
        put_number(&content, r->number[i], 2);
    if (r->type == DNS_A && inet_pton(AF_INET, r->target, &ip) == 1)
        buf_add(&content, (const char *)&ip, sizeof ip);
    else
        put_name(&content, r->target);
    struct str text = buf_str(&content);
    put_record(b, r->name, r->type, 60, text.n);
    buf_adds(b, text);
}

/* The name of a question, in lower case as it comes. */
static inline size_t
dns_server_name(const unsigned char *query, char *name)
{
    size_t at = 12, n = 0;
    while (query[at] != 0) {
        if (n > 0)
            name[n++] = '.';
        memcpy(name + n, query + at + 1, query[at]);
        n += query[at];
        at += query[at] + 1u;
    }
    name[n] = '\0';
    return at + 1;
}

static inline struct str
dns_server_answer(const struct dns_server *s, struct arena *a, const unsigned char *query)
{
    char name[DNS_SERVER_QUERY_MAX];
    size_t end = dns_server_name(query, name);
    unsigned type = query[end] * 256u + query[end + 1], found = 0, known = 0, secure = 1;
    struct buf b = buf_in(a, 0), records = buf_in(a, 0);
    for (size_t i = 0; i < s->n; i++) {
        const struct dns_row *r = &s->rows[i];
        if (strcmp(r->name, name) != 0)
            continue;
        known = 1;
        if (r->type != type && r->type != DNS_CNAME)
            continue;
        dns_server_row(&records, r);
        found++;
        secure &= r->secure;
    }
    unsigned rcode = strncmp(name, "again", 5) == 0 ? DNS_RCODE_SERVER
                     : known                        ? DNS_RCODE_OK
                                                    : DNS_RCODE_NO_NAME;
    buf_add(&b, (const char *)query, 2);
    put_number(&b, DNS_FIXTURE_FLAGS | rcode | (found > 0 && secure ? 0x20u : 0u), 2);
    put_number(&b, 1, 2);
    put_number(&b, found, 2);
    put_number(&b, 0, 4);
    buf_add(&b, (const char *)query + 12, end + 4 - 12);
    buf_adds(&b, buf_str(&records));
    return buf_str(&b);
}

static inline void *
dns_server_run(void *ctx)
{
    struct dns_server *s = ctx;
    unsigned char query[DNS_SERVER_QUERY_MAX];
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_n = sizeof from;
        ssize_t n = recvfrom(s->fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_n);
        if (n < 17)
            return NULL;
        struct arena *a = arena_new();
        struct str text = dns_server_answer(s, a, query);
        (void)sendto(s->fd, text.p, text.n, 0, (struct sockaddr *)&from, from_n);
        arena_free(a);
    }
}

static inline bool
dns_server_start(struct dns_server *s, const struct dns_row *rows, size_t n)
{
    socklen_t len = sizeof s->address;
    memset(s, 0, sizeof *s);
    s->rows = rows;
    s->n = n;
    s->address.sin_family = AF_INET;
    s->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(s->fd, (struct sockaddr *)&s->address, len) == 0 &&
           getsockname(s->fd, (struct sockaddr *)&s->address, &len) == 0 &&
           pthread_create(&s->thread, NULL, dns_server_run, s) == 0;
}

/* An empty datagram ends it. */
static inline void
dns_server_stop(struct dns_server *s)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)sendto(fd, "", 0, 0, (struct sockaddr *)&s->address, sizeof s->address);
    pthread_join(s->thread, NULL);
    close(fd);
    close(s->fd);
}

#endif
