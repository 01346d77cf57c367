/* A hostile scanner: what it answers to each kind of driver, to the spam condition in both of its protocols (the first byte says which). A finding has
 * a name of one line within its bound, a failure has a reason of one line, scores are numbers. */
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "filter/host.h"
#include "mail/header.h"
#include "scanners/malware.h"
#include "scanners/spam.h"
#include "sys/await.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536, WAIT_MS = 2000, BAR_MAX = 50 };

static const char *const scanners[] = {
    "f-protd:127.0.0.1 9",
    "f-prot6d:127.0.0.1 9",
    "drweb:/x",
    "drweb:127.0.0.1 9",
    "aveserver:/x",
    "fsecure:/x",
    "kavdaemon:/x",
    "sophie:/x",
    "clamd:/x",
    "clamd:127.0.0.1 9",
    "avast:/x",
    "avast:/x:FLAGS -x:pass_unscanned",
    "sock:/x:%s:BAD:NAME (.*)",
};
enum { SCANNERS = sizeof scanners / sizeof scanners[0] };

static void
require(bool ok)
{
    if (!ok)
        abort();
}

static bool
is_line(struct str s)
{
    return str_chr(s, '\n', 0) == STR_NPOS && str_chr(s, '\r', 0) == STR_NPOS &&
           !str_has_nul(s);
}

/* What a scanner of a kind came to. */
static void
try_scanner(struct scan_job *j, const char *setting)
{
    switch (malware_scan(j, str_from_cstr(setting))) {
    case SCAN_CLEAN:
        break;
    case SCAN_FOUND:
        require(j->name.n > 0 && j->name.n <= SCAN_NAME_MAX && is_line(j->name));
        break;
    case SCAN_DEFER:
        require(!str_is_set(j->why) || (j->why.n > 0 && is_line(j->why)));
        break;
    }
    for (size_t i = 0; i < j->notes.n; i++)
        require(is_line(j->notes.v[i].text));
}

static void
try_spam(struct scan_job *j, bool rspamd)
{
    struct scan_spam found = {.user = STR_NULL};
    struct str servers = rspamd ? STR_LIT("/x variant=rspamd tmo=2s") : STR_LIT("/x tmo=2s");
    enum scan_end end = spam_scan(j, servers, STR_LIT("nobody"), &found);
    require(end != SCAN_DEFER || (str_is_set(j->why) && is_line(j->why)));
    if (end == SCAN_DEFER)
        return;
    require(found.bar.n >= 1 && found.bar.n <= BAR_MAX && found.score.n > 0);
    require(is_line(found.action) && str_is_set(found.report));
    require(found.spam == (end == SCAN_FOUND));
}

static void
run(struct arena *a, unsigned which, struct str said)
{
    static const struct host host;
    static const struct conf conf;
    struct header_list headers = {0};
    require(header_list_add(a, &headers, STR_LIT("Subject: x\n"), HEADER_AT_END));
    struct message message = {.arena = a,
                              .id = STR_LIT("id"),
                              .headers = &headers,
                              .body_fd = -1,
                              .body_text = STR_LIT("body\n")};
    struct scan_message scanned = {.arena = a,
                                   .message = &message,
                                   .envelope = STR_LIT("From x\n"),
                                   .directory = STR_LIT("/spool/id"),
                                   .path = STR_LIT("/spool/id/id.eml"),
                                   .lock = -1};
    struct eval eval = {.arena = a, .conf = &conf, .message = &message, .clock = {.utc = true}};
    int pair[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    require(write(pair[1], said.p, said.n) >= 0 || said.n == 0);
    shutdown(pair[1], SHUT_WR);
    struct vm *vm = vm_new(&host, &eval);
    struct scan_job j = {.by = {.arena = a, .eval = &eval, .vm = vm, .connected = pair[0]},
                         .message = &scanned,
                         .server = {.deadline_ms = await_now_ms() + WAIT_MS}};
    which %= SCANNERS + 2;
    if (which < SCANNERS)
        try_scanner(&j, scanners[which]);
    else
        try_spam(&j, which == SCANNERS);
    close(pair[1]);
    vm_free(vm);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    struct arena *a = arena_new();
    run(a, data[0], str_from((const char *)data + 1, size - 1));
    arena_free(a);
    return 0;
}
