/* Functions on plain text: case, parts, quoting, escapes.
 *
 * They work on bytes, not on characters, as the manual says. A result that is a part of its argument is
 * returned as that part, without a copy.
 */
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/host.h"
#include "mail/address.h"

#include <string.h>

enum vm_status
fn_oper_lc(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = str_lowered(vm_scratch(vm), *argv);
    return VM_OK;
}

enum vm_status
fn_oper_uc(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = str_uppered(vm_scratch(vm), *argv);
    return VM_OK;
}

enum vm_status
fn_oper_strlen(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = fn_number(vm, argv->n);
    return VM_OK;
}

/* --- parts --- */

static enum vm_status
length(struct vm *vm, struct str s, const struct fn_numbers *v, struct str *out)
{
    (void)vm;
    *out = str_sub(s, 0, (size_t)v->n[0]);
    return VM_OK;
}

/* A start before the text is the part that a longer text would have lost. */
static enum vm_status
substr(struct vm *vm, struct str s, const struct fn_numbers *v, struct str *out)
{
    (void)vm;
    int64_t start = v->n[0];
    int64_t size = s.n;
    if (v->count > 1)
        size = v->n[1];
    else if (start < 0) { /* without a length, a negative start means: up to there */
        *out = -start > s.n ? str_sub(s, 0, 0) : str_sub(s, 0, s.n - (size_t)-start);
        return VM_OK;
    }
    if (start < 0) {
        start += s.n;
        if (start < 0) {
            size = size + start > 0 ? size + start : 0;
            start = 0;
        }
    }
    *out = str_sub(s, (size_t)start, (size_t)size);
    return VM_OK;
}

static const struct fn_numeric length_item = {"length", 1, false, false, length};
static const struct fn_numeric substr_item = {"substr", 2, true, true, substr};

enum vm_status
fn_item_length(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_item(vm, &length_item, argv, argc, out);
}

enum vm_status
fn_oper_length(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &length_item, "length", argv, argc, out);
}

enum vm_status
fn_oper_l(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &length_item, "l", argv, argc, out);
}

enum vm_status
fn_item_substr(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_item(vm, &substr_item, argv, argc, out);
}

enum vm_status
fn_oper_substr(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &substr_item, "substr", argv, argc, out);
}

enum vm_status
fn_oper_s(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    return fn_numeric_operator(vm, &substr_item, "s", argv, argc, out);
}

/* Of a byte that stands twice in argv[1] the last counts; what has no partner takes the last of argv[2]. */
enum vm_status
fn_item_tr(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str from = argv[1];
    struct str to = argv[2];
    *out = argv[0];
    if (to.n == 0 || from.n == 0)
        return VM_OK;
    unsigned char map[256];
    for (unsigned i = 0; i < sizeof map; i++)
        map[i] = (unsigned char)i;
    for (uint32_t i = 0; i < from.n; i++)
        map[(unsigned char)from.p[i]] = (unsigned char)to.p[i < to.n ? i : to.n - 1];
    char *p = arena_alloc(vm_scratch(vm), argv[0].n);
    for (uint32_t i = 0; i < argv[0].n; i++)
        p[i] = (char)map[(unsigned char)argv[0].p[i]];
    *out = (struct str){p, argv[0].n, str_taint_join(argv[0].taint, to.taint)};
    return VM_OK;
}

/* --- quoting and escapes --- */

static const char hex_digits[] = "0123456789abcdef";

static void
add_octal(struct buf *b, unsigned char c)
{
    const char text[4] = {'\\', (char)('0' + (c >> 6)), (char)('0' + ((c >> 3) & 7)),
                          (char)('0' + (c & 7))};
    buf_add(b, text, sizeof text);
}

/* What stands for c in ${escape:}, or 0: the byte itself or its number. */
static char
escape_letter(char c)
{
    static const char controls[] = "\bb\nn\vv\ff\rr";
    const char *p = c == '\0' ? NULL : strchr(controls, c);
    return p != NULL && (unsigned char)c < ' ' ? p[1] : '\0';
}

void
fn_add_escaped(struct buf *b, struct str s, bool top_bit_prints)
{
    b->taint = str_taint_join(b->taint, s.taint);
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char letter = escape_letter(s.p[i]);
        if (letter != '\0') {
            buf_addc(b, '\\');
            buf_addc(b, letter);
        } else if (c == '\t' || ascii_print((char)c) || (c >= 0x80 && top_bit_prints)) {
            buf_addc(b, (char)c);
        } else {
            add_octal(b, c);
        }
    }
}

enum vm_status
fn_oper_escape(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint32_t i = 0;
    while (i < argv->n && (ascii_print(argv->p[i]) || argv->p[i] == '\t'))
        i++;
    *out = *argv;
    if (i == argv->n)
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    fn_add_escaped(&b, *argv, fn_setting_on(vm, "print_topbitchars"));
    *out = buf_str(&b);
    return VM_OK;
}

enum vm_status
fn_oper_escape8bit(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct buf b = buf_in(vm_scratch(vm), 0);
    b.taint = argv->taint;
    for (uint32_t i = 0; i < argv->n; i++) {
        unsigned char c = (unsigned char)argv->p[i];
        if (c < 0x7f && c != '\\')
            buf_addc(&b, (char)c);
        else
            add_octal(&b, c);
    }
    *out = buf_str(&b);
    return VM_OK;
}

enum vm_status
fn_oper_hexquote(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct buf b = buf_in(vm_scratch(vm), 0);
    b.taint = argv->taint;
    for (uint32_t i = 0; i < argv->n; i++) {
        unsigned char c = (unsigned char)argv->p[i];
        const char text[4] = {'\\', 'x', hex_digits[c >> 4], hex_digits[c & 15]};
        if (c > ' ' && c < 0x7f)
            buf_addc(&b, (char)c);
        else
            buf_add(&b, text, sizeof text);
    }
    *out = buf_str(&b);
    return VM_OK;
}

