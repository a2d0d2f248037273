/* Gives every file of the folders named on the command line to the target, once: the committed
 * corpus in an ordinary test run, with any compiler, and one input again when something was found.
 * Knows no target. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_MAX = 8 * 1024 * 1024 };

static size_t replayed(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct buf input AUTO(buf_release) = {.maximum = INPUT_MAX};
    char chunk[16 * 1024];
    if (!file)
        return 0;
    for (size_t count = 0; (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(&input, chunk, count);
    (void)fclose(file);
    /* Without the NUL behind it, so that the sanitizer sees what is read too far. */
    uint8_t *exact AUTO(memory_release) = memory_new(input.length, 1);
    memcpy(exact, buf_text(&input), input.length);
    (void)fprintf(stderr, "%s\n", path); /* the last one printed is the one that failed */
    (void)LLVMFuzzerTestOneInput(exact, input.length);
    return 1;
}

static size_t replayed_all(const char *path)
{
    struct stat found;
    size_t count = 0;
    if (stat(path, &found) == 0 && S_ISREG(found.st_mode))
        return replayed(path);
    DIR *folder = opendir(path);
    for (const struct dirent *entry = NULL; folder && (entry = readdir(folder));) {
        struct buf file AUTO(buf_release) = {0};
        buf_printf(&file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            count += replayed(buf_text(&file));
    }
    if (folder)
        (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        count += replayed_all(argv[i]);
    (void)printf("%zu inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
