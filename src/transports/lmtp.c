/* The lmtp transport: speaks LMTP to a command or over a UNIX socket. */
#include "transports/lmtp.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct transport_lmtp, batch_id, NULL, 0,
        "Text that addresses must have in common to be delivered together."),
    OPT_INT(struct transport_lmtp, batch_max, 1, 0,
        "How many addresses are delivered together."),
    OPT_XSTR(struct transport_lmtp, command, NULL, 0,
        "Command that speaks LMTP on its standard input and output."),
    OPT_BOOL(struct transport_lmtp, ignore_quota, false, 0,
        "Asks the server to ignore quotas."),
    OPT_XSTR(struct transport_lmtp, socket, NULL, 0,
        "UNIX socket of the LMTP server."),
    OPT_TIME(struct transport_lmtp, timeout, 5 * 60, 0,
        "Time limit for each answer."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "lmtp transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_lmtp),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct transport_lmtp *own = d->own.fields;
    bool ok = true;
    if (str_is_set(own->command.text) == str_is_set(own->socket.text))
        ok = driver_fault(diags, d, "socket", DRIVER_WORDS_PLAIN,
                          "one (and only one) of command or socket must be set for the %.*s "
                          "transport",
                          STR_ARG(d->name));
    return transport_check_generic(d, TRANSPORT_LOCAL, diags) && ok;
}

const struct transport_driver transport_lmtp = {
    .base =
        {
            .name = STR_INIT("lmtp"),
            .opts = &opts,
            .check = check,
        },
    .place = TRANSPORT_LOCAL,
    .deliver = lmtp_deliver,
};
