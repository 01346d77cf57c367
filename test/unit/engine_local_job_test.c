/* Jobs for users: what goes in comes out, save what is not the user's business; nothing that is wrong is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"
#include "engine/local_job.h"
#include "engine/local_job_rows.h"

struct sample {
    struct header_list headers;
    struct message message;
    struct session session;
    struct address root, one, two, again, view;
    struct address *batch[2];
    struct str arguments[FILTER_MAIL_ARGUMENTS], captures[2];
    struct filter_action reply;
    struct local_job job;
};

static void
fill(struct arena *a, struct sample *s)
{
    static struct str value = STR_INIT("v"), router_value = STR_INIT("r");
    memset(s, 0, sizeof *s);
    header_list_add(a, &s->headers, STR_LIT("Subject: x\n y\n"), HEADER_AT_END);
    header_list_add(a, &s->headers, STR_LIT("X-Gone: 1\n"), HEADER_AT_END);
    s->headers.v[1].type = HEADER_TYPE_DELETED;
    s->message.id = STR_LIT("1xWdE1-000000006Z2-0CXJ");
    s->message.sender = STR_EMPTY;
    s->message.headers = &s->headers;
    s->message.size = 77;
    s->message.filter_sn[9] = -4;
    vec_push(a, &s->message.recipients, ((struct recipient){.address = STR_LIT("bcc@x")}));
    s->session.sender_host_address = STR_LIT("192.0.2.1");
    s->session.tls_in.bits = 256;
    s->session.auth[1] = STR_LIT("secret");
    s->root.text = STR_LIT("list@x");
    s->one = (struct address){.text = STR_LIT(">u@x"),
                              .parent = &s->root,
                              .item = ADDRESS_ITEM_REPLY,
                              .mode = -1,
                              .local_uid = -1};
    s->two = (struct address){.text = STR_LIT("|c"), .parent = &s->root, .refuse = 3};
    s->view = s->two;
    s->again.text = STR_LIT("u@x");
    s->two.next_duplicate = &s->again;
    s->arguments[FILTER_MAIL_SUBJECT] = str_tainted(STR_LIT("Hi"));
    s->reply = (struct filter_action){.id = FILTER_VACATION,
                                      .argc = FILTER_MAIL_ARGUMENTS,
                                      .argv = s->arguments,
                                      .flags = FILTER_NOERROR};
    s->one.reply = &s->reply;
    s->captures[1] = STR_LIT("b");
    s->two.captures = s->captures;
    s->two.captures_n = 2;
    s->batch[0] = &s->one;
    s->batch[1] = &s->two;
    s->job = (struct local_job){.call = {.kind = LOCAL_JOB_TRANSPORT,
                                         .driver = STR_LIT("t"),
                                         .home = STR_LIT("/home/u"),
                                         .uid = -1,
                                         .shadow = true},
                                .message = &s->message,
                                .session = &s->session,
                                .view = &s->view,
                                .addresses = s->batch,
                                .n = 2,
                                .acl_m = map_new(a, MAP_CASEFUL),
                                .router_vars = map_new(a, MAP_CASEFUL),
                                .captures = s->captures,
                                .captures_n = 2};
    map_set(s->job.acl_m, STR_LIT("m_x"), &value);
    map_set(s->job.router_vars, STR_LIT("r_y"), &router_value);
}

static struct str
written(struct arena *a, const struct local_job *job)
{
    struct buf b = buf_in(a, 0);
    assert_true(local_job_write(&b, job));
    return buf_str(&b);
}

static void
assert_addresses(const struct local_job *got)
{
    assert_int_equal(got->n, 2);
    const struct address *one = got->addresses[0], *two = got->addresses[1];
    assert_ptr_equal(one->parent, two->parent);
    assert_ptr_equal(got->view->parent, one->parent);
    assert_true(str_eqz(one->parent->text, "list@x") && one->parent->parent == NULL);
    assert_true(one->item == ADDRESS_ITEM_REPLY && one->mode == -1 && one->local_uid == -1);
    assert_true(one->reply->id == FILTER_VACATION &&
                one->reply->argc == FILTER_MAIL_ARGUMENTS &&
                one->reply->flags == FILTER_NOERROR);
    struct str subject = one->reply->argv[FILTER_MAIL_SUBJECT];
    assert_true(str_eqz(subject, "Hi") && str_is_tainted(subject));
    assert_false(str_is_set(one->reply->argv[FILTER_MAIL_TO]));
    assert_true(two->captures_n == 2 && str_eqz(two->captures[1], "b") && two->refuse == 3);
    assert_null(two->reply);
    assert_null(one->next_duplicate);
    assert_true(str_eqz(two->next_duplicate->text, "u@x"));
}

static void
test_round_trip(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct sample s;
    struct local_job got;
    const char *fault;
    fill(a, &s);
    assert_true(local_job_read(a, written(a, &s.job), &got, &fault));
    assert_true(got.call.kind == LOCAL_JOB_TRANSPORT && got.call.shadow && got.call.uid == -1);
    assert_true(str_eqz(got.call.home, "/home/u"));
    assert_true(str_is_set(got.message->sender) && got.message->size == 77);
    assert_true(got.message->filter_sn[9] == -4);
    assert_int_equal(got.message->headers->n, 1);
    assert_true(str_eqz(got.message->headers->v[0].text, "Subject: x\n y\n"));
    assert_int_equal(got.message->headers->v[0].name_n, 7);
    assert_true(got.session->tls_in.bits == 256);
    assert_true(str_eqz(*(struct str *)map_get(got.acl_m, STR_LIT("m_x")), "v"));
    assert_true(str_eqz(*(struct str *)map_get(got.router_vars, STR_LIT("r_y")), "r"));
    assert_null(got.acl_c);
    assert_int_equal(got.captures_n, 2);
    assert_addresses(&got);
    struct buf again = buf_in(a, 0);
    assert_true(local_job_write(&again, &got));
    assert_true(str_eq(buf_str(&again), written(a, &s.job)));
    arena_free(a);
}

/* Who else gets the message, and what authenticators know, stays with us. */
static void
test_not_the_users_business(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct sample s;
    struct local_job got;
    const char *fault;
    fill(a, &s);
    struct str bytes = written(a, &s.job);
    assert_true(str_find(bytes, STR_LIT("bcc@x"), 0) == STR_NPOS);
    assert_true(str_find(bytes, STR_LIT("secret"), 0) == STR_NPOS);
    assert_true(local_job_read(a, bytes, &got, &fault));
    assert_true(got.message->recipients.n == 0 && got.message->recipients_hidden == 1);
    s.job.with_recipients = true;
    assert_true(local_job_read(a, written(a, &s.job), &got, &fault));
    assert_true(got.message->recipients.n == 1 && got.message->recipients_hidden == 0);
    arena_free(a);
}

