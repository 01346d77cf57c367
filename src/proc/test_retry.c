/* -brt; see test_retry.h. The words are Exim's, since scripts read them. */
#include "proc/test_retry.h"

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "engine/retry.h"
#include "proc/notice.h"

#include <stdio.h>

/* A domain, or an address whose domain is in lower case. */
static struct str
normal_key(struct arena *a, struct str key)
{
    size_t at = str_rchr(key, '@');
    if (at == STR_NPOS)
        return str_lower(a, key);
    return str_cat(a, str_sub(key, 0, at), str_lower(a, str_sub(key, at, key.n)));
}

static void
print_odd_key(struct str key)
{
    if (str_chr(key, '@', 0) != STR_NPOS || str_chr(key, '.', 0) != STR_NPOS)
        return;
    printf("Warning: \"%.*s\" contains no '@' and no '.' characters. It is being \n"
           "treated as a one-component domain, not as a local part.\n\n",
           STR_ARG(key));
}

int
test_retry_run(struct mode *m)
{
    const struct cli *cli = m->cli;
    struct retry_question q = {.second = STR_NULL, .sender = STR_NULL};
    if (cli->args.n == 0) {
        printf("-brt needs a domain or address argument\n");
        return 1;
    }
    print_odd_key(cli->args.v[0]);
    q.key = normal_key(m->arena, cli->args.v[0]);
    size_t next = 1;
    /* A second domain has a dot; the name of an error has none. */
    if (next < cli->args.n && str_chr(cli->args.v[next], '.', 0) != STR_NPOS)
        q.second = normal_key(m->arena, cli->args.v[next++]);
    if (next < cli->args.n) {
        struct str fault;
        if (!retry_error_parse(m->arena, cli->args.v[next], &q.error, &fault)) {
            printf("%.*s\n", STR_ARG(fault));
            return 1;
        }
    }
    if (str_is_set(cli->sender))
        q.sender = cli->sender;
    const struct retry_rule *r = retry_find(m->conf->retry, m->eval, m->vm, &q, notice_main);
    if (str_is_set(m->eval->fatal))
        return 1;
    if (r == NULL) {
        printf("No retry information found\n");
        return 0;
    }
    struct buf out = buf_in(m->arena, 0);
    retry_rule_add(&out, r);
    printf("%.*s", STR_ARG(buf_str(&out)));
    return 0;
}
