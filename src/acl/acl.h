/* Access control lists as they were read: what an ACL says, not what it does.
 *
 * The section parser of the configuration and the parser of ACLs that stand in an option or a
 * file make the same model. Words come from row files (acl_verbs, acl_conds, acl_mods,
 * acl_controls, acl_phases .def). A model lives in the arena it was parsed into and never
 * changes.
 */
#ifndef REMEX_ACL_ACL_H
#define REMEX_ACL_ACL_H

#include "base/diag.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "filter/expand.h"

enum { ACL_NAME_MAX = 63 };

enum acl_phase {
#define PHASE(NAME, name, option, unset, tier) ACL_PHASE_##NAME,
#include "acl/acl_phases.def"
#undef PHASE
    ACL_PHASE_UNKNOWN, /* ${acl and -be */
    ACL_PHASES,
};

/* What happens in a phase for which the configuration names no ACL. */
enum acl_unset { ACL_UNSET_ACCEPT, ACL_UNSET_DENY, ACL_UNSET_NOTHING };

struct acl_phase_row {
    struct str name;   /* "rcpt" */
    struct str option; /* "acl_smtp_rcpt"; empty for ACL_PHASE_UNKNOWN */
    enum acl_unset unset;
    uint8_t tier;
};

enum acl_verb {
#define VERB(NAME, name, phases, tier, doc) ACL_VERB_##NAME,
#include "acl/acl_verbs.def"
#undef VERB
    ACL_VERBS,
};

/* Conditions first, modifiers after them. */
enum acl_word_id {
#define COND(NAME, name, phases, tier, doc) ACL_COND_##NAME,
#include "acl/acl_conds.def"
#undef COND
#define MOD(NAME, name, phases, tier, doc) ACL_MOD_##NAME,
#include "acl/acl_mods.def"
#undef MOD
    ACL_WORDS,
};

struct acl_word {
    struct str name;
    uint32_t phases; /* bit 1 << enum acl_phase: may be used there */
    bool modifier;
    uint8_t tier; /* of compat/acl.tsv */
    const char *doc;
};

struct acl_control {
    struct str name;
    uint32_t phases;
    bool args; /* takes arguments after a slash */
    uint8_t tier;
    const char *doc;
};

/* A condition or modifier of a statement. */
struct acl_item {
    enum acl_word_id word;
    bool negated;
    struct str variable; /* of `set`: "acl_m_x", "dkim_verify_status"; else STR_NULL */
    struct xstr arg;     /* what follows the equals sign; text unset for endpass */
    struct span where;   /* of the word */
};

struct acl_statement {
    enum acl_verb verb;
    VEC(struct acl_item) items;
    struct span where; /* of the verb */
};

struct acl {
    struct str name; /* STR_NULL for one that stands in place */
    VEC(struct acl_statement) statements;
    struct span where;
};

/* What struct conf keeps in acls. */
struct acl_set {
    struct map *by_name; /* name -> struct acl */
};

/* The parser of the section, for conf_request. */
extern const struct section_parser acl_section;

/* NULL when there is none of that name, or no section (s NULL). */
const struct acl *acl_find(const struct acl_set *s, struct str name);

/* Parses an ACL without a name: lines with newlines between, comments and continuation lines as
 * in a configuration file. NULL after an error (diags has it). text and map (which may be NULL)
 * must live as long as a. */
struct acl *acl_parse_text(struct arena *a, struct str text, const struct textmap *map,
                           struct diags *diags);

/* Rows. The functions that look for a name answer -1 or NULL when there is none. */
const struct acl_phase_row *acl_phase_row(enum acl_phase p);
struct str acl_verb_name(enum acl_verb v);
int acl_verb_find(struct str name);
/* Whether the verb may be used in the phase. */
bool acl_verb_in(enum acl_verb v, enum acl_phase p);
const struct acl_word *acl_word_row(enum acl_word_id w);
int acl_word_find(struct str name);
const struct acl_control *acl_control_find(struct str name);
size_t acl_control_count(void);
const struct acl_control *acl_control_row(size_t i);

/* Whether a set of phases (of a row) has the phase. */
bool acl_phase_in(uint32_t phases, enum acl_phase p);

#endif
