/* Takes the command line apart; see cli.h and cli.def.
 *
 * Scanning stops at the first word that is no option, or after an option that takes all the rest. Whatever
 * follows is an argument and tainted: whoever starts the program chose it. Texts of errors are
 * Exim's, as scripts look for them.
 */
#include "proc/cli.h"

#include "base/buf.h"
#include "base/num.h"
#include "conf/debug.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MACROS_MAX = 10, MACRO_NAME_LIMIT = 63 };

enum act {
    ACT_NOTHING,
    ACT_END,
    ACT_MODE,
    ACT_KEEP,
    ACT_IGNORE,
    ACT_CONFIG,
    ACT_MACRO,
    ACT_DEBUG,
    ACT_VERBOSE,
    ACT_NAMES,
    ACT_SENDER,
    ACT_MESSAGE,
    ACT_HOST,
    ACT_MSGID,
    ACT_MSGS,
    ACT_INSIDE,
    ACT_SELECT,
    ACT_TIMED,
    ACT_QUEUE,
    ACT_ERRORS,
    ACT_CLAIM,
    ACTS,
};

/* Groups by the words of cli.def (a mode has the name of one of them). */
enum {
    G_ANY = CLI_ANY,
    G_INFO = CLI_INFO,
    G_SUBMIT = CLI_SUBMIT,
    G_QUEUE = CLI_QUEUE,
    G_DAEMON = CLI_DAEMON_GROUP,
    G_TEST = CLI_TEST,
    G_DEBUG = CLI_DEBUG,
    G_SPECIAL = CLI_SPECIAL,
    G_COMPAT = CLI_COMPAT,
    G_INTERNAL = CLI_INTERNAL,
};

static const struct cli_row rows[] = {
#define CLI(name, style, group, privilege, act, mode, doc)                                     \
    {name, CLI_##style, (enum cli_group)G_##group, CLI_##privilege, ACT_##act, CLI_##mode, doc},
#include "proc/cli.def"
#undef CLI
};
enum { ROWS = sizeof rows / sizeof *rows };

struct scan {
    struct arena *arena;
    struct cli *cli;
    char **argv;
    int argc;
    int at;           /* next word */
    const char *word; /* the option being looked at */
    const struct cli_row *row;
    bool ended;
    bool timed;       /* the last -q had a time */
    unsigned classes; /* CLASS_ bits seen, for combinations that make no sense */
};

const struct cli_row *
cli_rows(size_t *n)
{
    *n = ROWS;
    return rows;
}

/* --- errors --- */

static bool refuse(struct scan *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool
refuse(struct scan *s, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->cli->error = str_printf(s->arena, "%s%s", s->cli->program, text);
    return false;
}

static bool
refuse_unknown(struct scan *s)
{
    if (strncmp(s->word, "-oM", 3) == 0 && s->at >= s->argc)
        return refuse(s, ": data expected after %.900s", s->word);
    return refuse(s, " abandoned: unknown, malformed, or incomplete option %.900s", s->word);
}

/* An option without the word that should follow. */
static bool
refuse_incomplete(struct scan *s)
{
    static const struct {
        const char *prefix;
        const char *text;
    } texts[] = {
        {"-bfd", "string"},   {"-bfl", "string"},   {"-bfp", "string"},  {"-bfs", "string"},
        {"-bf", "file name"}, {"-bF", "file name"}, {"-z", "file name"}, {"-O", "string"},
        {"-X", "string"},     {"-oM", "data"},      {"-oP", "data"},     {"-oX", "data"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strncmp(s->word, texts[i].prefix, strlen(texts[i].prefix)) == 0)
            return refuse(s, ": %s expected after %.900s", texts[i].text, s->word);
    }
    if (strncmp(s->word, "-M", 2) == 0)
        return refuse(s, ": no message ids given after %.900s option", s->word);
    if (s->row->act == ACT_TIMED)
        return refuse(s, ": bad time value %.900s: abandoned", s->word);
    return refuse_unknown(s);
}

/* --- values --- */

bool
cli_is_message_id(struct str s)
{
    size_t second = s.n == 16 ? 6 : 11;
    if (s.n != 16 && s.n != 23)
        return false;
    for (uint32_t i = 0; i < s.n; i++) {
        bool hyphen = i == 6 || i == 7 + second;
        if (hyphen ? s.p[i] != '-' : !ascii_alnum(s.p[i]))
            return false;
    }
    return true;
}

static bool
is_address(const char *z)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, z, bytes) == 1 || inet_pton(AF_INET6, z, bytes) == 1;
}

