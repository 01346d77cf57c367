/* Instructions of filters: actions and questions; see filter_run.h.
 *
 * Values are checked here as far as the language says (addresses, numbers, folded header texts). What a user may do, and
 * whether a file can be written, is for whoever reads the list.
 */
#include "filter/filter_run.h"

#include "base/buf.h"
#include "base/num.h"
#include "filter/filter_test.h"
#include "filter/fn_arg.h"
#include "filter/vm_state.h"
#include "mail/address.h"
#include "mail/header.h"

#include <string.h>

static const struct {
    const char *word;
    unsigned args;
} actions[] = {
#define FILTER_ACTION(name, word, args, doc) {word, args},
#include "filter/filter_action.def"
#undef FILTER_ACTION
};

static const char *const asks[] = {
#define FILTER_ASK(name, word, doc) word,
#include "filter/filter_ask.def"
#undef FILTER_ASK
};

const char *
filter_action_word(enum filter_action_id id)
{
    return actions[id].word;
}

unsigned
filter_action_args(enum filter_action_id id)
{
    return actions[id].args;
}

const char *
filter_ask_word(enum filter_ask ask)
{
    return asks[ask];
}

#define own_fail FILTER_OWN_FAIL

/* --- arguments --- */

static enum vm_status
malformed_address(struct vm *vm, struct str given, enum address_status st, struct str why)
{
    if (st == ADDRESS_EMPTY)
        why = STR_LIT("empty address");
    return own_fail(vm, "malformed address \"%.*s\" in filter file: %.*s", STR_ARG(given),
                    STR_ARG(why));
}

static enum vm_status
take_address(struct vm *vm, struct str given, struct str *out)
{
    struct address_parts p;
    const struct filter_run *run = vm->filter;
    enum address_status st = address_parse(run->arena, given, ADDRESS_LITERAL, &p);
    if (st != ADDRESS_OK)
        return malformed_address(vm, given, st, p.error);
    *out = address_qualify(run->arena, p.text, run->qualify);
    return VM_OK;
}

static bool
is_user(const struct filter_run *run, struct str address)
{
    struct str local_part, domain;
    address_split(address, &local_part, &domain);
    return str_ieq(local_part, run->local_part) && str_ieq(domain, run->domain);
}

static enum vm_status
act_deliver(struct vm *vm, struct filter_action *a, struct str *argv)
{
    struct filter_run *run = vm->filter;
    enum vm_status st = take_address(vm, argv[0], &argv[0]);
    if (st == VM_OK && str_is_set(argv[1]))
        st = take_address(vm, argv[1], &argv[1]);
    if (st != VM_OK)
        return st;
    if (str_is_set(argv[1]) && !run->system && !is_user(run, argv[1]))
        return own_fail(vm, "errors_to must point to the caller's address");
    run->delivered = run->delivered || (a->flags & FILTER_UNSEEN) == 0;
    return VM_OK;
}

/* The mode behind a file name: octal digits, as the front end took them. */
static int32_t
read_mode(struct str s)
{
    int32_t mode = 0;
    if (!str_is_set(s))
        return -1;
    for (size_t i = 0; i < s.n && mode < 1 << 24; i++)
        mode = mode * 8 + (s.p[i] - '0');
    return mode;
}

static enum vm_status
act_save(struct vm *vm, struct filter_action *a, struct str *argv)
{
    a->number = read_mode(argv[1]);
    vm->filter->delivered = vm->filter->delivered || (a->flags & FILTER_UNSEEN) == 0;
    return VM_OK;
}

static enum vm_status
act_pipe(struct vm *vm, struct filter_action *a, struct str *argv)
{
    (void)argv;
    vm->filter->delivered = vm->filter->delivered || (a->flags & FILTER_UNSEEN) == 0;
    return VM_OK;
}

static enum vm_status
act_plain(struct vm *vm, struct filter_action *a, struct str *argv)
{
    (void)argv;
    vm->filter->delivered = vm->filter->delivered || (a->flags & FILTER_SEEN) != 0;
    return VM_OK;
}

static enum vm_status
act_logfile(struct vm *vm, struct filter_action *a, struct str *argv)
{
    a->number = read_mode(argv[1]);
    return act_plain(vm, a, argv);
}

enum { SHOWN_MAX = 1024 }; /* of a text in an error message, bytes */

/* A text for header lines: a newline must fold, or (in extra_headers) begin another header line. */
static enum vm_status
check_header_text(struct vm *vm, struct str s, bool lines, const char *word)
{
    for (size_t at = str_chr(s, '\n', 0); at != STR_NPOS; at = str_chr(s, '\n', at + 1)) {
        char next = at + 1 < s.n ? s.p[at + 1] : '\0';
        if (next == ' ' || next == '\t')
            continue;
        if (lines && header_name_length(str_sub(s, at + 1, s.n)) > 0)
            continue;
        struct buf b = buf_in(vm->scratch, 0);
        fn_add_escaped(&b, s, false);
        return own_fail(vm, "\\n not followed by space%s in \"%.*s\" in %s command",
                        lines ? " or valid header name" : "",
                        STR_ARG(str_sub(buf_str(&b), 0, SHOWN_MAX)), word);
    }
    return VM_OK;
}

static enum vm_status
act_mail(struct vm *vm, struct filter_action *a, struct str *argv)
{
    struct filter_run *run = vm->filter;
    a->ignored = run->no_return_path;
    for (unsigned i = 0; !a->ignored && i <= FILTER_MAIL_EXTRA_HEADERS; i++) {
        if (check_header_text(vm, argv[i], i == FILTER_MAIL_EXTRA_HEADERS,
                              actions[a->id].word) != VM_OK)
            return VM_ERROR;
    }
    if (!a->ignored && (a->flags & FILTER_SEEN) != 0)
        run->delivered = true;
    return VM_OK;
}

