/* remex-msgdate (also called exim_msgdate): the times that are in message ids.
 *
 * Each id (of a log line, or with the E of a Message-Id: in front, or its first six characters) gives a line for each way of
 * printing that was asked for. What is no id is passed over; one whose digits are none in the chosen base ends the program.
 * Source: specification, "Message identification".
 */
#include "base/arena.h"
#include "engine/message_id.h"
#include "sys/run.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { TIME_N = 6, HOST_UNSET = -1, HOST_MAX_36 = 10 };

struct msgdate {
    bool unix_time, zulu, local, pid;
    unsigned base;
    long host;                  /* localhost_number */
    const char *conf, *program; /* -C, and the one that reads it; or NULL */
};

/* What an id says. */
struct stamp {
    uint64_t seconds, pid, microseconds;
    bool has_pid;
};

static int
usage(void)
{
    (void)fprintf(stderr, "usage: exim_msgdate [-local] [-zulu] [-unix] [-pid] [-base 36|62]\n"
                          "       [-localhost_number <n>] [-C <file>] <message id>...\n");
    return 1;
}

static bool
take_number(const char *text, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

/* --- ids --- */

/* The digits of s in the base; false: one is none. At most 11 of them: 62^11 fits. */
static bool
read_digits(struct str s, unsigned base, uint64_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        unsigned digit = c <= '9'   ? (unsigned)(c - '0')
                         : c <= 'Z' ? (unsigned)(c - 'A') + 10
                                    : (unsigned)(c - 'a') + 36;
        if (digit >= base)
            return false;
        *out = *out * base + digit;
    }
    return true;
}

/* Fraction of the second, and what localhost_number has to do with it. */
static uint64_t
microseconds_of(const struct msgdate *m, uint64_t fraction, bool is_new)
{
    uint64_t units = is_new ? 1000000 : m->base == 36 ? 1000 : 2000;
    if (m->host != HOST_UNSET) {
        units = is_new ? 500000 : units / 10;
        fraction %= units;
    }
    return fraction * (1000000 / units);
}

static bool
all_alnum(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]))
            return false;
    return true;
}

/* False: a digit that is none. *is_id tells whether it is an id at all. */
static bool
read_id(const struct msgdate *m, struct str s, bool *is_id, struct stamp *out)
{
    *out = (struct stamp){.has_pid = false};
    bool whole = message_id_parse(s, NULL);
    *is_id = whole || (s.n == TIME_N && all_alnum(s));
    if (!*is_id || !read_digits(str_sub(s, 0, TIME_N), m->base, &out->seconds))
        return !*is_id;
    if (!whole)
        return true;
    bool is_new = s.n == MESSAGE_ID_NEW_N;
    size_t second = str_chr(s, '-', TIME_N + 1);
    uint64_t fraction;
    out->has_pid = true;
    if (!read_digits(str_sub(s, TIME_N + 1, second - TIME_N - 1), m->base, &out->pid) ||
        !read_digits(str_sub(s, second + 1, s.n), m->base, &fraction))
        return false;
    out->microseconds = microseconds_of(m, fraction, is_new);
    return true;
}

/* --- the configuration --- */

/* localhost_number as the configuration has it, asked of the program itself, which lies beside this one. */
static long
configured_number(const struct msgdate *m)
{
    char self[4096], option[] = "-C", list[] = "-bP", name[] = "localhost_number";
    struct arena *a = arena_new();
    long number = HOST_UNSET;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    struct str path = str_from(self, n > 0 ? (size_t)n : 0);
    size_t slash = str_rchr(path, '/');
    struct str beside =
        str_printf(a, "%.*s/remex", STR_ARG(str_sub(path, 0, slash == STR_NPOS ? 0 : slash)));
    char *program = str_cstr(a, m->program != NULL ? str_from_cstr(m->program) : beside);
    char *conf = m->conf != NULL ? str_cstr(a, str_from_cstr(m->conf)) : NULL;
    char *with[] = {program, option, conf, list, name, NULL},
         *without[] = {program, list, name, NULL};
    const struct run_request rq = {
        .argv = conf != NULL ? with : without, .timeout_ms = 10000, .max_output = 4096};
    struct run_result got;
    run_program(a, &rq, &got);
    static const char expected[] = "localhost_number = ";
    if (got.end == RUN_EXITED && got.status == 0 && str_starts(got.output, expected)) {
        struct str value = str_trim(str_sub(got.output, sizeof expected - 1, got.output.n));
        if (!take_number(str_cstr(a, value), &number))
            number = HOST_UNSET;
    }
    arena_free(a);
    return number;
}