/* A port number in decimal, or -1. */
static int
port_of(struct str s)
{
    int port = 0;
    if (s.n == 0 || s.n > 5)
        return -1;
    for (uint32_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return -1;
        port = port * 10 + (s.p[i] - '0');
    }
    return port <= 65535 ? port : -1;
}

bool
cli_split_address(struct arena *a, struct str s, struct str *address, int *port)
{
    *port = 0;
    *address = s;
    if (s.n > 2 && s.p[0] == '[') {
        size_t close = str_chr(s, ']', 0);
        if (close == STR_NPOS)
            return false;
        struct str rest = str_sub(s, close + 1, s.n);
        *address = str_sub(s, 1, close - 1);
        if (rest.n > 0)
            *port = rest.p[0] == ':' ? port_of(str_sub(rest, 1, rest.n)) : -1;
    } else {
        const char *whole = str_cstr(a, s);
        if (whole != NULL && is_address(whole))
            return true;
        size_t dot = str_rchr(s, '.');
        if (dot == STR_NPOS)
            return false;
        *address = str_sub(s, 0, dot);
        *port = port_of(str_sub(s, dot + 1, s.n));
    }
    const char *z = str_cstr(a, *address);
    return z != NULL && *port >= 0 && is_address(z);
}

/* --- what options do: each gets the value, STR_NULL when there is none --- */

static bool
act_nothing(struct scan *s, struct str v)
{
    (void)s;
    (void)v;
    return true;
}

static bool
act_end(struct scan *s, struct str v)
{
    (void)v;
    s->ended = true;
    return true;
}

static bool
act_config(struct scan *s, struct str v)
{
    s->cli->config_list = v;
    return v.n > 0 || refuse_unknown(s);
}

/* Cuts "  NAME  = text"; the name must be one that a macro may have. */
static bool
act_macro(struct scan *s, struct str v)
{
    v = str_trim_left(v);
    uint32_t n = 0;
    while (n < v.n && (ascii_alnum(v.p[n]) || v.p[n] == '_'))
        n++;
    struct str name = str_sub(v, 0, n), rest = str_trim_left(str_sub(v, n, v.n));
    if (name.n == 0 || name.p[0] < 'A' || name.p[0] > 'Z')
        return refuse(s, ": macro name set by -D must start with an upper case letter");
    if (rest.n > 0 && rest.p[0] != '=')
        return refuse_unknown(s);
    if (name.n > MACRO_NAME_LIMIT)
        return refuse(s, ": macro name too long: %.*s", STR_ARG(name));
    for (size_t i = 0; i < s->cli->macros.n; i++) {
        if (str_eq(s->cli->macros.v[i].name, name))
            return refuse(s, ": duplicated -D in command line");
    }
    if (s->cli->macros.n == MACROS_MAX)
        return refuse(s, ": too many -D options on command line");
    struct cli_macro m = {.name = name, .text = STR_EMPTY};
    if (rest.n > 0)
        m.text = str_trim_left(str_sub(rest, 1, rest.n));
    vec_push(s->arena, &s->cli->macros, m);
    return true;
}

static bool
act_debug(struct scan *s, struct str v)
{
    struct str bad;
    s->cli->debug = s->cli->verbose = true;
    s->cli->debug_selector = debug_default();
    if (v.n > 0 && v.p[0] != '+' && v.p[0] != '-' && v.p[0] != '=')
        return refuse(s,
                      ": malformed debug_selector setting: + or - expected but found \"%.*s\"",
                      STR_ARG(v));
    if (debug_select(v, &s->cli->debug_selector, &bad))
        return true;
    return refuse(s, ": unknown debug_selector setting: %.*s", STR_ARG(bad));
}

static bool
act_verbose(struct scan *s, struct str v)
{
    (void)v;
    s->cli->verbose = true;
    return true;
}

static bool
act_names(struct scan *s, struct str v)
{
    (void)v;
    s->cli->values_only = true;
    return true;
}

