/* The message that the autoreply transport sends. Source: specification, chapter "The autoreply transport"; RFC 5322, RFC 3834.
 */
#include "transports/autoreply.h"

#include "base/strlist.h"
#include "base/vec.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "filter/host_refuse.h"
#include "mail/address.h"
#include "mail/header.h"
#include "transports/message_write.h"

enum { REFERENCES_FIRST = 1, REFERENCES_LAST = 11 };

/* --- header lines --- */

/* A value cannot begin another header line: a newline that does not fold becomes a space. */
static void
add_line(struct buf *out, const char *name, struct str value)
{
    if (!str_is_set(value) || value.n == 0)
        return;
    while (value.n > 0 && value.p[value.n - 1] == '\n')
        value.n--;
    buf_addz(out, name);
    for (uint32_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        bool folds = i + 1 < value.n && (value.p[i + 1] == ' ' || value.p[i + 1] == '\t');
        buf_addc(out, c == '\0' || c == '\r' || (c == '\n' && !folds) ? ' ' : c);
    }
    buf_addc(out, '\n');
}

/* Further lines as they are, but nothing that would end the header. */
static void
add_more(struct buf *out, struct str lines)
{
    for (size_t at = 0; at < lines.n;) {
        size_t end = str_chr(lines, '\n', at);
        if (end == STR_NPOS)
            end = lines.n;
        struct str line = str_sub(lines, at, end - at);
        if (str_trim(line).n > 0) {
            buf_adds(out, line);
            buf_addc(out, '\n');
        }
        at = end + 1;
    }
}

static struct str
header_of(struct autoreply *r, const char *name)
{
    struct str text;
    if (r->job->message->headers == NULL ||
        !header_list_text(r->arena, r->job->message->headers, str_from_cstr(name),
                          HEADER_VIEW_RAW, NULL, 0, &text))
        return STR_NULL;
    return str_trim(header_unfold(r->arena, text));
}

typedef VEC(struct str) id_list;

/* Message ids: what stands in angle brackets. */
static void
split_ids(struct arena *a, struct str text, id_list *out)
{
    for (size_t at = 0; (at = str_chr(text, '<', at)) != STR_NPOS;) {
        size_t end = str_chr(text, '>', at);
        if (end == STR_NPOS)
            return;
        vec_push(a, out, str_sub(text, at, end + 1 - at));
        at = end + 1;
    }
}

/* In-Reply-To: and References: (RFC 5322, 3.6.4); of a long list the first and the last ones. */
static void
add_references(struct autoreply *r, struct buf *out)
{
    struct str id = header_of(r, "message-id");
    struct str before = header_of(r, "references");
    if (!str_is_set(before) || before.n == 0)
        before = header_of(r, "in-reply-to");
    id_list ids = {0};
    split_ids(r->arena, before, &ids);
    if (id.n > 0)
        buf_printf(out, "In-Reply-To: %.*s\n", STR_ARG(id));
    if (id.n == 0 && ids.n == 0)
        return;
    buf_addz(out, "References:");
    for (size_t i = 0; i < ids.n; i++)
        if (i < REFERENCES_FIRST || i + REFERENCES_LAST >= ids.n) {
            buf_addc(out, ' ');
            buf_adds(out, ids.v[i]);
        }
    if (id.n > 0) {
        buf_addc(out, ' ');
        buf_adds(out, id);
    }
    buf_addc(out, '\n');
}

static void
add_headers(struct autoreply *r, struct buf *out)
{
    add_line(out, "From: ", r->from);
    add_line(out, "Reply-To: ", r->reply_to);
    add_line(out, "To: ", r->to);
    add_line(out, "Cc: ", r->cc);
    add_line(out, "Subject: ", r->subject);
    add_references(r, out);
    buf_addz(out, "Auto-Submitted: auto-replied\n");
    add_more(out, r->headers);
    buf_addc(out, '\n');
}

/* --- body --- */

