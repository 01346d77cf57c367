/* local_scan: a function of the site that sees every message before it is accepted.
 *
 * It is foreign code, so it runs in a child that has the rights of reception and nothing more; what it changed comes back
 * over a pipe and is judged like any other input. Source: specification, chapter "Adding a local scan function".
 */
#include "engine/receive_scan.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "mail/address.h"
#include "sys/await.h"
#include "sys/child.h"
#include "sys/plugin.h"

#include <unistd.h>

enum { ANSWER_MAX = 64 << 20, TEXT_MAX = 1000, LOOK_MS = 1000 };

/* --- the answer of the child --- */

struct cursor {
    struct str rest;
    bool bad;
};

static uint32_t
take_number(struct cursor *k)
{
    uint32_t n = 0;
    if (k->rest.n < sizeof n) {
        k->bad = true;
        return 0;
    }
    memcpy(&n, k->rest.p, sizeof n);
    k->rest = str_sub(k->rest, sizeof n, k->rest.n);
    return n;
}

static struct str
take_text(struct cursor *k)
{
    uint32_t n = take_number(k);
    if (n > k->rest.n) {
        k->bad = true;
        return STR_EMPTY;
    }
    struct str s = str_sub(k->rest, 0, n);
    k->rest = str_sub(k->rest, n, k->rest.n);
    return s;
}

static void
take_recipients(struct receiving *r, struct cursor *k)
{
    struct str domain = r->e->conf->main->qualify_recipient;
    size_t known = r->m->recipients.n;
    const struct recipient *old = r->m->recipients.v;
    VEC(struct recipient) now = {NULL, 0, 0};
    for (uint32_t n = take_number(k); n > 0 && !k->bad; n--) {
        struct recipient one = {.address = STR_NULL};
        struct str address = take_text(k), errors_to = take_text(k);
        for (size_t i = 0; i < known; i++) {
            if (str_eq(old[i].address, address))
                one = old[i];
        }
        one.address = address_qualify(r->a, address, domain);
        one.errors_to = errors_to.n > 0 ? address_qualify(r->a, errors_to, domain) : STR_NULL;
        vec_push(r->a, &now, one);
    }
    if (k->bad)
        return;
    r->m->recipients.v = now.v;
    r->m->recipients.n = now.n;
    r->m->recipients.cap = now.cap;
}

static void
take_headers(struct receiving *r, struct cursor *k)
{
    struct header_list *l = ARENA_NEW(r->a, struct header_list);
    struct str received = r->received;
    for (uint32_t n = take_number(k); n > 0 && !k->bad; n--) {
        uint32_t type = take_number(k);
        struct str text = take_text(k);
        if (!header_list_add(r->a, l, text, HEADER_AT_END))
            continue;
        struct header *h = &l->v[l->n - 1];
        if (type == HEADER_TYPE_DELETED || type == HEADER_TYPE_OTHER ||
            (type >= 'A' && type <= 'Z'))
            h->type = (char)type;
        if (str_is_set(received) && str_eq(h->text, received))
            r->received = h->text;
    }
    if (k->bad)
        return;
    l->changes = r->m->headers->changes + 1;
    *r->m->headers = *l;
}

/* --- what it means --- */

/* "F=<a@b> rejected by local_scan(): text". */
static bool
refuse(struct receiving *r, int code, struct str text)
{
    bool later = code == LOCAL_SCAN_TEMPREJECT || code == LOCAL_SCAN_TEMPREJECT_NOLOGHDR;
    bool header = code == LOCAL_SCAN_REJECT || code == LOCAL_SCAN_TEMPREJECT;
    if (text.n == 0)
        text =
            later ? STR_LIT("Temporary local problem") : STR_LIT("Administrative prohibition");
    struct str log =
        str_printf(r->a, "%.*s%sF=<%.*s> %srejected by local_scan(): %.*s",
                   STR_ARG(peer_text(r->a, r->e, true)), " ", STR_ARG(r->m->sender),
                   later ? "temporarily " : "", STR_ARG(text));
    if (header)
        maillog_reject(r->e, MAILLOG_MAIN, r->m->id, log);
    else
        maillog_line(r->e, MAILLOG_MAIN | MAILLOG_REJECT, r->m->id, log);
    return receive_refuse(r, RECEIVE_FAULT_LOCAL_SCAN, later ? 451 : 550, text, STR_NULL);
}

