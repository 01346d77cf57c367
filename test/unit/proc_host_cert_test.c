/* Unit tests of proc/host_cert.c with a reader of its own. What the real one answers is in
 * plugins_tls_test.c. */
#include "filter_vm_fixture.h"
#include "proc/host_cert.h"

#include <time.h>

static enum cert_end
fake_read(struct arena *a, struct str pem, enum cert_field field, struct str oid,
          struct cert_answer *out)
{
    static const struct cert_name names[] = {
        {CERT_NAME_DNS, STR_INIT("a.b")},
        {CERT_NAME_URI, STR_INIT("u:v")},
        {CERT_NAME_DNS, STR_INIT("")},
    };
    *out = (struct cert_answer){.text = pem, .number = 1000000000};
    if (field == CERT_EXTENSION)
        out->text = oid;
    for (size_t i = 0; i < 3 && field == CERT_ALT_NAMES; i++)
        vec_push(a, &out->names, names[i]);
    if (field == CERT_SIGNATURE) {
        out->text = STR_LIT("broken");
        return CERT_FAILED;
    }
    return field == CERT_OCSP ? CERT_NONE : CERT_OK;
}

static const struct cert_plugin fake = {.read = fake_read};

static void
check(void **state, const char *cert, const char *field, bool utc, const char *expected)
{
    struct fixture *f = *state;
    struct str out = STR_EMPTY;
    enum vm_status st = host_cert_extract_with(&fake, utc, f->vm, str_from_cstr(field),
                                               str_from_cstr(cert), &out);
    if (st == VM_ERROR)
        out = vm_error(f->vm);
    const char *mark = st == VM_OK ? "" : st == VM_NO ? "-" : "!";
    const char *got = str_printf(f->arena, "%s%.*s", mark, STR_ARG(out)).p;
    if (strcmp(got, expected) != 0)
        fail_msg("%s\n  gave     %s\n  expected %s", field, got, expected);
}

static void
selectors(void **state)
{
    check(state, "C", "version", false, "C");
    check(state, "C", "version,what", false, "C");
    check(state, "C", "serial_numbers", false, "C");
    check(state, "C", "2.5.29.17", false, "2.5.29.17");
    check(state, "C", "ocsp_uri", false, "-");
    check(state, "C", "signature", false, "!broken");
    check(state, "C", "vers", false, "!bad field selector \"vers\" for certextract");
    check(state, "C", "", false, "!bad field selector \"\" for certextract");
}

static void
times(void **state)
{
    setenv("TZ", "America/New_York", 1);
    tzset();
    check(state, "C", "notbefore", false, "Sep  8 21:46:40 2001 EDT");
    check(state, "C", "notbefore", true, "Sep  9 01:46:40 2001 GMT");
    check(state, "C", "notafter,int", false, "1000000000");
    check(state, "C", "notafter,raw", true, "Sep  9 01:46:40 2001 GMT");
    unsetenv("TZ");
    tzset();
}

static void
names(void **state)
{
    const char *dn = "CN=a\\,b,OU=x\\+y,CN=,OUR=z,C";
    check(state, dn, "subject", false, dn);
    check(state, dn, "subject,", false, dn);
    check(state, dn, "subject,CN", false, "a,b\n ");
    check(state, dn, "subject,OU", false, "x\\+y");
    check(state, dn, "subject,OUR", false, "z");
    check(state, dn, "subject,C", false, "-");
    check(state, dn, "issuer,>;", false, "CN=a,b;OU=x\\+y;CN=;OUR=z;C");
    check(state, dn, "issuer,CN,>,", false, "a,b\n ");
    check(state, "CN=a\\", "subject,CN", false, "a\\");
    check(state, "CN=a:b,CN=c", "subject,CN,>:", false, "a::b:c");
}

static void
alternative_names(void **state)
{
    check(state, "C", "subj_altname", false, "DNS=a.b\nURI=u:v\nDNS=");
    check(state, "C", "subj_altname,dns", false, "a.b\n ");
    check(state, "C", "subj_altname,uri,>:", false, "u::v");
    check(state, "C", "subj_altname,mail", false, "-");
    check(state, "C", "subj_altname,>", false, "DNS=a.b\nURI=u:v\nDNS=");
}

static void
only_certificates(void **state)
{
    struct fixture *f = *state;
    struct str out;
    assert_int_equal(host_cert_extract(NULL, f->vm, STR_LIT("version"), STR_LIT("abc"), &out),
                     VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm),
                        "second argument of \"certextract\" must be a certificate variable"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(selectors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(times, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(names, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(alternative_names, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(only_certificates, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
