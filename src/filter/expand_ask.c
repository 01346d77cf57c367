/* The front end for items that ask the host: lookup, run, readsocket.
 *
 * The style of a lookup type decides how many arguments the item has, so the host is asked about the type
 * while the text is compiled. A command is split and expanded by the host, argument by argument.
 */
#include "filter/expand_parse.h"

#include "filter/host.h"
#include "filter/vm_state.h"

/* --- ${lookup --- */

static struct str
lookup_type_name(struct parse *p)
{
    size_t from = p->at;
    while (!parse_is_end(p) && parse_peek(p) != '{' && !ascii_space(parse_peek(p)))
        p->at++;
    return str_sub(p->text, from, p->at - from);
}

static bool
check_lookup_style(struct parse *p, struct str type, bool has_key, bool *query)
{
    struct host_lookup_type t = {.query_style = false};
    struct str name = str_sub(type, 0, str_chr(type, ',', 0));
    if (p->host->lookup_type == NULL)
        return parse_error(p, "unknown lookup type \"%.*s\"", STR_ARG(type));
    if (p->host->lookup_type(p->vm->env, p->vm, type, &t) != VM_OK)
        return parse_error(p, "%.*s", STR_ARG(vm_error(p->vm)));
    *query = t.query_style;
    if (t.query_style && has_key)
        return parse_error(p,
                           "a single key was given for lookup type \"%.*s\", which is not a "
                           "single-key lookup type",
                           STR_ARG(name));
    if (!t.query_style && !has_key)
        return parse_error(p, "missing {key} for single-key \"%.*s\" lookup", STR_ARG(name));
    return true;
}

bool
parse_lookup_item(struct parse *p, const struct fn *fn)
{
    bool query = false;
    emit_op(&p->emit, OP_SAVE);
    parse_skip_space(p);
    bool has_key = parse_take(p, '{');
    if (has_key && !parse_braced_rest(p))
        return false;
    parse_skip_space(p);
    if (!ascii_alpha(parse_peek(p)))
        return parse_error(p, "missing lookup type");
    struct str type = lookup_type_name(p);
    if (!check_lookup_style(p, type, has_key, &query) ||
        !parse_part(p, "lookup file-or-query arg", STR_EMPTY))
        return false;
    emit_const(&p->emit, OP_CONST, type);
    parse_at_item(p);
    emit_ab(&p->emit, OP_HOST, query ? HOST_CALL_lookup_query : HOST_CALL_lookup_key,
            query ? 2 : 3);
    return parse_found_branches(p, fn->name);
}

/* --- ${run and ${readsocket --- */

static bool
run_options(struct parse *p, bool *preexpand)
{
    *preexpand = false;
    while (parse_take(p, ',')) {
        size_t from = p->at;
        while (!parse_is_end(p) && parse_peek(p) != ',' && parse_peek(p) != '{')
            p->at++;
        struct str o = str_trim(str_sub(p->text, from, p->at - from));
        if (!str_eqz(o, "preexpand"))
            return parse_error(p, "bad option '%.*s' for run", STR_ARG(o));
        *preexpand = true;
    }
    return true;
}

/* $value stays set to the output after the item, so there is no SAVE. */
bool
parse_run_item(struct parse *p, const struct fn *fn)
{
    bool preexpand;
    struct str raw;
    if (!run_options(p, &preexpand) || !parse_need_brace(p, "command arg", fn->name))
        return false;
    if (preexpand) {
        if (!parse_braced_rest(p))
            return false;
    } else {
        if (!parse_raw_part(p, &raw))
            return parse_error(p, "missing '}' closing command arg of run");
        emit_const(&p->emit, OP_CONST, raw);
    }
    parse_at_item(p);
    emit_ab(&p->emit, OP_HOST, preexpand ? HOST_CALL_run_preexpand : HOST_CALL_run, 1);
    emit_op(&p->emit, OP_DUP);
    emit_op(&p->emit, OP_SETVALUE);
    parse_skip_space(p);
    if (parse_peek(p) != '}')
        return parse_branches(p, fn->name, true);
    p->at++;
    label_id good = emit_label(&p->emit);
    emit_jump(&p->emit, OP_JUMPT, good);
    emit_op(&p->emit, OP_POP);
    emit_op(&p->emit, OP_EMPTY);
    emit_place(&p->emit, good);
    return true;
}

/* {where}{request}{options}{eol}{on failure}: the last is evaluated only when the socket failed. */
bool
parse_readsocket_item(struct parse *p, const struct fn *fn)
{
    uint32_t argc = 0;
    parse_skip_space(p);
    while (argc < 4 && parse_take(p, '{')) {
        if (!parse_braced_rest(p))
            return false;
        argc++;
        parse_skip_space(p);
    }
    if (argc < 2)
        return parse_curly_error(p, "Not enough arguments for '%.*s' (min is 2)",
                                 STR_ARG(fn->name));
    bool on_failure = argc == 4 && parse_take(p, '{');
    parse_at_item(p);
    emit_ab(&p->emit, OP_HOST, HOST_CALL_readsocket, argc);
    label_id good = emit_label(&p->emit);
    emit_jump(&p->emit, OP_JUMPT, good);
    if (on_failure) {
        emit_op(&p->emit, OP_POP);
        if (!parse_braced_rest(p))
            return false;
        parse_skip_space(p);
    } else {
        emit_op(&p->emit, OP_THROWERR);
    }
    emit_place(&p->emit, good);
    return parse_take(p, '}') || parse_error(p, "missing '}' closing readsocket");
}