/* Only brackets come off here; whether it is an address is for who uses it. */
static bool
act_sender(struct scan *s, struct str v)
{
    v = str_trim(v);
    if (v.n >= 2 && v.p[0] == '<' && v.p[v.n - 1] == '>')
        v = str_sub(v, 1, v.n - 2);
    s->cli->sender = v.n > 0 ? v : str_tainted(STR_EMPTY);
    return true;
}

static bool
act_message(struct scan *s, struct str v)
{
    s->cli->message_file = v;
    return true;
}

static bool
act_host(struct scan *s, struct str v)
{
    struct str address;
    int port;
    if (cli_split_address(s->arena, v, &address, &port))
        return true;
    return refuse(s, " abandoned: \"%.*s\" is not an IP address", STR_ARG(v));
}

static bool
act_msgid(struct scan *s, struct str v)
{
    if (cli_is_message_id(v))
        return true;
    return refuse(s, ": %s must be a valid message ID", s->word);
}

/* Options whose further words are no message ids. */
static bool
has_other_words(const char *name)
{
    return strcmp(name, "-Mar") == 0 || strcmp(name, "-Mes") == 0 || strcmp(name, "-Mmd") == 0;
}

static bool
act_msgs(struct scan *s, struct str v)
{
    struct cli *c = s->cli;
    if (str_is_set(v)) { /* -Mset */
        if (cli_is_message_id(v))
            return true;
        return refuse(s, ": malformed message id %.*s after %s option", STR_ARG(v), s->word);
    }
    size_t first = strcmp(s->row->name, "-MG") == 0 ? 1 : 0;
    if (c->args.n <= first)
        return refuse(s, ": no message ids given after %s option", s->word);
    size_t end = has_other_words(s->row->name) ? 1 : c->args.n;
    for (size_t i = first; i < end; i++) {
        if (!cli_is_message_id(c->args.v[i]))
            return refuse(s, ": malformed message id %.*s after %s option",
                          STR_ARG(c->args.v[i]), s->word);
    }
    return true;
}

static bool
act_inside(struct scan *s, struct str v)
{
    (void)v;
    return refuse(s, ": option %s is for the program's own use", s->word);
}

/* What the log calls the run. */
static void
add_words(struct scan *s, const char *option, struct str v)
{
    struct cli_queue *q = &s->cli->queue;
    struct str more = str_printf(s->arena, "%s%.*s", option, STR_ARG(v));
    q->words = q->words.n == 0
                   ? more
                   : str_printf(s->arena, "%.*s %.*s", STR_ARG(q->words), STR_ARG(more));
}

/* "f", "ff", "r", "rf", "rff" may stand before the string, which may be the next word. */
static bool
take_select(struct scan *s, bool sender, struct str v)
{
    struct cli_queue *q = &s->cli->queue;
    uint32_t i = v.n > 0 && v.p[0] == 'r', f = 0;
    for (; i + f < v.n && v.p[i + f] == 'f' && f < 2;)
        f++;
    bool regex = i > 0;
    if (i + f == v.n && s->at < s->argc)
        v = str_tainted(str_from_cstr(s->argv[s->at++]));
    else if (i + f == v.n)
        return refuse(s, ": string expected after %s", s->word);
    else
        regex = (f = 0) != 0; /* all of it is the string */
    *(sender ? &q->sender : &q->recipient) = v;
    *(sender ? &q->sender_regex : &q->recipient_regex) = regex;
    *(sender ? &q->sender_force : &q->recipient_force) = f > 0;
    q->force_frozen = q->force_frozen || f > 1;
    add_words(s, sender ? "-S " : "-R ", v);
    return true;
}

static bool
act_select(struct scan *s, struct str v)
{
    return take_select(s, strchr(s->row->name, 'S') != NULL, v);
}

static bool
act_timed(struct scan *s, struct str v)
{
    int64_t seconds;
    if (v.n == 0 && s->row->style == CLI_GLUED)
        return true;
    if (num_parse_interval(v, &seconds))
        return true;
    return refuse(s, ": bad time value %.*s: abandoned", STR_ARG(v));
}

