/* Tells the sender of a message that did not come by SMTP what is wrong with it: by mail, with a copy of the message.
 *
 * The words are the reference's, since people and programs know them. Source: specification, options -oee and -oem.
 */
#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/receive.h"
#include "filter/vm.h"

#include <string.h>
#include <unistd.h>

struct words {
    const char *subject;
    const char *text;  /* ends with newlines as they are wanted before the copy */
    const char *brief; /* for the log, when there is nobody to tell */
};

static const struct words words[RECEIVE_FAULTS] = {
    [RECEIVE_FAULT_ADDRESS] = {"malformed recipient address",
                               "A message that you sent contained a recipient address that was "
                               "incorrectly\nconstructed:\n\n",
                               "at least one malformed recipient address"},
    [RECEIVE_FAULT_ADDRESSES] = {"malformed recipient address",
                                 "A message that you sent contained one or more recipient "
                                 "addresses that were\nincorrectly constructed:\n\n",
                                 "at least one malformed recipient address"},
    [RECEIVE_FAULT_NO_RECIPIENTS] = {"no recipient addresses",
                                     "A message that you sent contained no recipient "
                                     "addresses, and therefore no\ndelivery could be "
                                     "attempted.\n",
                                     "no recipient addresses"},
    [RECEIVE_FAULT_ALL_REMOVED] = {"no recipient addresses",
                                   "A message that you sent using the -t command line option "
                                   "contained no\naddresses that were not also on the command "
                                   "line, and were therefore\nsuppressed. This left no "
                                   "recipient addresses, and so no delivery could\nbe "
                                   "attempted.\n",
                                   "no recipient addresses"},
    [RECEIVE_FAULT_RECIPIENTS] = {"too many recipients",
                                  "A message that you sent contained more recipients than "
                                  "allowed on this\nsystem. It was not delivered to any "
                                  "recipients.\n",
                                  "too many recipients"},
    [RECEIVE_FAULT_HEADER_BIG] = {"overlong header section",
                                  "A message that you sent contained a header section that "
                                  "was excessively\nlong and could not be handled by the mail "
                                  "transmission software. The\nmessage has not been delivered "
                                  "to any recipients.\n",
                                  "excessively long message header section read"},
    [RECEIVE_FAULT_LINE_BIG] = {"overlong header line",
                                "A message that you sent contained a header line that was "
                                "excessively\nlong and could not be handled by the mail "
                                "transmission software. The\nmessage has not been delivered to "
                                "any recipients.\n",
                                "excessively long message header line read"},
    [RECEIVE_FAULT_SIZE] = {"message too big",
                            "A message that you sent was longer than the maximum size allowed "
                            "on this\nsystem. It was not delivered to any recipients.\n",
                            "message too big"},
    [RECEIVE_FAULT_ACL] = {"rejected by local scanning code",
                           "A message that you sent was rejected by the policy of this system. "
                           "It was\nnot delivered to any recipients.\n",
                           "rejected by non-SMTP ACL"},
    [RECEIVE_FAULT_LOCAL_SCAN] = {"rejected by local scanning code",
                                  "A message that you sent was rejected by the local scanning "
                                  "code that\nchecks incoming messages on this system.\n",
                                  "rejected by local scanning code"},
    [RECEIVE_FAULT_SPACE] = {"system problem",
                             "A message that you sent could not be received: there is no room "
                             "for it.\n",
                             "no room for the message"},
    [RECEIVE_FAULT_IO] = {"system problem",
                          "A message that you sent could not be written to this system's "
                          "spool.\nIt was not delivered to any recipients.\n",
                          "the message could not be written"},
    [RECEIVE_FAULT_CONFIG] = {"system problem",
                              "A message that you sent could not be received because of a "
                              "fault in the\nconfiguration of this system. It was not "
                              "delivered to any recipients.\n",
                              "fault in the configuration"},
};

/* --- the text --- */

static void
add_addresses(struct buf *b, const struct receive_report *c)
{
    bool one = c->fault == RECEIVE_FAULT_ADDRESS;
    for (size_t i = 0; i < c->bad_n; i++) {
        const struct receive_bad_address *bad = &c->bad[i];
        buf_printf(b, "  %.*s%s%.*s\n", STR_ARG(bad->address), one ? "  " : ": ",
                   STR_ARG(bad->reason));
    }
    buf_addc(b, '\n');
    if (one && c->bad_n > 0 && str_ends(c->bad[0].address, STR_LIT(".")))
        buf_addz(b, "Recipient addresses must not end with a '.' character.\n\n");
    if (one)
        buf_addz(b, "The message has not been delivered to any recipients.\n");
    else if (c->others)
        buf_printf(b,
                   "%s been ignored. The other addresses in the message were\n"
                   "syntactically valid and have been passed on for an attempt at delivery.\n",
                   c->bad_n == 1 ? "This address has" : "These addresses have");
    else
        buf_printf(b,
                   "%s been ignored. There were no other addresses in your\n"
                   "message, and so no attempt at delivery was possible.\n",
                   c->bad_n == 1 ? "This address has" : "These addresses have");
}

