/* Limits of mailboxes; see append_quota.h. */
#include "transports/append_quota.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "mail/header.h"
#include "sys/regex.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS_DEEP_MAX = 64 };

/* --- the options --- */

/* Digits, perhaps a point and decimals, perhaps K, M, G or T. */
static bool
read_number(struct str s, size_t *at, int64_t *out)
{
    static const char units[] = "KMGT";
    int64_t whole = 0, fraction = 0, scale = 1, unit = 1;
    size_t i = *at;
    for (; i < s.n && ascii_digit(s.p[i]); i++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, s.p[i] - '0', &whole))
            return false;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && ascii_digit(s.p[i]); i++)
            if (scale < 1000000) {
                fraction = fraction * 10 + (s.p[i] - '0');
                scale *= 10;
            }
    const char *u = i < s.n && s.p[i] != '\0' ? strchr(units, ascii_upper(s.p[i])) : NULL;
    if (u != NULL) {
        unit = (int64_t)1 << (10 * (u - units + 1));
        i++;
    }
    *at = i;
    return !__builtin_mul_overflow(whole, unit, out) &&
           !__builtin_add_overflow(
               *out, fraction * (unit / scale) + fraction * (unit % scale) / scale, out);
}

bool
append_quota_read(struct str text, int64_t *value, bool *no_check, bool *percent)
{
    struct str s = str_trim(text);
    size_t at = 0;
    *no_check = false;
    if (percent != NULL)
        *percent = false;
    bool negative = s.n > 0 && s.p[0] == '-';
    at += negative;
    if (!read_number(s, &at, value))
        return false;
    if (negative)
        *value = 0;
    if (percent != NULL && at < s.n && s.p[at] == '%') {
        *percent = true;
        at++;
    }
    struct str rest = str_trim(str_sub(s, at, s.n));
    if (rest.n == 0)
        return true;
    *no_check = str_eqz(rest, "/no_check");
    return *no_check;
}

static bool
setup_fault(struct why *why, struct str log)
{
    *why = (struct why){.outcome = OUT_ERROR, .sys_errno = WHY_UNKNOWN, .log = log};
    return false;
}

/* Expands one option and reads it; an unset one leaves all as it is. */
static bool
expand_number(struct transport_job *job, const struct xstr *x, int64_t *value, bool *no_check,
              bool *percent, struct why *why)
{
    struct str text;
    bool unused;
    if (!str_is_set(x->text))
        return true;
    if (vm_expand_x(job->vm, x, &text) != VM_OK) {
        struct str error = vm_error(job->vm);
        return setup_fault(
            why, str_printf(job->arena, "Expansion of \"%.*s\" in %.*s transport failed: %.*s",
                            STR_ARG(x->text), STR_ARG(job->transport->name), STR_ARG(error)));
    }
    if (append_quota_read(text, value, no_check != NULL ? no_check : &unused, percent))
        return true;
    return setup_fault(why, str_printf(job->arena,
                                       "Malformed value \"%.*s\" (expansion of \"%.*s\") in "
                                       "%.*s transport",
                                       STR_ARG(text), STR_ARG(x->text),
                                       STR_ARG(job->transport->name)));
}

const struct record_row append_quota_rows[APPEND_QUOTA_ROWS] = {
    RECORD_NUMBER(struct append_quota, limit, 0, INT64_MAX),
    RECORD_NUMBER(struct append_quota, limit_files, 0, INT64_MAX),
    RECORD_NUMBER(struct append_quota, warn, 0, INT64_MAX),
    RECORD_NUMBER(struct append_quota, known_size, -1, INT64_MAX),
    RECORD_NUMBER(struct append_quota, known_files, -1, INT64_MAX),
    RECORD_NUMBER(struct append_quota, no_check, 0, 1),
    RECORD_NUMBER(struct append_quota, no_check_files, 0, 1),
};

bool
append_quota_prepare(struct transport_job *job, struct why *why)
{
    const struct transport_appendfile *o = job->transport->own.fields;
    struct append_quota *q = ARENA_NEW(job->arena, struct append_quota);
    bool percent = false;
    q->known_size = q->known_files = -1;
    if (!expand_number(job, &o->quota, &q->limit, &q->no_check, NULL, why) ||
        !expand_number(job, &o->quota_filecount, &q->limit_files, &q->no_check_files, NULL,
                       why) ||
        !expand_number(job, &o->quota_warn_threshold, &q->warn, NULL, &percent, why) ||
        !expand_number(job, &o->mailbox_size, &q->known_size, NULL, NULL, why) ||
        !expand_number(job, &o->mailbox_filecount, &q->known_files, NULL, NULL, why))
        return false;
    if (percent && q->limit <= 0)
        q->warn = 0;
    else if (percent && q->warn > 100)
        return setup_fault(why,
                           str_printf(job->arena,
                                      "Invalid quota_warn_threshold percentage (%d) for %.*s "
                                      "transport",
                                      (int)q->warn, STR_ARG(job->transport->name)));
    else if (percent)
        q->warn = q->limit / 100 * q->warn + q->limit % 100 * q->warn / 100;
    job->prepared = q;
    return true;
}

