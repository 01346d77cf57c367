/* The system as the language machine sees it; see host_sys.h. */
#include "proc/host_sys.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/eval.h"
#include "proc/host_extern.h"
#include "proc/notice.h"
#include "sys/environ.h"
#include "sys/file.h"
#include "sys/run.h"
#include "sys/sock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
tell_panic(void *env, struct vm *vm, const char *what, struct str name)
{
    host_sys_log(env, true, str_printf(vm_scratch(vm), "%s '%.*s'", what, STR_ARG(name)));
}

/* --- ${run} --- */

/* Expands one word of the command; a word of an expanded command is taken as it is. */
static enum vm_status
expand_word(struct vm *vm, const struct host_run *q, struct str word, struct str *out)
{
    *out = word;
    if (q->preexpanded)
        return VM_OK;
    enum vm_status st = vm_expand(vm, word, out);
    if (st == VM_OK || st == VM_DEFER)
        return st;
    struct str why = str_dup(vm_scratch(vm), vm_error(vm));
    return vm_fail(
        vm, "Expansion of \"%.*s\" from command \"%.*s\" in ${run} expansion failed: %.*s",
        STR_ARG(word), STR_ARG(q->command), STR_ARG(why));
}

/* The argument vector. VM_NO: there is no command, or a word holds a NUL. */
static enum vm_status
make_vector(void *env, struct vm *vm, const struct host_run *q, char ***argv)
{
    struct arena *a = vm_scratch(vm);
    struct str *words = ARENA_ARRAY(a, struct str, RUN_WORDS_MAX), error;
    int n = run_split(a, q->command, words, RUN_WORDS_MAX, &error);
    if (n < 0)
        return vm_fail(vm, "%.*s", STR_ARG(error));
    char **v = ARENA_ARRAY(a, char *, (size_t)n + 1);
    for (int i = 0; i < n; i++) {
        struct str word;
        enum vm_status st = expand_word(vm, q, words[i], &word);
        if (st != VM_OK)
            return st;
        if (str_is_tainted(word) && (i == 0 || q->preexpanded)) {
            tell_panic(env, vm,
                       i == 0 ? "Attempt to exec tainted path:" : "Tainted argument:", word);
            return vm_fail(vm, "couldn't create child process: %s", strerror(EPERM));
        }
        v[i] = str_cstr(a, word);
        if (v[i] == NULL)
            return VM_NO;
    }
    *argv = v;
    return n > 0 ? VM_OK : VM_NO;
}

static enum vm_status
judge_run(struct vm *vm, const struct run_result *r)
{
    switch (r->end) {
    case RUN_EXITED:
        vm_set_runrc(vm, r->status);
        return r->status == 0 ? VM_OK : VM_NO;
    case RUN_SIGNALLED:
        vm_set_runrc(vm, -r->status);
        return vm_fail(vm, "command killed by signal %d", r->status);
    case RUN_TIMED_OUT:
        vm_set_runrc(vm, -256);
        return vm_fail(vm, "command timed out");
    case RUN_TOO_MUCH:
        vm_set_runrc(vm, -257);
        return vm_fail(vm, "the command wrote more than %d bytes", HOST_RUN_OUTPUT_MAX);
    case RUN_NO_WAIT:
        vm_set_runrc(vm, -257);
        return vm_fail(vm, "wait() failed: %s", strerror(errno));
    case RUN_NO_PIPE:
    case RUN_NO_FORK:
        break;
    }
    return vm_fail(vm, "couldn't create child process: %s", strerror(errno));
}

enum vm_status
host_sys_run(void *env, struct vm *vm, const struct host_run *q, struct str *out)
{
    char **argv = NULL;
    *out = STR_EMPTY;
    enum vm_status st = make_vector(env, vm, q, &argv);
    if (st == VM_NO)
        vm_set_runrc(vm, 127);
    if (st != VM_OK)
        return st;
    struct run_request rq = {.argv = argv,
                             .timeout_ms = HOST_RUN_TIMEOUT_MS,
                             .max_output = HOST_RUN_OUTPUT_MAX,
                             .end_when_cut = true};
    struct run_result r;
    run_program(vm_scratch(vm), &rq, &r);
    if (r.output.p != NULL)
        *out = r.output;
    /* What a command of the configuration prints is the configuration's own, as in Exim. */
    *out = str_untaint_by_rule(*out, "output of a command of the configuration");
    return judge_run(vm, &r);
}

/* --- files --- */

/* Newlines give way to eol, when there is one. */
static struct str
replace_newlines(struct vm *vm, struct str text, struct str eol)
{
    if (!str_is_set(eol))
        return text;
    struct buf b = buf_in(vm_scratch(vm), 0);
    for (size_t at = 0; at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        size_t end = nl == STR_NPOS ? text.n : nl;
        buf_adds(&b, str_sub(text, at, end - at));
        if (nl == STR_NPOS)
            break;
        buf_adds(&b, eol);
        at = nl + 1;
    }
    struct str s = buf_str(&b);
    s.taint = str_taint_join(text.taint, eol.taint);
    return s.p != NULL ? s : STR_EMPTY;
}

static enum vm_status
refuse_open(struct vm *vm, struct str path, int error)
{
    if (error == EACCES)
        return vm_fail(vm, "failed to open %.*s: %s (euid=%ld egid=%ld)", STR_ARG(path),
                       strerror(error), (long)geteuid(), (long)getegid());
    return vm_fail(vm, "failed to open %.*s: %s", STR_ARG(path), strerror(error));
}

