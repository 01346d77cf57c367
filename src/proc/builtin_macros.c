/* Built-in macros; see the header. The order is Exim's: each group from the last name to the
 * first, so that a longer name comes before one that it begins with. */
#include "proc/builtin_macros.h"

#include "acl/acl.h"
#include "auths/auth.h"
#include "base/arena.h"
#include "conf/main_options.h"
#include "conf/vars.h"
#include "filter/fn.h"
#include "routers/router.h"
#include "sys/log_selector.h"
#include "transports/transport.h"

#include <string.h>

static const struct conf_builtin dkim_headers[] = {
    {"_DKIM_OVERSIGN_HEADERS",
#define DKIM_FIRST_FIELD(name) "+" name
#define DKIM_FIELD(name) ":+" name
#include "mail/dkim_field.def"
#undef DKIM_FIRST_FIELD
#undef DKIM_FIELD
    },
    {"_DKIM_SIGN_HEADERS",
#define DKIM_FIRST_FIELD(name) name
#define DKIM_FIELD(name) ":" name
#include "mail/dkim_field.def"
#undef DKIM_FIRST_FIELD
#undef DKIM_FIELD
    },
};

/* Meaning of the number in $tls_in_resumption and $tls_out_resumption, as a list from 0 on. */
static const struct conf_builtin resume_decode = {
    "_RESUME_DECODE",
    "not requested or offered : 0x02 :client requested, no server ticket: 0x04 : 0x05 : 0x06 "
    ":client offered session, no server action: 0x08 :no client request: 0x0A :client "
    "requested "
    "new ticket, server provided: 0x0C :client offered session, not used: 0x0E :client offered "
    "session, server only provided new ticket: 0x10 :session resumed unasked: 0x12 :session "
    "resumed unasked: 0x14 : 0x15 : 0x16 :session resumed: 0x18 :session resumed unasked: 0x1A "
    ":session resumed unasked: 0x1C :session resumed: 0x1E :session resumed, also new ticket",
};

struct making {
    struct arena *arena;
    VEC(struct conf_builtin) list;
};

static void
add(struct making *m, const char *name, const char *text)
{
    struct conf_builtin one = {name, text};
    vec_push(m->arena, &m->list, one);
}

static void
add_made(struct making *m, const char *prefix, struct str name)
{
    size_t n = strlen(prefix);
    char *text = arena_alloc(m->arena, n + name.n + 1);
    memcpy(text, prefix, n);
    for (uint32_t i = 0; i < name.n; i++)
        text[n + i] = ascii_upper(name.p[i]);
    text[n + name.n] = '\0';
    add(m, text, "y");
}

static void
add_log_selectors(struct making *m)
{
    for (unsigned i = LOG_SELECTORS; i > 0; i--) {
        struct str name = log_selector_row((enum log_selector)(i - 1))->name;
        if (str_eqz(name, "rejected_header"))
            add(m, "_LOG_REJECTED_HEADERS", "y");
        add_made(m, "_LOG_", name);
        if (str_eqz(name, "all_parents"))
            add(m, "_LOG_ALL", "y");
    }
}

static void
add_functions(struct making *m, enum fn_kind kind, enum fn_kind other, const char *prefix)
{
    size_t n;
    const struct fn *rows = fn_all(&n);
    for (size_t i = n; i > 0; i--)
        if (rows[i - 1].kind == kind || rows[i - 1].kind == other)
            if (ascii_alpha(rows[i - 1].name.p[0]))
                add_made(m, prefix, rows[i - 1].name);
}

static void
add_expansion_words(struct making *m)
{
    size_t n;
    const struct var *vars = vars_all(&n);
    for (size_t i = n; i > 0; i--)
        if ((vars[i - 1].flags & VAR_HIDDEN) == 0)
            add_made(m, "_EXP_VAR_", vars[i - 1].name);
    add_functions(m, FN_COND, FN_COND, "_EXP_COND_");
    add_functions(m, FN_OPER, FN_OPER, "_EXP_OP_");
    add_functions(m, FN_ITEM, FN_ITEM_YN, "_EXP_ITEM_");
}

