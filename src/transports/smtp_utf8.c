/* Internationalised envelopes; see smtp_utf8.h. */
#include "transports/smtp_utf8.h"

#include "base/utf8.h"
#include "filter/expand.h"
#include "mail/address.h"
#include "sys/idn.h"

static bool
is_needed(const struct transport_job *job)
{
    if (job->message->smtputf8 || utf8_has_8bit(job->return_path))
        return true;
    for (size_t i = 0; i < job->n; i++)
        if (utf8_has_8bit(job->addresses[i]->text))
            return true;
    return false;
}

/* What is wanted: 1 conversion, -1 conversion where it is needed, 0 none. The transport's word is the last one. */
static int
wanted(const struct smtp_client *c, const struct transport_job *job)
{
    struct str text;
    const struct message *m = job->message;
    if (str_is_set(c->opt->utf8_downconvert.text) &&
        vm_expand_x(job->vm, &c->opt->utf8_downconvert, &text) == VM_OK) {
        text = str_trim(text);
        if (text.n > 0)
            return str_eqz(text, "1") ? 1 : str_eqz(text, "-1") ? -1 : 0;
    }
    return m->utf8_downconvert ? 1 : m->utf8_optional_downconvert ? -1 : 0;
}

enum smtp_utf8
smtp_utf8_choose(const struct smtp_client *c, const struct transport_job *job)
{
    if (!is_needed(job))
        return SMTP_UTF8_NONE;
    int want = wanted(c, job);
    if (want > 0)
        return SMTP_UTF8_DOWN;
    if (c->peer.smtputf8)
        return SMTP_UTF8_SEND;
    return want < 0 ? SMTP_UTF8_DOWN : SMTP_UTF8_REFUSED;
}

struct str
smtp_utf8_down(struct arena *a, struct str address)
{
    struct str local_part, domain;
    const char *error;
    if (!utf8_has_8bit(address))
        return address;
    address_split(address, &local_part, &domain);
    if (utf8_has_8bit(local_part) &&
        !idn_localpart_to_alabel(a, local_part, &local_part, &error))
        return address;
    if (str_is_set(domain) && utf8_has_8bit(domain) &&
        !idn_domain_to_alabel(a, domain, &domain, &error))
        return address;
    if (!str_is_set(domain))
        return local_part;
    struct str all = str_printf(a, "%.*s@%.*s", STR_ARG(local_part), STR_ARG(domain));
    all.taint = address.taint;
    return all;
}
