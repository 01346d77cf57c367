/* The front end for conditions: what may follow "${if".
 *
 * A condition leaves its answer in the flag. `and` and `or` jump as soon as the answer is known; conditions
 * over a list are loops. Everything else is a function of values (fn.def).
 */
#include "filter/expand_parse.h"

#include "base/num.h"
#include "filter/host.h"
#include "filter/vm_state.h"

enum { FOUND_MAX = 16 }; /* bytes shown in "but found" */

static bool
is_symbol(char c)
{
    return c == '<' || c == '>' || c == '=';
}

/* A name of letters and digits, or one of the numeric comparisons. */
static struct str
condition_name(struct parse *p)
{
    size_t from = p->at;
    if (!is_symbol(parse_peek(p)))
        return parse_name(p);
    p->at++;
    if (parse_peek(p) == '=')
        p->at++;
    return str_sub(p->text, from, p->at - from);
}

static bool
need_open(struct parse *p, struct str name)
{
    parse_skip_space(p);
    return parse_take(p, '{') || parse_error(p, "missing { after \"%.*s\"", STR_ARG(name));
}

/* --- functions of values --- */

/* The second argument of these is a list that is taken as it stands: only escapes mean something in it. */
static bool
takes_list(const struct fn *fn)
{
    return str_starts(fn->name, "match_");
}

static bool
parse_list_text(struct parse *p)
{
    return parse_plain_text(p) &&
           (parse_take(p, '}') || parse_error(p, "missing } at end of string"));
}

/* A constant that is known to be an integer. */
static bool
is_integer(struct parse *p, uint32_t from, uint32_t to)
{
    struct str s;
    int64_t n;
    return parse_constant(p, from, to, &s) && num_parse_int(s, &n) == NUM_OK;
}

static bool
parse_test(struct parse *p, const struct fn *fn)
{
    uint32_t starts[FN_ARGS_MAX + 1] = {emit_here(&p->emit)};
    for (unsigned i = 0; i < fn->min; i++) {
        if (i == 0 && !need_open(p, fn->name))
            return false;
        if (i > 0)
            parse_skip_space(p);
        if (i > 0 && !parse_take(p, '{'))
            return parse_error(p, "missing 2nd string in {} after \"%.*s\"", STR_ARG(fn->name));
        if (!(i == 1 && takes_list(fn) ? parse_list_text(p) : parse_braced_rest(p)))
            return false;
        starts[i + 1] = emit_here(&p->emit);
        if (i == 0 && is_symbol(fn->name.p[0]) && !is_integer(p, starts[0], starts[1]))
            emit_op(&p->emit, OP_NEEDINT); /* before the second is evaluated */
    }
    if (!parse_check_constants(p, fn, starts, fn->min))
        return false;
    parse_at_item(p);
    parse_emit_test(p, fn, starts[0], fn->min);
    return true;
}

/* name{{arg}{arg}...}: the form of acl and saslauthd. */
static bool
parse_listed_arguments(struct parse *p, const struct fn *fn, uint32_t *argc)
{
    *argc = 0;
    if (!need_open(p, fn->name))
        return false;
    parse_skip_space(p);
    while (parse_take(p, '{')) {
        if (*argc == fn->max)
            return parse_error(p, "Too many arguments for '%.*s' (max is %u)",
                               STR_ARG(fn->name), fn->max);
        if (!parse_braced_rest(p))
            return false;
        ++*argc;
        parse_skip_space(p);
    }
    if (*argc < fn->min)
        return parse_error(p, "too few arguments or bracketing error for %.*s",
                           STR_ARG(fn->name));
    return parse_take(p, '}') ||
           parse_curly_error(p, "missing '}' after '%.*s'", STR_ARG(fn->name));
}

static bool
cond_saslauthd(struct parse *p, const struct fn *fn)
{
    size_t n;
    uint32_t argc;
    if (!parse_listed_arguments(p, fn, &argc))
        return false;
    emit_ab(&p->emit, OP_TEST, (uint32_t)(fn - fn_all(&n)), argc);
    return true;
}

