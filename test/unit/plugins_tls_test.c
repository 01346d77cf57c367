/* Unit tests of plugins/tls.c, linked in, with proc/host_cert.c before it: what Exim with GnuTLS says of one
 * certificate, asked through a connection; and certificates made here. */
#include "filter_vm_fixture.h"
#include "proc/host_cert.h"
#include "sys/plugin.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

extern const struct plugin remex_plugin;

/* clang-format off */
static const char recorded_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIFojCCBIqgAwIBAgIHAPOhssPU5TANBgkqhkiG9w0BAQsFADCB4zEXMBUGCgmS\n"
    "JomT8ixkARkWB2V4YW1wbGUxEzARBgoJkiaJk/IsZAEZFgNvcmcxCzAJBgNVBAYT\n"
    "AkdCMRkwFwYDVQQKDBBBY21lLCBJbmMgKyBTb25zMQwwCgYDVQQLDANvbmUxEjAQ\n"
    "BgNVBAsMCXR3bzp0aHJlZTEeMBwGCSqGSIb3DQEJARYPYWRtQGV4YW1wbGUub3Jn\n"
    "MQswCQYDVQQFEwI3NzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzENMAsGA1UE\n"
    "AwwEbGVhZDESMBAGA1UEKQwJw7xuw687PGI+MB4XDTI2MTEyMzA2MDQzM1oXDTM2\n"
    "MTEyMDA2MDQzM1owgeMxFzAVBgoJkiaJk/IsZAEZFgdleGFtcGxlMRMwEQYKCZIm\n"
    "iZPyLGQBGRYDb3JnMQswCQYDVQQGEwJHQjEZMBcGA1UECgwQQWNtZSwgSW5jICsg\n"
    "U29uczEMMAoGA1UECwwDb25lMRIwEAYDVQQLDAl0d286dGhyZWUxHjAcBgkqhkiG\n"
    "9w0BCQEWD2FkbUBleGFtcGxlLm9yZzELMAkGA1UEBRMCNzcxGTAXBgNVBAMMEG1h\n"
    "aWwuZXhhbXBsZS5vcmcxDTALBgNVBAMMBGxlYWQxEjAQBgNVBCkMCcO8bsOvOzxi\n"
    "PjCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALoJEq73ITCZsLAB5YL3\n"
    "kMSf4m+B3IYTXkD7MlNuiuiqXd4rCvgRZFUyYCgn7/jf0LPwQOIXENk6BkGaFs2W\n"
    "H7pDe/lH7JZ0bcqTlQcEpLaXil87ge7OniRTB7KwSzUAaQHFHccO9FkRqGHNmM4h\n"
    "iejfd54UnXV3w52VCWVZHbJUZ5kP+VAlTRPZV8CxYTD3ZJqA1W0RmGRw6kz5c5o8\n"
    "U3Qr1J3UMzc4GoGY9aEo3odFOVM+536a9DG2XZv412VMd7LQMQAZp2UhQAS8YxCx\n"
    "lTGqOcSaASu+EUKBwZtwYFoLhwzkX+fWPJ1YK9u5YMH/WjCNA5ZQSdi2+Ox6WsAG\n"
    "K+UCAwEAAaOCAVcwggFTMIGYBgNVHREEgZAwgY2CDWEuZXhhbXBsZS5vcmeCDWIu\n"
    "ZXhhbXBsZS5vcmeBB3hAeS5vcmeGFmh0dHA6Ly91LmV4YW1wbGUvYSxiO2OHBAEC\n"
    "AwSHECABDbgAAAAAAAAAAAAAAAGkEjAQMQ4wDAYDVQQDDAVkaXJjbogDKgMEoAwG\n"
    "AyoDBaAFDANmb2+CDWM6ZDtlLmV4YW1wbGUwVAYIKwYBBQUHAQEESDBGMCEGCCsG\n"
    "AQUFBzABhhVodHRwOi8vb2NzcDEuZXhhbXBsZS8wIQYIKwYBBQUHMAGGFWh0dHA6\n"
    "Ly9vY3NwMi5leGFtcGxlLzBBBgNVHR8EOjA4MBqgGKAWhhRodHRwOi8vY3JsLmV4\n"
    "YW1wbGUvMTAaoBigFoYUaHR0cDovL2NybC5leGFtcGxlLzIwHQYDVR0OBBYEFEHW\n"
    "+7w7CR3rJz4rWPZ8l8nkPreUMA0GCSqGSIb3DQEBCwUAA4IBAQCm/s20+3/7eg1t\n"
    "wgK9CXEbRcI5OEM6U5qNbTfOIZUGh+jGbCDX5CXayWhdSMPSawhIHeYb/kEWYy0C\n"
    "/VhKEMzZ17dl64MSdbHsJzIAh/n1lHs7n92XF69WQd0GBrd/S/rQhL4OVktCmQNl\n"
    "WtpjISHAqPkmEgugPxzKENWn4Hc9+DHtOFw8nIPEOHi9RK0TS8NXFWboAP+FBXXm\n"
    "t0N3cY/b0mZIkI6AyxdSJ2BO2gs9bsgsu5TqJn2vDZsWbtxIq7CJvp/oi5CoPdlo\n"
    "f63lNhSAIeL1Wlm2LP4KDBBWA5KQNl7BRpz4tjhnnAUGr//ZVTW9I3djQKy2MEOF\n"
    "typ/EolQ\n"
    "-----END CERTIFICATE-----\n"
    ;

