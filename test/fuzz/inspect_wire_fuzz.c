/* Fuzz target: the words of who asks the inspect process, as its worker for SPF hears them (packets, each behind its length in two bytes), and
 * the bytes of a packet, for every sender and receiver. */
#include "proc/inspect_library.h"
#include "sys/spf_plugin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKETS_MAX = 24, QUESTIONS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* In place of the library: asks, and reads everything it gets. */
static void
check(const struct spf_plugin_check *c, struct spf_plugin_answer *out)
{
    struct spf_plugin_records r;
    size_t total = strlen(c->ip) + strlen(c->helo) + strlen(c->sender) + strlen(c->receiver) +
                   strlen(c->explanation) + strlen(c->guess);
    memset(out, 0, sizeof *out);
    for (unsigned k = 0; k < QUESTIONS; k++) {
        enum spf_plugin_dns st = c->ask(c->ctx, 16, "example.org", &r);
        for (size_t i = 0; st == SPF_DNS_FOUND && i < r.n; i++) {
            if (str_has_nul(r.v[i]) || r.v[i].n > INSPECT_ANSWER_MAX)
                abort();
            total += r.v[i].n;
        }
        if (st == SPF_DNS_FOUND && (r.n == 0 || r.n > INSPECT_RECORDS_MAX))
            abort();
    }
    out->result = total > 10 ? SPF_PASS : SPF_FAIL;
}

static void
read_packet(const uint8_t *p, size_t n)
{
    struct ipc_message m;
    if (n < 2 || n - 2 > IPC_PACKET_MAX)
        return;
    memcpy(m.bytes, p + 2, n - 2);
    if (!ipc_parse(&inspect_protocol, p[0], p[1], n - 2, false, &m) &&
        !ipc_parse(&inspect_protocol, p[0], p[1], n - 2, true, &m))
        return;
    for (size_t i = 0; i < m.n; i++)
        if (m.f[i].text.n > IPC_TEXT_MAX || str_has_nul(m.f[i].text))
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct spf_plugin plugin = {check};
    const struct inspect_loaded l = {.plugin = &plugin};
    int fds[2];
    read_packet(p, n);
    if (!ipc_pair(fds))
        return 0;
    for (unsigned k = 0; k < PACKETS_MAX && n >= 2; k++) {
        size_t m = p[0] | (size_t)p[1] << 8;
        m = m < n - 2 ? m : n - 2;
        (void)send(fds[0], p + 2, m, MSG_DONTWAIT | MSG_NOSIGNAL);
        p += 2 + m;
        n -= 2 + m;
    }
    (void)shutdown(fds[0], SHUT_WR);
    inspect_library_spf.work(&l, fds[1]);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
