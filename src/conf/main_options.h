/* The main section: struct conf_main, a field for each option, and its rows.
 *
 * Fields and rows come from one file, conf/main_options.def, so that they cannot drift apart.
 * Values are what the file set, or the defaults of the rows; what is computed (the host name)
 * is filled in by conf_main_complete once the file has been read. Read-only after that.
 */
#ifndef REMEX_CONF_MAIN_OPTIONS_H
#define REMEX_CONF_MAIN_OPTIONS_H

#include "conf/opt.h"

struct conf_main {
/* clang-format off */
#define ALIAS(name, f, T, tag, fl, d)
#define FUNCTION(f, T, parse, print, fl, d) T f;
#define ADDRESSES(f, def, fl, d) struct xstr f;
#define BOOL(f, def, fl, d) bool f;
#define DOMAINS(f, def, fl, d) struct xstr f;
#define FIXED(f, def, fl, d) int64_t f;
#define GID(f, def, fl, d) struct opt_id f;
#define GIDS(f, def, fl, d) struct opt_ids f;
#define HOSTS(f, def, fl, d) struct xstr f;
#define INT(f, def, fl, d) int64_t f;
#define KSIZE(f, def, fl, d) int64_t f;
#define LIST(f, def, fl, d) struct xstr f;
#define SIZE(f, def, fl, d) int64_t f;
#define STR(f, def, fl, d) struct str f;
#define TIME(f, def, fl, d) int64_t f;
#define TIME_LIST(f, def, fl, d) struct opt_times f;
#define UID(f, def, fl, d) struct opt_id f;
#define UIDS(f, def, fl, d) struct opt_ids f;
#define XSTR(f, def, fl, d) struct xstr f;
#define XTIME(f, def, fl, d) struct opt_xtime f;
#include "conf/main_options.def"
    /* clang-format on */
};

extern const struct opt_table conf_main_opts;

/* Fills in what depends on other settings or on the machine: primary_hostname (host_name, if
 * the file does not set it), qualify_domain, qualify_recipient. Strings are not copied. */
void conf_main_complete(struct conf_main *m, struct str host_name);

#endif
