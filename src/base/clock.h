/* Times as text: the $tod_ variables and the time in the log.
 *
 * A struct clock belongs to one thread and remembers the zone offset for the quarter of an hour
 * it asked about last (zones change on such boundaries), so that formatting needs no
 * localtime_r, and the text of the second before. Nothing here reads the current time: callers pass it.
 */
#ifndef REMEX_BASE_CLOCK_H
#define REMEX_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct clock {
    bool utc;         /* the configuration says timezone = UTC */
    bool known;       /* the two below hold */
    int64_t quarter;  /* time / 900 that offset_s is good for */
    int32_t offset_s; /* seconds east of UTC */
    bool has_text;    /* the two below hold: a second has many lines of a log */
    int64_t text_s;
    char text[20]; /* CLOCK_LOG of it, not ended */
};

enum clock_form {
    CLOCK_FULL,     /* Wed, 16 Oct 1995 09:51:40 +0100 */
    CLOCK_LOG,      /* 1995-10-12 15:32:29 */
    CLOCK_LOG_MS,   /* 1995-10-12 15:32:29.123 */
    CLOCK_LOGFILE,  /* 19951012, for %D in log_file_path */
    CLOCK_MONTH,    /* 199510, for %M in log_file_path */
    CLOCK_ZONE,     /* -0500 */
    CLOCK_ZULU,     /* 19951012153229Z */
    CLOCK_BSDINBOX, /* Thu Oct 17 17:14:09 1995 */
    CLOCK_EPOCH,    /* 813512349 */
    CLOCK_EPOCH_L,  /* microseconds */
};

enum { CLOCK_TEXT_MAX = 64 };

/* Seconds east of UTC at a time. */
int32_t clock_offset(struct clock *c, int64_t seconds);
/* Writes the text and a NUL; returns its length without it. */
size_t clock_format(struct clock *c, enum clock_form form, struct timespec t,
                    char out[CLOCK_TEXT_MAX]);

/* Broken-down time of a count of seconds, without zone or leap second; any int64_t within the
 * years -9999 to 9999, others are clipped. */
struct clock_civil {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
    uint8_t weekday; /* 0 is Sunday */
};

struct clock_civil clock_civil(int64_t seconds);
/* The reverse (weekday is ignored); fields must be in range, second up to 60. */
int64_t clock_seconds(struct clock_civil t);
/* "Jan" for 1, "Sun" for 0. */
const char *clock_month_name(unsigned month);
const char *clock_weekday_name(unsigned weekday);

#endif
