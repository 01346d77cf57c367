/* Places of private keys; see key_place.h. */
#include "transports/key_place.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/path_scan.h"
#include "transports/smtp.h"

static bool
is_same(const struct key_place *a, const struct key_place *b)
{
    return a->begins == b->begins && str_eq(a->transport, b->transport) &&
           str_eq(a->path, b->path);
}

void
key_places_add(struct arena *a, struct key_places *p, const struct key_place *one)
{
    for (size_t i = 0; i < p->v.n; i++)
        if (is_same(&p->v.v[i], one)) {
            p->v.v[i].always |= one->always;
            return;
        }
    if (p->v.n < KEY_PLACES_MAX && one->transport.n <= KEY_PLACE_NAME_MAX &&
        one->path.n <= KEY_PLACE_PATH_MAX)
        vec_push(a, &p->v, *one);
}

/* In no braces: no part of an expansion. */
static bool
is_outside(struct str before)
{
    size_t depth = 0;
    for (size_t i = 0; i < before.n; i++) {
        if (before.p[i] == '{')
            depth++;
        else if (before.p[i] == '}' && depth > 0)
            depth--;
    }
    return depth == 0;
}

/* Every path in an option. What all paths begin with is no place. */
static void
scan(struct arena *a, struct key_places *p, struct str transport, struct str text)
{
    struct path_scan s = {.text = text};
    while (path_scan_next(&s)) {
        struct key_place one = {.transport = transport, .path = s.path};
        one.begins = s.begins || s.path.p[s.path.n - 1] == '/';
        one.always = !one.begins && is_outside(str_sub(text, 0, (size_t)(s.path.p - text.p)));
        if (str_rchr(s.path, '/') > 0)
            key_places_add(a, p, &one);
    }
}

void
key_places_find(struct arena *a, const struct conf *c, struct key_places *out)
{
    *out = (struct key_places){.v = {NULL, 0, 0}};
    for (size_t i = 0; i < c->transports.n; i++) {
        const struct driver_instance *d = c->transports.v[i];
        if (d->driver != &transport_smtp.base)
            continue;
        const struct transport_smtp *o = transport_smtp_options(d);
        scan(a, out, d->name, o->dkim_private_key.text);
        scan(a, out, d->name, o->arc_sign.text);
    }
}

static bool
has(const struct key_place *p, struct str transport, struct str path)
{
    if (!str_eq(p->transport, transport))
        return false;
    return str_eq(str_sub(path, 0, p->path.n), p->path) &&
           (p->begins ? path.n > p->path.n : path.n == p->path.n);
}

int
key_places_open(const struct key_places *p, const char *transport, const char *path,
                struct key_file_result *why)
{
    struct str t = str_from_cstr(transport), file = str_from_cstr(path);
    for (size_t i = 0; i < p->v.n; i++)
        if (has(&p->v.v[i], t, file))
            return key_file_open(path, why);
    *why = (struct key_file_result){.end = KEY_FILE_NOT_NAMED};
    return -1;
}
