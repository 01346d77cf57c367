/* A local_scan function that does what the Subject: of the message says; for local_scan_test.py. */
#define LOCAL_SCAN
#include "local_scan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int my_integer = 42;
static uschar *my_string = US "default";
static BOOL my_bool = FALSE;

optionlist local_scan_options[] = {
    {"my_bool", opt_bool, &my_bool},
    {"my_integer", opt_int, &my_integer},
    {"my_string", opt_stringptr, &my_string},
};
int local_scan_options_count = sizeof local_scan_options / sizeof *local_scan_options;

static const char *
subject(void)
{
    const char *s = CCS expand_string(US "$h_subject:");
    return s != NULL ? s : "";
}

static void
change_headers(void)
{
    header_add(' ', "X-Added: %d %s %d\n", my_integer, my_string, my_bool);
    header_add_at_position(TRUE, US "received", TRUE, ' ', "X-Second: %s\n",
                           string_copyn(US "abcdef", 3));
    header_remove(0, US "X-Gone");
}

static void
change_recipients(void)
{
    (void)receive_remove_recipient(US "x@example.org");
    receive_add_recipient(US "new", -1);
    recipients_list[recipients_count - 1].errors_to = US "errors@else.example";
}

static int
read_body(int fd, uschar **text)
{
    char body[100];
    ssize_t n = read(fd, body, sizeof body - 1);
    body[n > 0 ? n : 0] = '\0';
    *text = string_sprintf("%s lines %d from %s", body, body_linecount, sender_address);
    return LOCAL_SCAN_ACCEPT;
}

static int
match_lists(uschar **text)
{
    *text = string_sprintf("%d %d %d %d", lss_match_domain(US "a.example", US "*.example"),
                           lss_match_domain(US "b", US "c"),
                           lss_match_address(US "a@b", US "*@b", TRUE),
                           lss_match_local_part(US "A", US "a", TRUE));
    return LOCAL_SCAN_ACCEPT;
}

static int
run_program(uschar **text)
{
    uschar *argv[] = {US "/bin/cat", NULL};
    char answer[20] = "";
    int in, out;
    pid_t pid = child_open(argv, NULL, 077, &in, &out, FALSE);
    if (write(in, "through cat", 11) != 11)
        return LOCAL_SCAN_REJECT;
    close(in);
    if (read(out, answer, sizeof answer - 1) < 0)
        return LOCAL_SCAN_REJECT;
    *text = string_sprintf("%s %d", answer, child_close(pid, 5));
    return LOCAL_SCAN_ACCEPT;
}

int
local_scan(int fd, uschar **return_text)
{
    const char *what = subject();
    if (strcmp(what, "reject") == 0)
        *return_text = US "not wanted";
    if (strcmp(what, "headers") == 0)
        change_headers();
    if (strcmp(what, "recipients") == 0)
        change_recipients();
    if (strcmp(what, "nobody") == 0)
        recipients_count = 0;
    if (strcmp(what, "crash") == 0)
        (void)raise(SIGSEGV);
    if (strcmp(what, "hang") == 0)
        (void)sleep(60);
    if (strcmp(what, "exit") == 0)
        exit(0);
    if (strcmp(what, "log") == 0)
        log_write(0, LOG_MAIN, "seen %s", message_id);
    return strcmp(what, "body") == 0      ? read_body(fd, return_text)
           : strcmp(what, "lists") == 0   ? match_lists(return_text)
           : strcmp(what, "program") == 0 ? run_program(return_text)
           : strcmp(what, "reject") == 0  ? LOCAL_SCAN_REJECT
           : strcmp(what, "later") == 0   ? LOCAL_SCAN_TEMPREJECT_NOLOGHDR
           : strcmp(what, "freeze") == 0  ? LOCAL_SCAN_ACCEPT_FREEZE
           : strcmp(what, "queue") == 0   ? LOCAL_SCAN_ACCEPT_QUEUE
                                          : LOCAL_SCAN_ACCEPT;
}
