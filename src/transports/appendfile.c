/* The appendfile transport: delivers to mailbox files and to folders of messages. Options, their check, the order of
 * steps; see appendfile.h. */
#include "transports/appendfile.h"

#include "base/arena.h"
#include "sys/biff.h"
#include "sys/user_file.h"
#include "transports/append_file.h"
#include "transports/append_format.h"
#include "transports/append_new.h"
#include "transports/append_path.h"
#include "transports/append_quota.h"
#include "transports/append_record.h"
#include "transports/append_write.h"
#include "transports/mbx.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct transport_appendfile, allow_fifo, false, 0,
        "Lets the file be a named pipe."),
    OPT_BOOL(struct transport_appendfile, allow_symlink, false, 0,
        "Lets the file be a symbolic link."),
    OPT_XSTR(struct transport_appendfile, batch_id, NULL, 0,
        "Text that addresses must have in common to be delivered together."),
    OPT_INT(struct transport_appendfile, batch_max, 1, 0,
        "How many addresses are delivered together."),
    OPT_BOOL(struct transport_appendfile, check_group, false, 0,
        "Checks that an existing file belongs to the right group."),
    OPT_BOOL(struct transport_appendfile, check_owner, true, 0,
        "Checks that an existing file belongs to the right user."),
    OPT_STR(struct transport_appendfile, check_string, NULL, 0,
        "Start of a line that must be escaped in the body."),
    OPT_BOOL(struct transport_appendfile, create_directory, true, 0,
        "Makes missing folders."),
    OPT_STR(struct transport_appendfile, create_file, "anywhere", 0,
        "Where files may be made: anywhere, belowhome or inhome."),
    OPT_XSTR(struct transport_appendfile, directory, NULL, 0,
        "Folder to which messages are delivered, a file each."),
    OPT_XSTR(struct transport_appendfile, directory_file, "q${base62:$tod_epoch}-$inode",
        0,
        "Name of the file in the folder."),
    OPT_OCTAL(struct transport_appendfile, directory_mode, 0700, 0,
        "Permissions of folders that are made."),
    OPT_STR(struct transport_appendfile, escape_string, NULL, 0,
        "Text that takes the place of check_string at the start of a line."),
    OPT_XSTR(struct transport_appendfile, file, NULL, 0,
        "File to which messages are appended."),
    OPT_STR(struct transport_appendfile, file_format, NULL, 0,
        "How to tell formats of existing files apart, and which transport handles each."),
    OPT_BOOL(struct transport_appendfile, file_must_exist, false, 0,
        "Defers when the file does not exist."),
    OPT_TIME(struct transport_appendfile, lock_fcntl_timeout, 0, 0,
        "How long to wait for an fcntl lock; zero tries without waiting."),
    OPT_TIME(struct transport_appendfile, lock_flock_timeout, 0, 0,
        "How long to wait for a flock lock; zero tries without waiting."),
    OPT_TIME(struct transport_appendfile, lock_interval, 3, 0,
        "Time between two attempts to lock the mailbox."),
    OPT_INT(struct transport_appendfile, lock_retries, 10, 0,
        "How often it is tried to lock the mailbox."),
    OPT_OCTAL(struct transport_appendfile, lockfile_mode, 0600, 0,
        "Permissions of lock files."),
    OPT_TIME(struct transport_appendfile, lockfile_timeout, 30 * 60, 0,
        "Age at which a lock file counts as left behind."),
    OPT_XSTR(struct transport_appendfile, mailbox_filecount, NULL, 0,
        "Number of files in the mailbox, when it is known without counting."),
    OPT_XSTR(struct transport_appendfile, mailbox_size, NULL, 0,
        "Size of the mailbox, when it is known without adding up."),
    OPT_BOOL(struct transport_appendfile, maildir_format, false, 0,
        "Delivers in maildir format."),
    OPT_STR(struct transport_appendfile, maildir_quota_directory_regex, "^(?:cur|new|\\..*)$",
        0,
        "Folders of a maildir that count for the quota."),
    OPT_INT(struct transport_appendfile, maildir_retries, 10, 0,
        "How often it is tried to create a file in a maildir."),
    OPT_XSTR(struct transport_appendfile, maildir_tag, NULL, 0,
        "Text that is added to names of files in a maildir."),
    OPT_XBOOL(struct transport_appendfile, maildir_use_size_file, false, 0,
        "Keeps the size of a maildir in a maildirsize file."),
    OPT_STR(struct transport_appendfile, maildirfolder_create_regex, NULL, 0,
        "Folders in which a maildirfolder file is made."),
    OPT_BOOL(struct transport_appendfile, mailstore_format, false, 0,
        "Delivers in mailstore format, two files a message."),
    OPT_XSTR(struct transport_appendfile, mailstore_prefix, NULL, 0,
        "First text in the envelope file of mailstore format."),
    OPT_XSTR(struct transport_appendfile, mailstore_suffix, NULL, 0,
        "Last text in the envelope file of mailstore format."),
    OPT_BOOL(struct transport_appendfile, mbx_format, false, 0,
        "Delivers in MBX format."),
    OPT_XSTR(struct transport_appendfile, message_prefix, NULL, 0,
        "Text before each message."),
    OPT_XSTR(struct transport_appendfile, message_suffix, NULL, 0,
        "Text after each message."),
    OPT_OCTAL(struct transport_appendfile, mode, 0600, 0,
        "Permissions of files that are made."),
    OPT_BOOL(struct transport_appendfile, mode_fail_narrower, true, 0,
        "Defers when an existing file has fewer permissions than mode."),
    OPT_BOOL(struct transport_appendfile, notify_comsat, false, 0,
        "Tells the comsat service about new mail."),
    OPT_XSTR(struct transport_appendfile, quota, NULL, 0,
        "Largest size that the mailbox may reach."),
    OPT_XSTR(struct transport_appendfile, quota_directory, NULL, 0,
        "Folder for which the quota counts."),
    OPT_XSTR(struct transport_appendfile, quota_filecount, NULL, 0,
        "Largest number of messages that the folder may hold."),
    OPT_BOOL(struct transport_appendfile, quota_is_inclusive, true, 0,
        "Counts the new message for the quota."),
    OPT_STR(struct transport_appendfile, quota_size_regex, NULL, 0,
        "Finds the size of a message in the name of its file."),
    OPT_XSTR(struct transport_appendfile, quota_warn_message, NULL, 0,
        "Mail to the user when the quota is nearly used up."),
    OPT_XSTR(struct transport_appendfile, quota_warn_threshold, NULL, 0,
        "Size, or percentage of the quota, at which the user is warned."),
    OPT_BOOL(struct transport_appendfile, use_bsmtp, false, 0,
        "Writes messages as SMTP commands."),
    OPT_BOOL(struct transport_appendfile, use_crlf, false, 0,
        "Ends lines with carriage return and line feed."),
    OPT_BOOL(struct transport_appendfile, use_fcntl_lock, true, 0,
        "Locks the file with fcntl."),
    OPT_BOOL(struct transport_appendfile, use_flock_lock, false, 0,
        "Locks the file with flock."),
    OPT_BOOL(struct transport_appendfile, use_lockfile, true, 0,
        "Locks the mailbox with a lock file."),
    OPT_BOOL(struct transport_appendfile, use_mbx_lock, false, 0,
        "Locks the file by the rules of MBX format."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "appendfile transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_appendfile),
};

