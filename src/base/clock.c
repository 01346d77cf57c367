/* Times as text. Only clock_offset asks the C library (localtime_r), at most once in a quarter
 * of an hour of the times asked about; everything else is arithmetic on counts of seconds. */
#include "base/clock.h"

#include "base/num.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, QUARTER_S = 900 };

static const int64_t seconds_min = INT64_C(-377705116800); /* year -9999 */
static const int64_t seconds_max = INT64_C(253402300799);  /* year 9999 */

static int64_t
floor_div(int64_t x, int64_t by)
{
    return x / by - (x % by < 0 ? 1 : 0);
}

static int64_t
clip(int64_t seconds)
{
    return seconds < seconds_min ? seconds_min : seconds > seconds_max ? seconds_max : seconds;
}

int32_t
clock_offset(struct clock *c, int64_t seconds)
{
    struct tm tm;
    if (c->utc)
        return 0;
    seconds = clip(seconds);
    int64_t quarter = floor_div(seconds, QUARTER_S);
    if (c->known && c->quarter == quarter)
        return c->offset_s;
    time_t t = (time_t)seconds;
    c->offset_s = localtime_r(&t, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
    c->quarter = quarter;
    c->known = true;
    return c->offset_s;
}

/* Days are counted in eras of 400 years that begin on 1 March, so that the leap day is the
 * last. */
enum { ERA_DAYS = 146097, DAYS_TO_EPOCH = 719468 };

struct clock_civil
clock_civil(int64_t seconds)
{
    seconds = clip(seconds);
    int64_t days = floor_div(seconds, DAY_S);
    unsigned rest = (unsigned)(seconds - days * DAY_S);
    int64_t from_march = days + DAYS_TO_EPOCH;
    int64_t era = floor_div(from_march, ERA_DAYS);
    unsigned doe = (unsigned)(from_march - era * ERA_DAYS);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct clock_civil){
        .year = (int32_t)(yoe + era * 400) + (month <= 2 ? 1 : 0),
        .month = (uint8_t)month,
        .day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (uint8_t)(rest / 3600),
        .minute = (uint8_t)(rest / 60 % 60),
        .second = (uint8_t)(rest % 60),
        .weekday = (uint8_t)((days % 7 + 11) % 7),
    };
}

int64_t
clock_seconds(struct clock_civil t)
{
    assert(t.month >= 1 && t.month <= 12);
    int64_t year = t.year - (t.month <= 2 ? 1 : 0);
    int64_t era = floor_div(year, 400);
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (t.month + (t.month > 2 ? -3 : 9)) + 2) / 5 + t.day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    int64_t days = era * ERA_DAYS + doe - DAYS_TO_EPOCH;
    return days * DAY_S + t.hour * 3600 + t.minute * 60 + t.second;
}

const char *
clock_month_name(unsigned month)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    assert(month >= 1 && month <= 12);
    return names[month - 1];
}

const char *
clock_weekday_name(unsigned weekday)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    assert(weekday <= 6);
    return names[weekday];
}

static int
print_zone(char *out, size_t room, int32_t offset_s)
{
    int minutes = offset_s / 60;
    int away = minutes < 0 ? -minutes : minutes;
    return snprintf(out, room, "%c%02d%02d", minutes < 0 ? '-' : '+', away / 60, away % 60);
}

/* The forms that begin with a weekday. */
static int
print_words(enum clock_form form, struct clock_civil t, int32_t offset_s, char *out)
{
    const char *weekday = clock_weekday_name(t.weekday);
    const char *month = clock_month_name(t.month);
    if (form == CLOCK_BSDINBOX)
        return snprintf(out, CLOCK_TEXT_MAX, "%s %s %02d %02d:%02d:%02d %04" PRId32, weekday,
                        month, t.day, t.hour, t.minute, t.second, t.year);
    int n = snprintf(out, CLOCK_TEXT_MAX, "%s, %02d %s %04" PRId32 " %02d:%02d:%02d ", weekday,
                     t.day, month, t.year, t.hour, t.minute, t.second);
    return n + print_zone(out + n, CLOCK_TEXT_MAX - (size_t)n, offset_s);
}

