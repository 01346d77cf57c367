/* For who writes a local_scan() function: the names that the manual documents, for C code that becomes a plugin.
 *
 *     #define LOCAL_SCAN
 *     #include "local_scan.h"
 *     int local_scan(int fd, uschar **return_text) { return LOCAL_SCAN_ACCEPT; }
 *
 *     gcc -shared -fPIC -o local_scan.so mine.c      (into the plugin folder; include it from one file only)
 *
 * The function runs in a process of its own with the rights of reception, once a message; when it crashes or takes longer
 * than local_scan_timeout, the message is refused for now. Names are macros over struct local_scan_env, so a plugin shares no
 * variable with the program. Source: specification, chapter "Adding a local scan function".
 */
#ifndef REMEX_LOCAL_SCAN_H
#define REMEX_LOCAL_SCAN_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

typedef unsigned char uschar;
typedef int BOOL;

enum {
    LOCAL_SCAN_ENV_VERSION = 1,
    /* The same as in sys/plugin.h. */
    LOCAL_SCAN_PLUGIN_ABI = 2,
    LOCAL_SCAN_PLUGIN_KIND = 2,
};

enum {
    LOCAL_SCAN_ACCEPT,
    LOCAL_SCAN_ACCEPT_FREEZE,
    LOCAL_SCAN_ACCEPT_QUEUE,
    LOCAL_SCAN_REJECT,
    LOCAL_SCAN_REJECT_NOLOGHDR,
    LOCAL_SCAN_TEMPREJECT,
    LOCAL_SCAN_TEMPREJECT_NOLOGHDR,
};

typedef struct header_line {
    struct header_line *next;
    int type;
    int slen;
    uschar *text;
} header_line;

typedef struct recipient_item {
    uschar *address;
    int pno;
    uschar *errors_to;
} recipient_item;

/* Options in the section "begin local_scan". */
enum {
    opt_bool,
    opt_fixed,
    opt_int,
    opt_mkint,
    opt_octint,
    opt_stringptr,
    opt_time,
};

typedef struct optionlist {
    const char *name;
    int type;
    void *value;
} optionlist;

/* What the program and the plugin share. */
struct local_scan_env {
    unsigned version;
    void *ctx;

    int body_linecount, body_zerocount;
    unsigned debug_selector;
    uschar *expand_string_message;
    header_line *header_list, *header_last;
    const uschar *headers_charset;
    BOOL host_checking;
    uschar *interface_address;
    int interface_port;
    uschar *message_id, *received_protocol;
    int recipients_count;
    recipient_item *recipients_list;
    uschar *sender_address, *sender_host_address, *sender_host_authenticated, *sender_host_name;
    int sender_host_port;
    BOOL smtp_input, smtp_batched_input;
    int store_pool;
    int data_start; /* offset of the body in the file */

    pid_t (*child_open)(struct local_scan_env *, uschar **, uschar **, int, int *, int *, BOOL);
    int (*child_close)(struct local_scan_env *, pid_t, int);
    pid_t (*child_open_exim)(struct local_scan_env *, int *, uschar *, uschar *);
    void (*debug)(struct local_scan_env *, const char *, va_list);
    uschar *(*expand)(struct local_scan_env *, uschar *);
    void (*add_header)(struct local_scan_env *, BOOL, uschar *, BOOL, int, const char *,
                       va_list);
    void (*remove_header)(struct local_scan_env *, int, uschar *);
    BOOL (*test_header)(struct local_scan_env *, header_line *, uschar *, int, BOOL);
    uschar *(*b64encode)(struct local_scan_env *, uschar *, int);
    int (*b64decode)(struct local_scan_env *, uschar *, uschar **);
    int (*match)(struct local_scan_env *, int, uschar *, uschar *, uschar *, BOOL);
    void (*log)(struct local_scan_env *, int, const char *, va_list);
    void (*add_recipient)(struct local_scan_env *, uschar *, int);
    BOOL (*remove_recipient)(struct local_scan_env *, uschar *);
    uschar *(*decode)(struct local_scan_env *, uschar *, BOOL, uschar *, int, int *, uschar **);
    int (*flush)(struct local_scan_env *);
    void (*answer)(struct local_scan_env *, const char *, va_list);
    void *(*get)(struct local_scan_env *, int);
    uschar *(*copy)(struct local_scan_env *, const uschar *, int);
    uschar *(*format)(struct local_scan_env *, const char *, va_list);
};

