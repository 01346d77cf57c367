/* The embedded Perl interpreter, in a plugin since few sites need it.
 *
 * Perl code may call back: Exim::expand_string, Exim::log_write, Exim::debug_write; what it warns of goes to
 * the log. Perl code belongs to the configuration, so what it returns counts as clean, as in Exim. It
 * must be the only interpreter of the process, and only one thread may use it.
 */
#include "base/arena.h"
#include "filter/perl_plugin.h"
#include "sys/plugin.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>

/* Perl's headers do without extensions of GNU C. */
#define PERL_GCC_BRACE_GROUPS_FORBIDDEN
#include <EXTERN.h>
#include <perl.h>

#include <XSUB.h>

struct embedded {
    PerlInterpreter *perl;
    struct perl_start start;
    struct vm *vm; /* whose call this is */
};

/* --- what Perl code may call --- */

/* The interpreter that a function was made for. */
static struct embedded *
owner(CV *cv)
{
    return CvXSUBANY(cv).any_ptr;
}

static struct str
text_of(pTHX_ SV *sv)
{
    STRLEN n;
    const char *p = SvPV(sv, n);
    return str_from(p, n < STR_MAX ? n : STR_MAX);
}

static void
expand_string(pTHX_ CV *cv)
{
    dXSARGS;
    if (items != 1)
        croak("Usage: Exim::expand_string(string)");
    struct vm *vm = owner(cv)->vm;
    struct str text = str_dup(vm_scratch(vm), text_of(aTHX_ ST(0)));
    struct str value;
    switch (vm_expand(vm, text, &value)) {
    case VM_OK:
        ST(0) = sv_2mortal(newSVpvn(value.n > 0 ? value.p : "", value.n));
        break;
    case VM_FORCED:
        ST(0) = &PL_sv_undef;
        break;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        value = vm_error(vm);
        croak("syntax error in Exim::expand_string argument: %.*s", STR_ARG(value));
    }
    XSRETURN(1);
}

static void
debug_write(pTHX_ CV *cv)
{
    dXSARGS;
    const struct embedded *i = owner(cv);
    for (int k = 0; k < items; k++)
        i->start.debug(i->start.context, i->vm, text_of(aTHX_ ST(k)));
    XSRETURN_EMPTY;
}

static void
log_write(pTHX_ CV *cv)
{
    dXSARGS;
    const struct embedded *i = owner(cv);
    if (items != 1)
        croak("Usage: Exim::log_write(string)");
    i->start.log(i->start.context, i->vm, text_of(aTHX_ ST(0)));
    XSRETURN_EMPTY;
}

static const char warnings_to_log[] =
    "$SIG{__WARN__} = sub { my $t = join('', @_); $t =~ s/\\n+\\z//; Exim::log_write($t) };";

EXTERN_C void boot_DynaLoader(pTHX_ CV *cv);

static void
define_dynaloader(pTHX)
{
    newXS("DynaLoader::boot_DynaLoader", boot_DynaLoader, __FILE__);
}

static void
define(pTHX_ struct embedded *i, const char *name, XSUBADDR_t function)
{
    CV *cv = newXS(name, function, __FILE__);
    CvXSUBANY(cv).any_ptr = i;
}

/* --- starting and stopping --- */