enum vm_status
host_sys_readfile(void *env, struct vm *vm, struct str path, struct str eol, struct str *out)
{
    const char *z = str_cstr(vm_scratch(vm), path);
    if (str_is_tainted(path) && path.n > 0) {
        tell_panic(env, vm, "Tainted filename", path);
        return refuse_open(vm, path, EACCES);
    }
    if (z == NULL)
        return refuse_open(vm, path, ENOENT);
    struct str text = STR_EMPTY;
    switch (file_read(vm_scratch(vm), z, HOST_READFILE_MAX, &text)) {
    case FILE_NO_OPEN:
        return refuse_open(vm, path, errno);
    case FILE_TOO_BIG:
        return vm_fail(vm, "%.*s is larger than %d bytes", STR_ARG(path), HOST_READFILE_MAX);
    case FILE_NO_READ: /* a directory: nothing, as in Exim */
        text = STR_EMPTY;
        break;
    case FILE_OK:
        break;
    }
    *out = replace_newlines(vm, text, eol);
    return VM_OK;
}

enum vm_status
host_sys_exists(void *env, struct vm *vm, struct str path)
{
    (void)env;
    struct stat st;
    const char *z = str_cstr(vm_scratch(vm), path);
    return z != NULL && stat(z, &st) == 0 ? VM_OK : VM_NO;
}

enum vm_status
host_sys_stat(void *env, struct vm *vm, struct str path, struct str *out)
{
    (void)env;
    const char *z = str_cstr(vm_scratch(vm), path);
    errno = ENOENT;
    if (z != NULL && file_stat_text(vm_scratch(vm), z, out))
        return VM_OK;
    return vm_fail(vm, "stat(%.*s) failed: %s", STR_ARG(path), strerror(errno));
}

/* --- sockets --- */

struct socket_options {
    int timeout_ms;
    bool shut_down;
    bool tls;
    struct str sni;
};

static bool
take_option(struct str item, bool first, struct socket_options *o)
{
    int64_t seconds;
    if (first) {
        if (num_parse_interval(item, &seconds) && seconds < 0x7fffffff / 1000)
            o->timeout_ms = (int)seconds * 1000;
        return true;
    }
    if (str_starts(item, "shutdown="))
        o->shut_down = !str_ieqz(str_sub(item, 9, item.n), "no");
    else if (str_starts(item, "tls="))
        o->tls = !str_ieqz(str_sub(item, 4, item.n), "no");
    else if (str_starts(item, "sni="))
        o->sni = str_sub(item, 4, item.n);
    return true;
}

/* The first item is the timeout, further ones are name=value; unknown ones are passed over, as in Exim. */
static struct socket_options
read_options(struct str text)
{
    struct socket_options o = {.timeout_ms = HOST_SOCKET_TIMEOUT_MS, .shut_down = true};
    bool first = true;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        for (end = at; end < text.n && text.p[end] != ':' && text.p[end] != ',';)
            end++;
        take_option(str_trim(str_sub(text, at, end - at)), first, &o);
        first = false;
    }
    return o;
}

static const struct tls_client *
tls_client(void *env, struct vm *vm)
{
    struct str why = STR_NULL;
    const struct plugin *p = host_extern_plugin(env, vm, "tls", &why);
    if (p == NULL || p->n < 2) {
        vm_fail(vm, "TLS is not available: %.*s", STR_ARG(why));
        return NULL;
    }
    return p->objects[1];
}

enum vm_status
host_sys_readsocket(void *env, struct vm *vm, const struct host_socket *q, struct str *out)
{
    struct socket_options o = read_options(q->options);
    if (str_is_tainted(q->where)) {
        tell_panic(env, vm, "Tainted filename for search:", q->where);
        vm_fail(vm, "Tainted filename for search: '%.*s'", STR_ARG(q->where));
        return VM_NO;
    }
    const struct tls_client *tls = o.tls ? tls_client(env, vm) : NULL;
    if (o.tls && tls == NULL)
        return VM_NO;
    struct sock_request rq = {.where = q->where,
                              .text = q->request,
                              .timeout_ms = o.timeout_ms,
                              .shut_down = o.shut_down,
                              .max_answer = HOST_SOCKET_MAX,
                              .tls = tls,
                              .sni = o.sni};
    struct str answer = STR_EMPTY, error = STR_EMPTY;
    if (!sock_ask(vm_scratch(vm), &rq, &answer, &error)) {
        vm_fail(vm, "%.*s", STR_ARG(error));
        return VM_NO;
    }
    *out = replace_newlines(vm, answer, q->eol);
    return VM_OK;
}

/* --- environment --- */

enum vm_status
host_sys_getenv(void *env, struct vm *vm, struct str name, struct str *out)
{
    (void)env;
    *out = environ_get(vm_scratch(vm), name);
    return str_is_set(*out) ? VM_OK : VM_NO;
}

void
host_sys_log(void *env, bool panic, struct str text)
{
    const struct eval *e = env;
    if (e->log != NULL) {
        e->log(e->log_ctx, panic, text);
        return;
    }
    struct arena *a = arena_new();
    text = str_trim(text);
    if (panic)
        notice_panic(a, e->conf, text);
    else
        notice_main(text);
    arena_free(a);
}
