/* Fuzz target: a configuration text through the reader, with the real options and drivers. Nothing is
 * opened: only the main text may be read. */
#include "auths/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "routers/router.h"
#include "transports/transport.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct conf_builtin builtins[] = {{"_HAVE_TLS_RESUME", "y"}, {"_HAVE_TLS", "y"}};

/* Every place of every message must be printable, in both forms. */
static void
print_messages(struct arena *a, const struct diags *diags)
{
    struct buf out = buf_in(a, 1 << 20);
    for (size_t i = 0; i < diags_total(diags); i++) {
        diag_render(&out, diags_at(diags, i));
        conf_print_exim(&out, diags_at(diags, i));
    }
}

static void
print_all(struct arena *a, const struct conf *c)
{
    struct buf out = buf_in(a, 1 << 20);
    opt_print_all(&out, &c->main_set, false, OPT_SHOW_FULL);
    conf_print_text(&out, c, STR_LIT("4.99"), false, false);
    for (size_t i = 0; i < c->transports.n; i++)
        opt_print_all(&out, &c->transports.v[i]->own, true, OPT_SHOW_FULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diags *diags = diags_new(a, 20);
    char *text = arena_alloc(a, size);
    if (size > 0)
        memcpy(text, data, size);
    struct source source = {.name = STR_LIT("/fuzz/conf"), .text = str_from(text, size)};
    const struct macro defined = {.name = STR_INIT("CMD"),
                                  .text = STR_INIT("of the command line")};
    const struct conf_request rq = {.source = &source,
                                    .max_files = 1,
                                    .max_bytes = 1 << 20,
                                    .builtins = builtins,
                                    .builtins_n = sizeof builtins / sizeof builtins[0],
                                    .macros = &defined,
                                    .macros_n = 1,
                                    .routers = &router_class,
                                    .transports = &transport_class,
                                    .auths = &auth_class,
                                    .main_opts = &conf_main_opts,
                                    .keep_text = true};
    const struct conf *c = conf_read(a, &rq, diags);
    if (c == NULL && diags_count(diags, DIAG_ERROR) == 0)
        abort(); /* a failure needs a reason */
    print_messages(a, diags);
    if (c != NULL)
        print_all(a, c);
    arena_free(a);
    return 0;
}
