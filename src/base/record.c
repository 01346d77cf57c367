/* Structs as records; see record.h. */
#include "base/record.h"

enum { FIELD_HEAD = 5, NUMBER_N = 8, TAINT_N = 4 };

void
record_put_number(char *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        p[i] = (char)(unsigned char)(v >> 8 * i & 0xff);
}

uint64_t
record_get_number(const char *p, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return v;
}

int64_t
record_field_number(enum record_kind kind, const void *field)
{
    switch (kind) {
    case RECORD_K_INT:
        return *(const int *)field;
    case RECORD_K_UNSIGNED:
        return *(const unsigned *)field;
    case RECORD_K_INT64:
        return *(const int64_t *)field;
    case RECORD_K_BOOL:
        return *(const bool *)field;
    case RECORD_K_CHAR:
        return *(const char *)field;
    case RECORD_K_TEXT:
        break;
    }
    return 0;
}

void
record_set_number(enum record_kind kind, void *field, int64_t value)
{
    switch (kind) {
    case RECORD_K_INT:
        *(int *)field = (int)value;
        return;
    case RECORD_K_UNSIGNED:
        *(unsigned *)field = (unsigned)value;
        return;
    case RECORD_K_INT64:
        *(int64_t *)field = value;
        return;
    case RECORD_K_BOOL:
        *(bool *)field = value != 0;
        return;
    case RECORD_K_CHAR:
        *(char *)field = (char)value;
        return;
    case RECORD_K_TEXT:
        return;
    }
}

/* --- writing --- */

static void
put_field(struct buf *out, size_t row, size_t n)
{
    char head[FIELD_HEAD] = {(char)(unsigned char)row};
    record_put_number(head + 1, n, 4);
    buf_add(out, head, sizeof head);
}

static bool
put_text(struct buf *out, const struct record_row *r, size_t row, struct str s)
{
    char taint[TAINT_N];
    if (!str_is_set(s))
        return true;
    if (s.n > (uint64_t)r->high || s.taint > RECORD_TAINT_MAX)
        return false;
    put_field(out, row, sizeof taint + s.n);
    record_put_number(taint, s.taint, sizeof taint);
    buf_add(out, taint, sizeof taint);
    buf_add(out, s.p, s.n);
    return true;
}

static bool
put_number(struct buf *out, const struct record_row *r, size_t row, int64_t value)
{
    char bytes[NUMBER_N];
    if (value == 0)
        return true;
    if (value < r->low || value > r->high)
        return false;
    put_field(out, row, sizeof bytes);
    record_put_number(bytes, (uint64_t)value, sizeof bytes);
    buf_add(out, bytes, sizeof bytes);
    return true;
}

bool
record_put(struct buf *out, unsigned char tag, const struct record_rows *rows,
           const void *object)
{
    char head[RECORD_HEAD] = {(char)tag};
    buf_add(out, head, sizeof head);
    size_t start = out->n;
    for (size_t i = 0; i < rows->n; i++) {
        const struct record_row *r = &rows->v[i];
        const void *field = (const char *)object + r->offset;
        if (r->kind == RECORD_K_TEXT
                ? !put_text(out, r, i, *(const struct str *)field)
                : !put_number(out, r, i, record_field_number(r->kind, field)))
            return false;
    }
    if (!out->overflow)
        record_put_number(out->p + start - 4, out->n - start, 4);
    return true;
}

/* --- reading --- */

bool
record_next(struct str *rest, struct record *out)
{
    if (rest->n < RECORD_HEAD)
        return false;
    uint64_t n = record_get_number(rest->p + 1, 4);
    if (n > rest->n - RECORD_HEAD)
        return false;
    out->tag = (unsigned char)rest->p[0];
    out->body = str_sub(*rest, RECORD_HEAD, n);
    *rest = str_sub(*rest, RECORD_HEAD + n, rest->n);
    return true;
}

static const char *
take_text(const struct record_row *r, struct str value, void *field)
{
    if (value.n < TAINT_N)
        return "a text without its mark";
    if (value.n - TAINT_N > (uint64_t)r->high)
        return "a text that is too long";
    uint64_t taint = record_get_number(value.p, TAINT_N);
    if (taint > RECORD_TAINT_MAX)
        return "a mark out of range";
    *(struct str *)field =
        (struct str){.p = value.p + TAINT_N, .n = value.n - TAINT_N, .taint = (uint32_t)taint};
    return NULL;
}

static const char *
take_number(const struct record_row *r, struct str value, void *field)
{
    if (value.n != NUMBER_N)
        return "a number of a wrong length";
    int64_t n = (int64_t)record_get_number(value.p, NUMBER_N);
    if (n < r->low || n > r->high)
        return "a number out of range";
    record_set_number(r->kind, field, n);
    return NULL;
}

bool
record_read(struct str body, const struct record_rows *rows, void *object, const char **fault)
{
    size_t least = 0; /* the next row may not come before this one */
    *fault = NULL;
    while (body.n > 0 && *fault == NULL) {
        uint64_t row = (unsigned char)body.p[0];
        uint64_t n = body.n < FIELD_HEAD ? 0 : record_get_number(body.p + 1, 4);
        if (body.n < FIELD_HEAD || n > body.n - FIELD_HEAD) {
            *fault = "a field beyond the end";
        } else if (row >= rows->n || row < least) {
            *fault = row >= rows->n ? "an unknown field" : "a field out of order";
        } else {
            const struct record_row *r = &rows->v[row];
            void *field = (char *)object + r->offset;
            struct str value = str_sub(body, FIELD_HEAD, n);
            *fault = r->kind == RECORD_K_TEXT ? take_text(r, value, field)
                                              : take_number(r, value, field);
            body = str_sub(body, FIELD_HEAD + n, body.n);
            least = row + 1;
        }
    }
    return *fault == NULL;
}
