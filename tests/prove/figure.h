/* How a harness reports a figure: one line on stdout,
 *
 *   FIGURE R3 ok power cuts: 13,040 cuts; 0 lost, 0 corrupt
 *
 * which prove.sh collects into its table. A mark that is not reached says MISSED instead of ok, and
 * the harness exits with 1. */
#ifndef BOOKFLOW_FIGURE_H
#define BOOKFLOW_FIGURE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static inline bool figure(const char *id, bool reached,
                                                                const char *format, ...)
{
    va_list values;
    (void)printf("FIGURE %s %s ", id, reached ? "ok" : "MISSED");
    va_start(values, format);
    (void)vprintf(format, values);
    va_end(values);
    (void)printf("\n");
    (void)fflush(stdout);
    return reached;
}

/* PROVE_SIZE=ci|full|nightly: how much to do; full unless told. */
enum prove_size { PROVE_CI, PROVE_FULL, PROVE_NIGHTLY };
static inline enum prove_size prove_size(void)
{
    const char *size = getenv("PROVE_SIZE");
    if (size && strcmp(size, "ci") == 0)
        return PROVE_CI;
    return size && strcmp(size, "nightly") == 0 ? PROVE_NIGHTLY : PROVE_FULL;
}

#endif
