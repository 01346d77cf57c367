/* The front end for items: ${name{arg}{arg}...{yes}{no}}.
 *
 * Items whose arguments are all evaluated beforehand are calls of a function (fn.def). The others have a form
 * here: branches, loops, lookups, commands. Spaces may stand between the parts, as the manual allows.
 */
#include "filter/expand_parse.h"

#include "filter/host.h"
#include "filter/vm_state.h"

#include <string.h>

enum { REST_MAX = 1024 };

/* Where a call whose arguments are not all known begins. */
static const uint32_t NO_WORD = UINT32_MAX;

/* --- parts that many forms share --- */

/* A part that must start with a brace: `what` names it in the error. */
bool
parse_need_brace(struct parse *p, const char *what, struct str item)
{
    parse_skip_space(p);
    if (parse_take(p, '{'))
        return true;
    return parse_curly_error(p, "missing '{' for %s%s%.*s", what, item.n > 0 ? " of " : "",
                             STR_ARG(item));
}

bool
parse_part(struct parse *p, const char *what, struct str item)
{
    return parse_need_brace(p, what, item) && parse_braced_rest(p);
}

/* Text up to the brace that closes it, not expanded; braces inside are counted. */
bool
parse_raw_part(struct parse *p, struct str *raw)
{
    unsigned depth = 1;
    size_t from = p->at;
    for (; !parse_is_end(p); p->at++) {
        char c = parse_peek(p);
        if (c == '\\' && p->at + 1 < p->text.n)
            p->at++;
        else if (c == '{')
            depth++;
        else if (c == '}' && --depth == 0)
            break;
    }
    *raw = str_sub(p->text, from, p->at - from);
    return parse_take(p, '}');
}

/* The brace that ends an item after its arguments. */
static bool
close_arguments(struct parse *p, struct str name)
{
    return parse_take(p, '}') ||
           parse_curly_error(p, "missing '}' after '%.*s'", STR_ARG(name));
}

/* Arguments in braces, evaluated in order, and the end of the item; *argc of them, argument i from word starts[i]
 * on. */
static bool
parse_arguments(struct parse *p, const struct fn *fn, uint32_t *starts, uint32_t *argc)
{
    *argc = 0;
    for (;;) {
        starts[*argc] = emit_here(&p->emit);
        parse_skip_space(p);
        if (!parse_take(p, '{'))
            break;
        if (*argc == fn->max)
            return parse_error(p, "Too many arguments for '%.*s' (max is %u)",
                               STR_ARG(fn->name), fn->max);
        if (!parse_braced_rest(p))
            return false;
        ++*argc;
    }
    if (*argc < fn->min)
        return parse_curly_error(p, "Not enough arguments for '%.*s' (min is %u)",
                                 STR_ARG(fn->name), fn->min);
    return close_arguments(p, fn->name);
}

static struct str
branch_fault(struct parse *p, const char *what)
{
    struct str rest = str_sub(parse_rest(p), 0, REST_MAX);
    return str_printf(p->emit.arena,
                      "curly-bracket problem in conditional yes/no parsing: %s\n"
                      " remaining string is '%.*s'",
                      what, STR_ARG(rest));
}

static bool
branch_error(struct parse *p, const char *what)
{
    return parse_curly_error(p, "%.*s", STR_ARG(branch_fault(p, what)));
}

/* After {yes}: {no}, the word fail, or nothing. */
static bool
parse_no_branch(struct parse *p, struct str name)
{
    parse_skip_space(p);
    if (parse_take(p, '{'))
        return parse_braced_rest(p);
    if (parse_peek(p) == '}') {
        emit_op(&p->emit, OP_EMPTY);
        return true;
    }
    emit_at(&p->emit, p->at);
    if (!str_eqz(parse_name(p), "fail"))
        return parse_error(p, "syntax error in \"%.*s\" item - \"fail\" expected",
                           STR_ARG(name));
    parse_skip_space(p);
    if (parse_peek(p) == '}')
        emit_const(
            &p->emit, OP_FORCE,
            str_printf(p->emit.arena, "\"%.*s\" failed and \"fail\" requested", STR_ARG(name)));
    else /* an error as it is for the other branch, in other words */
        emit_quoting_throw(&p->emit,
                           branch_fault(p, "did not close with '}' after forcedfail"));
    return true;
}

