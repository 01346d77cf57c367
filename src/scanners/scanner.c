/* What drivers of virus scanners share; see scanner.h. */
#include "scanners/scanner.h"

#include "base/arena.h"
#include "filter/vm.h"
#include "sys/await.h"
#include "sys/regex.h"

#include <poll.h>

/* --- which there are --- */

#define SCANNER(object) extern const struct scanner_driver scanner_##object;
#include "scanners/scanners.def"
#undef SCANNER

const struct scanner_driver *const scanner_drivers[] = {
#define SCANNER(object) &scanner_##object,
#include "scanners/scanners.def"
#undef SCANNER
};
const size_t scanner_drivers_n = sizeof scanner_drivers / sizeof scanner_drivers[0];

/* --- a job --- */

struct scan_job
scan_job_start(struct arena *a, struct eval *e, struct vm *vm, int64_t wait_s)
{
    enum { MS = 1000 };
    return (struct scan_job){
        .by = {.arena = a, .eval = e, .vm = vm},
        .message = scan_message_of(e),
        .server = {.deadline_ms = await_now_ms() + wait_s * MS, .address = STR_NULL},
        .name = STR_NULL,
        .why = STR_NULL,
    };
}

bool
scan_setting(struct vm *vm, struct str setting, struct str *out)
{
    *out = str_is_set(setting) ? setting : STR_EMPTY;
    return scan_setting_is_fixed(*out) || vm_expand(vm, setting, out) == VM_OK;
}

bool
scan_setting_is_fixed(struct str setting)
{
    return setting.n == 0 || setting.p[0] != '$';
}

/* --- options --- */

struct str
scan_option(struct scan_job *j, const char *or_else)
{
    struct str item;
    if (strlist_split_next(&j->options, j->by.arena, &item) && item.n > 0)
        return item;
    return str_from_cstr(or_else);
}

bool
scan_take_place(struct scan_job *j, const char *or_else, struct scan_place *out)
{
    struct str where = scan_option(j, or_else);
    if (scan_place_parse(where, out, NULL))
        return true;
    (void)scan_defer(j, "invalid socket '%.*s'", STR_ARG(where));
    return false;
}

/* --- what came of it --- */

/* One line of at most `most` bytes. */
static struct str
clean(struct arena *a, struct str text, size_t most)
{
    struct buf b = buf_in(a, most);
    text = str_sub(str_trim(text), 0, most);
    for (uint32_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        buf_addc(&b, c == '\n' || c == '\r' || c == '\0' ? ' ' : text.p[i]);
    }
    return str_tainted(buf_str(&b));
}

enum scan_end
scan_found(struct scan_job *j, struct str name)
{
    name = clean(j->by.arena, name, SCAN_NAME_MAX);
    j->name = name.n > 0 ? name : STR_LIT("unknown");
    return SCAN_FOUND;
}

struct str
scan_said(const struct scan_job *j, struct str text)
{
    struct str s = clean(j->by.arena, text, SCAN_TEXT_MAX);
    return str_is_set(s) ? s : STR_EMPTY;
}

enum scan_end
scan_defer(struct scan_job *j, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    j->why = str_vprintf(j->by.arena, fmt, ap);
    va_end(ap);
    return SCAN_DEFER;
}

void
scan_note(struct scan_job *j, const char *fmt, ...)
{
    struct scan_note n = {.trouble = false};
    va_list ap;
    va_start(ap, fmt);
    n.text = str_vprintf(j->by.arena, fmt, ap);
    va_end(ap);
    vec_push(j->by.arena, &j->notes, n);
}

struct str
scan_trouble(const struct scan_job *j, struct str why)
{
    return str_printf(j->by.arena, "%s %.*s : %.*s", j->kind, STR_ARG(j->server.address),
                      STR_ARG(why));
}

void
scan_note_trouble(struct scan_job *j, struct str why)
{
    struct scan_note n = {.trouble = true, .text = scan_trouble(j, why)};
    vec_push(j->by.arena, &j->notes, n);
}

void
scan_tell(const struct scan_job *j, const char *condition, enum scan_end end,
          void (*log)(void *ctx, bool panic, struct str line), void *ctx)
{
    struct arena *a = j->by.arena;
    for (size_t i = 0; i < j->notes.n; i++) {
        const struct scan_note *n = &j->notes.v[i];
        log(ctx, n->trouble,
            n->trouble ? str_printf(a, "%s acl condition: %.*s", condition, STR_ARG(n->text))
                       : n->text);
    }
    if (end == SCAN_DEFER && str_is_set(j->why))
        log(ctx, true, str_printf(a, "%s acl condition: %.*s", condition, STR_ARG(j->why)));
}

/* --- patterns --- */

static const struct regex *
take_pattern(struct scan_job *j, const char *what)
{
    struct str text = scan_option(j, ""), error;
    size_t at;
    if (text.n == 0) {
        (void)scan_defer(j, "missing %s specification", what);
        return NULL;
    }
    const struct regex *re = vm_regex(j->by.vm, text, 0, &error, &at);
    if (re == NULL)
        (void)scan_defer(j, "regular expression error in '%.*s': %.*s at offset %zu",
                         STR_ARG(text), STR_ARG(error), at);
    return re;
}

bool
scan_take_patterns(struct scan_job *j, struct scan_patterns *out)
{
    out->trigger = take_pattern(j, "trigger");
    out->name = out->trigger != NULL ? take_pattern(j, "virus name regex") : NULL;
    return out->name != NULL;
}

/* The trigger may be in any line, and the name in another: the last one that has it, as in the reference. */
enum scan_end
scan_judge_output(struct scan_job *j, const struct scan_patterns *p, struct str output)
{
    struct regex_ctx *ctx = regex_ctx_new(j->by.arena);
    struct str caps[2], name = STR_EMPTY;
    bool found = false;
    for (size_t at = 0; at < output.n;) {
        size_t end = str_chr(output, '\n', at);
        end = end == STR_NPOS ? output.n : end;
        struct str line = str_sub(output, at, end - at);
        found = found || regex_match(p->trigger, ctx, line, caps, 1) > 0;
        if (regex_match(p->name, ctx, line, caps, 2) > 1)
            name = caps[1];
        at = end + 1;
    }
    return found ? scan_found(j, name) : SCAN_CLEAN;
}

/* --- what they need --- */

bool
scan_connect(struct scan_job *j, const struct scan_place *to)
{
    return scan_socket_open(&j->by, to, &j->server, &j->why);
}

bool
scan_connect_again(struct scan_job *j, const struct scan_place *to, int64_t pause_ms,
                   int64_t within_ms)
{
    if (scan_connect(j, to))
        return true;
    if (pause_ms <= 0 || pause_ms >= within_ms)
        return false;
    (void)poll(NULL, 0, (int)pause_ms);
    return scan_connect(j, to);
}

bool
scan_connect_local(struct scan_job *j, const char *or_else)
{
    const struct scan_place to = {.path = scan_option(j, or_else)};
    return scan_connect(j, &to);
}

bool
scan_need_file(struct scan_job *j)
{
    return scan_message_file(j->message, &j->why);
}

enum scan_end
scan_ask_about_file(struct scan_job *j, const char *or_else,
                    enum scan_end (*ask)(struct scan_job *j))
{
    struct scan_place to;
    if (!scan_take_place(j, or_else, &to) || !scan_need_file(j) || !scan_connect(j, &to))
        return SCAN_DEFER;
    enum scan_end end = ask(j);
    scan_socket_close(&j->server);
    return end;
}
