/* ${certextract}: selectors, modifiers and forms of values; see host_cert.h. */
#include "proc/host_cert.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "proc/host_extern.h"

#include <time.h>

/* A field that was read, and how it was asked for. */
struct extract {
    struct vm *vm;
    struct str modifiers; /* what follows the first comma; STR_NULL: none */
    bool utc;
    const struct cert_answer *answer;
};

typedef enum vm_status show_fn(const struct extract *x, struct str *out);

static enum vm_status
show_text(const struct extract *x, struct str *out)
{
    *out = x->answer->text;
    return VM_OK;
}

/* `int`: seconds since the epoch. */
static enum vm_status
show_time(const struct extract *x, struct str *out)
{
    struct arena *a = vm_scratch(x->vm);
    time_t t = (time_t)x->answer->number;
    struct tm tm;
    char text[64];
    if (str_eqz(x->modifiers, "int")) {
        *out = str_printf(a, "%lld", (long long)t);
        return VM_OK;
    }
    if ((x->utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) == NULL)
        return vm_fail(x->vm, "bad time in certificate");
    size_t n = strftime(text, sizeof text, "%b %e %T %Y %Z", &tm);
    *out = str_dup(a, str_from(text, n));
    return VM_OK;
}

/* --- distinguished names --- */

/* The next element of a name, up to a comma that has no backslash before it; `\,` becomes a comma and other
 * escapes stay. */
