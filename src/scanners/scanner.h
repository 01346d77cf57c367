/* What each kind of virus scanner is: one file with one const object, and a row in scanners.def.
 *
 * A driver gets a message and the options that av_scanner gives it, asks its scanner within the deadline, and says what came of it. It logs nothing
 * itself and decides nothing. Source: specification, "Scanning for viruses".
 */
#ifndef REMEX_SCANNERS_SCANNER_H
#define REMEX_SCANNERS_SCANNER_H

#include "base/strlist.h"
#include "base/vec.h"
#include "scanners/scan_message.h"
#include "scanners/scan_socket.h"

struct regex; /* sys/regex.h */

enum scan_end {
    SCAN_CLEAN,
    SCAN_FOUND, /* job->name */
    SCAN_DEFER, /* nobody knows: job->why */
};

enum {
    SCAN_WAIT_S = 120,    /* for all of a scan */
    SCAN_NAME_MAX = 512,  /* bytes of a name; what is beyond is cut off */
    SCAN_TEXT_MAX = 1024, /* of what a scanner said, in a reason */
    SCAN_ANSWER_MAX = 32 * 1024,
};

/* A line for the logs besides the reason. */
struct scan_note {
    bool trouble; /* it begins with what the condition is, and is for the panic log too */
    struct str text;
};

/* One scan. */
struct scan_job {
    struct scan_asker by; /* arena: of the message; what is found out lives there */
    const char *kind;     /* name of the driver */
    struct scan_message *message;
    struct strlist_split options; /* what av_scanner says behind the kind */
    struct scan_socket server;    /* its deadline is that of the scan */
    struct str name;
    struct str why; /* STR_NULL: there is nothing to be logged */
    VEC(struct scan_note) notes;
};

struct scanner_driver {
    const char *name; /* in av_scanner and in -bV */
    const char *doc;
    enum scan_end (*scan)(struct scan_job *j);
};

/* The drivers, in the order of -bV. */
extern const struct scanner_driver *const scanner_drivers[];
extern const size_t scanner_drivers_n;

/* A job on the message at hand, with so many seconds. **owns**: nothing; what comes of it lives in a. */
struct scan_job scan_job_start(struct arena *a, struct eval *e, struct vm *vm, int64_t wait_s);

/* The value of av_scanner or spamd_address, which is expanded each time if it begins with a dollar sign. False: vm_error. */
bool scan_setting(struct vm *vm, struct str setting, struct str *out);
bool scan_setting_is_fixed(struct str setting);

/* Gives out the lines that a job has for the logs: notes, and the reason of a deferral. condition: "malware". panic: also for the panic log. */
void scan_tell(const struct scan_job *j, const char *condition, enum scan_end end,
               void (*log)(void *ctx, bool panic, struct str line), void *ctx);

/* --- for drivers --- */

/* The next option; the default when it is missing or empty. */
struct str scan_option(struct scan_job *j, const char *or_else);

/* The same, as the place of a daemon. False: the reason is set. */
bool scan_take_place(struct scan_job *j, const char *or_else, struct scan_place *out);

enum scan_end scan_found(struct scan_job *j, struct str name);
enum scan_end scan_defer(struct scan_job *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Something to be logged whatever comes of it. */
void scan_note(struct scan_job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same of the server at hand, as a reason is logged. */
void scan_note_trouble(struct scan_job *j, struct str why);
/* "clamd [127.0.0.1]:3310 : reason" */
struct str scan_trouble(const struct scan_job *j, struct str why);

/* What a scanner said, as a reason shows it: one line, bounded. */
struct str scan_said(const struct scan_job *j, struct str text);

/* Connects. False: the reason is set. */
bool scan_connect(struct scan_job *j, const struct scan_place *to);
/* The same, and once more after a pause when that fails and there is time for it. */
bool scan_connect_again(struct scan_job *j, const struct scan_place *to, int64_t pause_ms,
                        int64_t within_ms);
/* The same to a UNIX socket that the next option names, or its default. */
bool scan_connect_local(struct scan_job *j, const char *or_else);
/* The mbox file is there. False: the reason is set. */
bool scan_need_file(struct scan_job *j);
/* The way of those that are told the path of the message: makes the file, connects to where the option says (or_else: when it is left out), asks, and
 * closes. */
enum scan_end scan_ask_about_file(struct scan_job *j, const char *or_else,
                                  enum scan_end (*ask)(struct scan_job *j));

/* Patterns that scanners without a protocol of their own need: the next two options. */
struct scan_patterns {
    const struct regex *trigger, *name;
};
/* False: the reason is set. */
bool scan_take_patterns(struct scan_job *j, struct scan_patterns *out);
/* What the output of such a scanner means. */
enum scan_end scan_judge_output(struct scan_job *j, const struct scan_patterns *p,
                                struct str output);

#endif
