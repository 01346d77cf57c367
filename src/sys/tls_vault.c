/* What server processes share of TLS; see tls_vault.h.
 *
 * The key, then the texts of certificate and private key. Only what is sealed counts: who died while writing left nothing behind.
 * The lock is one of processes (fcntl): they all have the same open file, which locks of open files would not tell apart.
 */
#include "sys/tls_vault.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/memory_file.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 10000, /* for another process that makes one */
    LOOK_MS = 10,
};

int
tls_vault_new(void)
{
    unsigned char key[TLS_VAULT_KEY];
    int fd = memory_file_new("tls");
    if (fd < 0)
        return -1;
    entropy_fill(key, sizeof key);
    bool ok = file_write_all(fd, (const char *)key, sizeof key);
    explicit_bzero(key, sizeof key);
    if (ok)
        return fd;
    close(fd);
    return -1;
}

bool
tls_vault_key(int fd, unsigned char key[TLS_VAULT_KEY])
{
    return pread(fd, key, TLS_VAULT_KEY, 0) == TLS_VAULT_KEY;
}

static bool
lock(int fd, short type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &l) == 0;
}

/* Waits until another process has done its work. False: it takes too long. */
static bool
lock_in_time(int fd)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int64_t end_ms = await_now_ms() + WAIT_MS;
    while (!lock(fd, F_WRLCK)) {
        if (await_now_ms() >= end_ms)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static struct str
read_identity(struct arena *a, int fd)
{
    char *text = arena_alloc(a, TLS_VAULT_MAX);
    if (!memory_file_is_sealed(fd))
        return STR_NULL;
    ssize_t n = pread(fd, text, TLS_VAULT_MAX, TLS_VAULT_KEY);
    return n > 0 && n < TLS_VAULT_MAX ? str_from(text, (size_t)n) : STR_NULL;
}

/* What cannot be put in is not sealed, and so not there. */
static void
put_identity(int fd, struct str text)
{
    if (text.n < TLS_VAULT_MAX && ftruncate(fd, TLS_VAULT_KEY) == 0 &&
        pwrite(fd, text.p, text.n, TLS_VAULT_KEY) == (ssize_t)text.n)
        (void)memory_file_seal(fd);
}

struct str
tls_vault_identity(struct arena *a, int fd,
                   bool (*make)(void *ctx, struct arena *a, struct str *out), void *ctx)
{
    struct str text = read_identity(a, fd);
    if (str_is_set(text))
        return text;
    bool locked = lock_in_time(fd);
    text = read_identity(a, fd);
    if (!str_is_set(text) && !make(ctx, a, &text))
        text = STR_NULL;
    else if (locked && !memory_file_is_sealed(fd))
        put_identity(fd, text);
    if (locked)
        (void)lock(fd, F_UNLCK);
    return text;
}