static bool
cond_acl(struct parse *p, const struct fn *fn)
{
    uint32_t argc;
    if (!parse_listed_arguments(p, fn, &argc))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_HOST, HOST_CALL_acl, argc);
    emit_op(&p->emit, OP_POP);
    return true;
}

static bool
cond_first_delivery(struct parse *p, const struct fn *fn)
{
    (void)fn;
    emit_ab(&p->emit, OP_HOST, HOST_CALL_first_delivery, 0);
    emit_op(&p->emit, OP_POP);
    return true;
}

static bool
cond_queue_running(struct parse *p, const struct fn *fn)
{
    (void)fn;
    emit_ab(&p->emit, OP_HOST, HOST_CALL_queue_running, 0);
    emit_op(&p->emit, OP_POP);
    return true;
}

/* --- def: --- */

static bool
cond_def(struct parse *p, const struct fn *fn)
{
    uint32_t form;
    size_t prefix;
    (void)fn;
    if (!parse_take(p, ':'))
        return parse_error(p, "\":\" expected after \"def\"");
    size_t from = p->at;
    struct str name = ascii_alnum(parse_peek(p)) ? parse_name(p) : STR_EMPTY;
    if (name.n == 0)
        return parse_error(p, "variable name omitted after \"def:\"");
    if (parse_is_header(name, &form, &prefix)) {
        struct str field = parse_header_name(p, from + prefix);
        emit_ab(&p->emit, OP_HASHEADER, form, emit_constant(&p->emit, field));
        return true;
    }
    if (!parse_try_variable(p, name))
        return parse_error(p, "unknown variable \"%.*s\" after \"def:\"%s", STR_ARG(name),
                           parse_variable_advice(name));
    emit_op(&p->emit, OP_NONEMPTY);
    return true;
}

/* --- and, or --- */

/* A first condition that was folded to what an empty group answers needs no instruction. */
static bool
drop_neutral(struct parse *p, uint32_t from, enum op neutral)
{
    if (emit_here(&p->emit) != from + 1 || ins_op(p->emit.ins[from]) != neutral)
        return false;
    emit_cut(&p->emit, from);
    return true;
}

static bool
parse_group(struct parse *p, const struct fn *fn, enum op leave)
{
    struct parse_frame frame = {p->frame, " inside \"", fn->name, "{...}\" condition"};
    const enum op neutral = leave == OP_JUMPF ? OP_TRUE : OP_FALSE;
    label_id end = emit_label(&p->emit);
    bool first = true; /* nothing was emitted yet */
    if (!need_open(p, fn->name))
        return false;
    size_t range = emit_range_open(
        &p->emit, &(struct code_range){
                      .before = " inside \"", .name = fn->name, .after = "{...}\" condition"});
    for (;;) {
        parse_skip_space(p);
        if (parse_take(p, '}'))
            break;
        if (!parse_take(p, '{'))
            return parse_error(p,
                               "each subcondition inside an \"%.*s{...}\" condition must be in "
                               "its own {}",
                               STR_ARG(fn->name));
        if (!first)
            emit_jump(&p->emit, leave, end);
        uint32_t from = emit_here(&p->emit);
        p->frame = &frame;
        bool good = parse_condition(p);
        p->frame = frame.up;
        if (!good)
            return false;
        parse_skip_space(p);
        if (!parse_take(p, '}'))
            return parse_error(p, "missing } at end of condition inside \"%.*s\" group",
                               STR_ARG(fn->name));
        first = first && drop_neutral(p, from, neutral);
    }
    if (first)
        emit_op(&p->emit, neutral);
    emit_place(&p->emit, end);
    emit_range_close(&p->emit, range);
    return true;
}

static bool
cond_and(struct parse *p, const struct fn *fn)
{
    return parse_group(p, fn, OP_JUMPF);
}

static bool
cond_or(struct parse *p, const struct fn *fn)
{
    return parse_group(p, fn, OP_JUMPT);
}

/* --- forany, forall --- */

struct list_cond {
    bool all;
    uint32_t mode; /* of OP_LOOP */
};

