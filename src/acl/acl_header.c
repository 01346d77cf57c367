/* Header lines that ACLs add and remove. Source: specification, "Adding header lines in ACLs", "Removing header lines in ACLs". */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "mail/header.h"

struct acl_message *
acl_message_of(struct message *m)
{
    if (m->acl == NULL)
        m->acl = ARENA_NEW(m->arena, struct acl_message);
    return m->acl;
}

struct acl_connection *
acl_connection_of(struct session *s)
{
    if (s->acl == NULL)
        s->acl = ARENA_NEW(s->arena, struct acl_connection);
    return s->acl;
}

/* --- asking for lines --- */

static const struct {
    const char *word;
    enum acl_header_place place;
} places[] = {
    {":at_start_rfc:", ACL_HEADER_AT_START_RFC},
    {":at_start:", ACL_HEADER_AT_START},
    {":after_received:", ACL_HEADER_AFTER_RECEIVED},
    {":at_end:", ACL_HEADER_AT_END},
};

static enum acl_header_place
take_place(struct str *text)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!str_starts(*text, places[i].word))
            continue;
        *text = str_trim_left(str_sub(*text, strlen(places[i].word), text->n));
        return places[i].place;
    }
    return ACL_HEADER_AT_END;
}

static bool
is_there(const struct acl_message *m, struct str text)
{
    for (size_t i = 0; i < m->added.n; i++)
        if (str_eq(m->added.v[i].text, text))
            return true;
    return false;
}

/* One line, perhaps folded, without its last newline. */
static void
add_one(struct message *m, struct str text)
{
    struct acl_message *am = acl_message_of(m);
    struct acl_header h = {.place = take_place(&text)};
    bool good = header_name_length(text) > 0;
    h.text = str_printf(m->arena, "%s%.*s\n", good ? "" : "X-ACL-Warn: ", STR_ARG(text));
    if (!is_there(am, h.text))
        vec_push(m->arena, &am->added, h);
}

/* Where the line at `at` ends: before a newline that does not fold. */
static size_t
line_end(struct str s, size_t at)
{
    size_t nl = str_chr(s, '\n', at);
    while (nl != STR_NPOS && nl + 1 < s.n && (s.p[nl + 1] == ' ' || s.p[nl + 1] == '\t'))
        nl = str_chr(s, '\n', nl + 1);
    return nl == STR_NPOS ? s.n : nl;
}

static struct str
without_newlines(struct str s)
{
    while (s.n > 0 && s.p[0] == '\n')
        s = str_sub(s, 1, s.n);
    while (s.n > 0 && s.p[s.n - 1] == '\n')
        s = str_sub(s, 0, s.n - 1);
    return s;
}

void
acl_add_headers(struct acl_call *c, struct str text)
{
    struct eval *e = c->r->eval;
    if (e->message == NULL)
        return;
    text = without_newlines(text);
    for (size_t at = 0; at < text.n;) {
        size_t end = line_end(text, at);
        add_one(e->message, str_sub(text, at, end - at));
        at = end + 1;
    }
    if (e->session != NULL)
        e->session->headers_added = acl_headers_added(e->message->arena, e->message);
}

enum acl_test
acl_mod_add_header(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    acl_add_headers(c, arg);
    return ACL_TEST_TRUE;
}

enum acl_test
acl_mod_remove_header(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct message *m = c->r->eval->message;
    struct str name;
    (void)item;
    if (m == NULL)
        return ACL_TEST_TRUE;
    struct strlist_split s = strlist_split_start(arg, ':');
    while (strlist_split_next(&s, m->arena, &name))
        if (name.n > 0)
            vec_push(m->arena, &acl_message_of(m)->removed, str_dup(m->arena, name));
    return ACL_TEST_TRUE;
}

/* A newline that folds is shown as two. */
static void
add_shown(struct buf *b, struct str text)
{
    for (uint32_t i = 0; i < text.n; i++) {
        buf_addc(b, text.p[i]);
        if (text.p[i] == '\n' && i + 1 < text.n)
            buf_addc(b, '\n');
    }
}

struct str
acl_headers_added(struct arena *a, const struct message *m)
{
    if (m->acl == NULL || m->acl->added.n == 0)
        return STR_NULL;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < m->acl->added.n; i++)
        add_shown(&b, m->acl->added.v[i].text);
    return str_sub(buf_str(&b), 0, b.n - 1);
}

/* --- into the message --- */

/* Index in the list where a line of that kind goes. */
static size_t
position(const struct header_list *l, enum acl_header_place place)
{
    size_t at = 0;
    if (place == ACL_HEADER_AT_END)
        return l->n;
    if (place == ACL_HEADER_AT_START)
        return 0;
    if (place == ACL_HEADER_AFTER_RECEIVED) {
        while (at < l->n && l->v[at].type != HEADER_TYPE_RECEIVED)
            at++;
        size_t last =
            at; /* lines that are taken out do not end the block, nor are they of it */
        for (; at < l->n &&
               (l->v[at].type == HEADER_TYPE_RECEIVED || l->v[at].type == HEADER_TYPE_DELETED);
             at++)
            if (l->v[at].type == HEADER_TYPE_RECEIVED)
                last = at + 1;
        return last;
    }
    while (at < l->n &&
           (l->v[at].type == HEADER_TYPE_RECEIVED || str_istarts(l->v[at].text, "Resent-")))
        at++;
    return at;
}

/* Adds at the end, then moves the line to its place. */
static void
put(struct message *m, const struct acl_header *h)
{
    struct header_list *l = m->headers;
    size_t to = position(l, h->place);
    if (!header_list_add(m->arena, l, h->text, HEADER_AT_END))
        return;
    struct header last = l->v[l->n - 1];
    for (size_t i = l->n - 1; i > to; i--)
        l->v[i] = l->v[i - 1];
    l->v[to] = last;
    l->changes++;
}

void
acl_apply_headers(struct message *m, struct session *s)
{
    struct acl_message *am = m->acl;
    if (am == NULL || m->headers == NULL)
        return;
    for (size_t i = 0; i < am->removed.n; i++)
        (void)header_list_remove(m->headers, am->removed.v[i], 0);
    for (size_t i = 0; i < am->added.n; i++)
        put(m, &am->added.v[i]);
    am->removed.n = 0;
    am->added.n = 0;
    if (s != NULL)
        s->headers_added = STR_NULL;
}
