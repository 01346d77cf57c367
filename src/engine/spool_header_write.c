/* Writing a -H file; see spool_header.h.
 *
 * A value that would end its line early, or that the reader would not take back, makes the whole fail:
 * half an envelope is worse than none.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "engine/spool_header.h"
#include "engine/spool_item.h"

#include <inttypes.h>

struct writer {
    struct arena *arena;
    const struct spool_header *h;
    struct buf out;
    struct spool_fault *fault;
};

static bool
refuse(struct writer *w, const char *item, const char *what, struct str value)
{
    return spool_header_fault(w->fault, &w->h->id, 0, item, what, value);
}

static bool
check(struct writer *w, const char *item, struct str value)
{
    return spool_header_text_ok(value) ||
           refuse(w, item, "CR, LF or NUL, or too long for a spool file", value);
}

/* "-", "--" or "--(sqlite)", and the name. */
static void
add_name(struct writer *w, const char *name, uint32_t taint)
{
    buf_addz(&w->out, taint == STR_CLEAN ? "-" : "--");
    if (taint >= STR_QUOTED) {
        struct str quoter = spool_item_quoter_name(taint);
        if (quoter.n > 0)
            buf_printf(&w->out, "(%.*s)", STR_ARG(quoter));
    }
    buf_addz(&w->out, name);
}

static void
add_line(struct writer *w, const char *name, struct str value)
{
    add_name(w, name, value.taint);
    buf_addc(&w->out, ' ');
    buf_adds(&w->out, value);
    buf_addc(&w->out, '\n');
}

static bool
write_acl(struct writer *w, bool of_message)
{
    const char *name = of_message ? "aclm" : "aclc";
    for (size_t i = 0; i < w->h->acl_variables.n; i++) {
        const struct spool_acl_variable *v = &w->h->acl_variables.v[i];
        if (v->of_message != of_message)
            continue;
        if (v->name.n == 0 || str_chr(v->name, ' ', 0) != STR_NPOS || str_has_nul(v->value))
            return refuse(w, name, "bad name, or NUL in the value", v->name);
        if (!check(w, name, v->name))
            return false;
        add_name(w, name, v->value.taint);
        buf_printf(&w->out, " %.*s %" PRIu32 "\n", STR_ARG(v->name), v->value.n);
        buf_adds(&w->out, v->value);
        buf_addc(&w->out, '\n');
    }
    return true;
}

static bool
write_text(struct writer *w, const char *name, struct str value)
{
    if (!str_is_set(value))
        return true;
    if (!check(w, name, value))
        return false;
    add_line(w, name, value);
    return true;
}

static bool
write_host(struct writer *w, const char *name, const struct spool_host *host)
{
    if (!str_is_set(host->address))
        return true;
    if (!check(w, name, host->address))
        return false;
    add_name(w, name, host->address.taint);
    buf_printf(&w->out, " [%.*s]:%" PRId64 "\n", STR_ARG(host->address), host->port);
    return true;
}

static void
write_number(struct writer *w, const struct spool_item *item, int64_t n)
{
    if (n < 0)
        return;
    buf_printf(&w->out, "-%s ", item->name);
    if (item->kind == SPOOL_ITEM_STAMP)
        buf_printf(&w->out, "%" PRId64, n / 1000000);
    if (item->kind == SPOOL_ITEM_NUMBER)
        buf_printf(&w->out, "%" PRId64 "\n", n);
    else
        buf_printf(&w->out, ".%06" PRId64 "\n", n % 1000000);
}

static bool
write_item(struct writer *w, const struct spool_item *item)
{
    const void *field = (const char *)w->h + item->offset;
    switch (item->kind) {
    case SPOOL_ITEM_FLAG:
        if (*(const bool *)field)
            buf_printf(&w->out, "-%s\n", item->name);
        return true;
    case SPOOL_ITEM_TEXT:
        return write_text(w, item->name, *(const struct str *)field);
    case SPOOL_ITEM_NUMBER:
    case SPOOL_ITEM_FRACTION:
    case SPOOL_ITEM_STAMP:
        write_number(w, item, *(const int64_t *)field);
        return true;
    case SPOOL_ITEM_HOST:
        return write_host(w, item->name, field);
    case SPOOL_ITEM_ACL:
        return write_acl(w, false) && write_acl(w, true);
    }
    return true;
}

static bool
write_items(struct writer *w)
{
    for (const struct spool_item *i = spool_items; i->name != NULL; i++) {
        if (!write_item(w, i))
            return false;
    }
    for (size_t i = 0; i < w->h->unknown.n; i++) {
        struct str line = w->h->unknown.v[i];
        if (line.n == 0 || line.p[0] != '-' || !check(w, "unknown item", line))
            return refuse(w, "unknown item", "not an item", line);
        buf_adds(&w->out, line);
        buf_addc(&w->out, '\n');
    }
    return true;
}

static bool
write_recipient(struct writer *w, const struct spool_recipient *r)
{
    if (!check(w, "recipient", r->address) || !check(w, "error address", r->errors_to) ||
        !check(w, "original recipient", r->orcpt))
        return false;
    if (r->address.n == 0)
        return refuse(w, "recipient", "no address", STR_NULL);
    buf_adds(&w->out, r->address);
    if (r->errors_to.n > 0 || r->orcpt.n > 0 || r->dsn_flags != 0 || r->parent != SPOOL_NONE)
        buf_printf(&w->out, " %.*s %" PRIu32 ",%" PRId64 " %.*s %" PRIu32 ",%" PRId64 "#3",
                   STR_ARG(r->orcpt), r->orcpt.n, r->dsn_flags, STR_ARG(r->errors_to),
                   r->errors_to.n, r->parent);
    buf_addc(&w->out, '\n');
    return true;
}

static bool
write_recipients(struct writer *w)
{
    size_t n = w->h->recipients.n;
    if (n > SPOOL_RECIPIENTS_MAX)
        return refuse(w, "recipients", "too many", STR_NULL);
    buf_printf(&w->out, "%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        if (!write_recipient(w, &w->h->recipients.v[i]))
            return false;
    }
    buf_addc(&w->out, '\n');
    return true;
}

static bool
write_headers(struct writer *w)
{
    for (size_t i = 0; i < w->h->headers.n; i++) {
        const struct header *h = &w->h->headers.v[i];
        if (h->text.n == 0 || h->text.p[h->text.n - 1] != '\n' || str_has_nul(h->text))
            return refuse(w, "header", "no newline at its end, or a NUL", h->text);
        buf_printf(&w->out, "%03" PRIu32 "%c ", h->text.n, h->type);
        buf_adds(&w->out, h->text);
    }
    return true;
}

bool
spool_header_format(struct arena *a, const struct spool_header *h, struct str *out,
                    struct spool_fault *f)
{
    struct writer w = {.arena = a, .h = h, .out = buf_in(a, SPOOL_FILE_MAX), .fault = f};
    if (!check(&w, "owner", h->login) || !check(&w, "sender", h->sender))
        return false;
    buf_printf(&w.out, "%s-H\n%.*s %" PRId64 " %" PRId64 "\n", h->id.text, STR_ARG(h->login),
               h->uid, h->gid);
    buf_printf(&w.out, "<%.*s>\n%" PRId64 " %" PRId64 "\n", STR_ARG(h->sender),
               h->received_time, h->warning_count);
    if (!write_items(&w))
        return false;
    spool_tree_format(a, &h->done, &w.out);
    if (!write_recipients(&w) || !write_headers(&w))
        return false;
    if (w.out.overflow)
        return refuse(&w, "file", "too big", STR_NULL);
    *out = buf_str(&w.out);
    return true;
}
