/* SPF in the inspect process: a job is one sender. Questions to the DNS go to who asked, and come back as records. */
#include "proc/inspect_library.h"

#include "base/arena.h"
#include "sys/jail.h"
#include "sys/spf_plugin.h"

#include <string.h>

enum { WORKERS = 64 /* they wait for the DNS most of the time */, JOBS = 200 };

#define MIB (1024ull * 1024)

struct spf_job {
    int socket;
    struct arena *arena;
    struct arena *answer; /* of the last question */
    bool lost;            /* who asked is gone, or says what it may not */
};

static bool
load(struct inspect_loaded *l, struct str setup)
{
    (void)setup;
    l->workers = WORKERS;
    l->jobs = JOBS;
    /* nothing at all can be opened from here on */
    return inspect_library_plugin(l, &inspect_library_spf) &&
           (jail_files(NULL, 0) || jail_is_unable());
}

/* --- the DNS --- */

/* A record, from one message or several. False: lost. */
static bool
take_piece(struct spf_job *j, const struct ipc_message *msg, struct str *record, size_t *total)
{
    *total += msg->f[1].text.n;
    if (*total > INSPECT_ANSWER_MAX || msg->f[0].number > 1)
        return false;
    *record = str_cat(j->answer, *record, msg->f[1].text);
    return true;
}

static enum spf_plugin_dns
end_of(const struct ipc_message *msg, size_t n)
{
    switch (msg->f[0].number) {
    case SPF_DNS_FOUND:
        return n > 0 ? SPF_DNS_FOUND : SPF_DNS_NONE;
    case SPF_DNS_NONE:
        return SPF_DNS_NONE;
    default:
        return SPF_DNS_FAILED;
    }
}

static enum spf_plugin_dns
take_answer(struct spf_job *j, struct spf_plugin_records *out)
{
    struct ipc_message msg;
    struct str record = STR_EMPTY;
    size_t total = 0;
    out->v = ARENA_ARRAY(j->answer, struct str, INSPECT_RECORDS_MAX);
    out->n = 0;
    while (inspect_library_hear(j->socket, &msg)) {
        if (msg.type == INSPECT_ANSWER)
            return end_of(&msg, out->n);
        if (msg.type != INSPECT_RECORD || !take_piece(j, &msg, &record, &total))
            break;
        if (msg.f[0].number != 0)
            continue;
        if (out->n == INSPECT_RECORDS_MAX)
            break;
        out->v[out->n++] = record;
        record = STR_EMPTY;
    }
    j->lost = true;
    return SPF_DNS_FAILED;
}

static enum spf_plugin_dns
ask(void *ctx, unsigned type, const char *name, struct spf_plugin_records *out)
{
    struct spf_job *j = ctx;
    const struct ipc_field f[] = {{.number = type}, {.text = str_from_cstr(name)}};
    if (j->lost)
        return SPF_DNS_FAILED;
    if (strlen(name) > IPC_TEXT_MAX)
        return SPF_DNS_NONE;
    if (j->answer != NULL)
        arena_free(j->answer);
    j->answer = arena_new();
    if (ipc_send(&inspect_protocol, j->socket, INSPECT_QUESTION, f, -1) != IPC_OK) {
        j->lost = true;
        return SPF_DNS_FAILED;
    }
    return take_answer(j, out);
}

/* --- a job --- */

static bool
take_check(struct spf_job *j, struct spf_plugin_check *c)
{
    struct ipc_message msg;
    struct arena *a = j->arena;
    if (!inspect_library_hear(j->socket, &msg) || msg.type != INSPECT_SPF)
        return false;
    c->ip = str_cstr(a, msg.f[0].text);
    c->helo = str_cstr(a, msg.f[1].text);
    c->sender = str_cstr(a, msg.f[2].text);
    c->receiver = str_cstr(a, msg.f[3].text);
    if (!inspect_library_hear(j->socket, &msg) || msg.type != INSPECT_SPF_TEXTS)
        return false;
    c->explanation = str_cstr(a, msg.f[0].text);
    c->guess = str_cstr(a, msg.f[1].text);
    return true;
}

static void
tell(const struct spf_job *j, const struct spf_plugin_answer *r)
{
    uint64_t result = (uint64_t)r->result | (r->guessed ? (uint64_t)INSPECT_GUESSED : 0);
    const struct ipc_field f[] = {{.number = result},
                                  {.text = str_from_cstr(r->received)},
                                  {.text = str_from_cstr(r->comment)},
                                  {.text = str_from_cstr(r->smtp_text)}};
    (void)ipc_send(&inspect_protocol, j->socket, INSPECT_SPF_RESULT, f, -1);
}

static void
work(const struct inspect_loaded *l, int socket)
{
    const struct spf_plugin *p = l->plugin;
    struct spf_job j = {.socket = socket, .arena = arena_new()};
    struct spf_plugin_check c = {.ask = ask, .ctx = &j};
    struct spf_plugin_answer r;
    if (take_check(&j, &c)) {
        p->check(&c, &r);
        if (!j.lost)
            tell(&j, &r);
    }
    if (j.answer != NULL)
        arena_free(j.answer);
    arena_free(j.arena);
}

const struct inspect_library_row inspect_library_spf = {
    .name = "SPF",
    .plugin = "spf",
    .process = "inspect-spf",
    .memory = 256 * MIB,
    .memory_of_job = 64 * MIB,
    .load = load,
    .work = work,
};