static void
test_cut_short(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct sample s;
    struct local_job got;
    const char *fault;
    fill(a, &s);
    struct str bytes = written(a, &s.job);
    for (size_t n = 0; n < bytes.n; n++) {
        assert_false(local_job_read(a, str_sub(bytes, 0, n), &got, &fault));
        assert_non_null(fault);
        assert_true(got.message == NULL && got.n == 0);
    }
    assert_false(local_job_read(a, str_cat(a, bytes, STR_LIT("x")), &got, &fault));
    assert_string_equal(fault, "bytes behind the end");
    arena_free(a);
}

static const char *
fault_of(struct arena *a, struct buf *b)
{
    struct local_job got;
    const char *fault;
    assert_false(local_job_read(a, buf_str(b), &got, &fault));
    return fault;
}

static struct buf
begun(struct arena *a)
{
    struct buf b = buf_in(a, 0);
    const struct local_job_call call = {.kind = LOCAL_JOB_LOOK};
    assert_true(record_put(&b, LOCAL_JOB_TAG_CALL, local_job_rows(LOCAL_JOB_TAG_CALL), &call));
    return b;
}

static void
add(struct buf *b, enum local_job_tag tag, const void *object)
{
    assert_true(record_put(b, (unsigned char)tag, local_job_rows(tag), object));
}

static void
test_forged(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct message m = {.size = 1};
    const struct local_job_address forward = {.a = {.text = STR_LIT("a")}, .parent = 1};
    const struct local_job_reply reply = {.id = 0};
    const struct header nameless = {.text = STR_LIT("no header")};
    struct local_job_text text = {.of = LOCAL_JOB_TEXT_ARGUMENT};
    struct buf b = begun(a);
    add(&b, LOCAL_JOB_TAG_ADDRESS, &forward);
    assert_string_equal(fault_of(a, &b), "an address that cannot be");
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_REPLY, &reply);
    assert_string_equal(fault_of(a, &b), "a reply without an address");
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_TEXT, &text);
    assert_string_equal(fault_of(a, &b), "an argument too many");
    text.of = LOCAL_JOB_TEXT_PIPE;
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_TEXT, &text);
    assert_string_equal(fault_of(a, &b), "a text too many");
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_HEADER, &nameless);
    assert_string_equal(fault_of(a, &b), "a header line too many");
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_MESSAGE, &m);
    add(&b, LOCAL_JOB_TAG_HEADER, &nameless);
    assert_string_equal(fault_of(a, &b), "a header line without a name");
    b = begun(a);
    add(&b, LOCAL_JOB_TAG_MESSAGE, &m);
    add(&b, LOCAL_JOB_TAG_MESSAGE, &m);
    assert_string_equal(fault_of(a, &b), "a message twice");
    b = buf_in(a, 0);
    add(&b, LOCAL_JOB_TAG_MESSAGE, &m);
    assert_string_equal(fault_of(a, &b), "no call");
    arena_free(a);
}

/* $0 and so on: VM_CAPS of them, no more. */
static void
test_captures_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t n = VM_CAPS - 1; n <= VM_CAPS + 1; n++) {
        struct buf b = begun(a);
        struct local_job got;
        const char *fault;
        const struct local_job_address one = {.a = {.text = STR_LIT("|c")}};
        const struct local_job_text text = {.of = LOCAL_JOB_TEXT_PIPE, .text = STR_LIT("x")};
        static const struct record_rows none = {.n = 0};
        add(&b, LOCAL_JOB_TAG_ADDRESS, &one);
        for (size_t i = 0; i < n; i++)
            add(&b, LOCAL_JOB_TAG_TEXT, &text);
        assert_true(record_put(&b, LOCAL_JOB_TAG_END, &none, &one));
        assert_int_equal(local_job_read(a, buf_str(&b), &got, &fault), n <= VM_CAPS);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_not_the_users_business),
        cmocka_unit_test(test_cut_short),    cmocka_unit_test(test_forged),
        cmocka_unit_test(test_captures_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
