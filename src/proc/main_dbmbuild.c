/* remex-dbmbuild (also called exim_dbmbuild): makes the indexed file of the dbm lookups from a text file in
 * lsearch format. Options, texts and exit codes are those of exim_dbmbuild(8); the file is an LMDB
 * database. It is written under a temporary name, synced and renamed, so that readers see the old file
 * or the new one, never a part. With -dump FILE it prints the entries of such a file, key and value with a tab between.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lookups/linefile.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 19999, /* with the newline */
    KEY_MAX_BYTES = 255,
    EXIT_DUPLICATES = 1,
    EXIT_USAGE = 1,
    EXIT_ABANDONED = 2,
};

struct options {
    bool keep_case, no_zero, no_warn, no_dup_error, last_dup;
    const char *program, *in, *out;
};

struct build {
    struct options o;
    struct arena *arena;
    struct linefile text;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    size_t written, duplicates;
};

static int
usage(const char *program)
{
    printf("usage: %s [-nolc] <source file> <dbm base name>\n", program);
    return EXIT_USAGE;
}

static bool
take_option(struct options *o, const char *arg)
{
    const struct {
        const char *name;
        bool *flag;
    } table[] = {
        {"-nolc", &o->keep_case},        {"-nozero", &o->no_zero},   {"-nowarn", &o->no_warn},
        {"-noduperr", &o->no_dup_error}, {"-lastdup", &o->last_dup},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(arg, table[i].name) == 0)
            return *table[i].flag = true;
    return false;
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    int i = 1;
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    o->program = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "remex-dbmbuild";
    while (i < argc && take_option(o, argv[i]))
        i++;
    if (argc - i != 2 || (argv[i][0] == '-' && argv[i][1] != '\0'))
        return false;
    o->in = argv[i];
    o->out = argv[i + 1];
    return true;
}

static bool
read_input(struct build *b)
{
    bool standard = strcmp(b->o.in, "-") == 0;
    struct str text;
    enum file_result r = standard ? file_read_fd(b->arena, STDIN_FILENO, LINEFILE_MAX, &text)
                                  : file_read(b->arena, b->o.in, LINEFILE_MAX, &text);
    if (r != FILE_OK) {
        printf("%s: unable to open %s: %s\n", b->o.program, b->o.in,
               strerror(r == FILE_TOO_BIG ? EFBIG : errno));
        return false;
    }
    b->text = (struct linefile){text.p, text.n};
    return true;
}

/* --- the database --- */

static int
open_database(struct build *b, const char *path)
{
    /* Room for every entry on pages that are half full; the file grows only as far as it is used. */
    size_t room = b->text.n * 8 + ((size_t)64 << 20);
    int rc = mdb_env_create(&b->env);
    if (rc == 0)
        rc = mdb_env_set_mapsize(b->env, room);
    if (rc == 0)
        rc = mdb_env_open(b->env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0644);
    if (rc == 0)
        rc = mdb_txn_begin(b->env, NULL, 0, &b->txn);
    if (rc == 0)
        rc = mdb_dbi_open(b->txn, NULL, 0, &b->dbi);
    return rc;
}

static MDB_val
value_of(struct str s)
{
    union {
        const char *in;
        void *out;
    } p = {.in = s.p};
    return (MDB_val){.mv_size = s.n, .mv_data = p.out};
}

static struct str
with_zero(struct build *b, struct str s)
{
    return str_cat(b->arena, s, str_from("", b->o.no_zero ? 0 : 1));
}

/* Adds one pair, or says that its key is there already. False after a message. */
static bool
add_pair(struct build *b, struct str key, struct str data)
{
    MDB_val k = value_of(with_zero(b, key)), v = value_of(with_zero(b, data));
    if (k.mv_size == 0)
        return true; /* cannot be looked up */
    int rc = mdb_put(b->txn, b->dbi, &k, &v, MDB_NOOVERWRITE);
    if (rc == 0) {
        b->written++;
        return true;
    }
    if (rc == MDB_KEYEXIST) {
        b->duplicates++;
        if (!b->o.no_warn)
            (void)fprintf(stderr, "** Duplicate key \"%.*s\"\n", STR_ARG(key));
        v = value_of(with_zero(b, data));
        rc = b->o.last_dup ? mdb_put(b->txn, b->dbi, &k, &v, 0) : 0;
    }
    if (rc != 0)
        printf("Error %d while writing key %.*s: %s\n", rc, STR_ARG(key), mdb_strerror(rc));
    return rc == 0;
}

/* --- the text --- */