/* No branches: the value itself, or for ${if the word true. */
static void
emit_default_branches(struct parse *p, bool has_value)
{
    if (has_value)
        return;
    label_id no = emit_label(&p->emit);
    label_id end = emit_label(&p->emit);
    emit_jump(&p->emit, OP_JUMPF, no);
    emit_const(&p->emit, OP_CONST, STR_LIT("true"));
    emit_jump(&p->emit, OP_JUMP, end);
    emit_place(&p->emit, no);
    emit_op(&p->emit, OP_EMPTY);
    emit_place(&p->emit, end);
}

bool
parse_branches(struct parse *p, struct str name, bool has_value)
{
    parse_skip_space(p);
    if (parse_take(p, '}')) {
        emit_default_branches(p, has_value);
        return true;
    }
    if (!parse_take(p, '{'))
        return branch_error(p, "'yes' part did not start with '{'");
    label_id no = emit_label(&p->emit);
    label_id end = emit_label(&p->emit);
    emit_jump(&p->emit, OP_JUMPF, no);
    if (has_value)
        emit_op(&p->emit, OP_SETVALUE);
    if (!parse_braced_rest(p))
        return false;
    emit_jump(&p->emit, OP_JUMP, end);
    emit_place(&p->emit, no);
    if (has_value)
        emit_op(&p->emit, OP_POP);
    if (!parse_no_branch(p, name))
        return false;
    emit_place(&p->emit, end);
    parse_skip_space(p);
    return parse_take(p, '}') || branch_error(p, "did not close with '}'");
}

/* Branches of an item that found a value or not, and the end of its SAVE. */
bool
parse_found_branches(struct parse *p, struct str name)
{
    if (!parse_branches(p, name, true))
        return false;
    parse_at_item(p);
    emit_op(&p->emit, OP_RESTORE);
    return true;
}

uint32_t
parse_fn_number(const struct fn *fn)
{
    size_t n;
    return (uint32_t)(fn - fn_all(&n));
}

/* --- ordinary items --- */

static bool
parse_call(struct parse *p, const struct fn *fn)
{
    uint32_t argc;
    uint32_t starts[FN_ARGS_MAX + 1];
    if (!parse_arguments(p, fn, starts, &argc))
        return false;
    parse_at_item(p);
    if (parse_fold_call(p, fn, starts[0], argc))
        return true;
    if (!parse_check_constants(p, fn, starts, argc))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_CALL, parse_fn_number(fn), argc);
    return true;
}

/* An item that asks the host, arguments as for a function. */
static bool
parse_host_item(struct parse *p, const struct fn *fn, enum host_call call)
{
    uint32_t argc;
    uint32_t starts[FN_ARGS_MAX + 1];
    if (!parse_arguments(p, fn, starts, &argc))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_HOST, (uint32_t)call, argc);
    return true;
}

static bool
form_acl(struct parse *p, const struct fn *fn)
{
    return parse_host_item(p, fn, HOST_CALL_acl);
}

static bool
form_perl(struct parse *p, const struct fn *fn)
{
    return parse_host_item(p, fn, HOST_CALL_perl);
}

static bool
form_dlfunc(struct parse *p, const struct fn *fn)
{
    return parse_host_item(p, fn, HOST_CALL_dlfunc);
}

/* --- ${if --- */

static bool
form_if(struct parse *p, const struct fn *fn)
{
    emit_op(&p->emit, OP_SAVE);
    if (!parse_condition(p) || !parse_branches(p, fn->name, false))
        return false;
    parse_at_item(p);
    emit_op(&p->emit, OP_RESTORE);
    return true;
}

/* --- items with two branches after their arguments --- */

static const struct {
    const char *item;
    const char *parts[2];
} part_names[] = {
    /* others are numbered */
    {"env", {"name arg", ""}},
};

