/* The child of local_scan: what the function sees and may call; see local_scan.h for who writes one.
 *
 * Everything lives in one arena that ends with the process. Texts of the message become C strings: header lines and addresses
 * hold no NUL.
 */
#include "engine/receive_scan.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "sys/await.h"
#include "sys/charset.h"
#include "sys/file.h"
#include "sys/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert((int)LOCAL_SCAN_PLUGIN_ABI == (int)PLUGIN_ABI &&
                   (int)LOCAL_SCAN_PLUGIN_KIND == (int)PLUGIN_KIND_OTHER,
               "a plugin as the loader knows them");

static struct receiving *
of(const struct local_scan_env *env)
{
    return env->ctx;
}

static uschar *
text_of(const struct receiving *r, struct str s)
{
    return str_is_set(s) ? (uschar *)str_cstr(r->a, s) : NULL;
}

static struct str
str_of(const uschar *s)
{
    return str_from_cstr((const char *)s);
}

__attribute__((format(printf, 2, 0))) static struct str
format_in(struct arena *a, const char *format, va_list ap)
{
    struct buf b = buf_in(a, 0);
    buf_vprintf(&b, format, ap);
    return b.n > 0 ? buf_str(&b) : STR_EMPTY;
}

/* --- memory and strings --- */

static void *
get(struct local_scan_env *env, int n)
{
    return arena_zalloc(of(env)->a, n < 0 ? 0 : (size_t)n, 1);
}

static uschar *
copy(struct local_scan_env *env, const uschar *s, int n)
{
    struct str text = str_of(s);
    return (uschar *)str_cstr(of(env)->a, n < 0 ? text : str_sub(text, 0, (size_t)n));
}

__attribute__((format(printf, 2, 0))) static uschar *
format(struct local_scan_env *env, const char *text, va_list ap)
{
    struct arena *a = of(env)->a;
    return (uschar *)str_cstr(a, format_in(a, text, ap));
}

static uschar *
b64encode(struct local_scan_env *env, uschar *text, int n)
{
    struct arena *a = of(env)->a;
    return (uschar *)str_cstr(a, base64_encode(a, str_from((char *)text, (size_t)n)));
}

static int
b64decode(struct local_scan_env *env, uschar *text, uschar **clear)
{
    struct arena *a = of(env)->a;
    struct str out;
    size_t at;
    if (!base64_decode(a, str_of(text), &out, &at))
        return -1;
    char *p = arena_zalloc(a, out.n + (size_t)1, 1);
    if (out.n > 0)
        memcpy(p, out.p, out.n);
    *clear = (uschar *)p;
    return (int)out.n;
}

static uschar *
expand(struct local_scan_env *env, uschar *text)
{
    struct receiving *r = of(env);
    struct str out;
    if (vm_expand(r->e->vm, str_of(text), &out) == VM_OK)
        return (uschar *)str_cstr(r->a, out);
    env->expand_string_message = (uschar *)str_cstr(r->a, vm_error(r->e->vm));
    return NULL;
}

static uschar *
decode(struct local_scan_env *env, uschar *text, BOOL check, uschar *target, int zero, int *n,
       uschar **error)
{
    struct arena *a = of(env)->a;
    struct charset_target to = charset_target(target != NULL ? str_of(target) : STR_EMPTY);
    struct str why = STR_NULL;
    struct str out = rfc2047_decode(a, str_of(text), target != NULL ? &to : NULL,
                                    check ? 0u : (unsigned)RFC2047_ANY_LENGTH, &why);
    char *p = arena_zalloc(a, out.n + (size_t)1, 1);
    for (uint32_t i = 0; i < out.n; i++)
        p[i] = out.p[i] == '\0' ? (char)zero : out.p[i];
    if (n != NULL)
        *n = (int)out.n;
    if (error != NULL)
        *error = text_of(of(env), why);
    return (uschar *)p;
}

/* --- header lines --- */

