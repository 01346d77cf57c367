/* Syntax errors that were passed over: a log line for each, and a mail to syntax_errors_to. */
#include "routers/redirect.h"

#include "conf/eval.h"
#include "conf/main_options.h"

static void
log_faults(const struct redirection *r, const struct redirect_result *res)
{
    const struct route_call *c = r->call;
    for (size_t i = 0; i < res->faults.n; i++) {
        const struct redirect_fault *f = &res->faults.v[i];
        struct buf b = buf_in(r->arena, 0);
        buf_printf(&b, "%.*s router: skipped error: %.*s", STR_ARG(c->router->name),
                   STR_ARG(f->text));
        if (str_is_set(f->given))
            buf_printf(&b, " in \"%.*s\"", STR_ARG(f->given));
        c->up->log(c->up->ctx, ROUTE_LOG_MAIN, buf_str(&b));
    }
}

/* The text above the errors; none when it cannot be expanded, which is logged. */
static void
add_own_text(const struct redirection *r, struct buf *b)
{
    const struct route_call *c = r->call;
    struct str text;
    if (!str_is_set(r->o->syntax_errors_text.text))
        return;
    if (vm_expand_x(c->vm, &r->o->syntax_errors_text, &text) == VM_OK) {
        buf_printf(b, "%.*s\n\n", STR_ARG(text));
        return;
    }
    text = str_printf(r->arena, "Failed to expand syntax_errors_text for %.*s router: %.*s",
                      STR_ARG(c->router->name), STR_ARG(vm_error(c->vm)));
    c->up->log(c->up->ctx, ROUTE_LOG_BOTH, text);
}

static void
add_errors(const struct redirection *r, const struct redirect_result *res, struct buf *b)
{
    buf_printf(b, "The %.*s router encountered the following error(s):\n\n",
               STR_ARG(r->call->router->name));
    for (size_t i = 0; i < res->faults.n; i++) {
        const struct redirect_fault *f = &res->faults.v[i];
        buf_printf(b, "  %.*s", STR_ARG(f->text));
        if (str_is_set(f->given))
            buf_printf(b, " in the address\n  \"%.*s\"", STR_ARG(f->given));
        buf_addz(b, "\n\n");
    }
    buf_addz(b, res->children.n > 0 ? "Other addresses were processed normally.\n"
                                    : "No valid addresses were generated.\n");
}

/* Header and body; the line of the reference is the first one of the body, as Exim has it. */
static struct str
write_mail(const struct redirection *r, const struct redirect_result *res, struct str to)
{
    const struct conf_main *m = r->call->eval->conf->main;
    struct buf b = buf_in(r->arena, 0);
    struct str from;
    buf_addz(&b, "Auto-Submitted: auto-replied\n");
    if (vm_expand_x(r->call->vm, &m->dsn_from, &from) == VM_OK)
        buf_printf(&b, "From: %.*s\n", STR_ARG(from));
    buf_printf(&b, "To: %.*s\nSubject: error(s) in forwarding or filtering\n\n", STR_ARG(to));
    if (str_is_set(r->call->message->id))
        buf_printf(&b, "References: <E%.*s@%.*s>\n", STR_ARG(r->call->message->id),
                   STR_ARG(m->primary_hostname));
    add_own_text(r, &b);
    add_errors(r, res, &b);
    return buf_str(&b);
}

void
redirect_faults(const struct redirection *r, const struct redirect_result *res,
                struct route_result *out)
{
    struct str to = r->o->syntax_errors_to;
    enum route_purpose why = r->call->purpose;
    if (why != ROUTE_FOR_DELIVERY && why != ROUTE_FOR_TEST)
        return;
    log_faults(r, res);
    if (why != ROUTE_FOR_DELIVERY || !str_is_set(to))
        return;
    out->mail_to = to;
    out->mail = write_mail(r, res, to);
}