/* Two digits behind a sign, or without one ('\0'). */
static char *
put_two(char *out, char sign, int value)
{
    if (sign != '\0')
        *out++ = sign;
    *out++ = (char)('0' + value / 10 % 10);
    *out++ = (char)('0' + value % 10);
    return out;
}

/* The forms of digits, which are all prefixes of one another but for their punctuation. By hand, as every line of a log has one. */
static int
print_numbers(enum clock_form form, struct clock_civil t, int ms, char *out)
{
    bool log = form == CLOCK_LOG || form == CLOCK_LOG_MS;
    char dash = log ? '-' : '\0', colon = log ? ':' : '\0', *at = out;
    if (t.year >= 0 && t.year <= 9999)
        at = put_two(put_two(at, '\0', t.year / 100), '\0', t.year % 100);
    else
        at += snprintf(out, CLOCK_TEXT_MAX, "%04" PRId32, t.year);
    at = put_two(at, dash, t.month);
    if (form != CLOCK_MONTH)
        at = put_two(at, dash, t.day);
    if (form != CLOCK_MONTH && form != CLOCK_LOGFILE) {
        at = put_two(at, log ? ' ' : '\0', t.hour);
        at = put_two(put_two(at, colon, t.minute), colon, t.second);
        if (!log)
            *at++ = 'Z';
    }
    if (form == CLOCK_LOG_MS) {
        *at++ = '.';
        *at++ = (char)('0' + ms / 100 % 10);
        at = put_two(at, '\0', ms % 100);
    }
    *at = '\0';
    return (int)(at - out);
}

/* Plain digits, without the cost of printf: filters and logs ask for it all the time. */
static size_t
print_count(int64_t s, char out[CLOCK_TEXT_MAX])
{
    char digits[24];
    char *const end = digits + sizeof digits;
    char *at = num_write_before(end, s < 0 ? 0 - (uint64_t)s : (uint64_t)s);
    if (s < 0)
        *--at = '-';
    size_t n = (size_t)(end - at);
    memcpy(out, at, n);
    out[n] = '\0';
    return n;
}

/* CLOCK_LOG, which is asked for again and again in a second. */
static size_t
print_log(struct clock *c, int64_t s, int32_t offset_s, char out[CLOCK_TEXT_MAX])
{
    enum { USUAL = 19 };
    if (c->has_text && c->text_s == s) {
        memcpy(out, c->text, USUAL);
        out[USUAL] = '\0';
        return USUAL;
    }
    int n = print_numbers(CLOCK_LOG, clock_civil(s + offset_s), 0, out);
    c->has_text = n == USUAL;
    c->text_s = s;
    if (c->has_text)
        memcpy(c->text, out, USUAL);
    return n < 0 ? 0 : (size_t)n;
}

size_t
clock_format(struct clock *c, enum clock_form form, struct timespec t, char out[CLOCK_TEXT_MAX])
{
    int64_t s = clip(t.tv_sec);
    bool zoned = form != CLOCK_ZULU && form != CLOCK_EPOCH && form != CLOCK_EPOCH_L;
    int32_t offset_s = zoned ? clock_offset(c, s) : 0;
    int n;
    switch (form) {
    case CLOCK_EPOCH:
        return print_count(s, out);
    case CLOCK_EPOCH_L:
        n = snprintf(out, CLOCK_TEXT_MAX, "%" PRId64 "%06ld", s, (t.tv_nsec / 1000) % 1000000);
        break;
    case CLOCK_ZONE:
        n = print_zone(out, CLOCK_TEXT_MAX, offset_s);
        break;
    case CLOCK_FULL:
    case CLOCK_BSDINBOX:
        n = print_words(form, clock_civil(s + offset_s), offset_s, out);
        break;
    case CLOCK_LOG:
        return print_log(c, s, offset_s, out);
    case CLOCK_LOG_MS:
    case CLOCK_LOGFILE:
    case CLOCK_MONTH:
    case CLOCK_ZULU:
    default:
        n = print_numbers(form, clock_civil(s + offset_s), (int)(t.tv_nsec / 1000000 % 1000),
                          out);
        break;
    }
    return n < 0 ? 0 : (size_t)n;
}
