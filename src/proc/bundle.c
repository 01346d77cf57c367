/* The daemon's configuration on its way to the other processes; see bundle.h.
 *
 * After the mark: records of a letter, a length of four bytes and so many bytes. a: a word of the command line, n: the
 * name of a file, t: its text.
 */
#include "proc/bundle.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "proc/purge.h"
#include "sys/file.h"
#include "sys/memory_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char mark[] = "remex bundle 1\n";

/* --- writing --- */

static bool
put(int fd, char kind, struct str text)
{
    char head[1 + sizeof(uint32_t)] = {kind};
    uint32_t n = text.n;
    memcpy(head + 1, &n, sizeof n);
    return file_write_all(fd, head, sizeof head) && file_write_all(fd, text.p, text.n);
}

static bool
put_all(int fd, int argc, char *const *argv, const struct conf *c, struct purge *p)
{
    bool ok = file_write_all(fd, mark, sizeof mark - 1);
    for (int i = 0; i < argc && ok; i++)
        ok = put(fd, 'a', purge_argument(p, str_from_cstr(argv[i])));
    for (size_t i = 0; i < c->sources.n && ok; i++)
        ok = put(fd, 'n', c->sources.v[i]->name) && put(fd, 't', purge_text(p, i));
    return ok && memory_file_seal(fd);
}

int
bundle_write(int argc, char *const *argv, const struct conf *c, enum ipc_kind kind)
{
    int fd = memory_file_new("configuration");
    if (fd < 0)
        return -1;
    struct arena *a = arena_new();
    bool ok = put_all(fd, argc, argv, c, purge_new(a, c, kind));
    int saved = errno;
    arena_free(a);
    if (ok)
        return fd;
    close(fd);
    errno = saved;
    return -1;
}

/* --- reading --- */

static bool
next_record(struct str *rest, char *kind, struct str *text)
{
    uint32_t n;
    if (rest->n < 1 + sizeof n)
        return false;
    *kind = rest->p[0];
    memcpy(&n, rest->p + 1, sizeof n);
    *rest = str_sub(*rest, 1 + sizeof n, rest->n);
    if (n > rest->n)
        return false;
    *text = str_untaint_by_rule(str_sub(*rest, 0, n), "configuration that the master read");
    *rest = str_sub(*rest, n, rest->n);
    return true;
}

static bool
take_record(struct arena *a, char kind, struct str text, struct bundle *out)
{
    switch (kind) {
    case 'a':
        vec_push(a, &out->args, text);
        return out->args.n <= BUNDLE_ARGS_MAX;
    case 'n':
        vec_push(a, &out->sources, ((struct source){.name = text, .text = STR_NULL}));
        return true;
    case 't':
        if (out->sources.n == 0 || str_is_set(out->sources.v[out->sources.n - 1].text))
            return false;
        out->sources.v[out->sources.n - 1].text = text;
        return true;
    default:
        return false;
    }
}

bool
bundle_parse(struct arena *a, struct str text, struct bundle *out)
{
    struct str rest = str_sub(text, sizeof mark - 1, text.n), record;
    char kind;
    *out = (struct bundle){.set = {.n = 0}};
    if (!str_starts(text, mark))
        return false;
    while (rest.n > 0) {
        if (!next_record(&rest, &kind, &record) || !take_record(a, kind, record, out))
            return false;
    }
    for (size_t i = 0; i < out->sources.n; i++) {
        if (!str_is_set(out->sources.v[i].text))
            return false;
    }
    out->set = (struct source_set){.v = out->sources.v, .n = out->sources.n};
    return out->args.n > 0 && out->sources.n > 0;
}

bool
bundle_read(struct arena *a, int fd, struct bundle *out)
{
    struct str text;
    /* Others read it at the same time. */
    if (file_read_whole(a, fd, BUNDLE_BYTES_MAX, &text) != FILE_OK)
        return false;
    return bundle_parse(a, text, out);
}
