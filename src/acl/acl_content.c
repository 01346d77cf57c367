/* Conditions about the content of a message or of one of its MIME parts: regex, decode, mime_regex.
 *
 * Source: specification, "Scanning MIME parts" and "Scanning with regular expressions".
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "mail/header.h"
#include "scanners/mime_scan.h"
#include "scanners/scan_message.h"
#include "sys/file.h"
#include "sys/regex.h"

#include <errno.h>

enum {
    REGEX_BLOCK = 64 * 1024, /* a longer line is matched in pieces */
    MIME_REGEX_MAX = 32 * 1024,
    KIB = 1024,
};

/* --- patterns --- */

struct regexes {
    const struct regex **v;
    struct str *texts;
    size_t n;
};

/* What an earlier condition has matched goes, whatever comes of this one. */
static void
forget_match(struct session *s)
{
    if (s == NULL)
        return;
    s->regex_match = STR_NULL;
    for (size_t i = 0; i < sizeof s->regex_caps / sizeof s->regex_caps[0]; i++)
        s->regex_caps[i] = STR_NULL;
}

static bool
compile_all(struct acl_call *c, struct str list, struct regexes *out)
{
    struct vm *vm = c->r->vm;
    forget_match(c->r->eval->session);
    struct arena *a = vm_scratch(vm);
    size_t most = strlist_count(list, ':');
    out->v = ARENA_ARRAY(a, const struct regex *, most + 1);
    out->texts = ARENA_ARRAY(a, struct str, most + 1);
    struct strlist_split s = strlist_split_start(list, ':');
    struct str one, why;
    size_t at;
    while (out->n < most && strlist_split_next(&s, a, &one)) {
        if (one.n == 0)
            continue;
        const struct regex *re = vm_regex(vm, one, 0, &why, &at);
        if (re == NULL) {
            acl_log(c->r, ACL_LOG_MAIN,
                    "regex acl condition warning - error in regex '%.*s': %.*s at offset %zu, "
                    "skipped.",
                    STR_ARG(one), STR_ARG(why), at);
            continue;
        }
        out->v[out->n] = re;
        out->texts[out->n++] = one;
    }
    return out->n > 0;
}

static bool
match_any(struct acl_call *c, const struct regexes *res, struct str text)
{
    struct session *s = c->r->eval->session;
    const struct str *caps;
    for (size_t i = 0; i < res->n; i++) {
        if (vm_regex_match(c->r->vm, res->v[i], text) != VM_OK)
            continue;
        unsigned n = vm_captures(c->r->vm, &caps);
        if (s == NULL)
            return true;
        s->regex_match = str_dup(c->keep, res->texts[i]);
        for (unsigned k = 0; k < 9; k++)
            s->regex_caps[k] = k + 1 < n ? str_dup(c->keep, caps[k + 1]) : STR_NULL;
        return true;
    }
    return false;
}

static bool
match_lines(struct acl_call *c, const struct regexes *res, struct str text)
{
    for (size_t at = 0; at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        nl = nl == STR_NPOS ? text.n : nl;
        if (match_any(c, res, str_sub(text, at, nl - at)))
            return true;
        at = nl + 1;
    }
    return false;
}

/* The lines from one offset to another, a block at a time; a line that a block cuts is read again with the next one. */
static enum acl_test
match_source(struct acl_call *c, const struct regexes *res, const struct mime_source *s,
             int64_t at, int64_t end)
{
    char *block = arena_alloc(vm_scratch(c->r->vm), REGEX_BLOCK);
    while (at < end) {
        size_t n = end - at < REGEX_BLOCK ? (size_t)(end - at) : REGEX_BLOCK;
        ssize_t got = mime_source_read(s, at, block, n);
        if (got < 0)
            return acl_defer(c, "regex: failed to read the message: %s", strerror(errno));
        if (got == 0)
            break;
        struct str text = str_tainted(str_from(block, (size_t)got));
        size_t last = str_rchr(text, '\n');
        if (last != STR_NPOS)
            text = str_sub(text, 0, last + 1);
        if (match_lines(c, res, text))
            return ACL_TEST_TRUE;
        at += text.n;
    }
    return ACL_TEST_FALSE;
}

