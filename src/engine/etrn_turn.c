/* Turns of ETRN; see etrn_turn.h. */
#include "engine/etrn_turn.h"

#include "conf/main_options.h"
#include "engine/local_slot.h"
#include "sys/digest.h"

bool
etrn_turn_take(struct engine *e, struct arena *a, struct str key, int *turn)
{
    struct delivery d = {.engine = e, .arena = a};
    unsigned char bytes[DIGEST_MAX];
    char hex[2 * DIGEST_MAX];
    *turn = -1;
    if (!e->conf->main->smtp_etrn_serialize)
        return true;
    size_t n = digest_bytes(digest_find(STR_LIT("sha256")), key, bytes);
    digest_hex(bytes, n, DIGEST_LOWER, hex);
    return local_slot_serialize(&d, str_printf(a, "etrn-%.*s", (int)(2 * n), hex), turn);
}