static struct str
next_rdn(struct arena *a, struct str dn, size_t *at)
{
    struct buf b = buf_in(a, 0);
    size_t i = *at;
    for (; i < dn.n && dn.p[i] != ','; i++) {
        if (dn.p[i] == '\\' && i + 1 < dn.n) {
            i++;
            if (dn.p[i] != ',')
                buf_addc(&b, '\\');
        }
        buf_addc(&b, dn.p[i]);
    }
    *at = i + 1;
    b.taint = dn.taint;
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

/* The value of an element of type tag, or the element when there is no tag. */
static bool
take_rdn(struct str rdn, struct str tag, struct str *value)
{
    *value = rdn;
    if (tag.n == 0)
        return true;
    *value = str_sub(rdn, (size_t)tag.n + 1, rdn.n);
    return rdn.n > tag.n && rdn.p[tag.n] == '=' && str_eq(str_sub(rdn, 0, tag.n), tag);
}

static enum vm_status
show_name(const struct extract *x, struct str *out)
{
    struct arena *a = vm_scratch(x->vm);
    struct str dn = x->answer->text, tag = STR_EMPTY, item, value;
    char separator = '\n';
    if (x->modifiers.n == 0)
        return show_text(x, out);
    for (size_t at = 0, end; at <= x->modifiers.n; at = end + 1) {
        end = str_chr(x->modifiers, ',', at);
        if (end == STR_NPOS)
            end = x->modifiers.n;
        item = str_trim(str_sub(x->modifiers, at, end - at));
        if (item.n > 1 && item.p[0] == '>')
            separator = item.p[1];
        else if (item.n > 0 && item.p[0] != '>')
            tag = item;
    }
    struct buf b = buf_in(a, 0);
    bool any = false;
    for (size_t at = 0; at < dn.n;) {
        if (!take_rdn(next_rdn(a, dn, &at), tag, &value))
            continue;
        strlist_append(&b, value, separator, !any);
        any = true;
    }
    *out = buf_str(&b);
    return any ? VM_OK : VM_NO;
}

/* --- lists of names --- */

static const struct {
    const char *selector;
    const char *tag;
} kinds[] = {
    [CERT_NAME_DNS] = {"dns", "DNS="},
    [CERT_NAME_URI] = {"uri", "URI="},
    [CERT_NAME_MAIL] = {"mail", "MAIL="},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* `>x` or one of the kinds, separated by commas; Exim stops at the first that is neither. *kind: the one
 * that is wanted, or KINDS. */
static void
read_alt_modifiers(struct str m, char *separator, size_t *kind)
{
    *kind = KINDS;
    for (size_t at = 0; at < m.n; at++) {
        size_t k = 0;
        struct str rest = str_sub(m, at, m.n);
        if (rest.n > 1 && rest.p[0] == '>') {
            *separator = rest.p[1];
            at += 2;
        } else {
            while (k < KINDS && !str_starts(rest, kinds[k].selector))
                k++;
            if (k == KINDS)
                return;
            *kind = k;
            at += strlen(kinds[k].selector);
        }
        if (at >= m.n || m.p[at] != ',')
            return;
    }
}

static enum vm_status
show_alt_names(const struct extract *x, struct str *out)
{
    struct arena *a = vm_scratch(x->vm);
    struct buf b = buf_in(a, 0);
    char separator = '\n';
    size_t wanted;
    read_alt_modifiers(x->modifiers, &separator, &wanted);
    for (size_t i = 0; i < x->answer->names.n; i++) {
        struct cert_name name = x->answer->names.v[i];
        if (wanted == KINDS)
            name.text = str_cat(a, str_from_cstr(kinds[name.kind].tag), name.text);
        else if (name.kind != (enum cert_name_kind)wanted)
            continue;
        strlist_append(&b, name.text, separator, b.n == 0);
    }
    *out = buf_str(&b);
    return b.n > 0 ? VM_OK : VM_NO;
}

static enum vm_status
show_list(const struct extract *x, struct str *out)
{
    struct buf b = buf_in(vm_scratch(x->vm), 0);
    char separator = '\n';
    if (x->modifiers.n > 1 && x->modifiers.p[0] == '>')
        separator = x->modifiers.p[1];
    for (size_t i = 0; i < x->answer->names.n; i++)
        strlist_append(&b, x->answer->names.v[i].text, separator, i == 0);
    *out = buf_str(&b);
    return VM_OK;
}

/* --- selectors --- */

struct selector {
    const char *name;
    enum cert_field field;
    show_fn *show;
};

static const struct selector selectors[] = {
    {"version", CERT_VERSION, show_text},
    {"serial_number", CERT_SERIAL, show_text},
    {"subject", CERT_SUBJECT, show_name},
    {"issuer", CERT_ISSUER, show_name},
    {"notbefore", CERT_NOT_BEFORE, show_time},
    {"notafter", CERT_NOT_AFTER, show_time},
    {"sig_algorithm", CERT_SIG_ALGORITHM, show_text},
    {"signature", CERT_SIGNATURE, show_text},
    {"subj_altname", CERT_ALT_NAMES, show_alt_names},
    {"ocsp_uri", CERT_OCSP, show_list},
    {"crl_uri", CERT_CRL, show_list},
};

static const struct selector extension = {"", CERT_EXTENSION, show_text};

/* A name, with modifiers after a comma; or the number of an extension. What follows the name otherwise is
 * passed over, as in Exim. NULL: neither. */
static const struct selector *
find_selector(struct str field, struct str *modifiers)
{
    *modifiers = STR_NULL;
    if (field.n > 0 && ascii_digit(field.p[0]))
        return &extension;
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        if (!str_starts(field, selectors[i].name))
            continue;
        size_t n = strlen(selectors[i].name);
        if (n < field.n && field.p[n] == ',')
            *modifiers = str_sub(field, n + 1, field.n);
        return &selectors[i];
    }
    return NULL;
}

enum vm_status
host_cert_extract_with(const struct cert_plugin *plugin, bool utc, struct vm *vm,
                       struct str field, struct str cert, struct str *out)
{
    struct str modifiers;
    struct cert_answer answer;
    const struct selector *s = find_selector(field, &modifiers);
    if (s == NULL)
        return vm_fail(vm, "bad field selector \"%.*s\" for certextract", STR_ARG(field));
    switch (plugin->read(vm_scratch(vm), cert, s->field, field, &answer)) {
    case CERT_FAILED:
        return vm_fail(vm, "%.*s", STR_ARG(answer.text));
    case CERT_NONE:
        return VM_NO;
    case CERT_OK:
        break;
    }
    struct extract x = {.vm = vm, .modifiers = modifiers, .utc = utc, .answer = &answer};
    return s->show(&x, out);
}

enum vm_status
host_cert_extract(void *env, struct vm *vm, struct str field, struct str cert, struct str *out)
{
    struct eval *e = env;
    struct str why = STR_NULL;
    if (!str_starts(cert, "-----BEGIN "))
        return vm_fail(vm, "second argument of \"certextract\" must be a certificate variable");
    const struct plugin *p = host_extern_plugin(e, vm, "tls", &why);
    if (p == NULL)
        return vm_fail(vm, "\"certextract\" is not available: %.*s", STR_ARG(why));
    bool utc = e->clock.utc || (e->conf != NULL && str_ieqz(e->conf->main->timezone, "utc"));
    return host_cert_extract_with(p->objects[0], utc, vm, field, cert, out);
}
