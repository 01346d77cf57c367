/* printf for the directives that texts of ours are made of; the C library's takes several times as long for these.
 *
 * Knows %%, %c, %s, %.*s, %d, %i, %u, %x with h-less lengths l, ll, z and j, and zero padding to a width ("%02d"). For anything else
 * it says so, and the C library does it.
 */
#ifndef REMEX_BASE_FORMAT_H
#define REMEX_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

enum { FORMAT_UNKNOWN = -1 };

/* As vsnprintf: writes at most cap bytes with the NUL, returns how long the whole is. FORMAT_UNKNOWN: a directive that is none
 * of the above; what was written is void. **thread**: any. */
int format_text(char *out, size_t cap, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif
