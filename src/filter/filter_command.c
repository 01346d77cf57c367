/* The front end for Exim filter files: commands.
 *
 * Each command pushes its arguments and then the instruction that adds the action to the list. Where a word may or may not
 * belong to a command, it is read and given back; the line that it moved to stays counted, as in Exim's messages.
 */
#include "filter/filter_parse.h"

enum { PREFIX_OK = 1 };

struct command {
    char word[12]; /* zeros behind it */
    enum filter_action_id id;
    bool (*parse)(struct filter_parse *f, const struct command *c, unsigned flags);
    unsigned flags;
};

/* --- shared parts --- */

static bool
need_argument(struct filter_parse *f, const struct filter_word *w)
{
    return w->text.n > 0 ||
           filter_parse_error(f, w->from,
                              "\"%.*s\" requires an argument near line %u of filter file",
                              STR_ARG(f->command), filter_line(f));
}

static bool
take_argument(struct filter_parse *f, struct filter_word *out)
{
    return filter_parse_item(f, false, out) && need_argument(f, out);
}

static bool
disabled(struct filter_parse *f)
{
    return filter_parse_error(
        f, f->command_at, "filtering command \"%.*s\" is disabled: near line %u of filter file",
        STR_ARG(f->command), filter_line(f));
}

/* The mode behind a file name: octal digits. */
static void
emit_mode(struct filter_parse *f)
{
    struct filter_words *w = &f->words;
    const char *from = w->at, *to = w->at;
    while (*to >= '0' && *to <= '7')
        to++;
    struct filter_word mode = {
        .text = str_from(from, (size_t)(to - from)), .from = from, .to = to, .special = 0};
    filter_emit_string(f, &mode);
    while (w->at < w->end && !ascii_space(*w->at))
        w->at++;
    filter_words_skip(w);
}

/* --- deliver, save, pipe --- */

static bool
parse_deliver(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word address, w;
    if (!take_argument(f, &address))
        return false;
    const char *before = f->words.at;
    if (!filter_parse_word(f, true, &w))
        return false;
    if (!FILTER_WORD_IS(w.text, "errors_to")) {
        filter_words_back(&f->words, before);
        filter_emit_action_of(f, c->id, flags, &address);
        return true;
    }
    if (!filter_parse_word(f, true, &w))
        return false;
    filter_emit_string(f, &address);
    filter_emit_string(f, &w);
    filter_emit_action(f, c->id, flags);
    return true;
}

/* save, logfile */
static bool
parse_file_command(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word name;
    if (!take_argument(f, &name))
        return false;
    if (!ascii_digit(filter_words_peek(&f->words))) {
        filter_emit_action_of(f, c->id, flags, &name);
        return true;
    }
    filter_emit_string(f, &name);
    emit_mode(f);
    filter_emit_action(f, c->id, flags);
    return true;
}

/* The command is expanded part by part when it is run. */
static bool
parse_pipe(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word command;
    if (!take_argument(f, &command))
        return false;
    filter_at(f, command.from);
    emit_const(&f->expand.emit, OP_CONST, command.text);
    filter_emit_action(f, c->id, flags);
    return true;
}

/* --- mail, vacation --- */

static const struct str mail_words[FILTER_MAIL_ARGUMENTS] = {
    [FILTER_MAIL_TO] = STR_INIT("to"),
    [FILTER_MAIL_CC] = STR_INIT("cc"),
    [FILTER_MAIL_BCC] = STR_INIT("bcc"),
    [FILTER_MAIL_FROM] = STR_INIT("from"),
    [FILTER_MAIL_REPLY_TO] = STR_INIT("reply_to"),
    [FILTER_MAIL_SUBJECT] = STR_INIT("subject"),
    [FILTER_MAIL_EXTRA_HEADERS] = STR_INIT("extra_headers"),
    [FILTER_MAIL_TEXT] = STR_INIT("text"),
    [FILTER_MAIL_FILE] = STR_INIT("file"),
    [FILTER_MAIL_LOG] = STR_INIT("log"),
    [FILTER_MAIL_ONCE] = STR_INIT("once"),
    [FILTER_MAIL_ONCE_REPEAT] = STR_INIT("once_repeat"),
};

static const struct str vacation_defaults[FILTER_MAIL_ARGUMENTS] = {
    [FILTER_MAIL_SUBJECT] = STR_INIT("On vacation"),
    [FILTER_MAIL_FILE] = STR_INIT(".vacation.msg"),
    [FILTER_MAIL_LOG] = STR_INIT(".vacation.log"),
    [FILTER_MAIL_ONCE] = STR_INIT(".vacation"),
    [FILTER_MAIL_ONCE_REPEAT] = STR_INIT("7d"),
};

