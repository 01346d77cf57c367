/* The spf lookup: the key is a sender, the "file" the address of a client; what is found is the result of the check. Source:
 * specification, section "SPF".
 */
#include "lookups/drivers.h"
#include "lookups/spf_ask.h"

#include "base/arena.h"
#include "mail/ip.h"

static const char handle[] = "";

static void *
spf_open(struct lookup_ctx *c, const char *file)
{
    struct ip ip;
    if (!ip_parse(str_from_cstr(file), &ip)) {
        vm_fail(c->vm, "\"%s\" is not an IP address (spf lookup)", file);
        return NULL;
    }
    return (void *)(uintptr_t)handle;
}

static bool
spf_check_handle(struct lookup_ctx *c, void *h, const char *file)
{
    (void)c, (void)h, (void)file;
    return true;
}

static enum outcome
spf_find(struct lookup_ctx *c, void *h, const char *file, struct str key, struct str *data)
{
    struct spf_check r;
    const struct spf_question q = {.ip = str_from_cstr(file), .helo = STR_EMPTY, .sender = key};
    (void)h;
    c->no_cache = true; /* the resolver knows for how long an answer is good */
    spf_ask(c->eval, c->vm, vm_scratch(c->vm), &q, &r);
    *data = spf_result_name(r.result);
    return OUT_OK;
}

static void
spf_close(void *h)
{
    (void)h;
}

const struct lookup_driver lookup_spf = {
    .name = STR_INIT("spf"),
    .open = spf_open,
    .check = spf_check_handle,
    .find = spf_find,
    .close = spf_close,
    .doc = "SPF verdict for an IP address and a sender",
};