bool
append_quota_counts(const struct append_quota *q)
{
    return q->limit > 0 || q->limit_files > 0 || q->warn > 0;
}

/* --- what a mailbox holds --- */

bool
append_quota_regex(struct append *d, struct str pattern, const struct regex **out)
{
    struct str error;
    size_t at;
    *out = regex_compile(d->arena, pattern, 0, &error, &at);
    if (*out != NULL)
        return true;
    return append_broken(d,
                         "appendfile: regular expression error: %.*s at offset %ld while "
                         "compiling %.*s",
                         STR_ARG(error), (long)at, STR_ARG(pattern));
}

bool
append_quota_compile(struct append *d)
{
    struct append_quota *q = d->quota;
    q->ctx = regex_ctx_new(d->arena);
    return !str_is_set(d->opt->quota_size_regex) ||
           append_quota_regex(d, d->opt->quota_size_regex, &q->size_pattern);
}

int64_t
append_quota_file_size(const struct append_quota *q, int dir, const char *name)
{
    struct str caps[2];
    struct stat st;
    if (q->size_pattern != NULL &&
        regex_match(q->size_pattern, q->ctx, str_from_cstr(name), caps, 2) == 2) {
        size_t at = 0;
        int64_t size;
        if (caps[1].n > 0 && read_number(caps[1], &at, &size) && at == caps[1].n)
            return size;
    }
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return 0;
    return st.st_size / (st.st_nlink > 1 ? (int64_t)st.st_nlink : 1);
}

static bool
is_folder(int dir, const struct dirent *e)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void
measure(const struct append_quota *q, int at, const char *name, int depth, int64_t *size,
        int64_t *files)
{
    int fd =
        openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 0 ? O_NOFOLLOW : 0));
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (*files)++;
        if (!is_folder(fd, e))
            *size += append_quota_file_size(q, fd, e->d_name);
        else if (depth < FOLDERS_DEEP_MAX)
            measure(q, fd, e->d_name, depth + 1, size, files);
    }
    closedir(dir);
}

void
append_quota_measure(const struct append_quota *q, const char *folder, int64_t *size,
                     int64_t *files)
{
    measure(q, AT_FDCWD, folder, 0, size, files);
}

/* --- the verdict --- */

static bool
full(struct append *d, const char *which, const char *name, int64_t unread_s)
{
    d->answer->detail = unread_s;
    d->answer->why.peer = STR_LIT("mailbox is full");
    return append_defer(d, WHY_QUOTA,
                        "mailbox is full (MTA-imposed%s quota exceeded while writing to %s)",
                        which, name);
}

bool
append_quota_fits(struct append *d, const char *name, int64_t unread_s)
{
    const struct append_quota *q = d->quota;
    bool sized = d->job->message->size > 0; /* it may not be known yet */
    int64_t message = d->opt->quota_is_inclusive && sized ? d->job->message->size : 0;
    int64_t one = d->opt->quota_is_inclusive ? 1 : 0;
    if (q->limit_files > 0 && !q->no_check_files && q->files + one > q->limit_files)
        return full(d, " filecount", name, unread_s);
    if (q->limit > 0 && !q->no_check && q->size + message > q->limit)
        return full(d, "", name, unread_s);
    return true;
}

/* --- the warning --- */

/* The recipients: what the To: line of the text says. */
static struct str
warning_recipients(struct append *d, struct str text)
{
    struct header_list *l = ARENA_NEW(d->arena, struct header_list);
    struct str to = STR_EMPTY;
    header_list_read(d->arena, l, text);
    header_list_text(d->arena, l, STR_LIT("to"), HEADER_VIEW_RAW, NULL, 0, &to);
    return str_trim(header_unfold(d->arena, to));
}

static bool
has_header(struct append *d, struct str text, const char *name)
{
    struct header_list *l = ARENA_NEW(d->arena, struct header_list);
    header_list_read(d->arena, l, text);
    for (size_t i = 0; i < l->n; i++)
        if (str_ieqz(header_name(&l->v[i]), name)) /* white space may stand before the colon */
            return true;
    return false;
}

bool
append_quota_warn(struct append *d)
{
    const struct append_quota *q = d->quota;
    const struct conf_main *main = d->job->eval->conf->main;
    struct str text, from;
    if (q->warn <= 0 || q->size > q->warn || q->size + d->written <= q->warn)
        return true;
    if (!append_expand(d, &d->opt->quota_warn_message, "quota_warn_message", &text))
        return false;
    struct buf out = buf_in(d->arena, 0);
    if (!has_header(d, text, "Reply-To") && str_is_set(main->errors_reply_to))
        buf_printf(&out, "Reply-To: %.*s\n", STR_ARG(main->errors_reply_to));
    buf_addz(&out, "Auto-Submitted: auto-replied\n");
    if (!has_header(d, text, "From") &&
        vm_expand_x(d->job->vm, &main->dsn_from, &from) == VM_OK)
        buf_printf(&out, "From: %.*s\n", STR_ARG(from));
    buf_adds(&out, text);
    d->answer->warning = buf_str(&out);
    d->answer->warning_to = warning_recipients(d, text);
    return true;
}
