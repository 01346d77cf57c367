/* The words of ACLs: rows of the .def files of this folder, and finding them by name. */
#include "acl/acl.h"

#define ALL ((1u << ACL_PHASES) - 1)
#define P(NAME) (1u << ACL_PHASE_##NAME)
#define UNSET_ACCEPT ACL_UNSET_ACCEPT
#define UNSET_DENY ACL_UNSET_DENY
#define UNSET_NOTHING ACL_UNSET_NOTHING

/* clang-format off */
static const struct acl_phase_row phases[] = {
#define PHASE(NAME, name, option, unset, tier) \
    {STR_INIT(#name), STR_INIT(#option), unset, tier},
#include "acl/acl_phases.def"
#undef PHASE
    {STR_INIT("unknown"), STR_INIT(""), ACL_UNSET_DENY, 1},
};

static const struct acl_word verbs[] = {
#define VERB(NAME, name, phases, tier, doc) {STR_INIT(#name), phases, false, tier, doc},
#include "acl/acl_verbs.def"
#undef VERB
};

static const struct acl_word words[] = {
#define COND(NAME, name, phases, tier, doc) {STR_INIT(#name), phases, false, tier, doc},
#include "acl/acl_conds.def"
#undef COND
#define MOD(NAME, name, phases, tier, doc) {STR_INIT(#name), phases, true, tier, doc},
#include "acl/acl_mods.def"
#undef MOD
};

static const struct acl_control controls[] = {
#define CONTROL(NAME, name, phases, args, tier, doc) {STR_INIT(#name), phases, args, tier, doc},
#include "acl/acl_controls.def"
#undef CONTROL
};
/* clang-format on */

enum { CONTROLS = sizeof controls / sizeof controls[0] };

const struct acl_phase_row *
acl_phase_row(enum acl_phase p)
{
    return &phases[p];
}

static int
find(const struct acl_word *rows, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].name, name))
            return (int)i;
    return -1;
}

struct str
acl_verb_name(enum acl_verb v)
{
    return verbs[v].name;
}

int
acl_verb_find(struct str name)
{
    return find(verbs, ACL_VERBS, name);
}

bool
acl_verb_in(enum acl_verb v, enum acl_phase p)
{
    return acl_phase_in(verbs[v].phases, p);
}

const struct acl_word *
acl_word_row(enum acl_word_id w)
{
    return &words[w];
}

int
acl_word_find(struct str name)
{
    return find(words, ACL_WORDS, name);
}

const struct acl_control *
acl_control_find(struct str name)
{
    for (size_t i = 0; i < CONTROLS; i++)
        if (str_eq(controls[i].name, name))
            return &controls[i];
    return NULL;
}

size_t
acl_control_count(void)
{
    return CONTROLS;
}

const struct acl_control *
acl_control_row(size_t i)
{
    return &controls[i];
}

bool
acl_phase_in(uint32_t set, enum acl_phase p)
{
    if (p == ACL_PHASE_NOTSMTP_MIME)
        p = ACL_PHASE_MIME; /* the rows do not tell them apart, nor does Exim */
    return (set >> p & 1) != 0;
}
