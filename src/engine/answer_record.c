/* The answers of a local transport as bytes; see answer_record.h. */
#include "engine/answer_record.h"

#include "base/record.h"

enum { HEAD_N = 9, NUMBER_N = 8, END_TYPE = 'Z' };

struct row {
    char type;
    struct record_row field;
};

static const struct row rows[] = {
#define ANSWER_NUMBER(t, f, l, h)                                                              \
    {.type = (t), .field = RECORD_NUMBER(struct transport_answer, f, l, h)},
#define ANSWER_TEXT(t, f, max)                                                                 \
    {.type = (t), .field = RECORD_TEXT(struct transport_answer, f, max)},
#include "engine/answer_record.def"
#undef ANSWER_NUMBER
#undef ANSWER_TEXT
};

enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert(ROWS <= 64, "which fields were seen is kept in 64 bits");

/* --- writing --- */

static void
add_record(struct buf *out, char type, size_t index, struct str value)
{
    char head[HEAD_N] = {type};
    record_put_number(head + 1, index, 4);
    record_put_number(head + 5, value.n, 4);
    buf_add(out, head, sizeof head);
    buf_add(out, value.p, value.n);
}

static void
add_field(struct buf *out, const struct row *r, size_t index, const void *field)
{
    char bytes[NUMBER_N];
    if (r->field.kind == RECORD_K_TEXT) {
        const struct str *s = field;
        if (str_is_set(*s))
            add_record(out, r->type, index, str_sub(*s, 0, (size_t)r->field.high));
        return;
    }
    int64_t n = record_field_number(r->field.kind, field);
    if (n == 0 && r != &rows[0])
        return;
    record_put_number(bytes, (uint64_t)n, sizeof bytes);
    add_record(out, r->type, index, str_from(bytes, sizeof bytes));
}

void
answer_record_add(struct buf *out, const struct transport_answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ROWS; k++)
            add_field(out, &rows[k], i, (const char *)&answers[i] + rows[k].field.offset);
    add_record(out, END_TYPE, n, STR_EMPTY);
}

/* --- reading --- */

struct answer_field {
    char type;
    uint32_t index;
    struct str value;
};

static bool
next_record(struct str *rest, struct answer_field *out)
{
    if (rest->n < HEAD_N)
        return false;
    uint64_t n = record_get_number(rest->p + 5, 4);
    if (n > rest->n - HEAD_N)
        return false;
    *out = (struct answer_field){
        .type = rest->p[0],
        .index = (uint32_t)record_get_number(rest->p + 1, 4),
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
    int64_t n = (int64_t)record_get_number(value.p, NUMBER_N);
    if (n < r->field.low || n > r->field.high)
        return "a number out of range";
    if (r == &rows[0] && (n == OUT_DECLINE || n == OUT_PASS))
        return "an outcome that no delivery has";
    record_set_number(r->field.kind, field, n);
    return NULL;
}

_Static_assert(ROWS <= 64, "a bit a row");

static const char *
take_field(const struct answer_field *rec, struct transport_answer *answer, uint64_t *seen)
{
    size_t k = 0;
    while (k < ROWS && rows[k].type != rec->type)
        k++;
    if (k == ROWS)
        return "an unknown type";
    if ((*seen & UINT64_C(1) << k) != 0)
        return "a field twice";
    *seen |= UINT64_C(1) << k;
    void *field = (char *)answer + rows[k].field.offset;
    if (rows[k].field.kind != RECORD_K_TEXT)
        return take_number(&rows[k], rec->value, field);
    if ((int64_t)rec->value.n > rows[k].field.high)
        return "a text that is too long";
    *(struct str *)field = rec->value;
    return NULL;
}

/* Answers come in order, each beginning with its outcome: at is the one that comes now. */
static const char *
read_all(struct str rest, struct transport_answer *answers, size_t n)
{
    struct answer_field rec;
    uint64_t seen = 0;
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
