/* Rows of the main section; see the header and main_options.def. */
#include "conf/main_options.h"

#include "conf/opt_parse.h"
#include "sys/log_selector.h"

#include <stddef.h>

/* The word that is nearest to a misspelt one, without its sign. */
static struct str
nearest_selector(struct str wrong)
{
    struct str names[LOG_SELECTORS];
    for (unsigned i = 0; i < LOG_SELECTORS; i++)
        names[i] = log_selector_row((enum log_selector)i)->name;
    return diag_nearest(str_sub(wrong, 1, wrong.n), names, LOG_SELECTORS);
}

static bool
parse_log_selector(const struct opt_value *v, void *field)
{
    uint64_t bits = log_selector_default();
    const char *error;
    struct str wrong;
    *(struct str *)field = v->text;
    if (log_selector_apply(v->text, &bits, &error, &wrong))
        return true;
    bool unknown = wrong.p[0] == '+' || wrong.p[0] == '-';
    const char *quote = unknown ? "" : "\"";
    diags_add(v->ctx->diags,
              &(struct diag){
                  .level = DIAG_ERROR,
                  .at = textmap_span(v->map, (size_t)(wrong.p - v->text.p), wrong.n),
                  .text = str_printf(v->ctx->arena, "%s %s%.*s%s", error, quote, STR_ARG(wrong),
                                     quote),
                  .exim_place = STR_EMPTY, /* Exim checks it at the end */
                  .hint = unknown ? nearest_selector(wrong) : STR_NULL,
              });
    return false;
}

static void
print_str(struct buf *out, const struct opt *o, const void *field)
{
    (void)o;
    opt_print_text(out, *(const struct str *)field);
}

/* clang-format off */
enum {
    NE = OPT_NO_EFFECT,
    MOD = OPT_MODULE,
};

static const struct opt rows[] = {
#define ALIAS(name, f, T, tag, fl, d) \
    OPT_ALIAS(struct conf_main, #name, f, T, tag, 0, NULL, fl, d),
#define FUNCTION(f, T, parse_fn, print_fn, fl, d) \
    {.name = STR_INIT(#f), .type = OPT_T_FUNCTION, .flags = (fl), \
     .offset = OPT_FIELD(struct conf_main, f, T), .parse = (parse_fn), \
     .print = (print_fn), .doc = (d)},
#define ADDRESSES(f, def, fl, d) OPT_ADDRESSES(struct conf_main, f, def, fl, d),
#define BOOL(f, def, fl, d) OPT_BOOL(struct conf_main, f, def, fl, d),
#define DOMAINS(f, def, fl, d) OPT_DOMAINS(struct conf_main, f, def, fl, d),
#define FIXED(f, def, fl, d) OPT_FIXED(struct conf_main, f, def, fl, d),
#define GID(f, def, fl, d) OPT_GID(struct conf_main, f, def, fl, d),
#define GIDS(f, def, fl, d) OPT_GIDS(struct conf_main, f, def, fl, d),
#define HOSTS(f, def, fl, d) OPT_HOSTS(struct conf_main, f, def, fl, d),
#define INT(f, def, fl, d) OPT_INT(struct conf_main, f, def, fl, d),
#define KSIZE(f, def, fl, d) OPT_KSIZE(struct conf_main, f, def, fl, d),
#define LIST(f, def, fl, d) OPT_LIST(struct conf_main, f, def, fl, d),
#define SIZE(f, def, fl, d) OPT_SIZE(struct conf_main, f, def, fl, d),
#define STR(f, def, fl, d) OPT_STR(struct conf_main, f, def, fl, d),
#define TIME(f, def, fl, d) OPT_TIME(struct conf_main, f, def, fl, d),
#define TIME_LIST(f, def, fl, d) OPT_TIME_LIST(struct conf_main, f, def, fl, d),
#define UID(f, def, fl, d) OPT_UID(struct conf_main, f, def, fl, d),
#define UIDS(f, def, fl, d) OPT_UIDS(struct conf_main, f, def, fl, d),
#define XSTR(f, def, fl, d) OPT_XSTR(struct conf_main, f, def, fl, d),
#define XTIME(f, def, fl, d) OPT_XTIME(struct conf_main, f, def, fl, d),
#include "conf/main_options.def"
};
/* clang-format on */

const struct opt_table conf_main_opts = {
    .what = "main",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct conf_main),
};

/* The specification: the default is the absolute maximum. */
enum { RETRY_INTERVAL_LIMIT = 24 * 3600 };

void
conf_main_complete(struct conf_main *m, struct str host_name)
{
    if (!str_is_set(m->primary_hostname))
        m->primary_hostname = host_name;
    if (!str_is_set(m->qualify_domain))
        m->qualify_domain = m->primary_hostname;
    if (!str_is_set(m->qualify_recipient))
        m->qualify_recipient = m->qualify_domain;
    if (m->retry_interval_max > RETRY_INTERVAL_LIMIT)
        m->retry_interval_max = RETRY_INTERVAL_LIMIT;
}
