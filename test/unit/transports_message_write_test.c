/* Messages as transports write them: lines changed at every place where a buffer may end, header lines, envelopes, filters. */
#include "transports/message_write.h"

#include "filter_vm_fixture.h"

#include "base/arena.h"
#include "sys/file.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

struct collected {
    struct buf text;
    size_t fail_at; /* put fails when more than that came; 0: never */
};

static bool
collect(void *ctx, struct iovec *v, int n)
{
    struct collected *c = ctx;
    for (int i = 0; i < n; i++)
        buf_add(&c->text, v[i].iov_base, v[i].iov_len);
    errno = ENOSPC;
    return c->fail_at == 0 || c->text.n <= c->fail_at;
}

static struct str
lines_in_pieces(struct arena *a, struct str in, size_t piece, struct message_lines l)
{
    struct collected c = {.text = buf_in(a, 0)};
    struct message_sink s = {.arena = a, .put = collect, .ctx = &c, .fd = -1};
    for (size_t i = 0; i < in.n; i += piece)
        assert_true(message_sink_lines(&s, &l, in.p + i, in.n - i < piece ? in.n - i : piece));
    assert_true(message_sink_lines_end(&s, &l));
    assert_true(message_sink_flush(&s));
    assert_int_equal(s.bytes, (int64_t)c.text.n);
    return buf_str(&c.text);
}

static void
test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *in, *check, *escape, *out;
        bool crlf;
    } cases[] = {
        {"From a\nb\nFrom c\nFro\nFrom", "From ", ">From ", ">From a\nb\n>From c\nFro\nFrom",
         false},
        {"From a\nFrom \n\nF", "From ", ">From ", ">From a\n>From \n\nF", false},
        {".\n..\nx.\n.", ".", "..", "..\r\n...\r\nx.\r\n..", true},
        {"a\r\nb\n\r\n\n", "", "", "a\r\nb\r\n\r\n\r\n", true},
        {"a\r\nb\n", "", "", "a\r\nb\n", false},
        {"FFrom \nFFFrom \n", "FFrom ", ">", ">\nFFFrom \n", false},
        {"\n.\n", ".", "", "\n\n", false},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t piece = 1; piece < 20; piece++) {
            const struct message_lines l = {.check = str_from_cstr(cases[i].check),
                                            .escape = str_from_cstr(cases[i].escape),
                                            .crlf = cases[i].crlf};
            struct str out = lines_in_pieces(a, str_from_cstr(cases[i].in), piece, l);
            if (!str_eqz(out, cases[i].out))
                fail_msg("case %zu in pieces of %zu: %.*s", i, piece, STR_ARG(out));
        }
    arena_free(a);
}

static void
test_sink_fault(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct collected c = {.text = buf_in(a, 0), .fail_at = 10};
    struct message_sink s = {.arena = a, .put = collect, .ctx = &c, .fd = -1};
    assert_true(message_sink_add(&s, "0123456789", 10));
    assert_true(message_sink_flush(&s));
    assert_true(message_sink_add(&s, "x", 1)); /* gathered */
    assert_false(message_sink_flush(&s));
    assert_int_equal(s.sys_errno, ENOSPC);
    assert_false(message_sink_add(&s, "y", 1));
    assert_false(message_sink_flush(&s));
    assert_int_equal(c.text.n, 11); /* nothing after the fault */
    arena_free(a);
}

/* --- whole messages --- */

static const struct transport_driver driver = {.place = TRANSPORT_LOCAL};

struct sample {
    struct header_list headers;
    struct message message;
    struct address parent, pipe, mail;
    struct address *both[2];
    struct transport_generic generic;
    struct driver_instance transport;
    struct message_write w;
    struct fixture *f;
};