static const char mbox_prefix[] =
    "From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n";

static void
set_text(const struct driver_instance *d, const char *option, struct xstr *field,
         const char *text)
{
    if (!driver_sets_own(d, option))
        *field = (struct xstr){.text = str_from_cstr(text)};
}

/* What separates messages depends on the kind of mailbox. */
static void
complete_texts(struct driver_instance *d)
{
    struct transport_appendfile *own = d->own.fields;
    bool many = str_is_set(own->directory.text) || own->maildir_format || own->mailstore_format;
    if (own->use_bsmtp) {
        own->check_string = STR_LIT(".");
        own->escape_string = STR_LIT("..");
    } else if (!many) {
        if (!driver_sets_own(d, "check_string"))
            own->check_string = STR_LIT("From ");
        if (!driver_sets_own(d, "escape_string"))
            own->escape_string = STR_LIT(">From ");
    }
    if (!many && !own->use_bsmtp) {
        set_text(d, "message_prefix", &own->message_prefix, mbox_prefix);
        set_text(d, "message_suffix", &own->message_suffix, "\n");
    }
    if (str_is_set(own->quota_warn_threshold.text))
        set_text(d, "quota_warn_message", &own->quota_warn_message,
                 "To: $local_part@$domain\n"
                 "Subject: Your mailbox\n\n"
                 "This message is automatically created by mail delivery software (Exim).\n\n"
                 "The size of your mailbox has exceeded a warning threshold that is\n"
                 "set by the system administrator.\n");
}

