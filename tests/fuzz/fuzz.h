/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(): it feeds the
 * bytes to the shipped code and says what must hold whatever they are. With libFuzzer it is given
 * new inputs; with fuzz_replay.c the committed corpus, in every test run.
 *
 * A target keeps nothing from one input to the next, or what it finds could not be replayed. */
#ifndef BOOKFLOW_FUZZ_H
#define BOOKFLOW_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "world.h"

/* libFuzzer's own name for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what does not hold, and aborts: that is how a finding is told. */
#define FUZZ_CHECK(claim, ...) ((claim) ? (void)0 : fuzz_fail(__FILE__, __LINE__, __VA_ARGS__))
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* The bytes as a text: a copy without its NULs, ended by one. The caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The next line of *text, cut off at its end; NULL at the end of the text. */
char *fuzz_line(char **text);

/* True for UTF-8 that neither acts on a terminal nor reorders or hides anything. Written anew from
 * the lists in text.h, so that it does not fail together with them. */
bool fuzz_is_showable(const char *text, size_t length);

/* Well-formed UTF-8; likewise independent. */
bool fuzz_is_utf8(const char *text, size_t length);

/* A clock that stands until it is moved, and chance that repeats. */
struct fuzz_clock {
    int64_t ms;
    uint64_t seed;
};
enum { FUZZ_NOW_S = 1771491600 }; /* 2026-02-19T09:00:00Z */
struct world fuzz_world(struct fuzz_clock *clock);

#endif