static struct sample *
sample(struct fixture *f, const char *body)
{
    struct sample *s = ARENA_NEW(f->arena, struct sample);
    s->f = f;
    header_list_add(f->arena, &s->headers, STR_LIT("Received: by x\n\tfor y"), HEADER_AT_END);
    header_list_add(f->arena, &s->headers, STR_LIT("Subject: one"), HEADER_AT_END);
    header_list_add(f->arena, &s->headers, STR_LIT("X-Spam: yes"), HEADER_AT_END);
    header_list_add(f->arena, &s->headers, STR_LIT("X-Spam-Score: 9"), HEADER_AT_END);
    s->message = (struct message){.headers = &s->headers,
                                  .sender = STR_LIT("from@test.ex"),
                                  .body_fd = -1,
                                  .body_text = str_from_cstr(body)};
    s->parent = (struct address){.text = STR_LIT("list@test.ex")};
    s->pipe = (struct address){
        .text = STR_LIT("|/bin/cat"), .item = ADDRESS_ITEM_PIPE, .parent = &s->parent};
    s->mail = (struct address){.text = STR_LIT("pre-user+x@test.ex"),
                               .prefix = STR_LIT("pre-"),
                               .suffix = STR_LIT("+x")};
    s->both[0] = &s->pipe;
    s->both[1] = &s->mail;
    s->transport =
        (struct driver_instance){.name = STR_LIT("t"),
                                 .driver = &driver.base,
                                 .generic = {.fields = &s->generic}};
    message_write_plain(&s->w, f->arena, &s->message, -1, 0);
    s->w.vm = f->vm;
    s->w.transport = &s->transport;
    s->w.addresses = s->both;
    s->w.n = 2;
    s->w.now = 920367873;
    s->w.utc = true;
    return s;
}

static struct str
written(struct sample *s, struct message_written *end)
{
    struct why why = {.outcome = OUT_OK};
    struct collected c = {.text = buf_in(s->f->arena, 0)};
    struct message_sink sink = {.arena = s->f->arena, .put = collect, .ctx = &c, .fd = -1};
    if (message_write_prepare(&s->w, &why) != OUT_OK)
        return why.log;
    message_write(&s->w, &sink, end);
    return buf_str(&c.text);
}

static void
check_text(struct sample *s, const char *expected)
{
    struct message_written end;
    struct str text = written(s, &end);
    if (!end.ok || !str_eqz(text, expected))
        fail_msg("%d: %.*s", message_written_code(&end), STR_ARG(text));
    assert_int_equal(end.bytes, (int64_t)text.n);
}

#define HEADERS "Received: by x\n\tfor y\nSubject: one\nX-Spam: yes\nX-Spam-Score: 9\n"

static void
test_plain(void **state)
{
    struct sample *s = sample(*state, "body\n");
    check_text(s, HEADERS "\nbody\n");
    s->w.flags = MESSAGE_WRITE_NO_BODY;
    check_text(s, HEADERS "\n");
    s->w.flags = MESSAGE_WRITE_NO_BODY | MESSAGE_WRITE_NO_BLANK;
    check_text(s, HEADERS);
    s->w.flags = MESSAGE_WRITE_NO_HEADERS | MESSAGE_WRITE_RETURN_PATH;
    check_text(s, "body\n");
    s->w.body_max = 3;
    check_text(s, "bod");
    s->w.body_max = 0;
    check_text(s, "");
}

static void
test_trace(void **state)
{
    struct sample *s = sample(*state, "b\n");
    struct address same = {.text = STR_LIT("other@test.ex")};
    s->mail.next_duplicate = &same;
    s->w.flags = MESSAGE_WRITE_RETURN_PATH | MESSAGE_WRITE_ENVELOPE_TO |
                 MESSAGE_WRITE_DELIVERY_DATE | MESSAGE_WRITE_NO_BODY;
    s->w.prefix.text = STR_LIT("From x\n");
    s->w.suffix.text = STR_LIT("\n");
    check_text(s, "From x\nReturn-path: <from@test.ex>\n"
                  "Envelope-to: list@test.ex,\n other@test.ex,\n pre-user+x@test.ex\n"
                  "Delivery-date: Tue, 02 Mar 1999 09:44:33 +0000\n" HEADERS "\n\n");
}

