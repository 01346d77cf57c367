/* Message ids: the forms, the time in them, the order, the wait. */
#include "engine/message_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct message_id_source
source(long ns, int host, enum message_id_form form)
{
    return (struct message_id_source){
        .now = {.tv_sec = 1795413887, .tv_nsec = ns}, .pid = 12300, .host = host, .form = form};
}

static void
made(long ns, int host, enum message_id_form form, const char *want)
{
    struct message_id_source s = source(ns, host, form);
    struct message_id id = message_id_make(&s);
    assert_string_equal(id.text, want);
    assert_true(message_id_parse(message_id_str(&id), NULL));
    assert_int_equal(message_id_time(&id), 1795413887);
}

/* The first is what the reference made at that time in process 12300: "1xVNAV-0003CO-..". */
static void
test_make(void **state)
{
    (void)state;
    made(0, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD, "1xVNAV-0003CO-00");
    made(89499999, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD, "1xVNAV-0003CO-2s");
    made(89500000, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD, "1xVNAV-0003CO-2t");
    made(999999999, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD, "1xVNAV-0003CO-WF");
    made(999999999, MESSAGE_ID_HOST_MAX, MESSAGE_ID_OLD, "1xVNAV-0003CO-sp");
    made(0, 0, MESSAGE_ID_OLD, "1xVNAV-0003CO-00");
    made(0, MESSAGE_ID_HOST_NONE, MESSAGE_ID_NEW, "1xVNAV-000000003CO-0000");
    made(1000, MESSAGE_ID_HOST_NONE, MESSAGE_ID_NEW, "1xVNAV-000000003CO-0001");
    made(999999999, MESSAGE_ID_HOST_NONE, MESSAGE_ID_NEW, "1xVNAV-000000003CO-4C91");
    made(999999999, MESSAGE_ID_HOST_MAX, MESSAGE_ID_NEW, "1xVNAV-000000003CO-ZfEl");
}

static void
test_parse(void **state)
{
    (void)state;
    struct message_id id;
    assert_true(message_id_parse(STR_LIT("10HmaX-0005vi-00"), &id));
    assert_string_equal(id.text, "10HmaX-0005vi-00");
    assert_int_equal(message_id_time(&id), 920371185);
    assert_true(message_id_parse(STR_LIT("10HmaX-000000005vi-0000"), &id));
    assert_int_equal(message_id_time(&id), 920371185);
    static const char *const not_ids[] = {
        "",
        "10HmaX-0005vi-0",
        "10HmaX-0005vi-000",
        "10HmaX-0005vi-00-",
        "10HmaX_0005vi-00",
        "10Hma/-0005vi-00",
        "10HmaX-000000005vi-000",
        "10HmaX-000000005vi-00000",
        "10HmaX-00000005vi-0000",
        "10HmaX-0005vi-00-H",
        "../../-0005vi-00",
    };
    for (size_t i = 0; i < sizeof not_ids / sizeof *not_ids; i++)
        assert_false(message_id_parse(str_from_cstr(not_ids[i]), NULL));
    assert_false(message_id_parse(STR_NULL, NULL));
    assert_false(message_id_parse(str_from("10HmaX-0005vi-0\0", 16), NULL));
}

static void
test_prefix(void **state)
{
    (void)state;
    assert_int_equal(message_id_prefix(STR_LIT("10HmaX-0005vi-00-H")), 16);
    assert_int_equal(message_id_prefix(STR_LIT("10HmaX-0005vi-00 <= a")), 16);
    assert_int_equal(message_id_prefix(STR_LIT("10HmaX-000000005vi-0000-D")), 23);
    assert_int_equal(message_id_prefix(STR_LIT("10HmaX-0005vi-00H")), 0);
}