enum vm_status
fn_oper_rxquote(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    uint32_t i = 0;
    while (i < argv->n && ascii_alnum(argv->p[i]))
        i++;
    *out = *argv;
    if (i == argv->n)
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    b.taint = argv->taint;
    for (i = 0; i < argv->n; i++) {
        if (!ascii_alnum(argv->p[i]))
            buf_addc(&b, '\\');
        buf_addc(&b, argv->p[i]);
    }
    *out = buf_str(&b);
    return VM_OK;
}

static void
add_quoted(struct buf *b, struct str s)
{
    b->taint = str_taint_join(b->taint, s.taint);
    buf_addc(b, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\' || c == '\n' || c == '\r')
            buf_addc(b, '\\');
        buf_addc(b, c == '\n' ? 'n' : c == '\r' ? 'r' : c);
    }
    buf_addc(b, '"');
}

/* ${quote_TYPE_OPTION:}: everything after the second underscore is the option. */
static enum vm_status
quote_for_lookup(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    const struct host *h = vm_host(vm);
    struct str opt = STR_NULL;
    if (argc > 2)
        opt = fn_join_parts(vm, argv + 2, argc - 2);
    enum vm_status st = VM_NO;
    if (h->quote != NULL && argv[1].n > 0)
        st = h->quote(vm_env(vm), vm, argv[1], argv[0], opt, out);
    if (st == VM_NO)
        return vm_fail(vm, "unknown lookup type \"%.*s\"", STR_ARG(argv[1]));
    return st;
}

enum vm_status
fn_oper_quote(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    if (argc > 1)
        return quote_for_lookup(vm, argv, argc, out);
    uint32_t i = 0;
    while (i < argv->n && (ascii_alnum(argv->p[i]) || strchr("_.-", argv->p[i]) != NULL) &&
           argv->p[i] != '\0')
        i++;
    *out = *argv;
    if (argv->n > 0 && i == argv->n)
        return VM_OK;
    struct buf b = buf_in(vm_scratch(vm), 0);
    add_quoted(&b, *argv);
    *out = buf_str(&b);
    return VM_OK;
}

enum vm_status
fn_oper_quote_local_part(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = address_quote_local_part(vm_scratch(vm), *argv);
    return VM_OK;
}

/* --- encodings --- */

enum vm_status
fn_oper_base64d(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    if (base64_decode(vm_scratch(vm), *argv, out, NULL))
        return VM_OK;
    return vm_fail(vm, "string \"%.*s\" is not well-formed for \"base64d\" operator",
                   STR_ARG(*argv));
}

enum vm_status
fn_oper_hex2b64(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct str bytes;
    for (uint32_t i = 0; i < argv->n; i++) {
        if (ascii_hex(argv->p[i]) < 0)
            return vm_fail(vm, "\"%.*s\" is not a hex string", STR_ARG(*argv));
    }
    if (!hex_decode(vm_scratch(vm), *argv, &bytes, NULL))
        return vm_fail(vm, "\"%.*s\" contains an odd number of characters", STR_ARG(*argv));
    *out = base64_encode(vm_scratch(vm), bytes);
    return VM_OK;
}

/* RFC 3461 section 4: "+" and two upper-case hexadecimal digits. */
enum vm_status
fn_oper_xtextd(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    struct buf b = buf_in(vm_scratch(vm), 0);
    b.taint = argv->taint;
    for (uint32_t i = 0; i < argv->n; i++) {
        char c = argv->p[i];
        if (c != '+') {
            buf_addc(&b, c);
            continue;
        }
        int high = i + 1 < argv->n ? ascii_hex(argv->p[i + 1]) : -1;
        int low = i + 2 < argv->n ? ascii_hex(argv->p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return vm_fail(vm, "string \"%.*s\" is not well-formed for \"xtextd\" operator",
                           STR_ARG(*argv));
        buf_addc(&b, (char)(high << 4 | low));
        i += 2;
    }
    *out = buf_str(&b);
    return VM_OK;
}

enum vm_status
fn_oper_from_utf8(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = utf8_to_latin1(vm_scratch(vm), *argv);
    return VM_OK;
}

enum vm_status
fn_oper_utf8clean(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    *out = utf8_clean(vm_scratch(vm), *argv);
    return VM_OK;
}

/* ${imapfolder{name}{separator}{specials}}: specification, "Internationalisation support". */
enum vm_status
fn_item_imapfolder(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    struct str specials = argc > 2 ? argv[2] : STR_EMPTY;
    char bad = '\0';
    if (argc > 1 && argv[1].n != 1)
        return vm_fail(vm, "IMAP folder separator must be one character, found \"%.*s\"",
                       STR_ARG(argv[1]));
    struct buf b = buf_in(vm_scratch(vm), 0);
    switch (utf8_to_folder(&b, argv[0], argc > 1 ? argv[1].p[0] : '/', specials, &bad)) {
    case UTF8_FOLDER_OK:
        *out = buf_str(&b);
        return VM_OK;
    case UTF8_FOLDER_ILLEGAL:
        return vm_fail(vm, "imapfolder: illegal character '%c'", bad);
    case UTF8_FOLDER_CUT:
        return vm_fail(vm,
                       "imapfolder: iconv() failed to convert from UTF-8: Invalid argument");
    case UTF8_FOLDER_INVALID:
        break;
    }
    return vm_fail(vm, "imapfolder: iconv() failed to convert from UTF-8: "
                       "Invalid or incomplete multibyte or wide character");
}
