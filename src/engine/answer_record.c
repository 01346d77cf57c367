/* The answers of a local transport as bytes; see answer_record.h. */
#include "engine/answer_record.h"

enum { HEAD_N = 9, NUMBER_N = 8, END_TYPE = 'Z' };

enum kind { KIND_INT, KIND_INT64, KIND_BOOL, KIND_ENUM, KIND_TEXT };

struct row {
    char type;
    enum kind kind;
    size_t offset;
    int64_t low, high; /* high: of a text its longest length */
};

#define KIND_OF(f)                                                                             \
    _Generic(((struct transport_answer *)0)->f, int                                            \
             : KIND_INT, int64_t                                                               \
             : KIND_INT64, bool                                                                \
             : KIND_BOOL, enum outcome                                                         \
             : KIND_ENUM)

static const struct row rows[] = {
#define ANSWER_NUMBER(t, f, l, h)                                                              \
    {.type = (t),                                                                              \
     .kind = KIND_OF(f),                                                                       \
     .offset = offsetof(struct transport_answer, f),                                           \
     .low = (l),                                                                               \
     .high = (h)},
#define ANSWER_TEXT(t, f, max)                                                                 \
    {.type = (t),                                                                              \
     .kind = KIND_TEXT,                                                                        \
     .offset = offsetof(struct transport_answer, f),                                           \
     .high = (max)},
#include "engine/answer_record.def"
#undef ANSWER_NUMBER
#undef ANSWER_TEXT
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* --- writing --- */

static void
put_number(char *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(v >> 8 * i & 0xff);
}

static void
add_record(struct buf *out, char type, size_t index, struct str value)
{
    char head[HEAD_N] = {type};
    put_number(head + 1, index, 4);
    put_number(head + 5, value.n, 4);
    buf_add(out, head, sizeof head);
    buf_add(out, value.p, value.n);
}

static int64_t
number_of(const struct row *r, const void *field)
{
    switch (r->kind) {
    case KIND_INT:
        return *(const int *)field;
    case KIND_INT64:
        return *(const int64_t *)field;
    case KIND_BOOL:
        return *(const bool *)field;
    case KIND_ENUM:
        return *(const enum outcome *)field;
    case KIND_TEXT:
        break;
    }
    return 0;
}

static void
add_field(struct buf *out, const struct row *r, size_t index, const void *field)
{
    char bytes[NUMBER_N];
    if (r->kind == KIND_TEXT) {
        const struct str *s = field;
        if (str_is_set(*s))
            add_record(out, r->type, index, str_sub(*s, 0, (size_t)r->high));
        return;
    }
    int64_t n = number_of(r, field);
    if (n == 0 && r->kind != KIND_ENUM)
        return;
    put_number(bytes, (uint64_t)n, sizeof bytes);
    add_record(out, r->type, index, str_from(bytes, sizeof bytes));
}

void
answer_record_add(struct buf *out, const struct transport_answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ROWS; k++)
            add_field(out, &rows[k], i, (const char *)&answers[i] + rows[k].offset);
    add_record(out, END_TYPE, n, STR_EMPTY);
}

/* --- reading --- */

struct record {
    char type;
    uint32_t index;
    struct str value;
};

static uint64_t
get_number(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return v;
}

static bool
next_record(struct str *rest, struct record *out)
{
    if (rest->n < HEAD_N)
        return false;
    uint64_t n = get_number(rest->p + 5, 4);
    if (n > rest->n - HEAD_N)
        return false;
    *out = (struct record){
        .type = rest->p[0],
        .index = (uint32_t)get_number(rest->p + 1, 4),
        .value = str_sub(*rest, HEAD_N, n),
    };
    *rest = str_sub(*rest, HEAD_N + n, rest->n);
    return true;
}

static const char *
take_number(const struct row *r, struct str value, void *field)
{
    if (value.n != NUMBER_N)
        return "a number of a wrong length";
    int64_t n = (int64_t)get_number(value.p, NUMBER_N);
    if (n < r->low || n > r->high)
        return "a number out of range";
    if (r->kind == KIND_ENUM && (n == OUT_DECLINE || n == OUT_PASS))
        return "an outcome that no delivery has";
    if (r->kind == KIND_INT)
        *(int *)field = (int)n;
    else if (r->kind == KIND_INT64)
        *(int64_t *)field = n;
    else if (r->kind == KIND_BOOL)
        *(bool *)field = n != 0;
    else
        *(enum outcome *)field = (enum outcome)n;
    return NULL;
}

static const char *
take_field(const struct record *rec, struct transport_answer *answer, uint32_t *seen)
{
    size_t k = 0;
    while (k < ROWS && rows[k].type != rec->type)
        k++;
    if (k == ROWS)
        return "an unknown type";
    if ((*seen & 1u << k) != 0)
        return "a field twice";
    *seen |= 1u << k;
    void *field = (char *)answer + rows[k].offset;
    if (rows[k].kind != KIND_TEXT)
        return take_number(&rows[k], rec->value, field);
    if ((int64_t)rec->value.n > rows[k].high)
        return "a text that is too long";
    *(struct str *)field = rec->value;
    return NULL;
}

/* Answers come in order, each beginning with its outcome: at is the one that comes now. */
static const char *
read_all(struct str rest, struct transport_answer *answers, size_t n)
{
    struct record rec;
    uint32_t seen = 0;
    size_t at = 0; /* answers that have begun */
    while (next_record(&rest, &rec)) {
        if (rec.type == END_TYPE)
            return rec.index != n || at != n  ? "too few answers"
                   : rec.value.n + rest.n > 0 ? "bytes behind the end"
                                              : NULL;
        if (rec.type == rows[0].type && rec.index == at && at < n) {
            at++;
            seen = 0;
        }
        if (at == 0 || rec.index != at - 1)
            return "an answer out of order";
        const char *fault = take_field(&rec, &answers[rec.index], &seen);
        if (fault != NULL)
            return fault;
    }
    return "no end";
}

bool
answer_record_read(struct str records, struct transport_answer *answers, size_t n,
                   const char **fault)
{
    memset(answers, 0, n * sizeof *answers);
    *fault = read_all(records, answers, n);
    if (*fault != NULL)
        memset(answers, 0, n * sizeof *answers);
    return *fault == NULL;
}