/* Some kinds of lock are chosen by others when the file says nothing of them. */
static void
complete_locks(struct driver_instance *d)
{
    struct transport_appendfile *own = d->own.fields;
    bool fcntl_set = driver_sets_own(d, "use_fcntl_lock");
    bool flock_set = driver_sets_own(d, "use_flock_lock");
    bool lockfile_set = driver_sets_own(d, "use_lockfile");
    if (own->use_flock_lock && !fcntl_set)
        own->use_fcntl_lock = false;
    if (own->mbx_format) {
        if (!fcntl_set && !flock_set && !lockfile_set && !driver_sets_own(d, "use_mbx_lock"))
            own->use_mbx_lock = true;
        if (own->use_mbx_lock && !lockfile_set)
            own->use_lockfile = false;
    }
    if (!own->use_flock_lock)
        own->lock_flock_timeout = 0;
    if (own->lock_retries < 1)
        own->lock_retries = 1;
}

static bool
create_file_valid(struct str s)
{
    return s.n == 0 || str_eqz(s, "anywhere") || str_eqz(s, "belowhome") ||
           str_eqz(s, "inhome") || str_starts(s, "/");
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct transport_appendfile *own = d->own.fields;
    bool ok = true;
    complete_texts(d);
    complete_locks(d);
    bool file = str_is_set(own->file.text);
    bool directory = str_is_set(own->directory.text);
    if (file && directory)
        ok = driver_fault(diags, d, "directory", DRIVER_WORDS_FOR,
                          "only one of \"file\" or \"directory\" can be specified");
    if (file && !directory && str_is_set(own->quota_filecount.text))
        ok = driver_fault(diags, d, "quota_filecount", DRIVER_WORDS_FOR,
                          "quota_filecount must not be set without \"directory\"");
    if (own->maildir_format && own->mailstore_format)
        ok = driver_fault(diags, d, "mailstore_format", DRIVER_WORDS_FOR,
                          "only one of maildir and mailstore may be specified");
    if (!own->use_fcntl_lock && !own->use_flock_lock && !own->use_lockfile &&
        !own->use_mbx_lock)
        ok = driver_fault(diags, d, "use_lockfile", DRIVER_WORDS_FOR, "no locking configured");
    if (!create_file_valid(own->create_file))
        ok = driver_fault(diags, d, "create_file", DRIVER_WORDS_PLAIN,
                          "invalid value given for \"create_file\" for the %.*s transport: "
                          "'%.*s'",
                          STR_ARG(d->name), STR_ARG(own->create_file));
    return transport_check_generic(d, TRANSPORT_LOCAL, diags) && ok;
}

/* A file that was made needs its name on stable storage too. */
static bool
sync_file(struct append *d, const struct append_file *f)
{
    if (f->fifo)
        return true;
    if (d->calls->sync(f->fd) != 0)
        return append_write_failed(d, d->path);
    if (!f->created)
        return true;
    return user_file_sync_folder(d->calls, user_file_folder(d->arena, d->path)) ||
           append_write_failed(d, d->path);
}

/* How long nobody has read the mailbox. */
static int64_t
unread_s(const struct append_file *f)
{
    return time(NULL) - f->before.st_atime;
}

static bool
file_fits(struct append *d, const struct append_file *f)
{
    struct append_quota *q = d->quota;
    q->size = q->known_size >= 0 ? q->known_size : f->before.st_size;
    q->files = q->known_files >= 0 ? q->known_files : 0;
    return append_quota_fits(d, d->path, unread_s(f));
}

static bool
write_file(struct append *d, struct append_file *f)
{
    bool ok = d->opt->mbx_format ? mbx_write(d, f) : append_write(d, f->fd, d->path);
    if (ok && !append_record_end(d, f))
        ok = append_write_failed(d, d->path);
    if (ok && sync_file(d, f))
        return true;
    d->answer->detail = unread_s(f); /* a full file system is a quota too */
    append_file_undo(d, f);
    append_record_undo(d, f);
    return false;
}