/* The function itself failed. */
static bool
fail(struct receiving *r, struct str what)
{
    maillog(r->e, MAILLOG_MAIN | MAILLOG_REJECT, r->m->id,
            "local_scan() function %.*s - message temporarily rejected (size %lld)",
            STR_ARG(what), (long long)r->m->size);
    return receive_refuse(r, RECEIVE_FAULT_LOCAL_SCAN, 451,
                          STR_LIT("local verification problem"), STR_NULL);
}

/* The text of an accepted message: one line, not too long. */
static struct str
clean(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    for (uint32_t i = 0; i < text.n && i < TEXT_MAX; i++)
        buf_addc(&b,
                 text.p[i] == '\n' || text.p[i] == '\r' || text.p[i] == '\0' ? ' ' : text.p[i]);
    return str_tainted(buf_str(&b));
}

static bool
accept(struct receiving *r, int code, struct str text)
{
    if (text.n > 0)
        r->m->local_scan_text = clean(r->a, text);
    bool queue = !r->e->conf->main->mua_wrapper;
    r->scan_froze = queue && code == LOCAL_SCAN_ACCEPT_FREEZE;
    r->scan_queued = queue && code == LOCAL_SCAN_ACCEPT_QUEUE;
    r->out->frozen = r->out->frozen || r->scan_froze;
    r->out->queue_only = r->out->queue_only || r->scan_queued;
    if (r->m->recipients.n == 0)
        r->discarded_by = STR_LIT("local_scan()");
    return true;
}

static bool
judge(struct receiving *r, struct str answer)
{
    struct cursor k = {.rest = answer};
    uint32_t code = take_number(&k);
    struct str text = take_text(&k);
    take_recipients(r, &k);
    if (!k.bad)
        take_headers(r, &k);
    if (k.bad || code > LOCAL_SCAN_TEMPREJECT_NOLOGHDR)
        return fail(r, STR_LIT("gave no answer"));
    if (code <= LOCAL_SCAN_ACCEPT_QUEUE)
        return accept(r, (int)code, text);
    return refuse(r, (int)code, text);
}

/* That there is none is believed for a second. */
static bool
is_installed(const struct receiving *r, struct str *directory)
{
    int64_t now = await_now_ms();
    if (now < r->e->memo.scan_ms)
        return false;
    *directory = r->e->site != NULL ? r->e->site->plugin_directory : STR_NULL;
    struct str folder = directory->n > 0 ? *directory : plugin_directory_default(r->a);
    const char *path = str_cstr(r->a, str_printf(r->a, "%.*s/local_scan.so", STR_ARG(folder)));
    if (path != NULL && access(path, F_OK) == 0)
        return true;
    r->e->memo.scan_ms = now + LOOK_MS;
    return false;
}

bool
receive_scan(struct receiving *r)
{
    struct child_result result;
    struct receive_scan_child k = {.r = r};
    if (r->m->recipients.n == 0 || !is_installed(r, &k.directory))
        return true;
    if (!receive_leave_lane(r))
        return false;
    (void)lseek(r->entry.body, r->entry.body_start, SEEK_SET);
    const struct child_request rq = {
        .timeout_s = r->e->conf->main->local_scan_timeout,
        .max_answer = ANSWER_MAX,
        .run = receive_scan_child,
        .ctx = &k,
    };
    child_run(r->a, &rq, &result);
    switch (result.end) {
    case CHILD_EXITED:
        return result.status == 0 ? judge(r, result.answer)
                                  : fail(r, STR_LIT("could not be started"));
    case CHILD_SIGNALLED:
        return fail(r, str_printf(r->a, "crashed with signal %d", result.status));
    case CHILD_TIMED_OUT:
        return fail(r, STR_LIT("timed out"));
    case CHILD_TOO_MUCH:
    case CHILD_NO_START:
    case CHILD_NOT_BECOME:
    case CHILD_NO_DIRECTORY:
        break;
    }
    return fail(r, STR_LIT("could not be run"));
}
