/* Variables of message and session that are more than a field: certificates, the DN of LDAP lookups. */
#include "base/arena.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "lookups/lookup_driver.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
check(struct wiring *w, const char *text, const char *want)
{
    struct str value;
    if (vm_expand(w->vm, str_from_cstr(text), &value) != VM_OK)
        value = vm_error(w->vm);
    if (!str_eqz(value, want))
        fail_msg("%s: %.*s", text, STR_ARG(value));
}

/* The certificate stands for itself only where a function takes certificates; "abc" is its DER form. */
static void
certificates(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct session s = {.tls_in.peercert = STR_LIT(
                            "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n")};
    w.eval->session = &s;
    check(&w, "<$tls_in_peercert>", "<<cert>>");
    check(&w, "<${tls_in_peercert}>", "<<cert>>");
    check(&w, "<$tls_in_ourcert>", "<>");
    check(&w, "${if def:tls_in_peercert{y}{n}}${if def:tls_out_peercert{y}{n}}", "yn");
    check(&w, "${length_9:$tls_in_peercert}", "<cert>");
    check(&w, "${md5:$tls_in_peercert}", "900150983CD24FB0D6963F7D28E17F72");
    check(&w, "${md5: $tls_in_peercert}", "3d687888adfad1cca6ffe1790be16375");
    check(&w, "${base64:$tls_in_peercert}", "YWJj");
    check(&w, "${sha1:$tls_in_peercert}", "A9993E364706816ABA3E25717850C26C9CD0D89D");
    check(&w, "${base64:$tls_in_peercert.pem}", "PGNlcnQ+LnBlbQ==");
    check(&w, "${certextract{version}{$tls_in_peercert.pem}}",
          "no variable named \"tls_in_peercert.pem\"");
    check(&w, "${certextract{version}{$sender_address}}",
          "\"sender_address\" is not a certificate");
    check(&w, "${certextract{version}{$nosuch}}", "no variable named \"nosuch\"");
    check(&w, "${certextract{version}{x}}",
          "second argument of \"certextract\" must be a certificate variable");
    check(&w, "${certextract{version}{$tls_in_ourcert}{y}{n}}", "n");
    arena_free(a);
}

static void
ldap_dn(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct lookup_ctx c = {.eval = w.eval, .vm = w.vm};
    check(&w, "<$ldap_dn>", "<>");
    lookup_show_ldap_dn(&c, STR_LIT("cn=a"));
    lookup_show_ldap_dn(&c, STR_LIT("cn=b"));
    check(&w, "<$ldap_dn>", "<cn=b>");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),
        cmocka_unit_test(ldap_dn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