/* The letters q i f ff l in that order. Returns what follows them. */
static struct str
take_queue_flags(struct cli_queue *q, struct str v)
{
    bool twice = false;
    bool *const flags[] = {&q->two_stage, &q->only_new, &q->force, &twice, &q->local_only};
    static const char order[] = "qiffl";
    uint32_t i = 0;
    for (size_t k = 0; order[k] != '\0'; k++) {
        if (i < v.n && v.p[i] == order[k]) {
            *flags[k] = true;
            i++;
        }
    }
    q->force_frozen = q->force_frozen || twice;
    return str_sub(v, i, v.n);
}

/* G<name>[/<time>]. Returns the time. */
static struct str
take_queue_name(struct cli_queue *q, struct str v)
{
    if (v.n == 0 || v.p[0] != 'G')
        return v;
    size_t slash = str_chr(v, '/', 0);
    q->name = str_sub(v, 1, slash == STR_NPOS ? v.n : slash - 1);
    return slash == STR_NPOS ? STR_EMPTY : str_sub(v, slash + 1, v.n);
}

/* "R" or "S" behind the flags of -q: the option of that name. Its f and ff count for the whole run. */
static bool
queue_select(struct scan *s, struct str flags, struct str v)
{
    struct buf b = buf_in(s->arena, 0);
    buf_adds(&b, flags);
    for (uint32_t i = 1; i < v.n && v.p[i] == 'f'; i++)
        buf_addc(&b, 'f');
    if (b.n > 0)
        add_words(s, "-q", buf_str(&b));
    return take_select(s, v.p[0] == 'S', str_sub(v, 1, v.n));
}

/* A periodic run has its queue and flags for itself. */
static void
add_runner(struct scan *s, uint32_t flags_n)
{
    struct cli_queue *q = &s->cli->queue;
    const struct cli_runner one = {
        .every_s = q->every_s,
        .name = q->name,
        .two_stage = q->two_stage,
        .only_new = q->only_new,
        .force = q->force,
        .force_frozen = q->force_frozen,
        .local_only = q->local_only,
        .word = str_from_cstr(s->word),
        .words = flags_n > 0 ? str_sub(str_from_cstr(s->word), 0, flags_n + 2) : STR_EMPTY,
    };
    vec_push(s->arena, &s->cli->runners, one);
    *q = (struct cli_queue){.words = STR_EMPTY, .every_s = q->every_s};
}

/* The flags q i f ff l, G<name>[/<time>], then a time or nothing; up to two message ids may follow. */
static bool
act_queue(struct scan *s, struct str v)
{
    struct cli_queue *q = &s->cli->queue;
    if (s->cli->runners.n > 0) { /* flags are those of each -q */
        q->two_stage = q->only_new = q->force = q->force_frozen = q->local_only = false;
        q->name = STR_NULL;
    }
    struct str rest = take_queue_flags(q, v);
    uint32_t flags_n = v.n - rest.n;
    if (rest.n > 0 && (rest.p[0] == 'R' || rest.p[0] == 'S'))
        return queue_select(s, str_sub(v, 0, flags_n), rest);
    struct str time = take_queue_name(q, rest);
    if (flags_n > 0)
        add_words(s, "-q", str_sub(v, 0, flags_n));
    s->timed = time.n > 0;
    if (time.n == 0) {
        struct str *const ids[] = {&q->from, &q->to};
        for (size_t i = 0; s->at < s->argc && cli_is_message_id(str_from_cstr(s->argv[s->at]));
             s->at++, i++)
            if (i < 2)
                *ids[i] = str_from_cstr(s->argv[s->at]);
        return true;
    }
    if (!num_parse_interval(time, &q->every_s))
        return refuse(s, ": bad time value %.900s: abandoned", s->word);
    s->cli->mode = CLI_DAEMON;
    add_runner(s, flags_n);
    return true;
}

static bool
act_errors(struct scan *s, struct str v)
{
    if (v.n == 1 && strchr("empqw", v.p[0]) != NULL)
        return true;
    return refuse_unknown(s);
}

static bool
act_claim(struct scan *s, struct str v)
{
    return v.n > 0 || refuse_unknown(s);
}