/* The file, each line expanded if that is wanted; a line that does not expand stays as it is. */
static void
add_file(struct autoreply *r, struct buf *out)
{
    struct str text = r->file_text;
    struct vm *vm = r->job->vm;
    const struct host *full = vm_host(vm);
    (void)vm_set_host(vm, host_refuse(r->arena, full, r->job->addresses[0]->refuse));
    for (size_t at = 0; at < text.n;) {
        size_t end = str_chr(text, '\n', at);
        size_t n = end == STR_NPOS ? text.n - at : end + 1 - at;
        struct str line = str_sub(text, at, n), value;
        /* The file belongs to who runs the transport. */
        struct str trusted = str_untaint_by_rule(line, "file of the user");
        if (r->expand_file && vm_expand(vm, trusted, &value) == VM_OK)
            line = value;
        buf_adds(out, line);
        at += n;
    }
    (void)vm_set_host(vm, full);
}

static bool
add_copy_to(void *ctx, struct iovec *v, int n)
{
    struct buf *out = ctx;
    for (int i = 0; i < n; i++)
        buf_add(out, v[i].iov_base, v[i].iov_len);
    return true;
}

/* The original message, as the generic options of the transport say. */
static bool
add_copy(struct autoreply *r, struct buf *out)
{
    const struct transport_generic *g = r->job->transport->generic.fields;
    int64_t limit = r->job->eval->conf->main->bounce_return_size_limit;
    struct message_write w;
    struct message_written written;
    struct message_sink sink = {.arena = r->arena, .put = add_copy_to, .ctx = out, .fd = -1};
    buf_addz(
        out,
        g->body_only
            ? "\n------ This is a copy of the body of the message, without the headers.\n\n"
        : g->headers_only
            ? "\n------ This is a copy of the message's header lines.\n\n"
            : "\n------ This is a copy of the message, including all the headers.\n\n");
    message_write_init(&w, r->job);
    w.body_max = limit > 0 ? limit : -1;
    if (message_write_prepare(&w, &r->answer->why) != OUT_OK)
        return false;
    message_write(&w, &sink, &written);
    if (!written.ok)
        return autoreply_say(r, OUT_DEFER, written.sys_errno,
                             "Failed to copy the message into the reply of %.*s transport",
                             STR_ARG(r->job->transport->name));
    return true;
}

bool
autoreply_write(struct autoreply *r, struct buf *out)
{
    add_headers(r, out);
    if (r->text.n > 0) {
        buf_adds(out, r->text);
        if (r->text.p[r->text.n - 1] != '\n')
            buf_addc(out, '\n');
    }
    add_file(r, out);
    return !r->return_message || add_copy(r, out);
}

/* --- never_mail --- */

/* OUT_OK: the address is on the list. */
static enum outcome
is_never(struct autoreply *r, struct str list, struct str address)
{
    const struct conf_main *c = r->job->eval->conf->main;
    struct list_answer found;
    const struct list_question q = {
        .kind = LIST_ADDRESS,
        .subject = address_qualify(r->arena, address, c->qualify_recipient),
        .list = list,
        .what = STR_LIT("never_mail"),
    };
    return list_match(r->job->eval, r->job->vm, &q, &found);
}

bool
autoreply_drop_never(struct autoreply *r, struct str *list)
{
    struct str never, item;
    if (!str_is_set(r->opt->never_mail.text) || list->n == 0)
        return true;
    if (vm_expand_x(r->job->vm, &r->opt->never_mail, &never) != VM_OK)
        return autoreply_say(r, OUT_FAIL, 0,
                             "Failed to expand \"%.*s\" for %.*s transport: %.*s",
                             STR_ARG(r->opt->never_mail.text), STR_ARG(r->job->transport->name),
                             STR_ARG(vm_error(r->job->vm)));
    never = str_dup(r->arena, never);
    struct buf kept = buf_in(r->arena, 0);
    struct address_list l = address_list_start(*list, ADDRESS_GROUP);
    enum address_status st;
    struct address_parts parts;
    while (address_list_next(&l, r->arena, &st, &parts, &item)) {
        enum outcome o = st == ADDRESS_OK ? is_never(r, never, parts.text) : OUT_FAIL;
        if (o == OUT_DEFER || o == OUT_ERROR)
            return autoreply_say(r, OUT_DEFER, 0, "Failed to test never_mail: %.*s",
                                 STR_ARG(vm_error(r->job->vm)));
        if (o == OUT_OK)
            continue;
        if (kept.n > 0)
            buf_addc(&kept, ',');
        buf_adds(&kept, item);
    }
    *list = buf_str(&kept);
    return true;
}