static bool
parse_numbered_part(struct parse *p, struct str item, uint32_t i)
{
    parse_skip_space(p);
    if (parse_take(p, '{'))
        return parse_braced_rest(p);
    for (size_t k = 0; k < sizeof part_names / sizeof *part_names; k++) {
        if (str_eqz(item, part_names[k].item) && i < 2)
            return parse_need_brace(p, part_names[k].parts[i], item);
    }
    return parse_error(p, "missing '{' for arg %u of %.*s", i + 1, STR_ARG(item));
}

static bool
parse_find(struct parse *p, const struct fn *fn)
{
    emit_op(&p->emit, OP_SAVE);
    uint32_t from = emit_here(&p->emit);
    for (uint32_t i = 0; i < fn->min; i++) {
        if (!parse_numbered_part(p, fn->name, i))
            return false;
    }
    parse_at_item(p);
    parse_emit_find(p, fn, from, fn->min);
    return parse_found_branches(p, fn->name);
}

/* The certificate is not a text to others: only a variable that holds one will do. */
static bool
take_certificate(struct parse *p, const struct fn *fn)
{
    size_t end = str_chr(p->text, '}', p->at);
    struct str rest;
    if (end == STR_NPOS)
        return parse_error(p, "missing } at end of string");
    if (!parse_take(p, '$'))
        return parse_error(p, "second argument of \"%.*s\" must be a certificate variable",
                           STR_ARG(fn->name));
    struct str name = str_sub(p->text, p->at, end - p->at);
    const struct var *v = host_var(p->host, name, &rest);
    if (v == NULL || (v->flags & VAR_HIDDEN) != 0)
        return parse_error(p, "no variable named \"%.*s\"", STR_ARG(name));
    if (!parse_certificate(p, name))
        return parse_error(p, "\"%.*s\" is not a certificate", STR_ARG(name));
    p->at = end + 1;
    return true;
}

static bool
form_certextract(struct parse *p, const struct fn *fn)
{
    emit_op(&p->emit, OP_SAVE);
    if (!parse_part(p, "field arg", fn->name) ||
        !parse_need_brace(p, "cert variable arg", fn->name) || !take_certificate(p, fn))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_FIND, parse_fn_number(fn), 2);
    return parse_found_branches(p, fn->name);
}

/* The value that was pushed from word `from` on must not be empty; white space round it goes. */
static void
need_text(struct parse *p, uint32_t from, const char *otherwise)
{
    struct str s;
    if (parse_constant(p, from, emit_here(&p->emit), &s) && str_trim(s).n > 0) {
        emit_cut(&p->emit, from);
        emit_const(&p->emit, OP_CONST, str_trim(s));
    } else {
        emit_const(&p->emit, OP_NEEDTEXT, str_from_cstr(otherwise));
    }
}

/* listextract: the number is checked before the list is evaluated. */
static bool
form_listextract(struct parse *p, const struct fn *fn)
{
    struct str number;
    emit_op(&p->emit, OP_SAVE);
    uint32_t from = emit_here(&p->emit);
    if (!parse_part(p, "arg 1", fn->name))
        return false;
    bool constant = parse_constant(p, from, emit_here(&p->emit), &number);
    if (constant && str_trim(number).n > 0 && !parse_is_number(str_trim(number)))
        return parse_error(p, "first argument of \"listextract\" must be numeric");
    need_text(p, from, "first argument of \"listextract\" must not be empty");
    if (!constant) {
        label_id good = emit_label(&p->emit);
        emit_op(&p->emit, OP_ISNUMBER);
        emit_jump(&p->emit, OP_JUMPT, good);
        emit_const(&p->emit, OP_THROW,
                   STR_LIT("first argument of \"listextract\" must be numeric"));
        emit_place(&p->emit, good);
    }
    if (!parse_part(p, "arg 2", fn->name))
        return false;
    parse_at_item(p);
    parse_emit_find(p, fn, from, 2);
    return parse_found_branches(p, fn->name);
}

