/* Answers of children: what is read is in range, is written without complaint and reads back the same. */
#include "engine/answer_record.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWERS = 2 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct transport_answer one[ANSWERS], two[ANSWERS];
    struct buf first = buf_in(a, 0), second = buf_in(a, 0);
    const char *fault;
    if (answer_record_read(str_from((const char *)data, size), one, ANSWERS, &fault)) {
        answer_record_add(&first, one, ANSWERS);
        if (!answer_record_read(buf_str(&first), two, ANSWERS, &fault))
            abort();
        answer_record_add(&second, two, ANSWERS);
        if (!str_eq(buf_str(&first), buf_str(&second)))
            abort();
    } else if (fault == NULL || one[0].why.outcome != OUT_OK || str_is_set(one[1].why.log))
        abort();
    arena_free(a);
    return 0;
}
