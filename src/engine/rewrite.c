/* Address rewriting; see rewrite.h.
 *
 * Rules run in order over one address; each sees what the earlier ones made. A fault of a rule ends the
 * rewriting of that address, and what was done so far stays.
 */
#include "engine/rewrite.h"

#include "base/buf.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "engine/rule_text.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "mail/rfc2047.h"
#include "sys/regex.h"

/* --- the section --- */

static const struct {
    char letter;
    unsigned flags;
} letters[] = {
    {'E', REWRITE_ENV_FROM | REWRITE_ENV_TO},
    {'F', REWRITE_ENV_FROM},
    {'T', REWRITE_ENV_TO},
    {'b', REWRITE_BCC},
    {'c', REWRITE_CC},
    {'f', REWRITE_FROM},
    {'h', REWRITE_HEADERS},
    {'r', REWRITE_REPLY_TO},
    {'s', REWRITE_SENDER},
    {'t', REWRITE_TO},
    {'S', REWRITE_SMTP},
    {'Q', REWRITE_QUALIFY},
    {'q', REWRITE_QUIT},
    {'R', REWRITE_REPEAT},
    {'w', REWRITE_WHOLE},
};

static unsigned
flag_of(char c)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (letters[i].letter == c)
            return letters[i].flags;
    }
    return 0;
}

/* What a rule that stands at `at` may say. */
enum rule_home { HOME_SECTION, HOME_TRANSPORT };

static bool
take_flags(struct arena *a, struct rule_text *t, enum rule_home home, struct rewrite_rule *r,
           struct str *fault)
{
    for (rule_text_skip_space(t); t->at < t->text.n; rule_text_skip_space(t)) {
        char c = t->text.p[t->at];
        unsigned flag = flag_of(c);
        bool here = home == HOME_SECTION ||
                    (flag & (REWRITE_ENV_FROM | REWRITE_ENV_TO | REWRITE_SMTP)) == 0;
        if (flag == 0 || !here) {
            *fault = str_printf(a,
                                "unknown rewrite flag character '%c' (could be missing quotes "
                                "round replacement item)",
                                c);
            return false;
        }
        r->flags |= flag;
        t->at++;
    }
    if ((r->flags & (REWRITE_PLACES | REWRITE_SMTP)) == 0)
        r->flags |= home == HOME_SECTION ? REWRITE_PLACES : REWRITE_HEADERS;
    if ((r->flags & REWRITE_SMTP) == 0 || str_starts(r->pattern, "^"))
        return true;
    *fault = STR_LIT("rewrite rule has the S flag but is not a regular expression");
    return false;
}

/* One rule; t->at is where the fault is when there is one. */
static bool
take_rule(struct arena *a, struct rule_text *t, enum rule_home home, struct rewrite_rule *r,
          struct str *fault)
{
    r->pattern = rule_text_word(t, a);
    rule_text_skip_space(t);
    if (t->at >= t->text.n) {
        *fault = STR_LIT("missing rewrite replacement string");
        return false;
    }
    r->replacement = rule_text_word(t, a);
    return take_flags(a, t, home, r, fault);
}

static void
add_rule(struct arena *a, struct rewrite_rules *rules, struct rewrite_rule r)
{
    vec_push(a, &rules->v, r);
    rules->flags |= r.flags;
}

static bool
parse_section(struct arena *a, const struct conf_line *lines, size_t n, struct diags *diags,
              void **result)
{
    struct rewrite_rules *rules = ARENA_NEW(a, struct rewrite_rules);
    bool ok = n <= REWRITE_RULES_MAX;
    if (!ok)
        rule_text_fault(diags, &lines[REWRITE_RULES_MAX], 0, 0,
                        STR_LIT("too many rewrite rules"));
    for (size_t i = 0; i < n && i < REWRITE_RULES_MAX; i++) {
        struct rule_text t = {.text = lines[i].text};
        struct rewrite_rule r = {.where = textmap_span(lines[i].map, 0, lines[i].text.n)};
        struct str fault;
        if (take_rule(a, &t, HOME_SECTION, &r, &fault)) {
            add_rule(a, rules, r);
        } else {
            rule_text_fault(diags, &lines[i], t.at, t.at < t.text.n ? 1 : 0, fault);
            ok = false;
        }
    }
    *result = rules;
    return ok;
}

