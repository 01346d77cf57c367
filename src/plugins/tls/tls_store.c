/* What TLS connections share; see tls_store.h. */
#include "plugins/tls/tls_store.h"

#include "base/arena.h"
#include "plugins/tls/tls_load.h"
#include "sys/tls_vault.h"

#include <gnutls/pkcs11.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    PATHS_MAX = 3 * TLS_LIST_MAX + 3,
};

/* How a file was when it was read. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

struct tls_entry {
    struct tls_entry *next;
    char *key; /* what it was made for */
    size_t key_n;
    gnutls_certificate_credentials_t cred;
    struct tls_loaded loaded;
    struct stamp stamps[PATHS_MAX];
    size_t stamps_n;
    unsigned references; /* of connections, and one of the list */
    uint64_t used;       /* count of the store when it was asked for last */
};

struct priority {
    char *text;
    gnutls_priority_t meaning;
};

struct tls_store {
    pthread_mutex_t lock;
    struct tls_entry *first;
    size_t n;
    uint64_t count;
    bool started; /* PKCS 11 was decided about */
    struct priority priorities[TLS_PRIORITIES_MAX];
    size_t priorities_n;
    gnutls_datum_t ticket_key;
    bool has_ticket_key;
    int vault; /* -1: none */
};

struct tls_store *
tls_store_new(void)
{
    struct tls_store *s = calloc(1, sizeof *s);
    if (s != NULL) {
        pthread_mutex_init(&s->lock, NULL);
        s->vault = -1;
    }
    return s;
}

void
tls_store_share(struct tls_store *s, int vault)
{
    unsigned char *key = gnutls_malloc(TLS_VAULT_KEY);
    pthread_mutex_lock(&s->lock);
    if (key != NULL && !s->has_ticket_key && tls_vault_key(vault, key)) {
        s->ticket_key = (gnutls_datum_t){key, TLS_VAULT_KEY};
        s->has_ticket_key = true;
        s->vault = vault;
        key = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    gnutls_free(key);
}

/* --- entries --- */

static void
drop(struct tls_entry *e)
{
    if (--e->references > 0)
        return;
    gnutls_certificate_free_credentials(e->cred);
    if (e->loaded.dh != NULL)
        gnutls_dh_params_deinit(e->loaded.dh);
    free(e->key);
    free(e);
}

/* Names of files with their places between: what differs makes another entry. */
static struct str
key_of(const struct tls_want *w)
{
    const struct tls_credentials *f = w->files;
    return str_printf(w->arena, "%d%d|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", (int)w->role,
                      w->trust, STR_ARG(f->certificates), STR_ARG(f->keys), STR_ARG(f->stapled),
                      STR_ARG(w->trust ? f->trusted : STR_EMPTY),
                      STR_ARG(w->trust ? f->revoked : STR_EMPTY), STR_ARG(f->dh),
                      STR_ARG(f->certificates.n > 0 ? STR_EMPTY : f->self));
}

/* A file that is not there has a stamp of its own kind. */
static size_t
take_stamps(const struct tls_want *w, struct stamp *out)
{
    const char *paths[PATHS_MAX];
    size_t n = tls_load_paths(w, paths, PATHS_MAX);
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0)
            continue;
        out[i].dev = st.st_dev;
        out[i].ino = st.st_ino;
        out[i].size = st.st_size;
        out[i].changed = st.st_mtim;
    }
    return n;
}

static struct tls_entry *
make(const struct tls_want *w, struct str key, struct tls_fault *fault)
{
    struct tls_entry *e = calloc(1, sizeof *e);
    char *copy = e != NULL ? malloc((size_t)key.n + 1) : NULL;
    int rc = copy != NULL ? gnutls_certificate_allocate_credentials(&e->cred)
                          : GNUTLS_E_MEMORY_ERROR;
    if (rc < 0) {
        (void)tls_load_failed(w->arena, fault, STR_LIT("cert/key setup"), rc);
        free(copy);
        free(e);
        return NULL;
    }
    memcpy(copy, key.p, key.n);
    e->key = copy;
    e->key_n = key.n;
    e->references = 1;
    e->stamps_n = take_stamps(w, e->stamps);
    if (tls_load_credentials(e->cred, w, &e->loaded, fault))
        return e;
    drop(e);
    return NULL;
}

