/* Answers of commands; see the header. */
#include "routers/query_answer.h"

#include "base/arena.h"
#include "base/escape.h"

static const char *const words[] = {
    [QUERY_ACCEPT] = "accept",     [QUERY_DECLINE] = "decline", [QUERY_FAIL] = "fail",
    [QUERY_DEFER] = "defer",       [QUERY_FREEZE] = "freeze",   [QUERY_PASS] = "pass",
    [QUERY_REDIRECT] = "redirect",
};

/* The next "name = value" of s, whose value may be in quotes; a word without '=' has an unset value. */
static bool
next_item(struct arena *a, struct str s, size_t *at, struct str *name, struct str *value)
{
    while (*at < s.n && ascii_space(s.p[*at]))
        (*at)++;
    size_t from = *at;
    while (*at < s.n && !ascii_space(s.p[*at]) && s.p[*at] != '=')
        (*at)++;
    *name = str_sub(s, from, *at - from);
    *value = STR_NULL;
    size_t look = *at;
    while (look < s.n && ascii_space(s.p[look]))
        look++;
    if (look >= s.n || s.p[look] != '=')
        return name->n > 0;
    look++;
    while (look < s.n && ascii_space(s.p[look]))
        look++;
    *at = from = look;
    if (look < s.n && s.p[look] == '"') {
        *value = escape_quoted_word(a, s, at);
        return true;
    }
    while (*at < s.n && !ascii_space(s.p[*at]))
        (*at)++;
    *value = str_sub(s, from, *at - from);
    return true;
}

/* The first value of a name counts. */
static void
read_items(struct arena *a, struct query_answer *q)
{
    struct {
        const char *name;
        struct str *value;
    } fields[] = {{"transport", &q->transport},
                  {"hosts", &q->hosts},
                  {"lookup", &q->lookup},
                  {"data", &q->data}};
    struct str name, value;
    size_t at = 0;
    while (next_item(a, q->text, &at, &name, &value)) {
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (str_ieqz(name, fields[i].name) && !str_is_set(*fields[i].value))
                *fields[i].value = value;
    }
}

/* Only one line is expected: newlines separate words. */
static struct str
one_line(struct arena *a, struct str output)
{
    struct str s = str_dup(a, str_sub(output, 0, QUERY_ANSWER_MAX));
    char *p = (char *)(uintptr_t)s.p; /* our own copy */
    for (size_t i = 0; i < s.n; i++)
        if (p[i] == '\n')
            p[i] = ' ';
    return str_trim(s);
}

struct query_answer
query_answer_read(struct arena *a, struct str output)
{
    struct str line = one_line(a, output);
    size_t at = 0;
    while (at < line.n && !ascii_space(line.p[at]))
        at++;
    struct query_answer q = {.kind = QUERY_UNKNOWN};
    q.word = str_sub(line, 0, at);
    q.text = str_trim(str_sub(line, at, line.n));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_ieqz(q.word, words[i]))
            q.kind = (enum query_answer_kind)i;
    if (q.kind == QUERY_ACCEPT)
        read_items(a, &q);
    return q;
}