static BOOL
test_header(struct local_scan_env *env, header_line *h, uschar *name, int n, BOOL visible)
{
    (void)env;
    struct str text = str_from((char *)h->text, (size_t)h->slen);
    struct str wanted = str_from((char *)name, (size_t)n);
    if (visible && h->type == HEADER_TYPE_DELETED)
        return 0;
    size_t own = header_name_length(text);
    return own == wanted.n && str_ieq(str_sub(text, 0, own), wanted);
}

static BOOL
has_name(struct local_scan_env *env, header_line *h, uschar *name, BOOL visible)
{
    return test_header(env, h, name, (int)strlen((char *)name), visible);
}

static header_line *
new_line(struct receiving *r, int type, struct str text)
{
    header_line *h = ARENA_NEW(r->a, header_line);
    h->type = type;
    h->slen = (int)text.n;
    h->text = (uschar *)str_cstr(r->a, text);
    return h;
}

static void
put_behind(struct local_scan_env *env, header_line *before, header_line *h)
{
    header_line **link = before != NULL ? &before->next : &env->header_list;
    h->next = *link;
    *link = h;
    if (h->next == NULL)
        env->header_last = h;
}

/* The line behind which a new one goes; NULL: at the top. */
static header_line *
find_place(struct local_scan_env *env, BOOL after, uschar *name, BOOL topnot)
{
    if (name == NULL)
        return after ? env->header_last : NULL;
    header_line *before = NULL;
    for (header_line *h = env->header_list; h != NULL; before = h, h = h->next) {
        if (!has_name(env, h, name, 1))
            continue;
        if (!after)
            return before;
        while (h->next != NULL && has_name(env, h->next, name, 0))
            h = h->next;
        return h;
    }
    return topnot ? NULL : env->header_last;
}

__attribute__((format(printf, 6, 0))) static void
add_header(struct local_scan_env *env, BOOL after, uschar *name, BOOL topnot, int type,
           const char *text, va_list ap)
{
    struct receiving *r = of(env);
    header_line *h = new_line(r, type, format_in(r->a, text, ap));
    put_behind(env, find_place(env, after, name, topnot), h);
}

static void
remove_header(struct local_scan_env *env, int occurrence, uschar *name)
{
    int seen = 0;
    for (header_line *h = env->header_list; h != NULL; h = h->next) {
        if (!has_name(env, h, name, 1))
            continue;
        seen++;
        if (occurrence <= 0 || seen == occurrence)
            h->type = HEADER_TYPE_DELETED;
    }
}

/* --- recipients --- */

static void
add_recipient(struct local_scan_env *env, uschar *address, int pno)
{
    struct receiving *r = of(env);
    size_t n = env->recipients_count < 0 ? 0 : (size_t)env->recipients_count;
    recipient_item *grown = ARENA_ARRAY(r->a, recipient_item, n + 1);
    if (n > 0)
        memcpy(grown, env->recipients_list, n * sizeof *grown);
    struct str domain = r->e->conf->main->qualify_recipient;
    (void)pno;
    grown[n] = (recipient_item){
        .address = (uschar *)str_cstr(r->a, address_qualify(r->a, str_of(address), domain)),
        .pno = -1};
    env->recipients_list = grown;
    env->recipients_count = (int)n + 1;
}

static BOOL
remove_recipient(struct local_scan_env *env, uschar *address)
{
    for (int i = 0; i < env->recipients_count; i++) {
        recipient_item *one = &env->recipients_list[i];
        if (!str_eq(str_of(one->address), str_of(address)))
            continue;
        env->recipients_count--;
        memmove(one, one + 1, (size_t)(env->recipients_count - i) * sizeof *one);
        return 1;
    }
    return 0;
}

/* --- lists --- */

