/* Viruses, by libclamav: loaded by the inspect process alone, see sys/clamav_plugin.h.
 *
 * Signatures are loaded once; scans happen in copies of the process that loaded them, of a descriptor, without a program and without a
 * file of ours. What the library has to unpack to look at it goes to the scratch folder and is gone afterwards. Source: clamav.h.
 */
#include "sys/clamav_plugin.h"

#include "sys/plugin.h"

#include <clamav.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loaded {
    struct cl_engine *engine;
    struct cl_stat files; /* of the signatures, as they were loaded */
    uint32_t heuristic;   /* CL_SCAN_HEURISTIC_... */
};

static void
say(char why[CLAMAV_TEXT], const char *what, const char *detail)
{
    (void)snprintf(why, CLAMAV_TEXT, "%s: %s", what, detail);
}

/* False with why. */
static bool
set_limits(struct cl_engine *e, const struct clamav_setup *s, char why[CLAMAV_TEXT])
{
    const struct {
        enum cl_engine_field field;
        int64_t value;
    } limits[] = {
        {CL_ENGINE_MAX_SCANSIZE, s->max_scansize},
        {CL_ENGINE_MAX_FILESIZE, s->max_filesize},
        {CL_ENGINE_MAX_FILES, s->max_files},
        {CL_ENGINE_MAX_RECURSION, s->max_recursion},
        {CL_ENGINE_MAX_SCANTIME, s->max_scantime_ms},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        cl_error_t r = limits[i].value < 0
                           ? CL_SUCCESS
                           : cl_engine_set_num(e, limits[i].field, limits[i].value);
        if (r != CL_SUCCESS) {
            say(why, "a limit is refused", cl_strerror(r));
            return false;
        }
    }
    if (s->scratch != NULL)
        (void)cl_engine_set_str(e, CL_ENGINE_TMPDIR, s->scratch);
    return true;
}

static bool
load_signatures(struct loaded *l, const struct clamav_setup *s, unsigned *n,
                char why[CLAMAV_TEXT])
{
    cl_error_t r;
    memset(&l->files, 0, sizeof l->files);
    if ((r = cl_statinidir(s->directory, &l->files)) != CL_SUCCESS ||
        (r = cl_load(s->directory, l->engine, n, CL_DB_STDOPT)) != CL_SUCCESS ||
        (r = cl_engine_compile(l->engine)) != CL_SUCCESS) {
        say(why, s->directory, cl_strerror(r));
        return false;
    }
    if (*n == 0)
        say(why, s->directory, "no signatures");
    return *n > 0;
}

static void *
load(const struct clamav_setup *s, unsigned *signatures, char why[CLAMAV_TEXT])
{
    struct loaded *l = calloc(1, sizeof *l);
    *signatures = 0;
    cl_error_t r = cl_init(CL_INIT_DEFAULT);
    if (l == NULL || r != CL_SUCCESS || (l->engine = cl_engine_new()) == NULL) {
        say(why, "libclamav", r != CL_SUCCESS ? cl_strerror(r) : "no memory");
        free(l);
        return NULL;
    }
    l->heuristic = s->alert_exceeds_max != 0 ? CL_SCAN_HEURISTIC_EXCEEDS_MAX : 0;
    if (set_limits(l->engine, s, why) && load_signatures(l, s, signatures, why))
        return l;
    (void)cl_engine_free(l->engine);
    free(l);
    return NULL;
}

static bool
changed(void *loaded)
{
    struct loaded *l = loaded;
    return cl_statchkdir(&l->files) == 1;
}

/* What the library said, as an answer. */
static enum inspect_scan
judge(cl_error_t r, const char *found, char text[CLAMAV_TEXT])
{
    text[0] = '\0';
    if (r == CL_VIRUS) {
        (void)snprintf(text, CLAMAV_TEXT, "%s", found != NULL ? found : "unknown");
        return INSPECT_FOUND;
    }
    if (r == CL_CLEAN)
        return INSPECT_CLEAN;
    say(text, "libclamav", cl_strerror(r));
    return INSPECT_UNSCANNED;
}

static enum inspect_scan
scan(void *loaded, int fd, char text[CLAMAV_TEXT])
{
    const struct loaded *l = loaded;
    const char *found = NULL;
    struct cl_scan_options o = {
        .general = CL_SCAN_GENERAL_HEURISTICS, .parse = ~0u, .heuristic = l->heuristic};
    cl_error_t r = cl_scandesc(fd, NULL, &found, NULL, l->engine, &o);
    return judge(r, found, text);
}

static enum inspect_scan
scan_bytes(const struct loaded *l, const char *p, size_t n, char text[CLAMAV_TEXT])
{
    const char *found = NULL;
    struct cl_scan_options o = {.general = CL_SCAN_GENERAL_HEURISTICS,
                                .parse = ~(uint32_t)CL_SCAN_PARSE_MAIL,
                                .heuristic = l->heuristic};
    cl_fmap_t *map = n > 0 ? cl_fmap_open_memory(p, n) : NULL;
    if (map == NULL)
        return judge(n > 0 ? CL_EMEM : CL_CLEAN, NULL, text);
    cl_error_t r = cl_scanmap_callback(map, NULL, &found, NULL, l->engine, &o, NULL);
    cl_fmap_close(map);
    return judge(r, found, text);
}

/* The library's reader of mail would write the body to a file to look at it: here it is a part of what is in memory already. */
static enum inspect_scan
scan_plain(void *loaded, const char *p, size_t n, size_t body, char text[CLAMAV_TEXT])
{
    enum inspect_scan r = scan_bytes(loaded, p, n, text);
    return r == INSPECT_CLEAN ? scan_bytes(loaded, p + body, n - body, text) : r;
}

static const struct clamav_plugin clamav = {
    .load = load, .changed = changed, .scan = scan, .scan_plain = scan_plain};

static const void *const objects[] = {&clamav};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "clamav",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
