/* The pipe transport: hands a message to a command. */
#include "transports/pipe.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_LIST(struct transport_pipe, allow_commands, NULL, 0,
        "Commands that may be run when the command comes from a user."),
    OPT_XSTR(struct transport_pipe, batch_id, NULL, 0,
        "Text that addresses must have in common to be delivered together."),
    OPT_INT(struct transport_pipe, batch_max, 1, 0,
        "How many addresses are delivered together."),
    OPT_STR(struct transport_pipe, check_string, NULL, 0,
        "Start of a line that must be escaped in the body."),
    OPT_XSTR(struct transport_pipe, command, NULL, 0,
        "Command that gets the message on its standard input."),
    OPT_LIST(struct transport_pipe, environment, NULL, 0,
        "Further environment variables for the command, as name=value."),
    OPT_STR(struct transport_pipe, escape_string, NULL, 0,
        "Text that takes the place of check_string at the start of a line."),
    OPT_BOOL(struct transport_pipe, force_command, false, 0,
        "Runs command even when the address brings a command of its own."),
    OPT_BOOL(struct transport_pipe, freeze_exec_fail, false, 0,
        "Freezes the message when the command cannot be run."),
    OPT_BOOL(struct transport_pipe, freeze_signal, false, 0,
        "Freezes the message when a signal ends the command."),
    OPT_BOOL(struct transport_pipe, ignore_status, false, 0,
        "Takes every delivery as successful, whatever the command returns."),
    OPT_BOOL(struct transport_pipe, log_defer_output, false, 0,
        "Logs the first line of output when the command asks to try later."),
    OPT_BOOL(struct transport_pipe, log_fail_output, false, 0,
        "Logs the first line of output when the command fails."),
    OPT_BOOL(struct transport_pipe, log_output, false, 0,
        "Logs the first line of output."),
    OPT_SIZE(struct transport_pipe, max_output, 20 * 1024, 0,
        "How much output the command may produce."),
    OPT_XSTR(struct transport_pipe, message_prefix, NULL, 0,
        "Text before each message."),
    OPT_XSTR(struct transport_pipe, message_suffix, NULL, 0,
        "Text after each message."),
    OPT_XSTR(struct transport_pipe, path, "/bin:/usr/bin", 0,
        "Folders in which commands are looked for."),
    OPT_BOOL(struct transport_pipe, permit_coredump, false, 0,
        "Lets the command leave a core file."),
    OPT_BOOL(struct transport_pipe, pipe_as_creator, false, 0,
        "Runs the command as the user who submitted the message."),
    OPT_BOOL(struct transport_pipe, restrict_to_path, false, 0,
        "Lets users name commands in path only, without slashes."),
    OPT_BOOL(struct transport_pipe, return_fail_output, false, 0,
        "Sends the output back to the sender when the command fails."),
    OPT_BOOL(struct transport_pipe, return_output, false, 0,
        "Takes any output as a failure and sends it back to the sender."),
    OPT_LIST(struct transport_pipe, temp_errors, "75:73", 0,
        "Results of the command that mean to try later; * means all but success."),
    OPT_TIME(struct transport_pipe, timeout, 1 * 3600, 0,
        "Time limit for the command."),
    OPT_BOOL(struct transport_pipe, timeout_defer, false, 0,
        "Tries later when the command takes too long."),
    OPT_OCTAL(struct transport_pipe, umask, 022, 0,
        "Permissions that files made by the command do not get."),
    OPT_BOOL(struct transport_pipe, use_bsmtp, false, 0,
        "Writes messages as SMTP commands."),
    OPT_BOOL(struct transport_pipe, use_classresources, false,
        OPT_NO_EFFECT | OPT_HIDDEN,
        "Sets the limits of the user's login class, on systems that have them."),
    OPT_BOOL(struct transport_pipe, use_crlf, false, 0,
        "Ends lines with carriage return and line feed."),
    OPT_BOOL(struct transport_pipe, use_shell, false, 0,
        "Runs the command through /bin/sh."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "pipe transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_pipe),
};

static void
complete(struct driver_instance *d)
{
    struct transport_pipe *own = d->own.fields;
    if (own->use_bsmtp) {
        own->check_string = STR_LIT(".");
        own->escape_string = STR_LIT("..");
        return;
    }
    if (!driver_sets_own(d, "message_prefix"))
        own->message_prefix.text = STR_LIT(
            "From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n");
    if (!driver_sets_own(d, "message_suffix"))
        own->message_suffix.text = STR_LIT("\n");
}

static bool
is_number_list(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]) && s.p[i] != ':' && !ascii_space(s.p[i]))
            return false;
    return true;
}

/* Pairs of options that exclude each other. */
static bool
check_pairs(const struct driver_instance *d, struct diags *diags)
{
    const struct transport_pipe *own = d->own.fields;
    const struct {
        bool both;
        const char *option, *what;
    } pairs[] = {
        {own->use_shell && str_is_set(own->allow_commands.text), "allow_commands",
         "both allow_commands and use_shell set for"},
        {own->use_shell && own->restrict_to_path, "restrict_to_path",
         "both restrict_to_path and use_shell set for"},
        {own->return_output && own->return_fail_output, "return_fail_output",
         "both return_output and return_fail_output set for"},
        {own->log_output && own->log_fail_output, "log_fail_output",
         "both log_output and log_fail_output set for the"},
        {own->pipe_as_creator &&
             (driver_sets_generic(d, "user") || driver_sets_generic(d, "group")),
         "pipe_as_creator", "both pipe_as_creator and an explicit uid/gid are set for the"},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].both)
            ok = driver_fault(diags, d, pairs[i].option, DRIVER_WORDS_PLAIN,
                              "%s %.*s transport", pairs[i].what, STR_ARG(d->name));
    return ok;
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct transport_pipe *own = d->own.fields;
    complete(d);
    bool ok = check_pairs(d, diags);
    if (!str_eqz(own->temp_errors.text, "*") && !is_number_list(own->temp_errors.text))
        ok = driver_fault(diags, d, "temp_errors", DRIVER_WORDS_PLAIN,
                          "temp_errors must be a list of numbers or an asterisk for the %.*s "
                          "transport",
                          STR_ARG(d->name));
    return transport_check_generic(d, TRANSPORT_LOCAL, diags) && ok;
}

const struct transport_driver transport_pipe = {
    .base =
        {
            .name = STR_INIT("pipe"),
            .opts = &opts,
            .check = check,
        },
    .place = TRANSPORT_LOCAL,
    .deliver = pipe_deliver,
    .runs_programs = true,
};
