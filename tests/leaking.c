/* A test that leaks on purpose. CTest must call it a failure; see CMakeLists.txt beside it. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(leaking, loses_its_only_pointer)
{
    char *volatile lost = malloc(64);
    cr_assert(lost != NULL);
    lost = NULL;
}