const struct section_parser rewrite_section = {.name = "rewrite", .parse = parse_section};

bool
rewrite_parse_list(struct arena *a, struct str list, struct rewrite_rules *out,
                   struct str *fault)
{
    struct strlist_split split = strlist_split_start(list, ':');
    struct str item;
    *out = (struct rewrite_rules){.flags = 0};
    while (strlist_split_next(&split, a, &item)) {
        struct rule_text t = {.text = item};
        struct rewrite_rule r = {.flags = 0};
        if (out->v.n == REWRITE_RULES_MAX) {
            *fault = STR_LIT("too many rewrite rules");
            return false;
        }
        if (!take_rule(a, &t, HOME_TRANSPORT, &r, fault))
            return false;
        add_rule(a, out, r);
    }
    return true;
}

/* --- one address --- */

/* The item on its way: its text, and where in it the address is. */
struct item {
    struct str text;
    struct str address; /* without comments */
    size_t start, end;  /* of the address within text */
};

struct work {
    const struct rewriting *w;
    struct arena *a;
    unsigned place; /* one bit, or REWRITE_SMTP */
    struct item item;
    bool changed;
};

static void
note(const struct work *k, struct str text)
{
    if (k->w->log != NULL)
        k->w->log(k->w->log_ctx, REWRITE_FAULT, text);
}

/* $local_part and $domain mean the address that is being rewritten, in the case it was given. */
static enum vm_status
expand_replacement(const struct work *k, const struct rewrite_rule *r, struct str *out)
{
    struct eval *e = k->w->eval;
    struct address *outer = e->address, now = {.local_uid = -1, .local_gid = -1};
    if (k->place != REWRITE_SMTP) {
        address_split(k->item.address, &now.local_part, &now.domain);
        e->address = &now;
    }
    enum vm_status st = vm_expand(k->w->vm, r->replacement, out);
    e->address = outer;
    return st;
}

static bool
match_regex(const struct work *k, struct str pattern, struct str *fault)
{
    struct vm *vm = k->w->vm;
    struct str text, error = STR_NULL;
    size_t at = 0;
    if (vm_expand(vm, pattern, &text) != VM_OK) {
        *fault = str_printf(vm_scratch(vm), "Expansion of %.*s failed: %.*s", STR_ARG(pattern),
                            STR_ARG(vm_error(vm)));
        return false;
    }
    const struct regex *re = vm_regex(vm, text, REGEX_CASELESS, &error, &at);
    if (re == NULL) {
        *fault = str_printf(vm_scratch(vm),
                            "regular expression error in pattern \"%.*s\": %.*s at "
                            "offset %zu",
                            STR_ARG(text), STR_ARG(error), at);
        return false;
    }
    return vm_regex_match(vm, re, k->item.text) == VM_OK;
}

/* $0 is the address as it stands, whatever was compared. */
static void
capture_whole(const struct work *k)
{
    const struct str *caps;
    struct str all[VM_CAPS];
    unsigned n = vm_captures(k->w->vm, &caps);
    for (unsigned i = 1; i < n && i < VM_CAPS; i++)
        all[i] = caps[i];
    all[0] = k->place == REWRITE_SMTP ? k->item.text : k->item.address;
    vm_set_captures(k->w->vm, all, n > 0 ? n : 1);
}

static bool
rule_matches(const struct work *k, const struct rewrite_rule *r)
{
    struct str fault = STR_NULL;
    bool yes;
    if (k->place == REWRITE_SMTP) {
        yes = match_regex(k, r->pattern, &fault);
    } else {
        struct rule_match m = {.eval = k->w->eval,
                               .vm = k->w->vm,
                               .pattern = r->pattern,
                               .subject = k->item.address,
                               .rewriting = true};
        yes = rule_text_match(&m, &fault);
    }
    if (yes)
        capture_whole(k);
    if (str_is_set(fault))
        note(k, fault);
    return yes;
}

/* --- RFC 2047 for the phrase of a whole replacement --- */

static bool
needs_encoding(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c > 126 || (c < 32 && c != '\t'))
            return true;
    }
    return false;
}

