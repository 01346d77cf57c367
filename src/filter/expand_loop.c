/* The front end for items that go over a list: map, filter, reduce, sort.
 *
 * The body of a loop is compiled once and stands between NEXT and a jump back. Errors inside it name the item;
 * those found while compiling say so at once, those of running through a range of the code.
 */
#include "filter/expand_parse.h"
#include "filter/vm_state.h"

void
parse_loop_begin(struct parse *p, struct parse_loop *l, uint32_t mode)
{
    l->next = emit_label(&p->emit);
    l->end = emit_label(&p->emit);
    emit_guarded(&p->emit, OP_LOOP, mode);
    emit_place(&p->emit, l->next);
    emit_jump(&p->emit, OP_NEXT, l->end);
}

void
parse_loop_good(struct parse *p)
{
    emit_unguard(&p->emit);
}

static void
push_frame(struct parse *p, struct parse_frame *f, struct str name, const char *after)
{
    *f = (struct parse_frame){p->frame, " inside \"", name, after};
    p->frame = f;
}

static void
pop_frame(struct parse *p)
{
    p->frame = p->frame->up;
}

/* A loop over the list on the stack; body emits what is done with each item. */
struct loop_form {
    const struct fn *fn;
    bool (*body)(struct parse *p);
    const char *after; /* of the errors when it runs: ` item` or ` condition` */
};

static bool
loop_body(struct parse *p, const struct loop_form *form, struct parse_loop *loop)
{
    struct parse_frame frame;
    parse_loop_begin(p, loop, 0);
    size_t range = emit_range_open(&p->emit, &(struct code_range){.before = " inside \"",
                                                                  .name = form->fn->name,
                                                                  .after = form->after});
    push_frame(p, &frame, form->fn->name, "\" item");
    if (!form->body(p))
        return false;
    pop_frame(p);
    emit_range_close(&p->emit, range);
    emit_jump(&p->emit, OP_JUMP, loop->next);
    emit_place(&p->emit, loop->end);
    return true;
}

/* After the body: "}" of the body, spaces, "}" of the item. */
static bool
loop_close(struct parse *p, struct str name)
{
    parse_skip_space(p);
    if (!parse_take(p, '}'))
        return parse_error(p,
                           "missing } at end of condition or expression inside \"%.*s\"; could "
                           "be an unquoted } in the content",
                           STR_ARG(name));
    parse_skip_space(p);
    if (!parse_take(p, '}'))
        return parse_error(p, "missing } at end of \"%.*s\"", STR_ARG(name));
    parse_loop_good(p);
    return true;
}

static bool
map_body(struct parse *p)
{
    if (!parse_text(p, STOP_AT_BRACE))
        return false;
    if (parse_peek(p) != '}')
        return parse_bracket_error(p, "missing } at end of string");
    emit_op(&p->emit, OP_GATHER);
    return true;
}

static bool
filter_body(struct parse *p)
{
    if (!parse_condition(p))
        return false;
    emit_op(&p->emit, OP_KEEP);
    return true;
}

static bool
reduce_body(struct parse *p)
{
    if (!parse_text(p, STOP_AT_BRACE))
        return false;
    if (parse_peek(p) != '}')
        return parse_bracket_error(p, "missing } at end of string");
    emit_op(&p->emit, OP_SETVALUE);
    return true;
}

bool
parse_map_item(struct parse *p, const struct fn *fn)
{
    struct parse_loop loop;
    struct loop_form form = {fn, map_body, "\" item"};
    if (!parse_part(p, "first arg", fn->name) || !parse_need_brace(p, "last arg", fn->name) ||
        !loop_body(p, &form, &loop))
        return false;
    emit_op(&p->emit, OP_ENDLOOP);
    return loop_close(p, fn->name);
}

bool
parse_filter_item(struct parse *p, const struct fn *fn)
{
    struct parse_loop loop;
    struct loop_form form = {fn, filter_body, "\" condition"};
    if (!parse_part(p, "first arg", fn->name) || !parse_need_brace(p, "last arg", fn->name))
        return false;
    emit_op(&p->emit, OP_SAVE);
    if (!loop_body(p, &form, &loop))
        return false;
    emit_op(&p->emit, OP_ENDLOOP);
    parse_at_item(p);
    emit_op(&p->emit, OP_RESTORE);
    return loop_close(p, fn->name);
}

bool
parse_reduce_item(struct parse *p, const struct fn *fn)
{
    struct parse_loop loop;
    struct loop_form form = {fn, reduce_body, "\" item"};
    emit_op(&p->emit, OP_SAVE);
    if (!parse_part(p, "first arg", fn->name) || !parse_part(p, "second arg", fn->name))
        return false;
    emit_op(&p->emit, OP_SETVALUE);
    if (!parse_need_brace(p, "last arg", fn->name) || !loop_body(p, &form, &loop))
        return false;
    emit_op(&p->emit, OP_LEAVE);
    emit_op(&p->emit, OP_VALUE);
    parse_at_item(p);
    emit_op(&p->emit, OP_RESTORE);
    return loop_close(p, fn->name);
}

/* The comparator must be a condition of two values that orders. The loop notes the key of each item, then
 * sorts. */
static bool
sort_keys(struct parse *p)
{
    struct parse_loop loop;
    parse_loop_begin(p, &loop, 0);
    size_t start = p->at;
    size_t range = emit_range_open(
        &p->emit, &(struct code_range){
                      .before = "field-extract in sort: \"", .after = "\"", .replaces = true});
    if (!parse_text(p, STOP_AT_BRACE))
        return false;
    emit_op(&p->emit, OP_KEY); /* fails for an empty key */
    emit_range_close(&p->emit, range);
    p->emit.ranges.v[range].name = str_sub(p->text, start, p->at - start);
    emit_jump(&p->emit, OP_JUMP, loop.next);
    emit_place(&p->emit, loop.end);
    parse_loop_good(p);
    return parse_take(p, '}') || parse_bracket_error(p, "missing } at end of string");
}

bool
parse_sort_item(struct parse *p, const struct fn *fn)
{
    struct str comparator;
    if (!parse_part(p, "list arg", fn->name))
        return false;
    if (!parse_need_brace(p, "comparator arg", fn->name))
        return false;
    uint32_t from = emit_here(&p->emit);
    (void)parse_plain_text(p); /* a name: not expanded, which the manual does not say */
    if (!parse_take(p, '}'))
        return parse_error(p, "missing } at end of string");
    if (parse_constant(p, from, emit_here(&p->emit), &comparator) &&
        vm_loop_comparator(p->vm, comparator) == NULL)
        return parse_error(p, "%.*s", STR_ARG(vm_error(p->vm)));
    emit_op(&p->emit, OP_SWAP);
    if (!parse_need_brace(p, "extractor arg", fn->name) || !sort_keys(p))
        return false;
    emit_op(&p->emit, OP_SORTED);
    emit_op(&p->emit, OP_ENDLOOP);
    return parse_take(p, '}') ||
           parse_error(p, "missing } at end of \"%.*s\"", STR_ARG(fn->name));
}
