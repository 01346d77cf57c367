/* Finding texts and patterns for the tests of filters; for the files filter_*.c only. */
#ifndef REMEX_FILTER_FILTER_MATCH_H
#define REMEX_FILTER_FILTER_MATCH_H

#include "filter/vm.h"

/* Offset of needle in s, or STR_NPOS. */
size_t filter_match_find(struct str s, struct str needle, bool heed_case);
/* True if a pattern means a text that occurs, which is put into a unless it is the pattern itself. */
bool filter_match_plain(struct arena *a, struct str pattern, struct str *text);
/* What such a pattern does: VM_OK sets $0. */
enum vm_status filter_match_text(struct vm *vm, struct str subject, struct str text,
                                 bool heed_case);
/* A regular expression. VM_OK sets the captures, VM_NO leaves them alone; VM_ERROR with Exim's words. */
enum vm_status filter_match_pattern(struct vm *vm, struct str subject, struct str pattern,
                                    bool heed_case);

#endif
