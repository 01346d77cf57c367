/* Changes hints by hand; see hints_fix.h. */
#include "proc/hints_fix.h"

#include "base/num.h"
#include "engine/retry_hints.h"
#include "proc/hints_text.h"

#include <string.h>
#include <time.h>

enum { ROOM = HINTS_FIX_LINE_MAX + sizeof "\n" };

struct fix {
    struct hints *hints;
    enum hints_kind kind;
    bool utc;
    FILE *out;
    struct arena *arena; /* of a line */
    char key[ROOM];
};

/* The record of any version. */
struct search {
    struct fix *fix;
    struct str key;
    struct hints_item item;
    bool found;
};

static bool
is_it(void *ctx, struct str key, uint16_t version, struct str value)
{
    struct search *s = ctx;
    if (!str_eq(key, s->key))
        return true;
    s->item = (struct hints_item){.kind = s->fix->kind,
                                  .key = str_dup(s->fix->arena, key),
                                  .version = version,
                                  .value = str_dup(s->fix->arena, value)};
    s->found = true;
    return false;
}

static bool
find(struct fix *f, struct hints_item *item)
{
    struct search s = {.fix = f, .key = str_from_cstr(f->key)};
    hints_each(f->hints, f->kind, is_it, &s);
    *item = s.item;
    return s.found;
}

static void
show(struct fix *f)
{
    struct hints_item item;
    struct buf b = buf_in(f->arena, 0);
    if (!find(f, &item)) {
        fprintf(f->out, "record %s not found\n", f->key);
        f->key[0] = '\0';
        return;
    }
    if (!hints_text_fields(&b, &item, f->utc))
        hints_text_dump(&b, &item, f->utc);
    fprintf(f->out, "%.*s", STR_ARG(buf_str(&b)));
}

/* --- fields --- */

/* Pairs of digits: year, month, day, hour, minute; colons do not count. */
static bool
read_time(struct str text, int64_t *out)
{
    int v[5] = {0};
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':')
            continue;
        if (!ascii_digit(text.p[i]) || digits == 10)
            return false;
        v[digits / 2] = v[digits / 2] * 10 + (text.p[i] - '0');
        digits++;
    }
    struct tm tm = {.tm_year = v[0] < 70 ? v[0] + 100 : v[0],
                    .tm_mon = v[1] - 1,
                    .tm_mday = v[2],
                    .tm_hour = v[3],
                    .tm_min = v[4],
                    .tm_isdst = -1};
    if (digits != 10 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 ||
        v[4] > 59)
        return false;
    time_t t = mktime(&tm);
    *out = (int64_t)t;
    return t != (time_t)-1;
}

static bool
read_number(struct str text, int64_t *out)
{
    return num_parse_int(text, out) == NUM_OK && *out >= INT32_MIN && *out <= INT32_MAX;
}

/* NULL: done. Else what is wrong. */
static const char *
set_field(struct retry_record *r, char field, struct str value)
{
    int64_t *const times[] = {&r->first_failed, &r->last_try, &r->next_try};
    switch (field) {
    case '0':
        return read_number(value, &r->number) ? NULL : "bad number";
    case '1':
        return read_number(value, &r->detail) ? NULL : "bad number";
    case '2':
    case '3':
    case '4':
        return read_time(value, times[field - '2']) ? NULL : "not a time: yymmddhhmm is wanted";
    case '5':
        if (!str_ieqz(value, "yes") && !str_ieqz(value, "no"))
            return "yes or no expected";
        r->expired = str_ieqz(value, "yes");
        return NULL;
    default:
        return "unknown field number";
    }
}

static const char *
change(struct fix *f, char field, struct str value)
{
    struct hints_item item;
    struct retry_record r;
    if (f->kind != HINTS_RETRY)
        return "only retry records have fields that can be changed";
    if (!find(f, &item))
        return "not found";
    if (item.version != RETRY_RECORD_VERSION || !retry_record_read(item.value, &r))
        return "the record cannot be read: it can be deleted";
    const char *fault = set_field(&r, field, value);
    if (fault != NULL)
        return fault;
    if (r.first_failed > r.last_try)
        return "the first failure would be later than the last try";
    return hints_put(f->hints, f->kind, item.key, RETRY_RECORD_VERSION,
                     retry_record_make(f->arena, &r))
               ? NULL
               : "the record could not be written";
}

/* --- lines --- */

static bool
is_field(const char *line)
{
    return ascii_digit(line[0]) && line[1] == ' ';
}

static void
obey(struct fix *f, const char *line)
{
    bool deletes = strcmp(line, "d") == 0;
    const char *fault = NULL;
    if (!deletes && !is_field(line)) {
        snprintf(f->key, sizeof f->key, "%s", line);
        show(f);
        return;
    }
    if (f->key[0] == '\0')
        fault = "name a record first";
    else if (!deletes)
        fault = change(f, line[0], str_trim(str_from_cstr(line + 1)));
    else
        fault =
            hints_delete(f->hints, f->kind, str_from_cstr(f->key)) ? "deleted" : "not found";
    if (fault != NULL)
        fprintf(f->out, "%s\n", fault);
    else
        show(f);
}

/* True: there is one. Without its end; longer ones are dropped whole. */
static bool
next_line(FILE *in, FILE *out, char *line)
{
    for (bool whole = true;;) {
        if (fgets(line, ROOM, in) == NULL) {
            if (!whole)
                fprintf(out, "line too long\n");
            return false;
        }
        size_t n = strlen(line);
        bool ends = (n > 0 && line[n - 1] == '\n') || feof(in);
        if (whole && ends) {
            line[strcspn(line, "\r\n")] = '\0';
            return true;
        }
        if (ends)
            fprintf(out, "line too long\n> ");
        whole = ends;
    }
}

void
hints_fix(struct hints *h, enum hints_kind kind, bool utc, FILE *in, FILE *out)
{
    struct fix f = {.hints = h, .kind = kind, .utc = utc, .out = out, .key = ""};
    char line[ROOM];
    for (;;) {
        fprintf(out, "> ");
        fflush(out);
        if (!next_line(in, out, line))
            break;
        f.arena = arena_new();
        if (line[0] != '\0')
            obey(&f, line);
        arena_free(f.arena);
    }
    fprintf(out, "\n");
}