/* Text outside angle brackets; white space at its ends stays. */
static void
add_outside(struct arena *a, struct buf *out, struct str text, struct str charset)
{
    struct str body = str_trim(text);
    if (!needs_encoding(text) || body.n == 0) {
        buf_adds(out, text);
        return;
    }
    size_t lead = (size_t)(body.p - text.p);
    buf_adds(out, str_sub(text, 0, lead));
    buf_adds(out, rfc2047_encode(a, body, charset));
    buf_adds(out, str_sub(text, lead + body.n, text.n));
}

/* Encodes what stands outside angle brackets, if anything there needs it. */
static struct str
encode_whole(const struct work *k, struct str text)
{
    const struct host *host = vm_host(k->w->vm);
    struct str charset = host != NULL && host->setting != NULL
                             ? host->setting(vm_env(k->w->vm), "headers_charset")
                             : STR_NULL;
    if (!needs_encoding(text))
        return text;
    if (charset.n == 0)
        charset = STR_LIT("UTF-8");
    size_t open = str_chr(text, '<', 0), close = str_rchr(text, '>');
    if (open == STR_NPOS || close == STR_NPOS || close < open)
        open = close = text.n;
    struct buf b = buf_in(k->a, 0);
    add_outside(k->a, &b, str_sub(text, 0, open), charset);
    if (open < text.n) {
        buf_adds(&b, str_sub(text, open, close + 1 - open));
        add_outside(k->a, &b, str_sub(text, close + 1, text.n), charset);
    }
    return buf_str(&b);
}

/* --- putting the new address in --- */

static bool
is_header_place(unsigned place)
{
    return (place & REWRITE_HEADERS) != 0;
}

static void
put_address(struct work *k, const struct rewrite_rule *r, struct str whole, struct str address)
{
    struct item *it = &k->item;
    k->changed = true;
    it->address = str_dup(k->a, address);
    if (is_header_place(k->place) && (r->flags & REWRITE_WHOLE) != 0) {
        struct address_parts p;
        it->text = str_dup(k->a, encode_whole(k, whole));
        if (address_parse(k->a, it->text, ADDRESS_LITERAL, &p) == ADDRESS_OK) {
            it->start = p.start;
            it->end = p.end;
        }
        return;
    }
    if (!is_header_place(k->place)) {
        it->text = it->address;
        it->start = 0;
        it->end = it->address.n;
        return;
    }
    struct buf b = buf_in(k->a, 0);
    buf_adds(&b, str_sub(it->text, 0, it->start));
    buf_adds(&b, it->address);
    buf_adds(&b, str_sub(it->text, it->end, it->text.n));
    it->text = buf_str(&b);
    it->end = it->start + it->address.n;
}

/* Checks what a replacement gave. True with the address in *out. */
static bool
judge_result(const struct work *k, const struct rewrite_rule *r, struct str text,
             struct str *out)
{
    struct arena *scratch = vm_scratch(k->w->vm);
    struct address_parts p;
    unsigned flags = ADDRESS_LITERAL;
    if (k->place == REWRITE_ENV_FROM)
        flags |= ADDRESS_NULL;
    enum address_status st = address_parse(scratch, text, flags, &p);
    if (st != ADDRESS_OK) {
        struct str why = st == ADDRESS_EMPTY ? STR_LIT("empty address") : p.error;
        note(k, str_printf(scratch,
                           "Rewrite of %.*s yielded unparseable address: %.*s in address %.*s",
                           STR_ARG(k->item.address), STR_ARG(why), STR_ARG(text)));
        return false;
    }
    *out = p.text;
    if (p.domain != 0 || p.text.n == 0 || k->place == REWRITE_SMTP)
        return true;
    const struct host *host = vm_host(k->w->vm);
    if ((r->flags & REWRITE_QUALIFY) != 0 && host != NULL && host->setting != NULL) {
        struct str domain = host->setting(vm_env(k->w->vm), "qualify_recipient");
        *out = address_qualify(scratch, p.text, domain);
        return true;
    }
    note(k, str_printf(scratch, "Rewrite of %.*s yielded unqualified address \"%.*s\"",
                       STR_ARG(k->item.address), STR_ARG(text)));
    return false;
}

enum step { STEP_PASSED, STEP_DONE, STEP_FAILED, STEP_STOP };

