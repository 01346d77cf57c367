/* libclamav in the inspect process: a job is one message, as a descriptor.
 *
 * The setup is what av_scanner has behind the name: the folder of the signatures and limits, in any order, each of them optional.
 * docs/daemon.md has them as a table.
 */
#include "proc/inspect_library.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "mail/plain_mail.h"
#include "sys/clamav_plugin.h"
#include "sys/file.h"
#include "sys/jail.h"

#include <stddef.h>
#include <unistd.h>

enum { WORKERS = 4, JOBS = 1000, WORKERS_MAX = 64, PLAIN_MAX = 256 * 1024 };

#define MIB (1024ull * 1024)

struct setup {
    struct clamav_setup library;
    int64_t workers, jobs;
};

enum value_kind { VALUE_SIZE, VALUE_COUNT, VALUE_TIME, VALUE_FLAG };

#define FIELD(f) offsetof(struct setup, f)
static const struct {
    const char *name;
    enum value_kind kind;
    size_t field;
    int64_t least, most;
} values[] = {
    {"max_scansize=", VALUE_SIZE, FIELD(library.max_scansize), 1024, INT64_C(4) << 30},
    {"max_filesize=", VALUE_SIZE, FIELD(library.max_filesize), 1024, INT64_C(2) << 30},
    {"max_files=", VALUE_COUNT, FIELD(library.max_files), 1, 1000000},
    {"max_recursion=", VALUE_COUNT, FIELD(library.max_recursion), 1, 100},
    {"max_scantime=", VALUE_TIME, FIELD(library.max_scantime_ms), 1, 3600},
    {"alert_exceeds_max", VALUE_FLAG, FIELD(library.alert_exceeds_max), 1, 1},
    {"workers=", VALUE_COUNT, FIELD(workers), 1, WORKERS_MAX},
    {"jobs=", VALUE_COUNT, FIELD(jobs), 1, 1000000},
};
#undef FIELD

/* --- the setup --- */

static bool
parse_value(enum value_kind kind, struct str text, int64_t *out)
{
    uint64_t n;
    switch (kind) {
    case VALUE_SIZE:
        return num_parse_int(text, out) == NUM_OK;
    case VALUE_COUNT:
        if (!num_parse_digits(text, &n) || n > INT64_MAX)
            return false;
        *out = (int64_t)n;
        return true;
    case VALUE_TIME:
        return num_parse_interval(text, out);
    case VALUE_FLAG:
        *out = 1;
        return text.n == 0;
    }
    return false;
}

static bool
take_value(struct setup *s, struct str item)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int64_t *to = (int64_t *)(void *)((char *)s + values[i].field);
        struct str name = str_from_cstr(values[i].name);
        if (!str_starts(item, values[i].name))
            continue;
        if (!parse_value(values[i].kind, str_sub(item, name.n, item.n), to) ||
            *to < values[i].least || *to > values[i].most)
            return false;
        *to *= values[i].kind == VALUE_TIME ? 1000 : 1;
        return true;
    }
    return false;
}

static bool
parse(struct inspect_loaded *l, struct str text, struct setup *s)
{
    struct strlist_split split = strlist_split_start(text, ':');
    struct str item;
    *s = (struct setup){.library = {CLAMAV_DIRECTORY, l->scratch, -1, -1, -1, -1, -1, 0},
                        .workers = WORKERS,
                        .jobs = JOBS};
    while (strlist_split_next(&split, l->arena, &item)) {
        if (item.n == 0)
            continue;
        if (item.p[0] == '/') {
            s->library.directory = str_cstr(l->arena, item);
        } else if (!take_value(s, item)) {
            l->why = str_printf(l->arena, "\"%.*s\" is no setting of libclamav", STR_ARG(item));
            return false;
        }
    }
    return s->library.directory != NULL;
}

/* --- loading --- */

static bool
shut_in(const struct setup *s)
{
    const struct jail_path paths[] = {
        {s->library.directory, JAIL_READ},
        {"/dev/urandom", JAIL_READ},
        {s->library.scratch, JAIL_READ | JAIL_WRITE},
    };
    size_t n = sizeof paths / sizeof paths[0] - (s->library.scratch == NULL);
    return jail_files(paths, n) || jail_is_unable();
}

static bool
load(struct inspect_loaded *l, struct str text)
{
    struct setup s;
    char why[CLAMAV_TEXT] = "";
    if (!parse(l, text, &s) || !inspect_library_plugin(l, &inspect_library_clamav) ||
        !shut_in(&s))
        return false;
    const struct clamav_plugin *p = l->plugin;
    l->workers = (unsigned)s.workers;
    l->jobs = (unsigned)s.jobs;
    l->state = p->load(&s.library, &l->amount, why);
    if (l->state == NULL)
        l->why = str_dup(l->arena, str_from_cstr(why));
    return l->state != NULL;
}

static bool
changed(const struct inspect_loaded *l)
{
    const struct clamav_plugin *p = l->plugin;
    return p->changed(l->state);
}

/* --- a job --- */

/* A message that is not long and nothing but text needs no file to be looked through; any other may. */
static enum inspect_scan
scan(const struct inspect_loaded *l, int fd, char text[CLAMAV_TEXT])
{
    const struct clamav_plugin *p = l->plugin;
    struct str mail;
    struct arena *a = arena_new();
    size_t body = STR_NPOS;
    enum inspect_scan r;
    if (file_read_whole(a, fd, PLAIN_MAX, &mail) == FILE_OK)
        body = plain_mail_body(mail);
    if (body != STR_NPOS)
        r = p->scan_plain(l->state, mail.p, mail.n, body, text);
    else
        r = p->scan(l->state, fd, text);
    arena_free(a);
    return r;
}

static void
work(const struct inspect_loaded *l, int socket)
{
    struct ipc_message msg;
    char text[CLAMAV_TEXT];
    if (!inspect_library_hear(socket, &msg))
        return;
    if (msg.type == INSPECT_SCAN) {
        enum inspect_scan r = scan(l, msg.fd, text);
        const struct ipc_field f[] = {{.number = r}, {.text = str_from_cstr(text)}};
        (void)ipc_send(&inspect_protocol, socket, INSPECT_SCAN_RESULT, f, -1);
    }
    if (msg.fd >= 0)
        close(msg.fd);
}

const struct inspect_library_row inspect_library_clamav = {
    .name = "libclamav",
    .plugin = "clamav",
    .process = "inspect-clamav",
    .memory = 8192 * MIB,
    .memory_of_job = 1024 * MIB,
    .load = load,
    .changed = changed,
    .work = work,
};