/* Of a MIME part its contents as they came; of a message what scanners see: lines of the envelope, header lines, then the body; line by line. */
enum acl_test
acl_cond_regex(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct message *m = c->r->eval->message;
    const struct scan_message *s = scan_message_of(c->r->eval);
    struct regexes res = {.n = 0};
    (void)item;
    if (m == NULL || !compile_all(c, arg, &res))
        return ACL_TEST_FALSE;
    if (m->mime.at != NULL)
        return match_source(c, &res, m->mime.at->source, m->mime.at->body, m->mime.at->end);
    if (s != NULL && match_lines(c, &res, s->envelope))
        return ACL_TEST_TRUE;
    for (size_t i = 0; m->headers != NULL && i < m->headers->n; i++)
        if (m->headers->v[i].type != HEADER_TYPE_DELETED &&
            match_lines(c, &res, m->headers->v[i].text))
            return ACL_TEST_TRUE;
    struct mime_source body = mime_source_body(m);
    return match_source(c, &res, &body, 0, body.size);
}

/* --- MIME parts --- */

/* What decoding found, unless something worse is known. */
static void
show_anomaly(struct mime_shown *p, enum mime_encoding encoding)
{
    bool base64 = encoding == MIME_BASE64;
    int64_t level = base64 ? 2 : 1;
    if (level <= p->anomaly_level)
        return;
    p->anomaly_level = level;
    p->anomaly_text = base64 ? STR_LIT("Broken BASE64 encoding detected")
                             : STR_LIT("Broken Quoted-Printable encoding detected");
}

static enum acl_test
decode(struct acl_call *c, struct str where)
{
    struct message *m = c->r->eval->message;
    struct mime_decoded found;
    struct str path, why;
    if (m == NULL || m->mime.at == NULL)
        return acl_error(c, "there is no MIME part to decode");
    if (!mime_decode_to_file(m->mime.at, where, &path, &found, &why)) {
        struct mime_scan *scan = m->mime.at->scan;
        if (!scan->told) /* the next part may well fail in the same way */
            acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC, "%.*s", STR_ARG(why));
        scan->told = true;
        return acl_defer(c, "%.*s", STR_ARG(why));
    }
    m->mime.decoded_filename = path;
    m->mime.content_size = (found.size + KIB - 1) / KIB;
    if (found.anomalies > 0)
        show_anomaly(&m->mime, m->mime.at->encoding);
    return ACL_TEST_TRUE;
}

enum acl_test
acl_cond_decode(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    arg = str_trim(arg);
    return str_eqz(arg, "0") || str_eqz(arg, "false") ? ACL_TEST_FALSE : decode(c, arg);
}

/* The beginning of the decoded part, as a whole. */
enum acl_test
acl_cond_mime_regex(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct message *m = c->r->eval->message;
    struct regexes res = {.n = 0};
    struct str text;
    (void)item;
    if (!compile_all(c, arg, &res))
        return ACL_TEST_FALSE;
    if (m == NULL || !str_is_set(m->mime.decoded_filename)) {
        enum acl_test t = decode(c, STR_LIT("default"));
        if (t != ACL_TEST_TRUE)
            return t;
    }
    const char *path = str_cstr(vm_scratch(c->r->vm), m->mime.decoded_filename);
    enum file_result r = file_read(vm_scratch(c->r->vm), path, MIME_REGEX_MAX, &text);
    if (r != FILE_OK && r != FILE_TOO_BIG)
        return acl_defer(c, "mime_regex: failed to read %s: %s", path, strerror(errno));
    return match_any(c, &res, text) ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}
