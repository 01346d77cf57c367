/* Names of what SPF came to; see spf.h. */
#include "mail/spf.h"

static const struct str names[SPF_RESULTS] = {
    [SPF_INVALID] = STR_INIT("(invalid)"),   [SPF_NEUTRAL] = STR_INIT("neutral"),
    [SPF_PASS] = STR_INIT("pass"),           [SPF_FAIL] = STR_INIT("fail"),
    [SPF_SOFTFAIL] = STR_INIT("softfail"),   [SPF_NONE] = STR_INIT("none"),
    [SPF_TEMPERROR] = STR_INIT("temperror"), [SPF_PERMERROR] = STR_INIT("permerror"),
};

static const struct {
    const char *name;
    enum spf_result result;
} old[] = {
    {"invalid", SPF_INVALID},
    {"err_temp", SPF_TEMPERROR},
    {"err_perm", SPF_PERMERROR},
};

struct str
spf_result_name(enum spf_result r)
{
    return names[r];
}

bool
spf_result_parse(struct str name, enum spf_result *out)
{
    for (int r = 0; r < SPF_RESULTS; r++) {
        if (str_ieq(name, names[r])) {
            *out = (enum spf_result)r;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        if (str_ieqz(name, old[i].name)) {
            *out = old[i].result;
            return true;
        }
    }
    return false;
}