static struct tls_entry **
find(struct tls_store *s, struct str key)
{
    struct tls_entry **at = &s->first;
    while (*at != NULL && !str_eq(str_from((*at)->key, (*at)->key_n), key))
        at = &(*at)->next;
    return at;
}

static void
forget_oldest(struct tls_store *s)
{
    struct tls_entry **oldest = &s->first;
    for (struct tls_entry **at = &s->first; *at != NULL; at = &(*at)->next)
        if ((*at)->used < (*oldest)->used)
            oldest = at;
    struct tls_entry *e = *oldest;
    *oldest = e->next;
    s->n--;
    drop(e);
}

static void
add(struct tls_store *s, struct tls_entry *e)
{
    if (s->n == TLS_ENTRIES_MAX)
        forget_oldest(s);
    e->next = s->first;
    s->first = e;
    s->n++;
}

static bool
is_current(struct tls_entry *e, const struct tls_want *w, struct stamp *now, size_t *n)
{
    *n = take_stamps(w, now);
    return *n == e->stamps_n && memcmp(now, e->stamps, *n * sizeof *now) == 0;
}

/* The one that is there, or what its files say now. */
static struct tls_entry *
refresh(struct tls_entry **at, const struct tls_want *w, struct str key,
        struct tls_fault *fault)
{
    struct stamp now[PATHS_MAX];
    struct tls_entry *old = *at;
    size_t n;
    if (is_current(old, w, now, &n))
        return old;
    struct tls_entry *e = make(w, key, fault);
    if (e == NULL) { /* told once, until the files change again */
        memcpy(old->stamps, now, n * sizeof *now);
        old->stamps_n = n;
        return old;
    }
    e->next = old->next;
    *at = e;
    drop(old);
    return e;
}

struct tls_entry *
tls_store_get(struct tls_store *s, const struct tls_want *want, struct tls_fault *fault)
{
    struct str key = key_of(want);
    struct tls_want shared = *want, *w = &shared;
    shared.vault = s->vault;
    pthread_mutex_lock(&s->lock);
    if (!s->started && !w->pkcs11)
        (void)gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, NULL);
    s->started = true;
    struct tls_entry **at = find(s, key), *e;
    if (*at != NULL) {
        e = refresh(at, w, key, fault);
    } else {
        e = make(w, key, fault);
        if (e != NULL)
            add(s, e);
    }
    if (e != NULL) {
        e->references++;
        e->used = ++s->count;
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

void
tls_store_release(struct tls_store *s, struct tls_entry *e)
{
    if (e == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    drop(e);
    pthread_mutex_unlock(&s->lock);
}

gnutls_certificate_credentials_t
tls_entry_credentials(const struct tls_entry *e)
{
    return e->cred;
}

bool
tls_entry_trusts(const struct tls_entry *e)
{
    return e->loaded.trusted > 0;
}

const gnutls_datum_t *
tls_store_ticket_key(struct tls_store *s)
{
    pthread_mutex_lock(&s->lock);
    if (!s->has_ticket_key)
        s->has_ticket_key = gnutls_session_ticket_key_generate(&s->ticket_key) >= 0;
    bool ok = s->has_ticket_key;
    pthread_mutex_unlock(&s->lock);
    return ok ? &s->ticket_key : NULL;
}

/* The lock is held. Reading a list takes longer than all else that is done to set up a session. */
static gnutls_priority_t
keep_priority(struct tls_store *s, const char *text, int *error, const char **at)
{
    struct priority *p = &s->priorities[s->priorities_n];
    if (s->priorities_n == TLS_PRIORITIES_MAX)
        return NULL;
    p->text = strdup(text);
    *error =
        p->text != NULL ? gnutls_priority_init(&p->meaning, text, at) : GNUTLS_E_MEMORY_ERROR;
    if (*error >= 0) {
        s->priorities_n++;
        return p->meaning;
    }
    free(p->text);
    return NULL;
}

gnutls_priority_t
tls_store_priority(struct tls_store *s, const char *text, int *error, const char **at)
{
    gnutls_priority_t found = NULL;
    *error = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; found == NULL && i < s->priorities_n; i++)
        if (strcmp(s->priorities[i].text, text) == 0)
            found = s->priorities[i].meaning;
    if (found == NULL)
        found = keep_priority(s, text, error, at);
    pthread_mutex_unlock(&s->lock);
    return found;
}
