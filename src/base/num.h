/* Numbers as Exim's languages write them: integers with suffixes, intervals, thousandths, base
 * 62 and base 32, and the arithmetic of ${eval:}.
 *
 * Nothing here depends on the locale or sets errno. No function reads past the value it is
 * given. Source: specification, "Common option syntax" and "Expansion operators"; limits by the
 * reference.
 */
#ifndef REMEX_BASE_NUM_H
#define REMEX_BASE_NUM_H

#include "base/str.h"

struct buf;

enum num_status {
    NUM_OK,
    NUM_NONE,  /* no digits where a number must start */
    NUM_BAD,   /* something follows the number */
    NUM_RANGE, /* does not fit */
};

/* What num_scan understands beyond a sign and decimal digits. */
enum {
    NUM_OCTAL_HEX = 1u << 0, /* leading 0: octal, 0x: hexadecimal */
    NUM_SUFFIX = 1u << 1,    /* K, M, G in either case */
    NUM_SUFFIX_T = 1u << 2,  /* T as well, in upper case */
};

/* Reads a number at *pos and moves *pos behind it (and its suffix). No white space is skipped.
 * Errors: NUM_NONE (*pos stays), NUM_RANGE (*pos is behind it). */
enum num_status num_scan(struct str s, size_t *pos, unsigned flags, int64_t *out);

/* The integer of conditions, ${extract} and the like: white space round it, sign, decimal, K M
 * G; the empty string is 0. NUM_OK or why not; num_int_error has the text. */
enum num_status num_parse_int(struct str s, int64_t *out);
/* Exim's words for a failed num_parse_int. */
struct str num_int_error(struct arena *a, enum num_status st, struct str s);

/* The number of an option that is expanded: the same, but neither nothing nor less than zero. False: *why, in a. */
bool num_parse_option(struct arena *a, struct str s, int64_t *out, struct str *why);

/* Like strtoul on a whole value: white space, sign (wraps), digits, saturating; empty is 0. */
bool num_parse_unsigned(struct str s, uint64_t *out);
/* Only decimal digits, at least one; false also when it does not fit. */
bool num_parse_digits(struct str s, uint64_t *out);

/* Writes n in decimal so that it ends just before `end`, and returns where it begins; at most 20 bytes. */
char *num_write_before(char *end, uint64_t n);

/* --- intervals --- */

/* "1w2d3h4m5s" in seconds, at most INT32_MAX. False: not an interval. */
bool num_parse_interval(struct str s, int64_t *seconds);
/* The same with up to three decimals in the seconds part ("0.5s", "1m2.25s"), in milliseconds.
 */
bool num_parse_interval_ms(struct str s, int64_t *ms);
/* Appends in Exim's form: "1w2d3h4m5s", "0s", "-5m". */
void num_add_interval(struct buf *out, int64_t seconds);

/* --- thousandths --- */

/* "1.25" is 1250; digits after the third are dropped. NUM_RANGE above INT32_MAX thousandths or
 * when negative. */
enum num_status num_parse_fixed(struct str s, int64_t *thousandths);
/* "1.25", "5.0". */
void num_add_fixed(struct buf *out, int64_t thousandths);

/* --- bases --- */

enum { NUM_BASE62_DIGITS = 6, NUM_BASE32_MAX = 13 };

/* The low six digits; no NUL is added. */
void num_base62(uint64_t n, char out[NUM_BASE62_DIGITS]);
/* Wraps on overflow, as the reference. False: a byte that is no digit. */
bool num_base62_parse(struct str s, uint64_t *out);
/* Digits written (0 for 0); no NUL is added. */
size_t num_base32(uint64_t n, char out[NUM_BASE32_MAX]);
bool num_base32_parse(struct str s, uint64_t *out);

/* --- arithmetic --- */

enum num_eval_base {
    NUM_EVAL_ANY,     /* ${eval:} */
    NUM_EVAL_DECIMAL, /* ${eval10:} */
};

struct num_eval_error {
    const char *text; /* Exim's words: "divide by zero" */
    size_t at;        /* bytes processed, for (after processing "...") */
};

/* 64-bit arithmetic that wraps, with the reference's own overflow tests on sums and
 * differences. Parentheses and signs nest at most 200 deep. */
bool num_eval(struct str expr, enum num_eval_base base, int64_t *out, struct num_eval_error *e);

#endif
