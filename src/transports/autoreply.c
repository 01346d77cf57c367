/* The autoreply transport: answers a message with one of its own. */
#include "transports/transport.h"

struct transport_autoreply {
    struct xstr bcc, cc, file;
    bool file_expand, file_optional;
    struct xstr from, headers, log;
    int64_t mode;
    struct xstr never_mail, once;
    int64_t once_file_size;
    struct xstr once_repeat, reply_to;
    bool return_message;
    struct xstr subject, text, to;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct transport_autoreply, bcc, NULL, OPT_NO_EFFECT,
        "Addresses that get a blind copy of the reply."),
    OPT_XSTR(struct transport_autoreply, cc, NULL, OPT_NO_EFFECT,
        "Addresses that get a copy of the reply."),
    OPT_XSTR(struct transport_autoreply, file, NULL, OPT_NO_EFFECT,
        "File whose content goes into the reply."),
    OPT_BOOL(struct transport_autoreply, file_expand, false, OPT_NO_EFFECT,
        "Expands each line of the file."),
    OPT_BOOL(struct transport_autoreply, file_optional, false, OPT_NO_EFFECT,
        "Puts up with a missing file."),
    OPT_XSTR(struct transport_autoreply, from, NULL, OPT_NO_EFFECT,
        "From: header line of the reply."),
    OPT_XSTR(struct transport_autoreply, headers, NULL, OPT_NO_EFFECT,
        "Further header lines of the reply."),
    OPT_XSTR(struct transport_autoreply, log, NULL, OPT_NO_EFFECT,
        "File in which replies are recorded."),
    OPT_OCTAL(struct transport_autoreply, mode, 0600, OPT_NO_EFFECT,
        "Permissions of a log or once file that is made."),
    OPT_ADDRESSES(struct transport_autoreply, never_mail, NULL, OPT_NO_EFFECT,
        "Addresses that get no reply."),
    OPT_XSTR(struct transport_autoreply, once, NULL, OPT_NO_EFFECT,
        "File in which those who got a reply are remembered, so that they get only one."),
    OPT_INT(struct transport_autoreply, once_file_size, 0, OPT_NO_EFFECT,
        "Size at which the once file forgets its oldest entries; zero means never."),
    OPT_XSTR(struct transport_autoreply, once_repeat, NULL, OPT_NO_EFFECT,
        "Time after which somebody gets another reply."),
    OPT_XSTR(struct transport_autoreply, reply_to, NULL, OPT_NO_EFFECT,
        "Reply-To: header line of the reply."),
    OPT_BOOL(struct transport_autoreply, return_message, false, OPT_NO_EFFECT,
        "Adds the original message to the reply."),
    OPT_XSTR(struct transport_autoreply, subject, NULL, OPT_NO_EFFECT,
        "Subject of the reply."),
    OPT_XSTR(struct transport_autoreply, text, NULL, OPT_NO_EFFECT,
        "Text of the reply."),
    OPT_XSTR(struct transport_autoreply, to, NULL, OPT_NO_EFFECT,
        "Address of the reply; by default that of the sender."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "autoreply transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_autoreply),
};

const struct transport_driver transport_autoreply = {
    .base =
        {
            .name = STR_INIT("autoreply"),
            .opts = &opts,
            .check = transport_check,
        },
    .place = TRANSPORT_LOCAL,
};