typedef bool act_fn(struct scan *s, struct str v);
static act_fn *const acts[ACTS] = {
    [ACT_NOTHING] = act_nothing, [ACT_END] = act_end,        [ACT_MODE] = act_nothing,
    [ACT_KEEP] = act_nothing,    [ACT_IGNORE] = act_nothing, [ACT_CONFIG] = act_config,
    [ACT_MACRO] = act_macro,     [ACT_DEBUG] = act_debug,    [ACT_VERBOSE] = act_verbose,
    [ACT_NAMES] = act_names,     [ACT_SENDER] = act_sender,  [ACT_MESSAGE] = act_message,
    [ACT_HOST] = act_host,       [ACT_MSGID] = act_msgid,    [ACT_MSGS] = act_msgs,
    [ACT_INSIDE] = act_inside,   [ACT_SELECT] = act_select,  [ACT_TIMED] = act_timed,
    [ACT_QUEUE] = act_queue,     [ACT_ERRORS] = act_errors,  [ACT_CLAIM] = act_claim,
};

/* --- combinations --- */

enum {
    CLASS_DAEMON = 1u << 0,
    CLASS_PERIODIC = 1u << 1, /* -q with a time */
    CLASS_WAIT = 1u << 2,
    CLASS_QUEUE = 1u << 3,
    CLASS_LIST = 1u << 4,
    CLASS_EXPAND = 1u << 5,
    CLASS_ROUTE = 1u << 6,
    CLASS_VERIFY = 1u << 7,
    CLASS_FILTER = 1u << 8,
    CLASS_ALIASES = 1u << 9,
    CLASS_SMTP = 1u << 10,
    CLASS_BATCH = 1u << 11,
    CLASS_EXTRACT = 1u << 12, /* -t */
    CLASS_SHOW = 1u << 13,
    CLASS_FAKE = 1u << 14,
    CLASS_MESSAGE = 1u << 15,
    CLASS_TEST_RULES = 1u << 16,
    CLASS_DAEMONS = CLASS_DAEMON | CLASS_PERIODIC | CLASS_WAIT,
    CLASS_INPUT = CLASS_SMTP | CLASS_BATCH | CLASS_EXTRACT,
};

/* What does not go together with what; read off the reference's answers to every pair. */
static const struct {
    unsigned one;
    unsigned others;
} conflicts[] = {
    {CLASS_DAEMONS, CLASS_LIST | CLASS_EXPAND | CLASS_ROUTE | CLASS_VERIFY | CLASS_FILTER |
                        CLASS_ALIASES | CLASS_INPUT | CLASS_SHOW | CLASS_FAKE | CLASS_MESSAGE |
                        CLASS_TEST_RULES},
    {CLASS_WAIT, CLASS_PERIODIC | CLASS_QUEUE},
    {CLASS_DAEMON, CLASS_QUEUE},
    {CLASS_QUEUE, CLASS_INPUT},
    {CLASS_ROUTE, CLASS_VERIFY},
    {CLASS_ROUTE | CLASS_VERIFY,
     CLASS_FILTER | CLASS_ALIASES | CLASS_INPUT | CLASS_SHOW | CLASS_MESSAGE},
    {CLASS_FILTER | CLASS_ALIASES, CLASS_INPUT | CLASS_SHOW | CLASS_MESSAGE},
    {CLASS_SMTP | CLASS_BATCH, CLASS_EXTRACT},
    {CLASS_INPUT, CLASS_SHOW | CLASS_MESSAGE | CLASS_TEST_RULES},
    {CLASS_SHOW, CLASS_EXPAND | CLASS_FAKE | CLASS_MESSAGE | CLASS_TEST_RULES},
    {CLASS_MESSAGE, CLASS_EXPAND | CLASS_FAKE},
};

static unsigned
class_of(const struct cli_row *row)
{
    static const unsigned by_mode[CLI_NO_CHANGE + 1] = {
        [CLI_DAEMON] = CLASS_DAEMON,    [CLI_WAIT_DAEMON] = CLASS_WAIT,
        [CLI_QUEUE_RUN] = CLASS_QUEUE,  [CLI_QUEUE_LIST] = CLASS_LIST,
        [CLI_EXPAND] = CLASS_EXPAND,    [CLI_ROUTE] = CLASS_ROUTE,
        [CLI_VERIFY] = CLASS_VERIFY,    [CLI_FILTER] = CLASS_FILTER,
        [CLI_ALIASES] = CLASS_ALIASES,  [CLI_SMTP] = CLASS_SMTP,
        [CLI_BATCH_SMTP] = CLASS_BATCH, [CLI_SHOW] = CLASS_SHOW,
        [CLI_FAKE_SMTP] = CLASS_FAKE,   [CLI_MESSAGE] = CLASS_MESSAGE,
        [CLI_RETRY] = CLASS_TEST_RULES, [CLI_REWRITE] = CLASS_TEST_RULES,
    };
    if (strcmp(row->name, "-t") == 0 || strcmp(row->name, "-ti") == 0)
        return CLASS_EXTRACT;
    return by_mode[row->mode];
}