/* --- ${extract --- */

/* An extract that ends too early is an error only where it runs: in a branch that is not taken, how many
 * arguments it needs is never found out. */
static bool
extract_cut_off(struct parse *p, uint32_t missing)
{
    p->at++;
    emit_const(&p->emit, OP_THROW,
               str_printf(p->emit.arena, "missing '{' for arg %u of extract", missing));
    return true;
}

/* The rest of an extract: its parts after the key, the call, the branches. On the stack are the kind ("",
 * "json", "jsons") and the key. */
static bool
extract_rest(struct parse *p, const struct fn *fn, uint32_t parts, uint32_t from)
{
    for (uint32_t i = 0; i < parts; i++) {
        parse_skip_space(p);
        if (parse_peek(p) == '}')
            return extract_cut_off(p, i + 2);
        if (!parse_numbered_part(p, fn->name, i + 1))
            return false;
    }
    parse_at_item(p);
    parse_emit_find(p, fn, from, parts + 2);
    return parse_branches(p, fn->name, true);
}

bool
parse_is_number(struct str s)
{
    size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    while (i < s.n && ascii_digit(s.p[i]))
        i++;
    return i == s.n && s.n > 0;
}

/* Tries one reading without keeping its code. STR_NULL: it can be parsed; else the error. */
static struct str
try_reading(const struct parse *p, const struct fn *fn, uint32_t parts)
{
    struct parse t = *p;
    t.diags = NULL;
    emit_start(&t.emit, p->emit.arena, p->emit.work);
    if (extract_rest(&t, fn, parts, 0))
        return STR_NULL;
    return t.emit.consts.v[t.emit.consts.n - 1];
}

/* One reading of an extract whose key is known only when it runs; a reading that cannot be parsed is an
 * error when it is chosen. */
static bool
extract_reading(struct parse *p, const struct fn *fn, uint32_t parts, size_t *reached)
{
    size_t start = p->at;
    struct str error = try_reading(p, fn, parts);
    bool good = !str_is_set(error);
    if (good)
        good = extract_rest(p, fn, parts, NO_WORD);
    else
        emit_quoting_throw(&p->emit, error);
    if (good)
        *reached = p->at;
    p->at = start;
    return good;
}

static bool
extract_either(struct parse *p, const struct fn *fn)
{
    label_id named = emit_label(&p->emit);
    label_id end = emit_label(&p->emit);
    size_t reached = p->at;
    emit_op(&p->emit, OP_ISNUMBER);
    emit_jump(&p->emit, OP_JUMPF, named);
    bool numbered_good = extract_reading(p, fn, 2, &reached);
    emit_jump(&p->emit, OP_JUMP, end);
    emit_place(&p->emit, named);
    bool named_good = extract_reading(p, fn, 1, &reached);
    if (!numbered_good && !named_good)
        return extract_rest(p, fn, 1, NO_WORD); /* raises the error here and now */
    emit_place(&p->emit, end);
    p->at = reached;
    return true;
}

static bool
form_extract(struct parse *p, const struct fn *fn)
{
    struct str key;
    parse_skip_space(p);
    struct str kind = str_starts(parse_rest(p), "json") ? parse_name(p) : STR_EMPTY;
    if (kind.n > 0 && !str_eqz(kind, "json") && !str_eqz(kind, "jsons"))
        return parse_error(p, "missing '{' for arg 1 of extract");
    emit_op(&p->emit, OP_SAVE);
    uint32_t kind_at = emit_here(&p->emit);
    emit_const(&p->emit, OP_CONST, kind);
    uint32_t from = emit_here(&p->emit);
    if (!parse_part(p, "arg 1", fn->name))
        return false;
    bool constant = parse_constant(p, from, emit_here(&p->emit), &key);
    need_text(p, from, "first argument of \"extract\" must not be empty");
    bool good;
    if (kind.n > 0)
        good = extract_rest(p, fn, 1, kind_at);
    else if (constant)
        good = extract_rest(p, fn, parse_is_number(str_trim(key)) ? 2 : 1, kind_at);
    else
        good = extract_either(p, fn);
    parse_at_item(p);
    emit_op(&p->emit, OP_RESTORE);
    return good;
}