static void
test_header_changes(void **state)
{
    struct sample *s = sample(*state, "b\n");
    s->pipe.headers_add = STR_LIT("R: 1\n");
    s->pipe.headers_remove = STR_LIT("SUBJECT : nothing");
    s->generic.headers_remove.text = STR_LIT("x-spam-* : ${if eq{a}{b}{}fail} :");
    s->generic.headers_add.text =
        STR_LIT("T: $domain\n${if eq{a}{b}{}fail}\nU: ${if eq{a}{b}{x}}");
    check_text(s, "Received: by x\n\tfor y\nX-Spam: yes\nR: 1\nT: example.org\nU: \n\nb\n");
    struct message_written end;
    s->generic.headers_add.text = STR_LIT("T: ${nosuch:a}");
    struct str text = written(s, &end);
    assert_true(str_starts(text, "Failed to expand headers_add or headers_remove: unknown"));
    s->generic.headers_add.text = STR_NULL;
    s->w.prefix.text = STR_LIT("${nosuch:a}");
    text = written(s, &end);
    assert_true(
        str_starts(text, "Expansion of \"${nosuch:a}\" (prefix for t transport) failed: "));
}

static bool
shout(void *ctx, struct arena *a, const struct header *h, struct str *out)
{
    (void)ctx;
    if (!str_ieqz(header_name(h), "subject"))
        return false;
    *out = str_upper(a, h->text);
    return true;
}

static void
test_rewrite(void **state)
{
    struct sample *s = sample(*state, "b\n");
    s->pipe.headers_add = STR_LIT("Subject: added\n");
    s->w.rewrite = shout;
    check_text(s, "Received: by x\n\tfor y\nSUBJECT: ONE\nX-Spam: yes\nX-Spam-Score: 9\n"
                  "Subject: added\n\nb\n");
}

static void
test_envelope(void **state)
{
    struct sample *s = sample(*state, ".a\nb");
    s->w.flags = MESSAGE_WRITE_BSMTP | MESSAGE_WRITE_NO_HEADERS | MESSAGE_WRITE_CRLF;
    check_text(s, "MAIL FROM:<from@test.ex>\r\nRCPT TO:<list@test.ex>\r\n"
                  "RCPT TO:<user@test.ex>\r\nDATA\r\n..a\r\nb\r\n.\r\n");
    s->w.flags = MESSAGE_WRITE_BSMTP | MESSAGE_WRITE_NO_HEADERS | MESSAGE_WRITE_AFFIXES;
    check_text(s, "MAIL FROM:<from@test.ex>\nRCPT TO:<list@test.ex>\n"
                  "RCPT TO:<pre-user+x@test.ex>\nDATA\n..a\nb\n.\n");
}

/* A body that is larger than every buffer, on a descriptor, behind something else. */
static int
large_body(size_t lines)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, "first\n", 6) == 6);
    for (size_t i = 0; i < lines; i++)
        assert_int_equal(write(fd, "From here to there and back, once\n", 34), 34);
    return fd;
}

enum { LARGE_LINES = 20000 };

static void
test_descriptor(void **state)
{
    struct sample *s = sample(*state, "");
    struct message_written end;
    s->w.body_fd = large_body(LARGE_LINES);
    s->w.body_start = 6;
    s->w.flags = MESSAGE_WRITE_NO_HEADERS;
    s->w.check = STR_LIT("From ");
    s->w.escape = STR_LIT(">From ");
    struct str text = written(s, &end);
    assert_true(end.ok);
    assert_int_equal(text.n, LARGE_LINES * 35);
    for (size_t i = 0; i < LARGE_LINES; i++)
        assert_memory_equal(text.p + i * 35, ">From here to there and back, once\n", 35);
    s->w.body_max = 34 * 5000;
    assert_int_equal(written(s, &end).n, 35 * 5000);
    close(s->w.body_fd);
    s->w.body_fd = open("/", O_RDONLY | O_CLOEXEC);
    written(s, &end);
    assert_false(end.ok);
    assert_true(end.reading);
    assert_int_equal(end.sys_errno, EISDIR);
    close(s->w.body_fd);
}