static const struct {
    const char *field;
    const char *value; /* NULL: no such field */
} recorded[] = {
    {" subject", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"crl_uri", "http://crl.example/1\nhttp://crl.example/2"},
    {"crl_uri,>:", "http:://crl.example/1:http:://crl.example/2"},
    {"crl_uri,>;", "http://crl.example/1;http://crl.example/2"},
    {"issuer", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"issuer,>:", "DC=example:DC=org:C=GB:O=Acme, Inc \\+ Sons:OU=one:OU=two::three:EMAIL"
     "=adm@example.org:serialNumber=77:CN=mail.example.org:CN=lead:name=\303"
     "\274n\303\257\\;\\<b\\>"},
    {"issuer,CN", "mail.example.org\nlead"},
    {"issuer,OU,>+", "one+two:three"},
    {"notafter", "Nov 20 06:04:33 2036 UTC"},
    {"notafter,int", "2110773873"},
    {"notafter_x", "Nov 20 06:04:33 2036 UTC"},
    {"notbefore", "Nov 23 06:04:33 2026 UTC"},
    {"notbefore, int", "Nov 23 06:04:33 2026 UTC"},
    {"notbefore,foo", "Nov 23 06:04:33 2026 UTC"},
    {"notbefore,int", "1795413873"},
    {"notbefore,raw", "Nov 23 06:04:33 2026 UTC"},
    {"ocsp_uri", "http://ocsp1.example/\nhttp://ocsp2.example/"},
    {"ocsp_uri,>/", "http:////ocsp1.example///http:////ocsp2.example//"},
    {"ocsp_uri,>:", "http:://ocsp1.example/:http:://ocsp2.example/"},
    {"ocsp_uri,foo", "http://ocsp1.example/\nhttp://ocsp2.example/"},
    {"serial_number", "f3a1b2c3d4e5"},
    {"serial_number,int", "f3a1b2c3d4e5"},
    {"serial_number,x", "f3a1b2c3d4e5"},
    {"sig_algorithm", "RSA-SHA256"},
    {"sig_algorithm,x", "RSA-SHA256"},
    {"signature", "a6 fe cd b4 fb 7f fb 7a 0d 6d c2 02 bd 09 71 1b 45 c2 39 38 43 3a 53 9"
     "a 8d 6d 37 ce 21 95 06 87 e8 c6 6c 20 d7 e4 25 da c9 68 5d 48 c3 d2 6b"
     " 08 48 1d e6 1b fe 41 16 63 2d 02 fd 58 4a 10 cc d9 d7 b7 65 eb 83 12 "
     "75 b1 ec 27 32 00 87 f9 f5 94 7b 3b 9f dd 97 17 af 56 41 dd 06 06 b7 7"
     "f 4b fa d0 84 be 0e 56 4b 42 99 03 65 5a da 63 21 21 c0 a8 f9 26 12 0b"
     " a0 3f 1c ca 10 d5 a7 e0 77 3d f8 31 ed 38 5c 3c 9c 83 c4 38 78 bd 44 "
     "ad 13 4b c3 57 15 66 e8 00 ff 85 05 75 e6 b7 43 77 71 8f db d2 66 48 9"
     "0 8e 80 cb 17 52 27 60 4e da 0b 3d 6e c8 2c bb 94 ea 26 7d af 0d 9b 16"
     " 6e dc 48 ab b0 89 be 9f e8 8b 90 a8 3d d9 68 7f ad e5 36 14 80 21 e2 "
     "f5 5a 59 b6 2c fe 0a 0c 10 56 03 92 90 36 5e c1 46 9c f8 b6 38 67 9c 0"
     "5 06 af ff d9 55 35 bd 23 77 63 40 ac b6 30 43 85 b7 2a 7f 12 89 50"},
    {"signature,>:", "a6 fe cd b4 fb 7f fb 7a 0d 6d c2 02 bd 09 71 1b 45 c2 39 38 43 3a 53 9"
     "a 8d 6d 37 ce 21 95 06 87 e8 c6 6c 20 d7 e4 25 da c9 68 5d 48 c3 d2 6b"
     " 08 48 1d e6 1b fe 41 16 63 2d 02 fd 58 4a 10 cc d9 d7 b7 65 eb 83 12 "
     "75 b1 ec 27 32 00 87 f9 f5 94 7b 3b 9f dd 97 17 af 56 41 dd 06 06 b7 7"
     "f 4b fa d0 84 be 0e 56 4b 42 99 03 65 5a da 63 21 21 c0 a8 f9 26 12 0b"
     " a0 3f 1c ca 10 d5 a7 e0 77 3d f8 31 ed 38 5c 3c 9c 83 c4 38 78 bd 44 "
     "ad 13 4b c3 57 15 66 e8 00 ff 85 05 75 e6 b7 43 77 71 8f db d2 66 48 9"
     "0 8e 80 cb 17 52 27 60 4e da 0b 3d 6e c8 2c bb 94 ea 26 7d af 0d 9b 16"
     " 6e dc 48 ab b0 89 be 9f e8 8b 90 a8 3d d9 68 7f ad e5 36 14 80 21 e2 "
     "f5 5a 59 b6 2c fe 0a 0c 10 56 03 92 90 36 5e c1 46 9c f8 b6 38 67 9c 0"
     "5 06 af ff d9 55 35 bd 23 77 63 40 ac b6 30 43 85 b7 2a 7f 12 89 50"},
    {"subj_altname", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname, dns", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,,dns", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,>", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,> ", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,>,dns", "DNS=a.example.org,DNS=b.example.org,MAIL=x@y.org,URI=http://u.example/"
     "a,,b;c,DNS=c:d;e.example"},
    {"subj_altname,>.", "DNS=a..example..org.DNS=b..example..org.MAIL=x@y..org.URI=http://u..ex"
     "ample/a,b;c.DNS=c:d;e..example"},
    {"subj_altname,>;", "DNS=a.example.org;DNS=b.example.org;MAIL=x@y.org;URI=http://u.example/"
     "a,b;;c;DNS=c:d;;e.example"},
    {"subj_altname,>;,dns", "a.example.org;b.example.org;c:d;;e.example"},
    {"subj_altname,>;x", "DNS=a.example.org;DNS=b.example.org;MAIL=x@y.org;URI=http://u.example/"
     "a,b;;c;DNS=c:d;;e.example"},
    {"subj_altname,DNS", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,dns", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,dns ,uri", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,dns,", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,dns,>;", "a.example.org;b.example.org;c:d;;e.example"},
    {"subj_altname,dns,foo,uri", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,dns,uri", "http://u.example/a,b;c"},
    {"subj_altname,dnsx", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,dnsx,uri", "a.example.org\nb.example.org\nc:d;e.example"},
    {"subj_altname,foo", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,foo,dns", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,ip", "DNS=a.example.org\nDNS=b.example.org\nMAIL=x@y.org\nURI=http://u.examp"
     "le/a,b;c\nDNS=c:d;e.example"},
    {"subj_altname,mail", "x@y.org"},
    {"subj_altname,uri", "http://u.example/a,b;c"},
    {"subject", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"subject ", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"subject ,CN", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"subject, OU", "one\ntwo:three"},
    {"subject,,CN", "mail.example.org\nlead"},
    {"subject,1.2.840.113549.1.9.1", NULL},
    {"subject,>,OU", "one\ntwo:three"},
    {"subject,>:,CN", "mail.example.org:lead"},
    {"subject,>:CN", "DC=example:DC=org:C=GB:O=Acme, Inc \\+ Sons:OU=one:OU=two::three:EMAIL"
     "=adm@example.org:serialNumber=77:CN=mail.example.org:CN=lead:name=\303"
     "\274n\303\257\\;\\<b\\>"},
    {"subject,>;", "DC=example;DC=org;C=GB;O=Acme, Inc \\+ Sons;OU=one;OU=two:three;EMAIL="
     "adm@example.org;serialNumber=77;CN=mail.example.org;CN=lead;name=\303"
     "\274n\303\257\\;;\\<b\\>"},
    {"subject,>;,", "DC=example;DC=org;C=GB;O=Acme, Inc \\+ Sons;OU=one;OU=two:three;EMAIL="
     "adm@example.org;serialNumber=77;CN=mail.example.org;CN=lead;name=\303"
     "\274n\303\257\\;;\\<b\\>"},
    {"subject,>;,OU,DC", "example;org"},
    {"subject,>;x,CN", "mail.example.org;lead"},
    {"subject,>x", "DC=exxamplexDC=orgxC=GBxO=Acme, Inc \\+ SonsxOU=onexOU=two:threexEMAIL"
     "=adm@exxample.orgxserialNumber=77xCN=mail.exxample.orgxCN=leadxname="
     "\303\274n\303\257\\;\\<b\\>"},
    {"subject,C", "GB"},
    {"subject,CN", "mail.example.org\nlead"},
    {"subject,CN,", "mail.example.org\nlead"},
    {"subject,CN,>:", "mail.example.org:lead"},
    {"subject,CN,OU", "one\ntwo:three"},
    {"subject,DC", "example\norg"},
    {"subject,DC,>|", "example|org"},
    {"subject,EMAIL", "adm@example.org"},
    {"subject,O", "Acme, Inc \\+ Sons"},
    {"subject,OU", "one\ntwo:three"},
    {"subject,OU ,>;", "one;two:three"},
    {"subject,OU,>:", "one:two::three"},
    {"subject,OU,DC", "example\norg"},
    {"subject,X", NULL},
    {"subject,cn", NULL},
    {"subject,emailAddress", NULL},
    {"subject,foo,CN", "mail.example.org\nlead"},
    {"subject,int", NULL},
    {"subject,name", "\303\274n\303\257\\;\\<b\\>"},
    {"subject,serialNumber", "77"},
    {"subject_x", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
    {"version", "3"},
    {"version,1", "3"},
    {"version,>x", "3"},
    {"version,int", "3"},
    {"2.5.29.14", "04 14 41 d6 fb bc 3b 09 1d eb 27 3e 2b 58 f6 7c 97 c9 e4 3e b7 94"},
    {"subject foo", "DC=example,DC=org,C=GB,O=Acme\\, Inc \\+ Sons,OU=one,OU=two:three,EMAI"
     "L=adm@example.org,serialNumber=77,CN=mail.example.org,CN=lead,name="
     "\303\274n\303\257\\;\\<b\\>"},
};
/* clang-format on */

/* "=value", "-" or "!error". */
static const char *
extract(struct fixture *f, const char *pem, const char *field)
{
    struct str out = STR_NULL;
    struct arena *a = vm_scratch(f->vm);
    switch (host_cert_extract_with(remex_plugin.objects[0], false, f->vm,
                                   str_trim(str_from_cstr(field)), str_from_cstr(pem), &out)) {
    case VM_OK:
        assert_true(str_is_tainted(out) || strncmp(field, "not", 3) == 0);
        return str_printf(a, "=%.*s", STR_ARG(out)).p;
    case VM_NO:
        return "-";
    case VM_FORCED:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    out = vm_error(f->vm);
    return str_printf(a, "!%.*s", STR_ARG(out)).p;
}

static void
answers_as_recorded(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        const char *got = extract(f, recorded_pem, recorded[i].field);
        const char *expected = recorded[i].value != NULL ? recorded[i].value : "";
        if (strcmp(got + 1, expected) != 0 || got[0] != (recorded[i].value != NULL ? '=' : '-'))
            fail_msg("%s\n  gave     %s\n  expected %s", recorded[i].field, got, expected);
    }
}

static void
texts_of_errors(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(extract(f, recorded_pem, "der"),
                        "!bad field selector \"der\" for certextract");
    assert_string_equal(extract(f, recorded_pem, "Subject"),
                        "!bad field selector \"Subject\" for certextract");
    assert_string_equal(extract(f, recorded_pem, "nosuch,a"),
                        "!bad field selector \"nosuch,a\" for certextract");
    assert_string_equal(
        extract(f, recorded_pem, "1.2.3.4"),
        "!tls_cert_ext_by_oid: ge0 fail: The requested data were not available.");
    assert_string_equal(
        extract(f, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "version"),
        "!tls_import_cert fail: ASN1 parser: Error in TAG.");
    assert_string_equal(extract(f, "no certificate", "version"),
                        "!tls_import_cert fail: Base64 unexpected header error.");
}

/* --- certificates made here --- */

struct maker {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static void
ok(int rc)
{
    assert_true(rc >= 0);
}

static void
set_times(struct maker *m)
{
    ok(gnutls_x509_crt_set_activation_time(m->crt, 1000000000));
    ok(gnutls_x509_crt_set_expiration_time(m->crt, 1001500000));
}

static struct maker
start(void)
{
    struct maker m;
    ok(gnutls_x509_privkey_init(&m.key));
    ok(gnutls_x509_privkey_generate(m.key, GNUTLS_PK_EDDSA_ED25519, 0, 0));
    ok(gnutls_x509_crt_init(&m.crt));
    ok(gnutls_x509_crt_set_version(m.crt, 3));
    ok(gnutls_x509_crt_set_serial(m.crt, "\x00\x01\x02", 3));
    ok(gnutls_x509_crt_set_key(m.crt, m.key));
    set_times(&m);
    return m;
}

/* Signed by itself, as PEM text in a. */
static const char *
finish(struct arena *a, struct maker *m)
{
    gnutls_datum_t pem;
    ok(gnutls_x509_crt_sign2(m->crt, m->crt, m->key, GNUTLS_DIG_SHA512, 0));
    ok(gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_PEM, &pem));
    const char *text = str_printf(a, "%.*s", (int)pem.size, (const char *)pem.data).p;
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(m->crt);
    gnutls_x509_privkey_deinit(m->key);
    return text;
}

static gnutls_datum_t
datum(char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

static void
issuer_address_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct maker m = start();
    char ca[] = "http://ca.example/x", one[] = "http://ocsp.example/1",
         two[] = "http://ocsp.example/2";
    gnutls_datum_t d = datum(ca);
    ok(gnutls_x509_crt_set_authority_info_access(m.crt, GNUTLS_IA_CAISSUERS_URI, &d));
    d = datum(one);
    ok(gnutls_x509_crt_set_authority_info_access(m.crt, GNUTLS_IA_OCSP_URI, &d));
    d = datum(two);
    ok(gnutls_x509_crt_set_authority_info_access(m.crt, GNUTLS_IA_OCSP_URI, &d));
    const char *pem = finish(f->arena, &m);
    assert_string_equal(extract(f, pem, "ocsp_uri,>;"),
                        "=http://ocsp.example/1;http://ocsp.example/2");
    assert_string_equal(extract(f, pem, "crl_uri"), "-");
    assert_string_equal(extract(f, pem, "subj_altname"), "-");
    assert_string_equal(extract(f, pem, "serial_number"), "=102");
    assert_string_equal(extract(f, pem, "sig_algorithm"), "=EdDSA-Ed25519");
    assert_string_equal(extract(f, pem, "notbefore"), "=Sep  9 01:46:40 2001 UTC");
    assert_string_equal(extract(f, pem, "notafter,int"), "=1001500000");
    assert_string_equal(extract(f, pem, "subject"),
                        "!tls_cert_subject: gs0 fail: The requested data were not available.");
    assert_string_equal(extract(f, pem, "issuer,CN"),
                        "!tls_cert_issuer: gi0 fail: The requested data were not available.");
}

static size_t
names_read(struct fixture *f, unsigned made)
{
    struct maker m = start();
    gnutls_subject_alt_names_t names;
    gnutls_datum_t der;
    char x[] = "x";
    gnutls_datum_t name = datum(x);
    ok(gnutls_subject_alt_names_init(&names));
    for (unsigned i = 0; i < made; i++)
        ok(gnutls_subject_alt_names_set(names, GNUTLS_SAN_DNSNAME, &name, NULL));
    ok(gnutls_x509_ext_export_subject_alt_names(names, &der));
    ok(gnutls_x509_crt_set_extension_by_oid(m.crt, GNUTLS_X509EXT_OID_SAN, der.data, der.size,
                                            0));
    gnutls_free(der.data);
    gnutls_subject_alt_names_deinit(names);
    const char *text = extract(f, finish(f->arena, &m), "subj_altname,dns");
    return (strlen(text + 1) + 1) / 2;
}

static void
names_are_capped(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(names_read(f, CERT_NAMES_MAX - 1), CERT_NAMES_MAX - 1);
    assert_int_equal(names_read(f, CERT_NAMES_MAX), CERT_NAMES_MAX);
    assert_int_equal(names_read(f, CERT_NAMES_MAX + 1), CERT_NAMES_MAX);
}

static void
size_is_capped(void **state)
{
    struct fixture *f = *state;
    struct maker m = start();
    const char *pem = finish(f->arena, &m);
    char *padded = arena_alloc(f->arena, CERT_SIZE_MAX + 2);
    memset(padded, '\n', CERT_SIZE_MAX + 1);
    memcpy(padded, pem, strlen(pem));
    padded[CERT_SIZE_MAX + 1] = '\0';
    assert_string_equal(extract(f, padded, "version"), "!the certificate is too large");
    padded[CERT_SIZE_MAX] = '\0';
    assert_string_equal(extract(f, padded, "version"), "=3");
    padded[CERT_SIZE_MAX - 1] = '\0';
    assert_string_equal(extract(f, padded, "version"), "=3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_as_recorded, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(texts_of_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(issuer_address_is_passed_over, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(names_are_capped, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(size_is_capped, fixture_setup, fixture_teardown),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
