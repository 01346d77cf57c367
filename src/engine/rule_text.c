/* Lines of rules; see rule_text.h. */
#include "engine/rule_text.h"

#include "base/buf.h"
#include "base/escape.h"
#include "base/strlist.h"
#include "conf/list.h"

char
rule_text_peek(const struct rule_text *t)
{
    return t->at < t->text.n ? t->text.p[t->at] : '\0';
}

void
rule_text_skip_space(struct rule_text *t)
{
    while (t->at < t->text.n && ascii_space(t->text.p[t->at]))
        t->at++;
}

struct str
rule_text_plain_word(struct rule_text *t)
{
    size_t from = t->at;
    while (t->at < t->text.n && !ascii_space(t->text.p[t->at]))
        t->at++;
    return str_sub(t->text, from, t->at - from);
}

struct str
rule_text_word(struct rule_text *t, struct arena *a)
{
    if (rule_text_peek(t) != '"')
        return rule_text_plain_word(t);
    return escape_quoted_word(a, t->text, &t->at);
}

void
rule_text_fault(struct diags *diags, const struct conf_line *line, size_t at, size_t n,
                struct str words)
{
    struct diag d = {.level = DIAG_ERROR, .text = words, .exim = words};
    d.at = textmap_span(line->map, at < line->text.n ? at : line->text.n, n);
    if (d.at.last_line < line->line)
        d.at.last_line = line->line;
    diags_add(diags, &d);
}

/* One item as a list of one: its colons are doubled. */
static struct str
as_list(struct arena *a, struct str item)
{
    if (str_chr(item, ':', 0) == STR_NPOS)
        return item;
    struct buf b = buf_in(a, 0);
    strlist_append(&b, item, ':', true);
    return buf_str(&b);
}

bool
rule_text_match(const struct rule_match *m, struct str *fault)
{
    struct str text;
    enum vm_status st = vm_expand(m->vm, m->pattern, &text);
    if (st == VM_FORCED)
        return false;
    if (st != VM_OK) {
        *fault = str_printf(vm_scratch(m->vm),
                            "failed to expand \"%.*s\" while checking a list: %.*s",
                            STR_ARG(m->pattern), STR_ARG(vm_error(m->vm)));
        return false;
    }
    struct list_question q = {.kind = LIST_ADDRESS,
                              .subject = m->subject,
                              .caseful = m->rewriting,
                              .captures = m->rewriting};
    q.list = m->whole_list ? text : as_list(vm_scratch(m->vm), text);
    struct list_answer answer;
    switch (list_match(m->eval, m->vm, &q, &answer)) {
    case OUT_OK:
        return true;
    case OUT_DEFER:
    case OUT_ERROR:
        *fault = str_is_set(m->eval->fatal) ? m->eval->fatal : vm_error(m->vm);
        break;
    case OUT_DECLINE:
    case OUT_PASS:
    case OUT_FAIL:
        break;
    }
    return false;
}