struct mail {
    struct filter_word given[FILTER_MAIL_ARGUMENTS]; /* text.p == NULL: not */
    unsigned flags;
};

/* "return message", "expand file" */
static bool
take_pair(struct filter_parse *f, const char *first, const char *second)
{
    struct filter_word w;
    if (!filter_parse_word(f, true, &w))
        return false;
    return str_eqz(w.text, second) ||
           filter_parse_error(f, w.from,
                              "\"%s\" not followed by \"%s\"  near line %u of filter file",
                              first, second, filter_line(f));
}

static int
find_mail_word(struct str word)
{
    for (int i = 0; i < FILTER_MAIL_ARGUMENTS; i++) {
        if (str_eq(word, mail_words[i]))
            return i;
    }
    return -1;
}

static bool
take_mail_argument(struct filter_parse *f, struct mail *m, struct str word, bool *known)
{
    *known = true;
    if (FILTER_WORD_IS(word, "return")) {
        m->flags |= FILTER_RETURN_MESSAGE;
        return take_pair(f, "return", "message");
    }
    int i = FILTER_MAIL_FILE;
    if (FILTER_WORD_IS(word, "expand")) {
        m->flags |= FILTER_EXPAND_FILE;
        if (!take_pair(f, "expand", "file"))
            return false;
    } else {
        i = find_mail_word(word);
    }
    *known = i >= 0;
    return i < 0 || filter_parse_item(f, false, &m->given[i]);
}

static void
emit_mail(struct filter_parse *f, const struct mail *m, bool vacation)
{
    for (size_t i = 0; i < FILTER_MAIL_ARGUMENTS; i++) {
        if (str_is_set(m->given[i].text))
            filter_emit_string(f, &m->given[i]);
        else if (vacation && str_is_set(vacation_defaults[i]))
            emit_const(&f->expand.emit, OP_CONST, vacation_defaults[i]);
        else
            filter_emit_unset(f);
    }
}

static bool
parse_mail(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct mail *m = ARENA_NEW(f->work, struct mail);
    bool vacation = c->id == FILTER_VACATION;
    bool known;
    do {
        struct filter_word w;
        const char *before = f->words.at;
        if (!filter_parse_word(f, true, &w) || !take_mail_argument(f, m, w.text, &known))
            return false;
        if (!known)
            filter_words_back(&f->words, before);
    } while (known);
    if (vacation && !str_is_set(m->given[FILTER_MAIL_FILE].text))
        m->flags |= FILTER_EXPAND_FILE;
    emit_mail(f, m, vacation);
    filter_emit_action(f, c->id, flags | m->flags);
    return true;
}

/* --- commands with a text --- */

static bool
parse_text_command(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word text;
    if (!take_argument(f, &text))
        return false;
    if (c->id == FILTER_LOGWRITE)
        f->rules.fits = false;
    if (c->id == FILTER_LOGWRITE && text.text.p[text.text.n - 1] != '\n')
        text.text = str_cat(f->expand.emit.arena, text.text, STR_LIT("\n"));
    filter_emit_action_of(f, c->id, flags, &text);
    return true;
}

/* What ends the filter: nothing behind it in the same branch runs. */
static bool
parse_finish(struct filter_parse *f, const struct command *c, unsigned flags)
{
    bool plain = flags == 0 && (f->flags & FILTER_TRACE_CONDITIONS) == 0;
    if (plain) {
        filter_at(f, f->command_at);
        emit_op(&f->expand.emit, OP_FINISH);
        return true;
    }
    filter_emit_action(f, c->id, flags);
    emit_op(&f->expand.emit, OP_ANSWER);
    return true;
}

static bool
is_allowed(const struct filter_parse *f, enum filter_action_id id)
{
    unsigned wanted = id == FILTER_DEFER  ? FILTER_ALLOW_DEFER
                      : id == FILTER_FAIL ? FILTER_ALLOW_FAIL
                                          : FILTER_ALLOW_FREEZE;
    return (f->flags & (FILTER_SYSTEM | wanted)) != 0;
}

/* freeze does nothing to a message that an admin user let go on. */
static void
emit_ending(struct filter_parse *f, enum filter_action_id id, unsigned flags,
            const struct filter_word *text)
{
    struct emit *e = &f->expand.emit;
    filter_jumps on = 0;
    if (id == FILTER_FREEZE) {
        emit_ab(e, OP_ASK, FILTER_ASK_MANUALLY_THAWED, 0);
        filter_jumps_emit(f, &on, OP_JUMPT);
    }
    filter_emit_action_of(f, id, flags, text);
    emit_op(e, OP_ANSWER);
    filter_jumps_place(f, on);
}