static int
match(struct local_scan_env *env, int kind, uschar *subject, uschar *name, uschar *list,
      BOOL caseless)
{
    static const int answers[] = {
        [OUT_OK] = 0, [OUT_DEFER] = 1, [OUT_FAIL] = 2, [OUT_ERROR] = 3};
    struct receiving *r = of(env);
    struct list_answer answer;
    struct list_question q = {
        .kind = kind == 'd'   ? LIST_DOMAIN
                : kind == 'l' ? LIST_LOCALPART
                : kind == 'a' ? LIST_ADDRESS
                              : LIST_HOST,
        .subject = subject != NULL ? str_of(subject) : STR_EMPTY,
        .host_name = name != NULL ? str_of(name) : STR_NULL,
        .list = str_of(list),
        .caseful = !caseless,
    };
    enum outcome o = list_match(r->e->eval, r->e->vm, &q, &answer);
    return o == OUT_OK || o == OUT_DEFER || o == OUT_FAIL ? answers[o] : 3;
}

/* --- logs, debugging, the client --- */

__attribute__((format(printf, 3, 0))) static void
log_line(struct local_scan_env *env, int which, const char *text, va_list ap)
{
    struct receiving *r = of(env);
    _Static_assert(MAILLOG_MAIN == 1 && MAILLOG_REJECT == 2 && MAILLOG_PANIC == 4,
                   "LOG_MAIN and its kind");
    maillog_line(r->e, (unsigned)which & 7u, r->m->id, format_in(r->a, text, ap));
}

__attribute__((format(printf, 2, 0))) static void
debug(struct local_scan_env *env, const char *text, va_list ap)
{
    if (env->debug_selector != 0)
        (void)vfprintf(stderr, text, ap);
}

__attribute__((format(printf, 2, 0))) static void
answer(struct local_scan_env *env, const char *text, va_list ap)
{
    (void)env;
    (void)vfprintf(stdout, text, ap);
}

static int
flush(struct local_scan_env *env)
{
    (void)env;
    return fflush(stdout);
}

/* --- other programs --- */

static _Noreturn void
become_program(uschar **argv, uschar **envp, int mask, const int *ends)
{
    char *none[] = {NULL};
    (void)umask((mode_t)mask);
    if (dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[3], STDOUT_FILENO) < 0 ||
        dup2(ends[3], STDERR_FILENO) < 0)
        _exit(127);
    for (int i = 0; i < 4; i++)
        (void)close(ends[i]);
    (void)execve((char *)argv[0], (char **)argv, envp != NULL ? (char **)envp : none);
    _exit(127);
}

/* ends: read and write end of the pipe to the child, then of the one from it. */
static pid_t
child_open(struct local_scan_env *env, uschar **argv, uschar **envp, int mask, int *in,
           int *out, BOOL leader)
{
    int ends[4];
    (void)env;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(ends + 2, O_CLOEXEC) != 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (leader)
            (void)setpgid(0, 0);
        become_program(argv, envp, mask, ends);
    }
    close(ends[0]);
    close(ends[3]);
    *in = ends[1];
    *out = ends[2];
    if (pid < 0) {
        close(ends[1]);
        close(ends[2]);
    }
    return pid;
}

static int
child_close(struct local_scan_env *env, pid_t pid, int timeout)
{
    int status;
    int64_t deadline = timeout > 0 ? await_now_ms() + (int64_t)timeout * 1000 : 0;
    (void)env;
    for (;;) {
        pid_t got = waitpid(pid, &status, deadline > 0 ? WNOHANG : 0);
        if (got == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        if (got < 0 && errno != EINTR)
            return -257;
        if (deadline > 0 && await_now_ms() > deadline)
            return -256;
        if (got == 0)
            (void)usleep(10000);
    }
}

static pid_t
child_open_exim(struct local_scan_env *env, int *fd, uschar *sender, uschar *authentication)
{
    char path[] = "/proc/self/exe", t[] = "-t", oem[] = "-oem", oi[] = "-oi", f[] = "-f";
    char oMas[] = "-oMas", none[] = "<>";
    char *argv[] = {path, t,    oem, oi, f, sender[0] == '\0' ? none : (char *)sender,
                    NULL, NULL, NULL};
    int out;
    if (authentication != NULL) {
        argv[6] = oMas;
        argv[7] = (char *)authentication;
    }
    pid_t pid = child_open(env, (uschar **)argv, NULL, 077, fd, &out, 0);
    if (pid > 0)
        close(out);
    return pid;
}

/* --- options --- */

static bool
parse_octal(struct str value, int64_t *n)
{
    *n = 0;
    for (uint32_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '7' || *n > INT32_MAX / 8)
            return false;
        *n = *n * 8 + (value.p[i] - '0');
    }
    return value.n > 0;
}