/* One try of one rule. */
/* "a@b" from from: rewritten as "c@d" by rule 1 */
static void
note_change(const struct work *k, const struct rewrite_rule *r, struct str text)
{
    static const char *const places[] = {
        "sender:", "from:", "to:", "cc:", "bcc:", "reply-to:", "env-from", "env-to", "SMTP"};
    size_t place = 0;
    if (k->w->log == NULL)
        return;
    while (place + 1 < sizeof places / sizeof *places && (k->place >> place & 1u) == 0)
        place++;
    k->w->log(k->w->log_ctx, REWRITE_CHANGE,
              str_printf(vm_scratch(k->w->vm),
                         "\"%.*s\" from %s rewritten as \"%.*s\" by rule %zu",
                         STR_ARG(k->item.address), places[place], STR_ARG(text),
                         (size_t)(r - k->w->rules->v.v) + 1));
}

static enum step
apply_once(struct work *k, const struct rewrite_rule *r)
{
    if (!rule_matches(k, r))
        return str_is_set(k->w->eval->fatal) ? STEP_STOP : STEP_PASSED;
    if (str_eqz(r->replacement, "*"))
        return STEP_STOP;
    struct str text, address;
    switch (expand_replacement(k, r, &text)) {
    case VM_OK:
        break;
    case VM_FORCED:
        return STEP_FAILED;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        note(k,
             str_printf(vm_scratch(k->w->vm), "Expansion of %.*s failed while rewriting: %.*s",
                        STR_ARG(r->replacement), STR_ARG(vm_error(k->w->vm))));
        return STEP_STOP;
    }
    if (!judge_result(k, r, text, &address))
        return STEP_STOP;
    note_change(k, r, text);
    put_address(k, r, text, address);
    return STEP_DONE;
}

/* A rule with its repetitions. False: no further rules. */
static bool
apply_rule(struct work *k, const struct rewrite_rule *r)
{
    bool invoked = false;
    for (int round = 0;; round++) {
        enum step s = apply_once(k, r);
        if (s == STEP_STOP)
            return false;
        invoked = invoked || s != STEP_PASSED;
        if (s != STEP_DONE || (r->flags & REWRITE_REPEAT) == 0)
            break;
        if (round == REWRITE_REPEAT_MAX) {
            note(k, STR_LIT("rewrite rule repeat ignored after 10 times"));
            break;
        }
    }
    return !invoked || (r->flags & REWRITE_QUIT) == 0;
}

static void
apply_rules(struct work *k)
{
    for (size_t i = 0; i < k->w->rules->v.n; i++) {
        const struct rewrite_rule *r = &k->w->rules->v.v[i];
        if ((r->flags & k->place) == 0)
            continue;
        struct arena_mark mark = arena_mark(vm_scratch(k->w->vm));
        bool more = apply_rule(k, r);
        vm_release(k->w->vm, mark);
        if (!more)
            return;
    }
}

/* Where an address begins in its item: a source route before it goes with it. */
static size_t
start_of(struct str item, size_t start)
{
    size_t i = start;
    while (i > 0 && item.p[i - 1] != '<')
        i--;
    while (i < start && i > 0 && ascii_space(item.p[i]))
        i++;
    return i > 0 && i < start && item.p[i] == '@' ? i : start;
}

bool
rewrite_item(const struct rewriting *w, struct arena *a, unsigned place, struct str item,
             struct str *out)
{
    struct work k = {.w = w, .a = a, .place = place};
    struct address_parts p;
    *out = item;
    if (w->rules == NULL || (w->rules->flags & place) == 0)
        return false;
    if (address_parse(a, item, ADDRESS_LITERAL, &p) != ADDRESS_OK)
        return false;
    k.item = (struct item){.text = item, .address = p.text, .end = p.end};
    k.item.start = start_of(item, p.start);
    apply_rules(&k);
    *out = is_header_place(place) ? k.item.text : k.item.address;
    return k.changed;
}

bool
rewrite_smtp(const struct rewriting *w, struct arena *a, struct str argument, struct str *out)
{
    struct work k = {.w = w, .a = a, .place = REWRITE_SMTP};
    *out = argument;
    if (w->rules == NULL || (w->rules->flags & REWRITE_SMTP) == 0)
        return false;
    k.item = (struct item){.text = argument, .address = argument, .end = argument.n};
    apply_rules(&k);
    if (k.changed)
        *out = k.item.address;
    return k.changed;
}
