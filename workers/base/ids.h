/* Identifiers: the ones we make (UUIDv7, RFC 9562) and the ones that come from outside. */
#ifndef BOOKFLOW_IDS_H
#define BOOKFLOW_IDS_H

#include <stdbool.h>
#include <stddef.h>

#include "world.h"

/* Room for the longest id (128 characters) and its NUL. */
enum { ID_MAX = 128, ID_SIZE = ID_MAX + 1, UUID_SIZE = 37 };

/* 1 to 128 of A-Z a-z 0-9 . _ : - */
bool id_valid(const char *text, size_t length);

/* A new UUIDv7 as text: 48 bits of wall time, 74 random bits. */
void id_new(const struct world *world, char out[ID_SIZE]);

/* Copies a valid id. The caller has checked it; anything longer is a bug (assert). */
void id_copy(char out[ID_SIZE], const char *id);

#endif
