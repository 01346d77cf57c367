/* Unit tests of lookups/cdb.c over files that the test makes itself. */
#include "lookups_fixture.h"

enum { RECORDS = 500, FILE_ROOM = 65536 };

struct image {
    unsigned char p[FILE_ROOM];
    size_t n;
};

static void
put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static uint32_t
hash_of(const char *key)
{
    uint32_t h = 5381;
    for (; *key != '\0'; key++)
        h = ((h << 5) + h) ^ (unsigned char)*key;
    return h;
}

/* Keys k0, k1, …; the data of ki is "data number i". */
static void
make_image(struct image *im, int records)
{
    static uint32_t at[RECORDS];
    memset(im, 0, sizeof *im);
    im->n = 2048;
    for (int i = 0; i < records; i++) {
        char key[16], data[32];
        int kn = snprintf(key, sizeof key, "k%d", i),
            dn = snprintf(data, sizeof data, "data number %d", i);
        at[i] = (uint32_t)im->n;
        put32(im->p + im->n, (uint32_t)kn);
        put32(im->p + im->n + 4, (uint32_t)dn);
        memcpy(im->p + im->n + 8, key, (size_t)kn);
        memcpy(im->p + im->n + 8 + kn, data, (size_t)dn);
        im->n += 8 + (size_t)(kn + dn);
    }
    for (uint32_t t = 0; t < 256; t++) {
        uint32_t slots = 0;
        for (int i = 0; i < records; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", i);
            slots += (hash_of(key) & 255) == t ? 2 : 0;
        }
        put32(im->p + t * 8, (uint32_t)im->n);
        put32(im->p + t * 8 + 4, slots);
        for (int i = 0; i < records; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", i);
            uint32_t h = hash_of(key), s = slots == 0 ? 0 : (h >> 8) % slots;
            if ((h & 255) != t)
                continue;
            unsigned char *slot;
            while (slot = im->p + im->n + s * 8, slot[4] | slot[5] | slot[6] | slot[7])
                s = (s + 1) % slots;
            put32(slot, h);
            put32(slot + 4, at[i]);
        }
        im->n += slots * 8;
    }
}

static void
every_key_is_found(void **state)
{
    struct lookups_fixture *f = *state;
    static struct image im;
    make_image(&im, RECORDS);
    const char *p = fixture_bytes(f, "f.cdb", im.p, im.n);
    for (int i = 0; i < RECORDS; i++) {
        char key[16], data[32];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(data, sizeof data, "=data number %d", i);
        CHECK(f, "cdb", p, key, data);
    }
    CHECK(f, "cdb", p, "K1", "-");
    CHECK(f, "cdb", p, "k500", "-");
    CHECK(f, "cdb", p, "", "-");
    CHECK(f, "cdb,ret=key", p, "k1", "=k1");
}

static void
files_that_cannot_be_opened(void **state)
{
    struct lookups_fixture *f = *state;
    static struct image im;
    make_image(&im, 3);
    CHECK(f, "cdb", "none", "k",
          "!failed to open none for cdb lookup: No such file or directory");
    const char *p = fixture_bytes(f, "short", im.p, 2047);
    assert_string_equal(
        fixture_find(f, "cdb", p, "k"),
        str_printf(f->arena, "!failed to open %s too short for cdb lookup: Success", p).p);
    assert_string_equal(fixture_find(f, "cdb", f->dir, "k"),
                        str_printf(f->arena,
                                   "!failed to open cannot read header from %s for cdb "
                                   "lookup: Is a directory",
                                   f->dir)
                            .p);
    memset(im.p, 0, 2048);
    CHECK(f, "cdb", fixture_bytes(f, "zero", im.p, 2048), "k", "-");
}

static void
corrupt_files_defer(void **state)
{
    struct lookups_fixture *f = *state;
    static struct image im;
    make_image(&im, 3);
    const char *p = fixture_path(f, "f.cdb");
    const char *corrupt = str_printf(f->arena, "~cdb: corrupt cdb file %s (too short)", p).p;
    for (size_t n = 2048; n < im.n; n++) { /* at every length: an answer or the complaint */
        fixture_bytes(f, "f.cdb", im.p, n);
        const char *got = fixture_find(f, "cdb", p, "k1");
        assert_true(strcmp(got, corrupt) == 0 || strcmp(got, "=data number 1") == 0);
    }
    fixture_bytes(f, "f.cdb", im.p, 2048);
    CHECK(f, "cdb", p, "k1", corrupt);
    put32(im.p + 2048 + 8 + 2 + 13, UINT32_MAX); /* key length of the second record */
    fixture_bytes(f, "f.cdb", im.p, im.n);
    CHECK(f, "cdb", p, "k1", "-");
    put32(im.p + 2048 + 8 + 2 + 13, 2);
    put32(im.p + 2048 + 8 + 2 + 13 + 4, UINT32_MAX); /* its data length */
    fixture_bytes(f, "f.cdb", im.p, im.n);
    for (int i = 0; i < 5; i++) /* piecewise, then in memory */
        CHECK(f, "cdb", p, "k1", corrupt);
    CHECK(f, "cdb", p, "k0", "=data number 0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(every_key_is_found),
        LOOKUP_TEST(files_that_cannot_be_opened),
        LOOKUP_TEST(corrupt_files_defer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