static bool
check_combination(struct scan *s)
{
    if (s->cli->mode == CLI_VERSION || s->cli->mode >= CLI_HELP)
        return true;
    bool bad = (s->classes & CLASS_ALIASES) != 0 && s->cli->args.n > 0;
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++) {
        if ((s->classes & conflicts[i].one) != 0 && (s->classes & conflicts[i].others) != 0)
            bad = true;
    }
    return !bad || refuse(s, ": incompatible command-line options or arguments");
}

/* --- scanning --- */

/* True if the word can be this option; *glued is what stands behind the name. */
static bool
row_fits(const struct cli_row *row, const char *word, size_t n, const char **glued)
{
    if (strncmp(word, row->name, n) != 0)
        return false;
    *glued = word + n;
    switch (row->style) {
    case CLI_NONE:
    case CLI_NEXT:
    case CLI_REST:
        return **glued == '\0';
    case CLI_FULL:
        return **glued != '\0';
    case CLI_GLUED:
    case CLI_EITHER:
        return true;
    case CLI_DOC:
        break;
    }
    return false;
}

static const struct cli_row *
find_row(const char *word, const char **glued)
{
    const struct cli_row *best = NULL;
    size_t best_n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].name[1] != word[1])
            continue;
        size_t n = strlen(rows[i].name);
        const char *rest;
        if (n > best_n && row_fits(&rows[i], word, n, &rest)) {
            best = &rows[i];
            best_n = n;
            *glued = rest;
        }
    }
    return best;
}

static void
take_rest(struct scan *s)
{
    for (; s->at < s->argc; s->at++)
        vec_push(s->arena, &s->cli->args, str_tainted(str_from_cstr(s->argv[s->at])));
    s->ended = true;
}

/* The mode that an option asks for. A test mode is kept when input is described beside it (-bs -be), and the
 * version, once asked for, is only added to by -bP. */
static void
take_mode(struct scan *s, enum cli_mode mode)
{
    static const unsigned char strength[CLI_MODES] = {
        [CLI_SMTP] = 1,      [CLI_BATCH_SMTP] = 1,   [CLI_QUEUE_RUN] = 2,
        [CLI_DAEMON] = 3,    [CLI_WAIT_DAEMON] = 3,  [CLI_QUEUE_LIST] = 4,
        [CLI_MESSAGE] = 4,   [CLI_ALIASES] = 4,      [CLI_ATRN] = 4,
        [CLI_LOG_TEXT] = 4,  [CLI_MALWARE] = 4,      [CLI_EXPAND] = 5,
        [CLI_FAKE_SMTP] = 6, [CLI_ROUTE] = 6,        [CLI_VERIFY] = 6,
        [CLI_FILTER] = 5,    [CLI_LISTING] = 7,      [CLI_RETRY] = 7,
        [CLI_REWRITE] = 7,   [CLI_SHOW] = 7,         [CLI_VERSION] = 8,
        [CLI_HELP] = 9,      [CLI_INFO_HELP] = 9,    [CLI_INFO_OTHER] = 9,
        [CLI_INFO_DSCP] = 9, [CLI_INFO_MODULES] = 9, [CLI_INFO_SIEVE] = 9,
    };
    if (mode < CLI_MODES && strength[mode] >= strength[s->cli->mode])
        s->cli->mode = mode;
}