static bool
set_number(const optionlist *o, struct str value)
{
    int64_t n = 0;
    size_t at = 0;
    bool ok;
    if (o->type == opt_time)
        ok = num_parse_interval(value, &n);
    else if (o->type == opt_fixed)
        ok = num_parse_fixed(value, &n) == NUM_OK;
    else if (o->type == opt_octint)
        ok = parse_octal(value, &n);
    else
        ok = num_scan(value, &at, NUM_OCTAL_HEX | NUM_SUFFIX, &n) == NUM_OK && at == value.n;
    if (ok)
        *(int *)o->value = (int)n;
    return ok;
}

/* "name", "no_name", "not_name" or "name = yes". */
static bool
set_bool(const optionlist *o, bool negated, struct str value)
{
    bool yes = value.n == 0 || str_ieqz(value, "true") || str_ieqz(value, "yes");
    bool known = yes || str_ieqz(value, "false") || str_ieqz(value, "no");
    *(BOOL *)o->value = yes != negated;
    return known;
}

static struct str
unquoted(struct str value)
{
    bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    return quoted ? str_sub(value, 1, value.n - 2) : value;
}

static bool
set_option(struct receiving *r, const struct local_scan_entry *e, struct str line)
{
    size_t equals = str_chr(line, '=', 0);
    struct str name = str_trim(str_sub(line, 0, equals));
    struct str value =
        equals == STR_NPOS ? STR_EMPTY : str_trim(str_sub(line, equals + 1, line.n));
    for (int i = 0; i < *e->options_count; i++) {
        const optionlist *o = &e->options[i];
        struct str rest = name;
        bool negated = o->type == opt_bool && !str_eqz(name, o->name) &&
                       (str_starts(name, "no_") || str_starts(name, "not_"));
        if (negated)
            rest = str_sub(name, str_starts(name, "no_") ? 3 : 4, name.n);
        if (!str_eqz(rest, o->name))
            continue;
        if (o->type == opt_bool)
            return set_bool(o, negated, value);
        if (o->type != opt_stringptr)
            return set_number(o, value);
        *(uschar **)o->value = (uschar *)str_cstr(r->a, unquoted(value));
        return true;
    }
    return false;
}

/* The section "begin local_scan". */
static void
set_options(struct receiving *r, const struct local_scan_entry *e)
{
    struct str text = r->e->conf->local_scan_text;
    while (text.n > 0) {
        size_t nl = str_chr(text, '\n', 0);
        struct str line = str_trim(str_sub(text, 0, nl));
        text = nl == STR_NPOS ? STR_EMPTY : str_sub(text, nl + 1, text.n);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (e->options == NULL || e->options_count == NULL || !set_option(r, e, line))
            maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                    "local_scan section: unknown option or bad value: %.*s", STR_ARG(line));
    }
}

/* --- what the function sees --- */

static void
fill_headers(struct receiving *r, struct local_scan_env *env)
{
    const struct header_list *l = r->m->headers;
    for (size_t i = 0; i < l->n; i++)
        put_behind(env, env->header_last, new_line(r, l->v[i].type, l->v[i].text));
}

static void
fill_recipients(struct receiving *r, struct local_scan_env *env)
{
    size_t n = r->m->recipients.n;
    env->recipients_list = ARENA_ARRAY(r->a, recipient_item, n);
    env->recipients_count = (int)n;
    for (size_t i = 0; i < n; i++)
        env->recipients_list[i] =
            (recipient_item){.address = text_of(r, r->m->recipients.v[i].address), .pno = -1};
}