/* A full mailbox is left as it is; a message that is there is not written again. */
static bool
fill_file(struct append *d, struct append_file *f)
{
    if (f->fifo)
        return append_write(d, f->fd, d->path);
    if (!append_is_wanted(d))
        return false;
    if (append_record_begin(d, f) == APPEND_RECORD_THERE)
        return sync_file(d, f);
    if (file_fits(d, f))
        return write_file(d, f);
    append_record_undo(d, f);
    return false;
}

/* comsat(8): who got mail, and where it begins. */
static void
notify(const struct append *d, const struct append_file *f)
{
    struct str to = d->job->addresses[0]->local_part;
    if (d->opt->notify_comsat)
        biff_notify(
            str_printf(d->arena, "%.*s@%lld\n", STR_ARG(to), (long long)f->before.st_size));
}

static bool
deliver_to_file(struct append *d)
{
    struct append_file f;
    bool ok = append_file_open(d, &f) && fill_file(d, &f);
    append_file_close(d, &f);
    if (ok)
        notify(d, &f);
    return ok;
}

static bool
begin(struct append *d, const struct transport_job *job, struct transport_answer *answer)
{
    struct transport_job own = *job;
    *d = (struct append){
        .job = job,
        .transport = job->transport,
        .opt = job->transport->own.fields,
        .calls = job->calls != NULL ? job->calls : &durable_kernel,
        .arena = job->arena,
        .answer = answer,
    };
    *answer = (struct transport_answer){.why = {.outcome = OUT_OK}};
    if (own.prepared == NULL && !append_quota_prepare(&own, &answer->why))
        return false;
    d->quota = own.prepared;
    return append_path_find(d);
}

/* Hands over to the transport that knows the format of the mailbox. */
static void
pass_on(const struct transport_job *job, const struct driver_instance *to,
        struct transport_answer *answers)
{
    struct transport_job other = *job;
    other.transport = to;
    other.prepared = NULL;
    transport_driver_of(to)->deliver(&other, answers);
    for (size_t i = 0; i < job->n; i++)
        if (!str_is_set(answers[i].transport))
            answers[i].transport = to->name;
}

static void
deliver(const struct transport_job *job, struct transport_answer *answers)
{
    struct append d;
    const struct driver_instance *other = NULL;
    bool ok = begin(&d, job, &answers[0]);
    if (ok && !d.folder && strcmp(d.path, "/dev/null") != 0) {
        ok = append_path_make_folders(&d, user_file_folder(d.arena, d.path)) &&
             append_format_find(&d, &other);
        if (ok && other != NULL) {
            pass_on(job, other, answers);
            return;
        }
        ok = ok && append_write_prepare(&d) && deliver_to_file(&d);
    } else if (ok && d.folder)
        ok = append_write_prepare(&d) && append_new(&d);
    if (ok)
        answers[0].size = d.written;
    if (ok && d.written > 0)
        append_quota_warn(&d);
    for (size_t i = 1; i < job->n; i++)
        answers[i] = answers[0];
}

/* The format does not count here: a mailbox file has a size, whatever is in it. */
static bool
has_room(struct append *d)
{
    struct append_file f = {.fd = -1};
    if (strcmp(d->path, "/dev/null") == 0)
        return true;
    if (d->folder)
        return append_new_room(d);
    if (stat(d->path, &f.before) == 0 || errno == ENOENT)
        return file_fits(d, &f);
    return append_defer(d, errno, "failed to look at mailbox %s", d->path);
}

static void
room(const struct transport_job *job, struct transport_answer *answers)
{
    struct append d;
    if (begin(&d, job, &answers[0]))
        (void)has_room(&d);
    for (size_t i = 1; i < job->n; i++)
        answers[i] = answers[0];
}

const struct transport_driver transport_appendfile = {
    .base =
        {
            .name = STR_INIT("appendfile"),
            .shown = "appendfile/maildir/mailstore/mbx",
            .opts = &opts,
            .check = check,
        },
    .place = TRANSPORT_LOCAL,
    .deliver = deliver,
    .prepare = append_quota_prepare,
    .room = room,
    .prepared = {.v = append_quota_rows, .n = APPEND_QUOTA_ROWS},
    .prepared_size = sizeof(struct append_quota),
};
