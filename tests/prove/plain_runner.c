/* Criterion's tests without Criterion's runner, which starts each test by running the program anew:
 * valgrind would look at the launcher and at no test. Preloaded into a test binary that is as it
 * ships, it takes the place of main() and of the calls that the assertions make, and runs all tests
 * in one process. Knows nothing of what is tested. */
#include <criterion/criterion.h>
#include <criterion/event.h>
#include <criterion/internal/ordered-set.h>
#include <criterion/internal/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TESTS_MAX = 200 };

struct listed {
    struct criterion_suite suite;
    struct criterion_test test;
};

/* The calls come out of the test, which does not say which it is. */
static const struct listed *running;

int main(void); /* exported: the test binary has none of its own */

static void call(void (*function)(void))
{
    if (function)
        function();
}

void criterion_internal_test_setup(void)
{
    call(running->suite.data ? running->suite.data->init : NULL);
    call(running->test.data->init);
}

void criterion_internal_test_main(void (*fn)(void))
{
    fn();
}

void criterion_internal_test_teardown(void)
{
    call(running->test.data->fini);
    call(running->suite.data ? running->suite.data->fini : NULL);
}

/* The first failure ends the process, without an exit handler: what the test holds is no leak. */
void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    (void)fprintf(stderr, "%s/%s failed: %s:%u: %s\n", running->test.category, running->test.name,
                  stats->file, stats->line, stats->message ? stats->message : "");
    _exit(1);
}

/* Criterion's own list is given back before the first test runs: while it stands, valgrind has been
 * told to report nothing. */
static size_t list_tests(struct listed *tests)
{
    size_t count = 0;
    struct criterion_test_set *set = criterion_initialize();
    // clang-format off
    FOREACH_SET (struct criterion_suite_set *suite, set->suites) {
        FOREACH_SET (struct criterion_test *test, suite->tests) {
            if (count == TESTS_MAX)
                abort();
            tests[count++] = (struct listed){suite->suite, *test};
        }
    }
    // clang-format on
    criterion_finalize(set);
    return count;
}

int main(void)
{
    static struct listed tests[TESTS_MAX];
    const size_t count = list_tests(tests);
    for (size_t each = 0; each < count; each++) {
        running = &tests[each];
        running->test.test();
    }
    (void)printf("%zu tests\n", count);
    return count > 0 ? 0 : 1;
}
