/* Text reduced to what a person types to find it: small letters without accents. */
#ifndef BOOKFLOW_FOLD_H
#define BOOKFLOW_FOLD_H

#include "buf.h"

/* Appends the folded text. Letters of Latin, Greek and Cyrillic lose case and accents, all other
 * letters stay as they are; what a screen does not show is left out. */
void fold(struct buf *out, const char *text);
/* The same; the caller frees it. */
char *fold_new(const char *text);

#endif
