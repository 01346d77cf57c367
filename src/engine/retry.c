/* The retry section and the choice of a rule; see retry.h.
 *
 * Lines are read by hand: the grammar is small, and each fault has its words in Exim. No time is
 * computed here, and nothing remembers a result between questions.
 */
#include "engine/retry.h"

#include "base/buf.h"
#include "base/num.h"
#include "conf/eval.h"
#include "engine/rule_text.h"

#include <string.h>

/* --- names of errors --- */

struct error_name {
    const char *name;
    enum retry_kind kind;
    bool shown; /* -brt shows it by name */
};

static const struct error_name plain_names[] = {
    {"auth_failed", RETRY_AUTH_FAILED, true},
    {"lost_connection", RETRY_LOST_CONNECTION, false},
    {"lookup", RETRY_LOOKUP, false},
    {"tls_required", RETRY_TLS_REQUIRED, false},
};
static const struct error_name code_names[] = {
    {"data_4", RETRY_DATA_4XX, false},
    {"mail_4", RETRY_MAIL_4XX, false},
    {"rcpt_4", RETRY_RCPT_4XX, false},
};

static bool
take_code(struct arena *a, struct str name, struct retry_error *out, struct str *fault)
{
    struct str d = str_sub(name, 6, name.n);
    bool first = d.n == 2 && (ascii_digit(d.p[0]) || d.p[0] == 'x');
    bool second = d.n == 2 && (d.p[1] == 'x' || (ascii_digit(d.p[1]) && d.p[0] != 'x'));
    if (first && second) {
        memcpy(out->digits, d.p, 2);
        return true;
    }
    *fault =
        str_printf(a,
                   "%.6s must be followed by xx, dx, or dd, where x is literal and d is any "
                   "digit",
                   name.p);
    return false;
}

/* "", "_", "_A" or "_MX". */
static bool
take_host(struct str rest, struct retry_error *out)
{
    if (rest.n == 0 || str_eqz(rest, "_"))
        out->host = RETRY_HOST_ANY;
    else if (str_ieqz(rest, "_A"))
        out->host = RETRY_HOST_A;
    else if (str_ieqz(rest, "_MX"))
        out->host = RETRY_HOST_MX;
    else
        return false;
    return true;
}

/* The errors with a variable end. *known false: the name is none of these. */
static bool
take_long_name(struct str name, struct retry_error *out, struct str *fault, bool *known)
{
    *known = true;
    if (str_istarts(name, "refused") && (name.n == 7 || name.p[7] == '_')) {
        out->kind = RETRY_REFUSED;
        *fault = STR_LIT("A or MX expected after \"refused\"");
        return take_host(str_sub(name, 7, name.n), out);
    }
    if (str_istarts(name, "timeout") && (name.n == 7 || name.p[7] == '_')) {
        out->kind = RETRY_TIMEOUT;
        struct str rest = str_sub(name, 7, name.n);
        out->connect = str_istarts(rest, "_connect");
        if (out->connect)
            rest = str_sub(rest, 8, rest.n);
        if (str_ieqz(rest, "_dns") &&
            !out->connect) /* never worked in Exim, which takes it so */
            rest = STR_EMPTY;
        *fault = STR_LIT("\"A\", \"MX\", or \"connect\" expected after \"timeout\"");
        return take_host(rest, out);
    }
    if (str_istarts(name, "quota") && (name.n == 5 || name.p[5] == '_')) {
        out->kind = RETRY_QUOTA;
        *fault = STR_LIT("bad time value");
        return name.n == 5 || num_parse_interval(str_sub(name, 6, name.n), &out->unread_s);
    }
    *known = false;
    return false;
}

bool
retry_error_parse(struct arena *a, struct str name, struct retry_error *out, struct str *fault)
{
    *out = (struct retry_error){.kind = RETRY_ANY};
    if (str_eqz(name, "*"))
        return true;
    for (size_t i = 0; i < sizeof plain_names / sizeof *plain_names; i++) {
        out->kind = plain_names[i].kind;
        if (str_ieqz(name, plain_names[i].name))
            return true;
    }
    for (size_t i = 0; i < sizeof code_names / sizeof *code_names; i++) {
        out->kind = code_names[i].kind;
        if (str_istarts(name, code_names[i].name))
            return take_code(a, name, out, fault);
    }
    bool known;
    if (take_long_name(name, out, fault, &known))
        return true;
    if (!known)
        *fault = str_printf(a, "unknown or malformed retry error \"%.*s\"", STR_ARG(name));
    return false;
}

static const char *
host_suffix(enum retry_host host)
{
    switch (host) {
    case RETRY_HOST_A:
        return "_A";
    case RETRY_HOST_MX:
        return "_MX";
    case RETRY_HOST_ANY:
        break;
    }
    return "";
}

