/* Asks PAM about a user, in a plugin since few sites use it.
 *
 * Questions of the modules are answered from a list in order, with nothing once it is used up; their
 * messages are not shown to anybody. Who is unknown, expired or has the wrong password is refused, all else
 * that is not success is an error, as in Exim.
 */
#include "base/arena.h"
#include "sys/pam_plugin.h"
#include "sys/plugin.h"

#include <security/pam_appl.h>
#include <stdlib.h>

enum { QUESTIONS_MAX = 100 };

struct conversation {
    struct arena *arena;
    const struct pam_request *request;
    size_t asked;
};

/* PAM frees answers with free(). */
static char *
next_answer(struct conversation *c)
{
    struct str s = c->asked < c->request->n ? c->request->answers[c->asked] : STR_EMPTY;
    c->asked++;
    char *p = str_has_nul(s) ? NULL : malloc((size_t)s.n + 1);
    if (p == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

static bool
answer_one(struct conversation *c, const struct pam_message *m, struct pam_response *r)
{
    if (m->msg_style != PAM_PROMPT_ECHO_OFF && m->msg_style != PAM_PROMPT_ECHO_ON)
        return m->msg_style == PAM_TEXT_INFO || m->msg_style == PAM_ERROR_MSG;
    r->resp = next_answer(c);
    return r->resp != NULL;
}

static int
converse(int n, const struct pam_message **questions, struct pam_response **answers,
         void *context)
{
    struct conversation *c = context;
    if (n <= 0 || n > PAM_MAX_NUM_MSG || c->asked > QUESTIONS_MAX)
        return PAM_CONV_ERR;
    struct pam_response *r = calloc((size_t)n, sizeof *r);
    if (r == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < n; i++) {
        if (answer_one(c, questions[i], &r[i]))
            continue;
        for (int k = 0; k < i; k++)
            free(r[k].resp);
        free(r);
        return PAM_CONV_ERR;
    }
    *answers = r;
    return PAM_SUCCESS;
}

static enum pam_verdict
judge(struct arena *a, pam_handle_t *h, int rc, struct str *why)
{
    switch (rc) {
    case PAM_SUCCESS:
        return PAM_VERDICT_YES;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_ACCT_EXPIRED:
        return PAM_VERDICT_NO;
    default:
        *why = str_dup(a, str_from_cstr(pam_strerror(h, rc)));
        return PAM_VERDICT_ERROR;
    }
}

static enum pam_verdict
pam_check(struct arena *a, const struct pam_request *rq, struct str *why)
{
    struct conversation c = {.arena = a, .request = rq};
    const struct pam_conv conv = {.conv = converse, .appdata_ptr = &c};
    pam_handle_t *h = NULL;
    const char *user = str_cstr(a, rq->user);
    if (user == NULL || user[0] == '\0')
        return PAM_VERDICT_NO;
    int rc = rq->directory == NULL
                 ? pam_start(rq->service, user, &conv, &h)
                 : pam_start_confdir(rq->service, user, &conv, rq->directory, &h);
    if (rc == PAM_SUCCESS)
        rc = pam_authenticate(h, PAM_SILENT);
    if (rc == PAM_SUCCESS)
        rc = pam_acct_mgmt(h, PAM_SILENT);
    enum pam_verdict v = judge(a, h, rc, why);
    if (h != NULL)
        pam_end(h, rc);
    return v;
}

static const struct pam_plugin pam = {.check = pam_check};
static const void *const objects[] = {&pam};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "pam",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
