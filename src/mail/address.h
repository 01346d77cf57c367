/* Mail addresses: RFC 5322 and 5321 grammar as the reference reads it, from header fields,
 * alias data, command lines and SMTP arguments.
 *
 * The parser is generous where mail is (dots anywhere in a local part, comments and white space
 * between tokens, source routes, which it drops) and exact about where an address begins and
 * ends. It never looks at what an address means. Results join the mark of the input.
 */
#ifndef REMEX_MAIL_ADDRESS_H
#define REMEX_MAIL_ADDRESS_H

#include "base/str.h"

struct arena;
struct buf;

/* Longest address that is extracted (bytes, without comments and route). */
enum { ADDRESS_MAX = 256 };

enum {
    ADDRESS_GROUP = 1u << 0,    /* "name: a@b;" is allowed */
    ADDRESS_IN_GROUP = 1u << 5, /* a group is open: no other may begin, a ';' may end it */
    ADDRESS_NULL = 1u << 1,     /* "<>" is an address: the empty one */
    ADDRESS_LITERAL = 1u << 2,  /* [1.2.3.4] inside <> and in routes (allow_domain_literals); a
                                   bare  local-part@[1.2.3.4] is always read */
    ADDRESS_UTF8_DOMAIN =
        1u << 3, /* bytes above 127 in domains (allow_utf8_domains, SMTPUTF8) */
    ADDRESS_STRIP_DOT =
        1u << 4, /* a dot at the end of a domain is dropped (strip_trailing_dot) */
    ADDRESS_STRIP_ANGLES = 1u << 6, /* <<a@b>> is <a@b> (strip_excess_angle_brackets) */
};

enum address_status {
    ADDRESS_OK,
    ADDRESS_EMPTY, /* nothing but white space and comments, or only the name or the end of a
                      group */
    ADDRESS_BAD,   /* error has the text */
};

struct address_parts {
    struct str text; /* local-part, or local-part@domain, without comments and white space */
    uint32_t domain; /* offset of the domain in text; 0: there is none */
    size_t start;    /* the address within the input, [start, end): what rewriting replaces */
    size_t end;
    bool group_begin; /* the item began with "name:" */
    bool group_end;   /* the item was followed by ';' */
    struct str error; /* Exim's words, set unless ADDRESS_OK */
};

/* Reads one address, which must be the whole of s. */
enum address_status address_parse(struct arena *a, struct str s, unsigned flags,
                                  struct address_parts *out);

/* A list of addresses separated by commas, with groups if the flags say so. */
struct address_list {
    struct str rest;
    size_t at; /* offset of rest in the whole list */
    unsigned flags;
    bool in_group;
};

struct address_list address_list_start(struct str list, unsigned flags);
/* The next item: *st and *out tell what it is, offsets count from the start of the list; empty
 * items are returned as ADDRESS_EMPTY. False at the end. item (may be NULL) gets the item's own
 * text. */
bool address_list_next(struct address_list *l, struct arena *a, enum address_status *st,
                       struct address_parts *out, struct str *item);
/* Length of the first item of a list: up to the comma that ends it. */
size_t address_item_length(struct str s);

/* ${addresses:}: all good addresses of a list, joined with sep, which is doubled within them.
 */
void address_add_all(struct buf *out, struct str list, char sep);

/* Parts of an address that was parsed or comes from the envelope: split at the first '@' that
 * is not quoted. Without one the whole is the local part and *domain is STR_NULL. */
void address_split(struct str address, struct str *local_part, struct str *domain);
/* The percent hack: user@other of user%other@here. False: there is no percent sign with something on either side, or it is quoted. */
bool address_percent(struct arena *a, struct str address, struct str *out);
enum { ADDRESS_PERCENTS_MAX = 10 }; /* that are taken off one address */
/* address@domain, unless it has a domain or is empty. */
struct str address_qualify(struct arena *a, struct str address, struct str domain);

/* ${quote_local_part:}: quoted only if the RFC needs it. */
struct str address_quote_local_part(struct arena *a, struct str local_part);
/* The reverse: quotes and backslashes taken off, as for $local_part. */
struct str address_unquote_local_part(struct arena *a, struct str local_part);

#endif
