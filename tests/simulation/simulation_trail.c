/* The trail: the last things that happened in a world, in words. Knows nothing of what they mean.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "simulation.h"

enum { LINES = 120, LINE_SIZE = 200 };

struct trail {
    size_t count; /* ever added */
    char lines[LINES][LINE_SIZE];
};

struct trail *trail_new(void)
{
    return memory_new(1, sizeof(struct trail));
}

void trail_free(struct trail *trail)
{
    free(trail);
}

void trail_add(struct simulation *simulation, const char *format, ...)
{
    struct trail *trail = simulation->trail;
    if (!trail)
        return;
    char *line = trail->lines[trail->count++ % LINES];
    const int head =
        snprintf(line, LINE_SIZE, "step %lld, %lld.%03lld s: ", (long long)simulation->step,
                 (long long)simulation->ticks_ms / 1000, (long long)simulation->ticks_ms % 1000);
    va_list values;
    va_start(values, format);
    (void)vsnprintf(line + head, LINE_SIZE - (size_t)head, format, values);
    va_end(values);
}

void trail_print(const struct trail *trail)
{
    const size_t first = trail->count > LINES ? trail->count - LINES : 0;
    for (size_t i = first; i < trail->count; i++)
        (void)printf("  %s\n", trail->lines[i % LINES]);
}
