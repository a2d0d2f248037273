/* Tests make their folders in /tmp and remove them, unless they fail - and of a mutant they should
 * fail. Linked into mutants only: the same name below the current folder, which goes away whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

char *mkdtemp(char *path)
{
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    unsigned char chance[6];
    if (strncmp(path, "/tmp/", 5) == 0)
        memcpy(path, ".//./", 5); /* as long as what it replaces */
    if (getrandom(chance, sizeof chance, 0) != sizeof chance)
        abort();
    char *end = path + strlen(path) - sizeof chance;
    for (size_t i = 0; i < sizeof chance; i++)
        end[i] = LETTERS[chance[i] % 64];
    return mkdir(path, 0700) == 0 ? path : NULL;
}
