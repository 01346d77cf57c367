/* What the instructions of a filter refer to besides constants: its tests and their first values.
 *
 * A test is a row here and one instruction (IF or IFNOT), which is also the jump that its answer decides. Tests of the same
 * header field share an operand, so that a run looks the field up once. Made by the compiler of filters, checked by the
 * verifier, read-only afterwards.
 */
#ifndef REMEX_FILTER_FILTER_CODE_H
#define REMEX_FILTER_FILTER_CODE_H

#include "base/str.h"

enum filter_operand_kind {
    FILTER_OPERAND_TEXT,     /* expanded each time */
    FILTER_OPERAND_HEADER,   /* number: its form */
    FILTER_OPERAND_VARIABLE, /* number: of the host */
};

/* The first value of a test. */
struct filter_operand {
    struct str text; /* TEXT; HEADER: the name of the field */
    uint32_t number;
    enum filter_operand_kind kind;
};

struct filter_test_row {
    uint32_t operand;
    uint32_t constant;  /* the second value */
    unsigned char test; /* FILTER_TEST_*, perhaps with FILTER_TEST_CASE */
    bool negated;
    bool expands; /* the constant is expanded each time; else it is the value */
    bool quick;   /* no more than finding the constant, whatever the case, in a header field */
    bool plain;   /* it is a text that occurs, where the filter has a pattern for it */
};

struct filter_tables {
    const struct filter_operand *operands;
    uint32_t operands_n;
    const struct filter_test_row *tests;
    uint32_t tests_n;
};

#endif