void
retry_error_add(struct buf *out, const struct retry_error *e)
{
    switch (e->kind) {
    case RETRY_AUTH_FAILED:
        buf_addz(out, "auth_failed");
        return;
    case RETRY_REFUSED:
        buf_printf(out, "refused%s", host_suffix(e->host));
        return;
    case RETRY_TIMEOUT:
        buf_printf(out, "timeout%s%s", e->connect ? "_connect" : "", host_suffix(e->host));
        return;
    case RETRY_QUOTA:
        buf_addz(out, "quota");
        if (e->unread_s > 0) {
            buf_addc(out, '_');
            num_add_interval(out, e->unread_s);
        }
        return;
    case RETRY_ANY:
    case RETRY_DATA_4XX:
    case RETRY_MAIL_4XX:
    case RETRY_RCPT_4XX:
    case RETRY_LOST_CONNECTION:
    case RETRY_LOOKUP:
    case RETRY_TLS_REQUIRED:
        buf_addc(out, '*');
        return;
    }
}

/* --- parameters --- */

/* One value of a parameter set; false when it ends in something that cannot follow one. */
static bool
take_value(struct rule_text *t, struct str *value)
{
    size_t from = t->at;
    while (t->at < t->text.n && (ascii_alnum(t->text.p[t->at]) || t->text.p[t->at] == '.'))
        t->at++;
    *value = str_sub(t->text, from, t->at - from);
    char c = rule_text_peek(t);
    return c == '\0' || c == ',' || c == ';' || ascii_space(c);
}

/* Values separated by commas: at least n of them. NULL or the fault. */
static const char *
take_values(struct rule_text *t, struct str *values, int n)
{
    for (int i = 0; i < n; i++) {
        if (rule_text_peek(t) != ',')
            return "comma expected";
        t->at++;
        if (!take_value(t, &values[i]))
            return "comma or semicolon expected";
    }
    return NULL;
}

static bool
positive_time(struct str s, int64_t *out)
{
    return num_parse_interval(s, out) && *out > 0;
}

/* One set, after which stands a semicolon or nothing. NULL or the fault. */
static const char *
take_step(struct rule_text *t, struct retry_step *out)
{
    struct str v[3];
    *out = (struct retry_step){.letter = ascii_upper(rule_text_peek(t))};
    t->at++;
    if (rule_text_peek(t) != ',')
        return "comma expected";
    if (out->letter == '\0' || strchr("FGH", out->letter) == NULL)
        return "unknown retry rule letter";
    bool grows = out->letter != 'F';
    const char *fault = take_values(t, v, grows ? 3 : 2);
    if (fault != NULL)
        return fault;
    bool good = positive_time(v[0], &out->cutoff_s) && positive_time(v[1], &out->interval_s);
    if (grows)
        good = good && num_parse_fixed(v[2], &out->factor) == NUM_OK && out->factor >= 1000;
    if (!good)
        return "bad parameters for retry rule";
    rule_text_skip_space(t);
    char c = rule_text_peek(t);
    return c == '\0' || c == ';' ? NULL : "semicolon expected";
}

static const char *
take_steps(struct arena *a, struct rule_text *t, struct retry_rule *r)
{
    for (rule_text_skip_space(t); t->at < t->text.n; rule_text_skip_space(t)) {
        struct retry_step step;
        const char *fault = take_step(t, &step);
        if (fault != NULL)
            return fault;
        if (r->steps.n == RETRY_STEPS_MAX)
            return "too many parameters in retry rule";
        vec_push(a, &r->steps, step);
        if (rule_text_peek(t) == ';')
            t->at++;
    }
    return NULL;
}

/* --- lines --- */

/* "senders=list" in front of the parameters. */
static const char *
take_senders(struct arena *a, struct rule_text *t, struct retry_rule *r)
{
    if (!str_starts(str_sub(t->text, t->at, t->text.n), "senders"))
        return NULL;
    t->at += strlen("senders");
    rule_text_skip_space(t);
    if (rule_text_peek(t) != '=')
        return "\"=\" expected after \"senders\" in retry rule";
    t->at++;
    rule_text_skip_space(t);
    r->senders = rule_text_word(t, a);
    return NULL;
}

static bool
take_rule(struct arena *a, const struct conf_line *line, struct retry_rule *r,
          struct diags *diags)
{
    struct rule_text t = {.text = line->text};
    r->senders = STR_NULL;
    r->where = textmap_span(line->map, 0, line->text.n);
    r->pattern = rule_text_word(&t, a);
    rule_text_skip_space(&t);
    size_t name_at = t.at;
    struct str name = rule_text_plain_word(&t);
    if (name.n == 0) {
        rule_text_fault(diags, line, line->text.n, 0,
                        STR_LIT("missing error type in retry rule"));
        return false;
    }
    struct str words;
    if (!retry_error_parse(a, name, &r->error, &words)) {
        rule_text_fault(diags, line, name_at, name.n, words);
        return false;
    }
    rule_text_skip_space(&t);
    const char *fault = take_senders(a, &t, r);
    if (fault == NULL)
        fault = take_steps(a, &t, r);
    if (fault != NULL)
        rule_text_fault(diags, line, t.at, 0, str_from_cstr(fault));
    return fault == NULL;
}

