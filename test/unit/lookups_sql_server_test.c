/* Unit tests of lookups/sql_server.c, with servers of our own: what stands before the host decides how they answer. */
#include "lookups/sql_server.h"
#include "lookups_fixture.h"

/* A connection: its two ends. */
struct line {
    int ours, theirs;
};

static unsigned opened, closed;

static void
close_line(void *connection)
{
    struct line *l = connection;
    close(l->ours);
    if (l->theirs >= 0)
        close(l->theirs);
    free(l);
    closed++;
}

static int
line_descriptor(void *connection)
{
    return ((struct line *)connection)->ours;
}

static struct line *
open_line(void)
{
    int ends[2];
    struct line *l = calloc(1, sizeof *l);
    assert_non_null(l);
    assert_int_equal(pipe(ends), 0);
    l->ours = ends[0];
    l->theirs = ends[1];
    opened++;
    return l;
}

/* Finds "host|database|user|password|query"; a host "down…" does not answer, "none…" has nothing, and the query "hang up"
 * ends the connection from the other side. */
static enum sql_end
ask(struct sql_query *q, const struct sql_server *s, struct str *data)
{
    if (str_starts(s->host, "down")) {
        q->why = str_printf(vm_scratch(q->c->vm), "%.*s is down", STR_ARG(s->host));
        return SQL_NEXT;
    }
    struct line *l = sql_pool_get(q->pool, s);
    if (l == NULL) {
        l = open_line();
        sql_pool_put(q->pool, s, l);
    }
    if (str_eqz(q->text, "hang up")) {
        close(l->theirs);
        l->theirs = -1;
    }
    if (str_eqz(q->text, "drop"))
        sql_pool_drop(q->pool, l);
    if (str_starts(s->host, "none"))
        return SQL_NOT_FOUND;
    *data = str_printf(vm_scratch(q->c->vm), "%.*s|%.*s|%.*s|%.*s|%.*s", STR_ARG(s->host),
                       STR_ARG(s->database), STR_ARG(s->user), STR_ARG(s->password),
                       STR_ARG(q->text));
    return SQL_FOUND;
}

static const struct sql_kind four = {.name = "Four",
                                     .short_name = "4",
                                     .option = "four_servers",
                                     .has_user = true,
                                     .ask = ask,
                                     .close = close_line,
                                     .descriptor = line_descriptor};
static const struct sql_kind three = {.name = "Three",
                                      .short_name = "3",
                                      .option = "three_servers",
                                      .ask = ask,
                                      .close = close_line,
                                      .descriptor = line_descriptor};

static const char *
find_in(struct lookups_fixture *f, const struct sql_kind *kind, void *pool, const char *list,
        const char *options, const char *query)
{
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm, .options = str_from_cstr(options)};
    struct str data = STR_NULL;
    switch (sql_server_find(kind, &c, pool, str_from_cstr(list), str_from_cstr(query), &data)) {
    case OUT_OK:
        return str_dup(f->arena, data).p;
    case OUT_FAIL:
        return "-";
    case OUT_DEFER:
        return str_printf(f->arena, "~%.*s", STR_ARG(vm_error(f->vm))).p;
    case OUT_DECLINE:
    case OUT_PASS:
    case OUT_ERROR:
    default:
        return "?";
    }
}

static const char *
find(struct lookups_fixture *f, const struct sql_kind *kind, const char *list,
     const char *options, const char *query)
{
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    void *pool = sql_pool_open(kind, &c);
    assert_true(sql_pool_check(&c, pool, ""));
    const char *out = find_in(f, kind, pool, list, options, query);
    sql_pool_close(pool);
    return out;
}

