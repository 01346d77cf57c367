/* Reading JSON texts in place: elements of arrays and objects as parts of the text.
 *
 * Enough for ${extract json} and the _json conditions, and no more: nothing is built, values are not
 * interpreted, and what is not asked for is not checked. One pass, no recursion, so no depth limit is needed.
 * Strings are respected: brackets, commas and colons within them are text.
 */
#ifndef REMEX_FILTER_JSON_H
#define REMEX_FILTER_JSON_H

#include "base/str.h"

enum json_status {
    JSON_OK,
    JSON_NO_OPEN,   /* the opening bracket is missing */
    JSON_NO_CLOSE,  /* the closing bracket is missing */
    JSON_NO_KEY,    /* a member of an object does not begin with a string */
    JSON_NO_COLON,  /* no colon follows it */
    JSON_NO_STRING, /* a value is not a string */
};

/* What stands between the brackets of an array ('[') or object ('{'); white space before it is skipped,
 * what follows it is ignored. */
enum json_status json_open(struct str text, char bracket, struct str *inside);
/* Takes the next element from what json_open gave. White space before it is gone, behind it stays, as in
 * the reference. False at the end and at an empty element. */
bool json_next(struct str *inside, struct str *element);
/* The two parts of a member: the key without its quotes (escapes stay), the value. */
enum json_status json_member(struct str element, struct str *key, struct str *value);
/* A string without its quotes; escapes stay. */
enum json_status json_unquote(struct str value, struct str *out);

/* The value of a member, or the n-th element (from 1) of an array; STR_NULL: there is none. */
enum json_status json_find_member(struct str object, struct str key, struct str *value);
enum json_status json_find_element(struct str array, size_t n, struct str *value);

#endif