/* fail, freeze, defer: [text] "string" */
static bool
parse_ending(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word w = {.text = STR_EMPTY, .from = f->words.at, .to = f->words.at};
    if (!is_allowed(f, c->id))
        return disabled(f);
    bool text = filter_words_peek(&f->words) == '"';
    if (!text) {
        const char *before = f->words.at;
        if (!filter_parse_word(f, true, &w))
            return false;
        text = FILTER_WORD_IS(w.text, "text");
        if (!text)
            filter_words_back(&f->words, before);
        w.text = STR_EMPTY;
    }
    if (text && !filter_parse_item(f, false, &w))
        return false;
    emit_ending(f, c->id, flags, &w);
    return true;
}

/* --- add, headers --- */

static bool
parse_add(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word number, to, counter;
    if (!take_argument(f, &number) || !filter_parse_word(f, true, &to))
        return false;
    if (!FILTER_WORD_IS(to.text, "to"))
        return filter_parse_error(
            f, to.from, "\"to\" expected in \"add\" command near line %u of filter file",
            filter_line(f));
    if (!filter_parse_item(f, false, &counter))
        return false;
    if (counter.text.n == 0)
        return filter_parse_error(f, counter.from,
                                  "value missing after \"to\" near line %u of filter file",
                                  filter_line(f));
    filter_emit_string(f, &number);
    filter_emit_string(f, &counter);
    filter_emit_action(f, c->id, flags);
    return true;
}

static bool
find_headers_action(struct filter_parse *f, const struct filter_word *w,
                    enum filter_action_id *id)
{
    bool charset = FILTER_WORD_IS(w->text, "charset");
    if (!charset && (f->flags & FILTER_SYSTEM) == 0)
        return filter_parse_error(f, w->from,
                                  "header addition and removal is available only in system "
                                  "filters: near line %u of filter file",
                                  filter_line(f));
    *id = charset                             ? FILTER_HEADERS_CHARSET
          : FILTER_WORD_IS(w->text, "add")    ? FILTER_HEADERS_ADD
          : FILTER_WORD_IS(w->text, "remove") ? FILTER_HEADERS_REMOVE
                                              : FILTER_ACTIONS;
    return *id != FILTER_ACTIONS ||
           filter_parse_error(
               f, w->from,
               "\"add\", \"remove\", or \"charset\" expected after \"headers\" near "
               "line %u of filter file",
               filter_line(f));
}

static bool
parse_headers(struct filter_parse *f, const struct command *c, unsigned flags)
{
    struct filter_word w, value;
    enum filter_action_id id = FILTER_ACTIONS;
    (void)c;
    if (!filter_parse_word(f, true, &w) || !need_argument(f, &w) ||
        !find_headers_action(f, &w, &id) || !filter_parse_item(f, false, &value))
        return false;
    if (value.text.n == 0)
        return filter_parse_error(
            f, value.from,
            "value missing after \"add\", \"remove\", or \"charset\" near "
            "line %u of filter file",
            filter_line(f));
    filter_emit_action_of(f, id, flags, &value);
    return true;
}

/* --- if --- */

static bool parse_if(struct filter_parse *f, const struct command *c, unsigned flags);

/* The commands behind "else", up to "endif". */
static bool
parse_else(struct filter_parse *f)
{
    enum filter_end end;
    if (!filter_parse_commands(f, &end))
        return false;
    if (end == FILTER_END_FILE)
        return filter_parse_error(f, f->words.at, "\"endif\" missing at end of filter file");
    return end == FILTER_END_ENDIF ||
           filter_parse_error(f, f->words.at, "\"endif\" missing near line %u of filter file",
                              filter_line(f));
}

/* What follows the commands behind "then"; an elif is an if command in the else part, which takes the endif. */
static bool
parse_rest_of_if(struct filter_parse *f, enum filter_end end)
{
    if (end == FILTER_END_FILE)
        return filter_parse_error(f, f->words.at, "\"endif\" missing at end of filter file");
    if (end == FILTER_END_ENDIF)
        return true;
    return end == FILTER_END_ELIF ? parse_if(f, NULL, 0) : parse_else(f);
}

/* Gives $thisaddress back the value that lies on the stack. */
static void
restore_this_address(struct filter_parse *f, bool loops)
{
    if (loops)
        filter_emit_action(f, FILTER_THISADDRESS, 0);
}

