/* Key records; see dkim_key.h. */
#include "mail/dkim_key.h"

#include "base/arena.h"
#include "base/base64.h"
#include "mail/tag_list.h"

/* Hashes that are not known to us are none of ours. */
static unsigned
read_hashes(struct str value)
{
    unsigned bits = 0;
    struct str item;
    enum dkim_hash h;
    for (uint32_t at = 0; tag_value_next(value, ':', &at, &item);)
        if (dkim_hash_find(item, &h))
            bits |= 1u << h;
    return bits;
}

/* False: the value of a tag makes the record bad. */
static bool
read_tag(struct arena *a, const struct tag *t, struct dkim_key *k)
{
    if (str_eqz(t->name, "k")) {
        k->type_name = t->value;
        k->type_said = true;
    } else if (str_eqz(t->name, "h"))
        k->hashes = read_hashes(t->value);
    else if (str_eqz(t->name, "s"))
        k->services = t->value;
    else if (str_eqz(t->name, "g"))
        k->granularity = t->value;
    else if (str_eqz(t->name, "n"))
        k->notes = t->value;
    else if (str_eqz(t->name, "p"))
        return base64_decode(a, t->value, &k->bytes, NULL);
    else if (str_eqz(t->name, "t")) {
        k->testing = tag_value_has(t->value, ':', "y");
        k->no_subdomains = tag_value_has(t->value, ':', "s");
    }
    return true;
}

enum dkim_key_end
dkim_key_read(struct arena *a, struct str record, struct dkim_key *out)
{
    *out = (struct dkim_key){
        .bytes = STR_NULL,
        .type_name = STR_LIT("rsa"),
        .hashes = ~0u,
        .services = STR_LIT("*"),
        .granularity = STR_LIT("*"),
        .notes = STR_EMPTY,
    };
    if (record.n > DKIM_KEY_RECORD_MAX)
        return DKIM_KEY_LONG;
    struct tag t;
    uint32_t at = 0;
    enum tag_end end;
    bool has_key = false;
    for (unsigned n = 0; (end = tag_list_next(record, &at, &t)) == TAG_FOUND; n++) {
        if (str_eqz(t.name, "v") && !str_eqz(t.value, "DKIM1"))
            return n == 0 && !str_istarts(t.value, "DKIM") ? DKIM_KEY_OTHER : DKIM_KEY_BAD;
        if (n == TAG_LIST_MAX || (has_key && str_eqz(t.name, "p")) || !read_tag(a, &t, out))
            return DKIM_KEY_BAD;
        has_key = has_key || str_eqz(t.name, "p");
    }
    if (!has_key)
        return record.n == 0 ? DKIM_KEY_OTHER : DKIM_KEY_BAD;
    out->type_known = dkim_key_type_find(out->type_name, &out->type);
    if (end == TAG_BAD)
        return DKIM_KEY_BAD;
    return out->bytes.n == 0 ? DKIM_KEY_REVOKED : DKIM_KEY_OK;
}

bool
dkim_key_is_for_mail(const struct dkim_key *key)
{
    return tag_value_has(key->services, ':', "*") || tag_value_has(key->services, ':', "email");
}

/* --- its name --- */

enum { NAME_MAX_LENGTH = 253, LABEL_MAX_LENGTH = 63 };

/* Labels of anything that shows but what a zone file or a query gives a meaning; UTF-8 is for who asks. */
static bool
is_name(struct str s)
{
    size_t label = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (c <= ' ' || c == 0x7f || c == '\\' || c == '"' || ++label > LABEL_MAX_LENGTH)
            return false;
    }
    return label > 0;
}

struct str
dkim_key_domain(struct arena *a, struct str selector, struct str domain)
{
    if ((size_t)selector.n + domain.n > NAME_MAX_LENGTH || !is_name(selector) ||
        !is_name(domain))
        return STR_NULL;
    struct str name = str_printf(a, "%.*s._domainkey.%.*s", STR_ARG(selector), STR_ARG(domain));
    name.taint = str_taint_join(selector.taint, domain.taint);
    return name.n <= NAME_MAX_LENGTH ? name : STR_NULL;
}
