/* Fuzz target: answers of the DNS as libspf2 reads them, in this process and without the box. Each line is the answer to one question: records
 * between tabs; "!" is a failure, an empty line no such name. The library has faults that are known; what is found here the box has to hold. */
#include "sys/plugin.h"
#include "sys/spf_plugin.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS = 8, TYPE_A = 1, TYPE_AAAA = 28 };

extern const struct plugin remex_plugin;

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct answers {
    struct str rest, v[RECORDS];
};

static struct str
next(struct str *rest, char end)
{
    size_t at = str_chr(*rest, end, 0);
    struct str one = str_sub(*rest, 0, at == STR_NPOS ? rest->n : at);
    *rest = at == STR_NPOS ? STR_EMPTY : str_sub(*rest, at + 1, rest->n);
    return one;
}

static enum spf_plugin_dns
ask(void *ctx, unsigned type, const char *name, struct spf_plugin_records *out)
{
    struct answers *k = ctx;
    struct str line = next(&k->rest, '\n');
    (void)name;
    out->v = k->v;
    out->n = 0;
    if (str_eqz(line, "!"))
        return SPF_DNS_FAILED;
    while (line.n > 0 && out->n < RECORDS)
        k->v[out->n++] = next(&line, '\t');
    if ((type == TYPE_A || type == TYPE_AAAA) && out->n > 0) /* seldom one by chance */
        k->v[0] = type == TYPE_A ? STR_LIT("192.0.2.1") : STR_LIT("2001:db8::1");
    return out->n > 0 ? SPF_DNS_FOUND : SPF_DNS_NONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct answers k = {.rest = str_from((const char *)p, n)};
    struct spf_plugin_answer r;
    const struct spf_plugin_check c = {.ip = "192.0.2.1",
                                       .helo = "client.example",
                                       .sender = "joe.doe@sub.example.org",
                                       .receiver = "mx.example.net",
                                       .explanation = "Please%_see%_http://example.net/",
                                       .guess = "",
                                       .ask = ask,
                                       .ctx = &k};
    const struct spf_plugin *spf = remex_plugin.objects[0];
    spf->check(&c, &r);
    if (r.result >= SPF_RESULTS || memchr(r.received, '\0', sizeof r.received) == NULL ||
        memchr(r.comment, '\0', sizeof r.comment) == NULL ||
        memchr(r.smtp_text, '\0', sizeof r.smtp_text) == NULL ||
        strpbrk(r.received, "\r\n") != NULL || strpbrk(r.smtp_text, "\r\n") != NULL)
        abort();
    return 0;
}