static bool
parse_section(struct arena *a, const struct conf_line *lines, size_t n, struct diags *diags,
              void **result)
{
    struct retry_rules *rules = ARENA_NEW(a, struct retry_rules);
    bool ok = true;
    if (n > RETRY_RULES_MAX) {
        rule_text_fault(diags, &lines[RETRY_RULES_MAX], 0, 0, STR_LIT("too many retry rules"));
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct retry_rule r = {.error = {.kind = RETRY_ANY}};
        if (take_rule(a, &lines[i], &r, diags))
            vec_push(a, &rules->v, r);
        else
            ok = false;
    }
    *result = rules;
    return ok;
}

const struct section_parser retry_section = {.name = "retry", .parse = parse_section};

/* --- choosing --- */

static bool
digits_fit(const char *rule, const char *happened)
{
    return (rule[0] == 'x' || rule[0] == happened[0]) &&
           (rule[1] == 'x' || rule[1] == happened[1]);
}

static bool
error_fits(const struct retry_error *rule, const struct retry_error *happened)
{
    if (rule->kind == RETRY_ANY)
        return true;
    if (rule->kind != happened->kind)
        return false;
    switch (rule->kind) {
    case RETRY_DATA_4XX:
    case RETRY_MAIL_4XX:
    case RETRY_RCPT_4XX:
        return digits_fit(rule->digits, happened->digits);
    case RETRY_TIMEOUT:
        if (rule->connect && !happened->connect)
            return false;
        return rule->host == RETRY_HOST_ANY || rule->host == happened->host;
    case RETRY_REFUSED:
        return rule->host == RETRY_HOST_ANY || rule->host == happened->host;
    case RETRY_QUOTA:
        return rule->unread_s <= happened->unread_s;
    case RETRY_ANY:
    case RETRY_AUTH_FAILED:
    case RETRY_LOST_CONNECTION:
    case RETRY_LOOKUP:
    case RETRY_TLS_REQUIRED:
        break;
    }
    return true;
}

/* A domain alone is asked about as *@domain, so that a rule for one local part does not fit it. */
static struct str
subject_of(struct vm *vm, struct str key)
{
    if (str_rchr(key, '@') != STR_NPOS)
        return key;
    return str_cat(vm_scratch(vm), STR_LIT("*@"), key);
}

struct asking {
    struct eval *eval;
    struct vm *vm;
    void (*warn)(struct str text);
};

static bool
key_fits(const struct asking *k, const struct retry_rule *r, struct str key)
{
    if (!str_is_set(key))
        return false;
    struct rule_match m = {
        .eval = k->eval, .vm = k->vm, .pattern = r->pattern, .subject = subject_of(k->vm, key)};
    struct str fault = STR_NULL;
    bool fits = rule_text_match(&m, &fault);
    if (str_is_set(fault) && k->warn != NULL)
        k->warn(fault);
    return fits;
}

static bool
sender_fits(const struct asking *k, const struct retry_rule *r, struct str sender)
{
    if (!str_is_set(r->senders))
        return true;
    if (!str_is_set(sender))
        return false;
    struct rule_match m = {.eval = k->eval,
                           .vm = k->vm,
                           .pattern = r->senders,
                           .subject = sender,
                           .whole_list = true};
    struct str fault = STR_NULL;
    bool fits = rule_text_match(&m, &fault);
    if (str_is_set(fault) && k->warn != NULL)
        k->warn(fault);
    return fits;
}

const struct retry_rule *
retry_find(const struct retry_rules *rules, struct eval *e, struct vm *vm,
           const struct retry_question *q, void (*warn)(struct str text))
{
    const struct asking k = {.eval = e, .vm = vm, .warn = warn};
    for (size_t i = 0; rules != NULL && i < rules->v.n; i++) {
        const struct retry_rule *r = &rules->v.v[i];
        if (!error_fits(&r->error, &q->error))
            continue;
        struct arena_mark mark = arena_mark(vm_scratch(vm));
        bool fits = (key_fits(&k, r, q->key) || key_fits(&k, r, q->second)) &&
                    sender_fits(&k, r, q->sender);
        vm_release(vm, mark);
        if (fits)
            return r;
        if (str_is_set(e->fatal))
            return NULL;
    }
    return NULL;
}

void
retry_rule_add(struct buf *out, const struct retry_rule *r)
{
    buf_addz(out, "Retry rule: ");
    buf_adds(out, r->pattern);
    buf_addz(out, "  ");
    retry_error_add(out, &r->error);
    buf_addz(out, "  ");
    for (size_t i = 0; i < r->steps.n; i++) {
        const struct retry_step *s = &r->steps.v[i];
        buf_printf(out, "%c,", s->letter);
        num_add_interval(out, s->cutoff_s);
        buf_addc(out, ',');
        num_add_interval(out, s->interval_s);
        if (s->letter == 'G') {
            buf_addc(out, ',');
            num_add_fixed(out, s->factor);
        }
        buf_addz(out, "; ");
    }
    buf_addc(out, '\n');
}