/* What the plugin gives. options may be NULL. */
struct local_scan_entry {
    unsigned version;
    int (*scan)(struct local_scan_env *env, int fd, uschar **return_text);
    const optionlist *options;
    const int *options_count;
};

#ifdef LOCAL_SCAN

#define US (unsigned char *)
#define CUS (const unsigned char *)
#define USS (unsigned char **)
#define CS (char *)
#define CCS (const char *)
#define CSS (char **)
#define TRUE 1
#define FALSE 0
#define TRUE_UNSET 2
#define OK 0
#define DEFER 1
#define FAIL 2
#define ERROR 3
#define LOG_MAIN 1
#define LOG_REJECT 2
#define LOG_PANIC 4
#define D_v 1u
#define D_local_scan 2u
#define POOL_MAIN 0
#define POOL_PERM 1
#define SPOOL_DATA_START_OFFSET (local_scan_env_->data_start)

extern int local_scan(int fd, uschar **return_text);
extern optionlist local_scan_options[] __attribute__((weak));
extern int local_scan_options_count __attribute__((weak));

static struct local_scan_env *local_scan_env_;

#define body_linecount (local_scan_env_->body_linecount)
#define body_zerocount (local_scan_env_->body_zerocount)
#define debug_selector (local_scan_env_->debug_selector)
#define expand_string_message (local_scan_env_->expand_string_message)
#define header_list (local_scan_env_->header_list)
#define header_last (local_scan_env_->header_last)
#define headers_charset (local_scan_env_->headers_charset)
#define host_checking (local_scan_env_->host_checking)
#define interface_address (local_scan_env_->interface_address)
#define interface_port (local_scan_env_->interface_port)
#define message_id (local_scan_env_->message_id)
#define received_protocol (local_scan_env_->received_protocol)
#define recipients_count (local_scan_env_->recipients_count)
#define recipients_list (local_scan_env_->recipients_list)
#define sender_address (local_scan_env_->sender_address)
#define sender_host_address (local_scan_env_->sender_host_address)
#define sender_host_authenticated (local_scan_env_->sender_host_authenticated)
#define sender_host_name (local_scan_env_->sender_host_name)
#define sender_host_port (local_scan_env_->sender_host_port)
#define smtp_input (local_scan_env_->smtp_input)
#define smtp_batched_input (local_scan_env_->smtp_batched_input)
#define store_pool (local_scan_env_->store_pool)

#define child_open(argv, envp, mask, in, out, leader)                                          \
    (local_scan_env_->child_open(local_scan_env_, argv, envp, mask, in, out, leader))
#define child_close(pid, timeout) (local_scan_env_->child_close(local_scan_env_, pid, timeout))
#define child_open_exim(fd) (local_scan_env_->child_open_exim(local_scan_env_, fd, US "", NULL))
#define child_open_exim2(fd, sender, authentication)                                           \
    (local_scan_env_->child_open_exim(local_scan_env_, fd, sender, authentication))
#define expand_string(s) (local_scan_env_->expand(local_scan_env_, s))
#define header_remove(occurrence, name)                                                        \
    (local_scan_env_->remove_header(local_scan_env_, occurrence, name))
#define header_testname(h, name, length, notdel)                                               \
    (local_scan_env_->test_header(local_scan_env_, h, name, length, notdel))
#define lss_b64encode(text, length) (local_scan_env_->b64encode(local_scan_env_, text, length))
#define lss_b64decode(text, clear) (local_scan_env_->b64decode(local_scan_env_, text, clear))
#define lss_match_domain(domain, list)                                                         \
    (local_scan_env_->match(local_scan_env_, 'd', domain, NULL, list, TRUE))
