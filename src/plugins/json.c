/* The json lookup: an element of a file in JSON, chosen by a list of selectors.
 *
 * A selector that is a number takes an element of an array, any other a member of an object. Strings come
 * back without quotes, everything else as JSON. The file is parsed once and again when it changes; the library
 * bounds the depth. Source: specification, section "Single-key lookup types".
 */
#include "base/arena.h"
#include "base/strlist.h"
#include "lookups/lookup_driver.h"
#include "sys/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20, SELECTOR_MAX = 1 << 16, INDEX_MAX = 1 << 30 };

static void
open_failed(struct lookup_ctx *c, const char *file, int error)
{
    if (error == EACCES)
        vm_fail(c->vm, "failed to open %s for json search: %s (euid=%ld egid=%ld)", file,
                strerror(error), (long)geteuid(), (long)getegid());
    else
        vm_fail(c->vm, "failed to open %s for json search: %s", file, strerror(error));
}

static void *
json_open(struct lookup_ctx *c, const char *file)
{
    struct stat st;
    json_error_t why;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        open_failed(c, file, errno);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    json_t *top = NULL;
    if (!S_ISREG(st.st_mode)) {
        vm_fail(c->vm, "%s is not a regular file (json lookup)", file);
    } else if (st.st_size > FILE_MAX) {
        open_failed(c, file, EFBIG);
    } else {
        top = json_loadfd(fd, JSON_ALLOW_NUL, &why);
        if (top == NULL)
            vm_fail(c->vm, "failed to read %s for json search: line %d column %d: %s", file,
                    why.line, why.column, why.text);
    }
    close(fd);
    return top;
}

static void
json_close(void *handle)
{
    json_decref(handle);
}

/* The number that a selector is, or -1. */
static int64_t
index_of(struct str selector)
{
    int64_t v = 0;
    for (uint32_t i = 0; i < selector.n; i++) {
        if (!ascii_digit(selector.p[i]))
            return -1;
        if (v < INDEX_MAX)
            v = v * 10 + (selector.p[i] - '0');
    }
    return selector.n > 0 ? v : -1;
}

static json_t *
select_one(json_t *from, struct arena *a, struct str selector)
{
    int64_t i = index_of(selector);
    if (i >= 0)
        return json_is_array(from) ? json_array_get(from, (size_t)i) : NULL;
    const char *name = selector.n <= SELECTOR_MAX ? str_cstr(a, selector) : NULL;
    return name != NULL && json_is_object(from) ? json_object_get(from, name) : NULL;
}

/* The text of an element in a. */
static bool
text_of(json_t *value, struct arena *a, struct str *out)
{
    if (json_is_string(value)) {
        *out = str_dup(a, str_from(json_string_value(value), json_string_length(value)));
        return true;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (text == NULL)
        return false;
    *out = str_dup(a, str_from_cstr(text));
    free(text);
    return true;
}

static enum outcome
json_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
          struct str *data)
{
    (void)file;
    json_t *at = handle;
    struct arena *a = vm_scratch(c->vm);
    struct strlist_split s = strlist_split_start(key, ':');
    struct str selector;
    while (at != NULL && strlist_split_next(&s, a, &selector))
        at = select_one(at, a, selector);
    return at != NULL && text_of(at, a, data) ? OUT_OK : OUT_FAIL;
}

static const struct lookup_driver lookup_json = {
    .name = STR_INIT("json"),
    .open = json_open,
    .find = json_find,
    .close = json_close,
    .doc = "element of a JSON file",
};

static const void *const objects[] = {&lookup_json};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "json",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