static void
items_of_lists(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(find(f, &four, "h::1/d/u/p", "", "q"), "h:1|d|u|p|q");
    assert_string_equal(find(f, &four, "(/a/b)[g]//u/", "", " q "), "(/a/b)[g]||u||q ");
    assert_string_equal(find(f, &four, "h/d/p", "", "q"), "~incomplete 4 server data: h/d");
    assert_string_equal(find(f, &four, "p", "", "q"), "~incomplete 4 server data: p");
    assert_string_equal(find(f, &three, "h::1", "", "q"), "h:1||||q");
    assert_string_equal(find(f, &three, "h/d", "", "q"), "h|d|||q");
    assert_string_equal(find(f, &three, "h/d/p/q", "", "q"), "h|d||p/q|q");
    assert_string_equal(find(f, &three, "(/a/b)/d/p", "", "q"), "(/a/b)|d||p|q");
    assert_string_equal(find(f, &three, "(/a/b", "", "q"), "(|a||b|q");
}

static void
servers_are_tried_in_turn(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(find(f, &three, "down1:down2:h", "", "q"), "h||||q");
    assert_string_equal(find(f, &three, "down1:down2", "", "q"), "~down2 is down");
    assert_string_equal(find(f, &three, "none:h", "", "q"), "-");
    assert_string_equal(find(f, &four, "bad:h/d/u/p", "", "q"),
                        "~incomplete 4 server data: bad");
    assert_string_equal(find(f, &four, "", "", "q"), "~the list of Four servers is empty");
    assert_string_equal(find(f, &four, NULL, "", "q"),
                        "~no Four servers defined (four_servers option)");
    assert_string_equal(find(f, &four, NULL, "", "  "), "-");
}

static void
servers_of_a_lookup(void **state)
{
    struct lookups_fixture *f = *state;
    const char *list = "a/d/u/p:b::2/d/u/p";
    assert_string_equal(find(f, &four, list, "servers=x/1/2/3", "q"), "x|1|2|3|q");
    assert_string_equal(find(f, &four, list, "o,servers=b::2", "q"), "b:2|d|u|p|q");
    assert_string_equal(find(f, &four, list, "servers=b", "q"),
                        "~Four server \"b\" not found in four_servers");
    assert_string_equal(find(f, &four, list, "", "servers=x/1/2/3; q"), "x|1|2|3|q");
    assert_string_equal(find(f, &four, list, "", " servers = down/1/2/3:a ;q"), "a|d|u|p|q");
    assert_string_equal(find(f, &four, list, "", "servers=x q"),
                        "~missing ; after \"servers=\" in Four lookup");
    assert_string_equal(find(f, &four, list, "", "servers= ; q"),
                        "~\"servers=\" defines no servers in \"servers= ; q\"");
    assert_string_equal(find(f, &four, list, "", "serversx=1; q"), "a|d|u|p|serversx=1; q");
    assert_string_equal(find(f, &four, list, "", "servers"), "a|d|u|p|servers");
}

static void
connections_stay_open(void **state)
{
    struct lookups_fixture *f = *state;
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    void *pool = sql_pool_open(&three, &c);
    opened = closed = 0;
    find_in(f, &three, pool, "a", "", "1");
    find_in(f, &three, pool, "a", "", "2");
    find_in(f, &three, pool, "a/1", "", "3");
    assert_int_equal(opened, 2);
    find_in(f, &three, pool, "a", "", "hang up");
    assert_int_equal(opened, 2);
    assert_string_equal(find_in(f, &three, pool, "a", "", "4"), "a||||4");
    assert_int_equal(opened, 3);
    find_in(f, &three, pool, "a", "", "drop");
    assert_int_equal(closed, 2);
    for (unsigned i = 0; i < 25; i++)
        find_in(f, &three, pool, str_printf(f->arena, "many%u", i).p, "", "q");
    assert_int_equal(opened, 28);
    assert_int_equal(opened - closed, 20);
    sql_pool_close(pool);
    assert_int_equal(opened, closed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(items_of_lists),
        LOOKUP_TEST(servers_are_tried_in_turn),
        LOOKUP_TEST(servers_of_a_lookup),
        LOOKUP_TEST(connections_stay_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