static bool
parse_if_branches(struct filter_parse *f)
{
    filter_jumps no = 0, out = 0;
    enum filter_end end;
    bool loops;
    if (!filter_parse_condition(f, &no, &loops))
        return false;
    f->depth++;
    if (!filter_parse_commands(f, &end))
        return false;
    if (end == FILTER_END_ELIF || end == FILTER_END_ELSE)
        filter_jumps_emit(f, &out, OP_JUMP);
    filter_jumps_place(f, no);
    if (!parse_rest_of_if(f, end))
        return false;
    f->depth--;
    filter_jumps_place(f, out);
    restore_this_address(f, loops);
    return true;
}

/* c: NULL for an elif, which is part of the command that it belongs to. */
static bool
parse_if(struct filter_parse *f, const struct command *c, unsigned flags)
{
    (void)flags;
    if (f->depth >= FILTER_NEST_MAX)
        return filter_parse_error(f, f->words.at,
                                  "\"if\" is nested too deeply near line %u of filter file",
                                  filter_line(f));
    if (c != NULL)
        filter_repeat_start(f, f->command_at);
    if (!parse_if_branches(f))
        return false;
    if (c != NULL && filter_repeat_end(f, f->endif_to))
        emit_op(&f->expand.emit, OP_RULEEND);
    return true;
}

/* --- the table --- */

/* clang-format off */
static const struct command commands[] = {
    {"add",       FILTER_ADD,         parse_add,          0},
    {"defer",     FILTER_DEFER,       parse_ending,       PREFIX_OK},
    {"deliver",   FILTER_DELIVER,     parse_deliver,      PREFIX_OK},
    {"fail",      FILTER_FAIL,        parse_ending,       PREFIX_OK},
    {"finish",    FILTER_FINISH,      parse_finish,       PREFIX_OK},
    {"freeze",    FILTER_FREEZE,      parse_ending,       PREFIX_OK},
    {"headers",   FILTER_HEADERS_ADD, parse_headers,      0},
    {"if",        FILTER_ACTIONS,     parse_if,           0},
    {"logfile",   FILTER_LOGFILE,     parse_file_command, PREFIX_OK},
    {"logwrite",  FILTER_LOGWRITE,    parse_text_command, PREFIX_OK},
    {"mail",      FILTER_MAIL,        parse_mail,         PREFIX_OK},
    {"pipe",      FILTER_PIPE,        parse_pipe,         PREFIX_OK},
    {"save",      FILTER_SAVE,        parse_file_command, PREFIX_OK},
    {"testprint", FILTER_TESTPRINT,   parse_text_command, PREFIX_OK},
    {"vacation",  FILTER_VACATION,    parse_mail,         PREFIX_OK},
};
/* clang-format on */

enum { COMMANDS = sizeof commands / sizeof *commands };

/* By first letter: the row behind the last one that may be meant; the rows are sorted. */
static const unsigned char last_command[256] = {
    ['a'] = 1,  ['d'] = 3,  ['f'] = 6,  ['h'] = 7,  ['i'] = 8,        ['l'] = 10,
    ['m'] = 11, ['p'] = 12, ['s'] = 13, ['t'] = 14, ['v'] = COMMANDS,
};

static inline const struct command *
find_command_key(filter_key key)
{
    for (size_t i = last_command[key & 0xff]; i > 0; i--) {
        filter_key row = filter_key_load(commands[i - 1].word);
        if (row == key)
            return &commands[i - 1];
        if ((row & 0xff) != (key & 0xff))
            break;
    }
    return NULL;
}

static const struct command *
find_command(struct str word)
{
    char first = word.n > 0 ? word.p[0] : '\0';
    for (size_t i = last_command[(unsigned char)first]; i > 0; i--) {
        if (str_eqz(word, commands[i - 1].word))
            return &commands[i - 1];
        if (commands[i - 1].word[0] != first)
            break;
    }
    return NULL;
}

/* Adds the prefix that the word is, if it is one. */
static bool
take_prefix(struct filter_parse *f, const struct filter_word *w, unsigned *flags, bool *is)
{
    bool seen = FILTER_WORD_IS(w->text, "seen");
    *is = seen || FILTER_WORD_IS(w->text, "unseen") || FILTER_WORD_IS(w->text, "noerror");
    if (!*is)
        return true;
    if (FILTER_WORD_IS(w->text, "noerror")) {
        *flags |= FILTER_NOERROR;
        return true;
    }
    if ((*flags & (FILTER_SEEN | FILTER_UNSEEN)) != 0)
        return filter_parse_error(f, w->from, "\"seen\" or \"unseen\" repeated near line %u",
                                  filter_line(f));
    *flags |= seen ? FILTER_SEEN : FILTER_UNSEEN;
    return true;
}