/* Extensions of Perl find the interpreter's symbols only in a library that is loaded for all to see. */
static void
show_libperl(void)
{
    Dl_info where;
    void *symbol;
    XSUBADDR_t function = boot_DynaLoader;
    memcpy(&symbol, &function, sizeof symbol);
    if (dladdr(symbol, &where) != 0 && where.dli_fname != NULL)
        /* cppcheck-suppress leakReturnValNotUsed ; it is loaded already and stays so */
        (void)dlopen(where.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

static bool
parse_nothing(PerlInterpreter *perl, bool taint_mode)
{
    char name[] = "remex-perl", taint[] = "-T", file[] = "/dev/null";
    char *with[] = {name, taint, file, NULL};
    char *without[] = {name, file, NULL};
    dTHXa(perl);
    PL_exit_flags |= PERL_EXIT_DESTRUCT_END;
    return perl_parse(perl, define_dynaloader, taint_mode ? 3 : 2, taint_mode ? with : without,
                      NULL) == 0 &&
           perl_run(perl) == 0;
}

/* The text of $@; false: there is none. */
static bool
error_text(pTHX_ struct arena *a, struct str *text)
{
    SV *error = ERRSV;
    if (!SvTRUE(error))
        return false;
    *text = str_dup(a, text_of(aTHX_ error));
    return true;
}

static void
run_startup(struct arena *a, struct embedded *i, struct str *why)
{
    dTHXa(i->perl);
    define(aTHX_ i, "Exim::expand_string", expand_string);
    define(aTHX_ i, "Exim::debug_write", debug_write);
    define(aTHX_ i, "Exim::log_write", log_write);
    eval_sv(sv_2mortal(newSVpv(warnings_to_log, 0)), G_DISCARD | G_VOID);
    eval_sv(sv_2mortal(newSVpvn(i->start.code.p, i->start.code.n)), G_DISCARD | G_VOID);
    error_text(aTHX_ a, why);
}

static void
perl_end(void *interpreter)
{
    struct embedded *i = interpreter;
    PERL_SET_CONTEXT(i->perl);
    perl_destruct(i->perl);
    perl_free(i->perl);
    free(i);
}

static void *
perl_begin(struct arena *a, struct vm *vm, const struct perl_start *s, struct str *why)
{
    struct embedded *i = calloc(1, sizeof *i);
    PerlInterpreter *perl = i == NULL ? NULL : perl_alloc();
    if (perl == NULL) {
        free(i);
        *why = STR_LIT("out of memory");
        return NULL;
    }
    i->perl = perl;
    i->start = *s;
    i->vm = vm;
    show_libperl();
    /* Perl sets the locale of the process from the environment; the program has none. */
    const char *before = setlocale(LC_ALL, NULL);
    char *locale = before != NULL ? strdup(before) : NULL;
    PERL_SET_CONTEXT(perl);
    perl_construct(perl);
    bool ok = parse_nothing(perl, s->taint_mode);
    if (ok)
        run_startup(a, i, why);
    if (locale != NULL)
        (void)setlocale(LC_ALL, locale);
    free(locale);
    if (ok)
        return i;
    perl_end(i);
    *why = STR_LIT("the Perl interpreter does not start");
    return NULL;
}

/* --- calls --- */

static enum vm_status
take_result(struct embedded *i, struct vm *vm, SV *result, struct str name, struct str *out)
{
    dTHXa(i->perl);
    struct str text;
    if (error_text(aTHX_ vm_scratch(vm), &text))
        return vm_fail(vm, "%.*s", STR_ARG(text));
    if (!SvOK(result)) {
        vm_fail(vm, "Perl subroutine \"%.*s\" returned undef to force failure", STR_ARG(name));
        return VM_FORCED;
    }
    *out = str_dup(vm_scratch(vm), text_of(aTHX_ result));
    return VM_OK;
}

static enum vm_status
perl_invoke(void *interpreter, struct vm *vm, const struct str *argv, unsigned argc,
            struct str *out)
{
    struct embedded *i = interpreter;
    struct vm *before = i->vm;
    PERL_SET_CONTEXT(i->perl);
    dTHXa(i->perl);
    dSP;
    i->vm = vm;
    ENTER;
    SAVETMPS;
    PUSHMARK(SP);
    for (unsigned k = 1; k < argc; k++)
        XPUSHs(sv_2mortal(newSVpvn(argv[k].n > 0 ? argv[k].p : "", argv[k].n)));
    PUTBACK;
    SV *name = sv_2mortal(newSVpvn(argv[0].n > 0 ? argv[0].p : "", argv[0].n));
    int n = call_sv(name, G_SCALAR | G_EVAL);
    SPAGAIN;
    SV *result = n > 0 ? POPs : &PL_sv_undef;
    PUTBACK;
    enum vm_status st = take_result(i, vm, result, argv[0], out);
    FREETMPS;
    LEAVE;
    i->vm = before;
    return st;
}

static const struct perl_plugin perl_object = {
    .start = perl_begin,
    .call = perl_invoke,
    .stop = perl_end,
};
static const void *const objects[] = {&perl_object};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "perl",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