/* --- transport filters --- */

static void
test_filter(void **state)
{
    struct sample *s = sample(*state, "From b\n");
    struct message_written end;
    s->w.flags = MESSAGE_WRITE_NO_HEADERS;
    s->w.check = STR_LIT("From ");
    s->w.escape = STR_LIT(">From ");
    s->w.filter_timeout_s = 20;
    s->generic.transport_filter_timeout = 20;
    s->generic.transport_filter.text = STR_LIT("/usr/bin/tr o '${if eq{a}{a}{0}}'");
    check_text(s, "Fr0m b\n");
    s->generic.transport_filter.text = STR_LIT("/bin/sh -c 'echo From filter; cat'");
    check_text(s, ">From filter\n>From b\n");
    s->generic.transport_filter.text = STR_LIT("/bin/echo $pipe_addresses");
    check_text(s, "|/bin/cat pre-user+x@test.ex\n");
    s->generic.transport_filter.text = STR_LIT("${if eq{a}{b}{/bin/false}}");
    assert_true(str_starts(written(s, &end), "Expansion of \"${if\" from command"));
    s->generic.transport_filter.text = STR_LIT("'${if eq{a}{b}{/bin/false}}'");
    check_text(s, ">From b\n");
}

static void
test_filter_faults(void **state)
{
    struct sample *s = sample(*state, "b\n");
    struct message_written end;
    s->generic.transport_filter_timeout = 20;
    s->generic.transport_filter.text = STR_LIT("/bin/sh -c 'cat; exit 3'");
    written(s, &end);
    assert_true(!end.ok && end.filter_failed && !end.filter_timed_out);
    assert_int_equal(message_written_code(&end), 3);
    s->generic.transport_filter.text = STR_LIT("/no/such/filter");
    written(s, &end);
    assert_true(end.filter_failed);
    assert_int_equal(message_written_code(&end), SPAWN_NO_EXEC);
    s->generic.transport_filter.text = STR_LIT("/bin/sh -c 'kill -9 \\$\\$'");
    written(s, &end);
    assert_false(end.ok);
    s->generic.transport_filter_timeout = 1;
    s->generic.transport_filter.text = STR_LIT("/bin/sleep 100");
    written(s, &end);
    assert_true(!end.ok && end.filter_timed_out && !end.filter_failed);
    assert_int_equal(end.sys_errno, ETIMEDOUT);
}

/* More than any pipe holds, both ways, by a filter that answers while it reads. */
static void
test_filter_large(void **state)
{
    struct sample *s = sample(*state, "");
    struct message_written end;
    s->w.body_fd = large_body(LARGE_LINES);
    s->w.body_start = 6;
    s->w.flags = MESSAGE_WRITE_NO_HEADERS;
    s->generic.transport_filter_timeout = 20;
    s->generic.transport_filter.text = STR_LIT("/bin/cat");
    assert_int_equal(written(s, &end).n, LARGE_LINES * 34);
    assert_true(end.ok);
    s->generic.transport_filter.text = STR_LIT("/usr/bin/head -2"); /* does not read it all */
    assert_int_equal(written(s, &end).n, 2 * 34);
    assert_true(end.ok);
    close(s->w.body_fd);
}

static int
setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    return fixture_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sink_fault),
        cmocka_unit_test_setup_teardown(test_plain, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_trace, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_header_changes, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rewrite, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_envelope, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_descriptor, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_filter, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_filter_faults, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_filter_large, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