static bool
end_word(struct str word, enum filter_end *end)
{
    if (word.n == 0 || word.p[0] != 'e')
        return false;
    *end = FILTER_WORD_IS(word, "elif")    ? FILTER_END_ELIF
           : FILTER_WORD_IS(word, "else")  ? FILTER_END_ELSE
           : FILTER_WORD_IS(word, "endif") ? FILTER_END_ENDIF
                                           : FILTER_END_FILE;
    return *end != FILTER_END_FILE;
}

static bool
parse_end_word(struct filter_parse *f, const struct filter_word *w, unsigned flags)
{
    if (flags != 0)
        return filter_parse_error(
            f, w->from,
            "\"seen\", \"unseen\", or \"noerror\" near line %u is not followed by a command",
            filter_line(f));
    return f->depth > 0 ||
           filter_parse_error(f, w->from,
                              "unexpected \"%.*s\" command near line %u of filter file",
                              STR_ARG(w->text), filter_line(f));
}

static bool
parse_command(struct filter_parse *f, const struct command *c, const struct filter_word *w,
              unsigned flags)
{
    f->command = w->text;
    f->command_at = w->from;
    if (c == NULL)
        return filter_parse_error(
            f, w->from, "unknown filtering command \"%.*s\" near line %u of filter file",
            STR_ARG(w->text), filter_line(f));
    if (flags != 0 && (c->flags & PREFIX_OK) == 0)
        return filter_parse_error(f, w->from,
                                  "\"seen\", \"unseen\", or \"noerror\" found before an "
                                  "\"%.*s\" command near line %u",
                                  STR_ARG(w->text), filter_line(f));
    return c->parse(f, c, flags);
}

/* The end of the file behind a prefix. */
static bool
parse_end_of_file(struct filter_parse *f, unsigned flags)
{
    if (flags == 0)
        return true;
    bool seen = (flags & (FILTER_SEEN | FILTER_UNSEEN)) != 0;
    return filter_parse_error(f, f->words.at, "%s near line %u is not followed by a command",
                              seen ? "\"seen\" or \"unseen\"" : "\"noerror\"", filter_line(f));
}

enum next { NEXT_COMMAND, NEXT_NOTHING, NEXT_ERROR };

static inline enum next
next_if(bool good)
{
    return good ? NEXT_COMMAND : NEXT_ERROR;
}

/* What is not simply a command: end words, prefixes, long words, the end of the file. */
static enum next
parse_other(struct filter_parse *f, unsigned *flags, enum filter_end *end)
{
    struct filter_word w;
    bool prefix;
    *end = FILTER_END_FILE;
    if (!filter_parse_word(f, true, &w))
        return NEXT_ERROR;
    if (w.text.n == 0 && w.to == f->words.end)
        return parse_end_of_file(f, *flags) ? NEXT_NOTHING : NEXT_ERROR;
    const struct command *c = find_command(w.text);
    if (c == NULL) {
        f->endif_to = w.to;
        if (end_word(w.text, end))
            return parse_end_word(f, &w, *flags) ? NEXT_NOTHING : NEXT_ERROR;
        if (!take_prefix(f, &w, flags, &prefix))
            return NEXT_ERROR;
        if (prefix)
            return NEXT_COMMAND;
    }
    unsigned given = *flags;
    *flags = 0;
    return next_if(parse_command(f, c, &w, given));
}

/* A command without a prefix, of few letters, as most are. */
static enum next
parse_plain_command(struct filter_parse *f, const struct command *c, filter_key key)
{
    f->command_at = f->words.at;
    f->command = str_from(f->command_at, filter_words_take_key(&f->words, key));
    return next_if(c->parse(f, c, 0));
}

bool
filter_parse_commands(struct filter_parse *f, enum filter_end *end)
{
    unsigned flags = 0;
    enum next next = NEXT_COMMAND;
    while (next == NEXT_COMMAND) {
        if (*f->words.at == 'i' && flags == 0 && f->repeats && filter_repeat(f))
            continue;
        filter_key key = flags == 0 ? filter_words_key(&f->words) : 0;
        const struct command *c = find_command_key(key);
        if (c != NULL) {
            next = parse_plain_command(f, c, key);
        } else if (key == FILTER_KEY("endif") && f->depth > 0) {
            f->endif_to = f->words.at + sizeof "endif" - 1;
            (void)filter_words_take_key(&f->words, key);
            *end = FILTER_END_ENDIF;
            return true;
        } else {
            next = parse_other(f, &flags, end);
        }
    }
    return next == NEXT_NOTHING;
}
