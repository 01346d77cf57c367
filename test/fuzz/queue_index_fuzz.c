/* The index of listings: records that are accepted are whole, and the next one begins behind them. */
#include "engine/queue_index.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from((const char *)data, size);
    struct message_id id;
    struct queue_index_stamp stamp;
    struct queue_index_entry e;
    uint32_t left = rest.n;
    while (queue_index_parse(&rest, &id, &stamp, &e)) {
        if (rest.n >= left || e.text.n > left - rest.n || e.text.n > QUEUE_INDEX_TEXT_MAX ||
            !message_id_parse(message_id_str(&id), NULL))
            abort();
        left = rest.n;
    }
    return 0;
}