static void
fill_session(struct receiving *r, struct local_scan_env *env)
{
    const struct session *s = r->s;
    env->interface_address = text_of(r, s->interface_address);
    env->interface_port = (int)s->interface_port;
    env->sender_host_address = text_of(r, s->sender_host_address);
    env->sender_host_authenticated = text_of(r, s->sender_host_authenticated);
    env->sender_host_name = text_of(r, s->sender_host_name);
    env->sender_host_port = (int)s->sender_host_port;
    env->smtp_batched_input = r->rq->framing == RECEIVE_BATCH_SMTP;
    env->smtp_input = r->rq->smtp || env->smtp_batched_input;
}

static void
fill(struct receiving *r, struct local_scan_env *env)
{
    *env = (struct local_scan_env){
        .version = LOCAL_SCAN_ENV_VERSION,
        .ctx = r,
        .body_linecount = (int)r->m->body_lines,
        .body_zerocount = (int)r->m->body_zeros,
        .debug_selector = r->e->verbose ? 1u : 0u,
        .headers_charset = text_of(r, r->e->conf->main->headers_charset),
        .message_id = text_of(r, r->m->id),
        .received_protocol = text_of(r, r->m->received_protocol),
        .sender_address = text_of(r, r->m->sender),
        .data_start = (int)r->entry.body_start,
        .child_open = child_open,
        .child_close = child_close,
        .child_open_exim = child_open_exim,
        .debug = debug,
        .expand = expand,
        .add_header = add_header,
        .remove_header = remove_header,
        .test_header = test_header,
        .b64encode = b64encode,
        .b64decode = b64decode,
        .match = match,
        .log = log_line,
        .add_recipient = add_recipient,
        .remove_recipient = remove_recipient,
        .decode = decode,
        .flush = flush,
        .answer = answer,
        .get = get,
        .copy = copy,
        .format = format,
    };
    fill_headers(r, env);
    fill_recipients(r, env);
    fill_session(r, env);
}

/* --- what came of it --- */

static void
add_number(struct buf *b, uint32_t n)
{
    buf_add(b, (const char *)&n, sizeof n);
}

static void
add_text(struct buf *b, const uschar *s)
{
    struct str text = s != NULL ? str_of(s) : STR_EMPTY;
    add_number(b, text.n);
    buf_adds(b, text);
}

static struct str
outcome(struct receiving *r, const struct local_scan_env *env, int code, const uschar *text)
{
    struct buf b = buf_in(r->a, 0);
    uint32_t n = 0;
    add_number(&b, (uint32_t)code);
    add_text(&b, text);
    add_number(&b, env->recipients_count > 0 ? (uint32_t)env->recipients_count : 0);
    for (int i = 0; i < env->recipients_count; i++) {
        add_text(&b, env->recipients_list[i].address);
        add_text(&b, env->recipients_list[i].errors_to);
    }
    for (const header_line *h = env->header_list; h != NULL; h = h->next)
        n++;
    add_number(&b, n);
    for (const header_line *h = env->header_list; h != NULL; h = h->next) {
        add_number(&b, (uint32_t)h->type);
        add_text(&b, h->text);
    }
    return buf_str(&b);
}

int
receive_scan_child(void *ctx, int out)
{
    const struct receive_scan_child *k = ctx;
    struct receiving *r = k->r;
    struct local_scan_env env;
    struct str why;
    uschar *text = NULL;
    const struct plugin *p =
        plugin_load(r->a, k->directory, "local_scan", PLUGIN_KIND_OTHER, &why);
    const struct local_scan_entry *e = p != NULL && p->n > 0 ? p->objects[0] : NULL;
    if (e == NULL || e->version != LOCAL_SCAN_ENV_VERSION) {
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, r->m->id, "local_scan: %.*s",
                STR_ARG(e != NULL ? STR_LIT("made for another version") : why));
        return 1;
    }
    fill(r, &env);
    set_options(r, e);
    int code = e->scan(&env, r->entry.body, &text);
    (void)fflush(stdout);
    struct str result = outcome(r, &env, code, text);
    return file_write_all(out, result.p, result.n) ? 0 : 1;
}