static void
add_copy_title(const struct conf_main *m, struct buf *b)
{
    int64_t most = m->bounce_return_size_limit;
    if (!m->bounce_return_message)
        return;
    if (!m->bounce_return_body)
        buf_addz(b, "\n------ This is a copy of the headers that were received before the "
                    "error\n       was detected.\n\n");
    else if (most > 0 && most < RECEIVE_REPORT_TITLE_LIMIT)
        buf_printf(b,
                   "\n------ This is a copy of your message, including all the headers.\n"
                   "------ No more than %lld characters of the body are included.\n\n",
                   (long long)most);
    else
        buf_addz(b, "\n------ This is a copy of your message, including all the headers. "
                    "------\n\n");
}

static void
add_headers(struct buf *b, const struct receive_report *c)
{
    const struct header_list *l = c->headers;
    for (size_t i = 0; l != NULL && i < l->n; i++) {
        if (i != c->received_index)
            buf_adds(b, l->v[i].text);
    }
    buf_adds(b, c->partial);
    if (c->partial.n == 0)
        buf_addc(b, '\n');
}

static void
add_body(struct buf *b, int fd, int64_t start, size_t most)
{
    char block[16384];
    off_t at = (off_t)start;
    while (most > 0) {
        ssize_t n = pread(fd, block, most < sizeof block ? most : sizeof block, at);
        if (n <= 0)
            return;
        buf_add(b, block, (size_t)n);
        at += n;
        most -= (size_t)n;
    }
}

/* --- the message --- */

static void
add_own_headers(struct engine *e, struct arena *a, const struct receive_report *c,
                struct buf *b)
{
    const struct conf_main *m = e->conf->main;
    struct str from;
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    if (vm_expand(e->vm, m->dsn_from.text, &from) != VM_OK)
        from = str_printf(a, "Mail Delivery System <Mailer-Daemon@%.*s>",
                          STR_ARG(m->qualify_domain));
    if (m->errors_reply_to.n > 0)
        buf_printf(b, "Reply-To: %.*s\n", STR_ARG(m->errors_reply_to));
    buf_printf(b, "Auto-Submitted: auto-replied\nFrom: %.*s\nTo: %.*s\n", STR_ARG(from),
               STR_ARG(c->to));
    if (c->message_id.n > 0)
        buf_printf(b, "References: <%.*s>\n", STR_ARG(c->message_id));
    buf_printf(b, "Subject: Mail failure - %s\n\n", words[c->fault].subject);
    vm_release(e->vm, mark);
}

static struct str
whole_text(struct engine *e, struct arena *a, const struct receive_report *c)
{
    const struct conf_main *m = e->conf->main;
    size_t most = m->bounce_return_size_limit > 0 ? (size_t)m->bounce_return_size_limit
                                                  : RECEIVE_REPORT_COPY_MAX;
    struct buf b = buf_in(a, 0);
    add_own_headers(e, a, c, &b);
    buf_addz(&b, words[c->fault].text);
    if (c->fault == RECEIVE_FAULT_ADDRESS || c->fault == RECEIVE_FAULT_ADDRESSES)
        add_addresses(&b, c);
    if (c->why.n > 0)
        buf_printf(&b, "\n%.*s\n", STR_ARG(c->why));
    add_copy_title(m, &b);
    if (!m->bounce_return_message)
        return buf_str(&b);
    add_headers(&b, c);
    if (!m->bounce_return_body)
        return buf_str(&b);
    buf_adds(&b, str_sub(c->text, 0, most));
    if (c->body_fd >= 0)
        add_body(&b, c->body_fd, c->body_start, most);
    return buf_str(&b);
}

static void
log_nobody_to_tell(struct engine *e, const struct receive_report *c)
{
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    buf_addz(&b, words[c->fault].brief);
    if (c->fault == RECEIVE_FAULT_HEADER_BIG || c->fault == RECEIVE_FAULT_LINE_BIG)
        buf_printf(&b, " (more than %lld characters)", (long long)c->limit);
    if (c->fault == RECEIVE_FAULT_SIZE)
        buf_printf(&b, " (limit set to %lld)", (long long)c->limit);
    if (c->why.n > 0)
        buf_printf(&b, ": %.*s", STR_ARG(c->why));
    if (c->bad_n > 0)
        buf_printf(&b, ": %.*s - %.*s", STR_ARG(c->bad[0].address), STR_ARG(c->bad[0].reason));
    maillog(e, MAILLOG_MAIN, c->id,
            "Error while reading message with no usable sender address%s%.*s%s: %.*s",
            c->reference.n > 0 ? " (R=" : "", STR_ARG(c->reference),
            c->reference.n > 0 ? ")" : "", STR_ARG(buf_str(&b)));
    arena_free(a);
}

bool
receive_report_by_mail(struct engine *e, const struct receive_report *c, struct str *id)
{
    if (c->to.n == 0) {
        log_nobody_to_tell(e, c);
        return false;
    }
    struct arena *a = arena_new();
    struct receive_own own = {
        .sender = STR_EMPTY,
        .recipients = &c->to,
        .recipients_n = 1,
        .text = whole_text(e, a, c),
        .body_fd = -1,
        .reference = c->id,
        .uid = e->mail_uid,
        .gid = e->mail_gid,
        .error_message = true,
        .arena = c->arena,
    };
    bool ok = receive_own_message(e, &own, id);
    arena_free(a);
    return ok;
}