/* The value that the style of the row asks for. */
static bool
take_value(struct scan *s, const char *glued, struct str *value)
{
    *value = STR_NULL;
    switch (s->row->style) {
    case CLI_NONE:
    case CLI_DOC:
        return true;
    case CLI_REST:
        take_rest(s);
        return true;
    case CLI_EITHER:
    case CLI_NEXT:
        if (*glued == '\0') {
            if (s->at >= s->argc)
                return refuse_incomplete(s);
            glued = s->argv[s->at++];
        }
        break;
    case CLI_GLUED:
    case CLI_FULL:
        break;
    }
    *value = str_tainted(str_from_cstr(glued));
    return true;
}

/* Options that may be given once, since a second one would silently win. */
static bool
check_repeated(struct scan *s)
{
    bool protocol = strcmp(s->row->name, "-oMr") == 0 || strcmp(s->row->name, "-p") == 0;
    if (!protocol || (!cli_has(s->cli, "-oMr") && !cli_has(s->cli, "-p")))
        return true;
    s->cli->error = STR_LIT("received_protocol is set already");
    return false;
}

static bool
take_option(struct scan *s, const char *word)
{
    const char *glued = "";
    struct str value;
    s->word = word;
    s->row = find_row(word, &glued);
    if (s->row == NULL)
        return refuse_unknown(s);
    if (!take_value(s, glued, &value) || !check_repeated(s))
        return false;
    take_mode(s, s->row->mode);
    if (!acts[s->row->act](s, value))
        return false;
    s->classes |= s->row->act == ACT_QUEUE && s->timed ? CLASS_PERIODIC : class_of(s->row);
    struct cli_setting one = {.row = s->row, .value = value};
    vec_push(s->arena, &s->cli->settings, one);
    return true;
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Options that a name stands for. */
static bool
take_name(struct scan *s, const char *name)
{
    static const struct {
        const char *name;
        const char *options[3];
    } names[] = {
        {"mailq", {"-bp"}}, {"rsmtp", {"-bS"}},      {"rmail", {"-i", "-oee"}},
        {"runq", {"-q"}},   {"newaliases", {"-bi"}},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) != 0)
            continue;
        for (int k = 0; names[i].options[k] != NULL; k++) {
            if (!take_option(s, names[i].options[k]))
                return false;
        }
    }
    return true;
}

bool
cli_parse(struct arena *a, int argc, char **argv, struct cli *cli)
{
    *cli = (struct cli){.mode = CLI_RECEIVE, .config_list = STR_NULL};
    const char *name = argc > 0 ? base_name(argv[0]) : "remex";
    cli->called_as_exim = strncmp(name, "remex", 5) != 0;
    cli->program = cli->called_as_exim ? "exim" : "remex";
    struct scan s = {.arena = a, .cli = cli, .argv = argv, .argc = argc, .at = 1};
    if (!take_name(&s, name))
        return false;
    while (s.at < argc && !s.ended) {
        const char *word = argv[s.at];
        if (word[0] != '-' || word[1] == '\0')
            break;
        s.at++;
        if (!take_option(&s, word))
            return false;
    }
    take_rest(&s);
    return check_combination(&s);
}

struct str
cli_value(const struct cli *cli, const char *name)
{
    for (size_t i = cli->settings.n; i > 0; i--) {
        if (strcmp(cli->settings.v[i - 1].row->name, name) == 0)
            return cli->settings.v[i - 1].value;
    }
    return STR_NULL;
}

bool
cli_has(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->settings.n; i++) {
        if (strcmp(cli->settings.v[i].row->name, name) == 0)
            return true;
    }
    return false;
}

/* --- help --- */

void
cli_print_help(const struct cli *cli)
{
    static const struct {
        enum cli_group group;
        const char *title;
    } groups[] = {
        {CLI_INFO, "To see what there is"},
        {CLI_TEST, "To try something out"},
        {CLI_SUBMIT, "To send a message"},
        {CLI_QUEUE, "For the queue"},
        {CLI_DAEMON_GROUP, "For the daemon"},
        {CLI_ANY, "With anything"},
        {CLI_DEBUG, "To look closely"},
        {CLI_SPECIAL, "For special purposes"},
        {CLI_COMPAT, "Accepted for the sake of other programs"},
    };
    printf("usage: %s [options] [arguments]\n", cli->program);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        printf("\n%s:\n", groups[g].title);
        for (size_t i = 0; i < ROWS; i++) {
            if (rows[i].group == groups[g].group)
                printf("  %-16s %s\n", rows[i].name, rows[i].doc);
        }
    }
}
