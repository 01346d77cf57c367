/* The modes that work on the queue; see queue_mode.h. */
#include "proc/queue_mode.h"

#include "engine/maillog.h"
#include "engine/queue_command.h"
#include "engine/queue_list.h"
#include "engine/queue_move.h"
#include "engine/queue_run.h"
#include "engine/queue_show.h"
#include "proc/engine_start.h"

#include <stdio.h>
#include <string.h>

/* The engine on the queue that -qG names. */
static struct engine *
start(struct mode *m)
{
    struct engine *e = engine_start(m);
    if (e != NULL && str_is_set(m->cli->queue.name))
        e->queue = str_untaint_by_rule(m->cli->queue.name, "queue of an admin user");
    return e;
}

/* --- -bp --- */

static const struct {
    const char *option;
    enum queue_list_order order;
    enum queue_show_what what;
} lists[] = {
    {"-bp", QUEUE_LIST_SORTED, QUEUE_SHOW_ALL},
    {"-bpa", QUEUE_LIST_SORTED, QUEUE_SHOW_GENERATED},
    {"-bpi", QUEUE_LIST_SORTED, QUEUE_SHOW_IDS},
    {"-bpr", QUEUE_LIST_STREAM, QUEUE_SHOW_ALL},
    {"-bpra", QUEUE_LIST_STREAM, QUEUE_SHOW_GENERATED},
    {"-bpri", QUEUE_LIST_STREAM, QUEUE_SHOW_IDS},
    {"-bpru", QUEUE_LIST_STREAM, QUEUE_SHOW_UNDELIVERED},
    {"-bpu", QUEUE_LIST_SORTED, QUEUE_SHOW_UNDELIVERED},
};

int
queue_mode_list(struct mode *m)
{
    struct engine *e = start(m);
    if (e == NULL)
        return 1;
    if (cli_has(m->cli, "-bpc")) {
        printf("%zu\n", queue_show_count(e));
        return 0;
    }
    size_t chosen = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (cli_has(m->cli, lists[i].option))
            chosen = i;
    if (m->cli->args.n > 0)
        queue_show_some(e, m->cli->args.v, m->cli->args.n, lists[chosen].what, stdout);
    else
        queue_show(e, lists[chosen].order, lists[chosen].what, stdout);
    return 0;
}

/* --- -M --- */

/* The option of this run, by its row. */
static struct str
message_option(const struct mode *m)
{
    for (size_t i = m->cli->settings.n; i > 0; i--) {
        const struct cli_row *row = m->cli->settings.v[i - 1].row;
        if (row->mode == CLI_MESSAGE)
            return str_from_cstr(row->name);
    }
    return STR_EMPTY;
}

static int
move_messages(struct engine *e, const struct cli *cli)
{
    int status = 0;
    for (size_t i = 1; i < cli->args.n; i++)
        if (!queue_move(e, cli->args.v[i], cli->args.v[0]))
            status = 1;
    (void)putchar('\n');
    return status;
}

static int
run_command(struct engine *e, const struct queue_command *c, const struct cli *cli)
{
    const struct str *args = cli->args.v;
    int status = 0;
    if (c->one_message && cli->args.n < 1 + (size_t)c->least) {
        fprintf(stderr, "%s: not enough arguments for %s\n", cli->program, c->option);
        return 1;
    }
    if (strcmp(c->option, "-Mes") == 0 && cli->args.n != 2) {
        fprintf(stderr, "%s: only one sender address expected after %s\n", cli->program,
                c->option);
        return 1;
    }
    if (c->one_message)
        return c->run(e, args[0], args + 1, cli->args.n - 1) ? 0 : 1;
    for (size_t i = 0; i < cli->args.n; i++) {
        if (!c->run(e, args[i], NULL, 0))
            status = 1;
        (void)fflush(stdout);
    }
    return status;
}

int
queue_mode_message(struct mode *m)
{
    struct engine *e = start(m);
    struct str option = message_option(m);
    if (e == NULL)
        return 1;
    e->queue_reports = cli_has(m->cli, "-odq");
    if (str_eqz(option, "-MG"))
        return move_messages(e, m->cli);
    const struct queue_command *c = queue_command_find(option);
    if (c == NULL) {
        fprintf(stderr, "%s: %.*s is not available\n", m->cli->program, STR_ARG(option));
        return 1;
    }
    return run_command(e, c, m->cli);
}

/* --- -q --- */

int
queue_mode_run(struct mode *m)
{
    struct engine *e = start(m);
    const struct cli_queue *c = &m->cli->queue;
    if (e == NULL)
        return 1;
    const struct queue_run q = {
        .two_stage = c->two_stage,
        .only_new = c->only_new,
        .force = c->force,
        .force_frozen = c->force_frozen,
        .local_only = c->local_only,
        .from = c->from,
        .to = c->to,
        .recipient = c->recipient,
        .sender = c->sender,
        .recipient_regex = c->recipient_regex,
        .sender_regex = c->sender_regex,
        .recipient_force = c->recipient_force,
        .sender_force = c->sender_force,
        .words = c->words,
    };
    e->queue_reports = cli_has(m->cli, "-odq");
    return queue_run(e, &q) ? 0 : 1;
}

/* --- -z --- */

int
queue_mode_log(struct mode *m)
{
    struct engine *e = start(m);
    if (e == NULL)
        return 1;
    maillog_line(e, MAILLOG_MAIN, STR_NULL, cli_value(m->cli, "-z"));
    return 0;
}
