/* Messages of the DNS for tests, put together by hand. */
#ifndef REMEX_TEST_DNS_FIXTURE_H
#define REMEX_TEST_DNS_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dns_answer.h"

enum { DNS_FIXTURE_FLAGS = 0x8180 }; /* an answer, recursion wanted and there */

static inline void
put_number(struct buf *b, uint32_t v, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        buf_addc(b, (char)(v >> (8 * (i - 1)) & 0xff));
}

/* "a.b" as labels and the root. */
static inline void
put_name(struct buf *b, const char *name)
{
    struct str rest = str_from_cstr(name);
    while (rest.n > 0) {
        size_t dot = str_chr(rest, '.', 0);
        struct str label = str_sub(rest, 0, dot == STR_NPOS ? rest.n : dot);
        buf_addc(b, (char)label.n);
        buf_adds(b, label);
        rest = dot == STR_NPOS ? STR_EMPTY : str_sub(rest, dot + 1, rest.n);
    }
    buf_addc(b, 0);
}

static inline void
put_header(struct buf *b, unsigned flags, unsigned answers, unsigned authority)
{
    put_number(b, 1, 2);
    put_number(b, flags, 2);
    put_number(b, 1, 2);
    put_number(b, answers, 2);
    put_number(b, authority, 2);
    put_number(b, 0, 2);
}

static inline void
put_question(struct buf *b, const char *name, unsigned type)
{
    put_name(b, name);
    put_number(b, type, 2);
    put_number(b, 1, 2);
}

/* All of a record but its content, whose size is n. */
static inline void
put_record(struct buf *b, const char *owner, unsigned type, uint32_t ttl_s, size_t n)
{
    put_name(b, owner);
    put_number(b, type, 2);
    put_number(b, 1, 2);
    put_number(b, ttl_s, 4);
    put_number(b, (uint32_t)n, 2);
}

static inline void
put_a(struct buf *b, const char *owner, uint32_t ttl_s, uint32_t address)
{
    put_record(b, owner, DNS_A, ttl_s, 4);
    put_number(b, address, 4);
}

/* The records of a zone without the name that was asked for. */
static inline void
put_soa(struct buf *b, uint32_t ttl_s, uint32_t minimum_s)
{
    put_record(b, "test", DNS_SOA, ttl_s, 4 + 6 + 20);
    put_name(b, "ns");
    put_name(b, "root");
    for (uint32_t i = 1; i < 5; i++)
        put_number(b, i, 4);
    put_number(b, minimum_s, 4);
}

#endif
