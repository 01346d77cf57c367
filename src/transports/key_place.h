/* Where private keys of signatures may lie: what dkim_private_key and arc_sign of the transports name.
 *
 * A path in the text of such an option is a place: the file itself, or, when something that is expanded follows, all files whose path
 * begins like that. Whoever opens a key for another process opens only what lies in a place (sys/key_file.h), so it need not know
 * where else files lie, and never reads one.
 */
#ifndef REMEX_TRANSPORTS_KEY_PLACE_H
#define REMEX_TRANSPORTS_KEY_PLACE_H

#include "base/str.h"
#include "base/vec.h"
#include "sys/key_file.h"

struct arena;
struct conf;

/* Bounds; what is beyond them is no place. */
enum { KEY_PLACES_MAX = 1000, KEY_PLACE_NAME_MAX = 255, KEY_PLACE_PATH_MAX = 1000 };

struct key_place {
    struct str transport, path;
    bool begins; /* path is what those of the keys begin with */
    bool always; /* it is the file of a key, whatever comes of what is expanded */
};

struct key_places {
    VEC(struct key_place) v;
};

/* All of a configuration, each once. The texts are the configuration's. */
void key_places_find(struct arena *a, const struct conf *c, struct key_places *out);

/* Adds one, if there is room. The texts are the caller's. */
void key_places_add(struct arena *a, struct key_places *p, const struct key_place *one);

/* Opens the key of a transport, with root's power. A descriptor; -1 with *why: not a place of that transport, or what key_file_open
 * refuses. */
int key_places_open(const struct key_places *p, const char *transport, const char *path,
                    struct key_file_result *why);

#endif