/* Conditions and modifiers together, by name. */
static void
add_acl_words(struct making *m)
{
    unsigned cond = ACL_MOD_ADD_HEADER;
    unsigned mod = ACL_WORDS;
    while (cond > 0 || mod > ACL_MOD_ADD_HEADER) {
        struct str c = cond > 0 ? acl_word_row((enum acl_word_id)(cond - 1))->name : STR_EMPTY;
        struct str d = mod > ACL_MOD_ADD_HEADER
                           ? acl_word_row((enum acl_word_id)(mod - 1))->name
                           : STR_EMPTY;
        if (str_cmp(c, d) > 0) {
            add_made(m, "_ACL_COND_", c);
            cond--;
        } else {
            add_made(m, "_ACL_MOD_", d);
            mod--;
        }
    }
}

struct builtin_macros
builtin_macros_all(struct arena *a)
{
    struct making m = {.arena = a};
    add(&m, dkim_headers[0].name, dkim_headers[0].text);
    add(&m, dkim_headers[1].name, dkim_headers[1].text);
    /* clang-format off */
#define FEATURE_EARLY(name) add(&m, name, "y");
#define FEATURE(name)
#define FEATURE_ACL
#include "proc/features.def"
#undef FEATURE_EARLY
#undef FEATURE
#undef FEATURE_ACL
    add(&m, resume_decode.name, resume_decode.text);
    add_expansion_words(&m);
    add_log_selectors(&m);
    size_t early = m.list.n;
#define FEATURE_EARLY(name)
#define FEATURE(name) add(&m, name, "y");
#define FEATURE_ACL add_acl_words(&m);
#include "proc/features.def"
#undef FEATURE_EARLY
#undef FEATURE
#undef FEATURE_ACL
    /* clang-format on */
    return (struct builtin_macros){.v = m.list.v, .n = m.list.n, .early = early};
}

/* --- the list --- */

struct listing {
    struct arena *arena;
    void (*fn)(void *ctx, struct str name, struct str text);
    void *ctx;
};

/* Hands over "_OPT_ROUTER_" "REDIRECT_" "DATA" in capitals. */
static void
list_name(const struct listing *l, const char *head, struct str middle, struct str name)
{
    struct str text = str_printf(l->arena, "%s%.*s%s%.*s", head, STR_ARG(middle),
                                 middle.n > 0 ? "_" : "", STR_ARG(name));
    l->fn(l->ctx, str_upper(l->arena, text), STR_LIT("y"));
}

static void
list_rows(const struct listing *l, const char *head, struct str driver,
          const struct opt_table *t)
{
    for (size_t i = t->n; i > 0; i--)
        if ((t->rows[i - 1].flags & OPT_HIDDEN) == 0)
            list_name(l, head, driver, t->rows[i - 1].name);
}

/* Drivers go from the first to the last, unlike everything else. */
static void
list_class(const struct listing *l, const struct driver_class *c)
{
    const char *one = str_printf(l->arena, "_opt_%s_", c->what).p;
    const char *all = str_printf(l->arena, "_opt_%ss_", c->what).p;
    const char *driver = str_printf(l->arena, "_driver_%s_", c->what).p;
    for (size_t i = 0; i < c->n; i++) {
        list_rows(l, one, c->drivers[i]->name, c->drivers[i]->opts);
        list_name(l, driver, STR_EMPTY, c->drivers[i]->name);
    }
    list_rows(l, all, STR_EMPTY, c->generic);
}

void
builtin_macros_each(struct arena *a, void (*fn)(void *ctx, struct str name, struct str text),
                    void *ctx)
{
    struct listing l = {a, fn, ctx};
    struct builtin_macros all = builtin_macros_all(a);
    for (size_t i = 0; i < all.early; i++)
        fn(ctx, str_from_cstr(all.v[i].name), str_from_cstr(all.v[i].text));
    list_class(&l, &auth_class);
    list_class(&l, &transport_class);
    list_class(&l, &router_class);
    list_rows(&l, "_opt_main_", STR_EMPTY, &conf_main_opts);
    for (size_t i = all.early; i < all.n; i++)
        fn(ctx, str_from_cstr(all.v[i].name), str_from_cstr(all.v[i].text));
}

void
builtin_macros_request(struct arena *a, struct conf_request *rq)
{
    struct builtin_macros all = builtin_macros_all(a);
    rq->routers = &router_class;
    rq->transports = &transport_class;
    rq->auths = &auth_class;
    rq->main_opts = &conf_main_opts;
    rq->acl = &acl_section;
    rq->builtins = all.v;
    rq->builtins_n = all.n;
}