static enum vm_status
act_end(struct vm *vm, struct filter_action *a, struct str *argv)
{
    (void)argv;
    vm->filter->ended = a->id;
    return VM_OK;
}

/* A whole number as in C, 32 bits wide: decimal, octal, hexadecimal. */
static bool
read_number(struct str s, int32_t *out)
{
    size_t at = 0;
    int64_t n;
    s = str_trim_left(s);
    if (num_scan(s, &at, NUM_OCTAL_HEX, &n) != NUM_OK || at != s.n)
        return false;
    *out = (int32_t)(uint32_t)(uint64_t)n;
    return true;
}

static enum vm_status
act_add(struct vm *vm, struct filter_action *a, struct str *argv)
{
    if (!read_number(argv[0], &a->number))
        return own_fail(vm, "malformed number \"%.*s\" in \"add\" command", STR_ARG(argv[0]));
    if (argv[1].n != 2 || argv[1].p[0] != 'n' || !ascii_digit(argv[1].p[1]))
        return own_fail(vm, "unknown variable \"%.*s\" in \"add\" command", STR_ARG(argv[1]));
    a->counter = (unsigned)(argv[1].p[1] - '0');
    return VM_OK;
}

/* The flag of the condition that was just tested. */
static enum vm_status
act_trace(struct vm *vm, struct filter_action *a, struct str *argv)
{
    (void)a;
    struct filter_run *run = vm->filter;
    struct str note = str_printf(run->arena, "%.*s is %s: %.*s \n", STR_ARG(argv[0]),
                                 vm->flag ? "true" : "false", STR_ARG(argv[1]));
    vec_push(run->arena, &run->notes, note);
    return VM_OK;
}

static enum vm_status (*const acts[FILTER_ACTIONS])(struct vm *vm, struct filter_action *a,
                                                    struct str *argv) = {
    [FILTER_DELIVER] = act_deliver,
    [FILTER_SAVE] = act_save,
    [FILTER_PIPE] = act_pipe,
    [FILTER_MAIL] = act_mail,
    [FILTER_VACATION] = act_mail,
    [FILTER_FINISH] = act_plain,
    [FILTER_FAIL] = act_end,
    [FILTER_FREEZE] = act_end,
    [FILTER_DEFER] = act_end,
    [FILTER_ADD] = act_add,
    [FILTER_HEADERS_ADD] = act_plain,
    [FILTER_HEADERS_REMOVE] = act_plain,
    [FILTER_HEADERS_CHARSET] = act_plain,
    [FILTER_LOGFILE] = act_logfile,
    [FILTER_LOGWRITE] = act_plain,
    [FILTER_TESTPRINT] = act_plain,
    [FILTER_THISADDRESS] = act_plain,
    [FILTER_TRACE] = act_trace,
};

enum vm_status
filter_run_action(struct vm *vm, uint32_t operand, const struct str *argv, unsigned argc)
{
    struct filter_run *run = vm->filter;
    if (run == NULL)
        return vm_fail(vm, "actions are for filters only");
    struct filter_action a = {
        .id = (enum filter_action_id)(operand & 0xff),
        .flags = operand >> 8,
        .number = -1,
    };
    a.argc = filter_action_args(a.id);
    struct str *kept = arena_alloc(run->arena, a.argc * sizeof *kept);
    for (unsigned i = 0; i < a.argc; i++)
        kept[i] = i < argc ? str_dup(run->arena, argv[i]) : STR_NULL;
    a.argv = kept;
    enum vm_status st = acts[a.id](vm, &a, kept);
    if (st != VM_OK || a.id == FILTER_TRACE)
        return st;
    if (run->apply != NULL)
        run->apply(run->ctx, &a);
    if (a.id >= FILTER_HEADERS_ADD && a.id <= FILTER_HEADERS_CHARSET)
        filter_test_forget(run);
    if (a.id != FILTER_THISADDRESS)
        vec_push(run->arena, &run->actions, a);
    return VM_OK;
}

/* --- $thisaddress --- */

void
filter_run_this_address(struct vm *vm, struct str address)
{
    struct filter_run *run = vm->filter;
    if (run == NULL || run->apply == NULL)
        return;
    struct str kept = str_dup(run->arena, address);
    if (run->trace) {
        struct str note = str_printf(run->arena, " Extracted address %.*s\n", STR_ARG(address));
        vec_push(run->arena, &run->notes, note);
    }
    run->apply(run->ctx,
               &(struct filter_action){.id = FILTER_THISADDRESS, .argc = 1, .argv = &kept});
}

/* --- questions --- */

enum vm_status
filter_run_ask(struct vm *vm, uint32_t ask, const struct str *argv, unsigned argc)
{
    const struct filter_run *run = vm->filter;
    if (run == NULL)
        return vm_fail(vm, "questions are for filters only");
    switch ((enum filter_ask)ask) {
    case FILTER_ASK_DELIVERED:
        vm->flag = run->delivered;
        return VM_OK;
    case FILTER_ASK_ERROR_MESSAGE:
        vm->flag = run->error_message;
        return VM_OK;
    case FILTER_ASK_FIRST_DELIVERY:
        vm->flag = run->first_delivery;
        return VM_OK;
    case FILTER_ASK_MANUALLY_THAWED:
        vm->flag = run->manually_thawed;
        return VM_OK;
    case FILTER_ASK_PERSONAL:
        vm->flag = filter_is_personal(vm, run, argv, argc);
        return VM_OK;
    case FILTER_ASKS:
        break;
    }
    return vm_fail(vm, "bad question");
}
