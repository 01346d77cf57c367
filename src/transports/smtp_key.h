/* Keys with which messages that go out are signed, as options give them: the name of a file, or the key itself. */
#ifndef REMEX_TRANSPORTS_SMTP_KEY_H
#define REMEX_TRANSPORTS_SMTP_KEY_H

#include "sys/sign_key.h"
#include "transports/transport.h"

enum smtp_key_end {
    SMTP_KEY_OK,
    SMTP_KEY_TAINTED, /* the name of the file */
    SMTP_KEY_NO_FILE,
    SMTP_KEY_BAD, /* *why */
};

/* text is not empty: what begins with a slash is a file. The key lives in a; its text does not stay in memory. */
enum smtp_key_end smtp_key_load(const struct transport_job *job, struct arena *a,
                                struct str text, struct sign_key **key, struct str *why);

#endif