/* The loop leaves as soon as an item decides; an empty list is false for both. */
static bool
list_body(struct parse *p, const struct fn *fn, struct list_cond c, struct parse_loop *loop)
{
    struct parse_frame frame = {p->frame, " inside \"", fn->name, "\" condition"};
    emit_op(&p->emit, OP_FALSE); /* what an empty list answers */
    parse_loop_begin(p, loop, c.mode);
    size_t range = emit_range_open(&p->emit, &(struct code_range){.before = " inside \"",
                                                                  .name = fn->name,
                                                                  .after = "\" condition"});
    p->frame = &frame;
    bool good = parse_condition(p);
    p->frame = frame.up;
    if (!good)
        return false;
    emit_range_close(&p->emit, range);
    emit_jump(&p->emit, c.all ? OP_JUMPF : OP_JUMPT, loop->end);
    emit_jump(&p->emit, OP_JUMP, loop->next);
    emit_place(&p->emit, loop->end);
    emit_op(&p->emit, OP_LEAVE);
    return true;
}

static bool
parse_list_condition(struct parse *p, const struct fn *fn, struct list_cond c)
{
    struct parse_loop loop;
    if (!need_open(p, fn->name) || !parse_braced_rest(p) || !need_open(p, fn->name) ||
        !list_body(p, fn, c, &loop))
        return false;
    parse_skip_space(p);
    if (!parse_take(p, '}'))
        return parse_error(p, "missing } at end of condition inside \"%.*s\"",
                           STR_ARG(fn->name));
    parse_loop_good(p);
    return true;
}

static bool
cond_forall(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){true, 0});
}

static bool
cond_forall_json(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){true, 1});
}

static bool
cond_forall_jsons(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){true, 2});
}

static bool
cond_forany(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){false, 0});
}

static bool
cond_forany_json(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){false, 1});
}

static bool
cond_forany_jsons(struct parse *p, const struct fn *fn)
{
    return parse_list_condition(p, fn, (struct list_cond){false, 2});
}

/* --- the table of forms --- */

static const struct {
    struct str name;
    bool (*parse)(struct parse *p, const struct fn *fn);
} forms[] = {
    {STR_INIT("acl"), cond_acl},
    {STR_INIT("and"), cond_and},
    {STR_INIT("def"), cond_def},
    {STR_INIT("first_delivery"), cond_first_delivery},
    {STR_INIT("forall"), cond_forall},
    {STR_INIT("forall_json"), cond_forall_json},
    {STR_INIT("forall_jsons"), cond_forall_jsons},
    {STR_INIT("forany"), cond_forany},
    {STR_INIT("forany_json"), cond_forany_json},
    {STR_INIT("forany_jsons"), cond_forany_jsons},
    {STR_INIT("or"), cond_or},
    {STR_INIT("queue_running"), cond_queue_running},
    {STR_INIT("saslauthd"), cond_saslauthd},
};

static bool
parse_form(struct parse *p, const struct fn *fn)
{
    unsigned form = p->vm->forms[fn - p->vm->functions];
    return form > 0 ? forms[form - 1].parse(p, fn) : parse_test(p, fn);
}

void
parse_note_condition_forms(unsigned char *by_row)
{
    size_t n;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const struct fn *fn = fn_find(FN_COND, forms[i].name);
        if (fn != NULL)
            by_row[fn - fn_all(&n)] = (unsigned char)(i + 1);
    }
}

static bool
parse_named(struct parse *p)
{
    size_t start = p->at;
    struct str name = condition_name(p);
    if (name.n == 0) {
        p->at = start;
        return parse_error(p, "condition name expected, but found \"%.*s\"",
                           STR_ARG(str_sub(parse_rest(p), 0, FOUND_MAX)));
    }
    const struct fn *fn = parse_find_fn(p, FN_COND, name);
    if (fn == NULL || name.p[0] == '!')
        return parse_error(p, "unknown condition \"%.*s\"", STR_ARG(name));
    return parse_nested(p, parse_form, fn);
}

bool
parse_condition(struct parse *p)
{
    bool negate = false;
    parse_skip_space(p);
    while (parse_take(p, '!')) {
        negate = !negate;
        parse_skip_space(p);
    }
    emit_at(&p->emit, p->at);
    if (!parse_named(p))
        return false;
    if (negate)
        emit_op(&p->emit, OP_NOT);
    return true;
}
