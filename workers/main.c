/* The bookflow program: a table of verbs. */
#include <stdio.h>

int main(void)
{
    (void)printf("bookflow %s\n", BOOKFLOW_VERSION);
    return 0;
}