static void
test_wait(void **state)
{
    (void)state;
    struct message_id_source s = source(0, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD);
    assert_int_equal(message_id_wait_ns(&s), 500000);
    s.now.tv_nsec = 499999;
    assert_int_equal(message_id_wait_ns(&s), 1);
    s.host = 3;
    assert_int_equal(message_id_wait_ns(&s), 4500001);
    s.form = MESSAGE_ID_NEW;
    assert_int_equal(message_id_wait_ns(&s), 1);
    s.host = MESSAGE_ID_HOST_NONE;
    s.now.tv_nsec = 1500;
    assert_int_equal(message_id_wait_ns(&s), 500);
}

static void
test_unique_by_waiting(void **state)
{
    (void)state;
    struct message_id last = {{0}};
    for (int i = 0; i < 40; i++) {
        struct message_id_source s = source(0, MESSAGE_ID_HOST_NONE, MESSAGE_ID_OLD);
        clock_gettime(CLOCK_REALTIME, &s.now);
        struct message_id id = message_id_make(&s);
        assert_string_not_equal(id.text, last.text);
        last = id;
        message_id_wait(&s);
    }
}

static void *
take_ids(void *ctx)
{
    struct message_id_clock *c = ((void **)ctx)[0];
    struct message_id *out = ((void **)ctx)[1];
    for (int i = 0; i < 2000; i++) {
        struct message_id_source s = {
            .pid = 1, .host = MESSAGE_ID_HOST_NONE, .form = MESSAGE_ID_NEW};
        message_id_clock_next(c, &s);
        out[i] = message_id_make(&s);
    }
    return NULL;
}

static int
by_text(const void *x, const void *y)
{
    return strcmp(x, y);
}

/* Threads that ask at the same time get ids that differ, in the order of the asking. */
static void
test_clock(void **state)
{
    (void)state;
    static struct message_id ids[4][2000];
    void *args[4][2];
    pthread_t threads[4];
    struct message_id_clock *c = message_id_clock_new();
    for (int i = 0; i < 4; i++) {
        args[i][0] = c;
        args[i][1] = ids[i];
        assert_int_equal(pthread_create(&threads[i], NULL, take_ids, args[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 2000; i++)
        assert_true(strcmp(ids[0][i - 1].text, ids[0][i].text) < 0);
    struct message_id *all = &ids[0][0];
    qsort(all, 8000, sizeof *all, by_text);
    for (int i = 1; i < 8000; i++)
        assert_true(strcmp(all[i - 1].text, all[i].text) < 0);
    struct message_id_source s = {.pid = 1, .host = 3, .form = MESSAGE_ID_OLD};
    message_id_clock_next(c, &s);
    struct message_id one = message_id_make(&s);
    message_id_clock_next(c, &s);
    struct message_id two = message_id_make(&s);
    assert_true(strcmp(one.text, two.text) != 0);
    message_id_clock_free(c);
}

static int
sign(int x)
{
    return x < 0 ? -1 : x > 0;
}

/* Two processes may take messages in the same second: the fraction says which came first. */
static void
test_compare(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"1xWn8k-000000007zP-2JTw", "1xWn8l-000000000aP-0JTw", -1},
        {"1xWn8k-000000007zP-2JTw", "1xWn8k-000000000aP-2JTx", -1},
        {"1xWn8k-000000007zP-2JTw", "1xWn8k-000000007zQ-2JTw", -1},
        {"1xWn8k-000000007zP-2JTw", "1xWn8k-000000007zP-2JTw", 0},
        {"1xWn8k-0007zP-2J", "1xWn8k-0007aP-2K", -1},
        {"1xWn8k-0007zP-2J", "1xWn8l-000000007zP-0JTw", -1},
        {"1xWn8k-0007zP-2J", "1xWn8k-000000007zP-0JTw", 1}, /* of two forms: by value */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message_id a, b;
        assert_true(message_id_parse(str_from_cstr(rows[i].a), &a));
        assert_true(message_id_parse(str_from_cstr(rows[i].b), &b));
        assert_int_equal(sign(message_id_compare(&a, &b)), rows[i].order);
        assert_int_equal(sign(message_id_compare(&b, &a)), -rows[i].order);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),   cmocka_unit_test(test_make),
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_wait),    cmocka_unit_test(test_unique_by_waiting),
        cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