#define lss_match_local_part(part, list, caseless)                                             \
    (local_scan_env_->match(local_scan_env_, 'l', part, NULL, list, caseless))
#define lss_match_address(address, list, caseless)                                             \
    (local_scan_env_->match(local_scan_env_, 'a', address, NULL, list, caseless))
#define lss_match_host(name, address, list)                                                    \
    (local_scan_env_->match(local_scan_env_, 'h', address, name, list, TRUE))
#define receive_add_recipient(address, pno)                                                    \
    (local_scan_env_->add_recipient(local_scan_env_, address, pno))
#define receive_remove_recipient(address)                                                      \
    (local_scan_env_->remove_recipient(local_scan_env_, address))
#define rfc2047_decode(s, check, target, zero, length, error)                                  \
    (local_scan_env_->decode(local_scan_env_, s, check, target, zero, length, error))
#define smtp_fflush() (local_scan_env_->flush(local_scan_env_))
#define store_get(n, ...) (local_scan_env_->get(local_scan_env_, n))
#define store_get_perm(n, ...) (local_scan_env_->get(local_scan_env_, n))
#define string_copy(s) (local_scan_env_->copy(local_scan_env_, s, -1))
#define string_copyn(s, n) (local_scan_env_->copy(local_scan_env_, s, n))

#define LOCAL_SCAN_PRINTF(at) __attribute__((unused, format(printf, at, at + 1)))

LOCAL_SCAN_PRINTF(1) static void debug_printf(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    local_scan_env_->debug(local_scan_env_, format, ap);
    va_end(ap);
}

LOCAL_SCAN_PRINTF(2) static void header_add(int type, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    local_scan_env_->add_header(local_scan_env_, TRUE, NULL, FALSE, type, format, ap);
    va_end(ap);
}

LOCAL_SCAN_PRINTF(5)
static void
header_add_at_position(BOOL after, uschar *name, BOOL topnot, int type, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    local_scan_env_->add_header(local_scan_env_, after, name, topnot, type, format, ap);
    va_end(ap);
}

LOCAL_SCAN_PRINTF(3)
static void
log_write(unsigned selector, int which, const char *format, ...)
{
    va_list ap;
    (void)selector;
    va_start(ap, format);
    local_scan_env_->log(local_scan_env_, which, format, ap);
    va_end(ap);
}

/* more: TRUE if further calls follow at once. */
__attribute__((unused, format(printf, 1, 3))) static void
smtp_printf(const char *format, BOOL more, ...)
{
    va_list ap;
    va_start(ap, more);
    local_scan_env_->answer(local_scan_env_, format, ap);
    va_end(ap);
    if (!more)
        (void)local_scan_env_->flush(local_scan_env_);
}

LOCAL_SCAN_PRINTF(1) static uschar *string_sprintf(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    uschar *s = local_scan_env_->format(local_scan_env_, format, ap);
    va_end(ap);
    return s;
}

static int
local_scan_enter_(struct local_scan_env *env, int fd, uschar **return_text)
{
    local_scan_env_ = env;
    return local_scan(fd, return_text);
}

static const struct local_scan_entry local_scan_entry_ = {
    LOCAL_SCAN_ENV_VERSION, local_scan_enter_, local_scan_options, &local_scan_options_count};

static const void *const local_scan_objects_[] = {&local_scan_entry_};

/* A struct plugin of sys/plugin.h. */
extern const struct local_scan_plugin {
    unsigned abi, kind;
    const char *name;
    const void *const *objects;
    size_t n;
} remex_plugin;
__attribute__((visibility("default"))) const struct local_scan_plugin remex_plugin = {
    LOCAL_SCAN_PLUGIN_ABI, LOCAL_SCAN_PLUGIN_KIND, "local_scan", local_scan_objects_, 1};

#endif
#endif
