/* The text of LDAP entries; see ldap_result.h. */
#include "plugins/ldap/ldap_result.h"

/* Commas are doubled; among several attributes the text is inside quotes. */
static void
add_byte(struct ldap_result *r, char c)
{
    if (c == ',') {
        buf_addz(&r->text, ",,");
        return;
    }
    if (!r->one && c == '\n') {
        buf_addz(&r->text, "\\n");
        return;
    }
    if (!r->one && (c == '"' || c == '\\'))
        buf_addc(&r->text, '\\');
    buf_addc(&r->text, c);
}

static void
add_value(struct ldap_result *r, struct str value)
{
    for (uint32_t i = 0; i < value.n; i++)
        add_byte(r, value.p[i]);
}

void
ldap_result_entry(struct ldap_result *r, struct str dn)
{
    r->entries++;
    r->in_entry = false;
    if (r->text.n > 0)
        buf_addc(&r->text, '\n');
    if (!r->dn_only)
        return;
    buf_adds(&r->text, dn);
    r->any = true;
}

void
ldap_result_attribute(struct ldap_result *r, struct str name, const struct str *values,
                      size_t n)
{
    if (r->dn_only || n == 0)
        return;
    if (r->in_entry)
        buf_addc(&r->text, r->one ? ',' : ' ');
    if (!r->one) {
        buf_adds(&r->text, name);
        buf_addz(&r->text, "=\"");
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(&r->text, ',');
        add_value(r, values[i]);
    }
    if (!r->one)
        buf_addc(&r->text, '"');
    r->any = r->in_entry = true;
}