/* --- ${prvscheck --- */

/* The later arguments see what was decoded from the earlier ones; an address that is not signed gives the empty
 * string and evaluates none of them. */
static bool
form_prvscheck(struct parse *p, const struct fn *fn)
{
    const struct fn *decode = fn_find(FN_ITEM_YN, STR_LIT("prvscheck_decode"));
    const struct fn *check = fn_find(FN_ITEM_YN, STR_LIT("prvscheck_check"));
    if (decode == NULL || check == NULL)
        return parse_error(p, "prvscheck is not available");
    label_id end = emit_label(&p->emit);
    label_id plain = emit_label(&p->emit);
    parse_skip_space(p);
    if (!parse_take(p, '{'))
        return parse_curly_error(p, "Not enough arguments for '%.*s' (min is 1)",
                                 STR_ARG(fn->name));
    if (!parse_braced_rest(p))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_FIND, parse_fn_number(decode), 1);
    emit_jump(&p->emit, OP_JUMPF, end);
    parse_skip_space(p);
    if (!parse_take(p, '{'))
        return parse_curly_error(p, "Not enough arguments for '%.*s' (min is 1)",
                                 STR_ARG(fn->name));
    if (!parse_braced_rest(p))
        return false;
    parse_at_item(p);
    emit_ab(&p->emit, OP_FIND, parse_fn_number(check), 2);
    parse_skip_space(p);
    if (parse_take(p, '{')) {
        if (!parse_braced_rest(p))
            return false;
        emit_op(&p->emit, OP_DUP);
        emit_op(&p->emit, OP_NONEMPTY);
        emit_jump(&p->emit, OP_JUMPF, plain);
        emit_op(&p->emit, OP_SWAP);
        emit_place(&p->emit, plain);
        emit_op(&p->emit, OP_POP);
    }
    emit_place(&p->emit, end);
    parse_skip_space(p);
    if (parse_peek(p) == '{')
        return parse_error(p, "Too many arguments for '%.*s' (max is 2)", STR_ARG(fn->name));
    return close_arguments(p, fn->name);
}

/* --- the table of forms --- */

static const struct {
    struct str name;
    bool (*parse)(struct parse *p, const struct fn *fn);
} forms[] = {
    {STR_INIT("acl"), form_acl},
    {STR_INIT("certextract"), form_certextract},
    {STR_INIT("dlfunc"), form_dlfunc},
    {STR_INIT("extract"), form_extract},
    {STR_INIT("filter"), parse_filter_item},
    {STR_INIT("if"), form_if},
    {STR_INIT("listextract"), form_listextract},
    {STR_INIT("lookup"), parse_lookup_item},
    {STR_INIT("map"), parse_map_item},
    {STR_INIT("perl"), form_perl},
    {STR_INIT("prvscheck"), form_prvscheck},
    {STR_INIT("readsocket"), parse_readsocket_item},
    {STR_INIT("reduce"), parse_reduce_item},
    {STR_INIT("run"), parse_run_item},
    {STR_INIT("sort"), parse_sort_item},
};

void
parse_note_item_forms(unsigned char *by_row)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const struct fn *fn = fn_find(FN_ITEM, forms[i].name);
        if (fn == NULL)
            fn = fn_find(FN_ITEM_YN, forms[i].name);
        if (fn != NULL)
            by_row[parse_fn_number(fn)] = (unsigned char)(i + 1);
    }
}

bool
parse_item(struct parse *p, const struct fn *fn)
{
    unsigned form = p->vm->forms[fn - p->vm->functions];
    if (form > 0)
        return forms[form - 1].parse(p, fn);
    if (fn->call == NULL)
        return parse_error(p, "\"%.*s\" is not available", STR_ARG(fn->name));
    return fn->kind == FN_ITEM_YN ? parse_find(p, fn) : parse_call(p, fn);
}
