/* The queuefile transport: copies the spool files of a message to a folder. */
#include "transports/transport.h"

struct transport_queuefile {
    struct xstr directory;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct transport_queuefile, directory, NULL, OPT_NO_EFFECT,
        "Folder to which the spool files of the message are copied."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "queuefile transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_queuefile),
};

const struct transport_driver transport_queuefile = {
    .base =
        {
            .name = STR_INIT("queuefile"),
            .opts = &opts,
            .check = transport_check,
        },
    .place = TRANSPORT_LOCAL,
};
