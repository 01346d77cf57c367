/* -bp: lines, ages, sizes, marks, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "engine/queue_show.h"
#include "engine/spool_journal.h"

#include <fcntl.h>
#include <time.h>

static struct engine_case *c;

static int
setup(void **state)
{
    (void)state;
    c = engine_case_new("");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    engine_case_free(c);
    return 0;
}

static const char *
shown(enum queue_list_order order, enum queue_show_what what)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    queue_show(&c->engine, order, what, out);
    assert_int_equal(fclose(out), 0);
    const char *copy = str_cstr(c->loaded.arena, str_from(text, n));
    free(text);
    return copy;
}

/* An id of a message that came so many seconds ago. */
static const char *
id_of(int64_t age_s)
{
    const struct message_id_source s = {.now = {.tv_sec = time(NULL) - age_s},
                                        .host = MESSAGE_ID_HOST_NONE,
                                        .form = MESSAGE_ID_NEW};
    struct message_id id = message_id_make(&s);
    return str_cstr(c->loaded.arena, message_id_str(&id));
}

static void
test_empty(void **state)
{
    (void)state;
    assert_string_equal(shown(QUEUE_LIST_SORTED, QUEUE_SHOW_ALL), "");
}

static void
test_ages(void **state)
{
    (void)state;
    const struct {
        int64_t age_s;
        const char *text;
    } rows[] = {
        {400 * 86400, "400d "}, {73 * 3600, " 3d "}, {71 * 3600, "71h "},
        {90 * 60, " 2h "},      {89 * 60, "89m "},   {5, " 0m "},
    };
    struct buf want = buf_in(c->loaded.arena, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *id = id_of(rows[i].age_s);
        struct spool_entry e = engine_case_message(c, id, "a@b.example");
        spool_close(&e);
        buf_printf(&want, "%s   17 %s <s@host.example>\n          a@b.example\n\n",
                   rows[i].text, id);
    }
    assert_string_equal(shown(QUEUE_LIST_SORTED, QUEUE_SHOW_ALL),
                        str_cstr(c->loaded.arena, buf_str(&want)));
}

/* What the journal says is done is marked; generated addresses and undelivered ones alone when asked for. */
static void
test_marks(void **state)
{
    (void)state;
    struct spool_journal j;
    struct spool_fault f;
    const char *id = id_of(0);
    struct str done[] = {STR_LIT("a@b.example"), STR_LIT("other@b.example")};
    struct spool_entry e = engine_case_message(c, id, "a@b.example");
    assert_int_equal(spool_journal_open(&e, &j, &f), SPOOL_OK);
    assert_int_equal(spool_journal_append(c->loaded.arena, &e, &j, done, 2, &f), SPOOL_OK);
    spool_journal_close(&j);
    spool_close(&e);
    assert_non_null(
        strstr(shown(QUEUE_LIST_SORTED, QUEUE_SHOW_ALL), "\n        D a@b.example\n\n"));
    assert_non_null(strstr(shown(QUEUE_LIST_STREAM, QUEUE_SHOW_GENERATED),
                           "\n        D a@b.example\n       +D other@b.example\n\n"));
    assert_null(strstr(shown(QUEUE_LIST_UNSORTED, QUEUE_SHOW_UNDELIVERED), "a@b.example"));
    const char *ids = shown(QUEUE_LIST_SORTED, QUEUE_SHOW_IDS);
    assert_int_equal(strlen(ids), strlen(id) + 1);
    assert_int_equal(strncmp(ids, id, strlen(id)), 0);
}

static void
test_broken_and_missing(void **state)
{
    (void)state;
    const char *id = id_of(0);
    struct str ids[] = {str_from_cstr(id), STR_LIT("1xVNEb-00079s-2P")};
    struct spool_entry e = engine_case_message(c, id, "a@b.example");
    int fd = openat(e.dir, spool_file_name(&e.id, 'H').text, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, "rubbish\n", 8), 8);
    close(fd);
    spool_close(&e);
    assert_non_null(
        strstr(shown(QUEUE_LIST_SORTED, QUEUE_SHOW_ALL), "*** spool format error: "));
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    queue_show_some(&c->engine, ids, 2, QUEUE_SHOW_ALL, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(
        text, "1xVNEb-00079s-2P\n    *** spool read error: No such file or directory ***"));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_and_missing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