/* Refuses a line that is too long, and reports lines that continue nothing. */
static bool
check_lines(const struct build *b)
{
    bool entry = false;
    for (size_t at = 0; at < b->text.n;) {
        const char *p = b->text.p + at;
        const char *nl = memchr(p, '\n', b->text.n - at);
        size_t n = nl != NULL ? (size_t)(nl - p) + 1 : b->text.n - at;
        if (n >= LINE_MAX_BYTES + (nl != NULL ? 1 : 0)) {
            printf("Overlong line read: max permitted length is %d\n", LINE_MAX_BYTES);
            return false;
        }
        struct str line = str_trim(str_from(p, n));
        if (line.n > 0 && *p != '#' && !ascii_space(*p))
            entry = true;
        if (line.n > 0 && ascii_space(*p) && !entry)
            printf("Unexpected continuation line ignored\n%.*s\n\n",
                   (int)(nl != NULL ? n - 1 : n), p);
        at += n;
    }
    return true;
}

static bool
add_entries(struct build *b)
{
    struct line_entry e;
    for (size_t at = 0; linefile_next(&b->text, &at, &e);) {
        struct arena_mark mark = arena_mark(b->arena);
        struct str key = linefile_key(b->arena, &e);
        if (key.n > KEY_MAX_BYTES) {
            printf("Keys longer than %d characters cannot be handled\n", KEY_MAX_BYTES);
            return false;
        }
        if (!b->o.keep_case)
            key = str_lower(b->arena, key);
        bool ok = add_pair(b, key, linefile_data(b->arena, &b->text, &e, false));
        arena_reset(b->arena, mark);
        if (!ok)
            return false;
    }
    return true;
}

/* --- the whole --- */

/* Commits, syncs and puts the file in its place. */
static bool
finish(struct build *b, const char *temp)
{
    int rc = mdb_txn_commit(b->txn);
    b->txn = NULL;
    if (rc == 0)
        rc = mdb_env_sync(b->env, 1);
    mdb_env_close(b->env);
    b->env = NULL;
    if (rc != 0) {
        printf("Error %d while writing %s: %s\n", rc, temp, mdb_strerror(rc));
        return false;
    }
    if (rename(temp, b->o.out) != 0) {
        printf("Unable to rename %s as %s\n", temp, b->o.out);
        return false;
    }
    return true;
}

static int
report(const struct build *b)
{
    printf("%zu entr%s written\n", b->written, b->written == 1 ? "y" : "ies");
    if (b->duplicates == 0)
        return 0;
    printf("%zu duplicate key%s \n", b->duplicates, b->duplicates == 1 ? "" : "s");
    return b->o.no_dup_error ? 0 : EXIT_DUPLICATES;
}

static int
build(struct build *b)
{
    const char *temp = str_printf(b->arena, "%s.dbmbuild_temp", b->o.out).p;
    unlink(temp);
    int rc = open_database(b, temp);
    if (rc != 0) {
        printf("%s: unable to create %s: %s\n", b->o.program, temp, mdb_strerror(rc));
        unlink(temp);
        return EXIT_USAGE;
    }
    if (!check_lines(b) || !add_entries(b)) {
        printf("dbmbuild abandoned\n");
        unlink(temp);
        return EXIT_ABANDONED;
    }
    if (finish(b, temp))
        return report(b);
    unlink(temp);
    return EXIT_USAGE;
}

/* --- showing a file --- */

static struct str
without_zero(MDB_val v)
{
    struct str s = str_from(v.mv_data, v.mv_size);
    return s.n > 0 && s.p[s.n - 1] == '\0' ? str_sub(s, 0, s.n - 1) : s;
}

static int
dump_entries(MDB_txn *txn)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (rc == 0)
        rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        struct str key = without_zero(k), value = without_zero(v);
        printf("%.*s\t%.*s\n", STR_ARG(key), STR_ARG(value));
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
dump(const char *program, const char *path)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    int rc = mdb_env_create(&env);
    if (rc == 0)
        rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0);
    if (rc == 0)
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = dump_entries(txn);
    if (rc != 0)
        (void)fprintf(stderr, "%s: unable to read %s: %s\n", program, path, mdb_strerror(rc));
    if (txn != NULL)
        mdb_txn_abort(txn);
    if (env != NULL)
        mdb_env_close(env);
    return rc == 0 && fflush(stdout) == 0 ? 0 : EXIT_ABANDONED;
}

int
main(int argc, char **argv)
{
    struct build b = {0};
    if (argc == 3 && strcmp(argv[1], "-dump") == 0)
        return dump("remex-dbmbuild", argv[2]);
    if (!parse_options(argc, argv, &b.o))
        return usage(b.o.program);
    if (strcmp(b.o.in, b.o.out) == 0) {
        printf("%s: input and output filenames are the same\n", b.o.program);
        return EXIT_USAGE;
    }
    b.arena = arena_new();
    int rc = read_input(&b) ? build(&b) : EXIT_USAGE;
    if (b.txn != NULL)
        mdb_txn_abort(b.txn);
    if (b.env != NULL)
        mdb_env_close(b.env);
    arena_free(b.arena);
    return rc;
}
