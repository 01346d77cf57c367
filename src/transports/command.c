/* Command lines of options; see command.h. */
#include "transports/command.h"

#include "filter/vm.h"
#include "sys/run.h"

static bool
add_addresses(const struct command_request *rq, struct command *c)
{
    for (size_t i = 0; i < rq->n; i++)
        vec_push(rq->arena, &c->words,
                 str_untaint_by_rule(rq->addresses[i]->text, "$pipe_addresses"));
    return true;
}

/* The words of the command that a redirection gave. */
static bool
add_address_pipe(const struct command_request *rq, struct command *c)
{
    struct str *words = ARENA_ARRAY(rq->arena, struct str, RUN_WORDS_MAX);
    int n = run_split(rq->arena, rq->address_pipe, words, RUN_WORDS_MAX, &c->error);
    for (int i = 0; i < n; i++)
        vec_push(rq->arena, &c->words, words[i]);
    return n >= 0;
}

static bool
add_expanded(const struct command_request *rq, struct command *c, struct str word)
{
    struct str value = word;
    if (rq->expand && vm_expand(rq->vm, word, &value) != VM_OK) {
        struct str why = vm_error(rq->vm);
        c->error = str_printf(
            rq->arena, "Expansion of \"%.*s\" from command \"%.*s\" in %.*s failed: %.*s",
            STR_ARG(word), STR_ARG(rq->text), STR_ARG(rq->what), STR_ARG(why));
        return false;
    }
    vec_push(rq->arena, &c->words, str_dup(rq->arena, value));
    return true;
}

static enum outcome
add_words(const struct command_request *rq, struct command *c)
{
    struct str *words = ARENA_ARRAY(rq->arena, struct str, RUN_WORDS_MAX);
    int n = run_split(rq->arena, rq->text, words, RUN_WORDS_MAX, &c->error);
    if (n < 0)
        return OUT_FAIL;
    for (int i = 0; i < n; i++) {
        bool ok = str_eqz(words[i], "$pipe_addresses") ? add_addresses(rq, c)
                  : str_is_set(rq->address_pipe) && str_eqz(words[i], "$address_pipe")
                      ? add_address_pipe(rq, c)
                      : add_expanded(rq, c, words[i]);
        if (!ok)
            return OUT_ERROR;
    }
    return OUT_OK;
}

static enum outcome
check_words(const struct command_request *rq, struct command *c)
{
    if (c->words.n == 0 || c->words.v[0].n == 0) {
        c->error = str_printf(rq->arena, "no command specified for %.*s", STR_ARG(rq->what));
        return OUT_DEFER;
    }
    if (str_is_tainted(c->words.v[0])) {
        c->error = str_printf(rq->arena, "Tainted '%.*s' (command for %.*s) not permitted",
                              STR_ARG(c->words.v[0]), STR_ARG(rq->what));
        return OUT_ERROR;
    }
    for (size_t i = 1; i < c->words.n && !rq->tainted_arguments; i++)
        if (str_is_tainted(c->words.v[i])) {
            c->error = str_printf(rq->arena, "Tainted arg %zu for %.*s command: '%.*s'", i,
                                  STR_ARG(rq->what), STR_ARG(c->words.v[i]));
            return OUT_FAIL;
        }
    return OUT_OK;
}

enum outcome
command_make(const struct command_request *rq, struct command *c)
{
    *c = (struct command){.error = STR_NULL};
    enum outcome end = add_words(rq, c);
    if (end == OUT_OK)
        end = check_words(rq, c);
    if (end != OUT_OK)
        return end;
    c->argv = ARENA_ARRAY(rq->arena, char *, c->words.n + 1);
    for (size_t i = 0; i < c->words.n; i++) {
        c->argv[i] = str_cstr(rq->arena, c->words.v[i]);
        if (c->argv[i] == NULL) {
            c->error = str_printf(rq->arena, "NUL byte in argument %zu of command for %.*s", i,
                                  STR_ARG(rq->what));
            return OUT_FAIL;
        }
    }
    return OUT_OK;
}