/* --- printing --- */

static void
end_line(const struct msgdate *m, const struct stamp *t)
{
    if (m->pid && t->has_pid)
        printf("\tpid %llu", (unsigned long long)t->pid);
    putchar('\n');
}

static void
print_date(const struct msgdate *m, const struct stamp *t, bool local)
{
    char date[64] = "", zone[32] = "";
    struct tm tm;
    time_t seconds = (time_t)t->seconds;
    if ((local ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)) != NULL) {
        (void)strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
        (void)strftime(zone, sizeof zone, " %Z", &tm);
    }
    printf("%s.%06llu%s", date, (unsigned long long)t->microseconds, local ? zone : "");
    end_line(m, t);
}

static void
print(const struct msgdate *m, const struct stamp *t)
{
    if (m->unix_time) {
        printf("%llu.%06llu", (unsigned long long)t->seconds,
               (unsigned long long)t->microseconds);
        end_line(m, t);
    }
    if (m->zulu)
        print_date(m, t, false);
    if (m->local || (!m->unix_time && !m->zulu))
        print_date(m, t, true);
}

/* --- options --- */

/* -C FILE and the macro EXIM_PATH, as the program itself takes them. */
static bool
take_place(struct msgdate *m, char **argv, int *at)
{
    static const char macro[] = "-DEXIM_PATH=";
    if (strncmp(argv[*at], macro, sizeof macro - 1) == 0)
        m->program = argv[*at] + sizeof macro - 1;
    else if (strcmp(argv[*at], "-C") == 0 && argv[*at + 1] != NULL)
        m->conf = argv[++*at];
    else
        return strncmp(argv[*at], "-D", 2) == 0;
    return true;
}

/* "-base 36", "--base=36": the value, or NULL when this is not the option or nothing follows. */
static const char *
value_of(const char *name, char **argv, int *at)
{
    const char *given = argv[*at] + strspn(argv[*at], "-");
    size_t n = strlen(name);
    if (strncasecmp(given, name, n) != 0)
        return NULL;
    if (given[n] == '=')
        return given + n + 1;
    if (given[n] != '\0' || argv[*at + 1] == NULL)
        return NULL;
    return argv[++*at];
}

static bool
take_flag(struct msgdate *m, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
        unsigned base;
    } table[] = {
        {"l", &m->local, 0},  {"local", &m->local, 0}, {"localtime", &m->local, 0},
        {"z", &m->zulu, 0},   {"zulu", &m->zulu, 0},   {"gmt", &m->zulu, 0},
        {"utc", &m->zulu, 0}, {"u", &m->unix_time, 0}, {"unix", &m->unix_time, 0},
        {"p", &m->pid, 0},    {"pid", &m->pid, 0},     {"base36", NULL, 36},
        {"b36", NULL, 36},    {"base62", NULL, 62},    {"b62", NULL, 62},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcasecmp(name, table[i].name) != 0)
            continue;
        if (table[i].flag != NULL)
            *table[i].flag = true;
        else
            m->base = table[i].base;
        return true;
    }
    return false;
}

/* The option at argv[*at], with its value. */
static bool
take_option(struct msgdate *m, char **argv, int *at)
{
    long base = 0;
    const char *value = value_of("base", argv, at);
    if (value != NULL) {
        bool ok = take_number(value, &base) && (base == 36 || base == 62);
        m->base = ok ? (unsigned)base : m->base;
        return ok;
    }
    value = value_of("localhost_number", argv, at);
    if (value != NULL)
        return take_number(value, &m->host) && m->host >= 0;
    return take_flag(m, argv[*at] + strspn(argv[*at], "-"));
}

int
main(int argc, char **argv)
{
    struct msgdate m = {.base = 62, .host = HOST_UNSET};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++)
        if (!take_place(&m, argv, &at) && !take_option(&m, argv, &at))
            return usage();
    if (m.host == HOST_UNSET)
        m.host = configured_number(&m);
    if (m.host > (m.base == 36 ? HOST_MAX_36 : MESSAGE_ID_HOST_MAX) || at == argc)
        return usage();
    tzset();
    for (; at < argc; at++) {
        struct stamp t;
        struct str id = str_from_cstr(argv[at]);
        bool is_id;
        if (id.n > TIME_N && id.p[0] == 'E')
            id = str_sub(id, 1, id.n - 1u);
        if (!read_id(&m, id, &is_id, &t)) {
            (void)fprintf(stderr, "exim_msgdate: %s is no id in base %u\n", argv[at], m.base);
            return 1;
        }
        if (is_id)
            print(&m, &t);
    }
    return 0;
}
