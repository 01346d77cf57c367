/* -brw; see test_rewrite.h. The words are Exim's, since scripts read them. */
#include "proc/test_rewrite.h"

#include "conf/conf.h"
#include "conf/eval.h"
#include "engine/rewrite.h"
#include "filter/host.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "proc/notice.h"

#include <stdio.h>

static const struct {
    const char *label;
    unsigned place;
} places[] = {
    {"  sender: ", REWRITE_SENDER},   {"    from: ", REWRITE_FROM},
    {"      to: ", REWRITE_TO},       {"      cc: ", REWRITE_CC},
    {"     bcc: ", REWRITE_BCC},      {"reply-to: ", REWRITE_REPLY_TO},
    {"env-from: ", REWRITE_ENV_FROM}, {"  env-to: ", REWRITE_ENV_TO},
};

static void
print_address(struct str s)
{
    if (s.n == 0)
        printf("<>\n");
    else
        printf("%.*s\n", STR_ARG(s));
}

/* An argument that is no address. */
static void
print_syntax_error(struct str address, struct str why)
{
    printf("Syntax error in %.*s\n", STR_ARG(address));
    if (why.n > 0)
        printf("%c%.*s\n", ascii_upper(why.p[0]), STR_ARG(str_sub(why, 1, why.n)));
}

static struct str
complete(struct mode *m, struct str address)
{
    const struct host *host = vm_host(m->vm);
    if (str_chr(address, '@', 0) != STR_NPOS || host == NULL || host->setting == NULL)
        return address;
    struct str at = str_cat(m->arena, address, STR_LIT("@"));
    return str_cat(m->arena, at, host->setting(m->eval, "qualify_domain"));
}

static void
show_note(void *ctx, enum rewrite_note kind, struct str text)
{
    (void)ctx;
    if (kind == REWRITE_FAULT)
        notice_main(text);
}

int
test_rewrite_run(struct mode *m)
{
    const struct rewrite_rules *rules = m->conf->rewrite;
    if (m->cli->args.n == 0) {
        printf("-brw needs an address argument\n");
        return 1;
    }
    if (rules == NULL || rules->v.n == 0) {
        printf("No rewrite rules are defined\n");
        return 0;
    }
    struct rewriting w = {.rules = rules, .eval = m->eval, .vm = m->vm, .log = show_note};
    struct str given = m->cli->args.v[0], out;
    if (rewrite_smtp(&w, m->arena, given, &out)) {
        printf("    SMTP: ");
        print_address(out);
    }
    if ((rules->flags & REWRITE_PLACES) == 0)
        return 0;
    struct str address = complete(m, given);
    struct address_parts p;
    enum address_status st = address_parse(m->arena, address, ADDRESS_LITERAL, &p);
    if (st != ADDRESS_OK) {
        print_syntax_error(address, st == ADDRESS_EMPTY ? STR_LIT("empty address") : p.error);
        return 0;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool envelope = (places[i].place & REWRITE_HEADERS) == 0;
        struct str item = envelope ? p.text : address;
        rewrite_item(&w, m->arena, places[i].place, item, &out);
        if (str_is_set(m->eval->fatal))
            return 1;
        printf("%s", places[i].label);
        print_address(out);
    }
    return 0;
}
