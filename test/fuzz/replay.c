/* A main for fuzz targets that runs them over files instead of fuzzing: the corpora in the ordinary test
 * run, a finding in a debugger. Says which file it is at, so that a crash names it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 * 1024 * 1024 };

/* 0, or 1 when the file cannot be read. */
static int
replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *bytes = malloc(INPUT_MAX);
    size_t n = bytes == NULL ? 0 : fread(bytes, 1, INPUT_MAX, f);
    int bad = ferror(f) != 0 || bytes == NULL;
    (void)fclose(f);
    /* A copy of the exact size, so that the sanitizer sees a read beyond the end. */
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    for (size_t i = 0; exact != NULL && i < n; i++)
        exact[i] = bytes[i];
    free(bytes);
    if (bad || exact == NULL) {
        free(exact);
        return 1;
    }
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int
main(int argc, char **argv)
{
    int bad = 0;
    if (argc < 2)
        (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        (void)fprintf(stderr, "%s\n", argv[i]);
        bad |= replay(argv[i]);
    }
    return bad;
}
